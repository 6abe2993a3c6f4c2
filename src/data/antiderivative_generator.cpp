// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "src/data/recipe_tables.hpp"

namespace sobolev {
namespace {

/// A sample of N(0, exp(−(x − y)²/(2 l²))) on [0, 1] as a Fourier series on a longer circle of length L: its
/// covariance is the kernel summed over all turns, and from one turn to the next that falls by exp(−40) at
/// least.
class Series {
 public:
  Series(const Philox& random, double length) : circle_(1 + 9 * length) {
    const double pi = std::numbers::pi, ratio = length / circle_;
    // exp(−80) of the variance is left out.
    const int highest = int(std::ceil(std::sqrt(40.0) / (pi * ratio)));
    for (int k = 0; k <= highest; ++k) {
      const double variance =
          std::sqrt(2 * pi) * ratio * std::exp(-2 * pi * pi * ratio * ratio * k * k) * (k == 0 ? 1 : 2);
      const auto number = 2 * std::uint64_t(k);
      cosine_.push_back(std::sqrt(variance) * random.normal(number));
      sine_.push_back(k == 0 ? 0 : std::sqrt(variance) * random.normal(number + 1));
    }
  }
  double value(double x) const {
    double sum = cosine_[0];
    for (std::size_t k = 1; k < cosine_.size(); ++k) {
      const double angle = unit() * double(k) * x;
      sum += cosine_[k] * std::cos(angle) + sine_[k] * std::sin(angle);
    }
    return sum;
  }
  /// From 0 to x; 1 − cos as 2 sin²(·/2).
  double integral(double x) const {
    double sum = cosine_[0] * x;
    for (std::size_t k = 1; k < cosine_.size(); ++k) {
      const double q = unit() * double(k), half = std::sin(0.5 * q * x);
      sum += (cosine_[k] * std::sin(q * x) + sine_[k] * 2 * half * half) / q;
    }
    return sum;
  }

 private:
  double unit() const { return 2 * std::numbers::pi / circle_; }
  double circle_;
  std::vector<double> cosine_, sine_;
};

class AntiderivativeWorker : public Generator::Worker {
 public:
  explicit AntiderivativeWorker(const AntiderivativeOptions& o) : o_(o) {}
  bool sample(std::uint64_t seed, std::uint64_t index, std::span<double* const> arrays,
              const std::atomic<bool>*) override {
    const Series u(detail::random_of(seed, index), o_.length);
    const Philox place = detail::random_of(seed, index, 1);
    for (int i = 0; i < o_.grid; ++i) {
      const double x = double(i) / (o_.grid - 1);
      arrays[0][i] = u.value(x);
      if (o_.aligned) arrays[1][i] = u.integral(x);
    }
    for (int i = 0; !o_.aligned && i < o_.places; ++i) {
      arrays[1][i] = place.uniform(std::uint64_t(i));
      arrays[2][i] = u.integral(arrays[1][i]);
    }
    return true;
  }

 private:
  const AntiderivativeOptions& o_;
};

class Antiderivative : public detail::RecipeOf<AntiderivativeOptions> {
 public:
  explicit Antiderivative(const AntiderivativeOptions& options) : RecipeOf(options) {
    const std::size_t m = grid(), p = std::size_t(options.places);
    const Tensor sensors = detail::line(0, 1 / double(m - 1), m);
    shared_ = {{"x", sensors}};
    if (options.aligned) {
      arrays_ = {{"u", {m}}, {"s", {m}}};
      shared_.emplace_back("y", sensors);
    } else {
      arrays_ = {{"u", {m}}, {"y", {p}}, {"s", {p}}};
    }
  }
  std::unique_ptr<Worker> worker() const override { return std::make_unique<AntiderivativeWorker>(given()); }
};
}  // namespace

std::unique_ptr<Generator> make_generator(const AntiderivativeOptions& options) {
  return std::make_unique<Antiderivative>(options);
}

}  // namespace sobolev
