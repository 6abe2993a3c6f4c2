// SPDX-License-Identifier: Apache-2.0
#pragma once
// Matrix instructions of a warp, by all of its lanes together: C += A B, A : [rows][depth], B : [depth][8].
// With group = lane / 4 and member = lane % 4 a lane holds of C rows group (and group + 8) and columns
// 2·member, 2·member + 1; of A rows group (and group + 8), of B column group, both at a quarter of the depth.
// Which elements of the sum a lane calls its k-th is its own choice, as long as A and B agree.
// Sums may be read after mma_commit() only, which all lanes call together: the simulated device waits for it.
// From compute capability 8.0 on. PTX ISA, "Warp-level matrix multiply-accumulate instructions".
#include <cstdint>

#include "kernels/common/cuda.hpp"

#if SOBOLEV_CUDA_SIMULATED
#include "kernels/simulated/mma.hpp"
#else

namespace sobolev {

/// Rounded to 11 significant bits, ties away from zero.
__device__ __forceinline__ std::uint32_t to_tf32(float value) {
  std::uint32_t bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(value));
  return bits;
}
/// Each rounded to 8 significant bits, ties to even; `low` in the lower half.
__device__ __forceinline__ std::uint32_t to_bf16x2(float low, float high) {
  std::uint32_t bits;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(high), "f"(low));
  return bits;
}

/// 16 × 8 × 8. a: (group, k), (group + 8, k), (group, k'), (group + 8, k'); b: k, k'. Each product is exact,
/// the float32 sum is not rounded to nearest.
__device__ __forceinline__ void mma_tf32(float (&c)[4], const std::uint32_t (&a)[4],
                                         const std::uint32_t (&b)[2]) {
  asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

/// 16 × 8 × 16, two elements of the sum in each register: a: (group, k), (group + 8, k), (group, k'),
/// (group + 8, k'); b: k, k'.
__device__ __forceinline__ void mma_bf16(float (&c)[4], const std::uint32_t (&a)[4],
                                         const std::uint32_t (&b)[2]) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

/// 8 × 8 × 4, IEEE float64 products and sums.
__device__ __forceinline__ void mma_f64(double (&c)[2], double a, double b) {
  asm("mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%0,%1}, {%2}, {%3}, {%0,%1};"
      : "+d"(c[0]), "+d"(c[1])
      : "d"(a), "d"(b));
}

__device__ __forceinline__ void mma_commit() {}

}  // namespace sobolev
#endif
