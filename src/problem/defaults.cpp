// SPDX-License-Identifier: Apache-2.0
#include "defaults.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "scales.hpp"
#include "sobolev/expression/jumps.hpp"
#include "src/problem/gaussian_lattice.hpp"
#include "src/problem/interfaces.hpp"
#include "src/problem/network_of.hpp"
#include "src/problem/problem_checks.hpp"
#include "src/problem/time_windows.hpp"

namespace sobolev::detail {
namespace {
constexpr int widest = 24, narrowest = 16;     // the cost of an iteration grows with width⁴ and faster
constexpr std::size_t most_parameters = 1500;  // where the width can be chosen
// An iteration of Levenberg–Marquardt costs as much as there are residuals, and its first minute is worth
// more iterations rather than more residuals: docs/defaults.md. In many dimensions fewer points leave too
// much between them.
constexpr double rows_per_parameter = 1.6, points_per_parameter = 0.9, rows_on_a_line = 1.2;
constexpr int many_dimensions = 6;
constexpr int adapt_every = 100;

// Measured on Helmholtz's equation in two dimensions: 100 Gaussians twice as wide as they are apart.
int default_gaussians(int inputs) { return std::clamp(50 * inputs, 50, 300); }
double default_gaussian_width(int count, int inputs) { return 2 * 2 / std::pow(count, 1.0 / inputs); }
// Measured on the Klein–Gordon and Allen–Cahn equations, flow mixing and diffusion: docs/gaussians.md.
constexpr int layered_gaussians = 40;
constexpr double layered_gaussian_width = 0.6;
// Of a lattice's spacing: narrower ones leave ripples between them, wider ones hardly differ from each other.
constexpr double lattice_width = 1.3;
}  // namespace

Problem with_defaults(const Problem& problem) {
  if (std::any_of(problem.equations.begin(), problem.equations.end(),
                  [](const Equation& e) { return !kept_derivatives(e.residual).empty(); }))
    return with_defaults(with_kept_apart(problem));
  if (is_cut(problem)) return cut_with_defaults(problem);
  Problem p = problem;
  const int dimensions = int(p.coordinates.size());
  NetworkOptions& n = p.network;
  if (n.depth == 0 && n.kind != NetworkKind::gaussian) n.depth = default_depth;
  // Networks of their own that are no Gaussians have no depth of these.
  if (n.depth == 0 && n.own.empty()) n.depth = gaussian_depth(p);
  const bool layered = n.kind == NetworkKind::gaussian && n.depth > 0;
  const bool periodic =
      std::any_of(p.coordinates.begin(), p.coordinates.end(), [](const auto& c) { return c.periodic; });
  if (n.periodic_modes == 0) n.periodic_modes = !periodic ? 0 : n.kind == NetworkKind::gaussian ? 1 : 5;

  if (has_gaussians(n)) {
    const int inputs = network_features(p, p.coordinates).inputs();
    if (n.gaussians.covariance == Covariance::full && inputs > max_dimensions)
      fail(p, "network.gaussians.covariance",
           fmt::format("network.gaussians.covariance: \"full\" of {} inputs of the network; they are at most "
                       "{}: leave it out, or give fewer features",
                       inputs, max_dimensions));
    if (n.gaussians.count == 0) n.gaussians.count = layered ? layered_gaussians : default_gaussians(inputs);
    double width = layered ? layered_gaussian_width : default_gaussian_width(n.gaussians.count, inputs);
    if (n.gaussians.placement == Placement::lattice) {
      const GaussianLattice lattice = gaussian_lattice(p.coordinates, n);
      if (lattice.size() == 0)
        fail(
            p, "network.gaussians.margin",
            fmt::format("network.gaussians: a lattice with a margin of {} cells has no room in {} Gaussians; "
                        "give a larger count or a smaller margin",
                        n.gaussians.margin, n.gaussians.count));
      width = lattice_width * lattice.spacing;
    }
    if (n.gaussians.width == 0) n.gaussians.width = width;
  }

  const auto parameters = [&] { return network_of(p).parameters(); };
  if (n.width == 0 && layered) n.width = narrowest;
  if (n.width == 0) {
    n.width = widest;
    while (n.width > narrowest && parameters() > most_parameters) --n.width;
  }

  for (const auto& [unknown, magnitude] : likely_magnitudes(p)) {
    n.scale.emplace(unknown, magnitude.scale);  // what is given stays
    n.offset.emplace(unknown, magnitude.offset);
  }

  TrainingOptions& t = p.training;
  if (t.points.sampling == Sampling::automatic) t.points.sampling = Sampling::sobol;
  if (t.points.count == 0) {
    const int equations = std::max(1, int(p.equations.size()));
    const double fitted = double(std::min(parameters(), levenberg_marquardt_limit));
    const double each = dimensions == 1 ? rows_on_a_line / equations
                                        : std::max(rows_per_parameter / equations, points_per_parameter);
    const int determined = int(each * fitted);
    const int least = dimensions >= many_dimensions ? std::clamp(8000 / equations, 400, 4000)
                      : dimensions == 1             ? 400
                                                    : std::max(400, 600 / equations);
    t.points.count = std::max(least, (determined + 49) / 50 * 50);
  }
  if (t.points.condition_count == 0) {
    const int conditions = std::max(1, int(p.conditions.size()));
    t.points.condition_count = dimensions >= many_dimensions ? std::clamp(4000 / conditions, 250, 500)
                               : dimensions == 1             ? std::clamp(4000 / conditions, 125, 250)
                                                 : std::clamp(int(parameters()) / conditions, 60, 120);
  }
  if (!t.points.adapt_every) {
    const bool chosen = t.points.sampling == Sampling::grid || t.points.resample_every > 0 ||
                        !t.points.dense.empty() || t.causal.slices > 0 || p.lagrangian;
    t.points.adapt_every = chosen ? 0 : adapt_every;
  }
  if (t.phases.empty()) {
    PhaseOptions phase;
    if (parameters() > levenberg_marquardt_limit) {
      phase.optimizer = OptimizerKind::adam;
      phase.iterations = 20000;
    }
    t.phases = {phase};
  }
  if (t.windows == automatic_windows && t.phases[0].optimizer != OptimizerKind::levenberg_marquardt)
    fail(p, "training.windows",
         fmt::format(
             "training.windows = \"auto\" is not possible: the network has {} parameters, so many that "
             "Adam trains it by default; give a number of windows, or a smaller network.width",
             parameters()));
  if (t.windows == 0) t.windows = default_windows_obstacle(p).empty() ? automatic_windows : 1;
  const bool bounded = t.stop.seconds > 0 || t.stop.iterations > 0 || t.stop.loss > 0 ||
                       t.stop.relative_l2 > 0 ||
                       std::all_of(t.phases.begin(), t.phases.end(),
                                   [](const PhaseOptions& f) { return f.iterations > 0 || f.seconds > 0; });
  if (!bounded) t.stop.seconds = 60;
  return p;
}

}  // namespace sobolev::detail
