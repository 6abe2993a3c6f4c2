// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cmath>
#include <numbers>

#include "src/data/recipe_tables.hpp"

namespace sobolev {
namespace {

/// The initial data of PDEBench in one dimension, a function on the whole periodic interval.
class Waves {
 public:
  explicit Waves(const Philox& random) {
    constexpr double highest = 8, share = 0.1;
    for (std::size_t w = 0; w < 2; ++w) {
      wave_[w].number = 1 + std::floor(highest * random.uniform(3 * w));
      wave_[w].amplitude = random.uniform(3 * w + 1);
      wave_[w].phase = 2 * std::numbers::pi * random.uniform(3 * w + 2);
    }
    if (random.uniform(6) < share) sign_ = random.uniform(7) < 0.5 ? -1 : 1;
    windowed_ = random.uniform(8) < share;
    low_ = 0.1 + 0.35 * random.uniform(9);
    high_ = 0.55 + 0.35 * random.uniform(10);
  }
  double operator()(double x) const {
    x -= std::floor(x);
    double u = 0;
    for (const Wave& w : wave_) u += w.amplitude * std::sin(2 * std::numbers::pi * w.number * x + w.phase);
    if (sign_ != 0) u = sign_ * std::abs(u);
    constexpr double width = 0.01;
    return windowed_ ? u * 0.5 * (std::tanh((x - low_) / width) - std::tanh((x - high_) / width)) : u;
  }

 private:
  struct Wave {
    double number = 0, amplitude = 0, phase = 0;
  };
  std::array<Wave, 2> wave_;
  double sign_ = 0, low_ = 0, high_ = 1;
  bool windowed_ = false;
};

class AdvectionWorker : public Generator::Worker {
 public:
  explicit AdvectionWorker(const AdvectionOptions& o) : o_(o) {}
  bool sample(std::uint64_t seed, std::uint64_t index, std::span<double* const> arrays,
              const std::atomic<bool>*) override {
    const Waves u(detail::random_of(seed, index));
    double* to = arrays[0];
    for (int n = 0; n <= o_.steps; ++n)
      for (int i = 0; i < o_.grid; ++i) *to++ = u((i + 0.5) / o_.grid - o_.beta * o_.end * n / o_.steps);
    return true;
  }

 private:
  const AdvectionOptions& o_;
};

class Advection : public detail::RecipeOf<AdvectionOptions> {
 public:
  explicit Advection(const AdvectionOptions& options) : RecipeOf(options) {
    const std::size_t s = grid(), t = std::size_t(options.steps) + 1;
    arrays_ = {{"tensor", {t, s}}};
    shared_ = {{"x-coordinate", detail::line(0.5 / double(s), 1 / double(s), s)},
               {"t-coordinate", detail::pdebench_times(options.end, options.steps)}};
  }
  std::unique_ptr<Worker> worker() const override { return std::make_unique<AdvectionWorker>(given()); }
};
}  // namespace

std::unique_ptr<Generator> make_generator(const AdvectionOptions& options) {
  return std::make_unique<Advection>(options);
}

}  // namespace sobolev
