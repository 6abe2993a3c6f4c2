// SPDX-License-Identifier: Apache-2.0
#pragma once
// The checks that both back ends make first: ArgumentError with the shapes.
#include "sobolev/network/features.hpp"

namespace sobolev::detail {

void check_feature_shapes(const Features&, const JetSpec&, const Extents<2>& x, const Extents<3>& y);

}  // namespace sobolev::detail
