// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where a training stood at some time, so that it can go back there.
#include <utility>

#include "adam_loop.hpp"
#include "state.hpp"

namespace sobolev::detail {

/// All that iterations change beside parameters, moments and the history.
struct Mark {
  int phase;
  long phase_iteration, iterations, generation;
  std::size_t causal_stage;
  double loss, points_processed;
};

inline Mark mark_of(const Solution::State& s) {
  return {s.phase, s.phase_iteration, s.iterations, s.generation, s.causal_stage, s.loss, s.points_processed};
}

/// What came after it is forgotten; the time it took is not.
inline void go_back(Solution::State& s, const Mark& mark) {
  s.phase = mark.phase;
  s.phase_iteration = mark.phase_iteration;
  s.iterations = mark.iterations;
  s.generation = mark.generation;
  s.causal_stage = mark.causal_stage;
  s.loss = mark.loss;
  s.points_processed = mark.points_processed;
  while (!s.history.empty() && s.history.back().iteration > mark.iterations) s.history.pop_back();
}

/// The last state of Adam that is known to have a finite loss. A loss is that of the state *before* its
/// iteration, and on a device only the last of a round of iterations is looked at.
template <class T, class E>
class LastGood {
 public:
  LastGood(const AdamLoop<T, E>& loop, const Solution::State& state)
      : start_{loop.snapshot(), mark_of(state)}, last_(start_copy(loop)), good_(start_copy(loop)) {}

  /// A round of iterations begins here.
  void begin_round(const AdamLoop<T, E>& loop, const Solution::State& state) {
    take(start_, loop, state);
    single_ = true;
  }
  /// Its last iteration comes next, after `done` others of so many points.
  void before_last(const AdamLoop<T, E>& loop, const Solution::State& state, long done, double points) {
    take(last_, loop, state);
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
  void back_to_start(AdamLoop<T, E>& loop, Solution::State& state) const { back(start_, loop, state); }
  /// Without any good state: to where the loop began.
  void back_to_good(AdamLoop<T, E>& loop, Solution::State& state) const { back(good_, loop, state); }

 private:
  struct Place {
    typename AdamLoop<T, E>::Snapshot snapshot;
    Mark mark;
  };
  Place start_copy(const AdamLoop<T, E>& loop) const { return {loop.snapshot(), start_.mark}; }
  static void take(Place& place, const AdamLoop<T, E>& loop, const Solution::State& state) {
    loop.take(place.snapshot);
    place.mark = mark_of(state);
  }
  static void back(const Place& place, AdamLoop<T, E>& loop, Solution::State& state) {
    loop.go_back(place.snapshot);
    go_back(state, place.mark);
  }

  Place start_, last_, good_;
  bool single_ = true;  // the round has one iteration: its start is its last
};

}  // namespace sobolev::detail
