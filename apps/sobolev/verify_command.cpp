// SPDX-License-Identifier: Apache-2.0
// verify: the error of a solution without a reference, beside the run that it belongs to.
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <fstream>
#include <optional>

#include "apps/sobolev/commands.hpp"
#include "apps/sobolev/console.hpp"
#include "apps/sobolev/description.hpp"
#include "apps/sobolev/progress.hpp"
#include "apps/sobolev/results.hpp"
#include "apps/sobolev/stop_signals.hpp"
#include "sobolev/core/error.hpp"
#include "sobolev/io/atomic_file.hpp"
#include "sobolev/io/folder_lock.hpp"
#include "sobolev/io/npy.hpp"

namespace sobolev::app {
namespace {
constexpr auto replaced = nlohmann::json::error_handler_t::replace;

Report page_of(const Cpu& host, const Solution& solution, const ErrorEstimate& estimate) {
  const Problem& problem = solution.problem();
  Report report;
  report.title = "Estimated error: " + title_of(problem);
  report.subtitle = "Found from the equations and conditions alone, without a reference";
  report.coordinates = estimate.coordinates;
  report.axes = estimate.axes;
  report.time = problem.time();
  add_estimate(report, estimate);
  // The solution beside it, where the error is known for all of the grid.
  if (estimate.complete && solution.finished()) {
    std::vector<Expr> outputs;
    for (const std::string& u : problem.unknowns) outputs.push_back(field(u));
    std::size_t n = 1;
    for (const auto& axis : report.axes) n *= axis.size();
    std::vector<double> points(n * report.axes.size());
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t d = report.axes.size(), rest = i; d-- > 0; rest /= report.axes[d].size())
        points[i * report.axes.size() + d] = report.axes[d][rest % report.axes[d].size()];
    auto values =
        solution.evaluate(host, View<const double, 2>(points.data(), n, report.axes.size()), outputs);
    for (std::size_t k = 0; k < outputs.size(); ++k)
      report.prediction[problem.unknowns[k]] = std::move(values[k]);
  }
  report.source = problem.source;
  return report;
}

/// The object of result.json where it is that of this solution.
std::optional<nlohmann::ordered_json> result_of(const Solution& solution, const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) return {};
  nlohmann::ordered_json result = nlohmann::ordered_json::parse(in, nullptr, false);
  const bool same = result.is_object() && result.value("iterations", -1l) == solution.iterations() &&
                    result.value("loss", -1.0) == solution.loss();
  return same ? std::optional(std::move(result)) : std::nullopt;
}
}  // namespace

nlohmann::ordered_json estimate_object(const ErrorEstimate& e) {
  return {{"relative_l2", e.relative_l2},
          {"largest", e.largest},
          {"constants", e.constants},
          {"sound", e.sound},
          {"worth", e.worth},
          {"complete", e.complete},
          {"until", e.until},
          {"residual_left", e.residual_left},
          {"overlooked", e.overlooked},
          {"largest_residual", e.largest_residual},
          {"windows", e.windows},
          {"parameters", e.parameters},
          {"iterations", e.iterations},
          {"seconds", e.seconds}};
}

std::string estimate_text(const ErrorEstimate& e) {
  std::string out;
  for (const auto& [unknown, error] : e.relative_l2)
    out += fmt::format("  {}: estimated relative L2 error {:.1e}, largest error {:.1e}{}\n", unknown, error,
                       e.largest.at(unknown), e.sound ? "" : " (not sound)");
  for (const auto& [name, error] : e.constants)
    out +=
        fmt::format("  {}: estimated relative error {:.1e}{}\n", name, error, e.sound ? "" : " (not sound)");
  return out + "  estimate: " + e.worth + "\n";
}

void add_estimate(Report& report, const ErrorEstimate& e) {
  for (const auto& [unknown, error] : e.relative_l2)
    report.results.emplace_back("estimated relative L2 error of " + unknown,
                                fmt::format("{:.1e}{}", error, e.sound ? "" : " (not sound)"));
  for (const auto& [name, error] : e.constants)
    report.results.emplace_back("estimated relative error of " + name, fmt::format("{:.1e}", error));
  if (e.axes == report.axes) report.estimated_error = e.error;
  report.estimate_text = "The estimate is worth this: " + e.worth + ".";
}

std::vector<std::string> write_estimate(const Cpu& host, const Solution& solution,
                                        const ErrorEstimate& estimate, const std::filesystem::path& folder) {
  std::vector<std::string> failures;
  const auto attempt = [&](auto&& write) {
    try {
      write();
    } catch (const FileError& error) {
      failures.emplace_back(error.what());
    }
  };
  const nlohmann::ordered_json object = estimate_object(estimate);
  attempt([&] { atomic_write(folder / verify_name, object.dump(2, ' ', false, replaced) + "\n"); });
  NamedTensors arrays;
  std::vector<std::size_t> shape;
  for (std::size_t k = 0; k < estimate.axes.size(); ++k) {
    arrays.push_back({estimate.coordinates[k], {{estimate.axes[k].size()}, estimate.axes[k]}});
    shape.push_back(estimate.axes[k].size());
  }
  for (const auto& [unknown, error] : estimate.error)
    arrays.push_back({"estimated_error." + unknown, {shape, error}});
  attempt([&] { write_npz(folder / verify_arrays_name, arrays); });
  attempt([&] { atomic_write(folder / verify_page_name, html_report(page_of(host, solution, estimate))); });
  attempt([&] {
    if (auto result = result_of(solution, folder / result_name)) {
      (*result)["verify"] = object;
      atomic_write(folder / result_name, result->dump(2, ' ', false, replaced) + "\n");
    }
  });
  return failures;
}

int run_verify(const VerifyCommand& command) {
  std::error_code status;
  const bool is_folder = std::filesystem::is_directory(command.run, status);
  std::filesystem::path out = command.out;
  if (out.empty())
    out = is_folder ? command.run : command.run.parent_path().empty() ? "." : command.run.parent_path();
  // A run that goes on in the folder would take the results away again.
  std::optional<FolderLock> lock;
  if (std::filesystem::is_directory(out, status)) lock.emplace(out);
  const Solution solution = load_checkpoint(is_folder ? command.run / checkpoint_name : command.run);
  std::filesystem::create_directories(out, status);
  if (!lock) lock.emplace(out);
  for (const char* name : {verify_name, verify_arrays_name, verify_page_name}) check_replaceable(out / name);
  require_writable(out);
  const Cpu host(command.threads);
  catch_stop_signals();
  ProgressPrinter printer(command.quiet);
  const auto begin = std::chrono::steady_clock::now();
  ErrorEstimateOptions options;
  options.seconds = command.seconds;
  options.seed = command.seed;
  options.stop = &stop_requested();
  options.on_progress = [&](double fraction) {
    printer.show_estimate(fraction,
                          std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  };
  const ErrorEstimate estimate = estimate_error(host, solution, options);
  printer.finish();
  constexpr int by_signal = 128;
  if (estimate.windows == 0 && stop_requested()) {
    print_error("sobolev: interrupted before anything was known; nothing is written\n");
    return by_signal + stop_signal();
  }
  const std::vector<std::string> failures = write_estimate(host, solution, estimate, out);
  if (!failures.empty())
    throw FileError(
        fmt::format("the error is estimated, but not all is saved: {}", fmt::join(failures, "; ")));
  if (command.json) {
    nlohmann::ordered_json object = {{"problem", solution.problem().name}};
    object.update(estimate_object(estimate));
    object["second_solution"] = comparisons_json(solution.assessment().comparisons);
    object["page"] = (out / verify_page_name).string();
    print_json(object);
  } else if (!command.quiet) {
    print("{}\n{}", title_of(solution.problem()), estimate_text(estimate));
    for (const Comparison& c : solution.assessment().comparisons)
      print("  {}: {}\n", c.unknown, comparison_text(c));
    print("  {}\n", (out / verify_page_name).string());
  }
  return stop_requested() ? by_signal + stop_signal() : done;
}

}  // namespace sobolev::app
