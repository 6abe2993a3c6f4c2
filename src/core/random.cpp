// SPDX-License-Identifier: Apache-2.0
#include "sobolev/core/random.hpp"

#include <Random123/philox.h>

#include <cmath>
#include <numbers>

namespace sobolev {

std::array<std::uint32_t, 4> Philox::words(std::uint64_t index) const {
  const auto low = [](std::uint64_t v) { return static_cast<std::uint32_t>(v); };
  const auto high = [](std::uint64_t v) { return static_cast<std::uint32_t>(v >> 32); };
  const r123::Philox4x32::ctr_type counter{{low(index), high(index), low(stream_), high(stream_)}};
  const r123::Philox4x32::key_type key{{low(seed_), high(seed_)}};
  const auto out = r123::Philox4x32()(counter, key);
  return {out[0], out[1], out[2], out[3]};
}

std::array<double, 2> Philox::uniform2(std::uint64_t index) const {
  const auto w = words(index);
  const auto to_double = [](std::uint32_t a, std::uint32_t b) {
    return ((a >> 5) * 0x1p26 + (b >> 6)) * 0x1p-53;
  };
  return {to_double(w[0], w[1]), to_double(w[2], w[3])};
}

double Philox::normal(std::uint64_t index) const {
  const auto [u, v] = uniform2(index / 2);
  const double radius = std::sqrt(-2 * std::log1p(-u));  // 1 − u is never 0
  const double angle = 2 * std::numbers::pi * v;
  return radius * (index % 2 == 0 ? std::cos(angle) : std::sin(angle));
}

}  // namespace sobolev
