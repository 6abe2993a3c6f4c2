// SPDX-License-Identifier: Apache-2.0
#include "sobolev/data/random_field.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <numbers>
#include <vector>

#include "sobolev/core/error.hpp"
#include "src/data/field_modes.hpp"

namespace sobolev {
namespace {
using std::numbers::pi;

void check(const FieldCovariance& c, int dimensions, bool mean) {
  require(std::isfinite(c.sigma) && c.sigma >= 0 && std::isfinite(c.tau) && c.tau >= 0,
          fmt::format("random field: sigma {} and tau {} must be finite and not negative", c.sigma, c.tau));
  require(std::isfinite(c.alpha) && 2 * c.alpha > dimensions,
          fmt::format(
              "random field: alpha {} must be more than {}, half the dimensions: fields would have no finite "
              "variance",
              c.alpha, dimensions / 2.0));
  require(c.tau > 0 || !mean, "random field: with tau 0 the mean has no finite variance; leave it out");
}
}  // namespace

double FieldCovariance::eigenvalue(double q_squared) const {
  return sigma * sigma * std::pow(q_squared + tau * tau, -alpha);
}

namespace detail {

void sample_modes(const Philox& random, const FieldCovariance& covariance, bool mean, ModeRange range,
                  Complex* v) {
  const auto variance = [&](int k0, int k1) {
    return covariance.eigenvalue(4 * pi * pi * (double(k0) * k0 + double(k1) * k1));
  };
  for (int k0 = -range.k0; k0 <= range.k0; ++k0)
    for (int k1 = 0; k1 <= range.k1; ++k1) {
      if (k1 == 0 && k0 < 0) continue;  // the conjugate of (−k0, 0)
      const std::uint64_t row = k0 < 0 ? 2 * std::uint64_t(-k0) - 1 : 2 * std::uint64_t(k0);
      const std::uint64_t number = 2 * pair_number(row, std::uint64_t(k1));
      const double scale = std::sqrt(variance(k0, k1) / 2);
      // ξ √2 cos + η √2 sin = 2 Re((ξ − iη)/√2 exp(2πi k·x))
      Complex& to = v[range.at(k0, k1)];
      to = {scale * random.normal(number), -scale * random.normal(number + 1)};
      if (k1 == 0 && k0 > 0) v[range.at(-k0, 0)] = std::conj(to);
    }
  v[range.at(0, 0)] = mean ? std::sqrt(covariance.eigenvalue(0)) * random.normal(0) : 0;
}

void copy_modes(ModeRange from_range, const Complex* from, ModeRange to_range, Complex* to) {
  std::fill_n(to, to_range.size(), Complex{});
  const int k0 = std::min(from_range.k0, to_range.k0), k1 = std::min(from_range.k1, to_range.k1);
  for (int i0 = -k0; i0 <= k0; ++i0)
    std::copy_n(from + from_range.at(i0, 0), k1 + 1, to + to_range.at(i0, 0));
}

ModeValues::ModeValues(std::array<std::size_t, 2> points)
    : points_(points), spectrum_(points[0] * (points[1] / 2 + 1)), field_(points[0] * points[1]) {
  const std::lock_guard lock(fftw_planner());
  plan_ =
      fftw_plan_dft_c2r_2d(int(points[0]), int(points[1]), reinterpret_cast<fftw_complex*>(spectrum_.data()),
                           field_.data(), FFTW_ESTIMATE);
  ensure(plan_ != nullptr, "FFTW made no plan");
}

ModeValues::~ModeValues() {
  const std::lock_guard lock(fftw_planner());
  fftw_destroy_plan(plan_);
}

void ModeValues::operator()(ModeRange range, const Complex* v, double* values) {
  const auto remainder = [](int k, std::size_t m) {
    const long rest = k % long(m);
    return std::size_t(rest < 0 ? rest + long(m) : rest);
  };
  const std::size_t row = points_[1] / 2 + 1;
  std::fill(spectrum_.begin(), spectrum_.end(), Complex{});
  for (int k0 = -range.k0; k0 <= range.k0; ++k0) {
    Complex* up = spectrum_.data() + remainder(k0, points_[0]) * row;
    Complex* down = spectrum_.data() + remainder(-k0, points_[0]) * row;
    for (int k1 = 0; k1 <= range.k1; ++k1) {
      const Complex c = *v++;
      const std::size_t at = remainder(k1, points_[1]), mirrored = remainder(-k1, points_[1]);
      if (at < row) up[at] += c;
      if (k1 > 0 && mirrored < row) down[mirrored] += std::conj(c);
    }
  }
  fftw_execute(plan_);
  std::copy(field_.begin(), field_.end(), values);
}

}  // namespace detail

struct PeriodicField::State {
  State(int dimensions, std::size_t points, std::size_t modes, const FieldCovariance& c, bool with_mean)
      : covariance(c),
        mean(with_mean),
        range{dimensions == 2 ? int(modes) : 0, int(modes)},
        v(range.size()),
        values({dimensions == 2 ? points : 1, points}) {}
  FieldCovariance covariance;
  bool mean;
  detail::ModeRange range;
  std::vector<detail::Complex> v;
  detail::ModeValues values;
};

namespace {
/// The same number, if it and the others make a field.
int checked(int dimensions, std::size_t points, std::size_t modes, const FieldCovariance& c, bool mean) {
  constexpr std::size_t most = 1 << 20;
  require(dimensions == 1 || dimensions == 2,
          fmt::format("random field: {} dimensions; give 1 or 2", dimensions));
  require(
      points >= 1 && points <= most && modes <= most,
      fmt::format("random field: {} points and {} modes along an axis; give up to {}", points, modes, most));
  check(c, dimensions, mean);
  return dimensions;
}
}  // namespace

PeriodicField::PeriodicField(int dimensions, std::size_t points, std::size_t modes,
                             const FieldCovariance& covariance, bool mean)
    : state_(std::make_unique<State>(checked(dimensions, points, modes, covariance, mean), points, modes,
                                     covariance, mean)) {}
PeriodicField::~PeriodicField() = default;
PeriodicField::PeriodicField(PeriodicField&&) noexcept = default;

void PeriodicField::sample(const Philox& random, View<double, 1> values) {
  State& s = *state_;
  const std::size_t wanted = s.values.size();
  require(values.size() == wanted,
          [&] { return fmt::format("random field: room for {} values of {}", values.size(), wanted); });
  detail::sample_modes(random, s.covariance, s.mean, s.range, s.v.data());
  s.values(s.range, s.v.data(), values.data());
}

struct NeumannField::State {
  State(std::size_t s, GridPoints where, const FieldCovariance& c, bool with_mean)
      : points(s), at(where), covariance(c), mean(with_mean), field(s * s) {
    const fftw_r2r_kind kind = where == GridPoints::cells ? FFTW_REDFT01 : FFTW_REDFT00;
    const std::lock_guard lock(detail::fftw_planner());
    plan = fftw_plan_r2r_2d(int(s), int(s), field.data(), field.data(), kind, kind, FFTW_ESTIMATE);
    ensure(plan != nullptr, "FFTW made no plan");
  }
  ~State() {
    const std::lock_guard lock(detail::fftw_planner());
    fftw_destroy_plan(plan);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  std::size_t points;
  GridPoints at;
  FieldCovariance covariance;
  bool mean;
  Buffer<double> field;
  fftw_plan plan = nullptr;
};

NeumannField::NeumannField(std::size_t points, GridPoints where, const FieldCovariance& covariance,
                           bool mean) {
  constexpr std::size_t least = 2, most = 16384;
  require(points >= least && points <= most,
          fmt::format("random field: {} points along an axis; give from {} to {}", points, least, most));
  check(covariance, 2, mean);
  state_ = std::make_unique<State>(points, where, covariance, mean);
}
NeumannField::~NeumannField() = default;
NeumannField::NeumannField(NeumannField&&) noexcept = default;

void NeumannField::sample(const Philox& random, View<double, 2> values) {
  State& s = *state_;
  const std::size_t n = s.points;
  require(values.extent(0) == n && values.extent(1) == n,
          [&] { return fmt::format("random field: the values must be of {} × {} points", n, n); });
  // FFTW sums the inner modes twice; on nodes the last mode is the first of the transform again and not
  // doubled.
  const auto weight = [&](std::size_t k) {
    const bool once = k == 0 || (s.at == GridPoints::nodes && k + 1 == n);
    return (k == 0 ? 1 : std::numbers::sqrt2) * (once ? 1 : 0.5);
  };
  for (std::size_t k0 = 0; k0 < n; ++k0)
    for (std::size_t k1 = 0; k1 < n; ++k1) {
      const double q = pi * pi * (double(k0) * double(k0) + double(k1) * double(k1));
      s.field[k0 * n + k1] = weight(k0) * weight(k1) * std::sqrt(s.covariance.eigenvalue(q)) *
                             random.normal(detail::pair_number(k0, k1));
    }
  if (!s.mean) s.field[0] = 0;
  fftw_execute(s.plan);
  std::copy(s.field.begin(), s.field.end(), values.data());
}

}  // namespace sobolev
