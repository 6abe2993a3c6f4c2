// SPDX-License-Identifier: Apache-2.0
// What the report of a run shows.
#include <fmt/format.h>

#include "apps/sobolev/description.hpp"
#include "apps/sobolev/progress.hpp"
#include "apps/sobolev/results.hpp"
#include "sobolev/core/version.hpp"
#include "src/problem/initial_data.hpp"
#include "src/problem/interfaces.hpp"

namespace sobolev::app {
namespace {
std::vector<Report::Statement> statements_of(const Problem& problem, const Understood& understood,
                                             const Assessment& assessment) {
  std::vector<Report::Statement> out;
  for (const Equation& e : problem.equations) out.push_back({e.name, "everywhere", written(e), {}});
  for (std::size_t i = 0; i < problem.conditions.size(); ++i) {
    const Condition& c = problem.conditions[i];
    const bool exact = understood.roles[i] != Role::trained;
    out.push_back({c.name, where_text(c) + (exact ? ", " + understood.weight_text(i) : ""), written(c), {}});
  }
  if (detail::is_cut(problem)) {
    const detail::CutProblem cut(problem);
    for (const detail::InterfaceCondition& c : cut.conditions())
      out.push_back({c.name,
                     fmt::format("{} = {:g}", cut.coordinate(), cut.edges()[std::size_t(c.place) + 1]),
                     to_string(c.continuous, longest_text) + " is continuous",
                     {}});
  }
  for (std::size_t i = 0; i < out.size(); ++i)
    for (const ResidualCheck& r : assessment.residuals)
      if (r.name == out[i].name && r.condition == (i >= problem.equations.size()))
        out[i].residual = Report::Residual{r.rms, r.largest, r.scale, place_text(problem, r.place)};
  return out;
}

std::vector<std::pair<std::string, std::string>> settings_of(const Solution& solution,
                                                             const Understood& understood, int threads) {
  const Problem& problem = solution.problem();
  std::vector<std::pair<std::string, std::string>> out;
  out.emplace_back("problem", problem.name);
  out.emplace_back("network", network_text(problem));
  for (const auto& [unknown, expression] : problem.network.output)
    out.emplace_back("output", fmt::format("{} = {}", unknown, to_string(expression, longest_text)));
  for (const auto& [unknown, scale] : understood.trained.network.scale)
    out.emplace_back("size", size_text(understood.trained.network, unknown));
  if (const std::string text = interface_text(problem); !text.empty()) out.emplace_back("interfaces", text);
  if (problem.lagrangian) out.emplace_back("along characteristics", lagrangian_text(problem));
  out.emplace_back("parameters", std::to_string(solution.parameters()));
  out.emplace_back("points", points_text(problem));
  out.emplace_back("weights", understood.weights_text());
  out.emplace_back("derivatives",
                   fmt::format("{} (jets of {} channels)", fmt::join(understood.derivatives, ", "),
                               understood.jet_channels));
  out.emplace_back("time windows", windows_text(problem.training));
  out.emplace_back("causal weights", causal_text(problem.training.causal));
  for (const PhaseOptions& phase : problem.training.phases) out.emplace_back("phase", phase_text(phase));
  out.emplace_back("stops", stop_text(problem.training.stop));
  out.emplace_back("reference", reference_text(problem.reference));
  out.emplace_back("precision", arithmetic_text(problem.training));
  out.emplace_back("seed", std::to_string(problem.training.seed));
  out.emplace_back("speed", rate_text(solution.points_per_second()) + " points/s");
  out.emplace_back("set-up", duration_text(solution.setup_seconds()));
  out.emplace_back("processor", fmt::format("{}, {}, {} thread{}", Cpu::processor(), Cpu::instruction_set(),
                                            threads, threads == 1 ? "" : "s"));
  out.emplace_back("version", "sobolev " + version());
  return out;
}
}  // namespace

Report report_of(const Solution& solution, const Solution::Table& table,
                 const nlohmann::ordered_json& result) {
  const Problem& problem = solution.problem();
  const Understood understood = understand(problem);
  Report report;
  report.title = title_of(problem);
  report.doubts = solution.assessment().doubts;
  report.notes = detail::problem_notes(problem);
  report.subtitle =
      solution.finished()
          ? fmt::format("{}: {}", report.doubts.empty() ? "Finished" : "Doubtful", solution.stopped_because())
          : "Interrupted; resuming goes on";
  for (const auto& [name, value] : solution.constants())
    report.results.emplace_back("constant " + name, fmt::format("{:.8g}", value));
  for (const auto& [unknown, error] : solution.relative_l2())
    report.results.emplace_back("relative L2 error of " + unknown, fmt::format("{:.2e}", error));
  for (const auto& [unknown, error] : solution.max_error())
    report.results.emplace_back("largest error of " + unknown, fmt::format("{:.2e}", error));
  for (const Comparison& c : solution.assessment().comparisons)
    report.results.emplace_back(c.unknown, comparison_text(c));
  report.results.emplace_back("loss", fmt::format("{:.2e}", solution.loss()));
  report.results.emplace_back("training", duration_text(solution.seconds()));
  report.results.emplace_back("iterations", std::to_string(solution.iterations()));
  report.statements = statements_of(problem, understood, solution.assessment());
  report.settings = settings_of(solution, understood, result.at("threads").get<int>());
  for (const HistoryRow& row : history_to_the_end(solution))
    report.history.push_back({row.seconds, row.loss, row.relative_l2});
  report.coordinates = table.coordinates;
  report.axes = table.axes;
  report.time = problem.time();
  report.prediction = table.prediction;
  report.reference = table.reference;
  report.residual = table.residual;
  report.source = problem.source;
  return report;
}

}  // namespace sobolev::app
