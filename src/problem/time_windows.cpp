// SPDX-License-Identifier: Apache-2.0
#include "src/problem/time_windows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "src/problem/initial_data.hpp"

namespace sobolev::detail {

std::pair<double, double> window_range(const Problem& problem, int window) {
  const int t = problem.time();
  if (t < 0) return {0, 0};
  const CoordinateRange& c = problem.coordinates[std::size_t(t)];
  const TrainingOptions& training = problem.training;
  const std::size_t k = std::size_t(window);
  if (!training.window_ends.empty() || training.windows == automatic_windows) {
    if (k >= training.window_ends.size()) return {c.low, c.high};
    return {k == 0 ? c.low : training.window_ends[k - 1], training.window_ends[k]};
  }
  const int n = std::max(1, training.windows);
  const auto at = [&](int i) { return i == n ? c.high : c.low + (c.high - c.low) * i / n; };
  return {at(window), at(window + 1)};
}

bool divided(const Problem& problem) {
  return problem.training.windows > 1 || problem.training.windows == automatic_windows;
}

std::string automatic_windows_obstacle(const Problem& problem) {
  const int t = problem.time();
  if (t < 0) return "no coordinate is named t (and not periodic); time = \"x\" makes another one time";
  if (problem.lagrangian) return "the problem has a [lagrangian] form";
  if (!problem.unknown_constants.empty())
    return fmt::format("the constant {} is to be found, which has one value at all times",
                       problem.unknown_constants[0].name);
  const CoordinateRange& time = problem.coordinates[std::size_t(t)];
  for (const Condition& c : problem.conditions)
    for (const auto& [name, value] : c.where)
      if (name == time.name && value != time.low)
        return fmt::format("the condition {} holds at t = {:g}, after the start", c.name, value);
  for (const std::string& u : problem.unknowns) {
    const int order = time_order(problem, u);
    if (order < 1 || order > 2)
      return fmt::format("{} has derivatives of order {} by t in the equations; 1 or 2 are possible", u,
                         order);
    const auto starts =
        std::count_if(problem.conditions.begin(), problem.conditions.end(), [&](const auto& c) {
          if (c.where.size() != 1 || c.where[0].first != time.name) return false;
          const std::vector<Expr> fields = fields_of(std::array{c.left, c.right});
          return std::any_of(fields.begin(), fields.end(), [&](Expr f) { return f->name == u; });
        });
    if (starts < order && problem.network.output.count(u) == 0)
      return fmt::format(
          "the equations have order {} in time in {}, which needs as many conditions at t = {:g}", order, u,
          time.low);
  }
  for (const auto& [u, form] : problem.network.output) {
    std::vector<std::pair<Expr, Expr>> zero;
    for (const std::string& name : problem.unknowns) zero.emplace_back(field(name), Expr(0.0));
    if (contains_fields(partial(form, field(u))) || contains_fields(substitute(form, zero)))
      return fmt::format("network.output.{} has not the form B + A*{}, B and A of the coordinates only", u,
                         u);
  }
  const std::vector<PhaseOptions>& phases = problem.training.phases;
  if (!phases.empty() && phases[0].optimizer != OptimizerKind::levenberg_marquardt)
    return "the first phase is not levenberg_marquardt, whose first iterations show how long a window can be";
  return {};
}

std::string default_windows_obstacle(const Problem& problem) {
  if (std::string obstacle = automatic_windows_obstacle(problem); !obstacle.empty()) return obstacle;
  const TrainingOptions& training = problem.training;
  if (training.causal.slices > 0) return "training.causal orders time";
  if (!training.points.dense.empty() || training.points.sampling == Sampling::grid)
    return "training.points are given for all of time";
  if (training.precision == Precision::float32) return "float32 does not resolve small residuals";
  for (const std::string& u : problem.unknowns)
    if (const std::string doubt = initial_data(problem, u).doubt; !doubt.empty())
      return fmt::format("the initial data of {}: {}", u, doubt);
  return {};
}

}  // namespace sobolev::detail
