// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>

#include "apps/sobolev/commands.hpp"
#include "apps/sobolev/console.hpp"
#include "apps/sobolev/description.hpp"
#include "apps/sobolev/earlier_files.hpp"
#include "apps/sobolev/progress.hpp"
#include "apps/sobolev/results.hpp"
#include "apps/sobolev/stop_signals.hpp"
#if SOBOLEV_HAS_CUDA
#include "sobolev/core/cuda.hpp"
#endif
#include "sobolev/core/error.hpp"
#include "sobolev/core/profile.hpp"
#include "sobolev/io/atomic_file.hpp"
#include "sobolev/io/folder_lock.hpp"
#include "src/problem/initial_data.hpp"

namespace sobolev::app {
namespace {
Problem read_problem(const SolveCommand& command) {
  std::vector<std::string> overrides = command.overrides;
  if (command.seed) overrides.push_back(fmt::format("training.seed={}", *command.seed));
  return Problem::from_file(find_problem(command.problem), overrides);
}

Solution read_interrupted(const SolveCommand& command) {
  if (!command.overrides.empty() || command.seed)
    throw ArgumentError(
        "--resume goes on with the settings of the run; leave out --set and --seed, or start a new run");
  Solution solution = load_checkpoint(command.resume / checkpoint_name);
  if (!command.problem.empty() && read_problem(command).source != solution.problem().source)
    throw ArgumentError(fmt::format(
        "{} is not the problem that {} solves (or was changed since); leave it out to go on, or start "
        "a new run without --resume",
        command.problem, command.resume.string()));
  return solution;
}

/// Of checkpoints that could not be written: the first at once, then one a minute.
class Warnings {
 public:
  void show(const std::string& message) {
    constexpr std::chrono::minutes between{1};
    const auto now = std::chrono::steady_clock::now();
    if (shown_ && now - last_ < between) return;
    shown_ = true;
    last_ = now;
    print_error("sobolev: warning: {}\n", message);
  }

 private:
  bool shown_ = false;
  std::chrono::steady_clock::time_point last_;
};

/// On stderr: stdout may be JSON.
void print_profile() {
  double total = 0;
  for (const profile::Entry& entry : profile::entries()) total += entry.self_seconds;
  print_error("{:<42}{:>10}{:>12}{:>12}{:>8}\n", "operation", "calls", "ms per call", "seconds", "%");
  for (const profile::Entry& entry : profile::entries())
    print_error("{:<42}{:>10}{:>12.4f}{:>12.3f}{:>8.1f}\n", entry.name, entry.calls,
                1e3 * entry.self_seconds / double(entry.calls), entry.self_seconds,
                100 * entry.self_seconds / std::max(total, 1e-300));
}

Solution solve_on([[maybe_unused]] const DeviceChoice& device, const Cpu& host, const Problem& problem,
                  const SolveOptions& options) {
#if SOBOLEV_HAS_CUDA
  if (device.cuda) return solve(Cuda(device.index), problem, options, host);
#endif
  return solve(host, problem, options);
}
Solution resume_on([[maybe_unused]] const DeviceChoice& device, const Cpu& host, Solution interrupted,
                   const SolveOptions& options) {
#if SOBOLEV_HAS_CUDA
  if (device.cuda) return resume(Cuda(device.index), std::move(interrupted), options, host);
#endif
  return resume(host, std::move(interrupted), options);
}

void print_summary(const Solution& solution, const std::filesystem::path& folder,
                   const ErrorEstimate* estimate) {
  const Problem& problem = solution.problem();
  const Assessment& assessment = solution.assessment();
  const std::string reason = solution.finished() ? fmt::format(" ({})", solution.stopped_because()) : "";
  const char* headline = !solution.finished()         ? "interrupted"
                         : !assessment.doubts.empty() ? "doubtful"
                                                      : "finished";
  print("{}: {} after {}{}\n", title_of(problem), headline, duration_text(solution.seconds()), reason);
  for (const std::string& doubt : assessment.doubts) print("  doubt: {}\n", doubt);
  for (const auto& [name, value] : solution.constants()) print("  {} = {:.8g}\n", name, value);
  const auto largest = solution.max_error();
  for (const auto& [unknown, error] : solution.relative_l2()) {
    print("  {}: relative L2 error {:.2e}", unknown, error);
    if (const auto found = largest.find(unknown); found != largest.end())
      print(", largest error {:.2e}", found->second);
    print("\n");
  }
  for (const Comparison& c : assessment.comparisons) print("  {}: {}\n", c.unknown, comparison_text(c));
  if (estimate != nullptr) print("{}", estimate_text(*estimate));
  for (const ResidualCheck& r : assessment.residuals) {
    const char* what = r.condition ? "condition" : "equation";
    if (r.largest == 0)
      print("  {} {}: holds exactly\n", what, r.name);
    else
      print("  {} {}: residual rms {:.2e}, largest {:.2e} at {}; its largest term {:.2e}\n", what, r.name,
            r.rms, r.largest, place_text(problem, r.place), r.scale);
  }
  print("  loss {:.2e}, {} iterations, {} parameters, {} points/s\n", solution.loss(), solution.iterations(),
        solution.parameters(), rate_text(solution.points_per_second()));
  print("  report: {}\n", (folder / report_name).string());
}

void note_instruction_set(const Solution& solution) {
  const std::string &before = solution.instruction_set(), now = Cpu::instruction_set();
  if (!before.empty() && before != now)
    print_error(
        "sobolev: note: this run was trained with {} so far and goes on with {}; the bits of a run that was "
        "never interrupted are others\n",
        before, now);
}

/// The error on the grid of the report; empty where nothing is known of it.
std::optional<ErrorEstimate> estimate(const Cpu& host, const Solution& solution, bool quiet) {
  ProgressPrinter printer(quiet);
  const auto begin = std::chrono::steady_clock::now();
  ErrorEstimateOptions options;
  options.axes = solution.table(host).axes;
  options.stop = &stop_requested();
  options.on_progress = [&](double fraction) {
    printer.show_estimate(fraction,
                          std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  };
  ErrorEstimate found = estimate_error(host, solution, options);
  printer.finish();
  if (found.windows == 0) return {};
  return found;
}

/// What is said at the end, and the exit code.
int report(const SolveCommand& command, const Solution& solution, const nlohmann::ordered_json& result,
           const std::filesystem::path& folder, const std::vector<std::string>& failures,
           const ErrorEstimate* estimate) {
  if (command.profile) print_profile();
  if (!failures.empty())
    throw FileError(fmt::format("{} after {}, but not all is saved: {}",
                                solution.finished() ? "finished" : "interrupted",
                                duration_text(solution.seconds()), fmt::join(failures, "; ")));
  if (command.json)
    print_json(result);
  else if (!command.quiet)
    print_summary(solution, folder, estimate);
  if (solution.finished()) return command.strict && !solution.assessment().doubts.empty() ? doubtful : done;
  print_error("sobolev: interrupted; the state is saved. To go on: sobolev solve --resume {}\n",
              folder.string());
  constexpr int by_signal = 128;
  return by_signal + stop_signal();
}
}  // namespace

int run_solve(const SolveCommand& command) {
  constexpr double shortest = 0.001, longest = 1e9;  // seconds between checkpoints
  const DeviceChoice device = parse_device(command.device);
  if (command.problem.empty() && command.resume.empty())
    throw ArgumentError("which problem? Give a file or a name (sobolev list), or --resume DIR");
  if (!(command.checkpoint_every >= shortest && command.checkpoint_every <= longest))  // not a number as well
    throw ArgumentError(fmt::format("--checkpoint-every {}: give seconds from {} to {}",
                                    command.checkpoint_every, shortest, longest));
  const Cpu host(command.threads);
  const bool resuming = !command.resume.empty(), in_place = resuming && command.out.empty();
  // What is read must still be there when it is written again.
  std::optional<FolderLock> lock;
  std::error_code missing;
  if (in_place && std::filesystem::is_directory(command.resume, missing)) lock.emplace(command.resume);
  Solution solution;
  Problem problem;
  if (resuming) {
    solution = read_interrupted(command);
    problem = solution.problem();
  } else {
    problem = read_problem(command);
  }
  const bool was_finished = solution.finished();
  const std::filesystem::path folder = !command.out.empty() ? command.out
                                       : resuming           ? command.resume
                                                            : std::filesystem::path("runs") / problem.name;
  require_writable(folder, 0);
  if (!lock) lock.emplace(folder);
  remove_abandoned_files(folder);
  constexpr std::size_t room = std::size_t{1} << 20;  // about what the results take: better to fail now
  require_writable(folder, room);
  EarlierFiles earlier(
      folder, in_place || (resuming && std::filesystem::equivalent(folder, command.resume, missing)));
  earlier.check_replaceable();
  if (resuming && !was_finished) note_instruction_set(solution);

  catch_stop_signals();
  ProgressPrinter printer(command.quiet);
  Warnings warnings;
  bool checkpoint_written = false;
  SolveOptions options;
  options.on_progress = [&](const Progress& progress) { printer.show(progress); };
  options.stop = &stop_requested();
  options.checkpoint = folder / checkpoint_name;
  options.checkpoint_seconds = command.checkpoint_every;
  options.before_first_checkpoint = [&] {
    earlier.make_way_for_checkpoint();
    checkpoint_written = true;
  };
  options.on_warning = [&](const std::string& message) {
    printer.finish();
    warnings.show(message);
  };
  if (!command.quiet)
    for (const std::string& note : detail::problem_notes(problem)) print_error("sobolev: note: {}\n", note);
  profile::enable(command.profile);
  try {
    solution = resuming ? resume_on(device, host, std::move(solution), options)
                        : solve_on(device, host, problem, options);
  } catch (...) {
    printer.finish();
    throw;
  }
  printer.finish();
  profile::enable(false);

  std::vector<std::string> failures;
  if (!solution.not_saved().empty()) failures.push_back(solution.not_saved());
  // A run that was finished before trains and saves nothing: its checkpoint comes along to another folder.
  if (was_finished && !in_place && !checkpoint_written) {
    try {
      solution.save(options.checkpoint, options.before_first_checkpoint);
    } catch (const FileError& error) {
      failures.emplace_back(error.what());
    }
  }
  nlohmann::ordered_json result = result_object(device, host, solution);
  std::vector<std::string> unwritten = write_results(host, solution, result, folder, [&] {
    if (!(was_finished && in_place)) earlier.make_way_for_result();
  });
  std::optional<ErrorEstimate> error;
  if (command.verify && solution.finished() && !stop_requested())
    error = estimate(host, solution, command.quiet);
  if (error) {
    result["verify"] = estimate_object(*error);
    unwritten = write_results(host, solution, result, folder, {}, &*error);
    for (std::string& failure : write_estimate(host, solution, *error, folder))
      unwritten.push_back(std::move(failure));
  }
  failures.insert(failures.end(), unwritten.begin(), unwritten.end());
  return report(command, solution, result, folder, failures, error ? &*error : nullptr);
}

}  // namespace sobolev::app
