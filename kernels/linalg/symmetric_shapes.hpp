// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sobolev/core/view.hpp"

namespace sobolev::detail {
// ArgumentError unless the shapes agree.
void check_syrk_shapes(const Extents<2>& a, const Extents<2>& c);
void check_cholesky_shapes(const Extents<2>& a);
void check_cholesky_solve_shapes(const Extents<2>& u, std::size_t b);
}  // namespace sobolev::detail
