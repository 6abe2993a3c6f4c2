// SPDX-License-Identifier: Apache-2.0
// Which operations follow each other, on either executor. The arithmetic is in the kernels.
#include "sobolev/optim/levenberg_marquardt.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "sobolev/core/profile.hpp"
#include "sobolev/linalg/cholesky.hpp"
#include "sobolev/linalg/vector.hpp"
#include "sobolev/optim/damping.hpp"
#include "src/optim/host_arrays.hpp"

namespace sobolev {
namespace {
constexpr double smallest_damping = 1e-16, largest_damping = 1e12;
constexpr std::size_t factor_granule = 48;  // a multiple of every panel width: factored in place

/// The first n elements of a buffer.
template <class T, class B>
View<T, 1> head(const B& buffer, std::size_t n) {
  return View<T, 1>(const_cast<T*>(buffer.data()), n);
}
}  // namespace

template <class T, class E>
LevenbergMarquardt<T, E>::LevenbergMarquardt(const E& executor, std::size_t parameters,
                                             LevenbergMarquardtOptions options)
    : executor_(executor),
      p_(parameters),
      options_(options),
      damping_(options.initial_damping),
      matrix_(zeros<T>(executor, parameters * parameters)),
      diagonal_(zeros<T>(executor, parameters)),
      padded_((parameters + factor_granule - 1) / factor_granule * factor_granule),
      factor_(zeros<T>(executor, padded_ * padded_)),
      scratch_(zeros<T>(executor, cholesky_scratch<T>(executor, padded_))),
      gradient_(zeros<T>(executor, padded_)),
      step_(zeros<T>(executor, padded_)),
      best_step_(zeros<T>(executor, padded_)),
      trial_(zeros<T>(executor, padded_)),
      acceleration_(zeros<T>(executor, padded_)),
      here_(zeros<T>(executor, 0)),
      ahead_(zeros<T>(executor, 0)),
      behind_(zeros<T>(executor, 0)) {}

template <class T, class E>
bool LevenbergMarquardt<T, E>::solve(double damping) {
  const profile::Range range(executor_, "Levenberg–Marquardt: step of a damping");
  const View<T, 2> factor(factor_.data(), padded_, padded_);
  damped_matrix<T>(executor_, View<const T, 2>(matrix_.data(), p_, p_), head<const T>(diagonal_, p_),
                   T(damping), factor);
  {
    const profile::Range range(executor_, "Cholesky");
    if (!cholesky<T>(executor_, factor, View<T, 1>(scratch_.data(), scratch_.size()))) return false;
  }
  solve_factored(T(-1), gradient_, step_);
  return std::isfinite(norm<T>(executor_, head<const T>(step_, padded_)));
}

template <class T, class E>
void LevenbergMarquardt<T, E>::solve_factored(T scale, const BufferOn<E, T>& right,
                                              BufferOn<E, T>& solution) {
  const auto b = head<const T>(right, padded_);
  axpby<T>(executor_, scale, b, T(0), b, head<T>(solution, padded_));
  cholesky_solve<T>(executor_, View<const T, 2>(factor_.data(), padded_, padded_),
                    head<T>(solution, padded_));
}

template <class T, class E>
void LevenbergMarquardt<T, E>::residuals(LeastSquares<T, E>& objective, View<const T, 1> parameters,
                                         BufferOn<E, T>& r) {
  if (r.size() != objective.size()) r = zeros<T>(executor_, objective.size());
  objective.residuals(parameters, head<T>(r, r.size()));
}

template <class T, class E>
bool LevenbergMarquardt<T, E>::accelerate(LeastSquares<T, E>& objective, View<const T, 1> parameters) {
  const T h = T(0.1);
  const auto step = head<const T>(step_, p_);
  // r(θ + hp) − 2 r(θ) + r(θ − hp), then JᵀW applied to it over −2h².
  for (int sign : {1, -1}) {
    axpby<T>(executor_, T(1), parameters, T(sign) * h, step, head<T>(trial_, p_));
    residuals(objective, head<const T>(trial_, p_), sign > 0 ? ahead_ : behind_);
  }
  const std::size_t m = here_.size();
  const auto ahead = head<T>(ahead_, m), behind = head<T>(behind_, m);
  axpby<T>(executor_, T(1), behind, T(-2), head<const T>(here_, m), behind);
  axpby<T>(executor_, T(1), ahead, T(1), behind, ahead);
  objective.weigh(ahead);
  objective.pull_back(parameters, ahead, head<T>(trial_, p_));
  solve_factored(T(-0.5) / (h * h), trial_, acceleration_);
  const double size = norm<T>(executor_, head<const T>(acceleration_, padded_));
  return std::isfinite(size) && 2 * size <= 0.75 * norm<T>(executor_, head<const T>(step_, padded_));
}

template <class T, class E>
void LevenbergMarquardt<T, E>::iterate(Objective<T, E>& objective, View<T, 1> parameters) {
  LeastSquares<T, E>* const squares = objective.least_squares();
  if (squares == nullptr)
    throw ArgumentError("Levenberg–Marquardt: the objective is no sum of squares; use another optimiser");
  step(*squares, parameters);
}

template <class T, class E>
void LevenbergMarquardt<T, E>::load(const NamedArrays& state) {
  check(state);
  if (const auto* damping = detail::saved_array(state, "damping", 1)) damping_ = (*damping)[0];
}

template <class T, class E>
void LevenbergMarquardt<T, E>::check(const NamedArrays& state) {
  if (const auto* damping = detail::saved_array(state, "damping", 1))
    require((*damping)[0] > 0, fmt::format("damping is {}; it must be positive", (*damping)[0]));
}

template <class T, class E>
typename LevenbergMarquardt<T, E>::Iteration LevenbergMarquardt<T, E>::step(LeastSquares<T, E>& objective,
                                                                            View<T, 1> parameters) {
  require(parameters.size() == p_, "Levenberg–Marquardt: another number of parameters than at the start");
  const profile::Range range(executor_, "Levenberg–Marquardt: iteration");
  const View<const T, 1> theta = parameters;
  const View<T, 2> matrix(matrix_.data(), p_, p_);
  Iteration& out = last_ = {};
  if (options_.geodesic && here_.size() != objective.size()) here_ = zeros<T>(executor_, objective.size());
  out.loss_before =
      objective.normal_equations(theta, matrix, head<T>(gradient_, p_), head<T>(here_, here_.size()));
  out.loss = out.loss_before;
  if (!std::isfinite(out.loss_before)) return out;
  objective.hold(true);
  damping_diagonal<T>(executor_, matrix, T(options_.diagonal_floor), head<T>(diagonal_, p_));

  double best_damping = damping_;
  // Tries a damping, with and without acceleration; keeps the better when it is the best so far.
  const auto attempt = [&](double damping) {
    ++out.trials;
    if (!solve(damping)) return false;
    const auto move = [&](T sign) {
      axpby<T>(executor_, T(1), head<const T>(step_, p_), sign, head<const T>(acceleration_, p_),
               head<T>(step_, p_));
    };
    const auto loss_of = [&] {
      axpby<T>(executor_, T(1), theta, T(1), head<const T>(step_, p_), head<T>(trial_, p_));
      return objective.loss(head<const T>(trial_, p_));
    };
    double loss = loss_of();
    bool accelerated = false;
    // A step that overshoots by its curvature may still be a good one once that is corrected.
    if (options_.geodesic && loss < 10 * out.loss_before && accelerate(objective, theta)) {
      move(T(1));
      const double corrected = loss_of();
      accelerated = corrected < loss || !std::isfinite(loss);
      if (accelerated)
        loss = corrected;
      else
        move(T(-1));
    }
    if (!(loss < out.loss)) return false;
    out.loss = loss;
    out.accepted = true;
    out.accelerated = accelerated;
    best_damping = damping;
    std::swap(step_, best_step_);
    return true;
  };

  double damping = std::max(smallest_damping, damping_ / 4);
  if (attempt(damping)) {
    bool fell = false;
    for (int i = 0; i < 3 && damping > smallest_damping; ++i) {
      damping = std::max(smallest_damping, damping / 4);
      if (!attempt(damping)) break;
      fell = true;
    }
    if (!fell) attempt(best_damping * 4);
  } else {
    do damping *= 6;
    while (!attempt(damping) && damping < largest_damping);
  }
  damping_ = out.accepted ? best_damping : std::min(largest_damping, damping);

  if (out.accepted) axpby<T>(executor_, T(1), theta, T(1), head<const T>(best_step_, p_), parameters);
  objective.hold(false);
  return out;
}

template class LevenbergMarquardt<float>;
template class LevenbergMarquardt<double>;
#if SOBOLEV_HAS_CUDA
template class LevenbergMarquardt<float, Cuda>;
template class LevenbergMarquardt<double, Cuda>;
#endif
}  // namespace sobolev
