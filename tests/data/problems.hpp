// SPDX-License-Identifier: Apache-2.0
#pragma once
// Evolution problems for the tests of the reference solvers.
#include <string>
#include <vector>

#include "sobolev/problem/problem.hpp"

namespace sobolev::testing {

/// Each unknown starts from its initial text at t = low. The unknowns are named by `initial`.
inline Problem evolution(const std::vector<CoordinateRange>& coordinates,
                         const std::vector<std::string>& equations,
                         const std::vector<std::pair<std::string, std::string>>& initial,
                         const std::map<std::string, double>& constants = {}) {
  Problem p;
  p.coordinates = coordinates;
  p.constants = constants;
  ExpressionScope scope;
  for (const auto& c : coordinates) scope.coordinates.push_back(c.name);
  for (const auto& [name, text] : initial) p.unknowns.push_back(name);
  scope.unknowns = p.unknowns;
  scope.constants = constants;
  for (const auto& text : equations) {
    const auto [left, right] = parse_equation(text, scope);
    p.equations.push_back({"equation" + std::to_string(p.equations.size() + 1), left - right, {}});
  }
  double start = 0;
  for (const auto& c : coordinates)
    if (c.name == "t") start = c.low;
  for (const auto& [name, text] : initial) {
    Condition c;
    c.name = "initial_" + name;
    c.where = {{"t", start}};
    std::tie(c.left, c.right) = parse_equation(name + " = " + text, scope);
    p.conditions.push_back(c);
  }
  return p;
}

/// `count` equally spaced numbers from low to high, with or without the upper end.
inline std::vector<double> spaced(double low, double high, int count, bool with_end = true) {
  std::vector<double> x;
  for (int i = 0; i < count; ++i) x.push_back(low + (high - low) * i / (with_end ? count - 1 : count));
  return x;
}

inline Problem allen_cahn() {
  return evolution({{"t", 0, 1, false}, {"x", -1, 1, true}}, {"u_t - 1e-4*u_xx + 5*u^3 - 5*u = 0"},
                   {{"u", "x^2*cos(pi*x)"}});
}

inline Problem burgers() {
  Problem p = evolution({{"t", 0, 1, false}, {"x", -1, 1, false}}, {"u_t + u*u_x = 0.01/pi*u_xx"},
                        {{"u", "-sin(pi*x)"}});
  p.network.symmetry["x"] = -1;
  for (double end : {-1.0, 1.0}) {
    Condition c;
    c.name = end < 0 ? "left" : "right";
    c.where = {{"x", end}};
    c.left = unknown("u");
    c.right = constant(0);
    p.conditions.push_back(c);
  }
  return p;
}

}  // namespace sobolev::testing
