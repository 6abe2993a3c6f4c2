// SPDX-License-Identifier: Apache-2.0
#pragma once
// The training loop: windows, phases, stop rules, checkpoints.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>

#include "adam_loop.hpp"
#include "last_good.hpp"
#include "residual_check.hpp"
#include "sobolev/core/profile.hpp"
#include "sobolev/optim/levenberg_marquardt.hpp"
#include "src/problem/defaults.hpp"
#include "window_trainer.hpp"

namespace sobolev::detail {
using Clock = std::chrono::steady_clock;
inline double since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

inline constexpr long adam_history_every = 100;
inline constexpr long most_unseen = 10;  // iterations of Adam on a device between two looks at its loss
inline constexpr const char *all_done = "all iterations done", *stands_still = "the loss stands still",
                            *exhausted = "no step lowers the loss any more";
inline constexpr int checked_points = 500;     // fresh ones, during training
inline constexpr double check_interval = 100;  // costs of a check between two of them
inline constexpr long error_every_lm = 10;     // iterations between error measurements for stop.relative_l2

inline const Cpu& multiplying(const Cpu& executor, Products) { return executor; }
#if SOBOLEV_HAS_CUDA
inline Cuda multiplying(const Cuda& executor, Products products) { return executor.with(products); }
#endif

/// One run from where the state stands until it is finished or told to stop. E is where it trains; `host`
/// does the rest: points, previous windows, errors.
template <class E>
class Run {
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
    if (training_.precision == Precision::float32)
      windows<float>();
    else
      windows<double>();
    state_.seconds = elapsed();
    finish_reports();
  }

 private:
  enum class Next { iterate, next_phase, next_window, stop };

  double elapsed() const { return seconds_before_ + since(start_); }

  template <class T>
  void windows() {
    Continuation chain(cpu_, state_.problem, WindowTrainer<T, E>::continuation_values(state_.problem));
    while (state_.window < training_.windows) {
      std::optional<WindowTrainer<T, E>> trainer;
      try {
        trainer.emplace(cpu_, executor_, state_, chain);
      } catch (const NotFinite& error) {
        if (!any_good_) throw;
        diverged(error.what());
      }
      require_room(state_.parameters.back().size());
      last_reason_ = all_done;
      const Next next = phases(*trainer);
      if (next == Next::stop && !state_.finished) return;  // interrupted
      if (next == Next::stop && state_.window + 1 < training_.windows) return;
      state_.stalled = state_.stalled || last_reason_ == exhausted || last_reason_ == stands_still;
      state_.phase = 0;
      if (++state_.window < training_.windows) state_.generation = 0;  // the last points stay known
      state_.weights.clear();
      state_.window_start = elapsed();
      begin_phase();
    }
    state_.window = training_.windows;
    if (!state_.finished) finish(training_.windows > 1 ? "all windows done" : last_reason_);
  }

  /// Before any phase begins, not when its turn comes.
  void require_room(std::size_t p) const {
    for (const PhaseOptions& phase : training_.phases)
      require(phase.optimizer == Optimizer::adam || p <= 4 * levenberg_marquardt_limit,
              fmt::format("Levenberg–Marquardt keeps matrices of P × P; the network has P = {} parameters. "
                          "Make it narrower, or use adam",
                          p));
  }

  void begin_phase() {
    state_.phase_iteration = 0;
    state_.moments.clear();
    state_.damping = 0;
    state_.recent_losses.clear();
    state_.exhausted = false;
    state_.causal_stage = 0;
    state_.phase_seconds = 0;
  }

  template <class T>
  Next phases(WindowTrainer<T, E>& trainer) {
    while (state_.phase < int(training_.phases.size())) {
      const PhaseOptions& phase = training_.phases[std::size_t(state_.phase)];
      phase_start_ = Clock::now();
      phase_seconds_before_ = state_.phase_seconds;
      const Next next =
          phase.optimizer == Optimizer::adam ? adam(trainer, phase) : levenberg_marquardt(trainer, phase);
      if (next == Next::stop || next == Next::next_window) return next;
      ++state_.phase;
      begin_phase();
      if (trainer.causal()) trainer.set_causal_stage(0);
    }
    return Next::next_window;
  }

  template <class T>
  Next adam(WindowTrainer<T, E>& trainer, const PhaseOptions& phase) {
    std::vector<double>& saved = state_.parameters.back();
    AdamLoop<T, E> loop(executor_, trainer.step(), saved, state_.moments, state_.phase_iteration);
    const auto keep = [&] { loop.fetch(saved, state_.moments); };
    LastGood<T, E> last_good(loop, state_);
    bool one_by_one = false;
    const auto fail = [&](const std::string& message) {
      last_good.back_to_good(loop, state_);
      keep();
      diverged(message);
    };
    const auto settle = [&] {
      keep();
      const auto finite = [](double v) { return std::isfinite(v); };
      if (!std::isfinite(loop.loss_now()) || !std::all_of(saved.begin(), saved.end(), finite) ||
          !std::all_of(state_.moments.begin(), state_.moments.end(), finite))
        fail(loss_not_finite());
    };
    for (;;) {
      if (phase.iterations > 0 && state_.phase_iteration >= phase.iterations) {
        settle();
        return done(all_done);
      }
      // A device is asked for the loss now and then only.
      const long first = state_.phase_iteration, count = one_by_one ? 1 : iterations_unseen(phase);
      last_good.begin_round(loop, state_);
      double loss = std::numeric_limits<double>::quiet_NaN();
      std::string trouble;
      try {
        for (long i = first; i < first + count; ++i) {
          if (i > first && i + 1 == first + count)
            last_good.before_last(loop, state_, i - first, trainer.points_per_pass());
          if (resample(trainer, i)) loop.points_changed();
          const long decays = i / std::max(1l, phase.decay_every);
          loop.iterate(phase.learning_rate * std::pow(phase.decay_factor, double(decays)));
        }
        loss = loop.loss();
      } catch (const NotFinite& error) {
        trouble = error.what();
      }
      if (!std::isfinite(loss)) {
        if (count == 1) fail(trouble.empty() ? loss_not_finite() : trouble);
        // Somewhere in this round: again, looking at each.
        one_by_one = true;
        last_good.back_to_start(loop, state_);
        trainer.draw_points();
        loop.points_changed();
        continue;
      }
      last_good.end_round(loss);
      any_good_ = true;
      const bool record = (first + count - 1) % adam_history_every == 0;
      if (record || due()) keep();
      const std::size_t stage = state_.causal_stage;
      const Next next =
          after_iterations(trainer, phase, count, loss, record, adam_history_every, keep, settle);
      if (state_.causal_stage != stage) loop.points_changed();
      if (next != Next::iterate) {
        settle();
        return next;
      }
    }
  }

  /// How many iterations to give to a device before its loss is looked at: no rule may be missed by them.
  long iterations_unseen(const PhaseOptions& phase) const {
    if constexpr (std::is_same_v<E, Cpu>) return 1;
    const long i = state_.phase_iteration;
    long count =
        std::min(most_unseen, (i + adam_history_every - 1) / adam_history_every * adam_history_every - i + 1);
    if (training_.stop.relative_l2 > 0) count = std::min(count, adam_history_every - i % adam_history_every);
    if (phase.iterations > 0) count = std::min(count, phase.iterations - i);
    if (training_.stop.iterations > 0) count = std::min(count, training_.stop.iterations - state_.iterations);
    return std::max(1l, count);
  }

  template <class T>
  Next levenberg_marquardt(WindowTrainer<T, E>& trainer, const PhaseOptions& phase) {
    std::vector<double>& saved = state_.parameters.back();
    const std::size_t p = saved.size();
    LevenbergMarquardtOptions options;
    options.geodesic = phase.geodesic;
    LevenbergMarquardt<T, E> optimizer(executor_, p, options);
    if (state_.damping > 0) optimizer.set_damping(state_.damping);
    auto theta = zeros<T>(executor_, p);
    bring<T>(executor_, saved.data(), View<T, 1>(theta.data(), p));
    const auto keep = [&] {
      fetch<T>(executor_, View<const T, 1>(theta.data(), p), saved.data());
      state_.damping = optimizer.damping();
    };
    // Whether the phase is over is asked before an iteration: a resumed run asks it again.
    for (;;) {
      if (phase.iterations > 0 && state_.phase_iteration >= phase.iterations) return done(all_done);
      if (state_.exhausted) return done(exhausted);
      if (stalled(phase)) return done(stands_still);
      const Mark before = mark_of(state_);
      const auto fail = [&](const std::string& message) {
        go_back(state_, before);
        diverged(message);
      };
      try {
        resample(trainer, state_.phase_iteration);
      } catch (const NotFinite& error) {
        fail(error.what());
      }
      const auto outcome = optimizer.step(trainer.step(), View<T, 1>(theta.data(), p));
      if (!std::isfinite(outcome.loss)) fail(loss_not_finite());
      any_good_ = true;
      state_.exhausted = !outcome.accepted && training_.points.resample_every == 0;
      state_.recent_losses.push_back(outcome.loss);
      keep();
      const Next next = after_iterations(trainer, phase, 1, outcome.loss, true, error_every_lm, keep, keep);
      if (next != Next::iterate) return next;
    }
  }

  bool stalled(const PhaseOptions& phase) {
    auto& recent = state_.recent_losses;
    const std::size_t n = std::size_t(phase.stall_iterations);
    if (recent.size() <= n) return false;
    recent.erase(recent.begin(), recent.end() - std::ptrdiff_t(n) - 1);
    return recent.back() > phase.stall_factor * recent.front();
  }

  /// Bookkeeping after some iterations: stop rules, causal stages, history, progress, checkpoints. `keep`
  /// brings the parameters to the state; `settle` makes sure as well that their loss is finite.
  template <class T, class Keep, class Settle>
  Next after_iterations(WindowTrainer<T, E>& trainer, const PhaseOptions& phase, long count, double loss,
                        bool record, long error_every, const Keep& keep, const Settle& settle) {
    state_.phase_iteration += count;
    state_.iterations += count;
    state_.loss = loss;
    state_.points_processed += double(count) * trainer.points_per_pass();
    state_.seconds = elapsed();
    state_.phase_seconds = phase_seconds_before_ + since(phase_start_);
    std::optional<double> error;
    if (training_.stop.relative_l2 > 0 && state_.phase_iteration % error_every == 0) {
      keep();
      error = worst_error();
    }
    if (record)
      state_.history.push_back({state_.iterations, state_.window, state_.phase, state_.seconds, loss, error});
    report(keep);

    const StopOptions& stop = training_.stop;
    if (stop.iterations > 0 && state_.iterations >= stop.iterations) return finish("stop.iterations reached");
    if (stop.seconds > 0 && state_.seconds >= stop.seconds) return finish("stop.seconds reached");
    // A window may use an equal share of the time that was left at its start.
    if (stop.seconds > 0 && !last_window() &&
        state_.seconds - state_.window_start >=
            (stop.seconds - state_.window_start) / (training_.windows - state_.window))
      return Next::next_window;
    if (stop.loss > 0 && loss <= stop.loss)
      return last_window() ? finish("stop.loss reached") : Next::next_window;
    if (error && *error <= stop.relative_l2)
      return last_window() ? finish("stop.relative_l2 reached") : Next::next_window;
    if (trainer.causal() && record && trainer.last_causal_weight() > training_.causal.stop_above) {
      if (++state_.causal_stage >= training_.causal.epsilon.size())
        return done("causal weights above stop_above");
      trainer.set_causal_stage(state_.causal_stage);
      state_.recent_losses.clear();
    }
    if (phase.seconds > 0 && state_.phase_seconds >= phase.seconds)
      return done("the phase's seconds are over");
    if (options_.stop && options_.stop->load()) {
      state_.stopped_because = "interrupted";
      keep();
      return Next::stop;
    }
    if (options_.checkpoint_seconds > 0 && !options_.checkpoint.empty() &&
        since(last_checkpoint_) > options_.checkpoint_seconds) {
      settle();
      save_and_go_on();
    }
    return Next::iterate;
  }

  bool last_window() const { return state_.window + 1 == training_.windows; }
  bool due() const { return since(last_report_) > options_.progress_seconds; }

  Next done(const char* why) {
    last_reason_ = why;
    return Next::next_phase;
  }
  Next finish(const std::string& why) {
    state_.finished = true;
    state_.stopped_because = why;
    return Next::stop;
  }
  std::string loss_not_finite() const {
    return fmt::format(
        "the loss is not finite at iteration {}. Lower learning_rate, or check the equations for "
        "divisions by zero and roots or logarithms of negative numbers",
        state_.iterations + 1);
  }
  /// Ends the run. The state holds the last good parameters, if there ever were any.
  [[noreturn]] void diverged(const std::string& message) {
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

  /// Draws new points before iteration i of the phase when it is time; says whether it did.
  template <class T>
  bool resample(WindowTrainer<T, E>& trainer, long i) {
    const int every = training_.points.resample_every;
    if (every <= 0 || i == 0 || i % every != 0) return false;
    ++state_.generation;
    trainer.draw_points();
    return true;
  }

  std::optional<double> worst_error() {
    if (!state_.problem.reference.given()) return {};
    const profile::Range range(cpu_, "errors against the reference");
    double worst = 0;
    for (const auto& [name, value] : measure_errors(cpu_, state_).relative_l2)
      if (std::isnan(value) || value > worst) worst = value;  // what is no number is no small error
    return worst;
  }

  /// Of the window in training, on fresh points.
  double worst_residual() {
    const profile::Range range(cpu_, "residuals on fresh points");
    if (!checker_) checker_.emplace(cpu_, state_.problem, checked_points);
    return checker_->worst(checker_->fresh(state_.window, state_.parameters));
  }

  template <class Keep>
  void report(const Keep& keep) {
    if (!options_.on_progress || !due()) return;
    last_report_ = Clock::now();
    Progress progress;
    progress.row = {state_.iterations, state_.window, state_.phase, state_.seconds, state_.loss, {}};
    if (state_.problem.reference.given() && since(last_error_) > 10 * error_cost_ + 1) {
      keep();
      const Clock::time_point before = Clock::now();
      shown_error_ = worst_error();
      error_cost_ = since(before);
      last_error_ = Clock::now();
      if (!state_.history.empty() && state_.history.back().iteration == state_.iterations)
        state_.history.back().relative_l2 = shown_error_;
    }
    if (since(last_check_) > check_interval * check_cost_ + 1) {
      keep();
      const Clock::time_point before = Clock::now();
      shown_residual_ = worst_residual();
      check_cost_ = since(before);
      last_check_ = Clock::now();
      if (!state_.history.empty() && state_.history.back().iteration == state_.iterations)
        state_.history.back().residual = shown_residual_;
    }
    progress.row.residual = shown_residual_;
    progress.row.relative_l2 = shown_error_;
    progress.windows = training_.windows;
    progress.points_per_second = state_.points_processed / std::max(1e-9, state_.seconds);
    const StopOptions& stop = training_.stop;
    const PhaseOptions& phase = training_.phases[std::size_t(state_.phase)];
    double within = phase.iterations > 0 ? double(state_.phase_iteration) / double(phase.iterations) : 0;
    if (phase.seconds > 0) within = std::max(within, state_.phase_seconds / phase.seconds);
    double fraction =
        (state_.window + (state_.phase + within) / double(training_.phases.size())) / training_.windows;
    if (stop.seconds > 0) fraction = std::max(fraction, state_.seconds / stop.seconds);
    if (stop.iterations > 0)
      fraction = std::max(fraction, double(state_.iterations) / double(stop.iterations));
    progress.fraction = std::min(1.0, fraction);
    options_.on_progress(progress);
  }

  void save() {
    solution_.save(options_.checkpoint, [&] {
      if (!saved_once_ && options_.before_first_checkpoint) options_.before_first_checkpoint();
      saved_once_ = true;
    });
  }
  /// A disk that is full for a while must not end a training.
  void save_and_go_on() {
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
  Clock::time_point start_, phase_start_ = Clock::now(), last_report_ = Clock::now(),
                            last_checkpoint_ = Clock::now(), last_error_{};
  double seconds_before_;
  bool any_good_;  // some state of this run had a finite loss
  bool saved_once_ = false;
  double phase_seconds_before_ = 0, error_cost_ = 0, check_cost_ = 0;
  std::optional<double> shown_error_, shown_residual_;
  std::optional<ResidualChecker> checker_;
  Clock::time_point last_check_{};
  std::string last_reason_ = all_done;
};

}  // namespace sobolev::detail
