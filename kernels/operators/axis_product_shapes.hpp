// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sobolev/core/view.hpp"

namespace sobolev::detail {
/// ArgumentError unless they are [m, n], [n, m], [B, n, R] and [B, m, R].
void check_axis_product(const Extents<2>& matrix, const Extents<2>& turned, const Extents<3>& x,
                        const Extents<3>& y);
}  // namespace sobolev::detail
