// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace sobolev {

// clang-format off
enum class Op : std::uint8_t {
  constant,    // a number
  coordinate,  // an independent variable or a number given with the points, by name
  field,       // a derivative of an unknown function of the coordinates, or an unknown constant
  add, subtract, multiply, divide, power, minimum, maximum,             // binary
  negate, sine, cosine, tangent, arcsine, arccosine, arctangent,       // unary
  hyperbolic_sine, hyperbolic_cosine, hyperbolic_tangent, exponential, logarithm, square_root,
  absolute, sign, error_function, complementary_error_function, heaviside,
};
// clang-format on

/// What a leaf that is no number stands for.
enum class Role : std::uint8_t {
  coordinate,         // an independent variable
  unknown,            // a function that is sought
  unknown_constant,   // a number that is sought
  network_output,     // the network's, for an unknown
  previous_window,    // an unknown where the time window before this one ends
  known,              // a function that is known: its values and derivatives are given with each point
  point_value,        // a number given with each point
  collapsed_channel,  // a combination of derivatives of a network output
  kept_derivative,    // of something that jumps, not worked out (jumps.hpp)
};

/// Orders of differentiation by coordinate name, sorted by name, orders positive: u_xxt is
/// {{"t", 1}, {"x", 2}}.
using Derivative = std::vector<std::pair<std::string, int>>;

struct ExprNode;

/// An expression: an immutable, interned syntax tree. Structurally equal expressions are the same
/// object, so == is a pointer comparison and common subexpressions are shared. Construction folds
/// constants and applies the exact identities (x + 0, 1·x, 0·x, x − x, −(−x), x^1, x^0, …).
/// Expressions live until the process ends. Building them is thread safe.
class Expr {
 public:
  Expr(double value = 0.0);
  explicit Expr(const ExprNode* node) : node_(node) {}
  const ExprNode* operator->() const { return node_; }
  const ExprNode* node() const { return node_; }
  friend bool operator==(Expr a, Expr b) { return a.node_ == b.node_; }
  bool is_constant() const;
  bool is_constant(double value) const;

 private:
  const ExprNode* node_;
};

struct ExprNode {
  Op op = Op::constant;
  Role role = Role::coordinate;  // coordinate or field
  double value = 0;              // constant
  std::string name;              // coordinate or field; of a kept derivative: by which coordinate
  Derivative derivative;         // field: which derivative of it
  std::vector<std::string> of;   // field: the coordinates it depends on; empty: all of them
  /// Operands; a of a kept derivative: what is differentiated.
  Expr a{static_cast<const ExprNode*>(nullptr)}, b{static_cast<const ExprNode*>(nullptr)};
  std::uint64_t id = 0;  // order of creation; children before parents
};

Expr constant(double value);
/// ArgumentError for an empty name, here and in field.
Expr coordinate(const std::string& name);
/// ∂^derivative of the unknown `name`, a function of the coordinates `of` (empty: of all).
/// A derivative in a coordinate that it does not depend on is the constant 0.
Expr field(const std::string& name, Derivative derivative = {}, std::vector<std::string> of = {});
inline Expr unknown(const std::string& name) { return field(name); }
/// A number that is found together with the unknown functions; its derivatives are 0.
Expr unknown_constant(const std::string& name);
namespace detail {
/// A leaf of any role; `derivative` and `of` as field has them.
Expr leaf(Role role, const std::string& name, Derivative derivative = {}, std::vector<std::string> of = {});
}  // namespace detail

Expr operator+(Expr a, Expr b);
Expr operator-(Expr a, Expr b);
Expr operator*(Expr a, Expr b);
Expr operator/(Expr a, Expr b);
Expr operator-(Expr a);
Expr pow(Expr a, Expr b);
Expr min(Expr a, Expr b);
Expr max(Expr a, Expr b);
Expr apply(Op unary, Expr a);
Expr sin(Expr a);
Expr cos(Expr a);
Expr tan(Expr a);
Expr asin(Expr a);
Expr acos(Expr a);
Expr atan(Expr a);
Expr sinh(Expr a);
Expr cosh(Expr a);
Expr tanh(Expr a);
Expr exp(Expr a);
Expr log(Expr a);
Expr sqrt(Expr a);
Expr abs(Expr a);
Expr sign(Expr a);
Expr erf(Expr a);
Expr erfc(Expr a);
Expr heaviside(Expr a);

/// Total derivative by a coordinate: d u = u_x, chain rule through everything. abs, sign, heaviside,
/// min and max are differentiated piecewise (no delta functions).
Expr differentiate(Expr e, const std::string& coordinate);
/// The same, but an ArgumentError where e jumps along the coordinate, so that a delta would be dropped.
Expr differentiate_without_deltas(Expr e, const std::string& coordinate);
namespace detail {
/// An argument of d: a coordinate, or (where `by` is empty) how often to differentiate by the one before.
struct DerivativeStep {
  DerivativeStep(Expr coordinate) : by(coordinate) {}
  DerivativeStep(int times) : order(times) {}
  Expr by{static_cast<const ExprNode*>(nullptr)};
  int order = 1;
};
Expr differentiate(Expr e, std::initializer_list<DerivativeStep> steps);
}  // namespace detail

/// d(e, x, x, t): repeated total derivatives by coordinates, without deltas: where e jumps at places of the
/// coordinate alone, as heaviside(x - 0.5) does, the derivative is kept as it is (jumps.hpp), for a problem
/// that is cut there; other jumps are ArgumentErrors. A whole number is the order in
/// the coordinate before it: d(e, x, 2) is d(e, x, x), d(e, t, x, 3) is d(e, t, x, x, x). An expression that
/// is no coordinate (a constant, an unknown), orders outside 1 … 16 and two numbers in a row are
/// ArgumentErrors; d(e, 2) does not compile.
template <std::same_as<Expr> Coordinate, class... More>
requires((std::same_as<More, Expr> || std::same_as<More, int>)&&...) Expr
    d(Expr e, Coordinate coordinate, More... more) {
  return detail::differentiate(e, {detail::DerivativeStep(coordinate), detail::DerivativeStep(more)...});
}
/// Partial derivative by a leaf (a coordinate or a field node), every other leaf held fixed.
Expr partial(Expr e, Expr leaf);
/// Replaces leaves (and any other nodes) by expressions; keys are nodes. Replacements are not
/// visited again.
Expr substitute(Expr e, const std::vector<std::pair<Expr, Expr>>& replacements);
/// Replaces the unknown functions by expressions: each ∂^α u becomes ∂^α of replacement["u"]. Leaves of other
/// roles stay.
Expr substitute_fields(Expr e, const std::map<std::string, Expr>& replacements);

/// The terms of a sum: e = Σ terms, with products and quotients distributed over the sums in them, as long as
/// there are at most `most`.
std::vector<Expr> summands(Expr e, std::size_t most = 64);

/// The distinct field (or coordinate) leaves, in order of creation.
std::vector<Expr> fields_of(std::span<const Expr> expressions);
std::vector<Expr> coordinates_of(std::span<const Expr> expressions);
bool contains_fields(Expr e);
/// Text that parses to the same expression; derivatives of single-letter coordinates as u_xx,
/// others as d(u, space, space).
std::string to_string(Expr e);
/// The same for messages: at most `longest` bytes, cut with "…" beyond.
std::string to_string(Expr e, std::size_t longest);
/// Value in double by plain recursion (memoised): leaves are looked up in `leaves`; a missing one is
/// an ArgumentError. The oracle of the tape's tests.
double evaluate(Expr e, const std::vector<std::pair<Expr, double>>& leaves);

}  // namespace sobolev
