// SPDX-License-Identifier: Apache-2.0
#include "src/problem/condition_count.hpp"

#include <algorithm>
#include <map>

namespace sobolev::detail {
namespace {
/// Conditions at a value of the coordinate that `wanted` takes.
template <class Wanted>
int conditions_at(const Problem& problem, const std::string& coordinate, Wanted&& wanted) {
  return int(std::count_if(problem.conditions.begin(), problem.conditions.end(), [&](const Condition& c) {
    return std::any_of(c.where.begin(), c.where.end(),
                       [&](const auto& at) { return at.first == coordinate && wanted(at.second); });
  }));
}
}  // namespace

bool an_end_is_open(const Problem& problem) {
  std::vector<Expr> residuals;
  for (const Equation& e : problem.equations) residuals.push_back(e.residual);
  const std::vector<Expr> fields = fields_of(residuals);
  for (std::size_t k = 0; k < problem.coordinates.size(); ++k) {
    const CoordinateRange& c = problem.coordinates[k];
    if (c.periodic || int(k) == problem.time()) continue;
    std::map<std::string, int> orders;  // the highest of each unknown
    for (const Expr f : fields)
      for (const auto& [along, order] : f->derivative)
        if (along == c.name) orders[f->name] = std::max(orders[f->name], order);
    int wanted = 0;
    for (const auto& [unknown, order] : orders) wanted += order;
    if (conditions_at(problem, c.name, [](double) { return true; }) < wanted) return true;
  }
  return false;
}

bool form_may_hold_conditions(const Problem& problem) {
  if (problem.network.output.empty() && problem.network.symmetry.empty()) return false;
  for (std::size_t k = 0; k < problem.coordinates.size(); ++k) {
    const CoordinateRange& c = problem.coordinates[k];
    if (c.periodic) continue;
    for (const double end : {c.low, c.high}) {
      if (int(k) == problem.time() && end == c.high) continue;
      if (conditions_at(problem, c.name, [&](double value) { return value == end; }) == 0) return true;
    }
  }
  return false;
}

}  // namespace sobolev::detail
