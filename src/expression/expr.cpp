// SPDX-License-Identifier: Apache-2.0
// The pool of interned nodes and the constructors that fold constants and exact identities.
#include "sobolev/expression/expr.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <unordered_map>

#include "operations.hpp"
#include "sobolev/core/error.hpp"
#include "sobolev/expression/jumps.hpp"

namespace sobolev {
namespace {
struct NodeKey {
  const ExprNode* node;
};
std::size_t hash_of(const ExprNode& n) {
  const auto mix = [](std::size_t h, std::size_t v) { return (h ^ v) * 0x9E3779B97F4A7C15ull + (h >> 29); };
  std::size_t h = mix(std::size_t(n.op) + 0x51ull, std::size_t(n.role));
  h = mix(h, std::bit_cast<std::uint64_t>(n.value));
  h = mix(h, std::hash<std::string>{}(n.name));
  for (const auto& [name, order] : n.derivative)
    h = mix(mix(h, std::hash<std::string>{}(name)), std::size_t(order));
  for (const auto& name : n.of) h = mix(h, std::hash<std::string>{}(name));
  h = mix(h, reinterpret_cast<std::uintptr_t>(n.a.node()));
  return mix(h, reinterpret_cast<std::uintptr_t>(n.b.node()));
}
struct Hash {
  std::size_t operator()(const NodeKey& k) const { return hash_of(*k.node); }
};
struct Same {
  bool operator()(const NodeKey& l, const NodeKey& r) const {
    const ExprNode &x = *l.node, &y = *r.node;
    return x.op == y.op && x.role == y.role &&
           std::bit_cast<std::uint64_t>(x.value) == std::bit_cast<std::uint64_t>(y.value) &&
           x.name == y.name && x.derivative == y.derivative && x.of == y.of && x.a == y.a && x.b == y.b;
  }
};

/// All nodes of the process. They are few (distinct expressions) and never freed.
struct Pool {
  std::mutex mutex;
  std::deque<ExprNode> nodes;
  std::unordered_map<NodeKey, const ExprNode*, Hash, Same> index;
};
Pool& pool() {
  static Pool* const p = new Pool;  // outlives every static Expr
  return *p;
}

Expr intern(ExprNode node) {
  Pool& p = pool();
  const std::lock_guard lock(p.mutex);
  if (const auto it = p.index.find({&node}); it != p.index.end()) return Expr(it->second);
  node.id = p.nodes.size();
  p.nodes.push_back(std::move(node));
  const ExprNode* stored = &p.nodes.back();
  p.index.emplace(NodeKey{stored}, stored);
  return Expr(stored);
}

ExprNode node(Op op, Expr a, Expr b = Expr(static_cast<const ExprNode*>(nullptr))) {
  ExprNode n;
  n.op = op;
  n.a = a;
  n.b = b;
  return n;
}

bool folds(Expr a) { return a.is_constant(); }
bool folds(Expr a, Expr b) { return a.is_constant() && b.is_constant(); }
}  // namespace

Expr::Expr(double value) {
  ExprNode n;
  n.value = value;
  node_ = intern(std::move(n)).node_;
}
bool Expr::is_constant() const { return node_->op == Op::constant; }
bool Expr::is_constant(double value) const { return is_constant() && node_->value == value; }

Expr constant(double value) { return Expr(value); }

Expr detail::leaf(Role role, const std::string& name, Derivative derivative, std::vector<std::string> of) {
  std::map<std::string, int> orders;
  for (const auto& [coordinate, order] : derivative) orders[coordinate] += order;
  const bool given = role == Role::coordinate || role == Role::point_value || role == Role::collapsed_channel;
  ExprNode n;
  n.op = given ? Op::coordinate : Op::field;
  n.role = role;
  n.name = name;
  n.derivative.assign(orders.begin(), orders.end());
  n.of = std::move(of);
  return intern(std::move(n));
}

Expr kept_derivative(Expr e, const std::string& coordinate) {
  require(!coordinate.empty(), "kept_derivative: the name of the coordinate is empty");
  ExprNode n;
  n.op = Op::field;
  n.role = Role::kept_derivative;
  n.name = coordinate;
  n.a = e;
  return intern(std::move(n));
}

Expr coordinate(const std::string& name) {
  require(!name.empty(), "coordinate: the name is empty");
  return detail::leaf(Role::coordinate, name);
}

Expr field(const std::string& name, Derivative derivative, std::vector<std::string> of) {
  require(!name.empty(), "field: the name of the unknown is empty");
  for (const auto& [coordinate, order] : derivative) {
    require(!coordinate.empty(), "field: a derivative of " + name + " by a coordinate without a name");
    require(order > 0, "field: " + name + " has the order " + std::to_string(order) + " in " + coordinate +
                           "; orders of differentiation are positive");
    if (!of.empty() && std::find(of.begin(), of.end(), coordinate) == of.end()) return Expr(0.0);
  }
  return detail::leaf(Role::unknown, name, std::move(derivative), std::move(of));
}

Expr unknown_constant(const std::string& name) {
  require(!name.empty(), "unknown_constant: the name is empty");
  return detail::leaf(Role::unknown_constant, name);
}

Expr operator+(Expr a, Expr b) {
  if (folds(a, b)) return Expr(a->value + b->value);
  if (a.is_constant(0)) return b;
  if (b.is_constant(0)) return a;
  if (b->op == Op::negate) return a - b->a;
  if (a->op == Op::negate) return b - a->a;
  if (a == b) return Expr(2.0) * a;
  if (b.is_constant() || (!a.is_constant() && b->id < a->id))
    std::swap(a, b);  // one order for a + b and b + a
  return intern(node(Op::add, a, b));
}

Expr operator-(Expr a, Expr b) {
  if (folds(a, b)) return Expr(a->value - b->value);
  if (b.is_constant(0)) return a;
  if (a.is_constant(0)) return -b;
  if (a == b) return Expr(0.0);
  if (b->op == Op::negate) return a + b->a;
  return intern(node(Op::subtract, a, b));
}

namespace {
/// x^n with a whole n >= 1 as (x, n); anything else as (itself, 1).
std::pair<Expr, double> whole_power(Expr e) {
  if (e->op == Op::power && e->b.is_constant() && e->b->value >= 1 && e->b->value == std::floor(e->b->value))
    return {e->a, e->b->value};
  return {e, 1.0};
}
/// Whether (a·b)·x is a·(b·x) for every x: the product of the constants must neither overflow nor underflow.
bool safe_product(double a, double b) { return std::isnormal(a * b); }
}  // namespace

Expr operator*(Expr a, Expr b) {
  if (folds(a, b)) return Expr(a->value * b->value);
  if (b.is_constant()) std::swap(a, b);
  if (a.is_constant(0)) return Expr(0.0);
  if (a.is_constant(1)) return b;
  if (a.is_constant(-1)) return -b;
  if (a->op == Op::negate && b->op == Op::negate) return a->a * b->a;
  if (a->op == Op::negate) return -(a->a * b);
  if (b->op == Op::negate) return a.is_constant() ? Expr(-a->value) * b->a : -(a * b->a);
  if (a.is_constant() && b->op == Op::multiply && b->a.is_constant() && safe_product(a->value, b->a->value))
    return Expr(a->value * b->a->value) * b->b;
  // Constants to the front: (c x) y = c (x y).
  if (!a.is_constant() && a->op == Op::multiply && a->a.is_constant()) return a->a * (a->b * b);
  if (!a.is_constant() && b->op == Op::multiply && b->a.is_constant()) return b->a * (a * b->b);
  const auto [x, m] = whole_power(a);
  const auto [y, n] = whole_power(b);
  if (x == y) return pow(x, Expr(m + n));
  if (!a.is_constant() && b->id < a->id) std::swap(a, b);
  return intern(node(Op::multiply, a, b));
}

Expr operator/(Expr a, Expr b) {
  if (folds(a, b)) return Expr(a->value / b->value);
  if (b.is_constant(1)) return a;
  if (b.is_constant(-1)) return -a;
  if (a.is_constant(0)) return Expr(0.0);
  if (a->op == Op::negate) return -(a->a / b);
  if (b->op == Op::negate) return -(a / b->a);
  if (a == b) return Expr(1.0);
  return intern(node(Op::divide, a, b));
}

Expr operator-(Expr a) {
  if (folds(a)) return Expr(-a->value);
  if (a->op == Op::negate) return a->a;
  if (a->op == Op::subtract) return a->b - a->a;
  if (a->op == Op::multiply && a->a.is_constant()) return Expr(-a->a->value) * a->b;
  return intern(node(Op::negate, a));
}

Expr pow(Expr a, Expr b) {
  if (folds(a, b)) return Expr(std::pow(a->value, b->value));
  if (b.is_constant(0)) return Expr(1.0);
  if (b.is_constant(1)) return a;
  if (b.is_constant(0.5)) return sqrt(a);
  if (b.is_constant(-1)) return Expr(1.0) / a;
  const auto [x, m] = whole_power(a);
  if (m > 1 && b.is_constant() && b->value > 1 && b->value == std::floor(b->value))
    return pow(x, Expr(m * b->value));
  return intern(node(Op::power, a, b));
}

Expr min(Expr a, Expr b) {
  if (folds(a, b)) return Expr(std::fmin(a->value, b->value));
  return a == b ? a : intern(node(Op::minimum, a, b));
}
Expr max(Expr a, Expr b) {
  if (folds(a, b)) return Expr(std::fmax(a->value, b->value));
  return a == b ? a : intern(node(Op::maximum, a, b));
}

Expr apply(Op op, Expr a) {
  if (op == Op::negate) return -a;
  if (folds(a)) return Expr(detail::apply_unary(op, a->value));
  return intern(node(op, a));
}
Expr sin(Expr a) { return apply(Op::sine, a); }
Expr cos(Expr a) { return apply(Op::cosine, a); }
Expr tan(Expr a) { return apply(Op::tangent, a); }
Expr asin(Expr a) { return apply(Op::arcsine, a); }
Expr acos(Expr a) { return apply(Op::arccosine, a); }
Expr atan(Expr a) { return apply(Op::arctangent, a); }
Expr sinh(Expr a) { return apply(Op::hyperbolic_sine, a); }
Expr cosh(Expr a) { return apply(Op::hyperbolic_cosine, a); }
Expr tanh(Expr a) { return apply(Op::hyperbolic_tangent, a); }
Expr exp(Expr a) { return apply(Op::exponential, a); }
Expr log(Expr a) { return apply(Op::logarithm, a); }
Expr sqrt(Expr a) { return apply(Op::square_root, a); }
Expr abs(Expr a) { return apply(Op::absolute, a); }
Expr sign(Expr a) { return apply(Op::sign, a); }
Expr erf(Expr a) { return apply(Op::error_function, a); }
Expr erfc(Expr a) { return apply(Op::complementary_error_function, a); }
Expr heaviside(Expr a) { return apply(Op::heaviside, a); }

namespace detail {
double apply_unary(Op op, double x) {
  switch (op) {
    case Op::negate: return -x;
    case Op::sine: return std::sin(x);
    case Op::cosine: return std::cos(x);
    case Op::tangent: return std::tan(x);
    case Op::arcsine: return std::asin(x);
    case Op::arccosine: return std::acos(x);
    case Op::arctangent: return std::atan(x);
    case Op::hyperbolic_sine: return std::sinh(x);
    case Op::hyperbolic_cosine: return std::cosh(x);
    case Op::hyperbolic_tangent: return std::tanh(x);
    case Op::exponential: return std::exp(x);
    case Op::logarithm: return std::log(x);
    case Op::square_root: return std::sqrt(x);
    case Op::absolute: return std::abs(x);
    case Op::sign: return x > 0 ? 1.0 : x < 0 ? -1.0 : x;
    case Op::error_function: return std::erf(x);
    case Op::complementary_error_function: return std::erfc(x);
    case Op::heaviside: return x > 0 ? 1.0 : x < 0 ? 0.0 : 0.5;
    default: break;
  }
  ensure(false, "not a unary operation");
  return 0;
}

double apply_binary(Op op, double x, double y) {
  switch (op) {
    case Op::add: return x + y;
    case Op::subtract: return x - y;
    case Op::multiply: return x * y;
    case Op::divide: return x / y;
    case Op::power: return std::pow(x, y);
    case Op::minimum: return std::fmin(x, y);
    case Op::maximum: return std::fmax(x, y);
    default: break;
  }
  ensure(false, "not a binary operation");
  return 0;
}

Expr build(Op op, Expr a, Expr b) {
  switch (op) {
    case Op::add: return a + b;
    case Op::subtract: return a - b;
    case Op::multiply: return a * b;
    case Op::divide: return a / b;
    case Op::power: return pow(a, b);
    case Op::minimum: return min(a, b);
    case Op::maximum: return max(a, b);
    default: return apply(op, a);
  }
}

bool is_leaf(Expr e) { return e->op == Op::constant || e->op == Op::coordinate || e->op == Op::field; }
}  // namespace detail

}  // namespace sobolev
