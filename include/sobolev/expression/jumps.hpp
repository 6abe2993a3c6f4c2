// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sobolev/expression/expr.hpp"

namespace sobolev {

/// Low and high end by coordinate.
using CoordinateBox = std::map<std::string, std::pair<double, double>>;

/// A place where an expression is not continuous.
struct Jump {
  Expr node;                                   // the heaviside(z), sign(z) or abs(z) behind it
  std::vector<std::pair<Expr, double>> place;  // the leaves of the expression there, where z = 0
  double below = 0, above = 0;                 // the expression's limits for z < 0 and z > 0
};

/// Looks for a jump of e at a zero of the argument z of a heaviside, sign or abs in e (those that the
/// derivatives of abs, min and max contain count too). Coordinates stay in their ranges in `box`; those
/// without one, and the values of unknowns and their derivatives, may be any number. A z that keeps one sign
/// there does not switch, and e need not jump where z does: x·heaviside(x) does not. With `coordinate`, only
/// jumps across which z changes along that coordinate count: those that the derivative of e by it makes a
/// delta function. Decided at sampled points and by bisection between them: what happens on a part of less
/// than about 1e-4 of the box can be missed.
std::optional<Jump> find_jump(Expr e, const CoordinateBox& box = {}, const std::string& coordinate = {});

/// "heaviside(y - 0.5) jumps at y = 0.5"
std::string to_string(const Jump& jump);
/// What to say where the derivative of a jump by `coordinate` would be dropped, with remedies.
std::string dropped_delta(const Jump& jump, const std::string& coordinate);

/// Whether abs, sign, heaviside, min or max occur.
bool piecewise(Expr e);

/// Whether the jump is where a coordinate has certain values, whatever the others and the unknowns are.
bool at_places_of(const Jump& jump, const std::string& coordinate);
/// The values of the coordinate inside (low, high) at which e jumps, rising: where functions of the
/// coordinate alone switch; `box` has the ranges of the others.
std::vector<double> jump_places(Expr e, const std::string& coordinate, double low, double high,
                                const CoordinateBox& box = {});
/// e where the coordinate is inside (low, high): abs, sign, heaviside, min and max of the coordinate alone
/// that do not switch there are replaced by what they are. Derivatives that were kept are not worked out.
Expr between(Expr e, const std::string& coordinate, double low, double high);

/// ∂e/∂coordinate as it is, a leaf: where e jumps it has a delta function, of which differentiate() knows
/// nothing. What stands under such a derivative is e in the leaf's `a`, the coordinate its name.
Expr kept_derivative(Expr e, const std::string& coordinate);
/// The kept derivatives in e, those under others too, inner ones first.
std::vector<Expr> kept_derivatives(Expr e);
/// All of them worked out without deltas: what e is beside the jumps.
Expr expanded(Expr e);

}  // namespace sobolev
