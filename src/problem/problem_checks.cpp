// SPDX-License-Identifier: Apache-2.0
// What must hold of a problem's options.
#include "src/problem/problem_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "sobolev/core/words.hpp"
#include "src/problem/evolution.hpp"
#include "src/problem/interfaces.hpp"
#include "src/problem/lagrangian.hpp"
#include "src/problem/network_of.hpp"
#include "src/problem/time_windows.hpp"

namespace sobolev::detail {
namespace {
constexpr double most_points = 1e8;  // of a grid
constexpr int most_blocks = 16;

/// 0 stands for what was left out.
void check_given(const Problem& problem, const KeyPath& key, double value) {
  if (value != 0) check_number(problem, key, value);
}

void check_numbers(const Problem& problem, const KeyPath& key, const std::vector<double>& values) {
  if (values.empty())
    fail(problem, key.text(),
         fmt::format("{} is empty; give a number or several, e.g. {}", key.text(), example_of(key)));
  for (const double value : values) check_number(problem, key, value);
}

void check_grid(const Problem& problem, const KeyPath& key, const std::map<std::string, int>& grid) {
  double total = 1;
  for (const auto& [name, count] : grid) {
    if (find_coordinate(problem, name) == nullptr)
      fail(problem, key.text(), fmt::format("{}: {} is not a coordinate", key.text(), name));
    check_number(problem, key.named(name), count);
    total *= count;
  }
  for (const CoordinateRange& c : problem.coordinates)
    if (grid.count(c.name) == 0)
      fail(problem, key.text(),
           fmt::format("{} does not say how many points {} has; add {} = 64", key.text(), c.name, c.name));
  if (total > most_points)
    fail(problem, key.text(),
         fmt::format("{} has {:.3g} points; at most {:.0e} are possible", key.text(), total, most_points));
}

void check_dense(const Problem& problem, const KeyPath& key) {
  double share = 0;
  for (std::size_t i = 0; i < problem.training.points.dense.size(); ++i) {
    const DenseRegion& region = problem.training.points.dense[i];
    const KeyPath at = key.item(i);
    const CoordinateRange* range = find_coordinate(problem, region.coordinate);
    if (range == nullptr)
      fail(problem, at.text(), fmt::format("{}: {} is not a coordinate", at.text(), region.coordinate));
    const std::string place = at.named(region.coordinate).text();
    if (!(region.centre >= range->low && region.centre <= range->high))
      fail(problem, place,
           fmt::format("{} is {}; it must be from {} to {}, where the coordinate is", place, region.centre,
                       range->low, range->high));
    check_number(problem, at / "width", region.width);
    check_number(problem, at / "fraction", region.fraction);
    share += region.fraction;
  }
  if (share > 1)
    fail(problem, key.item(0).text(),
         fmt::format("the fractions of {} add up to {}; at most 1", key.text(), share));
}

void check_points(const Problem& problem) {
  const PointOptions& points = problem.training.points;
  const KeyPath key("training.points");
  if (points.sampling == Sampling::grid) check_grid(problem, key / "grid", points.grid);
  check_given(problem,
              key / (points.sampling == Sampling::uniform           ? "uniform"
                     : points.sampling == Sampling::latin_hypercube ? "latin_hypercube"
                                                                    : "sobol"),
              points.count);
  if (points.sampling == Sampling::sobol && problem.coordinates.size() > 8)
    fail(problem, "training.points.sobol",
         fmt::format("training.points.sobol has numbers for 8 coordinates, the problem has {}; use "
                     "latin_hypercube",
                     problem.coordinates.size()));
  check_given(problem, key / "condition_points", points.condition_count);
  check_number(problem, key / "resample_every", points.resample_every);
  if (points.sampling == Sampling::grid && points.resample_every > 0)
    fail(problem, "training.points.resample_every",
         "a grid is the same each time; remove resample_every, or use sobol");
  if (points.adapt_every) check_number(problem, key / "adapt_every", *points.adapt_every);
  if (points.adapt_every.value_or(0) > 0 && points.sampling == Sampling::grid)
    fail(problem, "training.points.adapt_every", "a grid stays as it is; remove adapt_every, or use sobol");
  if (points.adapt_every.value_or(0) > 0 && points.resample_every > 0)
    fail(problem, "training.points.adapt_every",
         "points that are drawn anew gather nowhere; remove adapt_every or resample_every");
  if (points.adapt_every.value_or(0) > 0 && problem.training.causal.slices > 0)
    fail(problem, "training.points.adapt_every",
         "causal weights need points that are the same all the time; remove adapt_every or training.causal");
  if (points.sampling == Sampling::grid && !points.dense.empty())
    fail(problem, "training.points.dense.0", "a grid has no dense regions; remove dense, or use sobol");
  check_dense(problem, key / "dense");
}

bool is_unknown(const Problem& problem, const std::string& name) {
  return std::find(problem.unknowns.begin(), problem.unknowns.end(), name) != problem.unknowns.end();
}

bool is_piece(const Problem& problem, const std::string& name) {
  const std::vector<std::string> pieces = piece_unknowns(problem);
  return std::find(pieces.begin(), pieces.end(), name) != pieces.end();
}

/// What a network may give: an unknown, one of a piece where the domain is cut, or the displacement of a
/// coordinate in a Lagrangian form.
bool is_output(const Problem& problem, const std::string& name) {
  return is_unknown(problem, name) ||
         (problem.lagrangian &&
          std::any_of(problem.coordinates.begin(), problem.coordinates.end(),
                      [&](const auto& c) { return displacement_name(c.name) == name; })) ||
         is_piece(problem, name);
}

/// The keys of network.output and reference.exact: from C++ they may be anything.
void check_of_unknown(const Problem& problem, const std::string& table, const std::string& name) {
  if (!is_unknown(problem, name))
    fail(problem, table, fmt::format("{}.{}: {} is not an unknown of the problem", table, name, name));
}

void check_phase(const Problem& problem, const KeyPath& key, const PhaseOptions& phase) {
  check_given(problem, key / "iterations", static_cast<double>(phase.iterations));
  check_given(problem, key / "seconds", phase.seconds);
  check_number(problem, key / "learning_rate", phase.learning_rate);
  check_number(problem, key / "decay" / "factor", phase.decay_factor);
  check_number(problem, key / "decay" / "every", static_cast<double>(phase.decay_every));
  check_number(problem, key / "decay" / "cosine", static_cast<double>(phase.cosine));
  check_number(problem, key / "decay" / "one_cycle", static_cast<double>(phase.one_cycle));
  check_number(problem, key / "decay" / "pct_start", phase.pct_start);
  check_number(problem, key / "decay" / "div", phase.div);
  check_number(problem, key / "decay" / "final_div", phase.final_div);
  if (phase.cosine > 0 && phase.one_cycle > 0)
    fail(problem, (key / "decay" / "one_cycle").text(),
         fmt::format("{}.decay has both cosine and one_cycle, two schedules of one rate; remove one",
                     key.text()));
  check_number(problem, key / "weight_decay", phase.weight_decay);
  check_number(problem, key / "memory", phase.memory);
  check_number(problem, key / "stall" / "factor", phase.stall_factor);
  check_given(problem, key / "stall" / "iterations", phase.stall_iterations);
}

void check_layers(const Problem& problem, const KeyPath& key, NetworkKind kind, int depth, int width) {
  check_given(problem, key / "depth", depth);
  if (kind == NetworkKind::pirate && depth > most_blocks)
    fail(
        problem, (key / "depth").text(),
        fmt::format("{}.depth is {}; of kind pirate it must be from 1 to {}, for each block has three layers",
                    key.text(), depth, most_blocks));
  check_given(problem, key / "width", width);
}

/// network.scale and network.offset.
void check_magnitudes(const Problem& problem, const KeyPath& key,
                      const std::map<std::string, double>& values) {
  for (const auto& [unknown, value] : values) {
    const KeyPath at = key.named(unknown);
    if (!is_output(problem, unknown))
      fail(problem, at.text(), fmt::format("{}: {} is not an unknown", at.text(), unknown));
    if (problem.network.output.contains(unknown))
      fail(problem, at.text(),
           fmt::format("{} beside network.output.{}, which says all that the solution is made of; put the {} "
                       "there, or remove one of them",
                       at.text(), unknown, key.key().name()));
    check_number(problem, at, value);
  }
}
}  // namespace

void check_number(const Problem& problem, const KeyPath& key, double value) {
  if (const auto message = wrong_number(key, value)) fail(problem, key.text(), *message);
}

void check_network(const Problem& problem) {
  const NetworkOptions& network = problem.network;
  const KeyPath key("network");
  check_layers(problem, key, network.kind, network.depth, network.width);
  for (const auto& [unknown, own] : network.own) {
    const KeyPath at = key.named(unknown);
    if (!is_output(problem, unknown))
      fail(problem, at.text(), fmt::format("{}: {} is not an unknown", at.text(), unknown));
    if (own.depth) check_number(problem, at / "depth", *own.depth);
    if (own.width) check_number(problem, at / "width", *own.width);
    check_layers(problem, at, own.kind.value_or(network.kind), own.depth.value_or(0), own.width.value_or(0));
  }
  check_number(problem, "network.shared_layers", network.shared_layers);
  if (network.shared_layers > 0 && network.own.empty())
    fail(
        problem, "network.shared_layers",
        "network.shared_layers is given, but no unknown has a network of its own; add [network.<unknown>] or "
        "leave it out");
  check_given(problem, "network.periodic_modes", network.periodic_modes);
  check_number(problem, "network.first_layer_scale", network.first_layer_scale);
  if (network.weight_factorization) {
    check_number(problem, "network.weight_factorization.mean", network.weight_factorization->mean);
    check_number(problem, "network.weight_factorization.deviation", network.weight_factorization->deviation);
  }
  check_given(problem, "network.fourier.frequencies", network.fourier.frequencies);
  check_numbers(problem, "network.fourier.scale", network.fourier.scale);
  check_given(problem, "network.gaussians.count", network.gaussians.count);
  check_given(problem, "network.gaussians.width", network.gaussians.width);
  check_number(problem, "network.gaussians.margin", network.gaussians.margin);
  if (network.gaussians.margin > 0 && network.gaussians.placement != Placement::lattice)
    fail(problem, "network.gaussians.margin",
         "network.gaussians.margin is of a lattice; add placement = \"lattice\" or leave it out");
  if (network.gaussians.direct && network.depth > 0)
    fail(problem, "network.gaussians.direct",
         "network.gaussians.direct: the outputs read the Gaussians, beside network.depth, the layers that "
         "read them instead; leave one of them out");
  check_number(problem, "network.output_damping", network.output_damping);
  if (network.output_damping != NetworkOptions{}.output_damping &&
      network.output_start != OutputStart::least_squares)
    fail(problem, "network.output_damping",
         "network.output_damping is of the start by least squares; add output_start = \"least_squares\" or "
         "leave it out");
  if (network.gaussians != GaussianOptions{} && !has_gaussians(network))
    fail(
        problem, "network.gaussians",
        "network.gaussians is given, but no network is of kind gaussian; add kind = \"gaussian\" or leave it "
        "out");
  const bool all_gaussian =
      std::all_of(problem.unknowns.begin(), problem.unknowns.end(), [&](const std::string& u) {
        const auto own = network.own.find(u);
        const auto kind = own == network.own.end() ? std::nullopt : own->second.kind;
        return kind.value_or(network.kind) == NetworkKind::gaussian;
      });
  if (all_gaussian && network.shared_layers > 0)
    fail(problem, "network.shared_layers",
         "network.shared_layers beside networks of kind gaussian, whose Gaussians are of the inputs; leave "
         "it out");
  if (all_gaussian && network.first_layer_scale != 1)
    fail(problem, "network.first_layer_scale",
         "network.first_layer_scale beside networks of kind gaussian, whose layers do not read the inputs; "
         "give "
         "network.gaussians.width, or leave it out");
  check_magnitudes(problem, "network.scale", network.scale);
  check_magnitudes(problem, "network.offset", network.offset);
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

void check_windows(const Problem& problem) {
  const TrainingOptions& training = problem.training;
  const std::string key = "training.windows";
  if (training.windows == automatic_windows) {
    if (const std::string obstacle = automatic_windows_obstacle(problem); !obstacle.empty())
      fail(problem, key,
           fmt::format("training.windows = \"auto\" is not possible: {}; give a number, or leave it out",
                       obstacle));
    return;
  }
  if (training.windows != 0) check_number(problem, "training.windows", training.windows);
  if (training.windows > 1 && problem.time() < 0)
    fail(problem, key,
         "training.windows divides time, but no coordinate is named t (and not periodic); time = \"x\" makes "
         "another one time");
  if (training.window_ends.empty()) return;
  if (int(training.window_ends.size()) != training.windows)
    fail(problem, key,
         fmt::format("training.windows is {}, but {} ends are given", training.windows,
                     training.window_ends.size()));
  const CoordinateRange& time = problem.coordinates[std::size_t(std::max(0, problem.time()))];
  double last = time.low;
  for (const double end : training.window_ends) {
    if (!(end > last))
      fail(problem, key,
           fmt::format(
               "training.windows: windows end at {:g} after {:g}; give ends that increase from t = {:g} on",
               end, last, time.low));
    last = end;
  }
  if (problem.time() >= 0 && last != time.high)
    fail(problem, key,
         fmt::format(
             "training.windows: the last window ends at {:g}, and t at {:g}; let the last end be that of t",
             last, time.high));
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
  check_windows(problem);
  if (training.seed > static_cast<unsigned long>(std::numeric_limits<long>::max()))  // TOML ends there
    fail(problem, "training.seed",
         fmt::format("training.seed is {}; at most {} is possible", training.seed,
                     std::numeric_limits<long>::max()));
  const CausalOptions& causal = training.causal;
  if (causal.slices != 0) {
    check_number(problem, "training.causal.slices", causal.slices);
    if (problem.time() < 0)
      fail(problem, "training.causal",
           "training.causal orders the residuals in time, but no coordinate is named t (and not periodic); "
           "time = \"x\" makes another one time");
    check_numbers(problem, "training.causal.epsilon", causal.epsilon);
    check_number(problem, "training.causal.stop_above", causal.stop_above);
  }
  check_given(problem, "training.stop.seconds", training.stop.seconds);
  check_given(problem, "training.stop.loss", training.stop.loss);
  check_given(problem, "training.stop.relative_l2", training.stop.relative_l2);
  check_given(problem, "training.stop.iterations", static_cast<double>(training.stop.iterations));
  if (training.stop.relative_l2 > 0 && !problem.reference.given())
    fail(problem, "training.stop.relative_l2",
         "training.stop.relative_l2 needs a reference to compare with; add [reference]");
  for (std::size_t i = 0; i < training.phases.size(); ++i)
    check_phase(problem, KeyPath("training.phase").item(i), training.phases[i]);
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
  const std::vector<std::string> solvers = words_of(KeyPath("reference.solver").key());
  if (!reference.solver.empty() &&
      std::find(solvers.begin(), solvers.end(), reference.solver) == solvers.end())
    fail(problem, "reference.solver",
         fmt::format("reference.solver is \"{}\"; use {}", reference.solver, word_list(solvers)));
  if (!reference.solver.empty() && problem.time() < 0)
    fail(problem, "reference.solver",
         "reference.solver etdrk4 marches in time, but no coordinate is named t; use exact or file");
  if (reference.solver == "etdrk4") read_evolution(problem);  // says what the solver does not cover
}

}  // namespace sobolev::detail
