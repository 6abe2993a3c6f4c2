// SPDX-License-Identifier: Apache-2.0
#pragma once
// The matrix instructions of kernels/common/mma.hpp on the simulated device. Products are exact; a float32
// sum of an instruction is rounded once, towards zero: hardware does not promise better. Lower bits of an
// operand that the hardware does not look at are not looked at.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "kernels/simulated/cuda_runtime.hpp"

namespace sobolev::simulated {

/// To float32, towards zero.
inline float truncate(double value) {
  const float nearest = float(value);
  if (std::isfinite(nearest) && std::abs(double(nearest)) > std::abs(value))
    return std::nextafter(nearest, 0.0f);
  return nearest;
}

/// Each lane brings the registers of its fragments; f(fragments of all 32 lanes) while they stay.
template <class Fragments, class F>
void of_warp(const char* operation, const Fragments& mine, F&& f, const Place& place) {
  const std::uint64_t* address = thread::exchange(operation, 0xffffffffu, to_bits(&mine), place);
  const Fragments* all[32];
  for (int lane = 0; lane < 32; ++lane) all[lane] = from_bits<const Fragments*>(address[lane]);
  f(all);
  thread::exchange("the end of a matrix instruction", 0xffffffffu, 0, place);
}

/// c[2 h + i] += Σ_k A(group + 8 h, k) B(k, 2 · member + i), group = lane / 4 and member = lane % 4, with
/// left(fragments, h, j) and right(fragments, j) the j-th of the `depth` elements that a lane has of the sum.
template <int depth, class Fragments, class Left, class Right>
void multiply_add(const char* operation, const Fragments& mine, float (&c)[4], Left&& left, Right&& right,
                  const Place& place) {
  of_warp(
      operation, mine,
      [&](const Fragments* const(&all)[32]) {
        const unsigned group = thread::lane() / 4, member = thread::lane() % 4;
        for (unsigned h = 0; h < 2; ++h)
          for (unsigned i = 0; i < 2; ++i) {
            double sum = double(c[2 * h + i]);
            for (unsigned m = 0; m < 4; ++m)
              for (int j = 0; j < depth; ++j)
                sum += double(left(*all[4 * group + m], int(h), j)) *
                       double(right(*all[4 * (2 * member + i) + m], j));
            c[2 * h + i] = truncate(sum);
          }
      },
      place);
}
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
  struct Fragments {
    std::uint32_t a[4], b[2];
  };
  const Fragments mine{{a[0], a[1], a[2], a[3]}, {b[0], b[1]}};
  const auto value = [](std::uint32_t bits) { return __uint_as_float(bits & ~0x1fffu); };
  simulated::multiply_add<2>(
      "mma_tf32", mine, c, [&](const Fragments& f, int h, int j) { return value(f.a[2 * j + h]); },
      [&](const Fragments& f, int j) { return value(f.b[j]); }, place);
}

inline void mma_bf16(float (&c)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2],
                     SobolevPlace place = SobolevPlace::here()) {
  struct Fragments {
    std::uint32_t a[4], b[2];
  };
  const Fragments mine{{a[0], a[1], a[2], a[3]}, {b[0], b[1]}};
  const auto value = [](std::uint32_t bits, int j) {
    return __uint_as_float(j % 2 == 0 ? bits << 16 : bits & 0xffff0000u);
  };
  simulated::multiply_add<4>(
      "mma_bf16", mine, c, [&](const Fragments& f, int h, int j) { return value(f.a[j / 2 * 2 + h], j); },
      [&](const Fragments& f, int j) { return value(f.b[j / 2], j); }, place);
}

inline void mma_f64(double (&c)[2], double a, double b, SobolevPlace place = SobolevPlace::here()) {
  struct Fragments {
    double a, b;
  };
  simulated::of_warp(
      "mma_f64", Fragments{a, b},
      [&](const Fragments* const(&all)[32]) {
        const unsigned group = simulated::thread::lane() / 4, member = simulated::thread::lane() % 4;
        for (unsigned i = 0; i < 2; ++i)
          for (unsigned m = 0; m < 4; ++m)
            c[i] = std::fma(all[4 * group + m]->a, all[4 * (2 * member + i) + m]->b, c[i]);
      },
      place);
}
}  // namespace sobolev
