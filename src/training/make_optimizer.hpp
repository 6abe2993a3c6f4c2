// SPDX-License-Identifier: Apache-2.0
#pragma once
// The optimiser of a phase.
#include <fmt/format.h>

#include <memory>

#include "sobolev/optim/adam.hpp"
#include "sobolev/optim/lbfgs.hpp"
#include "sobolev/optim/levenberg_marquardt.hpp"
#include "sobolev/problem/problem.hpp"
#include "src/problem/defaults.hpp"

namespace sobolev::detail {

/// ArgumentError where there are too many parameters for it.
inline void check_optimizer(const PhaseOptions& phase, std::size_t parameters) {
  require(
      phase.optimizer != OptimizerKind::levenberg_marquardt || parameters <= 4 * levenberg_marquardt_limit,
      fmt::format("Levenberg–Marquardt keeps matrices of P × P; the network has P = {} parameters. "
                  "Make it narrower, or use adam or lbfgs",
                  parameters));
}

template <class T, class E>
std::unique_ptr<Optimizer<T, E>> make_optimizer(const E& executor, const PhaseOptions& phase,
                                                std::size_t parameters) {
  switch (phase.optimizer) {
    case OptimizerKind::adam: {
      AdamOptions options;
      options.learning_rate = phase.learning_rate;
      options.decay_factor = phase.decay_factor;
      options.decay_every = phase.decay_every;
      options.cosine = phase.cosine;
      options.one_cycle = phase.one_cycle;
      options.pct_start = phase.pct_start;
      options.div = phase.div;
      options.final_div = phase.final_div;
      options.weight_decay = phase.weight_decay;
      return std::make_unique<Adam<T, E>>(executor, parameters, options);
    }
    case OptimizerKind::levenberg_marquardt: {
      LevenbergMarquardtOptions options;
      options.geodesic = phase.geodesic;
      return std::make_unique<LevenbergMarquardt<T, E>>(executor, parameters, options);
    }
    case OptimizerKind::lbfgs: {
      LbfgsOptions options;
      options.memory = phase.memory;
      return std::make_unique<Lbfgs<T, E>>(executor, parameters, options);
    }
  }
  ensure(false, "an optimiser without a name");
  return nullptr;
}

/// ArgumentError where the state is none of the phase's optimiser.
inline void check_state(const PhaseOptions& phase, const NamedArrays& state, std::size_t parameters) {
  switch (phase.optimizer) {
    case OptimizerKind::adam: return Adam<double>::check(state, parameters);
    case OptimizerKind::levenberg_marquardt: return LevenbergMarquardt<double>::check(state);
    case OptimizerKind::lbfgs: return Lbfgs<double>::check(state, parameters, phase.memory);
  }
}

}  // namespace sobolev::detail
