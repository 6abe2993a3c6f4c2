// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sobolev/core/view.hpp"

namespace sobolev::detail {
void check_relative_l2(const Extents<3>& y, std::size_t scale, std::size_t offset, const Extents<3>& target,
                       std::size_t errors, const Extents<3>& y_bar);
}  // namespace sobolev::detail
