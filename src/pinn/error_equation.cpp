// SPDX-License-Identifier: Apache-2.0
#include "error_equation.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "src/problem/initial_data.hpp"
#include "src/problem/network_of.hpp"

namespace sobolev::detail {
namespace {
// One digit is asked for: small networks, whose iterations are many in the time that there is.
constexpr int whole_width = 20, window_width = 16, short_width = 12;
constexpr int many_windows = 8;
constexpr int few_modes = 5;  // of a periodic coordinate: a network of Gaussians has one

/// A, where network.output is B + A·N with A and B of the coordinates alone.
std::optional<Expr> factor_of(const Problem& p, const std::string& unknown) {
  const auto given = p.network.output.find(unknown);
  if (given == p.network.output.end()) return {};
  const Expr factor = partial(given->second, field(unknown)),
             base = substitute(given->second, {{field(unknown), Expr(0.0)}});
  if (contains_fields(factor) || contains_fields(base) || factor.is_constant(0)) return {};
  return factor;
}

bool fixes(const Condition& condition, const std::string& coordinate) {
  return std::any_of(condition.where.begin(), condition.where.end(),
                     [&](const auto& at) { return at.first == coordinate; });
}
}  // namespace

std::string solution_name(const std::string& unknown) { return "solution " + unknown; }
std::string start_name(const std::string& unknown) { return "start " + unknown; }
std::string slope_name(const std::string& unknown) { return "slope " + unknown; }

Expr ErrorWindow::without_error(Expr residual) const {
  std::vector<std::pair<Expr, Expr>> constants;
  for (const UnknownConstant& c : problem.unknown_constants)
    constants.emplace_back(unknown_constant(c.name), Expr(0.0));
  std::map<std::string, Expr> alone;
  for (const std::string& u : problem.unknowns) alone.emplace(u, leaf(Role::known, solution_name(u)));
  return substitute_fields(substitute(residual, constants), alone);
}

ErrorEquation::ErrorEquation(const Solution::State& of, int width) : of_(&of), base_(of.trained) {
  const Problem& p = of.trained;
  const int time = p.time();
  const std::string name = time < 0 ? "" : p.coordinates[std::size_t(time)].name;
  const double begin = time < 0 ? 0 : p.coordinates[std::size_t(time)].low;
  std::vector<const Condition*> built_in;
  for (const std::string& u : p.unknowns) {
    if (const auto a = factor_of(p, u)) factor_.emplace(u, *a);
    const InitialData data = initial_data(p, u);
    exact_start_[u] = data.built_in;
    if (!data.built_in) continue;
    built_in.push_back(data.value);
    if (data.slope != nullptr) built_in.push_back(data.slope);
  }
  marches_ = time >= 0 && p.unknown_constants.empty();
  for (const Condition& c : p.conditions) {
    for (const auto& [coordinate, value] : c.where)
      if (coordinate == name && value > begin) marches_ = false;  // data at other times
    if (std::find(built_in.begin(), built_in.end(), &c) == built_in.end())
      (time >= 0 && fixes(c, name) ? timed_ : anywhere_).push_back(c);
  }

  // Inputs as the solution's network has them, but layers of their own.
  NetworkOptions n;
  n.depth = default_depth;
  n.width = width > 0                                  ? width
            : !marches_                                ? whole_width
            : int(of.parameters.size()) < many_windows ? window_width
                                                       : short_width;
  n.periodic_modes = p.network.periodic_modes == 1 ? few_modes : p.network.periodic_modes;
  n.normalize = p.network.normalize;
  n.fourier = p.network.fourier;
  n.features = p.network.features;
  n.symmetry = p.network.symmetry;
  n.hard_initial = false;
  base_.network = n;
  base_.lagrangian.reset();
  base_.reference = {};
  base_.interfaces.clear();
  for (Equation& e : base_.equations) e.kept.reset();
  TrainingOptions& t = base_.training;
  t.windows = 1;
  t.window_ends.clear();
  t.causal = {};
  t.precision = Precision::float64;
  const std::size_t d = p.coordinates.size(), equations = std::max<std::size_t>(1, p.equations.size()),
                    parameters = network_of(base_).parameters(),
                    least = d == 1   ? 600
                            : d == 2 ? 1500
                                     : 2500;
  t.points.sampling = d <= 8 ? Sampling::sobol : Sampling::latin_hypercube;
  t.points.count = int(std::max(least, 3 * parameters / equations));
  t.points.condition_count = d <= 2 ? 150 : 400;
  t.points.resample_every = 0;
  t.points.adapt_every = 0;
}

std::pair<double, double> ErrorEquation::times() const {
  if (of_->trained.time() < 0) return {0, 0};
  return {window_range(of_->trained, 0).first,
          window_range(of_->trained, int(of_->parameters.size()) - 1).second};
}

double ErrorEquation::size_of(const std::string& unknown) const {
  const auto known = of_->trained.network.scale.find(unknown);
  return known == of_->trained.network.scale.end() ? 1 : known->second;
}

Expr ErrorEquation::known(const std::string& name, bool space_only) const {
  std::vector<std::string> of;
  if (space_only) {
    const int time = base_.time();
    for (std::size_t d = 0; d < base_.coordinates.size(); ++d)
      if (int(d) != time) of.push_back(base_.coordinates[d].name);
    if (of.empty()) of = {" "};  // of no coordinate
  }
  return leaf(Role::known, name, {}, of);
}

std::unique_ptr<ErrorWindow> ErrorEquation::window(double start, double end,
                                                   const std::map<std::string, double>& sizes,
                                                   double constants) const {
  auto out = std::make_unique<ErrorWindow>();
  out->start = start;
  out->end = end;
  while (out->inside + 1 < int(of_->parameters.size()) &&
         window_range(of_->trained, out->inside).second < (start + end) / 2)
    ++out->inside;
  out->problem = base_;
  Problem& q = out->problem;
  const int time = q.time();
  const std::string name = time < 0 ? "" : q.coordinates[std::size_t(time)].name;
  const bool first = start <= times().first;
  if (time >= 0) {
    q.coordinates[std::size_t(time)].low = start;
    q.coordinates[std::size_t(time)].high = end;
  }
  q.conditions = anywhere_;
  const double slack = 1e-9 * (end - start);
  for (const Condition& c : timed_)
    if (std::all_of(c.where.begin(), c.where.end(), [&](const auto& at) {
          return at.first != name || (at.second <= end + slack && (first || at.second > start + slack));
        }))
      q.conditions.push_back(c);

  // Constants are found beside their values so far.
  std::vector<std::pair<Expr, Expr>> shifted;
  const std::map<std::string, double> found = found_constants(of_->trained, of_->parameters.front());
  for (UnknownConstant& c : q.unknown_constants) {
    const double at = found.at(c.name), unit = constants * (at == 0 ? c.unit() : std::abs(at));
    shifted.emplace_back(unknown_constant(c.name), Expr(at) + Expr(unit) * unknown_constant(c.name));
    out->constants[c.name] = unit;
    c.initial = 0;
  }
  for (Equation& e : q.equations) e.residual = substitute(e.residual, shifted);
  for (Condition& c : q.conditions) {
    c.left = substitute(c.left, shifted);
    c.right = substitute(c.right, shifted);
  }

  for (const std::string& u : q.unknowns) {
    q.network.scale[u] = sizes.at(u);
    const auto a = factor_.find(u);
    Expr form = a == factor_.end() ? unknown(u) : a->second * unknown(u);
    const int order = time_order(of_->trained, u);
    if (marches_ && order > 0 && (!first || exact_start_.at(u))) {
      const Expr since = coordinate(name) - Expr(start), tau = since * Expr(1 / (end - start));
      form = (order >= 2 ? tau * tau : tau) * form;
      if (!first) form = known(start_name(u), true) + form;
      if (!first && order >= 2) form = since * known(slope_name(u), true) + form;
    }
    q.network.output.emplace(u, known(solution_name(u), false) + form);
    out->error.emplace(u, substitute(form, {{unknown(u), Expr(sizes.at(u)) * raw_output(u)}}));
  }
  return out;
}

}  // namespace sobolev::detail
