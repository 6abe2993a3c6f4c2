// SPDX-License-Identifier: Apache-2.0
#pragma once
// Values of expressions of the unknowns: in one window, and through the chain of earlier windows.
#include <memory>
#include <vector>

#include "sobolev/core/buffer.hpp"
#include "window_model.hpp"

namespace sobolev::detail {

/// A group's external values at points x : [N, D], previous : [count, N]. Result [externals, N].
Buffer<double> external_values(const Cpu&, const CompiledGroup&, View<const double, 2> x,
                               View<const double, 2> previous);

/// Expressions of the unknowns on one window's network.
class Evaluator {
 public:
  Evaluator(const Cpu&, const Problem&, int window, const std::vector<Expr>& outputs);
  /// What must be known of the previous window.
  const std::vector<PreviousValue>& previous() const { return group_.previous; }
  void set_points(View<const double, 2> x, View<const double, 2> previous);
  /// out : [outputs, N]
  void evaluate(const std::vector<double>& parameters, View<double, 2> out);

 private:
  Cpu cpu_;
  CompiledGroup group_;
  FusedStep<double> step_;
};

/// The previous windows' solution at the start of a window.
class Continuation {
 public:
  /// `wanted`: the values asked for later on. parameters: by window, the windows before the one asked for.
  Continuation(const Cpu&, const Problem&, std::vector<PreviousValue> wanted);
  /// The values `wanted` of window − 1 at its end, at the space coordinates of x : [N, D]. [wanted, N]
  Buffer<double> values(int window, View<const double, 2> x, const std::vector<PreviousValue>& wanted,
                        const std::vector<std::vector<double>>& parameters);

 private:
  Evaluator& evaluator(int window);
  Cpu cpu_;
  const Problem* problem_;
  std::vector<PreviousValue> carried_;  // closed: enough to go from each window to the next
  std::vector<std::unique_ptr<Evaluator>> evaluators_;
};

/// Expressions at points anywhere in the domain: each point in its window. Result [outputs][N].
std::vector<std::vector<double>> evaluate_windows(const Cpu&, const Problem&,
                                                  const std::vector<std::vector<double>>& parameters,
                                                  View<const double, 2> x, const std::vector<Expr>& outputs);

}  // namespace sobolev::detail
