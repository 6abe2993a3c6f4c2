// SPDX-License-Identifier: Apache-2.0
// Expressions that become part of the output, or of the network's inputs, are differentiated by the
// equations: none may lose a delta.
#include <fmt/format.h>

#include "src/problem/initial_data.hpp"
#include "src/problem/problem_checks.hpp"

namespace sobolev::detail {
namespace {
struct BuiltIn {
  std::string unknown;  // "" for all
  std::string key;
  Expr form;
};

std::vector<BuiltIn> built_in(const Problem& problem) {
  std::vector<BuiltIn> all;
  for (const auto& [unknown, form] : problem.network.output)
    if (piecewise(form)) all.push_back({unknown, "network.output." + unknown, form});
  // A network is as smooth as its inputs.
  for (std::size_t i = 0; i < problem.network.features.size(); ++i)
    if (piecewise(problem.network.features[i]))
      all.push_back({"", fmt::format("network.features.{}", i), problem.network.features[i]});
  for (const std::string& unknown : problem.unknowns) {
    const InitialData data = initial_data(problem, unknown);
    if (!data.built_in) continue;
    for (const Condition* condition : {data.value, data.slope})
      if (condition != nullptr && piecewise(condition->right))
        all.push_back({unknown, "network.hard_initial", condition->right});
  }
  return all;
}

void check(const Problem& problem, const BuiltIn& part, const std::vector<Expr>& expressions,
           const CoordinateBox& box, const std::string& user) {
  for (const Expr leaf : fields_of(expressions)) {
    if (!part.unknown.empty() && leaf->name != part.unknown) continue;
    Expr e = part.form;
    for (const auto& [coordinate, order] : leaf->derivative)
      for (int k = 0; k < order; ++k) {
        if (const auto jump = find_jump(e, box, coordinate))
          fail(problem, part.key,
               fmt::format("{} is differentiated to {} in {}, but {}", part.key, to_string(leaf), user,
                           dropped_delta(*jump, coordinate)));
        e = differentiate(e, coordinate);
      }
  }
}
}  // namespace

void check_deltas(const Problem& problem) {
  const CoordinateBox domain = problem.scope().ranges;
  for (const BuiltIn& part : built_in(problem)) {
    for (const Equation& equation : problem.equations)
      check(problem, part, {equation.residual}, domain, "equation " + equation.name);
    for (const Condition& condition : problem.conditions) {
      CoordinateBox box = domain;
      for (const auto& [name, value] : condition.where) box[name] = {value, value};
      check(problem, part, {condition.left, condition.right}, box, "condition " + condition.name);
    }
  }
}

}  // namespace sobolev::detail
