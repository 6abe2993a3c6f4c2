// SPDX-License-Identifier: Apache-2.0
#pragma once
// Values of expressions of the unknowns: in one window, and through the chain of earlier windows.
#include <list>
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
  Evaluator(const Cpu&, const WindowModel&, const std::vector<Expr>& outputs);
  /// What must be known of the previous window.
  const std::vector<PreviousValue>& previous() const { return group_.previous; }
  void set_points(View<const double, 2> x, View<const double, 2> previous);
  /// out : [outputs, N]
  void evaluate(const std::vector<double>& parameters, View<double, 2> out);

 private:
  Cpu cpu_;
  CompiledGroup group_;
  ResidualObjective<double> objective_;
};

/// The previous windows' solution at the start of a window.
class Continuation {
 public:
  /// `wanted`: the values asked for later on. parameters: by window, the windows before the one asked for.
  Continuation(const Cpu&, const Problem&, std::vector<PreviousValue> wanted);
  /// The values `wanted` of window − 1 at its end, at the space coordinates of x : [N, D]. [wanted, N]
  /// Points that were asked for in an earlier window are carried on from there.
  Buffer<double> values(int window, View<const double, 2> x, const std::vector<PreviousValue>& wanted,
                        const std::vector<std::vector<double>>& parameters);
  /// The carried values at the end of a window from those at its start. before, result: [carried, N]
  Buffer<double> step(int window, View<const double, 2> x, const Buffer<double>& before,
                      const std::vector<double>& parameters);
  /// Rows of carried values.
  Buffer<double> pick(const Buffer<double>& carried, std::size_t n,
                      const std::vector<PreviousValue>& wanted) const;

 private:
  /// Carried values at the end of a window.
  struct Known {
    int window;
    std::vector<double> points;  // [N, D], time 0
    Buffer<double> values;
  };
  static constexpr std::size_t most_known = 64;          // point sets: of equations and conditions
  static constexpr std::size_t most_numbers = 1u << 25;  // in them, 256 MiB
  std::size_t known_numbers() const;
  Evaluator& evaluator(int window);
  Cpu cpu_;
  const Problem* problem_;
  std::vector<PreviousValue> carried_;  // closed: enough to go from each window to the next
  std::vector<std::unique_ptr<Evaluator>> evaluators_;
  std::list<Known> known_;
};

/// Expressions at points anywhere in the domain: each point in its window. Result [outputs][N].
std::vector<std::vector<double>> evaluate_windows(const Cpu&, const Problem&,
                                                  const std::vector<std::vector<double>>& parameters,
                                                  View<const double, 2> x, const std::vector<Expr>& outputs);

}  // namespace sobolev::detail
