// SPDX-License-Identifier: Apache-2.0
#include "sobolev/data/field_metrics.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <complex>
#include <limits>
#include <numbers>
#include <random>

#include "sobolev/core/error.hpp"
#include "tests/support.hpp"

namespace sobolev {
namespace {
using ::testing::HasSubstr;

struct Case {
  FieldGrid grid;
  std::size_t samples, channels;
  std::vector<double> prediction, target;  // [B, C, N]
  std::size_t points() const {
    std::size_t count = 1;
    for (const std::size_t n : grid.points) count *= n;
    return count;
  }
};

Case random_case(const FieldGrid& grid, std::size_t samples, std::size_t channels, unsigned seed) {
  Case made{grid, samples, channels, {}, {}};
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  for (std::size_t i = 0; i < samples * channels * made.points(); ++i) {
    made.target.push_back(0.3 + normal(random));
    made.prediction.push_back(made.target.back() + 0.1 * normal(random));
  }
  return made;
}

template <class T>
FieldMetrics metrics(const Case& given) {
  std::vector<T> prediction(given.prediction.begin(), given.prediction.end()),
      target(given.target.begin(), given.target.end());
  FieldErrors errors(given.grid, given.channels);
  const std::size_t sample = given.channels * given.points();
  for (std::size_t b = 0; b < given.samples; ++b)  // one after the other
    errors.add<T>(View<const T, 3>(prediction.data() + b * sample, 1, given.channels, given.points()),
                  View<const T, 3>(target.data() + b * sample, 1, given.channels, given.points()));
  EXPECT_EQ(errors.samples(), given.samples);
  return errors.metrics();
}

std::vector<std::size_t> indices(const FieldGrid& grid, std::size_t x) {
  std::vector<std::size_t> at(grid.points.size());
  for (std::size_t axis = at.size(); axis-- > 0; x /= grid.points[axis]) at[axis] = x % grid.points[axis];
  return at;
}
std::size_t point(const FieldGrid& grid, const std::vector<std::size_t>& at) {
  std::size_t x = 0;
  for (std::size_t axis = 0; axis < at.size(); ++axis) x = x * grid.points[axis] + at[axis];
  return x;
}

/// The derivative along an axis at a point: the Fourier interpolant's by its sum, or a difference.
double derivative(const FieldGrid& grid, const double* u, std::size_t x, std::size_t axis) {
  const std::size_t n = grid.points[axis];
  std::vector<std::size_t> at = indices(grid, x);
  const std::size_t i = at[axis];
  const auto value = [&](std::size_t j) {
    at[axis] = j;
    return u[point(grid, at)];
  };
  if (!grid.periodic[axis]) {
    const double h = grid.lengths[axis] / double(n - 1);
    if (i == 0) return (-3 * value(0) + 4 * value(1) - value(2)) / (2 * h);
    if (i == n - 1) return (3 * value(n - 1) - 4 * value(n - 2) + value(n - 3)) / (2 * h);
    return (value(i + 1) - value(i - 1)) / (2 * h);
  }
  const std::complex<double> imaginary(0, 1);
  std::complex<double> sum;
  for (int k = -int((n - 1) / 2); k <= int((n - 1) / 2); ++k) {
    std::complex<double> mode;
    for (std::size_t j = 0; j < n; ++j)
      mode += value(j) * std::exp(-2 * std::numbers::pi * imaginary * double(k) * double(j) / double(n)) /
              double(n);
    const std::complex<double> factor = 2 * std::numbers::pi * imaginary * double(k) / grid.lengths[axis];
    sum += factor * mode * std::exp(2 * std::numbers::pi * imaginary * double(k) * double(i) / double(n));
  }
  return sum.real();
}

/// |Σ_x u(x) exp(−2πi Σ k_a x_a / n_a)|².
double power(const FieldGrid& grid, const double* u, const std::vector<std::size_t>& k, std::size_t points) {
  std::complex<double> sum;
  for (std::size_t x = 0; x < points; ++x) {
    const std::vector<std::size_t> at = indices(grid, x);
    double phase = 0;
    for (std::size_t axis = 0; axis < at.size(); ++axis)
      phase += double(k[axis] * at[axis]) / double(grid.points[axis]);
    sum += u[x] * std::polar(1.0, -2 * std::numbers::pi * phase);
  }
  return std::norm(sum);
}

double bands_mean(const std::vector<std::vector<double>>& spectrum, std::size_t begin, std::size_t end) {
  double sum = 0;
  int count = 0;
  for (const std::vector<double>& channel : spectrum)
    for (std::size_t shell = begin; shell < std::min(end, channel.size()); ++shell) {
      sum += channel[shell];
      ++count;
    }
  return count == 0 ? 0 : sum / count;
}

/// Everything by loops over the definitions.
FieldMetrics by_loops(const Case& given) {
  const FieldGrid& grid = given.grid;
  const std::size_t n = given.points(), axes = grid.points.size();
  FieldMetrics want;
  double volume = 1;
  for (const double length : grid.lengths) volume *= length;
  std::size_t shells = std::size_t(-1);
  for (const std::size_t m : grid.points) shells = std::min(shells, m / 2);
  if (axes == 1) ++shells;
  std::vector<std::vector<double>> spectrum(given.channels, std::vector<double>(shells));
  std::vector<double> conserved(given.channels);
  for (std::size_t b = 0; b < given.samples; ++b) {
    double e2 = 0, t2 = 0, e_h1 = 0, t_h1 = 0;
    for (std::size_t c = 0; c < given.channels; ++c) {
      const double* t = given.target.data() + (b * given.channels + c) * n;
      std::vector<double> e(n);
      double channel_e2 = 0, channel_t2 = 0, mean_e = 0, mean_t = 0, boundary = 0, boundary_count = 0,
             variance = 0;
      for (std::size_t x = 0; x < n; ++x) {
        e[x] = given.prediction[(b * given.channels + c) * n + x] - t[x];
        channel_e2 += e[x] * e[x];
        channel_t2 += t[x] * t[x];
        mean_e += e[x] / double(n);
        mean_t += t[x] / double(n);
        want.max_error = std::max(want.max_error, std::abs(e[x]));
        bool end = false;
        const std::vector<std::size_t> at = indices(grid, x);
        for (std::size_t axis = 0; axis < axes; ++axis)
          end |= at[axis] == 0 || at[axis] == grid.points[axis] - 1;
        if (end) boundary += e[x] * e[x], ++boundary_count;
      }
      for (std::size_t x = 0; x < n; ++x) {
        variance += (t[x] - mean_t) * (t[x] - mean_t) / double(n);
        for (std::size_t axis = 0; axis < axes; ++axis) {
          e_h1 += std::pow(derivative(grid, e.data(), x, axis), 2);
          t_h1 += std::pow(derivative(grid, t, x, axis), 2);
        }
      }
      const double pairs = double(given.samples * given.channels);
      want.rmse += std::sqrt(channel_e2 / double(n)) / pairs;
      want.nrmse += std::sqrt(channel_e2 / channel_t2) / pairs;
      want.vrmse += std::sqrt(channel_e2 / double(n) / (variance + 1e-7)) / pairs;
      want.boundary_rmse += std::sqrt(boundary / boundary_count) / pairs;
      conserved[c] += mean_e * mean_e / double(given.samples);
      e2 += channel_e2;
      t2 += channel_t2;
      for (std::size_t x = 0; x < n; ++x) {  // the points' indices serve as those of the modes
        const std::vector<std::size_t> k = indices(grid, x);
        double square = 0;
        bool counts = true;
        for (std::size_t axis = 0; axis < axes; ++axis) {
          square += double(k[axis] * k[axis]);
          counts = counts && (axes == 1 ? k[axis] <= grid.points[axis] / 2 : k[axis] < grid.points[axis] / 2);
        }
        const auto shell = std::size_t(std::floor(std::sqrt(square)));
        if (counts && shell < shells)
          spectrum[c][shell] += power(grid, e.data(), k, n) / double(given.samples);
      }
    }
    want.relative_l2 += std::sqrt(e2 / t2) / double(given.samples);
    want.relative_h1 += std::sqrt((e2 + e_h1) / (t2 + t_h1)) / double(given.samples);
  }
  for (std::vector<double>& channel : spectrum)
    for (double& shell : channel) shell = volume / double(n) * std::sqrt(shell);
  want.fourier_low = bands_mean(spectrum, 0, 4);
  want.fourier_middle = bands_mean(spectrum, 4, 12);
  want.fourier_high = bands_mean(spectrum, 12, std::size_t(-1));
  for (const double square : conserved) want.conserved_rmse += std::sqrt(square) / double(given.channels);
  return want;
}

template <class T>
void expect_metrics(const FieldMetrics& got, const FieldMetrics& want, double growth) {
  const std::pair<const char*, double FieldMetrics::*> members[] = {
      {"relative_l2", &FieldMetrics::relative_l2},
      {"relative_h1", &FieldMetrics::relative_h1},
      {"rmse", &FieldMetrics::rmse},
      {"nrmse", &FieldMetrics::nrmse},
      {"max_error", &FieldMetrics::max_error},
      {"conserved_rmse", &FieldMetrics::conserved_rmse},
      {"boundary_rmse", &FieldMetrics::boundary_rmse},
      {"fourier_low", &FieldMetrics::fourier_low},
      {"fourier_middle", &FieldMetrics::fourier_middle},
      {"fourier_high", &FieldMetrics::fourier_high},
      {"vrmse", &FieldMetrics::vrmse}};
  for (const auto& [name, member] : members) test::expect_near<T>(got.*member, want.*member, growth, name);
}

class FieldMetricsOn : public ::testing::TestWithParam<FieldGrid> {};
TEST_P(FieldMetricsOn, AreWhatTheirFormulasSay) {
  const Case given = random_case(GetParam(), 2, 2, 1);
  const FieldMetrics want = by_loops(given);
  expect_metrics<double>(metrics<double>(given), want, 100);
  expect_metrics<float>(metrics<float>(given), want, 100);
  EXPECT_GT(want.fourier_low, 0);
}
INSTANTIATE_TEST_SUITE_P(Grids, FieldMetricsOn,
                         ::testing::Values(FieldGrid{{3}, {1}, {false}}, FieldGrid{{33}, {2}, {true}},
                                           FieldGrid{{64}, {0.5}, {true}}, FieldGrid{{31}, {2}, {false}},
                                           FieldGrid{{26, 31}, {1, 3}, {true, false}},
                                           FieldGrid{{9, 8}, {2, 1}, {true, true}},
                                           FieldGrid{{5, 8, 7}, {1, 2, 3}, {true, true, false}}));

TEST(FieldMetrics, OfASine) {
  // u = sin 2πmx against 0.9 u: both norms are off by a tenth, at one frequency.
  const std::size_t n = 64, m = 5;
  Case given{{{n}, {1}, {true}}, 1, 1, {}, {}};
  for (std::size_t i = 0; i < n; ++i) {
    given.target.push_back(std::sin(2 * std::numbers::pi * double(m * i) / double(n)));
    given.prediction.push_back(0.9 * given.target.back());
  }
  const FieldMetrics got = metrics<double>(given);
  EXPECT_NEAR(got.relative_l2, 0.1, 1e-14);
  EXPECT_NEAR(got.relative_h1, 0.1, 1e-14);
  EXPECT_NEAR(got.rmse, 0.1 / std::sqrt(2), 1e-14);
  EXPECT_NEAR(got.vrmse, 0.1 / std::sqrt(1 + 2e-7), 1e-12);
  EXPECT_NEAR(got.fourier_low, 0, 1e-14);
  EXPECT_NEAR(got.fourier_middle, 0.05 / 8, 1e-14);  // |ê|/n = 0.1/2, of 8 shells
  EXPECT_NEAR(got.fourier_high, 0, 1e-14);
  // 0.1 more everywhere: nothing but the mean.
  for (std::size_t i = 0; i < n; ++i) given.prediction[i] = given.target[i] + 0.1;
  EXPECT_NEAR(metrics<double>(given).conserved_rmse, 0.1, 1e-14);
  EXPECT_NEAR(metrics<double>(given).fourier_low, 0.1 / 4, 1e-14);
  EXPECT_NEAR(metrics<double>(given).fourier_middle, 0, 1e-14);
}

TEST(FieldMetrics, AveragesAreTheOnesSaid) {
  // Two samples, of errors 1 and 0 against 1 and 0.
  Case given{{{4}, {1}, {true}}, 2, 1, {2, 2, 2, 2, 0, 0, 0, 0}, {1, 1, 1, 1, 0, 0, 0, 0}};
  const FieldMetrics got = metrics<double>(given);
  EXPECT_EQ(got.relative_l2, 0.5);  // 0 / 0 is 0
  EXPECT_EQ(got.nrmse, 0.5);
  EXPECT_EQ(got.rmse, 0.5);
  EXPECT_DOUBLE_EQ(got.conserved_rmse, std::sqrt(0.5));
  given.prediction[7] = 1;
  EXPECT_EQ(metrics<double>(given).relative_l2, std::numeric_limits<double>::infinity());
}

TEST(FieldMetrics, WhatIsNoNumberStaysVisible) {
  Case given = random_case({{8, 8}, {1, 1}, {true, false}}, 2, 1, 3);
  given.prediction[5] = std::numeric_limits<double>::quiet_NaN();
  const FieldMetrics got = metrics<double>(given);
  for (const double value : {got.relative_l2, got.relative_h1, got.rmse, got.nrmse, got.max_error,
                             got.conserved_rmse, got.boundary_rmse, got.fourier_low, got.vrmse})
    EXPECT_TRUE(std::isnan(value));
}

TEST(FieldMetrics, WrongShapes) {
  const auto message = [](auto&& call) {
    try {
      call();
    } catch (const ArgumentError& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_THAT(message([] { FieldErrors({{8, 8}, {1}, {true, true}}, 1); }), HasSubstr("2 axes, 1 lengths"));
  EXPECT_THAT(message([] { FieldErrors({{2}, {1}, {true}}, 1); }), HasSubstr("axis 0 has 2 points"));
  EXPECT_THAT(message([] { FieldErrors({{8}, {-1}, {true}}, 1); }), HasSubstr("on a length of -1"));
  EXPECT_THAT(message([] { FieldErrors({{8}, {1}, {true}}, 0); }), HasSubstr("0 channels"));
  FieldErrors errors({{8}, {1}, {true}}, 2);
  EXPECT_THAT(message([&] { errors.metrics(); }), HasSubstr("no sample"));
  const std::vector<double> values(100);
  EXPECT_THAT(message([&] {
                errors.add(View<const double, 3>(values.data(), 2, 2, 8),
                           View<const double, 3>(values.data(), 2, 1, 8));
              }),
              HasSubstr("prediction [2, 2, 8], target [2, 1, 8]; [samples, 2, 8] is wanted"));
}
}  // namespace
}  // namespace sobolev
