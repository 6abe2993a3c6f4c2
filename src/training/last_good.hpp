// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <utility>

#include "sobolev/core/copy.hpp"
#include "src/training/state.hpp"

namespace sobolev::detail {

/// The last state of an optimiser that wanders of which a finite loss is known. A loss is that of the state
/// *before* its iteration, and on a device only the last of a round of iterations is looked at.
template <class T, class E>
class LastGood {
 public:
  /// θ and the optimiser outlive it.
  LastGood(const E& executor, View<T, 1> parameters, Optimizer<T, E>& optimizer, const TrainingState& state)
      : executor_(executor),
        parameters_(parameters),
        optimizer_(optimizer),
        start_(place(state)),
        last_(place(state)),
        good_(place(state)) {}

  /// A round of iterations begins here.
  void begin_round(const TrainingState& state) {
    take(start_, state);
    single_ = true;
  }
  /// Its last iteration comes next, after `done` others of so many points.
  void before_last(const TrainingState& state, long done, double points) {
    take(last_, state);
    last_.mark.phase_iteration += done;
    last_.mark.iterations += done;
    last_.mark.points_processed += double(done) * points;
    single_ = false;
  }
  /// The last iteration of the round had this loss, which is finite.
  void end_round(double loss) {
    std::swap(good_, single_ ? start_ : last_);
    good_.mark.loss = loss;
  }
  void back_to_start(TrainingState& state) { back(start_, state); }
  /// Without any good state: to where the loop began.
  void back_to_good(TrainingState& state) { back(good_, state); }

 private:
  struct Place {
    BufferOn<E, T> parameters, memory;
    Mark mark;
  };
  Place place(const TrainingState& state) {
    Place p{zeros<T>(executor_, parameters_.size()), zeros<T>(executor_, optimizer_.memory().size()), {}};
    take(p, state);
    return p;
  }
  static View<T, 1> all(BufferOn<E, T>& buffer) { return View<T, 1>(buffer.data(), buffer.size()); }
  void take(Place& p, const TrainingState& state) {
    copy<T, 1>(executor_, parameters_, all(p.parameters));
    copy<T, 1>(executor_, optimizer_.memory(), all(p.memory));
    p.mark = mark_of(state);
  }
  void back(Place& p, TrainingState& state) {
    copy<T, 1>(executor_, all(p.parameters), parameters_);
    copy<T, 1>(executor_, all(p.memory), optimizer_.memory());
    go_back(state, p.mark);
    optimizer_.went_back(state.phase_iteration);
  }

  E executor_;
  View<T, 1> parameters_;
  Optimizer<T, E>& optimizer_;
  Place start_, last_, good_;
  bool single_ = true;  // the round has one iteration: its start is its last
};

}  // namespace sobolev::detail
