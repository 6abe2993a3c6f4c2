// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>

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

 private:
  std::uint64_t seed_, stream_;
};

}  // namespace sobolev
