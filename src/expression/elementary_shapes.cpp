// SPDX-License-Identifier: Apache-2.0
#include "kernels/expression/elementary_shapes.hpp"

#include <fmt/format.h>

#include "sobolev/core/error.hpp"

namespace sobolev::detail {
void check_elementary(Op op, std::size_t x, std::size_t y) {
  require(x == y, [&] { return fmt::format("elementary: x has {} elements but y has {}", x, y); });
  require(op >= Op::negate, "elementary: not a unary operation; add, multiply and the like need an Expr");
}
}  // namespace sobolev::detail
