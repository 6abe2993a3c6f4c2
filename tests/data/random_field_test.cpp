// SPDX-License-Identifier: Apache-2.0
// Gaussian random fields: covariance by sampling with a stated confidence, exact sums, independence of the
// grid.
#include "sobolev/data/random_field.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "src/data/field_modes.hpp"
#include "tests/support.hpp"

namespace sobolev {
namespace {
using std::numbers::pi;
using std::numbers::sqrt2;

// A mean of n squares of standard normal numbers is within this of 1 but for 1 in 10⁷ times (5.3 deviations
// of a χ² variable over n, for n of 1000 and more nearly normal).
double allowed(double n) { return 5.3 * std::sqrt(2 / n); }

/// Coefficient of the values on the orthonormal functions of a product grid, by sums.
template <class Basis>
double projected(const std::vector<double>& values, std::size_t s, Basis basis) {
  double sum = 0;
  for (std::size_t i = 0; i < s; ++i)
    for (std::size_t j = 0; j < s; ++j) sum += values[i * s + j] * basis(i, j);
  return sum / double(s * s);
}

TEST(RandomField, NeumannModesHaveTheEigenvaluesOfTheCovariance) {
  constexpr std::size_t s = 12;
  constexpr int samples = 2000;
  const FieldCovariance covariance{3, 3, 2};
  NeumannField field(s, GridPoints::cells, covariance);
  std::vector<double> values(s * s);
  const std::vector<std::pair<int, int>> modes{{0, 0}, {1, 0}, {0, 1}, {2, 3}, {5, 5}, {11, 2}};
  std::vector<double> variance(modes.size()), mixed(modes.size());
  for (int n = 0; n < samples; ++n) {
    field.sample(Philox(4, std::uint64_t(n)), View<double, 2>(values.data(), s, s));
    double before = 0;
    for (std::size_t m = 0; m < modes.size(); ++m) {
      const auto [k0, k1] = modes[m];
      const auto wave = [](int k, std::size_t i) {
        return k == 0 ? 1 : sqrt2 * std::cos(pi * k * (double(i) + 0.5) / double(s));
      };
      const int a = k0, b = k1;
      const double c =
          projected(values, s, [&](std::size_t i, std::size_t j) { return wave(a, i) * wave(b, j); }) /
          std::sqrt(covariance.eigenvalue(pi * pi * (k0 * k0 + k1 * k1)));
      variance[m] += c * c / samples;
      mixed[m] += c * before / samples;
      before = c;
    }
  }
  for (std::size_t m = 0; m < modes.size(); ++m) {
    EXPECT_NEAR(variance[m], 1, allowed(samples)) << m;
    EXPECT_NEAR(mixed[m], 0, 5.3 / std::sqrt(double(samples))) << m;
  }
}

TEST(RandomField, PeriodicModesHaveTheEigenvaluesOfTheCovariance) {
  constexpr std::size_t s = 16;
  constexpr int samples = 2000;
  const FieldCovariance covariance{std::pow(7, 0.75), 7, 2.5};
  PeriodicField field(2, s, 7, covariance, false);
  std::vector<double> values(s * s);
  struct Mode {
    int k0, k1;
    bool sine;
  };
  const std::vector<Mode> modes{{1, 0, false},  {1, 0, true}, {0, 1, true},
                                {-2, 3, false}, {7, 7, true}, {-7, 2, true}};
  std::vector<double> variance(modes.size());
  double mean = 0;
  for (int n = 0; n < samples; ++n) {
    field.sample(Philox(5, std::uint64_t(n)), View<double, 1>(values.data(), s * s));
    mean = std::max(mean, std::abs(projected(values, s, [](std::size_t, std::size_t) { return 1.0; })));
    for (std::size_t m = 0; m < modes.size(); ++m) {
      const Mode k = modes[m];
      const double c = projected(values, s,
                                 [&](std::size_t i, std::size_t j) {
                                   const double angle =
                                       2 * pi * (k.k0 * double(i) + k.k1 * double(j)) / double(s);
                                   return sqrt2 * (k.sine ? std::sin(angle) : std::cos(angle));
                                 }) /
                       std::sqrt(covariance.eigenvalue(4 * pi * pi * (k.k0 * k.k0 + k.k1 * k.k1)));
      variance[m] += c * c / samples;
    }
  }
  EXPECT_LT(mean, 1e-15);
  for (std::size_t m = 0; m < modes.size(); ++m) EXPECT_NEAR(variance[m], 1, allowed(samples)) << m;
}

TEST(RandomField, HasTheCovarianceOfItsSeriesAtPoints) {
  constexpr std::size_t s = 32;
  constexpr int samples = 4000;
  const FieldCovariance covariance{25, 5, 2};  // of the Burgers recipe
  PeriodicField field(1, s, 200, covariance);
  std::vector<double> u(s);
  double square = 0, product = 0;
  for (int n = 0; n < samples; ++n) {
    field.sample(Philox(6, std::uint64_t(n)), View<double, 1>(u.data(), s));
    square += u[3] * u[3] / samples;
    product += u[3] * u[19] / samples;
  }
  double variance = covariance.eigenvalue(0), half = variance;
  for (int k = 1; k <= 200; ++k) {
    variance += 2 * covariance.eigenvalue(4 * pi * pi * k * k);
    half += 2 * covariance.eigenvalue(4 * pi * pi * k * k) * std::cos(pi * k);
  }
  EXPECT_NEAR(square, variance, variance * allowed(samples));
  EXPECT_NEAR(product, half, variance * allowed(samples));
  EXPECT_GT(std::abs(variance - half), 3 * variance * allowed(samples));  // the test tells them apart
}

TEST(RandomField, AFinerGridHasTheSameFunction) {
  const Philox random(1, 2);
  const FieldCovariance covariance{1, 3, 2};
  std::vector<double> coarse(24), fine(24 * 5);
  PeriodicField(1, 24, 100, covariance).sample(random, View<double, 1>(coarse.data(), coarse.size()));
  PeriodicField(1, 24 * 5, 100, covariance).sample(random, View<double, 1>(fine.data(), fine.size()));
  for (std::size_t i = 0; i < 24; ++i) test::expect_near<double>(coarse[i], fine[5 * i], 64);
  std::vector<double> plane(9 * 9), finer(27 * 27);
  PeriodicField(2, 9, 11, covariance).sample(random, View<double, 1>(plane.data(), plane.size()));
  PeriodicField(2, 27, 11, covariance).sample(random, View<double, 1>(finer.data(), finer.size()));
  for (std::size_t i = 0; i < 9; ++i)
    for (std::size_t j = 0; j < 9; ++j)
      test::expect_near<double>(plane[i * 9 + j], finer[3 * i * 27 + 3 * j], 64);
}

TEST(RandomField, NeumannValuesAreTheSumsOfTheirSeries) {
  const FieldCovariance covariance{2, 3, 2};
  const Philox random(8, 9);
  for (const GridPoints where : {GridPoints::cells, GridPoints::nodes})
    for (const std::size_t s : {2u, 3u, 8u, 13u}) {
      test::Guarded<double> values(s * s);
      NeumannField(s, where, covariance, false).sample(random, values.view(s, s));
      const auto x = [&](std::size_t i) {
        return where == GridPoints::cells ? (double(i) + 0.5) / double(s) : double(i) / double(s - 1);
      };
      const auto wave = [](std::size_t k, double at) {
        return k == 0 ? 1 : sqrt2 * std::cos(pi * double(k) * at);
      };
      for (std::size_t i = 0; i < s; ++i)
        for (std::size_t j = 0; j < s; ++j) {
          double want = 0;
          for (std::size_t k = 0; k < s; ++k)
            for (std::size_t m = 0; m < s; ++m)
              if (k + m > 0)
                want += std::sqrt(covariance.eigenvalue(pi * pi * double(k * k + m * m))) *
                        random.normal(detail::pair_number(k, m)) * wave(k, x(i)) * wave(m, x(j));
          test::expect_near<double>(values[i * s + j], want, 64);
        }
    }
}

TEST(RandomField, ModesBeyondAGridFallOntoItsPoints) {
  const detail::ModeRange range{3, 5};
  std::vector<detail::Complex> v(range.size());
  detail::sample_modes(Philox(2, 3), {1, 1, 2}, true, range, v.data());
  for (const auto& [m0, m1] :
       std::vector<std::pair<std::size_t, std::size_t>>{{1, 1}, {2, 3}, {4, 4}, {5, 7}, {16, 16}}) {
    std::vector<double> got(m0 * m1);
    detail::ModeValues({m0, m1})(range, v.data(), got.data());
    for (std::size_t i = 0; i < m0; ++i)
      for (std::size_t j = 0; j < m1; ++j) {
        double want = 0;
        for (int k0 = -3; k0 <= 3; ++k0)
          for (int k1 = 0; k1 <= 5; ++k1) {
            const double angle = 2 * pi * (k0 * double(i) / double(m0) + k1 * double(j) / double(m1));
            want += (k1 == 0 ? 1 : 2) * (v[range.at(k0, k1)] * std::polar(1.0, angle)).real();
          }
        test::expect_near<double>(got[i * m1 + j], want, 64);
      }
  }
}

TEST(RandomField, RefusesFieldsWithoutVariance) {
  EXPECT_THAT(
      [] {
        PeriodicField(2, 8, 3, {1, 3, 1});
      },
      ::testing::ThrowsMessage<ArgumentError>(::testing::HasSubstr("alpha 1")));
  EXPECT_THAT(
      [] {
        PeriodicField(1, 8, 3, {1, 0, 2});
      },
      ::testing::ThrowsMessage<ArgumentError>(::testing::HasSubstr("tau 0")));
  EXPECT_THAT([] { PeriodicField(3, 8, 3, {}); },
              ::testing::ThrowsMessage<ArgumentError>(::testing::HasSubstr("3 dimensions")));
  EXPECT_THAT([] { NeumannField(1, GridPoints::cells, {}); },
              ::testing::ThrowsMessage<ArgumentError>(::testing::HasSubstr("from 2")));
  PeriodicField(1, 8, 3, {1, 0, 2}, false);
}

}  // namespace
}  // namespace sobolev
