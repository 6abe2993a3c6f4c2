// SPDX-License-Identifier: Apache-2.0
#include "sobolev/problem/problem.hpp"

#include "sobolev/expression/jumps.hpp"
#include "src/problem/problem_checks.hpp"

namespace sobolev {
namespace detail {
Equation make_equation(const std::string& name, Expr residual, const SourcePosition& position,
                       const std::string& text) {
  Equation equation{name, expanded(residual), position, text};
  if (!kept_derivatives(residual).empty()) equation.kept = residual;
  return equation;
}
}  // namespace detail

ExpressionScope Problem::scope() const {
  ExpressionScope scope;
  for (const CoordinateRange& c : coordinates) {
    scope.coordinates.push_back(c.name);
    scope.ranges[c.name] = {c.low, c.high};
  }
  scope.unknowns = unknowns;
  scope.constants = constants;
  for (const UnknownConstant& c : unknown_constants) scope.unknown_constants.push_back(c.name);
  return scope;
}

int Problem::time() const {
  for (std::size_t i = 0; i < coordinates.size(); ++i)
    if (coordinates[i].name == time_coordinate && !coordinates[i].periodic) return static_cast<int>(i);
  return -1;
}

Problem& Problem::add_coordinate(const std::string& coordinate, double low, double high, bool periodic) {
  coordinates.push_back({coordinate, low, high, periodic});
  return *this;
}

Problem& Problem::add_unknown_constant(const std::string& constant, double initial) {
  unknown_constants.push_back({constant, initial});
  return *this;
}

Problem& Problem::add_equation(const std::string& equation, Expr residual) {
  equations.push_back(detail::make_equation(equation, residual));
  return *this;
}

Problem& Problem::add_condition(const std::string& condition,
                                std::vector<std::pair<std::string, double>> where, Expr residual,
                                std::optional<double> weight) {
  conditions.push_back({condition, std::move(where), residual, Expr(0.0), weight, {}});
  return *this;
}

}  // namespace sobolev
