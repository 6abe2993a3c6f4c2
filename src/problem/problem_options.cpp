// SPDX-License-Identifier: Apache-2.0
// The sections network, training and reference of a problem file.
#include <fmt/format.h>

#include <algorithm>

#include "src/problem/problem_reader.hpp"

namespace sobolev::detail {
namespace {
/// What [network] and the network of an unknown have in common.
template <class Layers>
void read_layers(const ProblemReader& reader, const TomlNode& node, const KeyPath& path, Layers& layers) {
  reader.read(node, path, "kind", layers.kind);
  reader.read(node, path, "depth", layers.depth);
  reader.read(node, path, "width", layers.width);
  reader.read(node, path, "activation", layers.activation);
}

void read_fourier(const ProblemReader& reader, const TomlNode& node, const KeyPath& path,
                  FourierOptions& fourier) {
  reader.table(node, path);
  reader.remember(path.text(), node.position);
  fourier.frequencies = 32;
  reader.read(node, path, "frequencies", fourier.frequencies);
  reader.read(node, path, "scale", fourier.scale);
}

void read_gaussians(const ProblemReader& reader, const TomlNode& node, const KeyPath& path,
                    GaussianOptions& gaussians) {
  reader.table(node, path);
  reader.remember(path.text(), node.position);
  reader.read(node, path, "count", gaussians.count);
  reader.read(node, path, "width", gaussians.width);
  reader.read(node, path, "placement", gaussians.placement);
  reader.read(node, path, "margin", gaussians.margin);
  reader.read(node, path, "covariance", gaussians.covariance);
  reader.read(node, path, "direct", gaussians.direct);
}

void read_factorization(const ProblemReader& reader, const TomlNode& node, const KeyPath& path,
                        WeightFactorization& factorization) {
  reader.table(node, path);
  reader.remember(path.text(), node.position);
  reader.read(node, path, "mean", factorization.mean);
  reader.read(node, path, "deviation", factorization.deviation);
}

/// A number for each unknown.
void read_by_name(const ProblemReader& reader, const TomlNode& node, const KeyPath& path,
                  std::map<std::string, double>& values) {
  reader.table(node, path);
  reader.remember(path.text(), node.position);
  for (const TomlEntry& entry : node.entries)
    values[entry.key] = reader.number(entry.value, path.named(entry.key));
}

/// An expression for each unknown or coordinate.
void read_by_name(const ProblemReader& reader, const TomlNode& node, const KeyPath& path,
                  const ExpressionScope& scope, std::map<std::string, Expr>& expressions) {
  reader.table(node, path);
  for (const TomlEntry& entry : node.entries)
    expressions[entry.key] = reader.expression(entry.value, path.named(entry.key), scope);
}

void read_features(const ProblemReader& reader, const TomlNode& node, const KeyPath& path,
                   const Problem& problem, std::vector<Expr>& features) {
  ExpressionScope scope = problem.scope();
  scope.unknowns.clear();
  for (const TomlNode& item : reader.list(node, path))
    features.push_back(reader.expression(item, path.item(features.size()), scope));
}

void read_symmetry(const ProblemReader& reader, const TomlNode& node, const KeyPath& path,
                   std::map<std::string, int>& symmetry) {
  reader.table(node, path);
  reader.remember(path.text(), node.position);
  for (const TomlEntry& entry : node.entries)  // odd, even
    symmetry[entry.key] = reader.choice(entry.value, path.named(entry.key)) == 0 ? -1 : 1;
}

void read_sampling(const ProblemReader& reader, const TomlNode& node, const KeyPath& path,
                   PointOptions& points) {
  const TomlEntry* chosen = reader.alternative(node, path);
  if (chosen == nullptr) return;
  const KeyPath at = path / chosen->key;
  if (chosen->key == "grid") {
    points.sampling = Sampling::grid;
    points.grid = reader.per_coordinate(chosen->value, at);
    return;
  }
  points.sampling = chosen->key == "sobol"     ? Sampling::sobol
                    : chosen->key == "uniform" ? Sampling::uniform
                                               : Sampling::latin_hypercube;
  points.count = reader.integer(chosen->value, at);
}

DenseRegion read_region(const ProblemReader& reader, const TomlNode& node, const KeyPath& path) {
  reader.table(node, path);
  reader.remember(path.text(), node.position);
  DenseRegion region;
  reader.read(node, path, "width", region.width);
  reader.read(node, path, "fraction", region.fraction);
  for (const TomlEntry& entry : node.entries) {
    if (entry.key == "width" || entry.key == "fraction") continue;
    if (!region.coordinate.empty())
      throw ParseError(entry.position, fmt::format("{} names both {} and {}; one coordinate a region",
                                                   path.text(), region.coordinate, entry.key));
    region.coordinate = entry.key;
    region.centre = reader.number(entry.value, path.named(entry.key));
  }
  if (region.coordinate.empty() || node.find("width") == nullptr || node.find("fraction") == nullptr)
    reader.fail(node, fmt::format("{} needs a coordinate, width and fraction, e.g. {}", path.text(),
                                  example_of(path)));
  return region;
}

void read_points(const ProblemReader& reader, const TomlNode& node, const KeyPath& path,
                 PointOptions& points) {
  reader.table(node, path);
  reader.remember(path.text(), node.position);
  read_sampling(reader, node, path, points);
  reader.read(node, path, "condition_points", points.condition_count);
  reader.read(node, path, "resample_every", points.resample_every);
  reader.read(node, path, "adapt_every", points.adapt_every);
  const KeyPath dense = path / "dense";
  if (const TomlNode* regions = node.find("dense"))
    for (const TomlNode& item : reader.list(*regions, dense))
      points.dense.push_back(read_region(reader, item, dense.item(points.dense.size())));
}

void read_causal(const ProblemReader& reader, const TomlNode& node, const KeyPath& path,
                 CausalOptions& causal) {
  reader.table(node, path);
  reader.remember(path.text(), node.position);
  causal.slices = 32;
  reader.read(node, path, "slices", causal.slices);
  reader.read(node, path, "epsilon", causal.epsilon);
  reader.read(node, path, "stop_above", causal.stop_above);
}

void read_stop(const ProblemReader& reader, const TomlNode& node, const KeyPath& path, StopOptions& stop) {
  reader.table(node, path);
  reader.read(node, path, "seconds", stop.seconds);
  reader.read(node, path, "iterations", stop.iterations);
  reader.read(node, path, "loss", stop.loss);
  reader.read(node, path, "relative_l2", stop.relative_l2);
}

/// Some options only one optimiser has.
void refuse_others_options(const TomlNode& node, const KeyPath& path, OptimizerKind optimizer) {
  const std::string chosen = to_string(optimizer);
  for (const TomlEntry& entry : node.entries) {
    const std::string_view only = (path / entry.key).key().allowed.optimizer;
    if (!only.empty() && only != chosen)
      throw ParseError(entry.position,
                       fmt::format("{}.{} is an option of {}, but the optimizer is {}; remove it",
                                   path.text(), entry.key, only, chosen));
  }
}

PhaseOptions read_phase(const ProblemReader& reader, const TomlNode& node, const KeyPath& path) {
  reader.table(node, path);
  reader.remember(path.text(), node.position);
  PhaseOptions phase;
  reader.read(node, path, "optimizer", phase.optimizer);
  refuse_others_options(node, path, phase.optimizer);
  reader.read(node, path, "iterations", phase.iterations);
  reader.read(node, path, "seconds", phase.seconds);
  reader.read(node, path, "geodesic", phase.geodesic);
  reader.read(node, path, "memory", phase.memory);
  reader.read(node, path, "precision", phase.precision);
  reader.read(node, path, "learning_rate", phase.learning_rate);
  if (const TomlNode* decay = node.find("decay")) {
    reader.table(*decay, path / "decay");
    reader.read(*decay, path / "decay", "factor", phase.decay_factor);
    reader.read(*decay, path / "decay", "every", phase.decay_every);
    reader.read(*decay, path / "decay", "cosine", phase.cosine);
    reader.read(*decay, path / "decay", "one_cycle", phase.one_cycle);
    reader.read(*decay, path / "decay", "pct_start", phase.pct_start);
    reader.read(*decay, path / "decay", "div", phase.div);
    reader.read(*decay, path / "decay", "final_div", phase.final_div);
  }
  reader.read(node, path, "weight_decay", phase.weight_decay);
  if (const TomlNode* stall = node.find("stall")) {
    reader.table(*stall, path / "stall");
    reader.read(*stall, path / "stall", "factor", phase.stall_factor);
    reader.read(*stall, path / "stall", "iterations", phase.stall_iterations);
  }
  return phase;
}
}  // namespace

void read_network(const ProblemReader& reader, const TomlNode& node, Problem& problem) {
  const KeyPath path("network");
  reader.table(node, path);
  NetworkOptions& network = problem.network;
  read_layers(reader, node, path, network);
  for (const std::string& unknown : reader.names_in(path))
    if (const TomlNode* own = node.find(unknown)) {
      reader.table(*own, path.named(unknown));
      reader.remember(path.named(unknown).text(), own->position);
      read_layers(reader, *own, path.named(unknown), network.own[unknown]);
    }
  reader.read(node, path, "shared_layers", network.shared_layers);
  reader.read(node, path, "periodic_modes", network.periodic_modes);
  reader.read(node, path, "normalize", network.normalize);
  reader.read(node, path, "hard_initial", network.hard_initial);
  reader.read(node, path, "first_layer_scale", network.first_layer_scale);
  reader.read(node, path, "initialization", network.initialization);
  reader.read(node, path, "output_start", network.output_start);
  reader.read(node, path, "output_damping", network.output_damping);
  if (const TomlNode* factorization = node.find("weight_factorization"))
    read_factorization(reader, *factorization, path / "weight_factorization",
                       network.weight_factorization.emplace());
  if (const TomlNode* fourier = node.find("fourier"))
    read_fourier(reader, *fourier, path / "fourier", network.fourier);
  if (const TomlNode* gaussians = node.find("gaussians"))
    read_gaussians(reader, *gaussians, path / "gaussians", network.gaussians);
  if (const TomlNode* scale = node.find("scale")) read_by_name(reader, *scale, path / "scale", network.scale);
  if (const TomlNode* offset = node.find("offset"))
    read_by_name(reader, *offset, path / "offset", network.offset);
  if (const TomlNode* output = node.find("output"))
    read_by_name(reader, *output, path / "output", problem.scope(), network.output);
  if (const TomlNode* features = node.find("features"))
    read_features(reader, *features, path / "features", problem, network.features);
  if (const TomlNode* symmetry = node.find("symmetry"))
    read_symmetry(reader, *symmetry, path / "symmetry", network.symmetry);
}

void read_interfaces(const ProblemReader& reader, const TomlNode& node, Problem& problem) {
  const KeyPath path("interfaces");
  reader.table(node, path);
  reader.remember(path.text(), node.position);
  for (const TomlEntry& entry : node.entries)
    problem.interfaces[entry.key] = reader.numbers(entry.value, path.named(entry.key));
}

void read_lagrangian(const ProblemReader& reader, const TomlNode& node, Problem& problem) {
  const KeyPath path("lagrangian");
  reader.table(node, path);
  reader.remember(path.text(), node.position);
  LagrangianOptions& options = problem.lagrangian.emplace();
  if (const TomlNode* velocity = node.find("velocity"))
    read_by_name(reader, *velocity, path / "velocity", problem.scope(), options.velocity);
  if (const TomlNode* labels = node.find("labels")) {
    reader.table(*labels, path / "labels");
    for (const TomlEntry& entry : labels->entries)
      options.labels[entry.key] = reader.interval(entry.value, (path / "labels").named(entry.key));
  }
  reader.read(node, path, "derivatives", options.derivatives);
  reader.read(node, path, "floor", options.floor);
  reader.read(node, path, "search", options.search);
}

void read_windows(const ProblemReader& reader, const TomlNode& node, const KeyPath& path,
                  TrainingOptions& training) {
  if (node.kind == TomlNode::Kind::array) {
    training.window_ends = reader.finite_numbers(node, path);
    if (training.window_ends.empty())
      reader.fail(node, path.text() + " is empty; give the end of each window, the last one that of time");
    training.windows = int(training.window_ends.size());
  } else if (node.kind == TomlNode::Kind::string && words_of(path.key())[0] == node.text) {
    reader.remember(path.text(), node.position);
    training.windows = automatic_windows;
  } else if (node.kind == TomlNode::Kind::integer || node.kind == TomlNode::Kind::real) {
    training.windows = reader.integer(node, path);
  } else if (node.kind == TomlNode::Kind::string) {
    reader.fail(node, fmt::format("{} is \"{}\"; use a whole number, a list of ends, or \"auto\"",
                                  path.text(), node.text));
  } else {
    reader.expected(node, path.text(), "a whole number, a list of ends, or \"auto\"");
  }
}

void read_training(const ProblemReader& reader, const TomlNode& node, Problem& problem) {
  const KeyPath path("training");
  reader.table(node, path);
  TrainingOptions& training = problem.training;
  reader.read(node, path, "precision", training.precision);
  reader.read(node, path, "products", training.products);
  reader.read(node, path, "seed", training.seed);
  if (const TomlNode* points = node.find("points"))
    read_points(reader, *points, path / "points", training.points);
  if (const TomlNode* causal = node.find("causal"))
    read_causal(reader, *causal, path / "causal", training.causal);
  if (const TomlNode* windows = node.find("windows"))
    read_windows(reader, *windows, path / "windows", training);
  if (const TomlNode* stop = node.find("stop")) read_stop(reader, *stop, path / "stop", training.stop);
  if (const TomlNode* phases = node.find("phase"))
    for (const TomlNode& item : reader.list(*phases, path / "phase"))
      training.phases.push_back(read_phase(reader, item, (path / "phase").item(training.phases.size())));
}

void read_reference(const ProblemReader& reader, const TomlNode& node, Problem& problem) {
  const KeyPath path("reference");
  reader.table(node, path);
  ReferenceOptions& reference = problem.reference;
  reader.alternative(node, path);
  if (const TomlNode* grid = node.find("grid")) reference.grid = reader.per_coordinate(*grid, path / "grid");
  if (const TomlNode* exact = node.find("exact")) {
    ExpressionScope scope = problem.scope();
    scope.unknowns.clear();
    read_by_name(reader, *exact, path / "exact", scope, reference.exact);
    if (exact->entries.empty())
      reader.fail(*exact, "reference.exact is empty; give the solution of an unknown");
  }
  if (const TomlNode* solver = node.find("solver")) {
    reader.choice(*solver, path / "solver");
    reference.solver = solver->text;
  }
  if (const TomlNode* file = node.find("file")) {
    reference.file = reader.text(*file, path / "file");
    if (reference.file.empty()) reader.fail(*file, "reference.file is empty; name an .npz file");
  }
}

}  // namespace sobolev::detail
