// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>

namespace sobolev::detail {
/// ArgumentError unless the sizes agree.
void check_axpby(std::size_t x, std::size_t y, std::size_t out);
void check_dot(std::size_t x, std::size_t y);
}  // namespace sobolev::detail
