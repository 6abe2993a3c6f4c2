// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sobolev/core/executor.hpp"
#include "sobolev/core/view.hpp"
#include "sobolev/pinn/problem.hpp"

namespace sobolev {

/// One line of the training history.
struct HistoryRow {
  long iteration = 0;  // over all windows and phases
  int window = 0;
  int phase = 0;
  double seconds = 0;  // training time so far, over interruptions
  double loss = 0;
  std::optional<double> relative_l2;
};

struct Progress {
  HistoryRow row;
  int windows = 1;
  double points_per_second = 0;
  double fraction = 0;  // of the run, estimated, 0 … 1
};

/// What a solved problem stands for: the networks of its time windows and how they came about. A solution
/// made by Solution() or moved from is empty: asked for anything that needs a network or a problem it throws
/// ArgumentError.
class Solution {
 public:
  Solution();
  Solution(Solution&&) noexcept;
  Solution& operator=(Solution&&) noexcept;
  ~Solution();

  const Problem& problem() const;
  /// points : [N, D] in coordinate order. Each output is an expression in the problem's names
  /// (an unknown, a derivative, anything built of them) or the name of an equation (its residual).
  /// Result: one vector of N values per output. A point outside the domain in time is an ArgumentError, a
  /// name that the problem has not an ArgumentError (ParseError where it stands in a text).
  std::vector<std::vector<double>> evaluate(const Cpu&, View<const double, 2> points,
                                            const std::vector<std::string>& outputs) const;
  std::vector<std::vector<double>> evaluate(const Cpu&, View<const double, 2> points,
                                            const std::vector<Expr>& outputs) const;

  const std::vector<HistoryRow>& history() const;
  std::string stopped_because() const;
  bool finished() const;         // false: interrupted; resuming goes on
  double seconds() const;        // training
  double setup_seconds() const;  // reading, reference, first touch
  double points_per_second() const;
  double loss() const;
  long iterations() const;
  std::size_t parameters() const;  // of one window's network

  /// The error against the reference, where the problem has one, by unknown. A solution that was loaded
  /// makes the reference when it is first asked for; what make_reference throws comes from here then.
  std::map<std::string, double> relative_l2() const;
  std::map<std::string, double> max_error() const;
  /// The grid the error was measured on, prediction, reference and error, each flat in row-major
  /// order of the grid's coordinates. Without a reference: prediction on a default grid.
  struct Table {
    std::vector<std::string> coordinates;
    std::vector<std::vector<double>> axes;
    std::map<std::string, std::vector<double>> prediction, reference;
  };
  Table table(const Cpu&) const;

  /// The whole training state: resume goes on from it to the same bits; where a problem assembled in C++ is
  /// loaded in another process, to rounding, since its text may be read in another order.
  void save(const std::filesystem::path& checkpoint) const;
  static Solution load(const std::filesystem::path& checkpoint);
  /// The same where the problem cannot be written as text (Problem::to_toml) or is at hand anyway: it must be
  /// the one that was solved; ArgumentError where the file says otherwise.
  static Solution load(const std::filesystem::path& checkpoint, const Problem& problem);
  /// Given weights (safetensors with layers.<l>.weight [out, in] and layers.<l>.bias [out]) for the
  /// problem's network, one window.
  static Solution from_weights(const Problem& problem, const std::filesystem::path& weights);

  struct State;
  State& state();
  const State& state() const;

 private:
  static Solution read_checkpoint(const std::filesystem::path& checkpoint, const Problem* given);
  std::unique_ptr<State> state_;
};

struct SolveOptions {
  std::function<void(const Progress&)> on_progress;  // called between iterations, on the caller's thread
  const std::atomic<bool>* stop = nullptr;           // set it to stop cleanly after the current iteration
  std::filesystem::path checkpoint;                  // written every checkpoint_seconds and at the end
  double checkpoint_seconds = 5;
  double progress_seconds = 0.25;
};

/// Trains a network (one per time window) until the problem's stop rules hold. The same problem and
/// seed give the same bits on the same instruction set, whatever the number of threads, unless a
/// limit in seconds cuts the run. Throws DivergenceError when the loss is not finite; the last good
/// state is then in options.checkpoint.
Solution solve(const Cpu&, const Problem&, const SolveOptions& = {});
/// Goes on with an interrupted run.
Solution resume(const Cpu&, Solution interrupted, const SolveOptions& = {});

/// The same with the training on a device; the host's threads make points, references and errors. An
/// iteration of Adam is a CUDA graph whose loss is looked at every tenth time: stop.loss and a loss that is
/// not finite are noticed that much later. Checkpoints of either executor can be resumed on the other.
Solution solve(const Cuda&, const Problem&, const SolveOptions& = {}, const Cpu& host = Cpu());
Solution resume(const Cuda&, Solution interrupted, const SolveOptions& = {}, const Cpu& host = Cpu());

}  // namespace sobolev
