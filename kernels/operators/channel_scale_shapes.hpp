// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sobolev/core/view.hpp"

namespace sobolev::detail {
/// ArgumentError unless they are [N, C], [C], [C] or empty, [N, C].
void check_channel_scale(const char* name, const Extents<2>& x, std::size_t weight, std::size_t bias,
                         const Extents<2>& y);
/// The same for the adjoint: x_bar [N, C] or empty, weight_bar [C], enough workspace.
void check_channel_scale_adjoint(const Extents<2>& x, std::size_t weight, const Extents<2>& y_bar,
                                 const Extents<2>& x_bar, std::size_t weight_bar, std::size_t bias_bar,
                                 std::size_t workspace);
}  // namespace sobolev::detail
