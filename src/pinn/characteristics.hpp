// SPDX-License-Identifier: Apache-2.0
#pragma once
// A solution in Lagrangian form, read at places: the label X with x(X, t) = x is found first, then
// expressions are evaluated there by the chain rule (src/problem/lagrangian.hpp).
#include <vector>

#include "evaluator.hpp"
#include "src/problem/lagrangian.hpp"

namespace sobolev::detail {

/// The labels that reach places.
struct Labels {
  std::vector<double> points;  // [N, D]: labels in the place of the coordinates that move
  std::vector<char> missed;    // no label of the range arrives there: the nearest one is given
  std::size_t missing() const;
};

/// How labels move, at points all over the label domain.
struct DeformationCheck {
  double least = 1;           // of det ∂x/∂X
  std::vector<double> place;  // the label where
  double below = 0;           // share of the points where it is below the floor
};

class Characteristics {
 public:
  /// `problem`: as asked; `trained`: its label problem; parameters by window. They outlive this.
  Characteristics(const Cpu& host, MakeEvaluator make, const Problem& problem, const Problem& trained,
                  const std::vector<std::vector<double>>& parameters)
      : cpu_(host),
        make_(std::move(make)),
        problem_(problem),
        trained_(trained),
        parameters_(parameters),
        form_(problem) {}

  /// Expressions of the problem's names at places x : [N, D]. Result [outputs][N].
  std::vector<std::vector<double>> values(View<const double, 2> x, const std::vector<Expr>& outputs) const;
  /// By Newton's method to rounding. One coordinate that moves: within the two of 257 evenly spread labels
  /// that enclose the place; where characteristics cross there are several, one of them is found. Two: from
  /// the place at the beginning along the time.
  Labels labels(View<const double, 2> x) const;
  /// On `count` quasi-random labels of the trained windows.
  DeformationCheck deformation(int count) const;

 private:
  struct Enclosed {
    std::vector<double> low, high;  // [N]: labels whose positions enclose the place
    std::vector<double> shift;      // [N]: whole periods from the place to between them
    std::vector<char> missed;
  };
  /// ξ of each moving coordinate, then ∂ξ/∂X [row][column]: [outputs][N].
  std::vector<std::vector<double>> displacement(const std::vector<double>& points) const;
  std::vector<double> wrapped(const std::vector<double>& points) const;
  std::vector<double> with_labels(View<const double, 2> x, const std::vector<double>& labels) const;
  Enclosed enclose(View<const double, 2> x) const;
  Labels labels_in_one(View<const double, 2> x) const;
  Labels labels_in_two(View<const double, 2> x) const;
  bool follow(View<const double, 2> x, const std::vector<std::size_t>& which, int steps, Labels& out) const;
  Cpu cpu_;
  MakeEvaluator make_;
  const Problem &problem_, &trained_;
  const std::vector<std::vector<double>>& parameters_;
  LagrangianForm form_;
};

}  // namespace sobolev::detail
