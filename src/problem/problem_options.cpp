// SPDX-License-Identifier: Apache-2.0
// The sections network, training and reference of a problem file.
#include <fmt/format.h>

#include <algorithm>

#include "src/problem/problem_reader.hpp"

namespace sobolev::detail {
namespace {
std::optional<int> positive_integer(const ProblemReader& reader, const TomlNode& node,
                                    const std::string& path, const char* key) {
  const TomlNode* given = node.find(key);
  if (given == nullptr) return {};
  const int value = reader.integer(*given, path + "." + key);
  if (value < 1)  // 0 would mean the default
    reader.fail(*given, fmt::format("{}.{} is {}; give at least 1, or leave it out for the default", path,
                                    key, value));
  return value;
}

/// What [network] and the network of an unknown have in common.
OwnNetwork read_layers(const ProblemReader& reader, const TomlNode& node, const std::string& path) {
  OwnNetwork network;
  if (const TomlNode* kind = node.find("kind")) {
    // A kind of a later version: named so that the message can say what there is instead.
    if (reader.text(*kind, path + ".kind", "\"mlp\"") == "gaussian")
      reader.fail(*kind, fmt::format("{}.kind \"gaussian\" is not in this version; use {}", path,
                                     fmt::join(network_kinds, ", ")));
    network.kind = static_cast<NetworkKind>(
        reader.choice(*kind, path + ".kind", {network_kinds.begin(), network_kinds.end()}));
  }
  network.depth = positive_integer(reader, node, path, "depth");
  network.width = positive_integer(reader, node, path, "width");
  if (const TomlNode* name = node.find("activation"))
    network.activation = static_cast<Activation>(
        reader.choice(*name, path + ".activation", {"tanh", "sin", "gelu", "swish", "softplus"}));
  return network;
}

void read_fourier(const ProblemReader& reader, const TomlNode& node, FourierOptions& fourier) {
  reader.table(node, "network.fourier", {"frequencies", "scale"}, "{ frequencies = 32, scale = 1 }");
  reader.remember("network.fourier", node.position);
  fourier.frequencies = 32;
  if (const TomlNode* n = node.find("frequencies")) {
    fourier.frequencies = reader.integer(*n, "network.fourier.frequencies");
    if (fourier.frequencies < 1)
      reader.fail(*n, fmt::format("network.fourier.frequencies is {}; give at least 1, or leave fourier out",
                                  fourier.frequencies));
  }
  if (const TomlNode* scale = node.find("scale"))
    fourier.scale = reader.numbers(*scale, "network.fourier.scale");
}

void read_sampling(const ProblemReader& reader, const TomlNode& node, PointOptions& points) {
  struct Kind {
    const char* key;
    Sampling sampling;
  };
  const TomlEntry* chosen = nullptr;
  for (const TomlEntry& entry : node.entries)
    for (const Kind& kind :
         {Kind{"grid", Sampling::grid}, Kind{"sobol", Sampling::sobol}, Kind{"uniform", Sampling::uniform},
          Kind{"latin_hypercube", Sampling::latin_hypercube}}) {
      if (entry.key != kind.key) continue;
      if (chosen != nullptr)
        throw ParseError(entry.position,
                         fmt::format("training.points has both {} and {}; keep one", chosen->key, entry.key));
      chosen = &entry;
      points.sampling = kind.sampling;
      const std::string path = "training.points." + entry.key;
      if (kind.sampling == Sampling::grid) {
        points.grid = reader.per_coordinate(entry.value, path);
      } else {
        points.count = reader.integer(entry.value, path);
        if (points.count < 1)  // 0 would mean the default
          reader.fail(entry.value, fmt::format("{} is {}; give at least 1 point", path, points.count));
      }
    }
}

void read_points(const ProblemReader& reader, const TomlNode& node, const Problem& problem,
                 PointOptions& points) {
  const std::string path = "training.points";
  reader.table(node, path,
               {"grid", "sobol", "uniform", "latin_hypercube", "condition_points", "resample_every", "dense"},
               "{ sobol = 2000 }");
  reader.remember(path, node.position);
  read_sampling(reader, node, points);
  if (const TomlNode* count = node.find("condition_points")) {
    points.condition_count = reader.integer(*count, path + ".condition_points");
    if (points.condition_count < 1)
      reader.fail(*count, fmt::format("training.points.condition_points is {}; give at least 1 point",
                                      points.condition_count));
  }
  if (const TomlNode* every = node.find("resample_every"))
    points.resample_every = reader.integer(*every, path + ".resample_every");
  const TomlNode* dense = node.find("dense");
  if (dense == nullptr) return;
  const std::string example = "[{ x = 0.0, width = 0.1, fraction = 0.3 }]";
  if (dense->kind != TomlNode::Kind::array)
    reader.expected(*dense, path + ".dense", "a list, e.g. " + example);
  for (const TomlNode& item : dense->items) {
    const std::string at = fmt::format("{}.dense.{}", path, points.dense.size());
    std::vector<std::string> keys = {"width", "fraction"};
    for (const CoordinateRange& c : problem.coordinates) keys.push_back(c.name);
    reader.table(item, at, keys, example);
    reader.remember(at, item.position);
    DenseRegion region;
    for (const TomlEntry& entry : item.entries) {
      const double value = reader.number(entry.value, at + "." + entry.key);
      if (entry.key == "width")
        region.width = value;
      else if (entry.key == "fraction")
        region.fraction = value;
      else if (!region.coordinate.empty())
        throw ParseError(entry.position, fmt::format("{} names both {} and {}; one coordinate a region", at,
                                                     region.coordinate, entry.key));
      else
        region.coordinate = entry.key, region.centre = value;
    }
    if (region.coordinate.empty() || item.find("width") == nullptr || item.find("fraction") == nullptr)
      reader.fail(item, fmt::format("{} needs a coordinate, width and fraction, e.g. {}", at, example));
    points.dense.push_back(std::move(region));
  }
}

void read_causal(const ProblemReader& reader, const TomlNode& node, CausalOptions& causal) {
  reader.table(node, "training.causal", {"slices", "epsilon", "stop_above"},
               "{ slices = 32, epsilon = [1, 10] }");
  reader.remember("training.causal", node.position);
  causal.slices = 32;
  if (const TomlNode* slices = node.find("slices")) {
    causal.slices = reader.integer(*slices, "training.causal.slices");
    if (causal.slices < 2)  // 0 would mean none
      reader.fail(*slices, fmt::format("training.causal.slices is {}; give at least 2, or leave causal out",
                                       causal.slices));
  }
  if (const TomlNode* epsilon = node.find("epsilon")) {
    reader.remember("training.causal.epsilon", epsilon->position);
    causal.epsilon = reader.numbers(*epsilon, "training.causal.epsilon");
  }
  if (const TomlNode* stop = node.find("stop_above"))
    causal.stop_above = reader.number(*stop, "training.causal.stop_above");
}

/// In C++ 0 means no limit; in a file, where a limit can be left out, it is a mistake.
void refuse_zero(const ProblemReader& reader, const TomlNode& node, const std::string& path) {
  if ((node.kind == TomlNode::Kind::integer || node.kind == TomlNode::Kind::real) && node.real == 0)
    reader.fail(node, fmt::format("{} is 0; give a positive number, or leave it out for no limit", path));
}

/// Options of a phase that only one optimiser has.
const std::map<std::string, OptimizerKind>& options_of_one() {
  static const std::map<std::string, OptimizerKind> options{{"learning_rate", OptimizerKind::adam},
                                                            {"decay", OptimizerKind::adam},
                                                            {"geodesic", OptimizerKind::levenberg_marquardt},
                                                            {"memory", OptimizerKind::lbfgs}};
  return options;
}

PhaseOptions read_phase(const ProblemReader& reader, const TomlNode& node, const std::string& path) {
  reader.table(node, path,
               {"optimizer", "iterations", "seconds", "learning_rate", "decay", "geodesic", "memory", "stall",
                "precision"},
               "{ optimizer = \"levenberg_marquardt\", iterations = 300 }");
  reader.remember(path, node.position);
  PhaseOptions phase;
  if (const TomlNode* name = node.find("optimizer"))
    phase.optimizer = static_cast<OptimizerKind>(
        reader.choice(*name, path + ".optimizer", {"adam", "levenberg_marquardt", "lbfgs"}));
  for (const TomlEntry& entry : node.entries) {
    const auto only = options_of_one().find(entry.key);
    if (only != options_of_one().end() && only->second != phase.optimizer)
      throw ParseError(entry.position,
                       fmt::format("{}.{} is an option of {}, but the optimizer is {}; remove it", path,
                                   entry.key, to_string(only->second), to_string(phase.optimizer)));
  }
  for (const char* limit : {"iterations", "seconds"})
    if (const TomlNode* given = node.find(limit)) refuse_zero(reader, *given, path + "." + limit);
  if (const TomlNode* n = node.find("iterations"))
    phase.iterations = reader.long_integer(*n, path + ".iterations");
  if (const TomlNode* s = node.find("seconds")) phase.seconds = reader.number(*s, path + ".seconds");
  if (const TomlNode* r = node.find("learning_rate"))
    phase.learning_rate = reader.number(*r, path + ".learning_rate");
  if (const TomlNode* g = node.find("geodesic")) phase.geodesic = reader.boolean(*g, path + ".geodesic");
  if (const TomlNode* n = node.find("memory")) phase.memory = reader.integer(*n, path + ".memory");
  if (const TomlNode* decay = node.find("decay")) {
    reader.table(*decay, path + ".decay", {"factor", "every"}, "{ factor = 0.9, every = 5000 }");
    if (const TomlNode* f = decay->find("factor"))
      phase.decay_factor = reader.number(*f, path + ".decay.factor");
    if (const TomlNode* n = decay->find("every"))
      phase.decay_every = reader.long_integer(*n, path + ".decay.every");
  }
  if (const TomlNode* precision = node.find("precision"))
    phase.precision =
        static_cast<Precision>(reader.choice(*precision, path + ".precision", {"float32", "float64"}));
  if (const TomlNode* stall = node.find("stall")) {
    reader.table(*stall, path + ".stall", {"factor", "iterations"}, "{ factor = 0.98, iterations = 30 }");
    if (const TomlNode* f = stall->find("factor"))
      phase.stall_factor = reader.number(*f, path + ".stall.factor");
    phase.stall_iterations = positive_integer(reader, *stall, path + ".stall", "iterations").value_or(0);
  }
  return phase;
}

void read_stop(const ProblemReader& reader, const TomlNode& node, StopOptions& stop) {
  reader.table(node, "training.stop", {"seconds", "loss", "iterations", "relative_l2"}, "{ seconds = 60 }");
  for (const TomlEntry& entry : node.entries) refuse_zero(reader, entry.value, "training.stop." + entry.key);
  if (const TomlNode* n = node.find("seconds")) stop.seconds = reader.number(*n, "training.stop.seconds");
  if (const TomlNode* n = node.find("loss")) stop.loss = reader.number(*n, "training.stop.loss");
  if (const TomlNode* n = node.find("relative_l2"))
    stop.relative_l2 = reader.number(*n, "training.stop.relative_l2");
  if (const TomlNode* n = node.find("iterations"))
    stop.iterations = reader.long_integer(*n, "training.stop.iterations");
}
}  // namespace

void read_network(const ProblemReader& reader, const TomlNode& node, Problem& problem) {
  std::vector<std::string> keys = {"kind",           "depth",     "width",          "activation",
                                   "periodic_modes", "normalize", "hard_initial",   "first_layer_scale",
                                   "scale",          "offset",    "output",         "features",
                                   "symmetry",       "fourier",   "initialization", "weight_factorization",
                                   "shared_layers"};
  std::vector<std::string> own;  // unknowns that may have a network of their own
  for (const std::string& u : problem.unknowns)
    if (std::find(keys.begin(), keys.end(), u) == keys.end()) own.push_back(u);
  keys.insert(keys.end(), own.begin(), own.end());
  reader.table(node, "network", keys, "[network] with width = 24");
  NetworkOptions& network = problem.network;
  const OwnNetwork shared = read_layers(reader, node, "network");
  network.kind = shared.kind.value_or(network.kind);
  network.depth = shared.depth.value_or(network.depth);
  network.width = shared.width.value_or(network.width);
  network.activation = shared.activation.value_or(network.activation);
  for (const std::string& u : own)
    if (const TomlNode* given = node.find(u)) {
      const std::string path = "network." + u;
      reader.table(*given, path, {"kind", "depth", "width", "activation"}, "{ width = 16 }");
      reader.remember(path, given->position);
      network.own[u] = read_layers(reader, *given, path);
    }
  if (const auto layers = positive_integer(reader, node, "network", "shared_layers"))
    network.shared_layers = *layers;
  if (const auto modes = positive_integer(reader, node, "network", "periodic_modes"))
    network.periodic_modes = *modes;
  if (const TomlNode* flag = node.find("normalize"))
    network.normalize = reader.boolean(*flag, "network.normalize");
  if (const TomlNode* flag = node.find("hard_initial"))
    network.hard_initial = reader.boolean(*flag, "network.hard_initial");
  if (const TomlNode* scale = node.find("first_layer_scale"))
    network.first_layer_scale = reader.number(*scale, "network.first_layer_scale");
  if (const TomlNode* name = node.find("initialization"))
    network.initialization = static_cast<Initialization>(
        reader.choice(*name, "network.initialization", {initializations.begin(), initializations.end()}));
  if (const TomlNode* given = node.find("weight_factorization")) {
    const std::string path = "network.weight_factorization";
    reader.table(*given, path, {"mean", "deviation"}, "{ mean = 0.5, deviation = 0.1 }");
    reader.remember(path, given->position);
    WeightFactorization& factorization = network.weight_factorization.emplace();
    if (const TomlNode* mean = given->find("mean")) factorization.mean = reader.number(*mean, path + ".mean");
    if (const TomlNode* deviation = given->find("deviation"))
      factorization.deviation = reader.number(*deviation, path + ".deviation");
  }
  if (const TomlNode* fourier = node.find("fourier")) read_fourier(reader, *fourier, network.fourier);
  const auto by_unknown = [&](const std::string& key, std::map<std::string, double>& values) {
    const TomlNode* given = node.find(key);
    if (given == nullptr) return;
    reader.table(*given, "network." + key, problem.unknowns, "{ u = 300 }");
    reader.remember("network." + key, given->position);
    for (const TomlEntry& entry : given->entries)
      values[entry.key] = reader.number(entry.value, "network." + key + "." + entry.key);
  };
  by_unknown("scale", network.scale);
  by_unknown("offset", network.offset);
  if (const TomlNode* output = node.find("output")) {
    reader.table(*output, "network.output", problem.unknowns, "{ u = \"t*u\" }");
    for (const TomlEntry& entry : output->entries)
      network.output[entry.key] =
          reader.expression(entry.value, "network.output." + entry.key, problem.scope());
  }
  if (const TomlNode* features = node.find("features")) {
    if (features->kind != TomlNode::Kind::array)
      reader.expected(*features, "network.features", "a list of expressions, e.g. [\"tanh(x/0.05)\"]");
    ExpressionScope scope = problem.scope();
    scope.unknowns.clear();
    for (const TomlNode& item : features->items)
      network.features.push_back(
          reader.expression(item, fmt::format("network.features.{}", network.features.size()), scope));
  }
  if (const TomlNode* symmetry = node.find("symmetry")) {
    std::vector<std::string> names;
    for (const CoordinateRange& c : problem.coordinates) names.push_back(c.name);
    reader.table(*symmetry, "network.symmetry", names, "{ x = \"odd\" }");
    for (const TomlEntry& entry : symmetry->entries)
      network.symmetry[entry.key] =
          reader.choice(entry.value, "network.symmetry." + entry.key, {"odd", "even"}) == 0 ? -1 : 1;
  }
}

void read_training(const ProblemReader& reader, const TomlNode& node, Problem& problem) {
  reader.table(node, "training",
               {"precision", "products", "seed", "points", "causal", "windows", "stop", "phase"},
               "[training] with stop = { seconds = 60 }");
  TrainingOptions& training = problem.training;
  if (const TomlNode* name = node.find("precision"))
    training.precision =
        static_cast<Precision>(reader.choice(*name, "training.precision", {"float32", "float64"}));
  if (const TomlNode* name = node.find("products"))
    training.products = static_cast<Products>(
        reader.choice(*name, "training.products", {"ieee", "3xtf32", "3xbf16", "tf32"}));
  if (const TomlNode* seed = node.find("seed")) {
    const long long value = reader.long_integer(*seed, "training.seed");
    if (value < 0)
      reader.fail(*seed, fmt::format("training.seed is {}; give 0 or a positive whole number", value));
    training.seed = static_cast<unsigned long>(value);
  }
  if (const TomlNode* points = node.find("points")) read_points(reader, *points, problem, training.points);
  if (const TomlNode* causal = node.find("causal")) read_causal(reader, *causal, training.causal);
  if (const TomlNode* windows = node.find("windows"))
    training.windows = reader.integer(*windows, "training.windows");
  if (const TomlNode* stop = node.find("stop")) read_stop(reader, *stop, training.stop);
  if (const TomlNode* phases = node.find("phase")) {
    if (phases->kind != TomlNode::Kind::array)
      reader.expected(*phases, "training.phase",
                      "a list of tables: write [[training.phase]] with two brackets");
    for (const TomlNode& item : phases->items)
      training.phases.push_back(
          read_phase(reader, item, fmt::format("training.phase.{}", training.phases.size())));
  }
}

void read_reference(const ProblemReader& reader, const TomlNode& node, Problem& problem) {
  reader.table(node, "reference", {"grid", "exact", "solver", "file"},
               "[reference] with exact = { u = \"sin(x)\" }");
  ReferenceOptions& reference = problem.reference;
  const TomlEntry* chosen = nullptr;
  for (const TomlEntry& entry : node.entries) {
    if (entry.key == "grid") continue;
    if (chosen != nullptr)
      throw ParseError(entry.position,
                       fmt::format("reference has both {} and {}; keep one", chosen->key, entry.key));
    chosen = &entry;
  }
  if (const TomlNode* grid = node.find("grid"))
    reference.grid = reader.per_coordinate(*grid, "reference.grid");
  if (const TomlNode* exact = node.find("exact")) {
    reader.table(*exact, "reference.exact", problem.unknowns, "{ u = \"sin(x)\" }");
    if (exact->entries.empty())
      reader.fail(*exact, "reference.exact is empty; give the solution of an unknown");
    ExpressionScope scope = problem.scope();
    scope.unknowns.clear();
    for (const TomlEntry& entry : exact->entries)
      reference.exact[entry.key] = reader.expression(entry.value, "reference.exact." + entry.key, scope);
  }
  if (const TomlNode* solver = node.find("solver")) {
    reader.choice(*solver, "reference.solver", {"etdrk4"});
    reference.solver = solver->text;
  }
  if (const TomlNode* file = node.find("file")) {
    reference.file = reader.text(*file, "reference.file", "\"reference.npz\"");
    if (reference.file.empty()) reader.fail(*file, "reference.file is empty; name an .npz file");
  }
}

}  // namespace sobolev::detail
