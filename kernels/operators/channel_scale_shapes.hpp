// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sobolev/core/view.hpp"

namespace sobolev::detail {
/// ArgumentError unless they are [N, C], [C], [C] or empty, [N, C].
void check_channel_scale(const char* name, const Extents<2>& x, std::size_t weight, std::size_t bias,
                         const Extents<2>& y);
}  // namespace sobolev::detail
