// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "sobolev/core/buffer_on.hpp"
#include "sobolev/core/executor.hpp"
#include "sobolev/optim/optimizer.hpp"

namespace sobolev {

struct LbfgsOptions {
  int memory = 20;                          // pairs (s, y) that are kept
  double decrease = 1e-4, curvature = 0.9;  // c1 and c2 of the Wolfe conditions
  int most_evaluations = 30;                // of L and its gradient in one line search
};

/// L-BFGS: the step along p = −H g, where H is built from the last m pairs s = θ₊ − θ, y = g₊ − g by the
/// two-loop recursion, its length α found by a line search for the strong Wolfe conditions
///   L(θ + αp) ≤ L + c₁ α gᵀp,  |g(θ + αp)ᵀp| ≤ c₂ |gᵀp|.
/// A search that finds no lower loss is tried once more along −g, with the pairs forgotten; when that fails
/// as well the optimiser is stuck. A loss that is not finite on the way counts as too long a step. Memory (2m
/// + 5)·P; work of an iteration: about one loss and gradient, and 4m·P. Sources: Nocedal & Wright 2006,
/// algorithms 7.4, 7.5, 3.5 and 3.6; Liu & Nocedal 1989.
template <class T, class E = Cpu>
class Lbfgs final : public Optimizer<T, E> {
 public:
  Lbfgs(const E&, std::size_t parameters, LbfgsOptions = {});

  Progression progression() const override { return Progression::descends; }
  void iterate(Objective<T, E>& objective, View<T, 1> parameters) override;
  typename Optimizer<T, E>::Outcome outcome() const override { return outcome_; }
  /// The pairs stay: the curvature of other points is much the same.
  void changed() override { known_ = false; }
  NamedArrays save() const override;
  void load(const NamedArrays& state) override;
  static void check(const NamedArrays& state, std::size_t parameters, int memory);

  /// Evaluations of L and its gradient in the last iteration.
  int evaluations() const { return evaluations_; }
  int pairs() const { return count_; }

 private:
  /// A length of the step: L, its slope along the direction, and the length itself.
  struct Place {
    double length, loss, slope;
  };
  View<T, 1> vector(BufferOn<E, T>& buffer, std::size_t row = 0) const {
    return View<T, 1>(buffer.data() + row * p_, p_);
  }
  /// The buffer's row of pair number i, oldest first.
  std::size_t row(int i) const { return std::size_t((first_ + i) % options_.memory); }
  void find_direction();
  Place evaluate(Objective<T, E>& objective, View<const T, 1> parameters, double length);
  /// Moves θ along the direction; false when no lower loss was found.
  bool search(Objective<T, E>& objective, View<T, 1> parameters);
  void accept(View<T, 1> parameters, const Place& place);
  double dot_of(View<const T, 1> a, View<const T, 1> b) const;

  E executor_;
  std::size_t p_;
  LbfgsOptions options_;
  BufferOn<E, T> steps_, changes_;                           // s, y : [memory, P]
  BufferOn<E, T> gradient_, trial_gradient_, low_gradient_;  // at θ, at the last trial, at the best one
  BufferOn<E, T> direction_, trial_;
  std::vector<double> shares_, inverse_curvatures_;  // of the pairs, while a direction is made
  int first_ = 0, count_ = 0;
  bool known_ = false;  // loss_ and gradient_ are those of θ
  double loss_ = 0;
  int evaluations_ = 0;
  typename Optimizer<T, E>::Outcome outcome_;
};

}  // namespace sobolev
