// SPDX-License-Identifier: Apache-2.0
#include "apps/sobolev/results.hpp"

#include <fmt/format.h>

#include "apps/sobolev/commands.hpp"
#include "apps/sobolev/progress.hpp"
#include "sobolev/core/version.hpp"
#include "sobolev/io/atomic_file.hpp"
#include "sobolev/io/npy.hpp"
#include "sobolev/io/report.hpp"

namespace sobolev::app {
namespace {
std::string title_of(const Problem& problem) { return problem.title.empty() ? problem.name : problem.title; }

std::string history_table(const std::vector<HistoryRow>& history) {
  std::string out = "iteration,window,phase,seconds,loss,relative_l2\n";
  for (const HistoryRow& row : history) {
    out += fmt::format("{},{},{},{:.6f},{},", row.iteration, row.window, row.phase, row.seconds, row.loss);
    if (row.relative_l2) out += fmt::format("{}", *row.relative_l2);
    out += '\n';
  }
  return out;
}

NamedTensors solution_arrays(const Solution::Table& table) {
  NamedTensors arrays;
  std::vector<std::size_t> shape;
  for (std::size_t k = 0; k < table.axes.size(); ++k) {
    arrays.push_back({table.coordinates[k], {{table.axes[k].size()}, table.axes[k]}});
    shape.push_back(table.axes[k].size());
  }
  for (const auto& [unknown, values] : table.prediction) arrays.push_back({unknown, {shape, values}});
  for (const auto& [unknown, values] : table.reference) {
    arrays.push_back({"reference." + unknown, {shape, values}});
    std::vector<double> error = table.prediction.at(unknown);
    for (std::size_t i = 0; i < error.size(); ++i) error[i] -= values[i];
    arrays.push_back({"error." + unknown, {shape, std::move(error)}});
  }
  return arrays;
}

Report report_of(const Solution& solution, const Solution::Table& table,
                 const nlohmann::ordered_json& result) {
  const Problem& problem = solution.problem();
  Report report;
  report.title = title_of(problem);
  report.subtitle =
      solution.finished() ? "Finished: " + solution.stopped_because() : "Interrupted; resuming goes on";
  for (const auto& [unknown, error] : solution.relative_l2())
    report.results.emplace_back("relative L2 error of " + unknown, fmt::format("{:.2e}", error));
  for (const auto& [unknown, error] : solution.max_error())
    report.results.emplace_back("largest error of " + unknown, fmt::format("{:.2e}", error));
  report.results.emplace_back("loss", fmt::format("{:.2e}", solution.loss()));
  report.results.emplace_back("training", duration_text(solution.seconds()));
  report.results.emplace_back("iterations", std::to_string(solution.iterations()));

  const int threads = result.at("threads").get<int>();
  auto& settings = report.settings;
  settings.emplace_back("problem", problem.name);
  settings.emplace_back("network", network_text(problem));
  settings.emplace_back("parameters", std::to_string(solution.parameters()));
  settings.emplace_back("points", points_text(problem));
  settings.emplace_back("time windows", std::to_string(problem.training.windows));
  for (const PhaseOptions& phase : problem.training.phases) settings.emplace_back("phase", phase_text(phase));
  if (problem.training.phases.empty()) settings.emplace_back("phase", "chosen by the library");
  settings.emplace_back("reference", reference_text(problem.reference));
  settings.emplace_back("precision", arithmetic_text(problem.training));
  settings.emplace_back("seed", std::to_string(problem.training.seed));
  settings.emplace_back("speed", rate_text(solution.points_per_second()) + " points/s");
  settings.emplace_back("set-up", duration_text(solution.setup_seconds()));
  settings.emplace_back("processor", fmt::format("{}, {}, {} thread{}", Cpu::processor(),
                                                 Cpu::instruction_set(), threads, threads == 1 ? "" : "s"));
  settings.emplace_back("version", "sobolev " + version());
  for (const HistoryRow& row : solution.history())
    report.history.push_back({row.seconds, row.loss, row.relative_l2});
  report.coordinates = table.coordinates;
  report.axes = table.axes;
  report.prediction = table.prediction;
  report.reference = table.reference;
  report.source = problem.source;
  return report;
}
}  // namespace

Solution load_checkpoint(const std::filesystem::path& path) {
  try {
    return Solution::load(path);
  } catch (const ParseError& error) {
    throw FileError(
        fmt::format("{} is no checkpoint of this version of sobolev: {}", path.string(), error.what()));
  } catch (const ArgumentError& error) {
    throw FileError(
        fmt::format("{} is no checkpoint of this version of sobolev: {}", path.string(), error.what()));
  }
}

std::string precision_text(Precision precision) {
  return precision == Precision::float32 ? "float32" : "float64";
}

std::string arithmetic_text(const TrainingOptions& training) {
  const std::string precision = precision_text(training.precision);
  return training.products == Products::ieee
             ? precision
             : fmt::format("{}, products {} on a CUDA device", precision, to_string(training.products));
}

std::string network_text(const Problem& problem) {
  const NetworkOptions& n = problem.network;
  const auto size = [](int value) { return value == 0 ? std::string("default") : std::to_string(value); };
  constexpr const char* activations[] = {"tanh", "sin", "gelu", "swish", "softplus"};
  std::string out = fmt::format("mlp, depth {}, width {}, {}", size(n.depth), size(n.width),
                                activations[static_cast<int>(n.activation)]);
  for (const CoordinateRange& c : problem.coordinates)
    if (c.periodic) {
      out += fmt::format(", {} periodic modes", size(n.periodic_modes));
      break;
    }
  if (!n.features.empty())
    out += fmt::format(", {} extra input{}", n.features.size(), n.features.size() == 1 ? "" : "s");
  for (const auto& [name, sign] : n.symmetry)
    out += fmt::format(", {} in {}", sign > 0 ? "even" : "odd", name);
  for (const auto& [unknown, scale] : n.scale)
    if (scale != 1) out += fmt::format(", {} of size {:g}", unknown, scale);
  for (const auto& [unknown, offset] : n.offset)
    if (offset != 0) out += fmt::format(", {} about {:g}", unknown, offset);
  if (!n.output.empty()) out += ", output transform";
  return out;
}

std::string points_text(const Problem& problem) {
  const PointOptions& p = problem.training.points;
  std::string out;
  switch (p.sampling) {
    case Sampling::automatic: out = "chosen by the library"; break;
    case Sampling::uniform: out = fmt::format("{} uniform", p.count); break;
    case Sampling::latin_hypercube: out = fmt::format("{} in a latin hypercube", p.count); break;
    case Sampling::sobol: out = fmt::format("{} of a Sobol sequence", p.count); break;
    case Sampling::grid:
      for (const CoordinateRange& c : problem.coordinates)
        out += fmt::format("{}{} in {}", out.empty() ? "grid of " : " x ", p.grid.at(c.name), c.name);
  }
  if (p.condition_count > 0) out += fmt::format(", {} for each condition", p.condition_count);
  if (p.resample_every > 0) out += fmt::format(", new ones every {} iterations", p.resample_every);
  for (const DenseRegion& d : p.dense)
    out +=
        fmt::format(", {:g} % within {:g} of {} = {:g}", 100 * d.fraction, d.width, d.coordinate, d.centre);
  return out;
}

std::string phase_text(const PhaseOptions& phase) {
  std::string out = phase.optimizer == Optimizer::adam ? "adam" : "levenberg_marquardt";
  if (phase.iterations > 0) out += fmt::format(", {} iterations", phase.iterations);
  if (phase.seconds > 0) out += fmt::format(", {:g} s", phase.seconds);
  if (phase.optimizer == Optimizer::adam)
    out += fmt::format(", learning rate {:g}, times {:g} every {}", phase.learning_rate, phase.decay_factor,
                       phase.decay_every);
  else if (!phase.geodesic)
    out += ", without geodesic acceleration";
  return out;
}

std::string reference_text(const ReferenceOptions& reference) {
  if (!reference.file.empty()) return reference.file.string();
  if (!reference.solver.empty()) return reference.solver;
  return reference.exact.empty() ? "none: no error is reported" : "exact solution";
}

nlohmann::ordered_json result_object(const DeviceChoice& device, const Cpu& host, const Solution& solution) {
  const Problem& problem = solution.problem();
  return {{"problem", problem.name},
          {"title", problem.title},
          {"device", device.cuda ? fmt::format("cuda:{}", device.index) : "cpu"},
          {"processor", device.cuda ? cuda_device_names().at(std::size_t(device.index)) : Cpu::processor()},
          {"instruction_set", Cpu::instruction_set()},
          {"precision", precision_text(problem.training.precision)},
          {"products", to_string(device.cuda ? problem.training.products : Products::ieee)},
          {"seed", problem.training.seed},
          {"threads", host.threads()},
          {"parameters", solution.parameters()},
          {"windows", problem.training.windows},
          {"iterations", solution.iterations()},
          {"seconds", solution.seconds()},
          {"setup_seconds", solution.setup_seconds()},
          {"points_per_second", solution.points_per_second()},
          {"loss", solution.loss()},
          {"relative_l2", solution.relative_l2()},
          {"max_error", solution.max_error()},
          {"finished", solution.finished()},
          {"stopped_because", solution.stopped_because()},
          {"version", version()}};
}

std::vector<std::string> write_results(const Cpu& host, const Solution& solution,
                                       const nlohmann::ordered_json& result,
                                       const std::filesystem::path& folder,
                                       const std::function<void()>& before_first) {
  const Solution::Table table = solution.table(host);
  std::vector<std::string> failures;
  const auto attempt = [&](auto&& write) {
    try {
      write();
    } catch (const FileError& error) {
      failures.emplace_back(error.what());
    }
  };
  const auto write_text = [&](const char* name, const std::string& text) {
    attempt([&] { atomic_write(folder / name, text, before_first); });
  };
  write_text(result_name, result.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  write_text(history_name, history_table(solution.history()));
  attempt([&] { write_npz(folder / solution_name, solution_arrays(table), before_first); });
  write_text(report_name, html_report(report_of(solution, table, result)));
  return failures;
}

}  // namespace sobolev::app
