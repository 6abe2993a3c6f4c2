// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <vector>

#include "sobolev/core/error.hpp"
#include "src/data/recipe_tables.hpp"
#include "src/data/shallow_water.hpp"

namespace sobolev {
namespace {
constexpr double width = 5, gravity = 1;  // of the square [−2.5, 2.5]²

class ShallowWaterWorker : public Generator::Worker {
 public:
  explicit ShallowWaterWorker(const ShallowWaterOptions& o)
      : o_(o), s_(std::size_t(o.grid)), flow_(s_, width, gravity), state_(s_ * s_) {}

  bool sample(std::uint64_t seed, std::uint64_t index, std::span<double* const> arrays,
              const std::atomic<bool>* stop) override {
    const double radius = o_.smallest_radius + (o_.largest_radius - o_.smallest_radius) *
                                                   detail::random_of(seed, index).uniform(0);
    const auto place = [&](std::size_t i) { return width * ((double(i) + 0.5) / double(s_) - 0.5); };
    for (std::size_t i = 0; i < s_; ++i)
      for (std::size_t j = 0; j < s_; ++j)
        state_[i * s_ + j] = {std::hypot(place(i), place(j)) <= radius ? o_.inside : o_.outside, 0, 0};
    double* to = arrays[0];
    for (int n = 0; n <= o_.steps; ++n) {
      if (n > 0 && !flow_.advance(state_, o_.end / o_.steps, stop)) return false;
      for (const auto& cell : state_) *to++ = cell[0];
    }
    return true;
  }

 private:
  const ShallowWaterOptions& o_;
  std::size_t s_;
  detail::ShallowWater flow_;
  std::vector<detail::ShallowWater::Cell> state_;
};

class ShallowWaterRecipe : public detail::RecipeOf<ShallowWaterOptions> {
 public:
  explicit ShallowWaterRecipe(const ShallowWaterOptions& options) : RecipeOf(options) {
    require(options.smallest_radius <= options.largest_radius,
            fmt::format("shallow_water: smallest_radius {} is more than largest_radius {}",
                        options.smallest_radius, options.largest_radius));
    const std::size_t s = grid(), t = std::size_t(options.steps) + 1;
    arrays_ = {{"tensor", {t, s, s, 1}}};
    const Tensor x = detail::line(width * (0.5 / double(s) - 0.5), width / double(s), s);
    shared_ = {{"x-coordinate", x},
               {"y-coordinate", x},
               {"t-coordinate", detail::pdebench_times(options.end, options.steps)}};
    worker_memory_ = 9 * s * s * sizeof(double);
  }
  std::unique_ptr<Worker> worker() const override { return std::make_unique<ShallowWaterWorker>(given()); }
};
}  // namespace

std::unique_ptr<Generator> make_generator(const ShallowWaterOptions& options) {
  return std::make_unique<ShallowWaterRecipe>(options);
}

}  // namespace sobolev
