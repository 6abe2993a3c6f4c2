// SPDX-License-Identifier: Apache-2.0
// Least-squares collocation: its functions, and problems whose solutions are known.
#include "src/pinn/collocation.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <numbers>

#include "sobolev/core/executor.hpp"
#include "tests/pinn/eigenvalue.hpp"

namespace sobolev {
namespace {
using detail::AxisBasis;
using detail::CollocationBox;
using detail::CollocationEquations;
constexpr double pi = std::numbers::pi;

Problem problem_of(const std::string& text) { return Problem::from_string(text); }

/// Worst distance of the first unknown to `exact` on a grid of each coordinate's range.
template <class Exact>
double worst_distance(const CollocationBox& box, Exact&& exact) {
  const auto& axes = box.axes();
  const std::vector<int> none(axes.size(), 0);
  double worst = 0;
  for (int i = 0; i <= 10; ++i)
    for (int j = 0; j <= (axes.size() > 1 ? 10 : 0); ++j) {
      std::vector<double> x{axes[0].low() + (axes[0].high() - axes[0].low()) * i / 10};
      if (axes.size() > 1) x.push_back(axes[1].low() + (axes[1].high() - axes[1].low()) * j / 10);
      worst = std::max(worst, std::abs(box.value(0, none, x.data()) - exact(x)));
    }
  return worst;
}

TEST(AxisBasis, DerivativesAreThoseOfThePolynomials) {
  const AxisBasis basis(1, 3, false, 9);
  // T_5(s) = 16 s⁵ − 20 s³ + 5 s with s = x − 2, and its derivatives.
  const double x = 2.3, s = x - 2;
  const double want[] = {16 * std::pow(s, 5) - 20 * std::pow(s, 3) + 5 * s,
                         80 * std::pow(s, 4) - 60 * s * s + 5, 320 * std::pow(s, 3) - 120 * s,
                         960 * s * s - 120, 1920 * s};
  for (int order = 0; order < 5; ++order)
    EXPECT_NEAR(basis.table({x}, order)[5], want[order], 1e-12 * (1 + std::abs(want[order]))) << order;
}

TEST(AxisBasis, PeriodicOnesAreTrigonometric) {
  const AxisBasis basis(0, 4, true, 6);
  EXPECT_EQ(basis.count(), 7);
  const double x = 0.9, k = 2 * pi * 3 / 4;
  const std::vector<double> third = basis.table({x}, 3);
  EXPECT_EQ(third[0], 0);
  EXPECT_NEAR(third[5], k * k * k * std::sin(k * x), 1e-11);
  EXPECT_NEAR(third[6], -k * k * k * std::cos(k * x), 1e-11);
}

TEST(AxisBasis, ProjectionGivesTheCoefficientsBack) {
  for (const bool periodic : {false, true}) {
    const AxisBasis basis(-1, 2, periodic, 8);
    const std::vector<double> table = basis.table(basis.nodes(), 0), projection = basis.projection();
    const std::size_t k = std::size_t(basis.count()), n = basis.nodes().size();
    for (std::size_t a = 0; a < k; ++a)
      for (std::size_t b = 0; b < k; ++b) {
        double sum = 0;
        for (std::size_t i = 0; i < n; ++i) sum += projection[a * n + i] * table[i * k + b];
        EXPECT_NEAR(sum, a == b ? 1 : 0, 1e-13);
      }
  }
}

TEST(Collocation, SolvesABoundaryValueProblemToRounding) {
  const Problem p = problem_of(R"_(
unknowns = ["u"]
[coordinates]
x = [0, 1]
[equations]
bratu = "u_xx + exp(u) = 0"
[conditions]
left = { where = "x = 0", equation = "u = 0" }
right = { where = "x = 1", equation = "u = 0" }
)_");
  const CollocationEquations equations(p);
  ASSERT_TRUE(equations.supported());
  CollocationBox box(equations, {AxisBasis(0, 1, false, 24)});
  const CollocationBox::Result result = box.solve(Cpu(1), 20);
  EXPECT_TRUE(result.converged);
  EXPECT_LT(result.rms, 1e-10);
  // u = 2 ln(cosh(θ/4 (1 − 2x))⁻¹ cosh(θ/4)), θ = √2 cosh(θ/4); the lower solution.
  double theta = 1.5;
  for (int i = 0; i < 200; ++i) theta = std::sqrt(2.0) * std::cosh(theta / 4);
  EXPECT_LT(worst_distance(box,
                           [&](const std::vector<double>& x) {
                             return 2 *
                                    std::log(std::cosh(theta / 4) / std::cosh(theta / 4 * (1 - 2 * x[0])));
                           }),
            1e-11);
}

TEST(Collocation, SolvesInThePlane) {
  const Problem p = problem_of(R"_(
unknowns = ["u"]
[coordinates]
x = [0, 1]
y = { range = [0, 2], periodic = true }
[equations]
helmholtz = "u_xx + u_yy + u_xy + 3*u = (3 - pi^2 - pi^2)*sin(pi*x)*cos(pi*y) - pi^2*cos(pi*x)*sin(pi*y)"
[conditions]
left = { where = "x = 0", equation = "u = 0" }
right = { where = "x = 1", equation = "u = 0" }
)_");
  const CollocationEquations equations(p);
  CollocationBox box(equations, {AxisBasis(0, 1, false, 16), AxisBasis(0, 2, true, 7)});
  EXPECT_TRUE(box.solve(Cpu(2), 10).converged);
  EXPECT_LT(worst_distance(
                box, [](const std::vector<double>& x) { return std::sin(pi * x[0]) * std::cos(pi * x[1]); }),
            1e-10);
}

TEST(Collocation, FindsAConstant) {
  const Problem p = problem_of(test::eigenvalue_with(""));
  const CollocationEquations equations(p);
  CollocationBox box(equations, {AxisBasis(0, 1, false, 20)});
  std::vector<double> start;
  for (const double x : box.node_points()) start.push_back(x * (1 - x));
  box.interpolate({start});
  box.coefficients.back() = 8;
  EXPECT_TRUE(box.solve(Cpu(1), 30).converged);
  EXPECT_NEAR(box.coefficients.back(), pi * pi, 1e-9);
}

TEST(Collocation, GoesOnFromTheBoxBefore) {
  const Problem p = problem_of(R"_(
unknowns = ["u"]
[coordinates]
t = [0, 2]
[equations]
oscillator = "u_tt + 4*u = 0"
[conditions]
start = { where = "t = 0", equation = "u = 1" }
rest = { where = "t = 0", equation = "u_t = 0" }
)_");
  const CollocationEquations equations(p);
  CollocationBox first(equations, {AxisBasis(0, 1, false, 14)}),
      second(equations, {AxisBasis(1, 2, false, 14)});
  EXPECT_TRUE(first.solve(Cpu(1), 10).converged);
  second.go_on_from(first, 0, {2});
  EXPECT_TRUE(second.solve(Cpu(1), 10).converged);
  EXPECT_LT(worst_distance(second, [](const std::vector<double>& x) { return std::cos(2 * x[0]); }), 1e-10);
  EXPECT_LT(second.tail(0, 0), 1e-10);
  EXPECT_GT(CollocationBox(equations, {AxisBasis(0, 2, false, 4)}).work(), 0);
}

}  // namespace
}  // namespace sobolev
