// SPDX-License-Identifier: Apache-2.0
#pragma once
// The matrix instructions of kernels/common/mma.hpp on the simulated device. Products are exact; a float32
// sum of an instruction is rounded once, towards zero: hardware does not promise better. Lower bits of an
// operand that the hardware does not look at are not looked at. Instructions wait for mma_commit(): a warp
// meets once for all of them.
#include <cmath>
#include <cstdint>

#include "kernels/simulated/cuda_runtime.hpp"

namespace sobolev::simulated {

enum class MmaKind { tf32, bf16, f64 };
/// A lane's part of an instruction: its sums and its fragments of the operands.
struct MmaPart {
  MmaKind kind;
  Place place;
  void* sum;
  std::uint32_t a[4], b[2];  // tf32, bf16
  double left, right;        // f64
};
void ask_for(const MmaPart&);
void commit(const Place&);

}  // namespace sobolev::simulated

namespace sobolev {
/// cvt.rna.tf32.f32: to nearest, ties away from zero.
inline std::uint32_t to_tf32(float value) {
  const std::uint32_t bits = __float_as_uint(value);
  return std::isfinite(value) ? (bits + 0x1000u) & ~0x1fffu : bits;
}
/// cvt.rn.bf16x2.f32: `low` in the lower half.
inline std::uint32_t to_bf16x2(float low, float high) {
  const auto half = [](float value) {
    const std::uint32_t bits = __float_as_uint(value);
    return std::isfinite(value) ? (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16 : bits >> 16;
  };
  return half(low) | half(high) << 16;
}

inline void mma_tf32(float (&c)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
                     SobolevPlace place = SobolevPlace::here()) {
  simulated::ask_for({simulated::MmaKind::tf32, place, c, {a[0], a[1], a[2], a[3]}, {b[0], b[1]}, 0, 0});
}
inline void mma_bf16(float (&c)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
                     SobolevPlace place = SobolevPlace::here()) {
  simulated::ask_for({simulated::MmaKind::bf16, place, c, {a[0], a[1], a[2], a[3]}, {b[0], b[1]}, 0, 0});
}
inline void mma_f64(double (&c)[2], double a, double b, SobolevPlace place = SobolevPlace::here()) {
  simulated::ask_for({simulated::MmaKind::f64, place, c, {}, {}, a, b});
}
inline void mma_commit(SobolevPlace place = SobolevPlace::here()) { simulated::commit(place); }
}  // namespace sobolev
