// SPDX-License-Identifier: Apache-2.0
#pragma once
// The windows of an error's equation that are known so far, and values in them.
#include <cmath>
#include <functional>
#include <list>
#include <memory>
#include <vector>

#include "error_equation.hpp"

namespace sobolev::detail {

class ErrorWindows {
 public:
  /// `of` outlives this.
  ErrorWindows(const Cpu& cpu, const Solution::State& of, int width);

  const ErrorEquation& equation() const { return equation_; }
  std::size_t size() const { return windows_.size(); }
  ErrorWindow& operator[](std::size_t k) { return *windows_[k]; }
  ErrorWindow& back() { return *windows_.back(); }
  void push(std::unique_ptr<ErrorWindow> window) { windows_.push_back(std::move(window)); }
  void pop();

  /// Known functions at points x : [N, D] of window k: u and its derivatives, e where the window begins.
  /// Result [wanted, N]. What is carried from window to window at the same points of space is kept.
  Buffer<double> known(std::size_t k, View<const double, 2> x, const std::vector<PreviousValue>& wanted);
  /// Expressions of raw outputs, unknowns (which are u + e) and known functions: [outputs, N].
  Buffer<double> values(std::size_t k, View<const double, 2> x, const std::vector<Expr>& outputs);
  /// e of each unknown at points anywhere in the windows: [unknowns][N]. NaN beyond them.
  std::vector<std::vector<double>> errors(View<const double, 2> x);
  /// Mean over x, points of window k, of Σ (e / size)² over the unknowns.
  double mean_squares(std::size_t k, View<const double, 2> x);

 private:
  /// e, or a derivative, where window k begins, at points whose time does not count.
  struct Start {
    std::size_t k;
    PreviousValue what;
    std::vector<double> values;
  };
  struct Carried {
    std::vector<double> points;  // time 0
    std::vector<Start> starts;
  };
  Carried& carried_at(View<const double, 2> x);
  void add_solution(std::size_t k, View<const double, 2> x, const std::vector<PreviousValue>& wanted,
                    double* result);
  void add_starts(std::size_t k, View<const double, 2> x, const std::vector<PreviousValue>& wanted,
                  double* result);
  Cpu cpu_;
  const Solution::State& of_;
  ErrorEquation equation_;
  Continuation chain_;  // of the solution
  std::vector<std::unique_ptr<ErrorWindow>> windows_;
  std::list<Carried> carried_;
};

/// What is said of a window after its training.
struct ErrorFit {
  double before = 0,
         after = 0;  // weighted mean squares of the residual on fresh points, without e and with it
  double found = 0, overlooked = 0;  // mean squares of e, and of what a second network finds beside it
  long iterations = 0;
  bool easy = false;     // the residual became small
  bool late = false;     // the seconds or iterations were over
  bool stopped = false;  // by the user
  double left() const { return before > 0 ? std::sqrt(after / before) : 0; }
  double rest() const { return found > 0 ? std::sqrt(overlooked / found) : 0; }
};

/// How a window is trained.
struct ErrorFitOptions {
  double seconds = 0;
  long iterations = 0;     // 0: no limit
  bool can_halve = false;  // give up early where it does not go
  unsigned long seed = 0;
  std::function<bool(double fraction)> go_on;  // after each iteration
};

/// Adds the window [start, end] and trains it. ArgumentError where the residual is not finite.
ErrorFit fit_window(const Cpu&, ErrorWindows& windows, double start, double end,
                    const ErrorFitOptions& options);

}  // namespace sobolev::detail
