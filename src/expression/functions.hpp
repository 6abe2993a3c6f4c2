// SPDX-License-Identifier: Apache-2.0
#pragma once
// The functions an expression may call.
#include <string>
#include <string_view>
#include <vector>

#include "sobolev/expression/expr.hpp"

namespace sobolev::detail {
struct Function {
  std::string_view name;
  Op op;
  int arity;
};
/// Null when there is no such function.
const Function* find_function(std::string_view name);
std::vector<std::string> function_names();
Expr call_function(const Function& f, const std::vector<Expr>& arguments);
/// The name of a unary or two-argument function; "" for operators.
std::string_view function_name(Op op);
}  // namespace sobolev::detail
