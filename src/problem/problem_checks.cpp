// SPDX-License-Identifier: Apache-2.0
// What must hold of a problem's options.
#include "src/problem/problem_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "src/problem/evolution.hpp"

namespace sobolev::detail {
namespace {
constexpr double most_points = 1e8;
constexpr int most_layers = 32, most_units = 4096, most_modes = 256, most_blocks = 16, most_windows = 10000,
              most_slices = 100000;

template <class Number>
void between(const Problem& problem, const std::string& key, Number value, Number low, Number high) {
  if (value < low || value > high)
    fail(problem, key, fmt::format("{} is {}; it must be from {} to {}", key, value, low, high));
}

/// A limit, 0 meaning none.
void not_negative(const Problem& problem, const std::string& key, double value) {
  if (!std::isfinite(value) || value < 0)
    fail(problem, key,
         fmt::format("{} is {}; give a positive number, or leave it out for no limit", key, value));
}

void positive(const Problem& problem, const std::string& key, double value) {
  if (!std::isfinite(value) || !(value > 0))
    fail(problem, key, fmt::format("{} is {}; give a positive number", key, value));
}

void check_grid(const Problem& problem, const std::string& key, const std::map<std::string, int>& grid) {
  double total = 1;
  for (const auto& [name, count] : grid) {
    if (find_coordinate(problem, name) == nullptr)
      fail(problem, key, fmt::format("{}: {} is not a coordinate", key, name));
    if (count < 2)
      fail(problem, key + "." + name,
           fmt::format("{}.{} is {}; a grid has at least 2 points", key, name, count));
    total *= count;
  }
  for (const CoordinateRange& c : problem.coordinates)
    if (grid.count(c.name) == 0)
      fail(problem, key,
           fmt::format("{} does not say how many points {} has; add {} = 64", key, c.name, c.name));
  if (total > most_points)
    fail(problem, key,
         fmt::format("{} has {:.3g} points; at most {:.0e} are possible", key, total, most_points));
}

void check_points(const Problem& problem) {
  const PointOptions& points = problem.training.points;
  const std::string key = "training.points";
  if (points.sampling == Sampling::grid) check_grid(problem, key + ".grid", points.grid);
  const std::string count_key = key + (points.sampling == Sampling::uniform           ? ".uniform"
                                       : points.sampling == Sampling::latin_hypercube ? ".latin_hypercube"
                                                                                      : ".sobol");
  between(problem, count_key, points.count, 0, static_cast<int>(most_points));
  if (points.sampling == Sampling::sobol && problem.coordinates.size() > 8)
    fail(problem, key + ".sobol",
         fmt::format("training.points.sobol has numbers for 8 coordinates, the problem has {}; use "
                     "latin_hypercube",
                     problem.coordinates.size()));
  between(problem, key + ".condition_points", points.condition_count, 0, static_cast<int>(most_points));
  if (points.resample_every < 0)
    fail(problem, key + ".resample_every",
         fmt::format("training.points.resample_every is {}; give a number of iterations, or 0 "
                     "for never",
                     points.resample_every));
  if (points.sampling == Sampling::grid && points.resample_every > 0)
    fail(problem, key + ".resample_every",
         "a grid is the same each time; remove resample_every, or use sobol");
  if (points.sampling == Sampling::grid && !points.dense.empty())
    fail(problem, key + ".dense.0", "a grid has no dense regions; remove dense, or use sobol");
  double share = 0;
  for (std::size_t i = 0; i < points.dense.size(); ++i) {
    const DenseRegion& region = points.dense[i];
    const std::string at = fmt::format("{}.dense.{}", key, i);
    const CoordinateRange* range = find_coordinate(problem, region.coordinate);
    if (range == nullptr) fail(problem, at, fmt::format("{}: {} is not a coordinate", at, region.coordinate));
    between(problem, at + "." + region.coordinate, region.centre, range->low, range->high);
    positive(problem, at + ".width", region.width);
    positive(problem, at + ".fraction", region.fraction);
    share += region.fraction;
  }
  if (share > 1)
    fail(problem, key + ".dense.0",
         fmt::format("the fractions of training.points.dense add up to {}; at most 1", share));
}

/// The keys of network.output and reference.exact: from C++ they may be anything.
void check_of_unknown(const Problem& problem, const std::string& table, const std::string& name) {
  if (std::find(problem.unknowns.begin(), problem.unknowns.end(), name) == problem.unknowns.end())
    fail(problem, table, fmt::format("{}.{}: {} is not an unknown of the problem", table, name, name));
}

void check_phase(const Problem& problem, const std::string& key, const PhaseOptions& phase) {
  if (phase.iterations < 0)
    fail(problem, key + ".iterations",
         fmt::format("{}.iterations is {}; give a positive whole number, or leave it out to go on "
                     "until the phase stalls",
                     key, phase.iterations));
  not_negative(problem, key + ".seconds", phase.seconds);
  positive(problem, key + ".learning_rate", phase.learning_rate);
  positive(problem, key + ".decay.factor", phase.decay_factor);
  between(problem, key + ".decay.factor", phase.decay_factor, 0.0, 1.0);
  between(problem, key + ".decay.every", phase.decay_every, 1L, 1000000000L);
  between(problem, key + ".memory", phase.memory, 1, 1000);
  positive(problem, key + ".stall.factor", phase.stall_factor);
  between(problem, key + ".stall.factor", phase.stall_factor, 0.0, 1.0);
  between(problem, key + ".stall.iterations", phase.stall_iterations, 0, 1000000000);
}
}  // namespace

void check_network(const Problem& problem) {
  const NetworkOptions& network = problem.network;
  const auto most_depth = [](NetworkKind kind) {
    return kind == NetworkKind::pirate ? most_blocks : most_layers;
  };
  between(problem, "network.depth", network.depth, 0, most_depth(network.kind));
  between(problem, "network.width", network.width, 0, most_units);
  for (const auto& [unknown, own] : network.own) {
    const std::string key = "network." + unknown;
    if (std::find(problem.unknowns.begin(), problem.unknowns.end(), unknown) == problem.unknowns.end())
      fail(problem, key, fmt::format("{}: {} is not an unknown", key, unknown));
    if (own.depth)
      between(problem, key + ".depth", *own.depth, 1, most_depth(own.kind.value_or(network.kind)));
    if (own.width) between(problem, key + ".width", *own.width, 1, most_units);
  }
  between(problem, "network.shared_layers", network.shared_layers, 0, most_layers);
  if (network.shared_layers > 0 && network.own.empty())
    fail(
        problem, "network.shared_layers",
        "network.shared_layers is given, but no unknown has a network of its own; add [network.<unknown>] or "
        "leave it out");
  between(problem, "network.periodic_modes", network.periodic_modes, 0, most_modes);
  positive(problem, "network.first_layer_scale", network.first_layer_scale);
  if (network.weight_factorization) {
    between(problem, "network.weight_factorization.mean", network.weight_factorization->mean, -10.0, 10.0);
    not_negative(problem, "network.weight_factorization.deviation", network.weight_factorization->deviation);
    between(problem, "network.weight_factorization.deviation", network.weight_factorization->deviation, 0.0,
            10.0);
  }
  between(problem, "network.fourier.frequencies", network.fourier.frequencies, 0, most_modes);
  if (network.fourier.scale.empty())
    fail(problem, "network.fourier", "network.fourier.scale is empty; give a positive number or several");
  for (double scale : network.fourier.scale) positive(problem, "network.fourier.scale", scale);
  for (const auto* values : {&network.scale, &network.offset})
    for (const auto& [unknown, value] : *values) {
      const bool is_scale = values == &network.scale;
      const std::string key = fmt::format("network.{}.{}", is_scale ? "scale" : "offset", unknown);
      if (std::find(problem.unknowns.begin(), problem.unknowns.end(), unknown) == problem.unknowns.end())
        fail(problem, key, fmt::format("{}: {} is not an unknown", key, unknown));
      if (network.output.contains(unknown))
        fail(problem, key,
             fmt::format(
                 "{} beside network.output.{}, which says all that the solution is made of; put the {} "
                 "there, or remove one of them",
                 key, unknown, is_scale ? "scale" : "offset"));
      if (is_scale)
        positive(problem, key, value);
      else if (!std::isfinite(value))
        fail(problem, key, fmt::format("{} is {}; give a finite number", key, value));
    }
  bool any_periodic = false;
  for (const CoordinateRange& c : problem.coordinates) any_periodic = any_periodic || c.periodic;
  if (network.periodic_modes > 0 && !any_periodic)
    fail(problem, "network.periodic_modes",
         "network.periodic_modes is given but no coordinate is periodic; write "
         "x = { range = [-1, 1], periodic = true }, or remove it");
  for (const auto& [unknown, expression] : network.output) {
    check_of_unknown(problem, "network.output", unknown);
    check_names(problem, "network.output." + unknown, expression);
  }
  for (const Expr feature : network.features) check_names(problem, "network.features", feature);
  for (const auto& [unknown, expression] : network.output)
    for (const Expr field : fields_of(std::array{expression}))
      if (!field->derivative.empty())
        fail(problem, "network.output." + unknown,
             fmt::format("network.output.{} contains the derivative {}; only coordinates "
                         "and values of unknowns may stand there",
                         unknown, to_string(field)));
  for (std::size_t i = 0; i < network.features.size(); ++i)
    if (coordinates_of(std::array{network.features[i]}).empty() || contains_fields(network.features[i]))
      fail(problem, fmt::format("network.features.{}", i),
           fmt::format("network.features.{} = {} must be an expression in the coordinates", i,
                       to_string(network.features[i], shown_expression)));
  for (const auto& [name, sign] : network.symmetry) {
    const CoordinateRange* range = find_coordinate(problem, name);
    if (range == nullptr || (sign != 1 && sign != -1))
      fail(problem, "network.symmetry." + name,
           fmt::format("network.symmetry: {} = {}; give a coordinate, odd (-1) or even (+1)", name, sign));
    if (std::abs(range->low + range->high) > 1e-12 * (range->high - range->low))
      fail(problem, "network.symmetry." + name,
           fmt::format("the range [{}, {}] of {} is not symmetric about 0, so the solution "
                       "cannot be {} in it; shift the coordinate, or remove the symmetry",
                       range->low, range->high, name, sign > 0 ? "even" : "odd"));
  }
}

void check_training(const Problem& problem) {
  const TrainingOptions& training = problem.training;
  check_points(problem);
  const bool any_float32 =
      training.precision == Precision::float32 ||
      std::any_of(training.phases.begin(), training.phases.end(),
                  [](const PhaseOptions& phase) { return phase.precision == Precision::float32; });
  if (training.products != Products::ieee && !any_float32)
    fail(problem, "training.products",
         fmt::format(
             "training.products = \"{}\" is a way to multiply float32 numbers; add precision = \"float32\", "
             "or remove it",
             to_string(training.products)));
  between(problem, "training.windows", training.windows, 1, most_windows);
  if (training.seed > static_cast<unsigned long>(std::numeric_limits<long>::max()))  // TOML ends there
    fail(problem, "training.seed",
         fmt::format("training.seed is {}; at most {} is possible", training.seed,
                     std::numeric_limits<long>::max()));
  if (training.windows > 1 && problem.time() < 0)
    fail(problem, "training.windows",
         "training.windows divides time, but no coordinate is named t (and not periodic)");
  const CausalOptions& causal = training.causal;
  if (causal.slices != 0) {
    between(problem, "training.causal.slices", causal.slices, 2, most_slices);
    if (problem.time() < 0)
      fail(problem, "training.causal",
           "training.causal orders the residuals in time, but no coordinate is named t (and not periodic)");
    if (causal.epsilon.empty())
      fail(problem, "training.causal.epsilon", "training.causal.epsilon is empty; e.g. [1, 10, 100]");
    for (const double epsilon : causal.epsilon) positive(problem, "training.causal.epsilon", epsilon);
    positive(problem, "training.causal.stop_above", causal.stop_above);
    between(problem, "training.causal.stop_above", causal.stop_above, 0.0, 1.0);
  }
  not_negative(problem, "training.stop.seconds", training.stop.seconds);
  not_negative(problem, "training.stop.loss", training.stop.loss);
  not_negative(problem, "training.stop.relative_l2", training.stop.relative_l2);
  not_negative(problem, "training.stop.iterations", static_cast<double>(training.stop.iterations));
  if (training.stop.relative_l2 > 0 && !problem.reference.given())
    fail(problem, "training.stop.relative_l2",
         "training.stop.relative_l2 needs a reference to compare with; add [reference]");
  for (std::size_t i = 0; i < training.phases.size(); ++i)
    check_phase(problem, fmt::format("training.phase.{}", i), training.phases[i]);
}

void check_reference(const Problem& problem) {
  const ReferenceOptions& reference = problem.reference;
  if (!reference.grid.empty()) check_grid(problem, "reference.grid", reference.grid);
  for (const auto& [unknown, expression] : reference.exact) {
    check_of_unknown(problem, "reference.exact", unknown);
    check_names(problem, "reference.exact." + unknown, expression);
  }
  for (const auto& [unknown, expression] : reference.exact)
    if (contains_fields(expression))
      fail(problem, "reference.exact." + unknown,
           fmt::format("reference.exact.{} = {} must be an expression in the coordinates", unknown,
                       to_string(expression, shown_expression)));
  if (!reference.solver.empty() && reference.solver != "etdrk4")
    fail(problem, "reference.solver",
         fmt::format("reference.solver is \"{}\"; use etdrk4", reference.solver));
  if (!reference.solver.empty() && problem.time() < 0)
    fail(problem, "reference.solver",
         "reference.solver etdrk4 marches in time, but no coordinate is named t; use exact or file");
  if (reference.solver == "etdrk4") read_evolution(problem);  // says what the solver does not cover
}

}  // namespace sobolev::detail
