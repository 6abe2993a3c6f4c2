// SPDX-License-Identifier: Apache-2.0
#pragma once
// The checks that both back ends make first: ArgumentError with the shapes.
#include "sobolev/network/network.hpp"

namespace sobolev::detail {

void check_network_shapes(const char* name, const Network&, const JetSpec&, std::size_t parameters,
                          const Extents<3>& x, const Extents<3>& y);

}  // namespace sobolev::detail
