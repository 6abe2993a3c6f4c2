// SPDX-License-Identifier: Apache-2.0
#include "sobolev/optim/levenberg_marquardt.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "sobolev/linalg/cholesky.hpp"

namespace sobolev {
namespace {
constexpr double smallest_damping = 1e-16, largest_damping = 1e12;

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
      factor_(parameters * parameters),
      step_(parameters),
      best_step_(parameters),
      trial_(parameters),
      acceleration_(parameters) {}

template <class T>
bool LevenbergMarquardt<T>::solve(double damping, Buffer<T>& factor, Buffer<T>& step) {
#pragma omp parallel for num_threads(cpu_.threads()) schedule(static)
  for (std::size_t i = 0; i < p_; ++i) {
    std::copy_n(matrix_.data() + i * p_ + i, p_ - i, factor.data() + i * p_ + i);
    factor[i * p_ + i] += T(damping) * diagonal_[i];
  }
  if (!cholesky(cpu_, factor.view(p_, p_))) return false;
  for (std::size_t i = 0; i < p_; ++i) step[i] = -gradient_[i];
  cholesky_solve(cpu_, View<const T, 2>(factor.data(), p_, p_), step.view(p_));
  return std::all_of(step.begin(), step.end(), [](T x) { return std::isfinite(x); });
}

template <class T>
bool LevenbergMarquardt<T>::accelerate(FusedStep<T>& residuals, View<const T, 1> parameters,
                                       const Buffer<T>& factor, const Buffer<T>& step,
                                       Buffer<T>& acceleration) {
  const T h = T(0.1);
  const int groups = residuals.groups();
  std::vector<Buffer<T>> second;
  for (int g = 0; g < groups; ++g)
    second.emplace_back(std::size_t(residuals.residuals(g)) * residuals.points(g));
  // second = r(θ + hp) − 2 r(θ) + r(θ − hp), then JᵀW applied to it over −2h².
  for (int sign : {1, 0, -1}) {
    for (std::size_t i = 0; i < p_; ++i) trial_[i] = parameters.data()[i] + T(sign) * h * step[i];
    for (int g = 0; g < groups; ++g) {
      const std::size_t e = std::size_t(residuals.residuals(g)), n = residuals.points(g);
      if (n == 0) continue;
      Buffer<T> r(e * n);
      residuals.evaluate(g, view(trial_), r.view(e, n));
      Buffer<T>& s = second[std::size_t(g)];
      for (std::size_t i = 0; i < e * n; ++i) s[i] += sign == 0 ? -2 * r[i] : r[i];
    }
  }
  std::vector<View<const T, 2>> seeds;
  for (int g = 0; g < groups; ++g) {
    const std::size_t e = std::size_t(residuals.residuals(g)), n = residuals.points(g);
    residuals.weigh(g, second[std::size_t(g)].view(e, n));
    seeds.push_back(View<const T, 2>(second[std::size_t(g)].data(), e, n));
  }
  residuals.pull_back(parameters, seeds, acceleration.view(p_));
  for (T& x : acceleration) x *= T(-0.5) / (h * h);
  cholesky_solve(cpu_, View<const T, 2>(factor.data(), p_, p_), acceleration.view(p_));
  const double size = norm(acceleration);
  return std::isfinite(size) && 2 * size <= 0.75 * norm(step);
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

  T largest = 0;
  for (std::size_t i = 0; i < p_; ++i) largest = std::max(largest, matrix_[i * p_ + i]);
  for (std::size_t i = 0; i < p_; ++i)
    diagonal_[i] = std::max(matrix_[i * p_ + i], T(options_.diagonal_floor) * largest);

  double best_damping = damping_;
  // Tries a damping, with and without acceleration; keeps the better when it is the best so far.
  const auto attempt = [&](double damping) {
    ++out.trials;
    if (!solve(damping, factor_, step_)) return false;
    const auto loss_of = [&] {
      for (std::size_t i = 0; i < p_; ++i) trial_[i] = parameters.data()[i] + step_[i];
      return residuals.loss(view(trial_));
    };
    double loss = loss_of();
    bool accelerated = false;
    // A step that overshoots by its curvature may still be a good one once that is corrected.
    if (options_.geodesic && loss < 10 * out.loss_before &&
        accelerate(residuals, theta, factor_, step_, acceleration_)) {
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
