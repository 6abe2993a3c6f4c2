// SPDX-License-Identifier: Apache-2.0
#pragma once
// A problem read as an evolution equation u_t = L u + N(u, derivatives, x, t) with periodic space.
#include <array>
#include <string>
#include <vector>

#include "sobolev/problem/problem.hpp"

namespace sobolev::detail {

/// Orders of differentiation in the first and second space coordinate.
using SpaceOrders = std::array<int, 2>;

struct LinearTerm {
  SpaceOrders orders{};
  double coefficient = 0;
};

struct Evolution {
  int time = 0;                                 // index of the time coordinate
  std::vector<int> space;                       // indices of the 1 or 2 space coordinates
  std::vector<std::vector<LinearTerm>> linear;  // per unknown: constant-coefficient terms of itself
  std::vector<Expr> nonlinear;                  // per unknown: the rest of u_t
  std::vector<Expr> initial;                    // per unknown: f(x)
};

/// Solves the equations for the time derivatives, splits them, and finds the initial data. A range that
/// is not declared periodic is accepted when the solution is odd about its middle (network.symmetry says
/// "odd", the equations have that symmetry, the values at both ends are zero): then the periodic problem
/// has the same solution. ArgumentError says what is not covered; ParseError, where
/// the problem was read from a text, at which equation, condition or key.
Evolution read_evolution(const Problem& problem);

/// The orders in space of a field's derivative; the order in time goes to `time_order`.
SpaceOrders space_orders(const Problem& problem, const Evolution& form, Expr field_leaf, int& time_order);

}  // namespace sobolev::detail
