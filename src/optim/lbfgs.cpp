// SPDX-License-Identifier: Apache-2.0
#include "sobolev/optim/lbfgs.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "sobolev/core/copy.hpp"
#include "sobolev/core/profile.hpp"
#include "sobolev/linalg/vector.hpp"
#include "src/optim/host_arrays.hpp"

namespace sobolev {
namespace {
constexpr double stretch = 4;  // of a step that is too short

/// Where the cubic through two values and slopes has its minimum, kept off the ends of the interval; its
/// middle where the cubic says nothing.
double cubic_minimum(double a, double fa, double da, double b, double fb, double db) {
  const double low = std::min(a, b), width = std::abs(b - a), middle = 0.5 * (a + b);
  if (!std::isfinite(fb) || !std::isfinite(db)) return a + 0.1 * (b - a);  // far too long
  const double d1 = da + db - 3 * (fa - fb) / (a - b), square = d1 * d1 - da * db;
  if (!(square >= 0)) return middle;
  const double d2 = (b > a ? 1 : -1) * std::sqrt(square);
  const double at = b - (b - a) * (db + d2 - d1) / (db - da + 2 * d2);
  return std::isfinite(at) ? std::clamp(at, low + 0.1 * width, low + 0.9 * width) : middle;
}
}  // namespace

template <class T, class E>
Lbfgs<T, E>::Lbfgs(const E& executor, std::size_t parameters, LbfgsOptions options)
    : executor_(executor),
      p_(parameters),
      options_(options),
      steps_(zeros<T>(executor, std::size_t(std::max(1, options.memory)) * p_)),
      changes_(zeros<T>(executor, std::size_t(std::max(1, options.memory)) * p_)),
      gradient_(zeros<T>(executor, p_)),
      trial_gradient_(zeros<T>(executor, p_)),
      low_gradient_(zeros<T>(executor, p_)),
      direction_(zeros<T>(executor, p_)),
      trial_(zeros<T>(executor, p_)),
      shares_(std::size_t(std::max(1, options.memory))),
      inverse_curvatures_(shares_.size()) {
  require(options.memory >= 1, "L-BFGS: memory must be at least one pair");
  require(0 < options.decrease && options.decrease < options.curvature && options.curvature < 1,
          "L-BFGS: the Wolfe conditions need 0 < decrease < curvature < 1");
}

template <class T, class E>
double Lbfgs<T, E>::dot_of(View<const T, 1> a, View<const T, 1> b) const {
  return dot<T>(executor_, a, b);
}

template <class T, class E>
void Lbfgs<T, E>::find_direction() {
  const View<T, 1> d = vector(direction_);
  const View<const T, 1> g = vector(gradient_);
  axpby<T>(executor_, T(-1), g, T(0), g, d);
  for (int i = count_ - 1; i >= 0; --i) {
    const View<const T, 1> s = vector(steps_, row(i)), y = vector(changes_, row(i));
    inverse_curvatures_[std::size_t(i)] = 1 / dot_of(s, y);
    shares_[std::size_t(i)] = inverse_curvatures_[std::size_t(i)] * dot_of(s, d);
    axpby<T>(executor_, T(1), d, T(-shares_[std::size_t(i)]), y, d);
  }
  if (count_ > 0) {
    const View<const T, 1> s = vector(steps_, row(count_ - 1)), y = vector(changes_, row(count_ - 1));
    axpby<T>(executor_, T(dot_of(s, y) / dot_of(y, y)), d, T(0), d, d);
  }
  for (int i = 0; i < count_; ++i) {
    const View<const T, 1> s = vector(steps_, row(i)), y = vector(changes_, row(i));
    const double beta = inverse_curvatures_[std::size_t(i)] * dot_of(y, d);
    axpby<T>(executor_, T(1), d, T(shares_[std::size_t(i)] - beta), s, d);
  }
}

template <class T, class E>
typename Lbfgs<T, E>::Place Lbfgs<T, E>::evaluate(Objective<T, E>& objective, View<const T, 1> parameters,
                                                  double length) {
  axpby<T>(executor_, T(1), parameters, T(length), vector(direction_), vector(trial_));
  const double loss = objective.loss_gradient(vector(trial_), vector(trial_gradient_));
  ++evaluations_;
  const double slope = dot_of(vector(trial_gradient_), vector(direction_));
  // A gradient that is no number is no place to stay at.
  return {length, std::isfinite(slope) ? loss : std::numeric_limits<double>::infinity(), slope};
}

template <class T, class E>
void Lbfgs<T, E>::accept(View<T, 1> parameters, const Place& place) {
  const View<T, 1> s = vector(direction_), y = vector(trial_gradient_);  // their work is done
  axpby<T>(executor_, T(1), parameters, T(place.length), vector(direction_), vector(trial_));
  // s as it was done: θ has fewer digits than the step.
  axpby<T>(executor_, T(1), vector(trial_), T(-1), parameters, s);
  axpby<T>(executor_, T(1), vector(low_gradient_), T(-1), vector(gradient_), y);
  copy<T, 1>(executor_, vector(trial_), parameters);
  std::swap(gradient_, low_gradient_);
  loss_ = place.loss;
  // A pair without positive curvature would make H indefinite.
  const double curvature = dot_of(s, y);
  if (!(curvature > 1e-10 * std::sqrt(dot_of(s, s) * dot_of(y, y)))) return;
  const std::size_t place_of_pair = row(count_);  // the oldest one's where memory is full
  copy<T, 1>(executor_, s, vector(steps_, place_of_pair));
  copy<T, 1>(executor_, y, vector(changes_, place_of_pair));
  if (count_ < options_.memory)
    ++count_;
  else
    first_ = (first_ + 1) % options_.memory;
}

template <class T, class E>
bool Lbfgs<T, E>::search(Objective<T, E>& objective, View<T, 1> parameters) {
  find_direction();
  const double size = norm<T>(executor_, vector(gradient_));
  const Place start{0, loss_, dot_of(vector(gradient_), vector(direction_))};
  if (!(start.slope < 0) || !std::isfinite(start.slope)) return false;
  const double c1 = options_.decrease, c2 = options_.curvature;
  const auto falls_enough = [&](const Place& x) {
    return x.loss <= start.loss + c1 * x.length * start.slope;
  };
  const auto is_flat = [&](const Place& x) { return std::abs(x.slope) <= c2 * std::abs(start.slope); };

  Place low = start,
        high = start;  // the best place so far, and the other end of the interval once there is one
  const auto keep = [&](const Place& x) {
    low = x;
    std::swap(low_gradient_, trial_gradient_);
  };
  bool bracketed = false;
  double length = count_ > 0 ? 1 : std::min(1.0, 1 / size);
  const int last = evaluations_ + options_.most_evaluations;
  while (evaluations_ < last) {
    const Place x = evaluate(objective, parameters, length);
    if (!falls_enough(x) || (low.length > 0 && x.loss >= low.loss)) {
      high = x;
      bracketed = true;
    } else {
      const Place before = low;
      keep(x);
      if (is_flat(x)) break;
      // Beyond the minimum: it lies between this place and the one before.
      const bool turned = bracketed ? x.slope * (high.length - x.length) >= 0 : x.slope >= 0;
      if (turned) {
        high = before;
        bracketed = true;
      }
    }
    if (!bracketed) {
      length = stretch * low.length;
      continue;
    }
    const double next = cubic_minimum(low.length, low.loss, low.slope, high.length, high.loss, high.slope);
    if (!(std::abs(high.length - low.length) > 1e-14 * std::max(high.length, low.length)) ||
        next == low.length)
      break;
    length = next;
  }
  if (low.length == 0 || !(low.loss < start.loss)) return false;
  accept(parameters, low);
  return true;
}

template <class T, class E>
void Lbfgs<T, E>::iterate(Objective<T, E>& objective, View<T, 1> parameters) {
  require(parameters.size() == p_, "L-BFGS: another number of parameters than at the start");
  const profile::Range range(executor_, "L-BFGS: iteration");
  evaluations_ = 0;
  if (!known_ || objective.adapts()) {
    loss_ = objective.loss_gradient(parameters, vector(gradient_));
    ++evaluations_;
    known_ = true;
  }
  outcome_ = {loss_, false};
  if (!std::isfinite(loss_)) return;
  objective.hold(true);
  bool moved = search(objective, parameters);
  if (!moved && count_ > 0) {
    count_ = 0;
    moved = search(objective, parameters);
  }
  objective.hold(false);
  outcome_ = {loss_, !moved};
}

template <class T, class E>
NamedArrays Lbfgs<T, E>::save() const {
  const auto rows = [&](const BufferOn<E, T>& buffer) {
    std::vector<double> all;
    for (int i = 0; i < count_; ++i) {
      const std::vector<double> one =
          detail::to_host<T>(executor_, View<const T, 1>(buffer.data() + row(i) * p_, p_));
      all.insert(all.end(), one.begin(), one.end());
    }
    return all;
  };
  return {{"steps", rows(steps_)}, {"changes", rows(changes_)}};
}

template <class T, class E>
void Lbfgs<T, E>::load(const NamedArrays& state) {
  check(state, p_, options_.memory);
  if (state.empty()) return;
  const std::vector<double>&steps = state.at("steps"), &changes = state.at("changes");
  first_ = 0;
  count_ = p_ == 0 ? 0 : int(steps.size() / p_);
  detail::from_host<T>(executor_, steps, View<T, 1>(steps_.data(), steps.size()));
  detail::from_host<T>(executor_, changes, View<T, 1>(changes_.data(), changes.size()));
  known_ = false;
}

template <class T, class E>
void Lbfgs<T, E>::check(const NamedArrays& state, std::size_t parameters, int memory) {
  if (state.empty()) return;
  require(state.contains("steps") && state.contains("changes"), "L-BFGS's state needs steps and changes");
  const std::size_t n = state.at("steps").size();
  require(n % std::max<std::size_t>(1, parameters) == 0 && n <= std::size_t(memory) * parameters,
          fmt::format("steps has {} numbers; it must have {} for each of at most {} pairs", n, parameters,
                      memory));
  detail::saved_array(state, "changes", n);
}

template class Lbfgs<float>;
template class Lbfgs<double>;
#if SOBOLEV_HAS_CUDA
template class Lbfgs<float, Cuda>;
template class Lbfgs<double, Cuda>;
#endif
}  // namespace sobolev
