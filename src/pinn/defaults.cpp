// SPDX-License-Identifier: Apache-2.0
#include "defaults.hpp"

#include <algorithm>

#include "window_model.hpp"

namespace sobolev::detail {

Problem with_defaults(const Problem& problem) {
  Problem p = problem;
  const int dimensions = int(p.coordinates.size()), unknowns = int(p.unknowns.size());
  NetworkOptions& n = p.network;
  if (n.depth == 0) n.depth = 2;
  if (n.width == 0) n.width = std::min(64, 24 + 8 * (unknowns - 1) + 8 * std::max(0, dimensions - 2));
  const bool periodic =
      std::any_of(p.coordinates.begin(), p.coordinates.end(), [](const auto& c) { return c.periodic; });
  if (n.periodic_modes == 0) n.periodic_modes = periodic ? 5 : 0;

  TrainingOptions& t = p.training;
  if (t.points.sampling == Sampling::automatic) t.points.sampling = Sampling::sobol;
  if (t.points.count == 0) t.points.count = dimensions == 1 ? 400 : dimensions == 2 ? 2000 : 4000;
  if (t.points.condition_count == 0) t.points.condition_count = dimensions <= 2 ? 250 : 500;
  if (t.phases.empty()) {
    PhaseOptions phase;
    const std::size_t parameters = WindowModel(p, 0).mlp().parameters();
    if (parameters > levenberg_marquardt_limit) {
      phase.optimizer = Optimizer::adam;
      phase.iterations = 20000;
    }
    t.phases = {phase};
  }
  const bool bounded = t.stop.seconds > 0 || t.stop.iterations > 0 || t.stop.loss > 0 ||
                       t.stop.relative_l2 > 0 ||
                       std::all_of(t.phases.begin(), t.phases.end(),
                                   [](const PhaseOptions& f) { return f.iterations > 0 || f.seconds > 0; });
  if (!bounded) t.stop.seconds = 60;
  return p;
}

}  // namespace sobolev::detail
