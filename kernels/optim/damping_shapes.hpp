// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sobolev/core/view.hpp"

namespace sobolev::detail {
// ArgumentError unless the shapes agree.
void check_damping_diagonal(const Extents<2>& matrix, std::size_t diagonal);
void check_damped_matrix(const Extents<2>& matrix, std::size_t diagonal, const Extents<2>& out);
}  // namespace sobolev::detail
