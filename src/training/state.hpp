// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "sobolev/optim/optimizer.hpp"
#include "sobolev/training/progress.hpp"

namespace sobolev::detail {

/// Where a training stands: what its loop changes, and a checkpoint holds.
struct TrainingState {
  int window = 0, phase = 0;
  long phase_iteration = 0;                    // in this phase of this window
  long iterations = 0;                         // in all
  long generation = 0;                         // of the window's points
  NamedArrays optimizer;                       // of this phase; empty: at its start
  std::vector<double> recent_losses;           // of this phase, for the stall rule
  bool exhausted = false;                      // no step gave a lower loss on fixed points
  std::size_t causal_stage = 0;                // which epsilon
  double phase_seconds = 0, window_start = 0;  // window_start: of `seconds`
  long window_iteration = 0;                   // the window began after so many

  std::vector<HistoryRow> history;
  double seconds = 0, loss = 0, points_processed = 0;
  bool finished = false;
  bool stalled = false;  // a window's last phase ended because nothing got better
  std::string stopped_because;

  void begin_phase() {
    phase_iteration = 0;
    optimizer.clear();
    recent_losses.clear();
    exhausted = false;
    causal_stage = 0;
    phase_seconds = 0;
  }
};

/// All that iterations change beside parameters, the optimiser's state and the history.
struct Mark {
  int phase;
  long phase_iteration, iterations, generation;
  std::size_t causal_stage;
  double loss, points_processed;
};

inline Mark mark_of(const TrainingState& s) {
  return {s.phase, s.phase_iteration, s.iterations, s.generation, s.causal_stage, s.loss, s.points_processed};
}

/// What came after it is forgotten; the time it took is not.
inline void go_back(TrainingState& s, const Mark& mark) {
  s.phase = mark.phase;
  s.phase_iteration = mark.phase_iteration;
  s.iterations = mark.iterations;
  s.generation = mark.generation;
  s.causal_stage = mark.causal_stage;
  s.loss = mark.loss;
  s.points_processed = mark.points_processed;
  while (!s.history.empty() && s.history.back().iteration > mark.iterations) s.history.pop_back();
}

}  // namespace sobolev::detail
