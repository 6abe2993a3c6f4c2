// SPDX-License-Identifier: Apache-2.0
#pragma once
// Values of expressions of the unknowns: in one window, and through the chain of earlier windows.
#include <functional>
#include <list>
#include <memory>
#include <type_traits>
#include <vector>

#include "sobolev/core/buffer_on.hpp"
#include "window_model.hpp"

namespace sobolev::detail {

/// A group's external values at points x : [N, D], previous : [count, N]. Result [externals, N].
Buffer<double> external_values(const Cpu&, const CompiledGroup&, View<const double, 2> x,
                               View<const double, 2> previous);

/// A compiled group's values on either executor, from the host's arrays and to them.
class GroupValues {
 public:
  virtual ~GroupValues() = default;
  virtual void set_points(View<const double, 2> x, View<const double, 2> externals) = 0;
  virtual void evaluate(const std::vector<double>& parameters, View<double, 2> out) = 0;
};
template <class E>
class GroupValuesOn final : public GroupValues {
 public:
  GroupValuesOn(const E& on, const WindowModel& model, const ResidualGroup& group)
      : on_(on), objective_(on, model.network(), model.features(), model.symmetry()) {
    objective_.add_group(group);
  }
  void set_points(View<const double, 2> x, View<const double, 2> externals) override {
    objective_.set_points(0, x, externals);
  }
  void evaluate(const std::vector<double>& parameters, View<double, 2> out) override {
    const View<const double, 1> theta(parameters.data(), parameters.size());
    if constexpr (std::is_same_v<E, Cpu>) {
      objective_.residuals(0, theta, out);
    } else {
      auto there = zeros<double>(on_, theta.size()), values = zeros<double>(on_, out.size());
      const View<double, 2> r(values.data(), out.extent(0), out.extent(1));
      upload<double, 1>(on_, theta, View<double, 1>(there.data(), theta.size()));
      objective_.residuals(0, View<const double, 1>(there.data(), theta.size()), r);
      download<double, 2>(on_, r, out);
    }
  }

 private:
  E on_;
  ResidualObjective<double, E> objective_;
};

/// Expressions of the unknowns on one window's network.
class Evaluator {
 public:
  /// `on`: where the networks are evaluated; the host does the rest.
  template <class E>
  Evaluator(const Cpu& host, const E& on, const WindowModel& model, const std::vector<Expr>& outputs)
      : Evaluator(host, model.compile("outputs", outputs)) {
    values_ = std::make_unique<GroupValuesOn<E>>(on, model, group_.group);
  }
  Evaluator(const Cpu& cpu, const WindowModel& model, const std::vector<Expr>& outputs)
      : Evaluator(cpu, cpu, model, outputs) {}
  /// What must be known of the previous window.
  const std::vector<PreviousValue>& previous() const { return group_.previous; }
  void set_points(View<const double, 2> x, View<const double, 2> previous);
  /// out : [outputs, N]
  void evaluate(const std::vector<double>& parameters, View<double, 2> out) {
    values_->evaluate(parameters, out);
  }

 private:
  Evaluator(const Cpu& host, CompiledGroup group) : cpu_(host), group_(std::move(group)) {}
  Cpu cpu_;
  CompiledGroup group_;
  std::unique_ptr<GroupValues> values_;
};

/// Makes the evaluator of a window: which executor it has.
using MakeEvaluator = std::function<Evaluator(const WindowModel&, const std::vector<Expr>& outputs)>;
template <class E>
MakeEvaluator evaluators_on(const Cpu& host, const E& on) {
  return [host, on](const WindowModel& model, const std::vector<Expr>& outputs) {
    return Evaluator(host, on, model, outputs);
  };
}

/// The problem itself where it is in Lagrangian form and each window begins with labels of its own, so that
/// x(X, T_k) = X again, else null: labels go on where their range is given.
const Problem* relabelled(const Problem& asked);

/// The previous windows' solution at the start of a window.
class Continuation {
 public:
  /// `wanted`: the values asked for later on. parameters: by window, the windows before the one asked for.
  /// `asked`: as relabelled() has it. A point is then a place where the window begins, and in the window
  /// before the label that arrives there; displacements begin at 0.
  Continuation(const Cpu&, const Problem& trained, std::vector<PreviousValue> wanted,
               const Problem* asked = nullptr);
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
  std::vector<Expr> carried_expressions() const;
  bool displacement(const PreviousValue& value) const;
  Buffer<double> values_at_places(int window, View<const double, 2> x,
                                  const std::vector<PreviousValue>& wanted,
                                  const std::vector<std::vector<double>>& parameters);
  Cpu cpu_;
  const Problem *problem_, *asked_;
  std::vector<PreviousValue> carried_;  // closed: enough to go from each window to the next
  std::vector<std::unique_ptr<Evaluator>> evaluators_;
  std::list<Known> known_;
};

/// Expressions at points anywhere in the domain: each point in its window, whose network is evaluated where
/// `make` says; earlier windows are carried on by the host. `asked` as for Continuation; the points of a
/// Lagrangian form are labels. Result [outputs][N].
std::vector<std::vector<double>> evaluate_windows(const Cpu& host, const MakeEvaluator& make, const Problem&,
                                                  const std::vector<std::vector<double>>& parameters,
                                                  View<const double, 2> x, const std::vector<Expr>& outputs,
                                                  const Problem* asked = nullptr);

}  // namespace sobolev::detail
