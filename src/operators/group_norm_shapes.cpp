// SPDX-License-Identifier: Apache-2.0
#include "kernels/operators/group_norm_shapes.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sobolev/core/error.hpp"
#include "sobolev/operators/group_norm.hpp"

namespace sobolev {
namespace detail {
GroupNormShape group_norm_shape(const char* name, const Extents<3>& x, const Extents<3>& y,
                                const Extents<3>& statistics, const Extents<3>& slope, std::size_t weight,
                                std::size_t bias) {
  const std::size_t b = x[0], n = x[1], c = x[2], groups = statistics[1];
  require(x == y && (slope[0] * slope[1] * slope[2] == 0 || slope == x) && statistics[0] == b &&
              statistics[2] == 2 && groups >= 1 && c % groups == 0 && weight == bias &&
              (weight == 0 || weight == c || weight == n * c),
          [&] {
            return fmt::format(
                "{}: x is [{}], y [{}], the slope [{}], the statistics [{}], {} weights and {} biases; they "
                "must be [B, N, C], "
                "[B, N, C], [B, N, C] or empty, [B, groups, 2] with groups that divide C, and C, N C or none",
                name, fmt::join(x, ", "), fmt::join(y, ", "), fmt::join(slope, ", "),
                fmt::join(statistics, ", "), weight, bias);
          });
  return {b, n, c, groups, weight};
}
GroupNormShape group_norm_adjoint_shape(const Extents<3>& x, const Extents<3>& y_bar, const Extents<3>& x_bar,
                                        const Extents<3>& statistics, const Extents<3>& slope,
                                        std::size_t weight, std::size_t weight_bar, std::size_t bias_bar,
                                        std::size_t workspace) {
  const GroupNormShape s =
      group_norm_shape("group_norm_adjoint", x, y_bar, statistics, slope, weight, bias_bar);
  require((x_bar[0] * x_bar[1] * x_bar[2] == 0 || x_bar == x) && weight_bar == weight &&
              workspace >= group_norm_workspace(s.samples, s.channels),
          "group_norm_adjoint: the adjoints must have the shapes of x and the weight, and the workspace "
          "group_norm_workspace numbers");
  return s;
}
}  // namespace detail

std::size_t group_norm_workspace(std::size_t samples, std::size_t channels) { return 4 * samples * channels; }

}  // namespace sobolev
