// SPDX-License-Identifier: Apache-2.0
// The training state as a safetensors file: numbers as tensors, the rest as JSON in its metadata.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "model_text.hpp"
#include "sobolev/core/version.hpp"
#include "sobolev/io/safetensors.hpp"
#include "src/problem/defaults.hpp"
#include "src/problem/problem_checks.hpp"
#include "src/training/make_optimizer.hpp"
#include "state.hpp"
#include "window_lengths.hpp"
#include "window_model.hpp"

namespace sobolev {
namespace {
constexpr const char* format_name = "sobolev checkpoint 1";
constexpr std::size_t history_columns = 7;

Tensor vector_tensor(const std::vector<double>& values) { return {{values.size()}, values}; }

std::map<std::string, double> unit_scales(const Problem& problem) {
  std::map<std::string, double> scales;
  for (const std::string& u : problem.unknowns)
    if (!problem.network.output.contains(u)) scales[u] = 1;
  return scales;
}

/// An array between the parameters, where weights may lie transposed, and a tensor of [out, in].
template <class Copy>
void for_elements(const ParameterArray& array, Copy&& copy) {
  const std::size_t out = array.shape[0], in = array.shape.size() > 1 ? array.shape[1] : 1;
  for (std::size_t o = 0; o < out; ++o)
    for (std::size_t i = 0; i < in; ++i)
      copy(o * in + i, array.offset + (array.transposed ? i * out + o : o * in + i));
}

void add_network(NamedTensors& tensors, const std::string& prefix, const Network& network,
                 const std::vector<double>& parameters) {
  for (const ParameterArray& array : network.arrays()) {
    std::size_t n = 1;
    for (std::size_t extent : array.shape) n *= extent;
    Tensor tensor{array.shape, std::vector<double>(n)};
    for_elements(array, [&](std::size_t to, std::size_t from) { tensor.values[to] = parameters[from]; });
    tensors.emplace_back(prefix + array.name, std::move(tensor));
  }
}

std::vector<double> read_network(const TensorFile& file, const std::string& prefix, const Network& network,
                                 const std::filesystem::path& path) {
  std::vector<double> parameters(network.parameters());
  for (const ParameterArray& array : network.arrays()) {
    const std::string name = prefix + array.name;
    const Tensor& tensor = file.at(name, path);
    if (tensor.shape != array.shape)
      throw FileError(
          fmt::format("{}: {} is [{}]; the problem's network has [{}]. Check kind, depth, width, "
                      "periodic_modes and features",
                      path.string(), name, fmt::join(tensor.shape, ", "), fmt::join(array.shape, ", ")));
    for (double v : tensor.values)
      if (!std::isfinite(v))
        throw FileError(
            fmt::format("{}: {} contains {}; weights must be finite numbers", path.string(), name, v));
    for_elements(array, [&](std::size_t from, std::size_t to) { parameters[to] = tensor.values[from]; });
  }
  return parameters;
}

/// The optimiser's state as files of version 0.1 have it.
NamedArrays first_format(const std::vector<double>& moments, long iterations, double damping) {
  NamedArrays arrays;
  if (!moments.empty()) arrays = {{"moments", moments}, {"iterations", {double(iterations)}}};
  if (damping > 0) arrays["damping"] = {damping};
  return arrays;
}

constexpr long most_iterations = 1l << 53;  // counters that a double holds exactly
constexpr int most_windows = 10000;

/// Of the arrays of a window.
std::string prefix_of(bool several, std::size_t window) {
  return several ? fmt::format("windows.{}.", window) : "";
}
/// Where lengths are chosen while training, one window that covers all of time is written like one that was
/// asked for.
bool several_windows(const Solution::State& s) {
  const Problem& p = s.trained;
  if (p.training.windows != automatic_windows) return p.training.windows > 1;
  const double end = p.coordinates[std::size_t(p.time())].high;
  return !(p.training.window_ends.size() == 1 && p.training.window_ends[0] == end);
}

/// Reads what must be so for the training to go on without looking beyond its arrays.
struct StateReader {
  const nlohmann::json& state;
  const std::filesystem::path& path;

  [[noreturn]] void damaged(const std::string& what) const {
    throw FileError(fmt::format("{}: a damaged training state: {}", path.string(), what));
  }
  long integer(const char* key, long low, long high) const {
    const nlohmann::json& value = state.at(key);
    const bool representable =
        value.is_number_unsigned()
            ? value.get<std::uint64_t>() <= std::uint64_t(std::numeric_limits<long>::max())
            : value.is_number_integer();
    if (!representable || value.get<long>() < low || value.get<long>() > high)
      damaged(fmt::format("{} is {}; it must be a whole number from {} to {}", key, value.dump(), low, high));
    return value.get<long>();
  }
  /// Finite numbers from `low` on; as many as one of `sizes` says, or any number where that is empty.
  std::vector<double> numbers(const TensorFile& file, const std::string& name,
                              const std::vector<std::size_t>& sizes,
                              double low = std::numeric_limits<double>::lowest()) const {
    const std::vector<double>& values = file.at(name, path).values;
    if (!sizes.empty() && std::find(sizes.begin(), sizes.end(), values.size()) == sizes.end())
      damaged(
          fmt::format("{} has {} numbers; it must have {}", name, values.size(), fmt::join(sizes, " or ")));
    for (double v : values)
      if (!std::isfinite(v) || v < low)
        damaged(fmt::format("{} contains {}; its numbers must be finite{}", name, v,
                            low == 0 ? " and not negative" : ""));
    return values;
  }
  NamedArrays optimizer(const TensorFile& file) const {
    NamedArrays arrays;
    for (const nlohmann::json& name : state.at("optimizer"))
      arrays[name] = numbers(file, "training.optimizer." + name.get<std::string>(), {});
    return arrays;
  }
  std::vector<HistoryRow> history(const TensorFile& file, const Solution::State& s) const {
    const std::string name = "training.history";
    const Tensor& tensor = file.at(name, path);
    const std::vector<double>& values = tensor.values;
    // Files of version 0.1 have no column for the residual.
    const std::size_t columns = tensor.shape.size() == 2 ? tensor.shape[1] : 0;
    if (columns != history_columns && columns != history_columns - 1)
      damaged(fmt::format("{} has {} numbers in each row; it must have {}", name, columns, history_columns));
    const auto known = [](double v) { return v >= 0 ? std::optional<double>(v) : std::nullopt; };
    const auto whole = [&](double v, double high) {
      if (!(v >= 0 && v <= high) || v != std::floor(v))
        damaged(fmt::format("{} contains {} where a whole number from 0 to {} must be", name, v, high));
      return long(v);
    };
    std::vector<HistoryRow> rows;
    for (const double* h = values.data(); h < values.data() + values.size(); h += columns) {
      if (!std::isfinite(h[3]) || !std::isfinite(h[4]))
        damaged(fmt::format("{} contains {} and {} where seconds and a loss must be", name, h[3], h[4]));
      rows.push_back({whole(h[0], double(s.iterations)), int(whole(h[1], most_windows)),
                      int(whole(h[2], double(s.problem.training.phases.size()))), h[3], h[4], known(h[5]),
                      columns == history_columns ? known(h[6]) : std::nullopt});
    }
    return rows;
  }
};

constexpr const char* gathered_name = "training.gathered_points";

/// Points [N, D] in the problem's ranges.
std::vector<double> read_points(const StateReader& read, const TensorFile& file, const std::string& name,
                                const Problem& problem) {
  const Tensor& tensor = file.at(name, read.path);
  const std::size_t d = problem.coordinates.size();
  if (tensor.shape.size() != 2 || tensor.shape[0] == 0 || tensor.shape[1] != d)
    read.damaged(fmt::format("{} is no table of points of {} coordinates", name, d));
  for (std::size_t i = 0; i < tensor.values.size(); ++i) {
    const CoordinateRange& c = problem.coordinates[i % d];
    const double slack = 1e-9 * (c.high - c.low);
    if (!(tensor.values[i] >= c.low - slack && tensor.values[i] <= c.high + slack))
      read.damaged(fmt::format("{} contains {} = {}; it must lie in [{}, {}]", name, c.name, tensor.values[i],
                               c.low, c.high));
  }
  return tensor.values;
}

/// What WindowLengths has chosen.
void read_lengths(const StateReader& read, const TensorFile& file, std::size_t windows, Solution::State& s) {
  const CoordinateRange& time = s.problem.coordinates[std::size_t(s.problem.time())];
  const std::vector<double> ends = read.numbers(file, "training.window_ends", {windows});
  double last = time.low;
  for (const double end : ends) {
    if (!(end > last && end <= time.high))
      read.damaged(fmt::format("training.window_ends contains {} after {}; ends must increase up to {}", end,
                               last, time.high));
    last = end;
  }
  s.problem.training.window_ends = s.trained.training.window_ends = ends;
  s.lengths = read.numbers(file, "training.lengths", {}, 0);
  if (!detail::WindowLengths(time.high - time.low).set_numbers(s.lengths))
    read.damaged("training.lengths are no numbers of windows");
  s.kept_parameters = read.numbers(file, "training.kept_parameters", {});
}
}  // namespace

void Solution::save(const std::filesystem::path& checkpoint,
                    const std::function<void()>& before_rename) const {
  const State& s = state();
  if (s.parameters.empty())
    throw ArgumentError(
        fmt::format("save: the solution is empty, there is nothing to write to {}", checkpoint.string()));
  TensorFile file;
  for (std::size_t w = 0; w < s.parameters.size(); ++w) {
    const detail::WindowModel model(s.trained, int(w));
    add_network(file.tensors, prefix_of(several_windows(s), w), model.network(), s.parameters[w]);
  }
  std::vector<std::string> optimizer;
  for (const auto& [name, values] : s.optimizer) {
    optimizer.push_back(name);
    file.tensors.emplace_back("training.optimizer." + name, vector_tensor(values));
  }
  file.tensors.emplace_back("training.recent_losses", vector_tensor(s.recent_losses));
  for (std::size_t g = 0; g < s.weights.size(); ++g)
    file.tensors.emplace_back(fmt::format("training.weights.{}", g), vector_tensor(s.weights[g]));
  if (const std::size_t d = s.trained.coordinates.size(); !s.gathered.empty())
    file.tensors.emplace_back(gathered_name, Tensor{{s.gathered.size() / d, d}, s.gathered});
  file.tensors.emplace_back("training.scalars",
                            vector_tensor({s.seconds, s.setup_seconds, s.loss, s.points_processed,
                                           s.phase_seconds, s.window_start}));
  if (s.trained.training.windows == automatic_windows) {
    file.tensors.emplace_back("training.window_ends", vector_tensor(s.trained.training.window_ends));
    file.tensors.emplace_back("training.lengths", vector_tensor(s.lengths));
    file.tensors.emplace_back("training.kept_parameters", vector_tensor(s.kept_parameters));
  }
  Tensor history{{s.history.size(), history_columns}, {}};
  for (const HistoryRow& h : s.history)
    for (double v : {double(h.iteration), double(h.window), double(h.phase), h.seconds, h.loss,
                     h.relative_l2.value_or(-1.0), h.residual.value_or(-1.0)})
      history.values.push_back(v);
  file.tensors.emplace_back("training.history", std::move(history));

  nlohmann::json state = {{"windows_begun", s.parameters.size()},
                          {"window", s.window},
                          {"phase", s.phase},
                          {"phase_iteration", s.phase_iteration},
                          {"iterations", s.iterations},
                          {"window_iteration", s.window_iteration},
                          {"generation", s.generation},
                          {"groups", s.weights.size()},
                          {"optimizer", optimizer},
                          {"exhausted", s.exhausted},
                          {"causal_stage", s.causal_stage},
                          {"finished", s.finished},
                          {"stalled", s.stalled},
                          {"stopped_because", s.stopped_because},
                          {"seed", s.problem.training.seed},
                          {"scale", s.trained.network.scale},
                          {"offset", s.trained.network.offset}};
  file.metadata["format"] = format_name;
  file.metadata["state"] = state.dump();
  file.metadata["problem"] = s.problem.source;
  file.metadata["model"] = detail::model_text(s.problem, s.trained, int(s.parameters.size()));
  file.metadata["problem_name"] = s.problem.name;
  file.metadata["version"] = version();
  file.metadata["instruction_set"] = Cpu::instruction_set();
  write_safetensors(checkpoint, file, before_rename);
}

Solution Solution::load(const std::filesystem::path& checkpoint) {
  return read_checkpoint(checkpoint, nullptr);
}

Solution Solution::load(const std::filesystem::path& checkpoint, const Problem& problem) {
  problem.validate();
  return read_checkpoint(checkpoint, &problem);
}

Solution Solution::read_checkpoint(const std::filesystem::path& checkpoint, const Problem* given) {
  const TensorFile file = read_safetensors(checkpoint);
  const auto metadata = [&](const std::string& key) {
    const auto it = file.metadata.find(key);
    if (it == file.metadata.end())
      throw FileError(fmt::format("{}: not a checkpoint of this program (no '{}' in its metadata)",
                                  checkpoint.string(), key));
    return it->second;
  };
  if (metadata("format") != format_name)
    throw FileError(fmt::format("{}: its format is '{}'; this version reads '{}'", checkpoint.string(),
                                metadata("format"), format_name));
  if (metadata("problem").empty() && given == nullptr)
    throw FileError(
        fmt::format("{}: the problem was assembled in C++ and is too large to be written as text, so it is "
                    "not in the file; "
                    "give it: Solution::load(file, problem)",
                    checkpoint.string()));
  Solution solution;
  State& s = *solution.state_;
  if (!metadata("problem").empty()) {
    s.problem = Problem::from_string(metadata("problem"),
                                     metadata("problem_name") + ".toml (in " + checkpoint.string() + ")");
    s.problem.name = metadata("problem_name");
  }
  if (given != nullptr) {
    const std::string source = metadata("problem").empty() ? "" : detail::source_of(*given);
    if (!metadata("problem").empty() && !(*given == s.problem) && source != metadata("problem"))
      throw ArgumentError(fmt::format(
          "{}: the problem given is not the one that was solved; leave it out to load the one in the file",
          checkpoint.string()));
    s.problem = *given;
    s.problem.source = source;
  }
  try {
    const nlohmann::json state = nlohmann::json::parse(metadata("state"));
    const StateReader read{state, checkpoint};
    if (!state.at("seed").is_number_unsigned())
      read.damaged(fmt::format("seed is {}; it must be a whole number", state.at("seed").dump()));
    s.problem.training.seed = state.at("seed");
    // As trained, whatever this version would choose; files of version 0.1 had none.
    s.problem.network.scale = state.value("scale", unit_scales(s.problem));
    s.problem.network.offset = state.value("offset", std::map<std::string, double>());
    for (const auto& [u, scale] : s.problem.network.scale) s.problem.network.offset.emplace(u, 0.0);
    // The defaults of another version may be other ones.
    const bool several = std::any_of(file.tensors.begin(), file.tensors.end(), [](const auto& tensor) {
      return tensor.first.starts_with("windows.0.");
    });
    if (s.problem.training.windows == 0)
      s.problem.training.windows = file.contains("training.window_ends") ? automatic_windows : 1;
    if (s.problem.network.gaussians.count == 0 && detail::has_gaussians(s.problem.network))
      s.problem.network.gaussians.count =
          int(file.at(prefix_of(several, 0) + "gaussians.0.centre", checkpoint).shape[0]);
    if (s.problem.network.kind == NetworkKind::gaussian && s.problem.network.depth == 0 &&
        s.problem.network.own.empty() && s.problem.time() >= 0 &&
        !file.contains(prefix_of(several, 0) + "layers.1.bias"))
      s.problem.network.gaussians.direct = true;
    if (s.problem.network.width == 0)
      s.problem.network.width = int(std::clamp<std::size_t>(
          file.at(prefix_of(several, 0) + "layers.0.bias", checkpoint).values.size(), 1, 4096));
    s.problem.validate();
    detail::set_problem(s, Problem(s.problem));
    const TrainingOptions& training = s.problem.training;
    const bool automatic = training.windows == automatic_windows;
    s.window = int(read.integer("window", 0, automatic ? most_windows : training.windows));
    s.phase = int(read.integer("phase", 0, long(training.phases.size())));
    s.iterations = read.integer("iterations", 0, most_iterations);
    s.window_iteration =
        state.contains("window_iteration") ? read.integer("window_iteration", 0, s.iterations) : 0;
    s.phase_iteration = read.integer("phase_iteration", 0, s.iterations);
    s.generation = read.integer("generation", 0, s.iterations);
    s.exhausted = state.at("exhausted");
    s.causal_stage = std::size_t(read.integer("causal_stage", 0, long(training.causal.epsilon.size())));
    s.finished = state.at("finished");
    s.stalled = state.value("stalled", false);
    s.stopped_because = state.at("stopped_because");
    const long windows = read.integer("windows_begun", std::max(1, s.window),
                                      automatic ? s.window + 1 : std::min(training.windows, s.window + 1));
    if (automatic) read_lengths(read, file, std::size_t(windows), s);
    const long groups = read.integer("groups", 0, 1 + long(s.trained.conditions.size()));
    for (std::size_t w = 0; w < std::size_t(windows); ++w)
      s.parameters.push_back(read_network(file, prefix_of(several, w),
                                          detail::WindowModel(s.trained, int(w)).network(), checkpoint));
    for (std::size_t g = 0; g < std::size_t(groups); ++g)
      s.weights.push_back(read.numbers(file, fmt::format("training.weights.{}", g),
                                       {g == 0 ? s.trained.equations.size() : 1}, 0));
    if (file.contains(gathered_name)) s.gathered = read_points(read, file, gathered_name, s.trained);
    // Files of version 0.1 have Adam's moments and the damping by themselves.
    const bool old = !state.contains("optimizer");
    std::vector<double> scalars = read.numbers(file, "training.scalars", {old ? 7u : 6u}, 0);
    s.optimizer =
        old ? first_format(read.numbers(file, "training.moments", {}), s.phase_iteration, scalars[0])
            : read.optimizer(file);
    if (old) scalars.erase(scalars.begin());
    if (s.phase < int(training.phases.size())) try {
        detail::check_state(training.phases[std::size_t(s.phase)], s.optimizer, s.parameters.back().size());
      } catch (const ArgumentError& error) {
        read.damaged(fmt::format("training.optimizer.{}", error.what()));
      }
    s.recent_losses = read.numbers(file, "training.recent_losses", {}, 0);
    s.seconds = scalars[0];
    s.setup_seconds = scalars[1];
    s.loss = scalars[2];
    s.points_processed = scalars[3];
    s.phase_seconds = scalars[4];
    s.window_start = scalars[5];
    s.history = read.history(file, s);
  } catch (const nlohmann::json::exception& e) {
    throw FileError(fmt::format("{}: a damaged training state ({})", checkpoint.string(), e.what()));
  }
  const auto instruction_set = file.metadata.find("instruction_set");
  if (instruction_set != file.metadata.end()) s.instruction_set = instruction_set->second;
  return solution;
}

Solution Solution::from_weights(const Problem& problem, const std::filesystem::path& weights) {
  Solution solution;
  State& s = *solution.state_;
  s.problem = problem;
  if (s.problem.training.windows == 0) s.problem.training.windows = 1;
  // Somebody's own network gives the solution itself, unless the problem says what it gives.
  for (const auto& [unknown, scale] : unit_scales(problem)) {
    s.problem.network.scale.emplace(unknown, scale);
    s.problem.network.offset.emplace(unknown, 0.0);
  }
  detail::set_problem(s, Problem(s.problem));
  s.problem.source = detail::source_of(problem);
  require(!detail::divided(s.problem), "weights from a file: the problem must have one window");
  s.parameters.push_back(
      read_network(read_safetensors(weights), "", detail::WindowModel(s.trained, 0).network(), weights));
  s.finished = true;
  s.stopped_because = "weights from a file";
  return solution;
}

}  // namespace sobolev
