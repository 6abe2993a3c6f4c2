// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sobolev/core/error.hpp"
#include "sobolev/expression/expr.hpp"
#include "sobolev/expression/jumps.hpp"

namespace sobolev {

/// The names an expression may use.
struct ExpressionScope {
  std::vector<std::string> coordinates;     // in column order
  std::vector<std::string> unknowns;        // functions of all the coordinates
  std::map<std::string, double> constants;  // besides pi and e
  std::vector<std::string> unknown_constants = {};
  CoordinateBox ranges = {};  // where jumps matter; a coordinate without one may be anything
  /// Coordinates whose d(…) of what jumps at places of this coordinate alone are kept (jumps.hpp), not
  /// errors.
  std::vector<std::string> cuttable = {};
};

/// Parses an expression. Grammar (precedence from loose to tight):
///   sum := product (('+'|'-') product)*      product := unary (('*'|'/') unary)*
///   unary := ('-'|'+') unary | power         power := primary ('^' unary)?   (right associative)
///   primary := number | name | name '(' sum (',' sum)* ')' | '(' sum ')'
/// `**` is accepted for `^`. Functions: sin cos tan asin acos atan sinh cosh tanh exp log sqrt abs
/// sign min max pow erf erfc heaviside, and d(expr, x, ...) with coordinates, or a coordinate and its order,
/// after the expression. u_xxt is a derivative when u is an unknown and every letter is a one-letter
/// coordinate. `position` is where the text's first character stands; errors (ParseError) give the exact
/// column, say what was expected and suggest the nearest valid name. A constant subexpression that is not
/// finite (1/0, log(0)) is an error, and so is a d(…) that would drop a delta function (jumps.hpp), unless
/// scope.cuttable has the coordinate. Nesting
/// is limited to 200 levels, text to 64 KiB.
Expr parse_expression(std::string_view text, const ExpressionScope& scope,
                      const SourcePosition& position = {});

/// Parses `left = right` (or `left == right`) into left and right; without '=' right is 0.
std::pair<Expr, Expr> parse_equation(std::string_view text, const ExpressionScope& scope,
                                     const SourcePosition& position = {});

}  // namespace sobolev
