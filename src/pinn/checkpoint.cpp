// SPDX-License-Identifier: Apache-2.0
// The training state as a safetensors file: numbers as tensors, the rest as JSON in its metadata.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "defaults.hpp"
#include "sobolev/io/safetensors.hpp"
#include "state.hpp"
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

/// The weights of a network under `prefix`, as [out, in] and [out].
void add_network(NamedTensors& tensors, const std::string& prefix, const MlpShape& mlp,
                 const std::vector<double>& parameters) {
  for (int l = 0; l < mlp.layers(); ++l) {
    const std::size_t in = std::size_t(mlp.fan_in(l)), out = std::size_t(mlp.fan_out(l));
    const double* w = parameters.data() + mlp.weight_offset(l);
    Tensor weight{{out, in}, std::vector<double>(out * in)};
    for (std::size_t i = 0; i < in; ++i)
      for (std::size_t o = 0; o < out; ++o)
        weight.values[o * in + i] = l == mlp.depth ? w[o * in + i] : w[i * out + o];
    const double* b = parameters.data() + mlp.bias_offset(l);
    tensors.emplace_back(fmt::format("{}layers.{}.weight", prefix, l), std::move(weight));
    tensors.emplace_back(fmt::format("{}layers.{}.bias", prefix, l), vector_tensor({b, b + out}));
  }
}

std::vector<double> read_network(const TensorFile& file, const std::string& prefix, const MlpShape& mlp,
                                 const std::filesystem::path& path) {
  std::vector<double> parameters(mlp.parameters());
  for (int l = 0; l < mlp.layers(); ++l) {
    const std::size_t in = std::size_t(mlp.fan_in(l)), out = std::size_t(mlp.fan_out(l));
    const std::string name = fmt::format("{}layers.{}", prefix, l);
    const Tensor& weight = file.at(name + ".weight", path);
    const Tensor& bias = file.at(name + ".bias", path);
    if (weight.shape != std::vector<std::size_t>{out, in} || bias.shape != std::vector<std::size_t>{out})
      throw FileError(fmt::format(
          "{}: {}.weight is [{}] and its bias [{}]; the problem's network has [{}, {}] and [{}]. "
          "Check depth, width, periodic_modes and features",
          path.string(), name, fmt::join(weight.shape, ", "), fmt::join(bias.shape, ", "), out, in, out));
    double* w = parameters.data() + mlp.weight_offset(l);
    for (std::size_t i = 0; i < in; ++i)
      for (std::size_t o = 0; o < out; ++o)
        (l == mlp.depth ? w[o * in + i] : w[i * out + o]) = weight.values[o * in + i];
    std::copy(bias.values.begin(), bias.values.end(),
              parameters.begin() + std::ptrdiff_t(mlp.bias_offset(l)));
  }
  return parameters;
}
}  // namespace

void Solution::save(const std::filesystem::path& checkpoint) const {
  const State& s = *state_;
  TensorFile file;
  for (std::size_t w = 0; w < s.parameters.size(); ++w) {
    const detail::WindowModel model(s.problem, int(w));
    add_network(file.tensors, s.problem.training.windows == 1 ? "" : fmt::format("windows.{}.", w),
                model.mlp(), s.parameters[w]);
  }
  file.tensors.emplace_back("training.moments", vector_tensor(s.moments));
  file.tensors.emplace_back("training.recent_losses", vector_tensor(s.recent_losses));
  for (std::size_t g = 0; g < s.weights.size(); ++g)
    file.tensors.emplace_back(fmt::format("training.weights.{}", g), vector_tensor(s.weights[g]));
  file.tensors.emplace_back("training.scalars",
                            vector_tensor({s.damping, s.seconds, s.setup_seconds, s.loss, s.points_processed,
                                           s.phase_seconds, s.window_start}));
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
                          {"generation", s.generation},
                          {"groups", s.weights.size()},
                          {"exhausted", s.exhausted},
                          {"causal_stage", s.causal_stage},
                          {"finished", s.finished},
                          {"stopped_because", s.stopped_because},
                          {"seed", s.problem.training.seed},
                          {"scale", s.problem.network.scale},
                          {"offset", s.problem.network.offset}};
  file.metadata["format"] = format_name;
  file.metadata["state"] = state.dump();
  file.metadata["problem"] = s.problem.source;
  file.metadata["problem_name"] = s.problem.name;
  write_safetensors(checkpoint, file);
}

Solution Solution::load(const std::filesystem::path& checkpoint) {
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
  if (metadata("problem").empty())
    throw FileError(
        fmt::format("{}: the problem was assembled in C++ and is not in the file", checkpoint.string()));
  Solution solution;
  State& s = *solution.state_;
  s.problem = Problem::from_string(metadata("problem"),
                                   metadata("problem_name") + ".toml (in " + checkpoint.string() + ")");
  s.problem.name = metadata("problem_name");
  try {
    const nlohmann::json state = nlohmann::json::parse(metadata("state"));
    s.problem.training.seed = state.at("seed");
    // As trained, whatever this version would choose; files of version 0.1 had none.
    s.problem.network.scale = state.value("scale", unit_scales(s.problem));
    s.problem.network.offset = state.value("offset", std::map<std::string, double>());
    for (const auto& [u, scale] : s.problem.network.scale) s.problem.network.offset.emplace(u, 0.0);
    s.problem = detail::with_defaults(s.problem);
    s.window = state.at("window");
    s.phase = state.at("phase");
    s.phase_iteration = state.at("phase_iteration");
    s.iterations = state.at("iterations");
    s.generation = state.at("generation");
    s.exhausted = state.at("exhausted");
    s.causal_stage = state.at("causal_stage");
    s.finished = state.at("finished");
    s.stopped_because = state.at("stopped_because");
    const std::size_t windows = state.at("windows_begun"), groups = state.at("groups");
    if (s.window < 0 || s.phase < 0 || windows > std::size_t(s.problem.training.windows) || groups > 100000)
      throw FileError(fmt::format("{}: a training state that does not fit its problem", checkpoint.string()));
    for (std::size_t w = 0; w < windows; ++w)
      s.parameters.push_back(
          read_network(file, s.problem.training.windows == 1 ? "" : fmt::format("windows.{}.", w),
                       detail::WindowModel(s.problem, int(w)).mlp(), checkpoint));
    for (std::size_t g = 0; g < groups; ++g)
      s.weights.push_back(file.at(fmt::format("training.weights.{}", g), checkpoint).values);
  } catch (const nlohmann::json::exception& e) {
    throw FileError(fmt::format("{}: a damaged training state ({})", checkpoint.string(), e.what()));
  }
  s.moments = file.at("training.moments", checkpoint).values;
  s.recent_losses = file.at("training.recent_losses", checkpoint).values;
  const Tensor& scalars = file.at("training.scalars", checkpoint);
  const Tensor& history = file.at("training.history", checkpoint);
  // Files of version 0.1 have no column for the residual.
  const std::size_t columns = history.shape.size() == 2 ? history.shape[1] : 0;
  if (scalars.values.size() != 7 || columns < history_columns - 1 || columns > history_columns)
    throw FileError(fmt::format("{}: a damaged training state", checkpoint.string()));
  s.damping = scalars.values[0];
  s.seconds = scalars.values[1];
  s.setup_seconds = scalars.values[2];
  s.loss = scalars.values[3];
  s.points_processed = scalars.values[4];
  s.phase_seconds = scalars.values[5];
  s.window_start = scalars.values[6];
  const auto known = [](double v) { return v >= 0 ? std::optional<double>(v) : std::nullopt; };
  for (std::size_t i = 0; i + columns <= history.values.size(); i += columns) {
    const double* h = history.values.data() + i;
    s.history.push_back({long(h[0]), int(h[1]), int(h[2]), h[3], h[4], known(h[5]),
                         columns == history_columns ? known(h[6]) : std::nullopt});
  }
  return solution;
}

Solution Solution::from_weights(const Problem& problem, const std::filesystem::path& weights) {
  Solution solution;
  State& s = *solution.state_;
  s.problem = detail::with_defaults(problem);
  require(s.problem.training.windows == 1, "weights from a file: the problem must have one window");
  s.parameters.push_back(
      read_network(read_safetensors(weights), "", detail::WindowModel(s.problem, 0).mlp(), weights));
  s.finished = true;
  s.stopped_because = "weights from a file";
  return solution;
}

}  // namespace sobolev
