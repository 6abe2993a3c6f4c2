// SPDX-License-Identifier: Apache-2.0
#include "window_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sobolev/core/random.hpp"
#include "src/problem/initial_data.hpp"
#include "src/problem/problem_checks.hpp"

namespace sobolev::detail {
namespace {
/// True when e vanishes, to rounding beside its values elsewhere, at random points of the problem with
/// coordinate `fixed` at `value`.
bool vanishes_at(Expr e, const Problem& problem, const std::string& fixed, double value) {
  const Philox random(1, 77);
  double there = 0, elsewhere = 0;
  for (std::uint64_t trial = 0; trial < 8; ++trial) {
    std::vector<std::pair<Expr, double>> at, anywhere;
    std::uint64_t i = trial * 16;
    for (const CoordinateRange& c : problem.coordinates) {
      const double x = c.low + (c.high - c.low) * random.uniform(i++);
      anywhere.emplace_back(coordinate(c.name), x);
      at.emplace_back(coordinate(c.name), c.name == fixed ? value : x);
    }
    there = std::max(there, std::abs(evaluate(e, at)));
    elsewhere = std::max(elsewhere, std::abs(evaluate(e, anywhere)));
  }
  return there <= 1e-12 * elsewhere;
}
}  // namespace

Expr raw_output(const std::string& unknown) { return leaf(Role::network_output, unknown); }

WindowModel::WindowModel(const Problem& problem, int window)
    : problem_(&problem), window_(window), time_(problem.time()) {
  require(!divided(problem) || time_ >= 0,
          "training.windows: time windows need a coordinate named t that is not periodic");
  std::tie(start_, end_) = window_range(problem, window);
  build_solutions();
}

void WindowModel::build_solutions() {
  const Problem& p = *problem_;
  std::map<std::string, Expr> raw;  // of the size of the unknowns
  const auto of = [](const std::map<std::string, double>& values, const std::string& u, double otherwise) {
    const auto it = values.find(u);
    return Expr(it == values.end() ? otherwise : it->second);
  };
  for (const std::string& u : p.unknowns) raw.emplace(u, of(p.network.scale, u, 1) * raw_output(u));
  if (time_ < 0) {
    for (const std::string& u : p.unknowns) {
      const auto given = p.network.output.find(u);
      solution_.emplace(u, given == p.network.output.end() ? of(p.network.offset, u, 0) + raw.at(u)
                                                           : substitute_fields(given->second, raw));
    }
    return;
  }
  const CoordinateRange& range = p.coordinates[std::size_t(time_)];
  const std::string& time = range.name;
  const Expr t = coordinate(time);
  const Expr tau = (t - Expr(start_)) * Expr(1 / (end_ - start_));  // 0 … 1 in the window
  std::vector<std::string> space;
  for (const CoordinateRange& c : p.coordinates)
    if (c.name != time) space.push_back(c.name);

  for (const std::string& u : p.unknowns) {
    const int order = time_order(p, u);
    const Expr ramp = order >= 2 ? tau * tau : tau;
    // The solution and its slope in time at the window's start, functions of space only.
    const auto previous = [&](int time_derivative) {
      return leaf(Role::previous_window, u,
                  time_derivative == 0 ? Derivative{} : Derivative{{time, time_derivative}},
                  space.empty() ? std::vector<std::string>{" "} : space);
    };
    const auto given = p.network.output.find(u);
    if (given != p.network.output.end()) {
      const Expr form = substitute_fields(given->second, raw);
      if (!divided(p)) {
        solution_.emplace(u, form);
        continue;
      }
      // form = B(t, x) + A(t, x)·N; A starts at zero or is made to.
      std::vector<std::pair<Expr, Expr>> zero;
      for (const std::string& name : p.unknowns) zero.emplace_back(raw_output(name), Expr(0.0));
      const Expr base = substitute(form, zero);
      const Expr factor = partial(form, raw_output(u));
      if (contains_fields(factor) || contains_fields(base))
        fail(
            p, "network.output." + u,
            fmt::format("network.output.{}: with time windows it must have the form B + A*{}, B and A of the "
                        "coordinates only",
                        u, u));
      const std::vector<std::pair<Expr, Expr>> at_start{{t, Expr(start_)}},
          stretched{{t, Expr(range.low) + tau * Expr(range.high - range.low)}};
      Expr multiplier = vanishes_at(factor, p, time, range.low) ? substitute(factor, stretched)
                        : window_ == 0                          ? factor
                                                                : ramp * factor;
      Expr solution = multiplier * raw_output(u);
      if (window_ == 0) {
        solution = base + solution;
      } else {
        solution = previous(0) + (base - substitute(base, at_start)) + solution;
        if (order >= 2)
          solution =
              solution + (t - Expr(start_)) * (previous(1) - substitute(differentiate(base, time), at_start));
      }
      solution_.emplace(u, solution);
      continue;
    }
    if (window_ > 0) {
      Expr solution = previous(0) + ramp * raw.at(u);
      if (order >= 2) solution = solution + (t - Expr(start_)) * previous(1);
      solution_.emplace(u, solution);
      continue;
    }
    // Explicit initial data u = f(x), and u_t = g(x) for order 2, are built in.
    const InitialData data = initial_data(p, u);
    if (!data.built_in) {
      solution_.emplace(u, of(p.network.offset, u, 0) + raw.at(u));
      continue;
    }
    const std::vector<std::pair<Expr, Expr>> at_start{{t, Expr(range.low)}};
    Expr solution = substitute(data.value->right, at_start) + ramp * raw.at(u);
    imposed_.push_back(data.value);
    if (order == 2) {
      solution = solution + (t - Expr(start_)) * substitute(data.slope->right, at_start);
      imposed_.push_back(data.slope);
    }
    solution_.emplace(u, solution);
  }
}

bool WindowModel::imposed(const Condition& condition) const {
  if (std::any_of(imposed_.begin(), imposed_.end(),
                  [&](const Condition* c) { return c->name == condition.name; }))
    return true;
  if (window_ == 0 || time_ < 0) return false;
  for (const auto& [name, value] : condition.where)
    if (name == problem_->coordinates[std::size_t(time_)].name) return true;
  return false;
}

std::vector<CoordinateRange> WindowModel::ranges() const {
  std::vector<CoordinateRange> all = problem_->coordinates;
  if (time_ >= 0) {
    all[std::size_t(time_)].low = start_;
    all[std::size_t(time_)].high = end_;
  }
  return all;
}

Expr WindowModel::form(const std::string& unknown, const std::string& network,
                       const std::string& start) const {
  const Expr solution = solution_.at(unknown);
  std::vector<std::pair<Expr, Expr>> names;
  for (Expr leaf : fields_of(std::span<const Expr>(&solution, 1)))
    if (leaf->role == Role::network_output)
      names.emplace_back(leaf, coordinate(network + leaf->name));
    else if (leaf->role == Role::previous_window)
      names.emplace_back(leaf, coordinate(start + leaf->name + (leaf->derivative.empty() ? "" : "_t")));
  return substitute(solution, names);
}

Expr WindowModel::lower(Expr e) const { return substitute_fields(e, solution_); }

}  // namespace sobolev::detail
