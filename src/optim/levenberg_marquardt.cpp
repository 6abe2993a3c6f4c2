// SPDX-License-Identifier: Apache-2.0
#include "sobolev/optim/levenberg_marquardt.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "sobolev/linalg/cholesky.hpp"

namespace sobolev {
namespace {
constexpr double smallest_damping = 1e-16, largest_damping = 1e12;
constexpr std::size_t factor_granule = 48;  // a multiple of every panel width: factored in place

template <class T>
double norm(const Buffer<T>& v) {
  double sum = 0;
  for (T x : v) sum += double(x) * double(x);
  return std::sqrt(sum);
}
template <class T>
View<const T, 1> view(const Buffer<T>& b) {
  return View<const T, 1>(b.data(), b.size());
}
}  // namespace

template <class T>
LevenbergMarquardt<T>::LevenbergMarquardt(const Cpu& cpu, std::size_t parameters,
                                          LevenbergMarquardtOptions options)
    : cpu_(cpu),
      p_(parameters),
      options_(options),
      damping_(options.initial_damping),
      matrix_(parameters * parameters),
      gradient_(parameters),
      diagonal_(parameters),
      padded_((parameters + factor_granule - 1) / factor_granule * factor_granule),
      factor_(padded_ * padded_),
      step_(padded_),
      best_step_(padded_),
      trial_(parameters),
      acceleration_(padded_) {}

template <class T>
bool LevenbergMarquardt<T>::solve(double damping) {
  const std::size_t n = padded_;
#pragma omp parallel for num_threads(cpu_.threads()) schedule(static)
  for (std::size_t i = 0; i < n; ++i) {
    T* row = factor_.data() + i * n;
    if (i < p_) std::copy(matrix_.data() + i * p_ + i, matrix_.data() + (i + 1) * p_, row + i);
    std::fill(row + std::max(i, p_), row + n, T(0));
    row[i] = i < p_ ? row[i] + T(damping) * diagonal_[i] : T(1);
  }
  if (!cholesky(cpu_, factor_.view(n, n))) return false;
  for (std::size_t i = 0; i < n; ++i) step_[i] = i < p_ ? -gradient_[i] : T(0);
  cholesky_solve(cpu_, View<const T, 2>(factor_.data(), n, n), step_.view(n));
  return std::all_of(step_.begin(), step_.end(), [](T x) { return std::isfinite(x); });
}

template <class T>
void LevenbergMarquardt<T>::evaluate(FusedStep<T>& residuals, View<const T, 1> parameters,
                                     std::vector<Buffer<T>>& r) {
  const std::size_t groups = std::size_t(residuals.groups());
  r.resize(groups);
  for (std::size_t g = 0; g < groups; ++g) {
    const std::size_t e = std::size_t(residuals.residuals(int(g))), n = residuals.points(int(g));
    if (r[g].size() != e * n) r[g] = Buffer<T>(e * n);
    if (n > 0) residuals.evaluate(int(g), parameters, r[g].view(e, n));
  }
}

template <class T>
bool LevenbergMarquardt<T>::accelerate(FusedStep<T>& residuals, View<const T, 1> parameters) {
  const T h = T(0.1);
  // r(θ + hp) − 2 r(θ) + r(θ − hp), then JᵀW applied to it over −2h².
  for (int sign : {1, -1}) {
    for (std::size_t i = 0; i < p_; ++i) trial_[i] = parameters.data()[i] + T(sign) * h * step_[i];
    evaluate(residuals, view(trial_), sign > 0 ? ahead_ : behind_);
  }
  std::vector<View<const T, 2>> seeds;
  for (std::size_t g = 0; g < ahead_.size(); ++g) {
    const std::size_t e = std::size_t(residuals.residuals(int(g))), n = residuals.points(int(g));
    for (std::size_t i = 0; i < e * n; ++i) ahead_[g][i] += behind_[g][i] - 2 * here_[g][i];
    residuals.weigh(int(g), ahead_[g].view(e, n));
    seeds.push_back(View<const T, 2>(ahead_[g].data(), e, n));
  }
  residuals.pull_back(parameters, seeds, acceleration_.view(p_));
  for (std::size_t i = 0; i < padded_; ++i)
    acceleration_[i] = i < p_ ? acceleration_[i] * (T(-0.5) / (h * h)) : T(0);
  cholesky_solve(cpu_, View<const T, 2>(factor_.data(), padded_, padded_), acceleration_.view(padded_));
  const double size = norm(acceleration_);
  return std::isfinite(size) && 2 * size <= 0.75 * norm(step_);
}

template <class T>
typename LevenbergMarquardt<T>::Outcome LevenbergMarquardt<T>::step(FusedStep<T>& residuals,
                                                                    View<T, 1> parameters) {
  require(parameters.size() == p_, "Levenberg–Marquardt: another number of parameters than at the start");
  const View<const T, 1> theta = parameters;
  Outcome out{};
  out.loss_before = residuals.normal_equations(theta, matrix_.view(p_, p_), gradient_.view(p_));
  out.loss = out.loss_before;
  if (!std::isfinite(out.loss_before)) return out;
  residuals.hold_causal_weights(true);
  if (options_.geodesic) evaluate(residuals, theta, here_);

  T largest = 0;
  for (std::size_t i = 0; i < p_; ++i) largest = std::max(largest, matrix_[i * p_ + i]);
  for (std::size_t i = 0; i < p_; ++i)
    diagonal_[i] = std::max(matrix_[i * p_ + i], T(options_.diagonal_floor) * largest);

  double best_damping = damping_;
  // Tries a damping, with and without acceleration; keeps the better when it is the best so far.
  const auto attempt = [&](double damping) {
    ++out.trials;
    if (!solve(damping)) return false;
    const auto loss_of = [&] {
      for (std::size_t i = 0; i < p_; ++i) trial_[i] = parameters.data()[i] + step_[i];
      return residuals.loss(view(trial_));
    };
    double loss = loss_of();
    bool accelerated = false;
    // A step that overshoots by its curvature may still be a good one once that is corrected.
    if (options_.geodesic && loss < 10 * out.loss_before && accelerate(residuals, theta)) {
      for (std::size_t i = 0; i < p_; ++i) step_[i] += acceleration_[i];
      const double corrected = loss_of();
      if (corrected < loss || !std::isfinite(loss)) {
        loss = corrected;
        accelerated = true;
      } else {
        for (std::size_t i = 0; i < p_; ++i) step_[i] -= acceleration_[i];
      }
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
    for (int i = 0; i < 12 && damping < largest_damping; ++i) {
      damping *= 6;
      if (attempt(damping)) break;
    }
  }
  damping_ = out.accepted ? best_damping : std::min(largest_damping, damping);

  if (out.accepted)
    for (std::size_t i = 0; i < p_; ++i) parameters.data()[i] += best_step_[i];
  residuals.hold_causal_weights(false);
  return out;
}

template class LevenbergMarquardt<float>;
template class LevenbergMarquardt<double>;

}  // namespace sobolev
