// SPDX-License-Identifier: Apache-2.0
#pragma once
// Everything a run is: what a checkpoint holds and resuming needs.
#include <optional>
#include <string>
#include <vector>

#include "sobolev/data/reference.hpp"
#include "sobolev/pinn/solve.hpp"

namespace sobolev {

struct Solution::State {
  Problem problem;                              // with defaults filled in
  std::vector<std::vector<double>> parameters;  // of the windows begun; the last one may be in training

  // Where the training stands.
  int window = 0, phase = 0;
  long phase_iteration = 0;                    // in this phase of this window
  long iterations = 0;                         // in all
  long generation = 0;                         // of the window's points
  std::vector<std::vector<double>> weights;    // of the window's residuals, by group; empty: not yet known
  std::vector<double> moments;                 // Adam: m then v
  double damping = 0;                          // Levenberg–Marquardt; 0: its initial value
  std::vector<double> recent_losses;           // of this phase, for the stall rule
  bool exhausted = false;                      // no damping gave a lower loss on fixed points
  std::size_t causal_stage = 0;                // which epsilon
  double phase_seconds = 0, window_start = 0;  // window_start: of `seconds`

  std::vector<HistoryRow> history;
  double seconds = 0, setup_seconds = 0, loss = 0, points_processed = 0;
  bool finished = false;
  bool stalled = false;  // a window's last phase ended because nothing got better
  std::string stopped_because;

  std::string not_saved;        // why the last checkpoint could not be written
  std::string instruction_set;  // that a loaded state was trained on; empty: not known

  // Not saved: recomputed when first asked for.
  std::optional<Reference> reference;
  /// The error on the reference grid, of the windows trained so far.
  struct Errors {
    std::map<std::string, double> relative_l2, max_error;
  };
  std::optional<Errors> errors;
  std::optional<Assessment> assessment;
  Cpu cpu{0};
};

namespace detail {
/// Grid points [N, D] of axes, last axis fastest.
std::vector<double> grid_points(const std::vector<std::vector<double>>& axes);
Solution::State::Errors measure_errors(const Cpu&, const Solution::State& state);
}  // namespace detail

}  // namespace sobolev
