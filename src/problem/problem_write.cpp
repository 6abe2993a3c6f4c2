// SPDX-License-Identifier: Apache-2.0
// Problem::to_toml: a problem as the text that problem_file.cpp and problem_options.cpp read.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "sobolev/problem/problem.hpp"
#include "src/expression/operations.hpp"
#include "src/io/toml_document.hpp"
#include "src/problem/defaults.hpp"
#include "src/problem/problem_checks.hpp"

namespace sobolev {
namespace {
using detail::TomlNode;

TomlNode node(const TomlNode& given) { return given; }
TomlNode node(const std::string& text) {
  TomlNode out;
  out.kind = TomlNode::Kind::string;
  out.text = text;
  return out;
}
TomlNode node(const char* text) { return node(std::string(text)); }
TomlNode node(double value) {
  TomlNode out;
  out.kind = TomlNode::Kind::real;
  out.real = value;
  return out;
}
TomlNode node(long long value) {
  TomlNode out;
  out.kind = TomlNode::Kind::integer;
  out.integer = value;
  return out;
}
TomlNode node(long value) { return node(static_cast<long long>(value)); }
TomlNode node(int value) { return node(static_cast<long long>(value)); }
TomlNode node(bool value) {
  TomlNode out;
  out.kind = TomlNode::Kind::boolean;
  out.boolean = value;
  return out;
}
template <class T>
TomlNode node(const std::vector<T>& values) {
  TomlNode out;
  out.kind = TomlNode::Kind::array;
  for (const T& value : values) out.items.push_back(node(value));
  return out;
}

template <class T>
void add(TomlNode& table, const std::string& key, const T& value) {
  detail::TomlEntry entry;
  entry.key = key;
  entry.value = node(value);
  table.entries.push_back(std::move(entry));
}
/// Left out where it is the default.
template <class T>
void add_unless(TomlNode& table, const std::string& key, const T& value, const T& standard) {
  if (!(value == standard)) add(table, key, value);
}
void add_filled(TomlNode& table, const std::string& key, const TomlNode& part) {
  if (!part.entries.empty() || !part.items.empty()) add(table, key, part);
}
template <class T>
TomlNode table_of(const std::map<std::string, T>& values) {
  TomlNode out;
  for (const auto& [key, value] : values) add(out, key, value);
  return out;
}

std::string text_of(Expr e, const std::string& key) {
  if (const std::optional<std::string> text = detail::file_text(e)) return *text;
  throw ArgumentError(fmt::format(
      "{} is too large to be written: more than 65536 characters; keep the problem in the program", key));
}

std::map<std::string, std::string> texts_of(const std::map<std::string, Expr>& expressions,
                                            const std::string& key) {
  std::map<std::string, std::string> out;
  for (const auto& [name, e] : expressions) out[name] = text_of(e, key + "." + name);
  return out;
}

TomlNode coordinate_node(const CoordinateRange& c) {
  const TomlNode range = node(std::vector<double>{c.low, c.high});
  if (!c.periodic) return range;
  TomlNode out;
  add(out, "range", range);
  add(out, "periodic", true);
  return out;
}

TomlNode condition_node(const Condition& condition) {
  const std::string key = "conditions." + condition.name;
  std::string where;
  for (const auto& [coordinate, value] : condition.where)
    where += fmt::format("{}{} = {}", where.empty() ? "" : ", ", coordinate, value);
  TomlNode out;
  add(out, "where", where);
  add(out, "equation", text_of(condition.left, key) + " = " + text_of(condition.right, key));
  if (condition.weight) add(out, "weight", *condition.weight);
  return out;
}

TomlNode network_node(const NetworkOptions& network) {
  const NetworkOptions standard;
  const auto activation = [](Activation a) { return std::string(activations[std::size_t(a)]); };
  TomlNode out;
  const auto kind = [](NetworkKind k) { return std::string(network_kinds[std::size_t(k)]); };
  add_unless(out, "kind", kind(network.kind), kind(standard.kind));
  add_unless(out, "depth", network.depth, standard.depth);
  add_unless(out, "width", network.width, standard.width);
  add_unless(out, "activation", activation(network.activation), activation(standard.activation));
  add_unless(out, "periodic_modes", network.periodic_modes, standard.periodic_modes);
  add_unless(out, "normalize", network.normalize, standard.normalize);
  if (network.hard_initial) add(out, "hard_initial", *network.hard_initial);
  add_unless(out, "first_layer_scale", network.first_layer_scale, standard.first_layer_scale);
  add_filled(out, "scale", table_of(network.scale));
  add_filled(out, "offset", table_of(network.offset));
  add_filled(out, "output", table_of(texts_of(network.output, "network.output")));
  std::vector<std::string> features;
  for (const Expr e : network.features)
    features.push_back(text_of(e, fmt::format("network.features.{}", features.size())));
  add_filled(out, "features", node(features));
  std::map<std::string, std::string> symmetry;
  for (const auto& [coordinate, sign] : network.symmetry) symmetry[coordinate] = sign > 0 ? "even" : "odd";
  add_filled(out, "symmetry", table_of(symmetry));
  add_unless(out, "shared_layers", network.shared_layers, 0);
  for (const auto& [unknown, own] : network.own) {
    TomlNode layers;
    if (own.kind) add(layers, "kind", kind(*own.kind));
    if (own.depth) add(layers, "depth", *own.depth);
    if (own.width) add(layers, "width", *own.width);
    if (own.activation) add(layers, "activation", activation(*own.activation));
    add(out, unknown, layers);
  }
  add_unless(out, "initialization", std::string(initializations[std::size_t(network.initialization)]),
             std::string(initializations[0]));
  add_unless(out, "output_start", std::string(output_starts[std::size_t(network.output_start)]),
             std::string(output_starts[0]));
  add_unless(out, "output_damping", network.output_damping, standard.output_damping);
  if (network.weight_factorization) {
    TomlNode factorization;
    add(factorization, "mean", network.weight_factorization->mean);
    add(factorization, "deviation", network.weight_factorization->deviation);
    add(out, "weight_factorization", factorization);
  }
  if (network.fourier.frequencies > 0) {
    TomlNode fourier;
    add(fourier, "frequencies", network.fourier.frequencies);
    add(fourier, "scale", node(network.fourier.scale));
    add(out, "fourier", fourier);
  }
  if (network.gaussians != GaussianOptions{}) {
    TomlNode gaussians;
    if (network.gaussians.count > 0) add(gaussians, "count", network.gaussians.count);
    if (network.gaussians.width > 0) add(gaussians, "width", network.gaussians.width);
    add_unless(gaussians, "placement", std::string(placements[std::size_t(network.gaussians.placement)]),
               std::string(placements[0]));
    add_unless(gaussians, "margin", network.gaussians.margin, 0);
    add_unless(gaussians, "covariance", std::string(covariances[std::size_t(network.gaussians.covariance)]),
               std::string(covariances[0]));
    add_unless(gaussians, "direct", network.gaussians.direct, false);
    add(out, "gaussians", gaussians);
  }
  return out;
}

TomlNode lagrangian_node(const LagrangianOptions& options) {
  const LagrangianOptions standard;
  TomlNode out, labels;
  add_filled(out, "velocity", table_of(texts_of(options.velocity, "lagrangian.velocity")));
  for (const auto& [coordinate, range] : options.labels)
    add(labels, coordinate, std::vector<double>{range.first, range.second});
  add_filled(out, "labels", labels);
  const auto derivatives = [](LagrangianDerivatives d) {
    return std::string(lagrangian_derivatives[std::size_t(d)]);
  };
  add_unless(out, "derivatives", derivatives(options.derivatives), derivatives(standard.derivatives));
  add_unless(out, "floor", options.floor, standard.floor);
  const auto search = [](LabelSearch l) { return std::string(label_searches[std::size_t(l)]); };
  add_unless(out, "search", search(options.search), search(standard.search));
  return out;
}

TomlNode points_node(const Problem& problem) {
  const PointOptions& points = problem.training.points;
  TomlNode out;
  // A file names the kind of points by their number: where that is the default, it is written out.
  const auto count = [&] {
    return points.count > 0 ? points.count : detail::with_defaults(problem).training.points.count;
  };
  switch (points.sampling) {
    case Sampling::automatic: add_unless(out, "sobol", points.count, 0); break;
    case Sampling::sobol: add(out, "sobol", count()); break;
    case Sampling::uniform: add(out, "uniform", count()); break;
    case Sampling::latin_hypercube: add(out, "latin_hypercube", count()); break;
    case Sampling::grid: add(out, "grid", table_of(points.grid)); break;
  }
  add_unless(out, "condition_points", points.condition_count, 0);
  add_unless(out, "resample_every", points.resample_every, 0);
  if (points.adapt_every) add(out, "adapt_every", *points.adapt_every);
  std::vector<TomlNode> dense;
  for (const DenseRegion& region : points.dense) {
    TomlNode part;
    add(part, region.coordinate, region.centre);
    add(part, "width", region.width);
    add(part, "fraction", region.fraction);
    dense.push_back(std::move(part));
  }
  add_filled(out, "dense", node(dense));
  return out;
}

TomlNode phase_node(const PhaseOptions& phase) {
  const PhaseOptions standard;
  TomlNode out, decay, stall;
  add(out, "optimizer", to_string(phase.optimizer));
  add_unless(out, "iterations", phase.iterations, 0l);
  add_unless(out, "seconds", phase.seconds, 0.0);
  if (phase.optimizer == OptimizerKind::adam) {
    add_unless(out, "learning_rate", phase.learning_rate, standard.learning_rate);
    add_unless(decay, "factor", phase.decay_factor, standard.decay_factor);
    add_unless(decay, "every", phase.decay_every, standard.decay_every);
    add_unless(decay, "cosine", phase.cosine, standard.cosine);
    add_unless(decay, "one_cycle", phase.one_cycle, standard.one_cycle);
    add_unless(decay, "pct_start", phase.pct_start, standard.pct_start);
    add_unless(decay, "div", phase.div, standard.div);
    add_unless(decay, "final_div", phase.final_div, standard.final_div);
    add_filled(out, "decay", decay);
    add_unless(out, "weight_decay", phase.weight_decay, standard.weight_decay);
  } else if (phase.optimizer == OptimizerKind::lbfgs) {
    add_unless(out, "memory", phase.memory, standard.memory);
  } else {
    add_unless(out, "geodesic", phase.geodesic, standard.geodesic);
  }
  add_unless(stall, "factor", phase.stall_factor, standard.stall_factor);
  add_unless(stall, "iterations", phase.stall_iterations, standard.stall_iterations);
  add_filled(out, "stall", stall);
  if (phase.precision) add(out, "precision", precisions[std::size_t(*phase.precision)]);
  return out;
}

TomlNode training_node(const Problem& problem) {
  const TrainingOptions& training = problem.training;
  TomlNode out, causal, stop;
  if (training.precision != TrainingOptions().precision)
    add(out, "precision", precisions[std::size_t(training.precision)]);
  if (training.products != Products::ieee) add(out, "products", std::string(to_string(training.products)));
  add_unless(out, "seed", static_cast<long long>(training.seed), 0ll);
  add_filled(out, "points", points_node(problem));
  if (training.causal.slices != 0) {
    add(causal, "slices", training.causal.slices);
    add(causal, "epsilon", training.causal.epsilon);
    add(causal, "stop_above", training.causal.stop_above);
    add(out, "causal", causal);
  }
  if (training.windows == automatic_windows)
    add(out, "windows", std::string("auto"));
  else if (!training.window_ends.empty())
    add(out, "windows", training.window_ends);
  else
    add_unless(out, "windows", training.windows, 0);
  add_unless(stop, "seconds", training.stop.seconds, 0.0);
  add_unless(stop, "iterations", training.stop.iterations, 0l);
  add_unless(stop, "loss", training.stop.loss, 0.0);
  add_unless(stop, "relative_l2", training.stop.relative_l2, 0.0);
  add_filled(out, "stop", stop);
  std::vector<TomlNode> phases;
  for (const PhaseOptions& phase : training.phases) phases.push_back(phase_node(phase));
  add_filled(out, "phase", node(phases));
  return out;
}

/// One reference: the one that make_reference would take.
TomlNode reference_node(const ReferenceOptions& reference) {
  TomlNode out;
  if (!reference.exact.empty())
    add(out, "exact", table_of(texts_of(reference.exact, "reference.exact")));
  else if (!reference.file.empty())
    add(out, "file", std::filesystem::absolute(reference.file).lexically_normal().string());
  else if (!reference.solver.empty())
    add(out, "solver", reference.solver);
  add_filled(out, "grid", table_of(reference.grid));
  return out;
}
}  // namespace

std::string Problem::to_toml() const {
  validate();
  TomlNode root, coordinate_table, equation_table, condition_table;
  for (const CoordinateRange& c : coordinates) add(coordinate_table, c.name, coordinate_node(c));
  for (const Equation& e : equations)
    add(equation_table, e.name, text_of(e.kept.value_or(e.residual), "equations." + e.name) + " = 0");
  for (const Condition& c : conditions) add(condition_table, c.name, condition_node(c));
  if (!title.empty()) add(root, "title", title);
  add(root, "unknowns", unknowns);
  if (time_coordinate != Problem().time_coordinate) add(root, "time", time_coordinate);
  add_filled(root, "coordinates", coordinate_table);
  TomlNode constant_table = table_of(constants);
  for (const UnknownConstant& c : unknown_constants) {
    TomlNode unknown;
    add(unknown, "initial", c.initial);
    add(constant_table, c.name, unknown);
  }
  add_filled(root, "constants", constant_table);
  add_filled(root, "equations", equation_table);
  add_filled(root, "conditions", condition_table);
  add_filled(root, "network", network_node(network));
  add_filled(root, "interfaces", table_of(interfaces));
  if (lagrangian) add(root, "lagrangian", lagrangian_node(*lagrangian));
  add_filled(root, "training", training_node(*this));
  add_filled(root, "reference", reference_node(reference));
  std::string text = detail::write_toml(root);
  try {
    from_string(text, "problem.toml");
  } catch (const ParseError& error) {
    throw ArgumentError(fmt::format("problem {}: it cannot be written as a problem file: {}",
                                    name.empty() ? title : name, error.what()));
  }
  return text;
}

bool operator==(const Problem& a, const Problem& b) {
  return a.title == b.title && a.unknowns == b.unknowns && a.coordinates == b.coordinates &&
         a.time_coordinate == b.time_coordinate && a.constants == b.constants &&
         a.unknown_constants == b.unknown_constants && a.equations == b.equations &&
         a.conditions == b.conditions && a.network == b.network && a.interfaces == b.interfaces &&
         a.lagrangian == b.lagrangian && a.training == b.training && a.reference == b.reference;
}

namespace detail {
std::optional<std::string> file_text(Expr e) {
  constexpr std::size_t longest = 65536;
  // Shared parts are written out each time, so the length can grow exponentially: a bound is known before.
  std::unordered_map<const ExprNode*, double> least;
  const auto of = [&](Expr operand) {
    const auto known = least.find(operand.node());
    return known == least.end() ? 0 : known->second;
  };
  for (const Expr x : operands_first(std::span<const Expr>(&e, 1), [](Expr) { return true; })) {
    least[x.node()] = 1 + of(x->a) + of(x->b);
    if (is_leaf(x) && x->a.node() != nullptr) least[x.node()] = double(to_string(x->a, longest + 1).size());
  }
  if (least.at(e.node()) > double(longest)) return {};
  std::string text = to_string(e);
  if (text.size() > longest) return {};
  return text;
}

std::string source_of(const Problem& problem) {
  if (!problem.source.empty()) try {
      if (Problem::from_string(problem.source, problem.name + ".toml") == problem) return problem.source;
    } catch (const ParseError&) {
      // Not what it was read from any more: written anew below.
    }
  try {
    return problem.to_toml();
  } catch (const Error&) {
    return "";
  }
}
}  // namespace detail

}  // namespace sobolev
