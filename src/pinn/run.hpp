// SPDX-License-Identifier: Apache-2.0
#pragma once
// The training of a problem: its windows one after another, checkpoints, what the loop asks for.
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <optional>

#include "residual_check.hpp"
#include "second_solution.hpp"
#include "sobolev/core/profile.hpp"
#include "src/problem/defaults.hpp"
#include "src/training/loop.hpp"
#include "window_lengths.hpp"
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
        any_good_(state_.iterations > 0) {
    if (training_.windows != automatic_windows) return;
    lengths_.emplace(time_range().second - time_range().first);
    if (!state_.lengths.empty()) lengths_->set_numbers(state_.lengths);
  }

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
  bool last_window() const override {
    return window_range(state_.problem, state_.window).second == time_range().second;
  }
  double before_window() const override {
    return share_before(window_range(state_.problem, state_.window).first);
  }
  double share_of_window() const override {
    return share_before(window_range(state_.problem, state_.window).second) - before_window();
  }
  int expected_windows() const override {
    if (!lengths_) return training_.windows;
    return state_.window + std::max(1, int(std::lround((1 - before_window()) / share_of_window())));
  }
  bool share_used() const override {
    if (lengths_ && !lengths_->judged()) return false;
    const StopOptions& stop = training_.stop;
    return (stop.seconds > 0 || (lengths_ && stop.iterations > 0)) && used_share() >= 1;
  }
  bool look_at_window(bool over) const override {
    return lengths_ && state_.phase == 0 && lengths_->due(state_.phase_iteration, over);
  }
  bool again(bool over) override {
    const double left = training_.stop.seconds > 0 ? training_.stop.seconds - elapsed()
                        : training_.stop.iterations > 0
                            ? double(training_.stop.iterations - state_.iterations)
                            : std::numeric_limits<double>::infinity();
    const double iteration = training_.stop.seconds > 0 ? (elapsed() - state_.window_start) /
                                                              double(std::max(1l, state_.phase_iteration))
                                                        : 1;
    const PhaseOptions& phase = training_.phases[std::size_t(state_.phase)];
    const bool stalled =
        over && std::isfinite(left) && (phase.iterations == 0 || state_.phase_iteration < phase.iterations) &&
        left >
            0.5 * (training_.stop.seconds > 0 ? training_.stop.seconds : double(training_.stop.iterations));
    first_attempt_ = lengths_->first_attempt();
    double worst = worst_residual();
    if (state_.window == 0 || state_.problem.coordinates.size() == 1)
      worst = std::max(worst, distance_when_wrong());
    verdict_ = lengths_->look(state_.phase_iteration, over, worst,
                              time_range().second - window_range(state_.problem, state_.window).first,
                              {left, iteration, stalled});
    return verdict_ != WindowLengths::Verdict::go_on;
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
      if (lengths_) {
        state_.problem.training.window_ends.resize(std::size_t(state_.window));
        state_.trained.training.window_ends = state_.problem.training.window_ends;
      }
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
  /// From a second solution of what is trained so far, where that says that it is wrong; else 0.
  double distance_when_wrong() {
    const profile::Range range(cpu_, "second solution");
    double farthest = 0;
    for (const Comparison& c : compare_with_collocation(
             cpu_, state_, work_for_comparison(state_, checker_->rows(state_.window, state_.generation))))
      if (wrong(c)) farthest = std::max(farthest, c.difference);
    return farthest;
  }
  void windows() {
    Continuation chain(cpu_, state_.trained, WindowTrainer<double, E>::continuation_values(state_.trained),
                       relabelled(state_.problem));
    std::string reason = all_done;
    while (!all_trained()) {
      begin_window();
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
      if (next == Next::stop && !last_window()) return;
      if (next == Next::same_window) {
        forget_window();
        continue;
      }
      state_.stalled = state_.stalled || reason == exhausted || reason == stands_still;
      if (lengths_) lengths_->accepted(used_share());
      if (!last_window()) {  // the last points stay known
        state_.generation = 0;
        state_.gathered.clear();
      }
      ++state_.window;
      at_start_of_window();
      state_.kept_parameters.clear();
    }
    if (state_.finished) return;
    state_.finished = true;
    state_.stopped_because = state_.window > 1 ? "all windows done" : reason;
  }

  std::pair<double, double> time_range() const {
    const Problem& p = state_.problem;
    if (p.time() < 0) return {0, 0};
    const CoordinateRange& time = p.coordinates[std::size_t(p.time())];
    return {time.low, time.high};
  }
  double share_before(double t) const {
    const auto [low, high] = time_range();
    return high > low ? (t - low) / (high - low) : t > low ? 1.0 : 0.0;
  }
  /// What the window has used of its share of the seconds that were left when it began; where lengths are
  /// chosen while training, of the iterations too. 1 where nothing is limited.
  double used_share() const {
    const double share = share_of_window() / (1 - before_window());
    const StopOptions& stop = training_.stop;
    double used = -1;
    if (stop.seconds > 0)
      used = (elapsed() - state_.window_start) / std::max(1e-9, (stop.seconds - state_.window_start) * share);
    if (lengths_ && stop.iterations > 0)
      used = std::max(used, double(state_.iterations - state_.window_iteration) /
                                std::max(1.0, double(stop.iterations - state_.window_iteration) * share));
    return used < 0 ? 1 : used;
  }
  bool all_trained() const {
    if (training_.windows != automatic_windows) return state_.window >= training_.windows;
    return state_.window > 0 && window_range(state_.problem, state_.window - 1).second == time_range().second;
  }
  /// Chooses its end, unless it has one.
  void begin_window() {
    if (!lengths_) return;
    std::vector<double>& ends = state_.problem.training.window_ends;
    if (ends.size() > std::size_t(state_.window)) return;
    const auto [low, high] = time_range();
    ends.push_back(lengths_->end(ends.empty() ? low : ends.back(), high));
    state_.trained.training.window_ends = ends;
    if (checker_) checker_->window_changed();
  }
  /// It is to be trained again from its start, with another length.
  void forget_window() {
    if (first_attempt_) state_.kept_parameters = state_.parameters.back();
    state_.parameters.pop_back();
    if (verdict_ == WindowLengths::Verdict::back_to_kept) state_.parameters.push_back(state_.kept_parameters);
    state_.problem.training.window_ends.pop_back();
    state_.generation = 0;
    state_.gathered.clear();
    at_start_of_window();
  }
  void at_start_of_window() {
    state_.phase = 0;
    state_.weights.clear();
    state_.window_start = elapsed();
    state_.window_iteration = state_.iterations;
    state_.begin_phase();
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
    if (lengths_) state_.lengths = lengths_->numbers();
    solution_.save(options_.checkpoint, [&] {
      if (!saved_once_ && options_.before_first_checkpoint) options_.before_first_checkpoint();
      saved_once_ = true;
    });
  }

  void finish_reports() {
    if (lengths_) state_.lengths = lengths_->numbers();
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
  std::optional<WindowLengths> lengths_;  // where they are chosen while training
  WindowLengths::Verdict verdict_ = WindowLengths::Verdict::go_on;
  bool first_attempt_ = false;
};

}  // namespace sobolev::detail
