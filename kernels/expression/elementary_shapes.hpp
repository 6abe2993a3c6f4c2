// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>

#include "sobolev/expression/expr.hpp"

namespace sobolev::detail {
/// ArgumentError unless the operation is unary and the sizes agree.
void check_elementary(Op op, std::size_t x, std::size_t y);
}  // namespace sobolev::detail
