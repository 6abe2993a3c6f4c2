// SPDX-License-Identifier: Apache-2.0
#pragma once
// The loop of everything that is trained: phases, iterations, stop rules, history, progress.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <optional>

#include "sobolev/core/error.hpp"
#include "src/optim/host_arrays.hpp"
#include "src/training/clock.hpp"
#include "src/training/last_good.hpp"
#include "src/training/make_optimizer.hpp"

namespace sobolev::detail {
inline constexpr long history_every = 100;  // iterations, of an optimiser that wanders
inline constexpr long most_unseen = 10;  // iterations of such a one on a device between two looks at its loss
inline constexpr long error_every =
    10;  // iterations between errors for stop.relative_l2, of one that descends
inline constexpr const char *all_done = "all iterations done", *stands_still = "the loss stands still",
                            *exhausted = "no step lowers the loss any more";
inline constexpr double check_interval = 100;  // costs of a check between two of them

/// Newly drawn data on which the objective is no number, whatever the parameters.
class NotFinite : public ParseError {
 public:
  using ParseError::ParseError;
};

/// What is trained in a window.
template <class T, class E>
class Task {
 public:
  virtual ~Task() = default;
  virtual Objective<T, E>& objective() = 0;
  /// Draws the data of TrainingState::generation; NotFinite.
  virtual void draw() = 0;
  /// Adds data where the objective, with these parameters, is large between it; whether it did. NotFinite.
  virtual bool adapt(const std::vector<double>& parameters) { return (void)parameters, false; }
  /// Points, or samples, of one pass.
  virtual double points_per_pass() const = 0;
  /// Makes the objective that of TrainingState::causal_stage.
  virtual void set_stage() {}
  virtual std::size_t stages() const { return 0; }
  /// The stage has done its work.
  virtual bool stage_done() const { return false; }
  /// Iterations after which Surroundings::epoch_over is asked; 0: never.
  virtual long epoch() const { return 0; }
};

/// What the loop asks of its surroundings, on the state's parameters.
class Surroundings {
 public:
  virtual ~Surroundings() = default;
  /// Of the whole run, over interruptions.
  virtual double elapsed() const = 0;
  virtual bool has_reference() const = 0;
  virtual double worst_error() = 0;
  /// Of the window in training, on fresh points.
  virtual double worst_residual() = 0;
  virtual bool interrupted() const = 0;
  virtual bool wants_progress() const = 0;
  virtual void progress(const Progress& progress) = 0;
  virtual bool wants_checkpoint() const = 0;
  virtual void checkpoint() = 0;
  /// Of the windows of time that are trained one after another: whether this is the last one, what share of
  /// time lies before it and in it, how many there will be.
  virtual bool last_window() const { return true; }
  virtual double before_window() const { return 0; }
  virtual double share_of_window() const { return 1; }
  virtual int expected_windows() const { return 1; }
  /// The window has used its share of what was left of the run when it began.
  virtual bool share_used() const { return false; }
  /// Whether the window shall be looked at after this iteration (`over`: the last of the phase), and if so,
  /// with the parameters in the state: whether it is to be trained again from its start, with another length.
  virtual bool look_at_window(bool over) const { return (void)over, false; }
  virtual bool again(bool over) { return (void)over, false; }
  /// An epoch is over, the parameters are in the state: why the training is, or nothing.
  virtual std::optional<std::string> epoch_over() { return {}; }
  /// The state is a good one: its loss is finite.
  virtual void good() = 0;
  /// Ends the run. The state holds the last good parameters, if there ever were any.
  [[noreturn]] virtual void diverged(const std::string& message) = 0;
};

enum class Next { iterate, next_phase, next_window, same_window, stop };

/// Trains one window from where the state stands. E is where it trains.
template <class T, class E>
class Loop {
 public:
  /// `parameters`: of the window in training, part of the state.
  Loop(const E& executor, Task<T, E>& task, const TrainingOptions& options, TrainingState& state,
       std::vector<double>& parameters, Surroundings& around)
      : executor_(executor),
        task_(task),
        training_(options),
        state_(state),
        saved_(parameters),
        around_(around),
        p_(parameters.size()),
        theta_(zeros<T>(executor, p_)) {}

  /// Phases up to number `end`. next_phase: they are done; next_window: the window is; same_window: it is to
  /// be trained again with another length; stop: the run is finished or interrupted.
  Next phases(int end) {
    while (state_.phase < end) {
      phase_start_ = Clock::now();
      phase_seconds_before_ = state_.phase_seconds;
      const Next next = phase(training_.phases[std::size_t(state_.phase)]);
      if (next != Next::next_phase) return next;
      ++state_.phase;
      state_.begin_phase();
      if (task_.stages() > 0) task_.set_stage();
    }
    return Next::next_phase;
  }
  /// Why the last phase that ended did so.
  const std::string& reason() const { return reason_; }

 private:
  View<T, 1> theta() { return View<T, 1>(theta_.data(), p_); }

  /// Brings the parameters and the optimiser's state to the host.
  void keep() {
    saved_ = to_host<T>(executor_, View<const T, 1>(theta_.data(), p_));
    state_.optimizer = optimizer_->save();
  }
  bool wanders() const { return optimizer_->progression() == Progression::wanders; }

  Next phase(const PhaseOptions& phase) {
    optimizer_ = make_optimizer<T>(executor_, phase, p_);
    optimizer_->load(state_.optimizer);
    from_host<T>(executor_, saved_, theta());
    return wanders() ? wander(phase) : descend(phase);
  }

  /// Whether the phase is over is asked before an iteration: a resumed run asks it again.
  std::optional<Next> over(const PhaseOptions& phase) {
    if (phase.iterations > 0 && state_.phase_iteration >= phase.iterations) return done(all_done);
    if (state_.exhausted) return done(exhausted);
    if (!wanders() && stalled(phase)) return done(stands_still);
    return {};
  }

  /// Each iteration's loss is that of its result.
  Next descend(const PhaseOptions& phase) {
    for (;;) {
      if (const auto end = over(phase)) {
        keep();
        return around_.look_at_window(true) && around_.again(true) ? Next::same_window : *end;
      }
      const Mark before = mark_of(state_);
      const auto fail = [&](const std::string& message) {
        go_back(state_, before);
        keep();
        around_.diverged(message);
      };
      try {
        resample(state_.phase_iteration);
        adapt(state_.phase_iteration);
      } catch (const NotFinite& error) {
        fail(error.what());
      }
      optimizer_->iterate(task_.objective(), theta());
      const auto outcome = optimizer_->outcome();
      if (!std::isfinite(outcome.loss)) fail(loss_not_finite());
      around_.good();
      state_.exhausted = outcome.stuck && training_.points.resample_every == 0;
      state_.recent_losses.push_back(outcome.loss);
      const Next next = after_iterations(phase, 1, outcome.loss, true, error_every, [&] { keep(); });
      if (next != Next::iterate) {
        keep();
        return next;
      }
    }
  }

  /// Each iteration's loss is that before it; a device is asked for it now and then only.
  Next wander(const PhaseOptions& phase) {
    LastGood<T, E> last_good(executor_, theta(), *optimizer_, state_);
    bool one_by_one = false;
    const auto fail = [&](const std::string& message) {
      last_good.back_to_good(state_);
      keep();
      around_.diverged(message);
    };
    const auto settle = [&] {
      keep();
      const double loss = task_.objective().loss(theta());
      optimizer_->changed();  // what the pass wrote is not what a recorded iteration left
      const auto finite = [](double v) { return std::isfinite(v); };
      bool good = std::isfinite(loss) && std::all_of(saved_.begin(), saved_.end(), finite);
      for (const auto& [name, values] : state_.optimizer)
        good = good && std::all_of(values.begin(), values.end(), finite);
      if (!good) fail(loss_not_finite());
    };
    for (;;) {
      if (const auto end = over(phase)) {
        settle();
        return *end;
      }
      const long first = state_.phase_iteration, count = one_by_one ? 1 : iterations_unseen(phase);
      last_good.begin_round(state_);
      double loss = std::numeric_limits<double>::quiet_NaN();
      std::string trouble;
      try {
        for (long i = first; i < first + count; ++i) {
          if (i > first && i + 1 == first + count)
            last_good.before_last(state_, i - first, task_.points_per_pass());
          resample(i);
          optimizer_->iterate(task_.objective(), theta());
        }
        loss = optimizer_->outcome().loss;
      } catch (const NotFinite& error) {
        trouble = error.what();
      }
      if (!std::isfinite(loss)) {
        if (count == 1) fail(trouble.empty() ? loss_not_finite() : trouble);
        // Somewhere in this round: again, looking at each.
        one_by_one = true;
        last_good.back_to_start(state_);
        task_.draw();
        optimizer_->changed();
        continue;
      }
      last_good.end_round(loss);
      around_.good();
      const bool record = (first + count - 1) % history_every == 0;
      const Next next = after_iterations(phase, count, loss, record, history_every, settle);
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
    long count = std::min(most_unseen, (i + history_every - 1) / history_every * history_every - i + 1);
    if (training_.stop.relative_l2 > 0) count = std::min(count, history_every - i % history_every);
    if (phase.iterations > 0) count = std::min(count, phase.iterations - i);
    if (const long epoch = task_.epoch(); epoch > 0) count = std::min(count, epoch - i % epoch);
    if (training_.stop.iterations > 0) count = std::min(count, training_.stop.iterations - state_.iterations);
    return std::max(1l, count);
  }

  bool stalled(const PhaseOptions& phase) {
    auto& recent = state_.recent_losses;
    const std::size_t n = std::size_t(phase.stall_after());
    if (recent.size() <= n) return false;
    recent.erase(recent.begin(), recent.end() - std::ptrdiff_t(n) - 1);
    return recent.back() > phase.stall_factor * recent.front();
  }

  /// Bookkeeping after some iterations: stop rules, stages, history, progress, checkpoints. `settle` brings
  /// the parameters to the state and makes sure that their loss is finite.
  template <class Settle>
  Next after_iterations(const PhaseOptions& phase, long count, double loss, bool record, long error_interval,
                        const Settle& settle) {
    state_.phase_iteration += count;
    state_.iterations += count;
    state_.loss = loss;
    state_.points_processed += double(count) * task_.points_per_pass();
    state_.seconds = around_.elapsed();
    state_.phase_seconds = phase_seconds_before_ + since(phase_start_);
    std::optional<double> error;
    if (training_.stop.relative_l2 > 0 && state_.phase_iteration % error_interval == 0 &&
        around_.has_reference()) {
      keep();
      error = around_.worst_error();
    }
    if (record)
      state_.history.push_back({state_.iterations, state_.window, state_.phase, state_.seconds, loss, error});
    if (const long epoch = task_.epoch(); epoch > 0 && state_.phase_iteration % epoch == 0) {
      settle();
      if (const auto enough = around_.epoch_over()) return finish(*enough);
    }
    if (around_.wants_progress()) report(phase);

    const StopOptions& stop = training_.stop;
    if (stop.iterations > 0 && state_.iterations >= stop.iterations) return finish("stop.iterations reached");
    if (stop.seconds > 0 && state_.seconds >= stop.seconds) return finish("stop.seconds reached");
    if (!last_window() && around_.share_used()) return Next::next_window;
    if (stop.loss > 0 && loss <= stop.loss)
      return last_window() ? finish("stop.loss reached") : Next::next_window;
    if (error && *error <= stop.relative_l2)
      return last_window() ? finish("stop.relative_l2 reached") : Next::next_window;
    if (task_.stages() > 0 && record && task_.stage_done()) {
      if (++state_.causal_stage >= task_.stages()) return done("causal weights above stop_above");
      task_.set_stage();
      optimizer_->changed();
      state_.recent_losses.clear();
    }
    if (phase.seconds > 0 && state_.phase_seconds >= phase.seconds)
      return done("the phase's seconds are over");
    if (around_.look_at_window(false)) {
      settle();
      if (around_.again(false)) return Next::same_window;
    }
    if (around_.interrupted()) {
      state_.stopped_because = "interrupted";
      return Next::stop;
    }
    if (around_.wants_checkpoint()) {
      settle();
      around_.checkpoint();
    }
    return Next::iterate;
  }

  bool last_window() const { return around_.last_window(); }

  Next done(const char* why) {
    reason_ = why;
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

  /// Draws new points before iteration i of the phase when it is time.
  void resample(long i) {
    const int every = training_.points.resample_every;
    if (every <= 0 || i == 0 || i % every != 0) return;
    ++state_.generation;
    task_.draw();
    optimizer_->changed();
  }

  /// Adds points before iteration i of the phase when it is time.
  void adapt(long i) {
    const int every = training_.points.adapt_every.value_or(0);
    if (every <= 0 || i == 0 || i % every != 0) return;
    keep();
    if (!task_.adapt(saved_)) return;
    optimizer_->changed();
    state_.recent_losses.clear();
  }

  /// A measure that costs something: taken again when it has become cheap beside what was done since.
  struct Costly {
    std::optional<double> value;
    double cost = 0;
    Clock::time_point taken{};
    template <class F>
    bool refresh(double interval, F&& measure) {
      if (since(taken) <= interval * cost + 1) return false;
      const Clock::time_point before = Clock::now();
      value = measure();
      cost = since(before);
      taken = Clock::now();
      return true;
    }
  };

  void report(const PhaseOptions& phase) {
    Progress progress;
    progress.row = {state_.iterations, state_.window, state_.phase, state_.seconds, state_.loss, {}};
    HistoryRow* const row = state_.history.empty() || state_.history.back().iteration != state_.iterations
                                ? nullptr
                                : &state_.history.back();
    const auto measured = [&](Costly& costly, double interval, auto&& measure) {
      return costly.refresh(interval, [&] {
        keep();
        return measure();
      });
    };
    if (around_.has_reference() && measured(error_, 10, [&] { return around_.worst_error(); }) && row)
      row->relative_l2 = error_.value;
    if (measured(residual_, check_interval, [&] { return around_.worst_residual(); }) && row)
      row->residual = residual_.value;
    progress.row.residual = residual_.value;
    progress.row.relative_l2 = error_.value;
    progress.windows = around_.expected_windows();
    progress.points_per_second = state_.points_processed / std::max(1e-9, state_.seconds);
    const StopOptions& stop = training_.stop;
    double within = phase.iterations > 0 ? double(state_.phase_iteration) / double(phase.iterations) : 0;
    if (phase.seconds > 0) within = std::max(within, state_.phase_seconds / phase.seconds);
    double fraction = around_.before_window() +
                      around_.share_of_window() * (state_.phase + within) / double(training_.phases.size());
    if (stop.seconds > 0) fraction = std::max(fraction, state_.seconds / stop.seconds);
    if (stop.iterations > 0)
      fraction = std::max(fraction, double(state_.iterations) / double(stop.iterations));
    progress.fraction = std::min(1.0, fraction);
    around_.progress(progress);
  }

  E executor_;
  Task<T, E>& task_;
  const TrainingOptions& training_;
  TrainingState& state_;
  std::vector<double>& saved_;
  Surroundings& around_;
  std::size_t p_;
  BufferOn<E, T> theta_;
  std::unique_ptr<Optimizer<T, E>> optimizer_;
  Clock::time_point phase_start_ = Clock::now();
  double phase_seconds_before_ = 0;
  Costly error_, residual_;
  std::string reason_ = all_done;
};

}  // namespace sobolev::detail
