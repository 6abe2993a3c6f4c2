// SPDX-License-Identifier: Apache-2.0
#include "src/operators/differentiation.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "sobolev/core/error.hpp"

namespace sobolev::detail {
namespace {
std::vector<double> times(const std::vector<double>& matrix, const std::vector<double>& x) {
  std::vector<double> y(x.size(), 0);
  for (std::size_t i = 0; i < x.size(); ++i)
    for (std::size_t k = 0; k < x.size(); ++k) y[i] += matrix[i * x.size() + k] * x[k];
  return y;
}

TEST(Differentiation, IsExactForWavesOnAPeriodicAxis) {
  for (const std::size_t n : {9, 16})
    for (int p = 1; p <= 4; ++p) {
      const GridAxis axis{n, -1, 3, true};
      const double q = 2 * std::numbers::pi / 4 * 3;  // the third frequency
      std::vector<double> x;
      for (std::size_t i = 0; i < n; ++i) x.push_back(std::sin(q * (-1 + axis.step() * double(i)) + 0.3));
      const auto y = times(differentiation_matrix(axis, p, 2), x);
      for (std::size_t i = 0; i < n; ++i)
        EXPECT_NEAR(
            y[i],
            std::pow(q, p) * std::sin(q * (-1 + axis.step() * double(i)) + 0.3 + std::numbers::pi / 2 * p),
            1e-11 * std::pow(q, p));
    }
}

TEST(Differentiation, IsExactForPolynomialsAndOfItsOrder) {
  for (const int accuracy : {2, 4})
    for (int p = 1; p <= 3; ++p) {
      const GridAxis axis{12, 1, 2, false};
      const int degree = p + accuracy - 1;
      std::vector<double> x, want;
      for (std::size_t i = 0; i < 12; ++i) {
        const double at = 1 + axis.step() * double(i);
        double factor = 1;
        for (int m = 0; m < p; ++m) factor *= double(degree - m);
        x.push_back(std::pow(at, degree));
        want.push_back(factor * std::pow(at, degree - p));
      }
      const auto y = times(differentiation_matrix(axis, p, accuracy), x);
      for (std::size_t i = 0; i < 12; ++i) EXPECT_NEAR(y[i], want[i], 1e-9 * want[i]) << p << ' ' << accuracy;

      double errors[2];
      for (const bool fine : {false, true}) {
        const GridAxis smooth{fine ? 41u : 21u, 0, 1, false};
        std::vector<double> values;
        for (std::size_t i = 0; i < smooth.points; ++i) values.push_back(std::exp(smooth.step() * double(i)));
        const auto derivative = times(differentiation_matrix(smooth, p, accuracy), values);
        errors[fine] = 0;
        for (std::size_t i = 0; i < smooth.points; ++i)
          errors[fine] = std::max(errors[fine], std::abs(derivative[i] - values[i]));
      }
      EXPECT_GT(std::log2(errors[0] / errors[1]), accuracy - 0.4) << p << ' ' << accuracy;
    }
}

TEST(Differentiation, RefusesTooFewPoints) {
  EXPECT_THROW(differentiation_matrix({3, 0, 1, false}, 2, 2), ArgumentError);
  EXPECT_THROW(differentiation_matrix({2, 0, 1, true}, 2, 2), ArgumentError);
  EXPECT_THROW(differentiation_matrix({9, 0, 1, false}, 1, 3), ArgumentError);
  EXPECT_THROW(differentiation_matrix({9, 0, 1, false}, 9, 2), ArgumentError);
}
}  // namespace
}  // namespace sobolev::detail
