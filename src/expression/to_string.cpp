// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

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
  const auto* it = std::find_if(std::begin(functions), std::end(functions), [&](const Function& f) { return f.name == name; });
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
  const auto* it = std::find_if(std::begin(functions), std::end(functions), [&](const Function& f) { return f.op == op; });
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
    case Op::constant: return e->value < 0 ? 3 : 5;
    default: return 5;
  }
}

std::string field_text(Expr e) {
  if (e->derivative.empty()) return e->name;
  const bool letters = std::all_of(e->derivative.begin(), e->derivative.end(), [](const auto& p) { return p.first.size() == 1; });
  std::string text = letters ? e->name + "_" : "d(" + e->name;
  for (const auto& [name, order] : e->derivative)
    for (int i = 0; i < order; ++i) text += letters ? name : ", " + name;
  return letters ? text : text + ")";
}

std::string text_of(Expr e);
std::string operand(Expr e, int least) {
  return strength(e) < least ? "(" + text_of(e) + ")" : text_of(e);
}

std::string text_of(Expr e) {
  switch (e->op) {
    case Op::constant: return fmt::format("{}", e->value);
    case Op::coordinate: return e->name;
    case Op::field: return field_text(e);
    case Op::add: return operand(e->a, 1) + " + " + operand(e->b, 2);
    case Op::subtract: return operand(e->a, 1) + " - " + operand(e->b, 2);
    case Op::multiply: return operand(e->a, 2) + "*" + operand(e->b, 3);
    case Op::divide: return operand(e->a, 2) + "/" + operand(e->b, 3);
    case Op::negate: return "-" + operand(e->a, 3);
    case Op::power: return operand(e->a, 5) + "^" + operand(e->b, 3);
    default: break;
  }
  const std::string name(detail::function_name(e->op));
  return e->b.node() ? name + "(" + text_of(e->a) + ", " + text_of(e->b) + ")" : name + "(" + text_of(e->a) + ")";
}
}  // namespace

std::string to_string(Expr e) { return text_of(e); }

}  // namespace sobolev
