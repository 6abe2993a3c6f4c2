// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <csignal>

#include "apps/sobolev/commands.hpp"
#include "apps/sobolev/progress.hpp"
#include "apps/sobolev/results.hpp"
#if SOBOLEV_HAS_CUDA
#include "sobolev/core/cuda.hpp"
#endif
#include "sobolev/core/error.hpp"
#include "sobolev/core/profile.hpp"
#include "sobolev/io/atomic_file.hpp"
#include "src/pinn/initial_data.hpp"

namespace sobolev::app {
namespace {
std::atomic<bool> stop_requested{false};
std::atomic<int> caught_signal{0};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

/// The first signal asks for a clean stop; a second one ends the program at once.
extern "C" void request_stop(int signal) {
  caught_signal = signal;
  stop_requested = true;
  std::signal(signal, SIG_DFL);
}

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

/// A folder holds one run: results of an earlier one would belong to another checkpoint.
void remove_old_results(const std::filesystem::path& folder) {
  for (const char* name : {result_name, history_name, solution_name, report_name, checkpoint_name}) {
    std::error_code status;
    std::filesystem::remove(folder / name, status);
    if (status)
      throw FileError(fmt::format("cannot remove {}: {}", (folder / name).string(), status.message()));
  }
}

/// On stderr: stdout may be JSON.
void print_profile() {
  double total = 0;
  for (const profile::Entry& entry : profile::entries()) total += entry.self_seconds;
  fmt::print(stderr, "{:<42}{:>10}{:>12}{:>12}{:>8}\n", "operation", "calls", "ms per call", "seconds", "%");
  for (const profile::Entry& entry : profile::entries())
    fmt::print(stderr, "{:<42}{:>10}{:>12.4f}{:>12.3f}{:>8.1f}\n", entry.name, entry.calls,
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

void print_summary(const Solution& solution, const std::filesystem::path& folder) {
  const Problem& problem = solution.problem();
  const std::string reason = solution.finished() ? fmt::format(" ({})", solution.stopped_because()) : "";
  fmt::print("{}: {} after {}{}\n", problem.title.empty() ? problem.name : problem.title,
             solution.finished() ? "finished" : "interrupted", duration_text(solution.seconds()), reason);
  const auto largest = solution.max_error();
  for (const auto& [unknown, error] : solution.relative_l2()) {
    fmt::print("  {}: relative L2 error {:.2e}", unknown, error);
    if (const auto found = largest.find(unknown); found != largest.end())
      fmt::print(", largest error {:.2e}", found->second);
    fmt::print("\n");
  }
  fmt::print("  loss {:.2e}, {} iterations, {} parameters, {} points/s\n", solution.loss(),
             solution.iterations(), solution.parameters(), rate_text(solution.points_per_second()));
  fmt::print("  report: {}\n", (folder / report_name).string());
}
}  // namespace

int run_solve(const SolveCommand& command) {
  const DeviceChoice device = parse_device(command.device);
  if (command.problem.empty() && command.resume.empty())
    throw ArgumentError("which problem? Give a file or a name (sobolev list), or --resume DIR");
  const Cpu host(command.threads);
  const bool resuming = !command.resume.empty();
  Solution solution;
  Problem problem;
  if (resuming) {
    solution = read_interrupted(command);
    problem = solution.problem();
  } else {
    problem = read_problem(command);
  }
  const std::filesystem::path folder = !command.out.empty() ? command.out
                                       : resuming           ? command.resume
                                                            : std::filesystem::path("runs") / problem.name;
  constexpr std::size_t room = std::size_t{1} << 20;  // about what the results take: better to fail now
  require_writable(folder, room);
  if (!resuming) remove_old_results(folder);

  std::signal(SIGINT, request_stop);
  std::signal(SIGTERM, request_stop);
  ProgressPrinter printer(command.quiet, problem.training.windows);
  SolveOptions options;
  options.on_progress = [&](const Progress& progress) { printer.show(progress); };
  options.stop = &stop_requested;
  options.checkpoint = folder / checkpoint_name;
  options.checkpoint_seconds = command.checkpoint_every;
  if (!command.quiet)
    for (const std::string& note : detail::problem_notes(problem)) fmt::print(stderr, "note: {}\n", note);
  profile::enable(command.profile);
  try {
    solution = resuming ? resume_on(device, host, std::move(solution), options)
                        : solve_on(device, host, problem, options);
  } catch (const DivergenceError& error) {
    printer.finish();
    throw DivergenceError(
        fmt::format("{}\nThe last good state is in {}.", error.what(), options.checkpoint.string()));
  } catch (...) {
    printer.finish();
    throw;
  }
  printer.finish();
  profile::enable(false);

  const nlohmann::ordered_json result = result_object(device, host, solution);
  write_results(host, solution, result, folder);
  if (command.json)
    print_json(result);
  else if (!command.quiet)
    print_summary(solution, folder);
  if (command.profile) print_profile();
  if (solution.finished()) return done;
  fmt::print(stderr, "sobolev: interrupted; the state is saved. To go on: sobolev solve --resume {}\n",
             folder.string());
  constexpr int by_signal = 128;
  return by_signal + (caught_signal != 0 ? caught_signal.load() : SIGINT);
}

}  // namespace sobolev::app
