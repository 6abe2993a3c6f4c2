// SPDX-License-Identifier: Apache-2.0
#include "sobolev/optim/adam.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "sobolev/core/copy.hpp"
#include "sobolev/core/profile.hpp"
#include "src/optim/host_arrays.hpp"

namespace sobolev {

template <class T, class E>
Adam<T, E>::Adam(const E& executor, std::size_t parameters, AdamOptions options)
    : executor_(executor),
      p_(parameters),
      options_(options),
      moments_(zeros<T>(executor, 2 * p_)),
      gradient_(zeros<T>(executor, p_)),
      loss_(zeros<double>(executor, 1)),
      clock_(zeros<double>(executor, clock_size)) {}

template <class T, class E>
void Adam<T, E>::iterate(Objective<T, E>& objective, View<T, 1> parameters) {
  require(parameters.size() == p_, "Adam: another number of parameters than at the start");
  const profile::Range range(executor_, "Adam: iteration");
  if (parameters.data() != parameters_) iteration_.forget();
  parameters_ = parameters.data();
  const double rate = learning_rate();
  const View<double, 1> clock(clock_.data(), clock_size);
  if (rate != learning_rate_) {
    const double now[clock_size] = {double(done_), rate};
    upload<double, 1>(executor_, View<const double, 1>(now, clock_size), clock);
    learning_rate_ = rate;
  }
  const View<T, 1> gradient(gradient_.data(), p_), m(moments_.data(), p_), v(moments_.data() + p_, p_);
  iteration_.run(executor_, [&] {
    objective.loss_gradient(parameters, gradient, View<double, 1>(loss_.data(), 1));
    adam_step<T>(executor_, options_, clock, gradient, m, v, parameters);
  });
  ++done_;
}

template <class T, class E>
double Adam<T, E>::learning_rate() const {
  if (options_.cosine > 0) {
    const double share = double(std::min(done_, options_.cosine)) / double(options_.cosine);
    return options_.learning_rate * (1 + std::cos(std::numbers::pi * share)) / 2;
  }
  if (options_.one_cycle > 0) {
    const auto between = [](double from, double to, double share) {
      return to + (from - to) * (1 + std::cos(std::numbers::pi * share)) / 2;
    };
    const double last = double(options_.one_cycle - 1), top = options_.learning_rate,
                 first = top / options_.div, peak = options_.pct_start * double(options_.one_cycle) - 1,
                 t = std::min(double(done_), last);
    if (t < peak) return between(first, top, t / peak);
    const double start = std::max(peak, 0.0);
    return between(top, first / options_.final_div, last > start ? (t - start) / (last - start) : 0);
  }
  const long decays = done_ / std::max(1l, options_.decay_every);
  return options_.learning_rate * std::pow(options_.decay_factor, double(decays));
}

template <class T, class E>
typename Optimizer<T, E>::Outcome Adam<T, E>::outcome() const {
  double value = 0;
  download<double, 1>(executor_, View<const double, 1>(loss_.data(), 1), View<double, 1>(&value, 1));
  return {value, false};
}

template <class T, class E>
NamedArrays Adam<T, E>::save() const {
  return {{"moments", detail::to_host<T>(executor_, View<const T, 1>(moments_.data(), 2 * p_))},
          {"iterations", {double(done_)}}};
}

template <class T, class E>
void Adam<T, E>::load(const NamedArrays& state) {
  check(state, p_);
  if (state.empty()) return;
  detail::from_host<T>(executor_, state.at("moments"), memory());
  went_back(long(state.at("iterations")[0]));
  iteration_.forget();
}

template <class T, class E>
void Adam<T, E>::check(const NamedArrays& state, std::size_t parameters) {
  if (state.empty()) return;
  const auto* moments = detail::saved_array(state, "moments", 2 * parameters);
  const auto* iterations = detail::saved_array(state, "iterations", 1);
  if (moments == nullptr || iterations == nullptr)
    throw ArgumentError("Adam's state needs moments and iterations");
  require(std::none_of(moments->begin() + std::ptrdiff_t(parameters), moments->end(),
                       [](double v) { return v < 0; }),
          "moments contains a negative mean of squares");
  require((*iterations)[0] >= 0 && (*iterations)[0] < 1e15, "iterations must be a number from 0 on");
}

template <class T, class E>
void Adam<T, E>::went_back(long iterations) {
  done_ = iterations;
  learning_rate_ = -1;  // the clock is set anew
}

template class Adam<float>;
template class Adam<double>;
#if SOBOLEV_HAS_CUDA
template class Adam<float, Cuda>;
template class Adam<double, Cuda>;
#endif
}  // namespace sobolev
