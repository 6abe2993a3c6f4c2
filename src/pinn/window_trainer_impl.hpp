// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sobolev/core/profile.hpp"
#include "sobolev/optim/least_squares_start.hpp"
#include "src/problem/defaults.hpp"
#include "src/problem/problem_checks.hpp"
#include "src/problem/scales.hpp"
#include "training_points.hpp"
#include "window_trainer.hpp"

namespace sobolev::detail {
/// Mean squared Jacobian row, against what is natural for the residual, of one that no parameter moves.
inline constexpr double unmoved = 1e-20;
inline constexpr double contradicted = 1e-5;  // of a condition's terms

template <class T, class E>
std::vector<typename WindowTrainer<T, E>::Part> WindowTrainer<T, E>::parts_of(const Problem& problem,
                                                                              const WindowModel& model) {
  std::vector<Part> parts;
  std::vector<Expr> equations;
  for (const Equation& e : problem.equations) equations.push_back(e.residual);
  parts.push_back({model.compile("equations", equations), nullptr, -1});
  require(!parts[0].compiled.satisfied, "the equations contain no trained output: nothing is left to solve");
  for (const Condition& c : problem.conditions) {
    if (model.imposed(c)) continue;
    Part part{model.compile(c.name, {c.left - c.right}), &c, -1};
    if (!part.compiled.satisfied) parts.push_back(std::move(part));
  }
  return parts;
}

template <class T, class E>
std::vector<PreviousValue> WindowTrainer<T, E>::continuation_values(const Problem& problem) {
  std::vector<PreviousValue> all;
  if (!divided(problem)) return all;
  const WindowModel model(problem, 1);
  for (const Part& part : parts_of(problem, model))
    for (const PreviousValue& v : part.compiled.previous)
      if (std::find(all.begin(), all.end(), v) == all.end()) all.push_back(v);
  return all;
}

template <class T, class E>
WindowTrainer<T, E>::WindowTrainer(const Cpu& host, const E& executor, Solution::State& state,
                                   Continuation& chain)
    : cpu_(host),
      executor_(executor),
      state_(state),
      chain_(chain),
      model_(state.trained, state.window),
      parts_(parts_of(state.trained, model_)),
      objective_(executor, model_.network(), model_.features(), model_.symmetry()) {
  for (Part& part : parts_) {
    part.group = objective_.add_group(part.compiled.group);
    if (!part.condition) interior_ = part.group;
  }
  auto& parameters = state.parameters;
  const bool fresh = parameters.empty();
  if (parameters.size() <= std::size_t(state.window))
    parameters.push_back(parameters.empty()
                             ? initial_parameters(objective_.network(), model_.features(), model_.ranges(),
                                                  state.trained.network, state.trained.training.seed,
                                                  state.problem.lagrangian ? state.problem.unknowns.size()
                                                                           : state.trained.unknowns.size())
                             : parameters.back());
  ensure(parameters.back().size() == objective_.parameters(), "windows with networks of different sizes");
  draw();
  if (state.weights.empty()) scale_weights();
  require(state.weights.size() == parts_.size(),
          fmt::format("a training state with weights of {} groups of residuals; the problem has {}",
                      state.weights.size(), parts_.size()));
  for (Part& part : parts_) objective_.set_weights(part.group, state.weights[std::size_t(part.group)]);
  if (causal()) set_stage();
  if (fresh && state.trained.network.output_start == OutputStart::least_squares) start_outputs();
}

template <class T, class E>
void WindowTrainer<T, E>::start_outputs() {
  const std::vector<std::size_t> which = output_parameters(objective_.network(), false);
  std::vector<double>& theta = state_.parameters.back();
  std::vector<T> host(theta.begin(), theta.end());
  auto there = zeros<T>(executor_, host.size());
  const View<T, 1> parameters(there.data(), host.size());
  upload<T, 1>(executor_, View<const T, 1>(host.data(), host.size()), parameters);
  if (!least_squares_start<T, E>(executor_, objective_, parameters, which,
                                 state_.trained.network.output_damping))
    return;
  download<T, 1>(executor_, parameters, View<T, 1>(host.data(), host.size()));
  theta.assign(host.begin(), host.end());
}

template <class T, class E>
void WindowTrainer<T, E>::draw() {
  const profile::Range range(cpu_, "points");
  const std::size_t d = state_.trained.coordinates.size();
  const int time = state_.trained.time();
  for (Part& part : parts_) {
    std::vector<double> points =
        training_points(state_.trained, model_, part.condition, part.group, state_.generation);
    if (!part.condition) points.insert(points.end(), state_.gathered.begin(), state_.gathered.end());
    const std::size_t n = points.size() / d;
    if (!part.condition && causal()) {
      require(time >= 0, "training.causal: causal weights need a coordinate named t that is not periodic");
      std::vector<std::size_t> order(n);
      std::iota(order.begin(), order.end(), 0u);
      std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return points[a * d + std::size_t(time)] < points[b * d + std::size_t(time)];
      });
      std::vector<double> sorted(points.size());
      for (std::size_t i = 0; i < n; ++i) std::copy_n(points.data() + order[i] * d, d, sorted.data() + i * d);
      points = std::move(sorted);
      const std::size_t slices = std::min<std::size_t>(std::size_t(state_.trained.training.causal.slices), n);
      slices_.clear();
      for (std::size_t s = 0; s <= slices; ++s) slices_.push_back(s * n / slices);
    }
    set_points(part, points);
  }
  if (!state_.weights.empty() && causal()) set_stage();
}

template <class T, class E>
void WindowTrainer<T, E>::set_points(const Part& part, const std::vector<double>& points) {
  const std::size_t d = state_.trained.coordinates.size(), n = points.size() / d;
  const View<const double, 2> x(points.data(), n, d);
  const Buffer<double> previous =
      state_.window == 0 ? Buffer<double>()
                         : chain_.values(state_.window, x, part.compiled.previous, state_.parameters);
  const Buffer<double> external = external_values(
      cpu_, part.compiled, x,
      View<const double, 2>(previous.data(), state_.window == 0 ? 0 : part.compiled.previous.size(), n));
  const View<const double, 2> values(external.data(), std::size_t(part.compiled.group.externals), n);
  check_external(part, x, values);
  objective_.set_points(part.group, x, values);
}

template <class T, class E>
std::vector<double> WindowTrainer<T, E>::losses_at(const Part& part, const std::vector<double>& points,
                                                   View<const T, 1> theta) {
  set_points(part, points);
  const std::size_t n = objective_.points(part.group),
                    equations = std::size_t(objective_.equations(part.group));
  auto there = zeros<T>(executor_, equations * n);
  objective_.residuals(part.group, theta, View<T, 2>(there.data(), equations, n));
  std::vector<T> r(equations * n);
  download<T, 1>(executor_, View<const T, 1>(there.data(), r.size()), View<T, 1>(r.data(), r.size()));
  std::vector<double> losses(n);
  for (std::size_t e = 0; e < equations; ++e)
    for (std::size_t i = 0; i < n; ++i)
      losses[i] += state_.weights[std::size_t(part.group)][e] * double(r[e * n + i]) * double(r[e * n + i]);
  return losses;
}

template <class T, class E>
bool WindowTrainer<T, E>::adapt(const std::vector<double>& parameters) {
  const profile::Range range(cpu_, "points that gather");
  const std::vector<T> theta(parameters.begin(), parameters.end());
  auto there = zeros<T>(executor_, theta.size());
  const View<T, 1> at(there.data(), theta.size());
  upload<T, 1>(executor_, View<const T, 1>(theta.data(), theta.size()), at);
  const Part& equations = parts_[std::size_t(interior_)];
  std::vector<double> gathered;
  try {
    gathered =
        gathered_points(state_.trained, model_, state_.phase_iteration, state_.gathered,
                        [&](const std::vector<double>& points) { return losses_at(equations, points, at); });
  } catch (const NotFinite&) {  // of a candidate: the points stay as they are
  }
  if (!gathered.empty()) state_.gathered = gathered;
  draw();
  return !gathered.empty();
}

template <class T, class E>
void WindowTrainer<T, E>::check_external(const Part& part, View<const double, 2> x,
                                         View<const double, 2> values) const {
  for (std::size_t k = 0; k < values.extent(0); ++k)
    for (std::size_t i = 0; i < values.extent(1); ++i) {
      if (std::isfinite(values(k, i))) continue;
      std::string place;
      for (std::size_t d = 0; d < x.extent(1); ++d)
        place += fmt::format("{}{} = {}", d == 0 ? "" : ", ", state_.trained.coordinates[d].name, x(i, d));
      const Equation& equation = state_.trained.equations[part.compiled.external_of[k]];
      throw NotFinite(
          part.condition ? part.condition->position : equation.position,
          fmt::format("{} {} is not finite at {}: a division by zero, or a root or logarithm of a negative "
                      "number? Change it, or keep the points away from there",
                      part.condition ? "condition" : "equation",
                      part.condition ? part.condition->name : equation.name, place));
    }
}

template <class T, class E>
void WindowTrainer<T, E>::scale_weights() {
  const Problem& p = state_.trained;
  const bool given = std::any_of(parts_.begin(), parts_.end(),
                                 [](const Part& part) { return part.condition && part.condition->weight; });
  const std::vector<T> theta(state_.parameters.back().begin(), state_.parameters.back().end());
  auto there = zeros<T>(executor_, theta.size());
  const View<T, 1> parameters(there.data(), theta.size());
  upload<T, 1>(executor_, View<const T, 1>(theta.data(), theta.size()), parameters);
  const std::vector<std::vector<double>> norms = objective_.row_norms(parameters);
  for (const Part& part : parts_) {
    const std::size_t g = std::size_t(part.group), n = objective_.points(part.group);
    std::vector<double> weights(std::size_t(objective_.equations(part.group)), 1.0 / double(n));
    for (std::size_t e = 0; e < weights.size(); ++e) {
      const std::string name =
          part.condition ? "condition " + part.condition->name : "equation " + p.equations[e].name;
      const std::string key =
          (part.condition ? "conditions." : "equations.") + name.substr(name.find(' ') + 1);
      const Expr residual =
          part.condition ? part.condition->left - part.condition->right : p.equations[e].residual;
      const NaturalSizes natural = natural_sizes(p, residual);
      if (norms[g][e] < unmoved * natural.sensitivity * natural.sensitivity || norms[g][e] == 0) {
        // No parameter moves this residual: the output transform imposes it, or contradicts it.
        if (!part.condition)
          fail(p, key,
               fmt::format(
                   "{}: no parameter of the network changes its residual; network.output leaves nothing in "
                   "it to be trained",
                   name));
        weights[e] = 0;
        check_imposed(part, natural.terms, parameters);
        continue;
      }
      if (given)
        weights[e] *= part.condition ? part.condition->weight.value_or(unscaled_condition) : 1.0;
      else
        weights[e] *= (part.condition ? condition_weight : 1.0) / norms[g][e];
      // Where rows are no numbers, the loss is none either, and the training says so.
      if (!std::isnan(norms[g][e]) && (!(T(weights[e]) > 0) || !std::isfinite(T(weights[e]))))
        fail(
            p, key,
            fmt::format(
                "{}: its weight is {:.3g} (a row of its Jacobian has the size {:.3g}), which {} cannot hold; "
                "write the problem in units in which lengths, times and the solution are of order one{}",
                name, weights[e], std::sqrt(norms[g][e]), std::is_same_v<T, float> ? "float32" : "float64",
                std::is_same_v<T, float> ? ", or use precision = \"float64\"" : ""));
    }
    state_.weights.push_back(std::move(weights));
  }
}

template <class T, class E>
void WindowTrainer<T, E>::check_imposed(const Part& part, double size, View<const T, 1> parameters) {
  const std::size_t n = objective_.points(part.group);
  std::vector<T> r(n);
  auto there = zeros<T>(executor_, n);
  objective_.residuals(part.group, parameters, View<T, 2>(there.data(), 1, n));
  download<T, 1>(executor_, View<const T, 1>(there.data(), n), View<T, 1>(r.data(), n));
  double worst = 0;
  for (T v : r) worst = std::max(worst, std::abs(double(v)));
  if (worst > contradicted * size)
    fail(state_.trained, "conditions." + part.condition->name,
         fmt::format("condition {} is violated by up to {:.3g} whatever the network gives: "
                     "network.output fixes other values there",
                     part.condition->name, worst));
}

template <class T, class E>
void WindowTrainer<T, E>::set_stage() {
  const auto& epsilon = state_.trained.training.causal.epsilon;
  objective_.set_causal(interior_, slices_, epsilon[std::min(state_.causal_stage, epsilon.size() - 1)]);
}

template <class T, class E>
double WindowTrainer<T, E>::points_per_pass() const {
  double n = 0;
  for (int g = 0; g < objective_.groups(); ++g) n += double(objective_.points(g));
  return n;
}

}  // namespace sobolev::detail
