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
#include "sobolev/problem/problem.hpp"
#include "sobolev/training/progress.hpp"

namespace sobolev {

/// How well a solution keeps one equation or condition, on points it was not trained on.
struct ResidualCheck {
  std::string name;
  bool condition = false;       // else an equation
  double rms = 0, largest = 0;  // of left − right as written, in the problem's units
  double training_rms = 0;      // the same on the training points
  double scale = 0;             // rms of its largest term; of a condition's terms in the interior too
  std::vector<double> place;    // of the largest, in coordinate order
};

/// How far an unknown lies from a second solution of the same equations and conditions, by collocation with
/// polynomials, in the relative L2 norm on a grid.
struct Comparison {
  std::string unknown;    // or an unknown constant
  double difference = 0;  // between the two
  double accuracy = 0;    // between the second solution and a coarser one: what the difference is known to
};

/// What an answer is worth without a reference to compare it with. Small residuals are necessary, not
/// sufficient: docs/command.md.
struct Assessment {
  std::vector<ResidualCheck> residuals;  // equations, then conditions, in the problem's order
  std::vector<Comparison> comparisons;   // empty: a second solution cannot be had at little cost
  std::vector<std::string> doubts;       // plain sentences, each with a remedy; empty: none
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
  /// The networks on a device (those of windows before a point's own on the host): for millions of points.
  std::vector<std::vector<double>> evaluate(const Cuda&, View<const double, 2> points,
                                            const std::vector<std::string>& outputs,
                                            const Cpu& host = Cpu()) const;
  std::vector<std::vector<double>> evaluate(const Cuda&, View<const double, 2> points,
                                            const std::vector<Expr>& outputs, const Cpu& host = Cpu()) const;

  const std::vector<HistoryRow>& history() const;
  std::string stopped_because() const;
  bool finished() const;         // false: interrupted; resuming goes on
  double seconds() const;        // training
  double setup_seconds() const;  // reading, reference, first touch
  double points_per_second() const;
  double loss() const;
  long iterations() const;
  std::size_t parameters() const;  // of one window's network
  int windows() const;  // of time, as many as there are or will be; those begun, where it is chosen

  /// The constants that were to be found (Problem::unknown_constants).
  std::map<std::string, double> constants() const;
  /// The error against the reference, where the problem has one, by unknown. A solution that was loaded
  /// makes the reference when it is first asked for; what make_reference throws comes from here then.
  std::map<std::string, double> relative_l2() const;
  std::map<std::string, double> max_error() const;
  /// Residuals on fresh points, and doubts; worked out when first asked for. Of up to eight windows where
  /// there are more.
  const Assessment& assessment() const;
  /// The grid the error was measured on, prediction, reference and error, each flat in row-major
  /// order of the grid's coordinates. Without a reference: prediction on a default grid.
  struct Table {
    std::vector<std::string> coordinates;
    std::vector<std::vector<double>> axes;
    std::map<std::string, std::vector<double>> prediction, reference;
    std::map<std::string, std::vector<double>> residual;  // |left − right| of each equation
  };
  Table table(const Cpu&) const;

  /// Why the checkpoint at the end of solve or resume could not be written; empty: it was, or none was asked
  /// for. The solution is whole all the same.
  const std::string& not_saved() const;
  /// The instruction set that a loaded checkpoint was written on, as Cpu::instruction_set(): on another one
  /// a resumed run ends with other bits. Empty: not known.
  const std::string& instruction_set() const;

  /// The whole training state: resume goes on from it to the same bits; where a problem assembled in C++ is
  /// loaded in another process, to rounding, since its text may be read in another order.
  /// before_rename as for atomic_write.
  void save(const std::filesystem::path& checkpoint, const std::function<void()>& before_rename = {}) const;
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
  /// Called once, when the first checkpoint is on the disk and before it takes its name: the time to remove
  /// what an earlier run left beside it. What it throws (FileError) keeps the checkpoint from being written.
  std::function<void()> before_first_checkpoint;
  /// Called when a checkpoint could not be written during the training, which goes on and tries again.
  std::function<void(const std::string&)> on_warning;
  double progress_seconds = 0.25;
};

/// Trains a network (one per time window) until the problem's stop rules hold. The same problem and
/// seed give the same bits on the same instruction set, whatever the number of threads, unless a
/// limit in seconds cuts the run. Throws DivergenceError when the loss is not finite, or an equation at newly
/// drawn points; the last state with a finite loss, if there was one, is then in options.checkpoint. A
/// checkpoint that cannot be written at the end is no error here: see Solution::not_saved.
Solution solve(const Cpu&, const Problem&, const SolveOptions& = {});
/// Goes on with an interrupted run.
Solution resume(const Cpu&, Solution interrupted, const SolveOptions& = {});

/// The same with the training on a device; the host's threads make points, references and errors. An
/// iteration of Adam is a CUDA graph whose loss is looked at every tenth time: stop.loss is noticed that much
/// later (a loss that is not finite, too, but the iterations are then done again one by one). Checkpoints of
/// either executor can be resumed on the other.
Solution solve(const Cuda&, const Problem&, const SolveOptions& = {}, const Cpu& host = Cpu());
Solution resume(const Cuda&, Solution interrupted, const SolveOptions& = {}, const Cpu& host = Cpu());

}  // namespace sobolev
