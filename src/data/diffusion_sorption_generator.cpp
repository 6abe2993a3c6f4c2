// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "sobolev/core/error.hpp"
#include "src/data/recipe_tables.hpp"

namespace sobolev {
namespace {

/// u_t = c(u) u_xx by second differences on cells; u = 1 at x = 0, u = −D u_x at x = 1.
class DiffusionSorptionWorker : public Generator::Worker {
 public:
  explicit DiffusionSorptionWorker(const DiffusionSorptionOptions& o)
      : o_(o),
        s_(std::size_t(o.grid)),
        u_(s_),
        stage_(s_),
        rate_(s_),
        coefficient_(s_),
        slope_(s_),
        curvature_(s_),
        lower_(s_),
        diagonal_(s_),
        upper_(s_) {
    for (auto& k : k_) k.resize(s_);
    const double flux = o.diffusion * double(s_);  // D/h
    outflow_ = (flux - 0.5) / (flux + 0.5);
  }

  bool sample(std::uint64_t seed, std::uint64_t index, std::span<double* const> arrays,
              const std::atomic<bool>* stop) override {
    constexpr double most_at_first = 0.2;
    std::fill(u_.begin(), u_.end(), most_at_first * detail::random_of(seed, index).uniform(0));
    double* to = std::copy(u_.begin(), u_.end(), arrays[0]);
    const double span = o_.end / o_.steps;
    double wanted = 1e-6 * span;
    for (int n = 0; n < o_.steps; ++n) {
      for (double left = span; left > 0;) {
        if (detail::is_set(stop)) return false;
        // Not a tiny step at the end: two of the same length instead.
        double h = wanted >= left ? left : wanted >= 0.5 * left ? 0.5 * left : wanted;
        const double error = attempt(h);
        constexpr double safety = 0.9, least = 0.2, most = 5;
        wanted = h * std::clamp(safety / std::cbrt(std::max(error, 1e-12)), least, most);
        require(wanted > 1e-14 * span, "diffusion_sorption: the steps vanish; ask for a larger tolerance");
        if (!(error <= 1)) continue;
        std::swap(u_, stage_);
        left = h == left ? 0 : left - h;
      }
      to = std::copy(u_.begin(), u_.end(), to);
    }
    return true;
  }

 private:
  /// rate ← c(u) u_xx, with c, dc/du and u_xx kept.
  void find_rate(const std::vector<double>& u) {
    constexpr double porosity = 0.29, density = 2880, freundlich = 3.5e-4, exponent = 0.874;
    constexpr double factor = (1 - porosity) / porosity * density * freundlich * exponent;
    constexpr double least = 1e-10;  // where u^(n−1) is not taken any further
    const double per_square = double(s_) * double(s_);
    for (std::size_t i = 0; i < s_; ++i) {
      const double before = i > 0 ? u[i - 1] : 2 - u[0];
      const double after = i + 1 < s_ ? u[i + 1] : outflow_ * u[i];
      const double at = std::max(u[i], least), power = factor * std::pow(at, exponent - 1), r = 1 + power;
      coefficient_[i] = o_.diffusion / r;
      slope_[i] = u[i] > least ? -o_.diffusion / (r * r) * (exponent - 1) * power / at : 0;
      curvature_[i] = (before - 2 * u[i] + after) * per_square;
      rate_[i] = coefficient_[i] * curvature_[i];
    }
  }
  /// I/(γ h) − J, decomposed; γ = ½.
  void factor(double h) {
    const double per_square = double(s_) * double(s_);
    for (std::size_t i = 0; i < s_; ++i) {
      const double c = coefficient_[i] * per_square;
      const double own = -2 + (i == 0 ? -1 : 0) + (i + 1 == s_ ? outflow_ : 0);
      diagonal_[i] = 2 / h - c * own - slope_[i] * curvature_[i];
      lower_[i] = i > 0 ? -c : 0;
      upper_[i] = i + 1 < s_ ? -c : 0;
      if (i > 0) {
        lower_[i] /= diagonal_[i - 1];
        diagonal_[i] -= lower_[i] * upper_[i - 1];
      }
    }
  }
  void solve(std::vector<double>& x) const {
    for (std::size_t i = 1; i < s_; ++i) x[i] -= lower_[i] * x[i - 1];
    for (std::size_t i = s_; i-- > 0;) x[i] = (x[i] - (i + 1 < s_ ? upper_[i] * x[i + 1] : 0)) / diagonal_[i];
  }
  /// stage ← u after a step of length h by RODAS3, a Rosenbrock method of third order, stiffly accurate
  /// (Sandu et al. 1997). Returns its error in tolerances.
  double attempt(double h) {
    find_rate(u_);
    factor(h);
    const auto next = [&](std::size_t stage, double c1, double c2, double c3) {
      const std::array<double, 3> c{c1 / h, c2 / h, c3 / h};
      for (std::size_t i = 0; i < s_; ++i) {
        double sum = rate_[i];
        for (std::size_t j = 0; j < stage; ++j) sum += c[j] * k_[j][i];
        k_[stage][i] = sum;
      }
      solve(k_[stage]);
    };
    next(0, 0, 0, 0);
    next(1, 4, 0, 0);
    for (std::size_t i = 0; i < s_; ++i) stage_[i] = u_[i] + 2 * k_[0][i];
    find_rate(stage_);
    next(2, 1, -1, 0);
    for (std::size_t i = 0; i < s_; ++i) stage_[i] += k_[2][i];
    find_rate(stage_);
    constexpr double last = -8.0 / 3;
    next(3, 1, -1, last);
    double sum = 0;
    for (std::size_t i = 0; i < s_; ++i) {
      stage_[i] += k_[3][i];
      sum += k_[3][i] * k_[3][i];
    }
    const double error = std::sqrt(sum / double(s_)) / o_.tolerance;
    return std::isfinite(error) ? error : 1e9;
  }

  const DiffusionSorptionOptions& o_;
  std::size_t s_;
  double outflow_ = 0;  // of the last cell what lies beyond the boundary
  std::vector<double> u_, stage_, rate_, coefficient_, slope_, curvature_, lower_, diagonal_, upper_;
  std::array<std::vector<double>, 4> k_;
};

class DiffusionSorption : public detail::RecipeOf<DiffusionSorptionOptions> {
 public:
  explicit DiffusionSorption(const DiffusionSorptionOptions& options) : RecipeOf(options) {
    const std::size_t s = grid(), t = std::size_t(options.steps) + 1;
    arrays_ = {{"tensor", {t, s}}};
    shared_ = {{"x-coordinate", detail::line(0.5 / double(s), 1 / double(s), s)},
               {"t-coordinate", detail::pdebench_times(options.end, options.steps)}};
    worker_memory_ = 16 * s * sizeof(double);
  }
  std::unique_ptr<Worker> worker() const override {
    return std::make_unique<DiffusionSorptionWorker>(given());
  }
};
}  // namespace

std::unique_ptr<Generator> make_generator(const DiffusionSorptionOptions& options) {
  return std::make_unique<DiffusionSorption>(options);
}

}  // namespace sobolev
