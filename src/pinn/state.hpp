// SPDX-License-Identifier: Apache-2.0
#pragma once
// Everything a run is: what a checkpoint holds and resuming needs.
#include <optional>
#include <string>
#include <vector>

#include "evaluator.hpp"
#include "sobolev/data/reference.hpp"
#include "sobolev/pinn/solve.hpp"
#include "src/training/state.hpp"

namespace sobolev {

struct Solution::State : detail::TrainingState {
  Problem problem;  // as asked, with defaults filled in
  Problem trained;  // what the networks solve: the same, or its label problem (lagrangian.hpp)
  std::vector<std::vector<double>> parameters;  // of the windows begun; the last one may be in training
  std::vector<std::vector<double>> weights;     // of the window's residuals, by group; empty: not yet known
  double setup_seconds = 0;
  std::vector<double> gathered;  // points [N, D] of the window's equations beside those of training_points
  std::vector<double> lengths;   // WindowLengths::numbers, where they are chosen while training
  std::vector<double>
      kept_parameters;  // of the one window that was tried first, until a shorter one is better

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
/// Fills in defaults, and what is trained.
void set_problem(Solution::State& state, const Problem& problem);
/// The grid of a table without a reference: evenly spaced, ends included but one of a periodic coordinate.
std::vector<std::vector<double>> default_axes(const Problem& problem);
/// Grid points [N, D] of axes, last axis fastest.
std::vector<double> grid_points(const std::vector<std::vector<double>>& axes);
/// On the reference grid, the networks where `make` says.
Solution::State::Errors measure_errors(const Cpu& host, const MakeEvaluator& make,
                                       const Solution::State& state);
/// Expressions at places anywhere in the domain, as far as it is trained. Result [outputs][N].
std::vector<std::vector<double>> values_at(const Cpu& host, const MakeEvaluator& make,
                                           const Solution::State& state, View<const double, 2> x,
                                           const std::vector<Expr>& outputs);
/// What Solution::evaluate does, on either executor.
std::vector<std::vector<double>> evaluate_expressions(const Cpu& host, const MakeEvaluator& make,
                                                      const Solution::State& state,
                                                      View<const double, 2> points,
                                                      const std::vector<Expr>& outputs);
/// The expressions that outputs name.
std::vector<Expr> named_outputs(const Solution::State& state, const std::vector<std::string>& outputs);
}  // namespace detail

}  // namespace sobolev
