// SPDX-License-Identifier: Apache-2.0
#pragma once
// Levenberg–Marquardt on either executor: which operations follow each other. The arithmetic is in the
// kernels.
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "sobolev/core/profile.hpp"
#include "sobolev/linalg/cholesky.hpp"
#include "sobolev/linalg/vector.hpp"
#include "sobolev/optim/damping.hpp"
#include "sobolev/optim/levenberg_marquardt.hpp"

namespace sobolev {
namespace detail {
inline constexpr double smallest_damping = 1e-16, largest_damping = 1e12;
inline constexpr std::size_t factor_granule = 48;  // a multiple of every panel width: factored in place

/// The first n elements of a buffer.
template <class T, class B>
View<T, 1> head(const B& buffer, std::size_t n) {
  return View<T, 1>(const_cast<T*>(buffer.data()), n);
}
}  // namespace detail

template <class T, class E>
LevenbergMarquardt<T, E>::LevenbergMarquardt(const E& executor, std::size_t parameters,
                                             LevenbergMarquardtOptions options)
    : executor_(executor),
      p_(parameters),
      options_(options),
      damping_(options.initial_damping),
      matrix_(zeros<T>(executor, parameters * parameters)),
      diagonal_(zeros<T>(executor, parameters)),
      padded_((parameters + detail::factor_granule - 1) / detail::factor_granule * detail::factor_granule),
      factor_(zeros<T>(executor, padded_ * padded_)),
      gradient_(zeros<T>(executor, padded_)),
      step_(zeros<T>(executor, padded_)),
      best_step_(zeros<T>(executor, padded_)),
      trial_(zeros<T>(executor, padded_)),
      acceleration_(zeros<T>(executor, padded_)) {}

template <class T, class E>
bool LevenbergMarquardt<T, E>::solve(double damping) {
  const profile::Range range(executor_, "Levenberg–Marquardt: step of a damping");
  const View<T, 2> factor(factor_.data(), padded_, padded_);
  damped_matrix<T>(executor_, View<const T, 2>(matrix_.data(), p_, p_), detail::head<const T>(diagonal_, p_),
                   T(damping), factor);
  {
    const profile::Range range(executor_, "Cholesky");
    if (!cholesky<T>(executor_, factor)) return false;
  }
  solve_factored(T(-1), gradient_, step_);
  return std::isfinite(norm<T>(executor_, detail::head<const T>(step_, padded_)));
}

template <class T, class E>
void LevenbergMarquardt<T, E>::solve_factored(T scale, const BufferOn<E, T>& right,
                                              BufferOn<E, T>& solution) {
  const auto b = detail::head<const T>(right, padded_);
  axpby<T>(executor_, scale, b, T(0), b, detail::head<T>(solution, padded_));
  cholesky_solve<T>(executor_, View<const T, 2>(factor_.data(), padded_, padded_),
                    detail::head<T>(solution, padded_));
}

template <class T, class E>
void LevenbergMarquardt<T, E>::evaluate(FusedStep<T, E>& residuals, View<const T, 1> parameters,
                                        std::vector<BufferOn<E, T>>& r) {
  for (int g = 0; g < residuals.groups(); ++g) {
    const std::size_t e = std::size_t(residuals.residuals(g)), n = residuals.points(g), i = std::size_t(g);
    if (i == r.size()) r.push_back(zeros<T>(executor_, e * n));
    if (r[i].size() != e * n) r[i] = zeros<T>(executor_, e * n);
    if (n > 0) residuals.evaluate(g, parameters, View<T, 2>(r[i].data(), e, n));
  }
}

template <class T, class E>
bool LevenbergMarquardt<T, E>::accelerate(FusedStep<T, E>& residuals, View<const T, 1> parameters) {
  const T h = T(0.1);
  const auto step = detail::head<const T>(step_, p_);
  // r(θ + hp) − 2 r(θ) + r(θ − hp), then JᵀW applied to it over −2h².
  for (int sign : {1, -1}) {
    axpby<T>(executor_, T(1), parameters, T(sign) * h, step, detail::head<T>(trial_, p_));
    evaluate(residuals, detail::head<const T>(trial_, p_), sign > 0 ? ahead_ : behind_);
  }
  std::vector<View<const T, 2>> seeds;
  for (std::size_t g = 0; g < ahead_.size(); ++g) {
    const std::size_t e = std::size_t(residuals.residuals(int(g))), n = residuals.points(int(g));
    const auto ahead = detail::head<T>(ahead_[g], e * n), behind = detail::head<T>(behind_[g], e * n);
    axpby<T>(executor_, T(1), behind, T(-2), detail::head<const T>(here_[g], e * n), behind);
    axpby<T>(executor_, T(1), ahead, T(1), behind, ahead);
    residuals.weigh(int(g), View<T, 2>(ahead_[g].data(), e, n));
    seeds.push_back(View<const T, 2>(ahead_[g].data(), e, n));
  }
  residuals.pull_back(parameters, seeds, detail::head<T>(trial_, p_));
  solve_factored(T(-0.5) / (h * h), trial_, acceleration_);
  const double size = norm<T>(executor_, detail::head<const T>(acceleration_, padded_));
  return std::isfinite(size) && 2 * size <= 0.75 * norm<T>(executor_, detail::head<const T>(step_, padded_));
}

template <class T, class E>
typename LevenbergMarquardt<T, E>::Outcome LevenbergMarquardt<T, E>::step(FusedStep<T, E>& residuals,
                                                                          View<T, 1> parameters) {
  require(parameters.size() == p_, "Levenberg–Marquardt: another number of parameters than at the start");
  const profile::Range range(executor_, "Levenberg–Marquardt: iteration");
  const View<const T, 1> theta = parameters;
  const View<T, 2> matrix(matrix_.data(), p_, p_);
  Outcome out{};
  out.loss_before = residuals.normal_equations(theta, matrix, detail::head<T>(gradient_, p_));
  out.loss = out.loss_before;
  if (!std::isfinite(out.loss_before)) return out;
  residuals.hold_causal_weights(true);
  if (options_.geodesic) evaluate(residuals, theta, here_);
  damping_diagonal<T>(executor_, matrix, T(options_.diagonal_floor), detail::head<T>(diagonal_, p_));

  double best_damping = damping_;
  // Tries a damping, with and without acceleration; keeps the better when it is the best so far.
  const auto attempt = [&](double damping) {
    ++out.trials;
    if (!solve(damping)) return false;
    const auto move = [&](T sign) {
      axpby<T>(executor_, T(1), detail::head<const T>(step_, p_), sign,
               detail::head<const T>(acceleration_, p_), detail::head<T>(step_, p_));
    };
    const auto loss_of = [&] {
      axpby<T>(executor_, T(1), theta, T(1), detail::head<const T>(step_, p_), detail::head<T>(trial_, p_));
      return residuals.loss(detail::head<const T>(trial_, p_));
    };
    double loss = loss_of();
    bool accelerated = false;
    // A step that overshoots by its curvature may still be a good one once that is corrected.
    if (options_.geodesic && loss < 10 * out.loss_before && accelerate(residuals, theta)) {
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

  double damping = std::max(detail::smallest_damping, damping_ / 4);
  if (attempt(damping)) {
    bool fell = false;
    for (int i = 0; i < 3 && damping > detail::smallest_damping; ++i) {
      damping = std::max(detail::smallest_damping, damping / 4);
      if (!attempt(damping)) break;
      fell = true;
    }
    if (!fell) attempt(best_damping * 4);
  } else {
    do damping *= 6;
    while (!attempt(damping) && damping < detail::largest_damping);
  }
  damping_ = out.accepted ? best_damping : std::min(detail::largest_damping, damping);

  if (out.accepted) axpby<T>(executor_, T(1), theta, T(1), detail::head<const T>(best_step_, p_), parameters);
  residuals.hold_causal_weights(false);
  return out;
}

}  // namespace sobolev
