// SPDX-License-Identifier: Apache-2.0
#include "sobolev/optim/hessian_spectrum.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "sobolev/core/random.hpp"
#include "tests/optim/least_squares.hpp"

namespace sobolev {
namespace {
using test::PlainLeastSquares;

/// L = Σ_i (d_i θ_i)², rotated by a Householder reflection: H has the eigenvalues 2 d_i².
PlainLeastSquares<double, Cpu> quadratic(const std::vector<double>& d) {
  const std::size_t p = d.size();
  std::vector<double> v(p);
  double norm = 0;
  for (std::size_t i = 0; i < p; ++i) v[i] = Philox(3, 0).normal(i), norm += v[i] * v[i];
  return {Cpu(), p, p, [=](const std::vector<double>& theta) {
            PlainLeastSquares<double, Cpu>::Values out{std::vector<double>(p), std::vector<double>(p * p)};
            for (std::size_t i = 0; i < p; ++i)
              for (std::size_t j = 0; j < p; ++j) {
                out.jacobian[i * p + j] = d[i] * ((i == j ? 1 : 0) - 2 * v[i] * v[j] / norm);
                out.r[i] += out.jacobian[i * p + j] * theta[j];
              }
            return out;
          }};
}

TEST(HessianSpectrum, FindsAllEigenvaluesOfASmallMatrix) {
  auto objective = quadratic({0.1, 1, 2, 3, 5});
  const std::vector<double> theta(5, 0.3);
  const HessianSpectrum s = hessian_spectrum(objective, View<const double, 1>(theta.data(), 5), {10, 3, 1});
  ASSERT_EQ(s.eigenvalues.size(), 15u);
  const std::vector<double> want = {0.02, 2, 8, 18, 50};
  for (std::size_t k = 0; k < 15; ++k) EXPECT_NEAR(s.eigenvalues[k], want[k / 3], 1e-6);
  EXPECT_NEAR(s.smallest, 0.02, 1e-6);
  EXPECT_NEAR(s.largest, 50, 1e-6);
}

TEST(HessianSpectrum, DensityOfALargerMatrix) {
  std::vector<double> d(200);
  for (std::size_t i = 0; i < 200; ++i) d[i] = i < 150 ? 0 : std::sqrt(0.5 * (1 + double(i % 50)));
  auto objective = quadratic(d);
  const std::vector<double> theta(200, 0.1);
  const HessianSpectrum s =
      hessian_spectrum(objective, View<const double, 1>(theta.data(), 200), {40, 20, 0});
  double sum = 0, zero = 0;
  for (std::size_t k = 0; k < s.weights.size(); ++k) {
    sum += s.weights[k];
    if (std::abs(s.eigenvalues[k]) < 0.5) zero += s.weights[k];
  }
  EXPECT_NEAR(sum, 1, 1e-12);
  EXPECT_NEAR(zero, 0.75, 0.03) << "three quarters of the eigenvalues vanish";
  EXPECT_NEAR(s.largest, 50, 1e-4);
  EXPECT_NEAR(s.trace, 1275, 0.1 * 1275) << "of random vectors";
}

TEST(HessianSpectrum, SeesNegativeCurvature) {
  // L = (θ₀² − 1)² + θ₁²: at θ₀ = 0 the curvature along θ₀ is −4.
  PlainLeastSquares<double, Cpu> objective(Cpu(), 2, 2, [](const std::vector<double>& x) {
    return PlainLeastSquares<double, Cpu>::Values{{x[0] * x[0] - 1, x[1]}, {2 * x[0], 0, 0, 1}};
  });
  const std::vector<double> theta = {0, 0};
  const HessianSpectrum s = hessian_spectrum(objective, View<const double, 1>(theta.data(), 2), {2, 1, 0});
  EXPECT_NEAR(s.smallest, -4, 1e-6);
  EXPECT_NEAR(s.largest, 2, 1e-6);
}
}  // namespace
}  // namespace sobolev
