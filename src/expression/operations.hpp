// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sobolev/expression/expr.hpp"

namespace sobolev::detail {
double apply_unary(Op op, double x);
double apply_binary(Op op, double x, double y);
/// The expression op(a, b) (or op(a)) through the folding constructors.
Expr build(Op op, Expr a, Expr b);
bool is_leaf(Expr e);
}  // namespace sobolev::detail
