// SPDX-License-Identifier: Apache-2.0
#include "sobolev/pinn/landscape.hpp"

#include <fmt/format.h>

#include <cmath>

#include "sobolev/core/error.hpp"
#include "sobolev/core/random.hpp"
#include "window_trainer.hpp"

namespace sobolev {
namespace {
constexpr std::uint64_t direction_stream = 700;

/// Indices of the parameters that go into each unit.
std::vector<std::vector<std::size_t>> filters_of(const Network& network) {
  std::vector<std::vector<std::size_t>> filters;
  for (const Instruction& i : network.instructions()) {
    using Kind = Instruction::Kind;
    if (i.kind == Kind::gate) continue;
    if (i.kind == Kind::blend) {
      filters.push_back({i.weight});
      continue;
    }
    const std::size_t out = std::size_t(i.fan_out), in = std::size_t(i.fan_in);
    for (std::size_t o = 0; o < out; ++o) {
      std::vector<std::size_t>& filter = filters.emplace_back();
      for (std::size_t k = 0; k < in; ++k)
        filter.push_back(i.weight + (i.kind == Kind::output ? o * in + k : k * out + o));
      if (i.kind == Kind::gaussian)
        for (std::size_t k = 0; k < in + std::size_t(i.shears()); ++k) filter.push_back(i.bias + k * out + o);
      else
        filter.push_back(i.bias + o);
      if (i.factor) filter.push_back(*i.factor + o);
    }
  }
  return filters;
}

std::vector<double> direction(const Network& network, const std::vector<double>& theta, unsigned long seed,
                              int number) {
  const Philox random(seed, direction_stream + std::uint64_t(number));
  std::vector<double> out(theta.size());
  for (const std::vector<std::size_t>& filter : filters_of(network)) {
    double own = 0, size = 0;
    for (std::size_t i : filter) {
      out[i] = random.normal(i);
      own += out[i] * out[i];
      size += theta[i] * theta[i];
    }
    for (std::size_t i : filter) out[i] *= std::sqrt(size / own);
  }
  return out;
}
}  // namespace

Landscape landscape(const Cpu& cpu, const Solution& solution, const LandscapeOptions& options) {
  const Solution::State& of = solution.state();
  if (of.parameters.empty())
    throw ArgumentError("landscape: the solution is empty, it holds no trained network");
  const int trained = int(of.parameters.size()), window = options.window < 0 ? trained - 1 : options.window;
  if (window >= trained)
    throw ArgumentError(
        fmt::format("landscape: there is no window {}; the solution has {}", window, trained));
  require(options.points >= 2 && options.range > 0,
          "landscape: at least two points in a direction, and a positive range");
  // The state as it was when the window's training began, with its weights.
  Solution::State state;
  state.problem = of.problem;
  state.trained = of.trained;
  state.window = window;
  // A window that is done has come to its last stage of causal weights.
  state.causal_stage =
      window == trained - 1 && !of.finished ? of.causal_stage : state.trained.training.causal.epsilon.size();
  state.generation = window == trained - 1 ? of.generation : 0;
  state.parameters.assign(of.parameters.begin(), of.parameters.begin() + window);
  using Trainer = detail::WindowTrainer<double, Cpu>;
  detail::Continuation chain(cpu, state.trained, Trainer::continuation_values(state.trained),
                             detail::relabelled(state.problem));
  Trainer trainer(cpu, cpu, state, chain);
  auto& objective = trainer.objective();

  const std::vector<double>& theta = of.parameters[std::size_t(window)];
  const std::size_t p = theta.size(), n = std::size_t(options.points);
  const Network network = detail::WindowModel(state.trained, window).network();
  const std::vector<double> a = direction(network, theta, options.seed, 0),
                            b = direction(network, theta, options.seed, 1);
  Landscape out;
  out.loss_here = objective.loss(View<const double, 1>(theta.data(), p));
  for (std::size_t i = 0; i < n; ++i)
    out.axis.push_back(options.range * (2.0 * double(i) / double(n - 1) - 1));
  std::vector<double> at(p);
  for (double alpha : out.axis)
    for (double beta : out.axis) {
      for (std::size_t i = 0; i < p; ++i) at[i] = theta[i] + alpha * a[i] + beta * b[i];
      out.loss.push_back(objective.loss(View<const double, 1>(at.data(), p)));
    }
  out.spectrum = hessian_spectrum(objective, View<const double, 1>(theta.data(), p), options.spectrum);
  return out;
}

}  // namespace sobolev
