// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>

#include "sobolev/core/view.hpp"

namespace sobolev::detail {
struct GroupNormShape {
  std::size_t samples, points, channels, groups, weights;  // weights: C, N C or 0
};
/// ArgumentError unless they are [B, N, C], [B, N, C], [B, groups, 2] with groups that divide C, and all of
/// them [C], [N C] or empty.
GroupNormShape group_norm_shape(const char* name, const Extents<3>& x, const Extents<3>& y,
                                const Extents<3>& statistics, const Extents<3>& slope, std::size_t weight,
                                std::size_t bias);
GroupNormShape group_norm_adjoint_shape(const Extents<3>& x, const Extents<3>& y_bar, const Extents<3>& x_bar,
                                        const Extents<3>& statistics, const Extents<3>& slope,
                                        std::size_t weight, std::size_t weight_bar, std::size_t bias_bar,
                                        std::size_t workspace);
constexpr double group_norm_epsilon = 1e-5;
}  // namespace sobolev::detail
