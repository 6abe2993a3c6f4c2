// SPDX-License-Identifier: Apache-2.0
#pragma once
// The checks that both back ends make first: ArgumentError with the shapes.
#include "sobolev/core/view.hpp"
#include "sobolev/expression/tape.hpp"

namespace sobolev::detail {

void check_tape_shapes(const Tape&, const Extents<2>& x, const Extents<2>& y);
void check_tape_adjoints(const Extents<2>& x, const Extents<2>& y, const Extents<2>& y_bar,
                         const Extents<2>& x_bar);

}  // namespace sobolev::detail
