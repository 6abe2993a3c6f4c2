// SPDX-License-Identifier: Apache-2.0
#pragma once
// Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): ten rounds of a Feistel
// network whose round function is a product of 32 bits by 32 bits.
#include <cstdint>

#include "kernels/common/simd.hpp"
#include "kernels/common/vector_math.hpp"

namespace sobolev::SOBOLEV_TARGET {

inline constexpr int philox_rounds = 10;
/// Counters of pairs: index / 2 for indices that count modulo 2^64.
inline constexpr std::uint64_t philox_pairs = ~std::uint64_t(0) >> 1;

/// One round on the four words of a counter; then the key goes on by philox_next_key.
SOBOLEV_INLINE void philox_round(std::uint32_t key0, std::uint32_t key1, std::uint32_t& c0, std::uint32_t& c1,
                                 std::uint32_t& c2, std::uint32_t& c3) {
  const std::uint64_t a = std::uint64_t(0xD2511F53u) * c0, b = std::uint64_t(0xCD9E8D57u) * c2;
  c0 = std::uint32_t(b >> 32) ^ c1 ^ key0;
  c1 = std::uint32_t(b);
  c2 = std::uint32_t(a >> 32) ^ c3 ^ key1;
  c3 = std::uint32_t(a);
}
SOBOLEV_INLINE void philox_next_key(std::uint32_t& key0, std::uint32_t& key1) {
  key0 += 0x9E3779B9u;
  key1 += 0xBB67AE85u;
}

/// A pair of normal numbers of uniform ones in [0, 1) (Box & Muller 1958).
SOBOLEV_INLINE void normal_pair(Vec<double> u, Vec<double> v, Vec<double>& first, Vec<double>& second) {
  const Vec<double> radius = vsqrt<double>(-2 * vlog<double>(1 - u));  // 1 − u is exact, and never 0
  vsincos<double>(6.283185307179586 * v, second, first);
  first = radius * first;
  second = radius * second;
}

/// The first bits of a pair of words as a number in [0, 1): 53 for double, 24 for float.
template <class T>
SOBOLEV_INLINE T uniform_of(std::uint32_t high, std::uint32_t low) {
  if constexpr (sizeof(T) == 4)
    return T(std::int32_t(high >> 8)) * T(0x1p-24);
  else  // both parts are exact, and so is their sum
    return T(std::int32_t(high >> 5)) * T(0x1p-27) + T(std::int32_t(low >> 6)) * T(0x1p-53);
}

}  // namespace sobolev::SOBOLEV_TARGET
