// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "sobolev/core/error.hpp"
#include "src/data/field_modes.hpp"
#include "src/data/recipe_tables.hpp"
#include "src/data/vorticity.hpp"

namespace sobolev {
namespace {
using detail::Complex;

class NavierStokesWorker : public Generator::Worker {
 public:
  NavierStokesWorker(const NavierStokesOptions& o, const std::vector<double>& times)
      : o_(o),
        times_(times),
        equation_(o.resolution, o.nu, o.forcing),
        w_(equation_.range().size()),
        values_({std::size_t(o.grid), std::size_t(o.grid)}) {}

  bool sample(std::uint64_t seed, std::uint64_t index, std::span<double* const> arrays,
              const std::atomic<bool>* stop) override {
    const double variance = std::pow(7.0, o_.amplitude == NavierStokesOptions::Amplitude::paper ? 1.5 : 3);
    const FieldCovariance covariance{std::sqrt(variance), o_.tau, o_.alpha};
    const std::size_t plane = std::size_t(o_.grid) * std::size_t(o_.grid);
    detail::sample_modes(detail::random_of(seed, index), covariance, false, equation_.range(), w_.data());
    values_(equation_.range(), w_.data(), arrays[0]);
    double now = 0;
    for (std::size_t i = 0; i < times_.size(); ++i) {
      if (!equation_.advance(w_, times_[i] - now, o_.cfl, stop)) return false;
      now = times_[i];
      values_(equation_.range(), w_.data(), arrays[1] + i * plane);
      require(std::isfinite(arrays[1][i * plane]), [&] {
        return fmt::format(
            "navier_stokes: not finite at t = {} with {} points and cfl = {}; give a smaller cfl", now,
            o_.resolution, o_.cfl);
      });
    }
    return true;
  }

 private:
  const NavierStokesOptions& o_;
  const std::vector<double>& times_;
  detail::Vorticity equation_;
  std::vector<Complex> w_;
  detail::ModeValues values_;
};

class NavierStokes : public detail::RecipeOf<NavierStokesOptions> {
 public:
  explicit NavierStokes(const NavierStokesOptions& options) : RecipeOf(options) {
    constexpr double most_times = 1e5;
    const double count = options.end / options.interval;
    require(
        count >= 1 - 1e-9 && count <= most_times,
        fmt::format("navier_stokes: end {} and interval {} make {:.3g} times; it must be from 1 to {:.0g}",
                    options.end, options.interval, count, most_times));
    const std::size_t s = grid(), t = std::size_t(std::floor(count + 1e-9));
    times_ = detail::line(options.interval, options.interval, t).values;
    arrays_ = {{"a", {s, s}}, {"u", {t, s, s}}};
    shared_ = {{"t", {{t}, times_}}};
    worker_memory_ = detail::Vorticity::memory(std::size_t(options.resolution)) + 3 * s * s * sizeof(double);
  }
  std::unique_ptr<Worker> worker() const override {
    return std::make_unique<NavierStokesWorker>(given(), times_);
  }

 private:
  std::vector<double> times_;
};
}  // namespace

std::unique_ptr<Generator> make_generator(const NavierStokesOptions& options) {
  return std::make_unique<NavierStokes>(options);
}

}  // namespace sobolev
