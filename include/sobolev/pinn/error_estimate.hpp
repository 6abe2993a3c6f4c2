// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "sobolev/pinn/solve.hpp"

namespace sobolev {

struct ErrorEstimateOptions {
  double seconds = 0;   // 0: half of the solution's training, at least 5; negative: no limit
  long iterations = 0;  // of each window of the error's equation; 0: no limit
  int width = 0;        // of the error's network; 0: chosen by the library
  unsigned long seed = 1;
  /// By coordinate: the grid that the error is wanted on, as Solution::Table has it; empty: the default grid.
  std::vector<std::vector<double>> axes;
  const std::atomic<bool>* stop = nullptr;           // set it to end with what is known by then
  std::function<void(double fraction)> on_progress;  // called between iterations, on the caller's thread
};

/// How far a solution u is from the exact one, found without it. The error e solves the problem's own
/// equations and conditions F with u + e in the place of the unknowns, F(u + e) = 0, where u is known at
/// every point. A network of its own, scaled to the size of the error, is trained for it with
/// Levenberg–Marquardt on points that u was not trained on; where the problem evolves from initial data, in
/// time windows one after another, shorter ones where long ones do not go, so that errors that grow in time
/// are followed.
///
/// What is left of the residual says what the estimate is worth, in two ways: its size, `residual_left`, and
/// what a second network, of random features and fitted by least squares, makes of it, `overlooked`. A
/// residual that stays may do no harm: what a trained network leaves oscillates faster than another one can
/// follow, and such a residual moves the solution little. So an estimate is sound when the second network
/// finds less than a third more, and the residual fell to less than half, or is small beside its terms and
/// did not grow. One that is not, where the residual neither fell nor is small, is at least that: the largest
/// of an equation or condition beside its largest term. docs/accuracy.md has how near to true errors it
/// comes. Source: the idea of solving for the remainder at its own scale is that of Wang & Lai 2024,
/// "Multi-stage neural networks: function approximator of machine precision".
struct ErrorEstimate {
  /// ‖e‖ / ‖u + e‖ on the grid, times √(1 + overlooked²), by unknown.
  std::map<std::string, double> relative_l2;
  std::map<std::string, double> largest;    // of |e|
  std::map<std::string, double> constants;  // |e| / |constant + e| of the constants that were found
  /// Root mean square of the weighted residuals of F(u + e) over that of F(u), on fresh points.
  double residual_left = 1;
  double overlooked = 1;        // what the second network finds beside e, root mean squares
  double largest_residual = 0;  // of u, of an equation or condition beside its largest term
  double until = 0;             // time up to which the error is known; without time 0
  bool complete = false;        // it is known for all that the solution covers
  bool sound = false;
  std::string worth;  // that in a sentence
  double seconds = 0;
  long iterations = 0;
  int windows = 0;             // of the error's equation
  std::size_t parameters = 0;  // of a window's network

  /// e on the grid, flat in row-major order of the coordinates; NaN beyond `until`.
  std::vector<std::string> coordinates;
  std::vector<std::vector<double>> axes;
  std::map<std::string, std::vector<double>> error;
};

/// ArgumentError for a solution without a network, for one in Lagrangian form whose windows begin with labels
/// of their own, for axes that are not the problem's, and where the residual is not finite.
ErrorEstimate estimate_error(const Cpu&, const Solution& solution, const ErrorEstimateOptions& = {});

}  // namespace sobolev
