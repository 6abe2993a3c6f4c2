// SPDX-License-Identifier: Apache-2.0
#pragma once
// One square tile of C ± AᵀA by a block of 16 × 16 threads, 4 × 4 (float64) or 8 × 8 (float32) elements each:
// per row of A a thread reads 2·F operands from shared memory for F² FMAs, bound by the FMA units.
#include "kernels/common/cuda.hpp"

namespace sobolev::target_cuda {

template <class T>
struct SyrkBlock {
  static constexpr int side = 16, threads = side * side, per_thread = sizeof(T) == 4 ? 8 : 4;
  static constexpr int tile = side * per_thread, chunk = 16;
};

/// c[i, j] += sign Σ_r a[r, i] a[r, j] for the tile of rows i0 and columns j0, i ≤ j < columns.
/// a : [rows][lda], c : [·][ldc]
template <class T, int sign>
__device__ void syrk_tile(const T* a, std::size_t lda, std::size_t rows, std::size_t columns, std::size_t i0,
                          std::size_t j0, T* c, std::size_t ldc) {
  using B = SyrkBlock<T>;
  SOBOLEV_SHARED(T, left, B::chunk * B::tile);
  SOBOLEV_SHARED(T, right, B::chunk * B::tile);
  const int x = int(threadIdx.x), y = int(threadIdx.y), me = y * B::side + x;
  T sum[B::per_thread][B::per_thread] = {};
  for (std::size_t r0 = 0; r0 < rows; r0 += B::chunk) {
    __syncthreads();
    for (int n = me; n < B::chunk * B::tile; n += B::threads) {
      const std::size_t r = r0 + std::size_t(n / B::tile), i = i0 + std::size_t(n % B::tile),
                        j = j0 + std::size_t(n % B::tile);
      left[n] = r < rows && i < columns ? a[r * lda + i] : T(0);
      right[n] = r < rows && j < columns ? a[r * lda + j] : T(0);
    }
    __syncthreads();
#pragma unroll 4
    for (int r = 0; r < B::chunk; ++r) {
      T l[B::per_thread], q[B::per_thread];
#pragma unroll
      for (int f = 0; f < B::per_thread; ++f) {
        l[f] = left[r * B::tile + y + B::side * f];
        q[f] = right[r * B::tile + x + B::side * f];
      }
#pragma unroll
      for (int f = 0; f < B::per_thread; ++f)
#pragma unroll
        for (int g = 0; g < B::per_thread; ++g) sum[f][g] += l[f] * q[g];
    }
  }
#pragma unroll
  for (int f = 0; f < B::per_thread; ++f)
#pragma unroll
    for (int g = 0; g < B::per_thread; ++g) {
      const std::size_t i = i0 + std::size_t(y + B::side * f), j = j0 + std::size_t(x + B::side * g);
      if (i <= j && j < columns) c[i * ldc + j] += sign > 0 ? sum[f][g] : -sum[f][g];
    }
}

}  // namespace sobolev::target_cuda
