// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the instructions of a network of fields do to grids.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "sobolev/core/error.hpp"
#include "sobolev/operators/field_network.hpp"

namespace sobolev::detail {

inline Extents<3> three_axes(const std::vector<std::size_t>& grid) {
  Extents<3> out{1, 1, 1};
  std::copy(grid.begin(), grid.end(), out.begin() + std::ptrdiff_t(3 - grid.size()));
  return out;
}

struct Ends {
  std::size_t before, after;
};
inline Ends ends_of(const Margin& margin, std::size_t points) {
  const auto share = std::size_t(std::llround(margin.fraction * double(points)));
  return {margin.before + share, margin.after + share};
}

/// The slots that an instruction reads; −1 for none.
inline std::array<int, 3> reads(const FieldInstruction& step) {
  return {step.kind == FieldInstruction::Kind::query ? -1 : step.in, step.added, step.trunk};
}

inline std::size_t cropped(const Margin& margin, std::size_t points) {
  // The number of points that the margin was added to: it grows with them, by less than one point a point.
  for (std::size_t n = points; n-- > 1;) {
    const Ends ends = ends_of(margin, n);
    if (n + ends.before + ends.after == points) return n;
  }
  require(margin.before + margin.after == 0 && margin.fraction == 0,
          [&] { return fmt::format("FieldNetwork: a crop leaves nothing of {} points", points); });
  return points;
}

template <class T>
std::vector<T> coordinate_values(const FieldInstruction& step, const std::vector<std::size_t>& grid) {
  std::size_t count = 1;
  for (std::size_t g : grid) count *= g;
  std::vector<T> values;
  values.reserve(count * grid.size());
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t rest = count, at = i;
    for (std::size_t a = 0; a < grid.size(); ++a) {
      rest /= grid[a];
      const std::size_t k = at / rest,
                        last = step.end_point ? std::max<std::size_t>(grid[a], 2) - 1 : grid[a];
      at %= rest;
      const auto [low, high] = step.coordinates[a];
      values.push_back(T(low + (high - low) * double(k) / double(last)));
    }
  }
  return values;
}

}  // namespace sobolev::detail
