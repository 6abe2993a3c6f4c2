// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "functions.hpp"
#include "operations.hpp"

namespace sobolev {
namespace detail {
namespace {
constexpr Function functions[] = {
    {"sin", Op::sine, 1},
    {"cos", Op::cosine, 1},
    {"tan", Op::tangent, 1},
    {"asin", Op::arcsine, 1},
    {"acos", Op::arccosine, 1},
    {"atan", Op::arctangent, 1},
    {"sinh", Op::hyperbolic_sine, 1},
    {"cosh", Op::hyperbolic_cosine, 1},
    {"tanh", Op::hyperbolic_tangent, 1},
    {"exp", Op::exponential, 1},
    {"log", Op::logarithm, 1},
    {"sqrt", Op::square_root, 1},
    {"abs", Op::absolute, 1},
    {"sign", Op::sign, 1},
    {"min", Op::minimum, 2},
    {"max", Op::maximum, 2},
    {"pow", Op::power, 2},
    {"erf", Op::error_function, 1},
    {"erfc", Op::complementary_error_function, 1},
    {"heaviside", Op::heaviside, 1},
};
}  // namespace

const Function* find_function(std::string_view name) {
  const auto* it = std::find_if(std::begin(functions), std::end(functions),
                                [&](const Function& f) { return f.name == name; });
  return it == std::end(functions) ? nullptr : it;
}
std::vector<std::string> function_names() {
  std::vector<std::string> names;
  for (const Function& f : functions) names.emplace_back(f.name);
  return names;
}
Expr call_function(const Function& f, const std::vector<Expr>& arguments) {
  return build(f.op, arguments[0], arguments.size() > 1 ? arguments[1] : arguments[0]);
}
std::string_view function_name(Op op) {
  if (op == Op::power) return "";
  const auto* it =
      std::find_if(std::begin(functions), std::end(functions), [&](const Function& f) { return f.op == op; });
  return it == std::end(functions) ? std::string_view{} : it->name;
}
}  // namespace detail

namespace {
/// Binding strength: sum 1, product 2, unary minus 3, power 4, atoms 5.
int strength(Expr e) {
  switch (e->op) {
    case Op::add:
    case Op::subtract: return 1;
    case Op::multiply:
    case Op::divide: return 2;
    case Op::negate: return 3;
    case Op::power: return 4;
    case Op::constant: return std::signbit(e->value) ? 3 : 5;
    default: return 5;
  }
}

std::string field_text(Expr e) {
  if (e->derivative.empty()) return e->name;
  const bool letters = std::all_of(e->derivative.begin(), e->derivative.end(),
                                   [](const auto& p) { return p.first.size() == 1; });
  std::string text = letters ? e->name + "_" : "d(" + e->name;
  for (const auto& [name, order] : e->derivative)
    for (int i = 0; i < order; ++i) text += letters ? name : ", " + name;
  return letters ? text : text + ")";
}

/// A piece of text still to be written: an operand that binds at least as strongly as `least`, or literal
/// text.
struct Piece {
  Expr e{static_cast<const ExprNode*>(nullptr)};
  int least = 0;
  std::string text;
};
Piece operand(Expr e, int least) { return {e, least, {}}; }
Piece literal(std::string text) {
  Piece p;
  p.text = std::move(text);
  return p;
}

/// The pieces of e, last one first.
void push(std::vector<Piece>& pieces, Expr e) {
  Expr a = e->a, b = e->b;
  const auto infix = [&](int left, const char* sign, int right) {
    pieces.push_back(operand(b, right));
    pieces.push_back(literal(sign));
    pieces.push_back(operand(a, left));
  };
  switch (e->op) {
    case Op::constant: pieces.push_back(literal(fmt::format("{}", e->value))); return;
    case Op::coordinate: pieces.push_back(literal(e->name)); return;
    case Op::field:
      if (e->role != Role::kept_derivative) return pieces.push_back(literal(field_text(e)));
      pieces.push_back(literal(", " + e->name + ")"));
      pieces.push_back(operand(a, 0));
      pieces.push_back(literal("d("));
      return;
    case Op::add:
      if (strength(b) == 1 && strength(a) != 1) std::swap(a, b);  // (b + c) + a needs no parentheses
      return infix(1, " + ", 2);
    case Op::subtract: return infix(1, " - ", 2);
    case Op::multiply:
      if (b->op == Op::multiply && !b->a.is_constant()) {
        // c*x*y is read as (c*x)*y, which becomes c*(x*y) again; but c*x/t*y would not.
        if (a.is_constant() && strength(b->a) != 2 && strength(b->b) != 2) return infix(2, "*", 2);
        if (!a.is_constant() && strength(a) != 2) std::swap(a, b);
      }
      return infix(2, "*", 3);
    case Op::divide: return infix(2, "/", 3);
    case Op::power: return infix(5, "^", 3);
    case Op::negate:
      pieces.push_back(operand(e->a, 3));
      pieces.push_back(literal("-"));
      return;
    default: break;
  }
  pieces.push_back(literal(")"));
  if (e->b.node()) {
    pieces.push_back(operand(e->b, 0));
    pieces.push_back(literal(", "));
  }
  pieces.push_back(operand(e->a, 0));
  pieces.push_back(literal(std::string(detail::function_name(e->op)) + "("));
}
}  // namespace

std::string to_string(Expr e) { return to_string(e, std::string::npos); }

std::string to_string(Expr e, std::size_t longest) {
  std::string text;
  std::vector<Piece> pieces{operand(e, 0)};  // a stack: a sum is as deep as it is long
  // A shared subexpression is written at each of its places: the text can be exponentially longer than the
  // graph, so stop as soon as it is long enough.
  while (!pieces.empty() && text.size() <= longest) {
    Piece next = std::move(pieces.back());
    pieces.pop_back();
    if (!next.e.node()) {
      text += next.text;
    } else if (strength(next.e) < next.least) {
      pieces.push_back(literal(")"));
      push(pieces, next.e);
      text += "(";
    } else {
      push(pieces, next.e);
    }
  }
  constexpr std::string_view ellipsis = "…";
  if (text.size() <= longest) return text;
  if (longest < ellipsis.size()) return {};
  text.resize(longest - ellipsis.size());
  return text.append(ellipsis);
}

}  // namespace sobolev
