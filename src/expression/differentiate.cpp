// SPDX-License-Identifier: Apache-2.0
// Derivatives and substitutions, memoised per node so that shared subexpressions are visited once.
#include <algorithm>
#include <numbers>
#include <unordered_map>

#include "operations.hpp"
#include "sobolev/core/error.hpp"
#include "sobolev/expression/expr.hpp"

namespace sobolev {
namespace {
using Memo = std::unordered_map<const ExprNode*, Expr>;

/// d op(a, b) from the derivatives of a and b.
Expr chain(Expr e, Expr da, Expr db) {
  const Expr a = e->a, b = e->b;
  switch (e->op) {
    case Op::add: return da + db;
    case Op::subtract: return da - db;
    case Op::multiply: return da * b + a * db;
    case Op::divide: return db.is_constant(0) ? da / b : (da - e * db) / b;
    case Op::power:
      if (b.is_constant()) return Expr(b->value) * pow(a, Expr(b->value - 1)) * da;
      return (da.is_constant(0) ? Expr(0.0) : b * pow(a, b - Expr(1.0)) * da) +
             (db.is_constant(0) ? Expr(0.0) : e * log(a) * db);
    case Op::minimum: return da + heaviside(a - b) * (db - da);
    case Op::maximum: return db + heaviside(a - b) * (da - db);
    default: break;
  }
  if (da.is_constant(0)) return Expr(0.0);
  const Expr one = 1.0;
  switch (e->op) {
    case Op::negate: return -da;
    case Op::sine: return cos(a) * da;
    case Op::cosine: return -(sin(a) * da);
    case Op::tangent: return (one + e * e) * da;
    case Op::arcsine: return da / sqrt(one - a * a);
    case Op::arccosine: return -(da / sqrt(one - a * a));
    case Op::arctangent: return da / (one + a * a);
    case Op::hyperbolic_sine: return cosh(a) * da;
    case Op::hyperbolic_cosine: return sinh(a) * da;
    case Op::hyperbolic_tangent: return (one - e * e) * da;
    case Op::exponential: return e * da;
    case Op::logarithm: return da / a;
    case Op::square_root: return Expr(0.5) * da / e;
    case Op::absolute: return sign(a) * da;
    case Op::error_function: return Expr(2 * std::numbers::inv_sqrtpi) * exp(-(a * a)) * da;
    case Op::complementary_error_function: return Expr(-2 * std::numbers::inv_sqrtpi) * exp(-(a * a)) * da;
    case Op::sign:
    case Op::heaviside: return Expr(0.0);
    default: break;
  }
  ensure(false, "differentiation of an unknown operation");
  return e;
}

/// Rebuilds e from its leaves; `leaf` gives the image of a leaf, `done` the nodes already known.
template <class Leaf>
Expr rebuild(Expr e, Memo& done, const Leaf& leaf) {
  if (const auto it = done.find(e.node()); it != done.end()) return it->second;
  Expr result = e;
  if (detail::is_leaf(e)) {
    result = leaf(e);
  } else {
    const Expr a = rebuild(e->a, done, leaf);
    const Expr b = e->b.node() ? rebuild(e->b, done, leaf) : e->b;
    if (!(a == e->a && b == e->b)) result = detail::build(e->op, a, b);
  }
  done.emplace(e.node(), result);
  return result;
}

template <class Leaf>
Expr derivative(Expr e, Memo& done, const Leaf& leaf) {
  if (const auto it = done.find(e.node()); it != done.end()) return it->second;
  Expr result = detail::is_leaf(e)
                    ? leaf(e)
                    : chain(e, derivative(e->a, done, leaf),
                            e->b.node() ? derivative(e->b, done, leaf) : Expr(0.0));
  done.emplace(e.node(), result);
  return result;
}

Expr differentiated_field(Expr e, const std::string& coordinate) {
  Derivative d = e->derivative;
  const auto it = std::find_if(d.begin(), d.end(), [&](const auto& p) { return p.first == coordinate; });
  if (it == d.end())
    d.emplace_back(coordinate, 1);
  else
    ++it->second;
  return field(e->name, std::move(d), e->of);
}

void collect(Expr e, Op op, std::unordered_map<const ExprNode*, bool>& seen, std::vector<Expr>& found) {
  if (!seen.emplace(e.node(), true).second) return;
  if (e->op == op) found.push_back(e);
  if (detail::is_leaf(e)) return;
  collect(e->a, op, seen, found);
  if (e->b.node()) collect(e->b, op, seen, found);
}

std::vector<Expr> leaves_of(std::span<const Expr> expressions, Op op) {
  std::unordered_map<const ExprNode*, bool> seen;
  std::vector<Expr> found;
  for (Expr e : expressions) collect(e, op, seen, found);
  std::sort(found.begin(), found.end(), [](Expr a, Expr b) { return a->id < b->id; });
  return found;
}
}  // namespace

Expr differentiate(Expr e, const std::string& coordinate) {
  Memo done;
  return derivative(e, done, [&](Expr leaf) {
    if (leaf->op == Op::coordinate) return Expr(leaf->name == coordinate ? 1.0 : 0.0);
    if (leaf->op == Op::field) return differentiated_field(leaf, coordinate);
    return Expr(0.0);
  });
}

Expr partial(Expr e, Expr leaf) {
  Memo done;
  return derivative(e, done, [&](Expr l) { return Expr(l == leaf ? 1.0 : 0.0); });
}

Expr substitute(Expr e, const std::vector<std::pair<Expr, Expr>>& replacements) {
  Memo done;
  for (const auto& [from, to] : replacements) done.emplace(from.node(), to);
  return rebuild(e, done, [](Expr leaf) { return leaf; });
}

Expr substitute_fields(Expr e, const std::map<std::string, Expr>& replacements) {
  Memo done;
  return rebuild(e, done, [&](Expr leaf) {
    if (leaf->op != Op::field) return leaf;
    const auto it = replacements.find(leaf->name);
    if (it == replacements.end()) return leaf;
    Expr result = it->second;
    for (const auto& [coordinate, order] : leaf->derivative)
      for (int i = 0; i < order; ++i) result = differentiate(result, coordinate);
    return result;
  });
}

std::vector<Expr> fields_of(std::span<const Expr> expressions) { return leaves_of(expressions, Op::field); }
std::vector<Expr> coordinates_of(std::span<const Expr> expressions) {
  return leaves_of(expressions, Op::coordinate);
}
bool contains_fields(Expr e) { return !fields_of(std::span<const Expr>(&e, 1)).empty(); }

double evaluate(Expr e, const std::vector<std::pair<Expr, double>>& leaves) {
  std::unordered_map<const ExprNode*, double> done;
  for (const auto& [leaf, value] : leaves) done.emplace(leaf.node(), value);
  const auto value = [&](const auto& self, Expr x) -> double {
    if (const auto it = done.find(x.node()); it != done.end()) return it->second;
    if (x->op == Op::constant) return x->value;
    require(!detail::is_leaf(x), "evaluate: no value is given for " + to_string(x));
    const double a = self(self, x->a);
    const double result = x->b.node() ? detail::apply_binary(x->op, a, self(self, x->b)) : detail::apply_unary(x->op, a);
    done.emplace(x.node(), result);
    return result;
  };
  return value(value, e);
}

}  // namespace sobolev
