// SPDX-License-Identifier: Apache-2.0
// Derivatives and substitutions, memoised per node so that shared subexpressions are visited once.
#include <algorithm>
#include <numbers>
#include <unordered_map>

#include "operations.hpp"
#include "sobolev/core/error.hpp"
#include "sobolev/expression/expr.hpp"
#include "sobolev/expression/jumps.hpp"

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
    // (1 - a)(1 + a), not 1 - a^2, which cancels near +-1.
    case Op::arcsine: return da / sqrt((one - a) * (one + a));
    case Op::arccosine: return -(da / sqrt((one - a) * (one + a)));
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
  const auto enter = [&](Expr x) { return !done.contains(x.node()); };
  for (Expr x : detail::operands_first(std::span<const Expr>(&e, 1), enter)) {
    if (done.contains(x.node())) continue;
    if (detail::is_leaf(x)) {
      done.emplace(x.node(), leaf(x));
      continue;
    }
    const Expr a = done.at(x->a.node()), b = x->b.node() ? done.at(x->b.node()) : x->b;
    done.emplace(x.node(), a == x->a && b == x->b ? x : detail::build(x->op, a, b));
  }
  return done.at(e.node());
}

/// The derivative of e from those of its leaves.
template <class Leaf>
Expr derivative(Expr e, const Leaf& leaf) {
  Memo done;
  for (Expr x : detail::operands_first(std::span<const Expr>(&e, 1), [](Expr) { return true; }))
    done.emplace(x.node(), detail::is_leaf(x) ? leaf(x)
                                              : chain(x, done.at(x->a.node()),
                                                      x->b.node() ? done.at(x->b.node()) : Expr(0.0)));
  return done.at(e.node());
}

bool is_kept(Expr e) { return e->op == Op::field && e->role == Role::kept_derivative; }

Expr differentiated_field(Expr e, const std::string& coordinate) {
  if (e->role == Role::unknown_constant) return Expr(0.0);
  if (is_kept(e))
    return e->name == coordinate ? kept_derivative(e, coordinate)
                                 : kept_derivative(differentiate(e->a, coordinate), e->name);
  if (!e->of.empty() && std::find(e->of.begin(), e->of.end(), coordinate) == e->of.end()) return Expr(0.0);
  Derivative d = e->derivative;
  d.emplace_back(coordinate, 1);
  return detail::leaf(e->role, e->name, std::move(d), e->of);
}

std::vector<Expr> leaves_of(std::span<const Expr> expressions, Op op) {
  std::vector<Expr> found = detail::operands_first(expressions, [](Expr) { return true; });
  std::erase_if(found, [op](Expr e) { return e->op != op; });
  std::sort(found.begin(), found.end(), [](Expr a, Expr b) { return a->id < b->id; });
  return found;
}
}  // namespace

Expr differentiate(Expr e, const std::string& coordinate) {
  return derivative(e, [&](Expr leaf) {
    if (leaf->op == Op::coordinate)
      return Expr(leaf->role == Role::coordinate && leaf->name == coordinate ? 1.0 : 0.0);
    if (leaf->op == Op::field) return differentiated_field(leaf, coordinate);
    return Expr(0.0);
  });
}

namespace detail {
Expr differentiate(Expr e, std::initializer_list<DerivativeStep> steps) {
  constexpr int highest_order = 16;
  for (const DerivativeStep* step = steps.begin(); step != steps.end(); ++step) {
    const DerivativeStep* const next = step + 1;
    require(step->by.node() != nullptr, "d: the order " + std::to_string(step->order) +
                                            " follows another one; write d(u, x, 2, t, 3) for u_xxttt");
    require(step->by->op == Op::coordinate,
            "d: " + to_string(step->by) +
                " is not a coordinate; differentiate by what coordinate(\"x\") "
                "gives");
    const bool repeated = next != steps.end() && next->by.node() == nullptr;
    const int order = repeated ? next->order : 1;
    require(order >= 1 && order <= highest_order, "d: the order " + std::to_string(order) + " in " +
                                                      step->by->name + "; orders from 1 to " +
                                                      std::to_string(highest_order) + " are possible");
    for (int i = 0; i < order; ++i) {
      const std::string& by = step->by->name;
      const auto jump = find_jump(e, {}, by);
      e = jump && at_places_of(*jump, by) ? kept_derivative(e, by) : differentiate_without_deltas(e, by);
    }
    if (repeated) ++step;
  }
  return e;
}
}  // namespace detail

Expr partial(Expr e, Expr leaf) {
  return derivative(e, [&](Expr l) { return Expr(l == leaf ? 1.0 : 0.0); });
}

Expr substitute(Expr e, const std::vector<std::pair<Expr, Expr>>& replacements) {
  Memo done;
  for (const auto& [from, to] : replacements) done.emplace(from.node(), to);
  return rebuild(e, done, [&](Expr leaf) {
    return is_kept(leaf) ? kept_derivative(substitute(leaf->a, replacements), leaf->name) : leaf;
  });
}

Expr substitute_fields(Expr e, const std::map<std::string, Expr>& replacements) {
  Memo done;
  return rebuild(e, done, [&](Expr leaf) {
    if (leaf->op != Op::field) return leaf;
    if (is_kept(leaf)) return kept_derivative(substitute_fields(leaf->a, replacements), leaf->name);
    if (leaf->role != Role::unknown) return leaf;
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
  const auto enter = [&](Expr x) { return !done.contains(x.node()); };
  for (Expr x : detail::operands_first(std::span<const Expr>(&e, 1), enter)) {
    if (done.contains(x.node())) continue;
    if (x.is_constant()) {
      done.emplace(x.node(), x->value);
      continue;
    }
    if (detail::is_leaf(x)) throw ArgumentError("evaluate: no value is given for " + to_string(x));
    const double a = done.at(x->a.node());
    done.emplace(x.node(), x->b.node() ? detail::apply_binary(x->op, a, done.at(x->b.node()))
                                       : detail::apply_unary(x->op, a));
  }
  return done.at(e.node());
}

}  // namespace sobolev
