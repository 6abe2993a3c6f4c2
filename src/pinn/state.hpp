// SPDX-License-Identifier: Apache-2.0
#pragma once
// Everything a run is: what a checkpoint holds and resuming needs.
#include <optional>
#include <string>
#include <vector>

#include "sobolev/data/reference.hpp"
#include "sobolev/pinn/solve.hpp"
#include "src/training/state.hpp"

namespace sobolev {

struct Solution::State : detail::TrainingState {
  Problem problem;                              // with defaults filled in
  std::vector<std::vector<double>> parameters;  // of the windows begun; the last one may be in training
  std::vector<std::vector<double>> weights;     // of the window's residuals, by group; empty: not yet known
  double setup_seconds = 0;

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
