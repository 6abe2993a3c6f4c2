// SPDX-License-Identifier: Apache-2.0
#pragma once
// What both back ends do before the first parameter.
#include <fmt/format.h>

#include <cmath>

#include "sobolev/core/error.hpp"
#include "sobolev/optim/adam.hpp"

namespace sobolev::detail {

/// θ −= rate · m / (√v · root_scale + ε)
template <class T>
struct AdamRates {
  T beta1, beta2, rate, root_scale, epsilon;
};

template <class T>
AdamRates<T> adam_rates(const AdamOptions& options, long step, View<const T, 1> gradient, View<T, 1> m,
                        View<T, 1> v, View<T, 1> parameters) {
  const std::size_t n = parameters.size();
  require(gradient.size() == n && m.size() == n && v.size() == n,
          fmt::format("adam_step: {} parameters, {} gradients, {} and {} moments", n, gradient.size(),
                      m.size(), v.size()));
  require(step >= 1, "adam_step: steps count from 1");
  return {T(options.beta1), T(options.beta2),
          T(options.learning_rate / (1 - std::pow(options.beta1, double(step)))),
          T(1 / std::sqrt(1 - std::pow(options.beta2, double(step)))), T(options.epsilon)};
}

}  // namespace sobolev::detail
