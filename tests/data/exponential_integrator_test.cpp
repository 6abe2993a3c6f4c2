// SPDX-License-Identifier: Apache-2.0
#include "src/data/exponential_integrator.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace sobolev::detail {
namespace {

// v' = -v + v^2, v(0) = v0: v = 1 / (1 + (1/v0 - 1) e^t).
double logistic_error(int steps) {
  ExponentialIntegrator integrator({Complex(-1)},
                                   [](const Complex* v, double, Complex* out) { out[0] = v[0] * v[0]; });
  std::vector<Complex> v{0.8};
  integrator.advance(v, 0, 2.0 / steps, steps);
  return std::abs(v[0] - 1 / (1 + (1 / 0.8 - 1) * std::exp(2.0)));
}

TEST(ExponentialIntegrator, IsOfFourthOrder) {
  for (int steps : {8, 16, 32, 64})
    EXPECT_NEAR(std::log2(logistic_error(steps) / logistic_error(2 * steps)), 4, 0.35) << steps << " steps";
}

// v' = iw v + e^{it}, v(0) = 0: v = (e^{it} - e^{iwt}) / (i (1 - w)): complex L, forcing in time.
TEST(ExponentialIntegrator, IsOfFourthOrderForOscillationsAndForcing) {
  const double w = 7;
  const auto error = [&](int steps) {
    ExponentialIntegrator integrator(
        {Complex(0, w)}, [](const Complex*, double t, Complex* out) { out[0] = std::polar(1.0, t); });
    std::vector<Complex> v{0.0};
    integrator.advance(v, 0, 1.0 / steps, steps);
    return std::abs(v[0] - (std::polar(1.0, 1.0) - std::polar(1.0, w)) / Complex(0, 1 - w));
  };
  EXPECT_LT(error(64), 1e-9);
  EXPECT_NEAR(std::log2(error(16) / error(32)), 4, 0.35);
}

// A stiff mode is driven to the slow solution without a bound on the step: v' = L (v - cos t) - sin t.
TEST(ExponentialIntegrator, IsStableForStiffModes) {
  for (double stiffness : {1e2, 1e4, 1e8}) {
    ExponentialIntegrator integrator({Complex(-stiffness)}, [&](const Complex*, double t, Complex* out) {
      out[0] = stiffness * std::cos(t) - std::sin(t);
    });
    std::vector<Complex> v{1.0};
    integrator.advance(v, 0, 0.05, 40);
    EXPECT_NEAR(v[0].real(), std::cos(2.0), 1e-5) << stiffness;
  }
}

TEST(ExponentialIntegrator, IsExactWithoutNonlinearPart) {
  ExponentialIntegrator integrator({Complex(-3, 2), Complex(0, 100)}, {});
  std::vector<Complex> v{Complex(1, 1), 2.0};
  integrator.advance(v, 0, 0.5, 2);
  EXPECT_LT(std::abs(v[0] - Complex(1, 1) * std::exp(Complex(-3, 2))), 1e-15);
  EXPECT_LT(std::abs(v[1] - 2.0 * std::exp(Complex(0, 100))), 1e-13);
}

// Near L = 0 the φ functions cancel; a Taylor-exact case: v' = t^2 gives t^3/3 for every small L.
TEST(ExponentialIntegrator, DoesNotCancelNearZero) {
  for (double l : {0.0, 1e-12, 1e-6}) {
    ExponentialIntegrator integrator({Complex(l)},
                                     [](const Complex*, double t, Complex* out) { out[0] = t * t; });
    std::vector<Complex> v{0.0};
    integrator.advance(v, 0, 0.1, 10);
    EXPECT_NEAR(v[0].real(), 1.0 / 3 + l / 12, 1e-12) << l;
  }
}

}  // namespace
}  // namespace sobolev::detail
