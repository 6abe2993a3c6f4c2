// SPDX-License-Identifier: Apache-2.0
#pragma once
// One time window of a problem: its network's inputs, and the solution as an expression of the
// network's raw outputs and, in later windows, of the previous window's solution at its end.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sobolev/pinn/residual_objective.hpp"
#include "src/problem/network_of.hpp"
#include "src/problem/time_windows.hpp"

namespace sobolev::detail {

/// A derivative of the previous window's solution at the start of this one.
struct PreviousValue {
  std::string unknown;
  Derivative derivative;
  auto operator<=>(const PreviousValue&) const = default;
};

/// A residual group compiled for a window, with the recipe for its external values.
struct CompiledGroup {
  std::string name;
  ResidualGroup group;
  std::vector<PreviousValue> previous;
  Tape prelude;  // inputs: coordinates, previous values; outputs: the group's external values
  std::vector<std::size_t> external_of;  // the first residual that contains each external value
  /// Residuals that contain no network output and vanish (hard constraints) leave nothing to train.
  bool satisfied = false;
};

class WindowModel {
 public:
  /// `problem` must have concrete options (defaults.hpp).
  WindowModel(const Problem& problem, int window);

  int window() const { return window_; }
  double start() const { return start_; }
  double end() const { return end_; }
  Features features() const { return network_features(*problem_, ranges()); }
  Network network() const { return network_of(*problem_); }
  std::vector<Symmetry> symmetry() const { return mirror_symmetry(*problem_); }
  /// Ranges of the coordinates in this window.
  std::vector<CoordinateRange> ranges() const;

  /// Names of the conditions that the solution's form satisfies exactly, or that belong to the first
  /// window only; the others are trained.
  bool imposed(const Condition& condition) const;
  /// The solution for reading: network outputs are called `network`u, what the window begins with `start`u
  /// and, its slope in time, `start`u_t.
  Expr form(const std::string& unknown, const std::string& network, const std::string& start) const;
  /// An expression of unknowns as one of raw outputs and previous values.
  Expr lower(Expr e) const;
  /// Compiles residuals that hold on one set of points.
  CompiledGroup compile(const std::string& name, const std::vector<Expr>& residuals) const;

 private:
  void build_solutions();
  const Problem* problem_;
  int window_, time_;
  double start_ = 0, end_ = 0;
  std::map<std::string, Expr> solution_;
  std::vector<const Condition*> imposed_;
};

/// The raw network output that stands behind an unknown.
Expr raw_output(const std::string& unknown);

}  // namespace sobolev::detail
