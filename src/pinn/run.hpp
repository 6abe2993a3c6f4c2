// SPDX-License-Identifier: Apache-2.0
#pragma once
// The training of a problem: its windows one after another, checkpoints, what the loop asks for.
#include <fmt/format.h>

#include <optional>

#include "residual_check.hpp"
#include "sobolev/core/profile.hpp"
#include "src/problem/defaults.hpp"
#include "src/training/loop.hpp"
#include "window_trainer.hpp"

namespace sobolev::detail {
inline constexpr int checked_points = 500;  // fresh ones, during training

inline const Cpu& multiplying(const Cpu& executor, Products) { return executor; }
#if SOBOLEV_HAS_CUDA
inline Cuda multiplying(const Cuda& executor, Products products) { return executor.with(products); }
#endif

/// One run from where the state stands until it is finished or told to stop. E is where it trains; `host`
/// does the rest: points, previous windows, errors.
template <class E>
class Run final : public Surroundings {
 public:
  Run(const Cpu& host, const E& executor, Solution& solution, const SolveOptions& options)
      : cpu_(host),
        executor_(multiplying(executor, solution.state().problem.training.products)),
        solution_(solution),
        options_(options),
        state_(solution.state()),
        training_(state_.problem.training),
        start_(Clock::now()),
        seconds_before_(state_.seconds),
        any_good_(state_.iterations > 0) {}

  void all_windows() {
    windows();
    state_.seconds = elapsed();
    finish_reports();
  }

  double elapsed() const override { return seconds_before_ + since(start_); }
  bool has_reference() const override { return state_.problem.reference.given(); }
  double worst_error() override {
    const profile::Range range(cpu_, "errors against the reference");
    double worst = 0;
    for (const auto& [name, value] : measure_errors(cpu_, evaluators_on(cpu_, executor_), state_).relative_l2)
      if (std::isnan(value) || value > worst) worst = value;  // what is no number is no small error
    return worst;
  }
  double worst_residual() override {
    const profile::Range range(cpu_, "residuals on fresh points");
    if (!checker_) checker_.emplace(cpu_, state_.problem, state_.trained, checked_points);
    return checker_->worst(checker_->fresh(state_.window, state_.parameters));
  }
  bool interrupted() const override { return options_.stop && options_.stop->load(); }
  bool wants_progress() const override {
    return options_.on_progress && since(last_progress_) > options_.progress_seconds;
  }
  void progress(const Progress& progress) override {
    last_progress_ = Clock::now();
    options_.on_progress(progress);
  }
  bool wants_checkpoint() const override {
    return options_.checkpoint_seconds > 0 && !options_.checkpoint.empty() &&
           since(last_checkpoint_) > options_.checkpoint_seconds;
  }
  /// A disk that is full for a while must not end a training.
  void checkpoint() override {
    try {
      save();
    } catch (const FileError& error) {
      if (options_.on_warning)
        options_.on_warning(
            fmt::format("the state after {} iterations is not saved: {}; the training goes on",
                        state_.iterations, error.what()));
    }
    last_checkpoint_ = Clock::now();
  }
  void good() override { any_good_ = true; }
  [[noreturn]] void diverged(const std::string& message) override {
    state_.finished = false;
    state_.stopped_because = "diverged";
    state_.seconds = elapsed();
    if (!any_good_) throw DivergenceError(message + ". There was no good state before it: nothing is saved");
    if (state_.window > 0 && state_.phase == 0 && state_.phase_iteration == 0) {
      // The window has not begun: the last good state ends with the one before.
      state_.parameters.resize(std::size_t(state_.window));
      state_.weights.clear();
    }
    if (options_.checkpoint.empty()) throw DivergenceError(message);
    std::string kept;
    try {
      save();
      kept = fmt::format("The last state with a finite loss, after {} iterations, is in {}",
                         state_.iterations, options_.checkpoint.string());
    } catch (const FileError& error) {
      kept = fmt::format("The last state with a finite loss, after {} iterations, is lost: {}",
                         state_.iterations, error.what());
    }
    throw DivergenceError(fmt::format("{}. {}", message, kept));
  }

 private:
  void windows() {
    Continuation chain(cpu_, state_.trained, WindowTrainer<double, E>::continuation_values(state_.trained),
                       relabelled(state_.problem));
    std::string reason = all_done;
    while (state_.window < training_.windows) {
      Next next = Next::next_phase;
      const auto& phases = training_.phases;
      const auto precision = [&](int i) {
        return phases[std::size_t(i)].precision.value_or(training_.precision);
      };
      while (next == Next::next_phase && state_.phase < int(phases.size())) {
        int end = state_.phase + 1;
        while (end < int(phases.size()) && precision(end) == precision(state_.phase)) ++end;
        next = precision(state_.phase) == Precision::float32 ? train<float>(chain, end, reason)
                                                             : train<double>(chain, end, reason);
      }
      if (next == Next::stop && !state_.finished) return;  // interrupted
      if (next == Next::stop && state_.window + 1 < training_.windows) return;
      state_.stalled = state_.stalled || reason == exhausted || reason == stands_still;
      state_.phase = 0;
      if (++state_.window < training_.windows) state_.generation = 0;  // the last points stay known
      state_.weights.clear();
      state_.window_start = elapsed();
      state_.begin_phase();
    }
    state_.window = training_.windows;
    if (state_.finished) return;
    state_.finished = true;
    state_.stopped_because = training_.windows > 1 ? "all windows done" : reason;
  }

  /// The phases up to number `end` of a window, all in one precision.
  template <class T>
  Next train(Continuation& chain, int end, std::string& reason) {
    std::optional<WindowTrainer<T, E>> trainer;
    try {
      trainer.emplace(cpu_, executor_, state_, chain);
    } catch (const NotFinite& error) {
      if (!any_good_) throw;
      diverged(error.what());
    }
    std::vector<double>& parameters = state_.parameters.back();
    // Before any phase begins, not when its turn comes.
    for (const PhaseOptions& phase : training_.phases) check_optimizer(phase, parameters.size());
    Loop<T, E> loop(executor_, *trainer, training_, state_, parameters, *this);
    const Next next = loop.phases(end);
    reason = loop.reason();
    return next;
  }

  void save() {
    solution_.save(options_.checkpoint, [&] {
      if (!saved_once_ && options_.before_first_checkpoint) options_.before_first_checkpoint();
      saved_once_ = true;
    });
  }

  void finish_reports() {
    state_.errors.reset();
    state_.assessment.reset();
    state_.not_saved.clear();
    if (options_.checkpoint.empty()) return;
    try {
      save();
    } catch (const FileError& error) {
      state_.not_saved = error.what();
    }
  }

  Cpu cpu_;
  E executor_;
  Solution& solution_;
  const SolveOptions& options_;
  Solution::State& state_;
  const TrainingOptions& training_;
  Clock::time_point start_, last_progress_ = Clock::now(), last_checkpoint_ = Clock::now();
  double seconds_before_;
  bool any_good_;  // some state of this run had a finite loss
  bool saved_once_ = false;
  std::optional<ResidualChecker> checker_;
};

}  // namespace sobolev::detail
