// SPDX-License-Identifier: Apache-2.0
#pragma once
// The checks that both back ends make first: ArgumentError with the shapes.
#include "sobolev/core/view.hpp"
#include "sobolev/jet/spec.hpp"

namespace sobolev::detail {

void check_activation_shapes(const char* name, const JetSpec&, const Extents<2>& z, const Extents<2>& other);

}  // namespace sobolev::detail
