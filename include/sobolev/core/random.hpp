// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>

#include "sobolev/core/executor.hpp"
#include "sobolev/core/view.hpp"

namespace sobolev {

/// Counter-based random numbers: Philox4x32-10 (Salmon et al. 2011) with key = seed and counter =
/// (index, stream). Any number is available at once; the same on every back end.
class Philox {
 public:
  Philox(std::uint64_t seed, std::uint64_t stream) : seed_(seed), stream_(stream) {}
  /// The four 32-bit words of counter value `index`.
  std::array<std::uint32_t, 4> words(std::uint64_t index) const;
  /// Two uniform numbers in [0, 1) with 53 random bits each, from words(index).
  std::array<double, 2> uniform2(std::uint64_t index) const;
  double uniform(std::uint64_t index) const { return uniform2(index / 2)[index % 2]; }
  /// Standard normal by Box–Muller on uniform2(index / 2).
  double normal(std::uint64_t index) const;

  std::uint64_t seed() const { return seed_; }
  std::uint64_t stream() const { return stream_; }

 private:
  std::uint64_t seed_, stream_;
};

/// u[i] = random.uniform(first + i), the same bits on every back end; in float32 its first 24 bits, so that
/// it stays below 1. Indices count modulo 2^64.                                                      u : [n]
template <class T>
void fill_uniform(const Cpu&, const Philox& random, std::uint64_t first, View<T, 1> u);
template <class T>
void fill_uniform(const Cuda&, const Philox& random, std::uint64_t first, View<T, 1> u);

/// z[i] = random.normal(first + i) to 4 units in the last place of max(|z|, 1), computed in float64.  z : [n]
template <class T>
void fill_normal(const Cpu&, const Philox& random, std::uint64_t first, View<T, 1> z);
template <class T>
void fill_normal(const Cuda&, const Philox& random, std::uint64_t first, View<T, 1> z);

}  // namespace sobolev
