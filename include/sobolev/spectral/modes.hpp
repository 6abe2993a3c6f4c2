// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <vector>

namespace sobolev {

/// Frequencies low … high of an axis, both included.
struct ModeRange {
  int low = 0, high = 0;
  constexpr std::size_t count() const { return high < low ? 0 : std::size_t(high - low) + 1; }
  friend constexpr bool operator==(const ModeRange&, const ModeRange&) = default;
};

/// Whether an axis of n points resolves frequency k: −n ≤ 2k < n, and on the last axis, where a real field
/// has no others than k ≥ 0, 0 ≤ 2k ≤ n.
constexpr bool resolved(int k, std::size_t n, bool last_axis) {
  const long twice = 2 * long(k), points = long(n);
  return last_axis ? twice >= 0 && twice <= points : twice >= -points && twice < points;
}

/// The `modes` lowest frequencies, as the papers on Fourier neural operators count them: −m … m − 1 of every
/// axis but the last one, which has 0 … m − 1.
std::vector<ModeRange> lowest_modes(const std::vector<std::size_t>& modes);

}  // namespace sobolev
