// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <vector>

#include "sobolev/core/error.hpp"
#include "src/data/exponential_integrator.hpp"
#include "src/data/field_modes.hpp"
#include "src/data/recipe_tables.hpp"

namespace sobolev {
namespace {
using detail::Complex;
using detail::ModeRange;
using Modes = std::vector<Complex>;

constexpr int least_resolution = 1024, most_resolution = 1 << 17;
constexpr long first_steps = 128, most_steps = 1 << 20;
/// Of the modes in the upper tenth of those computed with, to the largest of all: more is a solution that the
/// grid does not hold.
constexpr double unresolved = 1e-7;

/// The equation on M points: u_t = ν u_xx − (u²/2)_x by its modes, dealiased.
class Equation {
 public:
  Equation(int points, double nu)
      : grid_({1, points}, {0, 0}, {1, 1}),
        plain_(grid_.modes(), 1.0),
        derivative_(grid_.derivative(0, 1)),
        values_(grid_.points()),
        integrator_(linear(nu), [this](const Complex* v, double, Complex* out) { rate(v, out); }) {}
  ModeRange range() const { return {0, grid_.highest(1)}; }
  void advance(Modes& v, double t, double duration, long steps) {
    integrator_.advance(v, t, duration / double(steps), steps);
  }

 private:
  Modes linear(double nu) const {
    Modes out = grid_.derivative(0, 2);
    for (Complex& l : out) l *= nu;
    return out;
  }
  void rate(const Complex* v, Complex* out) {
    grid_.to_points(v, plain_.data(), values_.data());
    for (double& u : values_) u *= -0.5 * u;
    grid_.to_modes(values_.data(), out);
    for (std::size_t k = 0; k < derivative_.size(); ++k) out[k] = detail::times(out[k], derivative_[k]);
  }

  detail::SpectralGrid grid_;
  Modes plain_, derivative_;
  std::vector<double> values_;
  detail::ExponentialIntegrator integrator_;
};

double relative_change(const Modes& a, const Modes& b) {
  double change = 0, norm = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    change += std::norm(a[k] - b[k]);
    norm += std::norm(b[k]);
  }
  const double relative = norm > 0 ? std::sqrt(change / norm) : std::sqrt(change);
  return std::isfinite(relative) ? relative : HUGE_VAL;
}

bool resolved(const Modes& v) {
  double most = 0, last = 0;
  for (std::size_t k = 1; k < v.size(); ++k) {
    most = std::max(most, std::abs(v[k]));
    if (10 * k > 9 * v.size()) last = std::max(last, std::abs(v[k]));
  }
  return last <= unresolved * most;
}

class BurgersWorker : public Generator::Worker {
 public:
  BurgersWorker(const BurgersOptions& o, const std::vector<double>& times)
      : o_(o),
        times_(times),
        initial_range_{0, o.modes},
        initial_(initial_range_.size()),
        values_({1, std::size_t(o.grid)}) {}

  bool sample(std::uint64_t seed, std::uint64_t index, std::span<double* const> arrays,
              const std::atomic<bool>* stop) override {
    const FieldCovariance covariance{o_.sigma, o_.tau, o_.alpha};
    detail::sample_modes(detail::random_of(seed, index), covariance, o_.mean, initial_range_,
                         initial_.data());
    const bool together = o_.layout == DataLayout::pdebench;
    const std::size_t s = std::size_t(o_.grid);
    values_(initial_range_, initial_.data(), arrays[0]);
    double* to = together ? arrays[0] + s : arrays[1];
    for (int points = first_resolution(arrays[0]);; points *= 2) {
      if (!solve(points, stop)) return false;
      // The initial data need not be resolved: they are what they are.
      const std::size_t begun = times_.front() > 0 ? 0 : 1;
      const bool whole = std::all_of(states_.begin() + std::ptrdiff_t(begun), states_.end(), resolved);
      if (whole || o_.resolution > 0 || points >= most_resolution) {
        require(whole, [&] {
          return fmt::format(
              "burgers: {} points do not resolve the solution for nu = {}; give more as resolution, or "
              "a larger nu",
              points, o_.nu);
        });
        if (begun > 0) std::copy_n(arrays[0], s, to);
        for (std::size_t i = begun; i < states_.size(); ++i)
          values_(equation(points).range(), states_[i].data(), to + i * s);
        return true;
      }
    }
  }

 private:
  Equation& equation(int points) { return equations_.try_emplace(points, points, o_.nu).first->second; }
  /// A front between −A and A is tanh(A x/(2ν)), whose modes fall as exp(−2π² ν k/A): to 1e-7 at k = 0.82
  /// A/ν, of three times as many points. A power of two, or three times one.
  int first_resolution(const double* u) const {
    if (o_.resolution > 0) return o_.resolution;
    const auto [low, high] = std::minmax_element(u, u + o_.grid);
    const double wanted = std::min(2.46 * 0.5 * (*high - *low) / o_.nu, double(most_resolution));
    const int power = int(std::bit_ceil(unsigned(std::max(wanted, 4.0))));
    const int points = wanted <= 0.75 * power ? 3 * (power / 4) : power;
    return std::clamp(points, least_resolution, most_resolution);
  }
  /// States at all times with so many steps in all.
  bool run(Equation& e, long steps, std::vector<Modes>& out, const std::atomic<bool>* stop) {
    Modes v(e.range().size());
    detail::copy_modes(initial_range_, initial_.data(), e.range(), v.data());
    out.clear();
    double now = 0;
    for (const double t : times_) {
      if (detail::is_set(stop)) return false;
      const double share = double(steps) * (t - now) / times_.back();
      if (t > now) e.advance(v, now, t - now, std::max(1L, std::lround(std::ceil(share - 1e-9))));
      now = t;
      out.push_back(v);
    }
    return true;
  }
  /// Steps are halved until the states stand still.
  bool solve(int points, const std::atomic<bool>* stop) {
    Equation& e = equation(points);
    std::vector<Modes> before;
    long steps = first_steps;
    if (!run(e, steps, before, stop)) return false;
    for (double change = HUGE_VAL; change > o_.tolerance;) {
      steps *= 2;
      require(steps <= most_steps, [&] {
        return fmt::format(
            "burgers: {} steps on {} points still change the solution by {:.1e}; ask for a larger "
            "tolerance or nu",
            steps, points, change);
      });
      if (!run(e, steps, states_, stop)) return false;
      change = 0;
      for (std::size_t i = 0; i < states_.size(); ++i)
        change = std::max(change, relative_change(before[i], states_[i]));
      before = states_;
    }
    return true;
  }

  const BurgersOptions& o_;
  const std::vector<double>& times_;
  ModeRange initial_range_;
  Modes initial_;
  detail::ModeValues values_;
  std::map<int, Equation> equations_;
  std::vector<Modes> states_;
};

class Burgers : public detail::RecipeOf<BurgersOptions> {
 public:
  explicit Burgers(const BurgersOptions& options) : RecipeOf(options), times_(options.times) {
    require(options.times.empty() || options.steps == 0,
            "burgers: give either times or steps, which are times from 0 to the end");
    for (int i = 0; options.steps > 0 && i <= options.steps; ++i)
      times_.push_back(options.end * double(i) / double(options.steps));
    const bool several = !times_.empty();
    if (!several) times_ = {options.end};
    require(times_.back() > 0, "burgers: the last of the times must be above 0");
    require(options.resolution == 0 || options.resolution >= 8,
            fmt::format("burgers: resolution is {}; it must be 0 or from 8", options.resolution));
    const std::size_t s = grid(), t = times_.size();
    if (options.layout == DataLayout::pdebench) {
      arrays_ = {{"tensor", {1 + t, s}}};
      Tensor all{{t + 2}, {0}};
      all.values.insert(all.values.end(), times_.begin(), times_.end());
      all.values.push_back(2 * times_.back() - all.values[all.values.size() - 2]);  // PDEBench has one more
      shared_ = {{"x-coordinate", detail::line(0, 1 / double(s), s)}, {"t-coordinate", all}};
      options_["Nu"] = options.nu;
    } else if (!several) {
      arrays_ = {{"a", {s}}, {"u", {s}}};
    } else {
      arrays_ = {{"a", {s}}, {"u", {t, s}}};
      shared_ = {{"t", {{t}, times_}}};
    }
    const std::size_t points = std::size_t(std::max(options.resolution, least_resolution));
    worker_memory_ = sizeof(double) * (20 * (points + t * points) + 4 * s + 2 * std::size_t(options.modes));
  }
  std::unique_ptr<Worker> worker() const override { return std::make_unique<BurgersWorker>(given(), times_); }

 private:
  std::vector<double> times_;
};
}  // namespace

std::unique_ptr<Generator> make_generator(const BurgersOptions& options) {
  return std::make_unique<Burgers>(options);
}

}  // namespace sobolev
