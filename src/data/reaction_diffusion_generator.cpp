// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <vector>

#include "src/data/recipe_tables.hpp"

namespace sobolev {
namespace {

/// Finite volumes with five points on (−1, 1)² without flux through the boundary; classical Runge–Kutta of
/// fourth order with steps well inside of its stability.
class ReactionDiffusionWorker : public Generator::Worker {
 public:
  explicit ReactionDiffusionWorker(const ReactionDiffusionOptions& o)
      : o_(o),
        s_(std::size_t(o.grid)),
        state_(2 * s_ * s_),
        stage_(state_.size()),
        sum_(state_.size()),
        rate_(state_.size()) {}

  bool sample(std::uint64_t seed, std::uint64_t index, std::span<double* const> arrays,
              const std::atomic<bool>* stop) override {
    const Philox random = detail::random_of(seed, index);
    double most = 0;
    for (std::size_t i = 0; i < state_.size(); ++i) {
      state_[i] = random.normal(i);
      if (i % 2 == 0) most = std::max(most, std::abs(state_[i]));
    }
    // The fastest decay there is: of the grid's shortest wave, and of the reaction at the first values.
    constexpr double reaction_of_v = 2, step_times_rate = 0.6;
    const double h = 2.0 / double(s_);
    const double fastest = 8 * std::max(o_.du, o_.dv) / (h * h) + 3 * most * most + reaction_of_v;
    const double span = o_.end / o_.steps;
    const long steps = std::max(1L, long(std::ceil(span * fastest / step_times_rate)));
    double* to = std::copy(state_.begin(), state_.end(), arrays[0]);
    for (int n = 0; n < o_.steps; ++n) {
      for (long k = 0; k < steps; ++k) {
        if (detail::is_set(stop)) return false;
        step(span / double(steps));
      }
      to = std::copy(state_.begin(), state_.end(), to);
    }
    return true;
  }

 private:
  /// rate ← f(x)
  void find_rate(const std::vector<double>& x) {
    const double h = 2.0 / double(s_), du = o_.du / (h * h), dv = o_.dv / (h * h);
    const std::size_t row = 2 * s_;
    for (std::size_t i = 0; i < s_; ++i) {
      const std::size_t below = i > 0 ? row : 0, above = i + 1 < s_ ? row : 0;
      for (std::size_t j = 0; j < s_; ++j) {
        const std::size_t p = i * row + 2 * j, left = j > 0 ? 2 : 0, right = j + 1 < s_ ? 2 : 0;
        const auto around = [&](std::size_t at) {
          return x[at - below] + x[at + above] + x[at - left] + x[at + right] - 4 * x[at];
        };
        const double u = x[p], v = x[p + 1];
        rate_[p] = du * around(p) + u - u * u * u - o_.k - v;
        rate_[p + 1] = dv * around(p + 1) + u - v;
      }
    }
  }
  void step(double dt) {
    constexpr double weights[] = {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6}, next[] = {0.5, 0.5, 1, 0};
    stage_ = state_;
    sum_ = state_;
    for (int k = 0; k < 4; ++k) {
      find_rate(stage_);
      const double a = dt * weights[k], b = dt * next[k];
      for (std::size_t i = 0; i < state_.size(); ++i) {
        sum_[i] += a * rate_[i];
        stage_[i] = state_[i] + b * rate_[i];
      }
    }
    std::swap(state_, sum_);
  }

  const ReactionDiffusionOptions& o_;
  std::size_t s_;
  std::vector<double> state_, stage_, sum_, rate_;  // [S, S, 2]
};

class ReactionDiffusion : public detail::RecipeOf<ReactionDiffusionOptions> {
 public:
  explicit ReactionDiffusion(const ReactionDiffusionOptions& options) : RecipeOf(options) {
    const std::size_t s = grid(), t = std::size_t(options.steps) + 1;
    arrays_ = {{"tensor", {t, s, s, 2}}};
    const Tensor x = detail::line(-1 + 1 / double(s), 2 / double(s), s);
    shared_ = {{"x-coordinate", x},
               {"y-coordinate", x},
               {"t-coordinate", detail::pdebench_times(options.end, options.steps)}};
    worker_memory_ = 8 * s * s * sizeof(double);
  }
  std::unique_ptr<Worker> worker() const override {
    return std::make_unique<ReactionDiffusionWorker>(given());
  }
};
}  // namespace

std::unique_ptr<Generator> make_generator(const ReactionDiffusionOptions& options) {
  return std::make_unique<ReactionDiffusion>(options);
}

}  // namespace sobolev
