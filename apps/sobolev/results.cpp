// SPDX-License-Identifier: Apache-2.0
#include "apps/sobolev/results.hpp"

#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "apps/sobolev/commands.hpp"
#include "apps/sobolev/description.hpp"
#include "sobolev/core/version.hpp"
#include "sobolev/io/atomic_file.hpp"
#include "sobolev/io/npy.hpp"
#include "src/problem/initial_data.hpp"

namespace sobolev::app {
namespace {
nlohmann::ordered_json residuals_json(const std::vector<ResidualCheck>& residuals) {
  nlohmann::ordered_json out = nlohmann::ordered_json::array();
  for (const ResidualCheck& r : residuals)
    out.push_back({{"name", r.name},
                   {"condition", r.condition},
                   {"rms", r.rms},
                   {"largest", r.largest},
                   {"training_rms", r.training_rms},
                   {"scale", r.scale},
                   {"place", r.place}});
  return out;
}

/// The larger one; what is no number is larger than any.
void raise(std::optional<double>& largest, double value) {
  if (!largest || std::isnan(value) || value > *largest) largest = value;
}

std::string history_table(const Solution& solution) {
  const std::map<std::string, double> errors = solution.relative_l2();
  const std::vector<HistoryRow> rows = history_to_the_end(solution);
  std::string out = "iteration,window,phase,seconds,loss,relative_l2";
  if (errors.size() > 1)
    for (const auto& error : errors) out += ",relative_l2." + error.first;
  out += ",residual\n";
  for (const HistoryRow& row : rows) {
    out += fmt::format("{},{},{},{:.6f},{},", row.iteration, row.window, row.phase, row.seconds, row.loss);
    if (row.relative_l2) out += fmt::format("{}", *row.relative_l2);
    if (errors.size() > 1)
      for (const auto& error : errors) out += &row == &rows.back() ? fmt::format(",{}", error.second) : ",";
    out += row.residual ? fmt::format(",{}\n", *row.residual) : ",\n";
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
}  // namespace

nlohmann::ordered_json comparisons_json(const std::vector<Comparison>& comparisons) {
  auto all = nlohmann::ordered_json::object();
  for (const Comparison& c : comparisons)
    all[c.unknown] = {{"difference", c.difference}, {"accuracy", c.accuracy}};
  return all;
}

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
          {"windows", solution.windows()},
          {"iterations", solution.iterations()},
          {"seconds", solution.seconds()},
          {"setup_seconds", solution.setup_seconds()},
          {"points_per_second", solution.points_per_second()},
          {"loss", solution.loss()},
          {"constants", solution.constants()},
          {"relative_l2", solution.relative_l2()},
          {"max_error", solution.max_error()},
          {"residuals", residuals_json(solution.assessment().residuals)},
          {"second_solution", comparisons_json(solution.assessment().comparisons)},
          {"doubts", solution.assessment().doubts},
          {"notes", detail::problem_notes(problem)},
          {"finished", solution.finished()},
          {"stopped_because", solution.stopped_because()},
          {"version", version()}};
}

std::vector<HistoryRow> history_to_the_end(const Solution& solution) {
  std::vector<HistoryRow> rows = solution.history();
  if (rows.empty() || rows.back().iteration != solution.iterations()) {
    HistoryRow end = rows.empty() ? HistoryRow() : rows.back();
    end.iteration = solution.iterations();
    end.seconds = solution.seconds();
    end.loss = solution.loss();
    rows.push_back(end);
  }
  rows.back().relative_l2.reset();
  for (const auto& [unknown, error] : solution.relative_l2()) raise(rows.back().relative_l2, error);
  rows.back().residual.reset();
  for (const ResidualCheck& r : solution.assessment().residuals)
    if (r.scale > 0) raise(rows.back().residual, r.rms / r.scale);
  return rows;
}

std::vector<std::string> write_results(const Cpu& host, const Solution& solution,
                                       const nlohmann::ordered_json& result,
                                       const std::filesystem::path& folder,
                                       const std::function<void()>& before_first,
                                       const ErrorEstimate* estimate) {
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
  write_text(history_name, history_table(solution));
  attempt([&] { write_npz(folder / solution_name, solution_arrays(table), before_first); });
  Report report = report_of(solution, table, result);
  if (estimate != nullptr) add_estimate(report, *estimate);
  write_text(report_name, html_report(report));
  return failures;
}

}  // namespace sobolev::app
