// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>

#include "sobolev/core/executor.hpp"
#include "sobolev/core/view.hpp"

namespace sobolev {

template <class T, class E>
class LeastSquares;

/// A function L(θ) that is to be made small. Parameters and gradients, [P], lie in the memory of E, Cpu or
/// Cuda.
template <class T, class E = Cpu>
class Objective {
 public:
  virtual ~Objective() = default;
  /// P.
  virtual std::size_t parameters() const = 0;
  virtual double loss(View<const T, 1> parameters) = 0;
  /// L(θ) and ∂L/∂θ.
  virtual double loss_gradient(View<const T, 1> parameters, View<T, 1> gradient) = 0;
  /// The same with L(θ) left in the executor's memory, loss : [1]: on a device nothing waits, and once it has
  /// been called after the last change of the objective it can be recorded in a CudaGraph.
  virtual void loss_gradient(View<const T, 1> parameters, View<T, 1> gradient, View<double, 1> loss) = 0;
  /// While held, what depends on θ without being differentiated (causal weights) stays as the last pass found
  /// it, so that the losses of trial steps can be compared. Where nothing does, `adapts` is false.
  virtual void hold(bool held) { static_cast<void>(held); }
  virtual bool adapts() const { return false; }
  /// Null unless L is a sum of squares.
  virtual LeastSquares<T, E>* least_squares() { return nullptr; }
};

/// L(θ) = Σ_i w_i r_i(θ)², i = 1 … M, with J = ∂r/∂θ : [M, P].
template <class T, class E = Cpu>
class LeastSquares : public Objective<T, E> {
 public:
  LeastSquares* least_squares() override { return this; }
  /// M.
  virtual std::size_t size() const = 0;
  virtual void residuals(View<const T, 1> parameters, View<T, 1> r) = 0;
  /// r_i *= w_i.
  virtual void weigh(View<T, 1> r) = 0;
  /// gradient = Jᵀ seed.
  virtual void pull_back(View<const T, 1> parameters, View<const T, 1> seed, View<T, 1> gradient) = 0;
  /// The Gauss–Newton matrix G = Jᵀ W J (its upper triangle; the lower one is left alone), g = Jᵀ W r; L(θ).
  /// r : [M] gets the residuals (0 where their weights vanish), unless it is empty. matrix : [P, P]
  virtual double normal_equations(View<const T, 1> parameters, View<T, 2> matrix, View<T, 1> gradient,
                                  View<T, 1> r) = 0;
  double normal_equations(View<const T, 1> parameters, View<T, 2> matrix, View<T, 1> gradient) {
    return normal_equations(parameters, matrix, gradient, View<T, 1>(nullptr, 0));
  }
};

}  // namespace sobolev
