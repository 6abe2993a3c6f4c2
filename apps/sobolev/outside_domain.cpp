// SPDX-License-Identifier: Apache-2.0
#include "apps/sobolev/outside_domain.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sobolev::app {

std::string outside_domain(const Problem& problem, View<const double, 2> points) {
  constexpr double slack = 1e-9;  // of a range's length: rounding is not outside
  const std::size_t dimensions = problem.coordinates.size();
  std::size_t outside = 0;
  double farthest = 0;  // in lengths of the range
  std::string where;
  for (std::size_t i = 0; i < points.extent(0); ++i) {
    bool counted = false;
    for (std::size_t d = 0; d < dimensions; ++d) {
      const CoordinateRange& c = problem.coordinates[d];
      const double value = points.data()[i * dimensions + d], length = c.high - c.low;
      const double distance = std::max(c.low - value, value - c.high);
      if (c.periodic || !(distance > slack * length)) continue;
      if (!counted) ++outside;
      counted = true;
      if (distance / length <= farthest) continue;
      farthest = distance / length;
      where = fmt::format("point {} has {} = {:g}, {:g} beyond [{:g}, {:g}] ({:.3g} times its length)", i,
                          c.name, value, distance, c.low, c.high, farthest);
    }
  }
  if (outside == 0) return {};
  return fmt::format(
      "{} of {} points lie outside the domain, where nothing was trained: the values there are the network's "
      "continuation, not a solution. Farthest: {}",
      outside, points.extent(0), where);
}

}  // namespace sobolev::app
