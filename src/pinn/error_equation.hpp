// SPDX-License-Identifier: Apache-2.0
#pragma once
// The equation of a solution's error. With the solution u known at every point, e solves F(u + e) = 0 for
// each equation and condition F = 0. In a window [a, b] of time
//   e = start(x) + (t − a) slope(x) + τᵏ A ε N,     τ = (t − a)/(b − a), k the order in time, at most 2,
// where start and slope are those of e at the end of the window before, A is what network.output multiplies
// the network by, N a network of order one and ε the size of the error. In the first window e is 0 at the
// start where u has its initial data built in; else it is free there and the condition is trained.
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "state.hpp"

namespace sobolev::detail {

// Names of known functions in the expressions of an ErrorWindow: u itself, and e at the window's start.
std::string solution_name(const std::string& unknown);
std::string start_name(const std::string& unknown);
std::string slope_name(const std::string& unknown);

/// One window of the error's equation: a problem with concrete options that is trained in one window.
struct ErrorWindow {
  int inside = 0;                           // of which window of the solution
  double start = 0, end = 0;                // of time; 0 without it
  Problem problem;                          // its network.output is u + e
  std::map<std::string, Expr> error;        // e of raw outputs and known functions, by unknown
  std::map<std::string, double> constants;  // the unit of each constant's error
  std::vector<double> parameters;
  /// F(u) in the place of F(u + e).
  Expr without_error(Expr residual) const;
};

class ErrorEquation {
 public:
  /// `of` outlives this. `width`: of the error's network; 0: chosen here.
  ErrorEquation(const Solution::State& of, int width);

  /// Whether the error can be followed in time, from window to window.
  bool marches() const { return marches_; }
  const std::vector<std::string>& unknowns() const { return of_->trained.unknowns; }
  /// The time that the solution covers; {0, 0} without time.
  std::pair<double, double> times() const;
  /// The size ε that an unknown's error cannot have: that of the unknown.
  double size_of(const std::string& unknown) const;
  /// The window [start, end]; `sizes`: ε by unknown; `constants`: ε of constants, relative to them.
  std::unique_ptr<ErrorWindow> window(double start, double end, const std::map<std::string, double>& sizes,
                                      double constants) const;

 private:
  Expr known(const std::string& name, bool space_only) const;
  const Solution::State* of_;
  Problem base_;                             // all but ranges of time, conditions, outputs and sizes
  std::vector<Condition> anywhere_, timed_;  // conditions; timed: where time is fixed
  std::map<std::string, bool> exact_start_;
  std::map<std::string, Expr> factor_;  // A
  bool marches_ = false;
};

}  // namespace sobolev::detail
