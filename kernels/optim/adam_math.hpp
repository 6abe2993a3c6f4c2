// SPDX-License-Identifier: Apache-2.0
#pragma once
// What both back ends do before the first parameter.
#include "sobolev/optim/adam.hpp"

namespace sobolev::detail {

/// θ ← keep · θ − rate · m / (√v · root_scale + ε)
template <class T>
struct AdamRates {
  T beta1, beta2, rate, root_scale, epsilon, keep;
};

/// ArgumentError unless the sizes agree and steps count from 1.
AdamRates<double> adam_rates(const AdamOptions&, long step, std::size_t gradient, std::size_t m,
                             std::size_t v, std::size_t parameters);

/// ArgumentError unless the clock has its four numbers.
void check_adam_clock(std::size_t clock);

template <class T>
AdamRates<T> adam_rates(const AdamOptions& options, long step, View<const T, 1> gradient, View<T, 1> m,
                        View<T, 1> v, View<T, 1> parameters) {
  const AdamRates<double> r =
      adam_rates(options, step, gradient.size(), m.size(), v.size(), parameters.size());
  return {T(r.beta1), T(r.beta2), T(r.rate), T(r.root_scale), T(r.epsilon), T(r.keep)};
}

}  // namespace sobolev::detail
