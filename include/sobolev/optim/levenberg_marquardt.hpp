// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sobolev/core/buffer_on.hpp"
#include "sobolev/core/executor.hpp"
#include "sobolev/optim/optimizer.hpp"

namespace sobolev {

struct LevenbergMarquardtOptions {
  bool geodesic = true;  // second-order correction of the step
  double initial_damping = 1e-3;
  double diagonal_floor = 0.1;  // of D = diag(G), relative to its largest element
};

/// Levenberg–Marquardt on L(θ) = Σ w r²: (G + λD) p = −g with G = JᵀWJ, g = JᵀWr, D = diag(G) raised to at
/// least a tenth of its largest element. The damping λ is searched with the same G: it falls by 4 while the
/// loss falls (at most 4 trials), rises by 4 once when the first fall was too bold, by 6 (up to 1e12) while
/// the loss does not fall. Geodesic acceleration (Transtrum & Sethna 2012): with r_vv the second derivative
/// of r along p by central differences (h = 0.1), (G + λD) a = −½ JᵀW r_vv; a trial takes p + a when 2|a| ≤
/// 0.75|p| and its loss is lower. Cost per iteration: the normal equations, Cholesky P³/3 and about 6 passes
/// per trial. Sources: Moré 1978; papers cited in docs/optimizers.md.
template <class T, class E = Cpu>
class LevenbergMarquardt final : public Optimizer<T, E> {
 public:
  LevenbergMarquardt(const E&, std::size_t parameters, LevenbergMarquardtOptions = {});

  struct Iteration {
    double loss_before, loss;  // equal when no trial was accepted
    int trials;
    bool accepted, accelerated;
  };
  /// One iteration; parameters are changed in place when a trial is accepted.
  Iteration step(LeastSquares<T, E>& objective, View<T, 1> parameters);

  double damping() const { return damping_; }
  void set_damping(double damping) { damping_ = damping; }

  Progression progression() const override { return Progression::descends; }
  /// ArgumentError unless the objective is a sum of squares.
  void iterate(Objective<T, E>& objective, View<T, 1> parameters) override;
  typename Optimizer<T, E>::Outcome outcome() const override { return {last_.loss, !last_.accepted}; }
  void changed() override {}
  NamedArrays save() const override { return {{"damping", {damping_}}}; }
  void load(const NamedArrays& state) override;
  static void check(const NamedArrays& state);

 private:
  /// Factors G + λD and solves for the step; false when not positive definite.
  bool solve(double damping);
  /// solution = scale · (G + λD)⁻¹ right, all of it: what is beyond p_ is zero on the right and stays so,
  /// even after a solution that was not finite.
  void solve_factored(T scale, const BufferOn<E, T>& right, BufferOn<E, T>& solution);
  /// The correction of the step from the same factor; false when it is too large to be trusted.
  bool accelerate(LeastSquares<T, E>& objective, View<const T, 1> parameters);
  void residuals(LeastSquares<T, E>& objective, View<const T, 1> parameters, BufferOn<E, T>& r);

  E executor_;
  std::size_t p_;
  LevenbergMarquardtOptions options_;
  double damping_;
  Iteration last_{};
  BufferOn<E, T> matrix_, diagonal_;
  std::size_t padded_;  // order of the factor: p_, the identity beyond it
  BufferOn<E, T> factor_, scratch_;
  BufferOn<E, T> gradient_, step_, best_step_, trial_, acceleration_;  // zero beyond p_
  BufferOn<E, T> here_, ahead_, behind_;                               // residuals at θ and θ ± hp
};

}  // namespace sobolev
