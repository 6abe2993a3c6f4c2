// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>

#include "kernels/optim/adam_math.hpp"
#include "sobolev/core/error.hpp"

namespace sobolev::detail {

AdamRates<double> adam_rates(const AdamOptions& options, long step, std::size_t gradient, std::size_t m,
                             std::size_t v, std::size_t parameters) {
  if (gradient != parameters || m != parameters || v != parameters)
    throw ArgumentError(
        fmt::format("adam_step: {} parameters, {} gradients, {} and {} moments", parameters, gradient, m, v));
  require(step >= 1, "adam_step: steps count from 1");
  return {options.beta1,
          options.beta2,
          options.learning_rate / (1 - std::pow(options.beta1, double(step))),
          1 / std::sqrt(1 - std::pow(options.beta2, double(step))),
          options.epsilon,
          1 - options.learning_rate * options.weight_decay};
}

void check_adam_clock(std::size_t clock) {
  require(clock == 4, [&] { return fmt::format("adam_step: the clock has {} numbers, not four", clock); });
}

}  // namespace sobolev::detail
