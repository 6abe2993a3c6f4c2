// SPDX-License-Identifier: Apache-2.0
// Darcy's equation: manufactured solutions, jumps against exact and refined solutions, iterations by grid.
#include "sobolev/data/darcy_solver.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <map>
#include <numbers>
#include <vector>

#include "tests/support.hpp"

namespace sobolev {
namespace {
using std::numbers::pi;
using test::Guarded;

using Field = std::vector<double>;

template <class F>
Field on_grid(std::size_t s, GridPoints where, F f) {
  Field out;
  const auto x = [&](std::size_t i) {
    return where == GridPoints::cells ? (double(i) + 0.5) / double(s) : double(i) / double(s - 1);
  };
  for (std::size_t i = 0; i < s; ++i)
    for (std::size_t j = 0; j < s; ++j) out.push_back(f(x(i), x(j)));
  return out;
}

Field solved(std::size_t s, GridPoints where, FaceMean mean, const Field& a, const Field& f,
             int* iterations = nullptr, double tolerance = 1e-11) {
  Guarded<double> u(s * s);
  DarcySolver solver(s, where, mean);
  const int n = solver.solve(View<const double, 2>(a.data(), s, s), View<const double, 2>(f.data(), s, s),
                             u.view(s, s), tolerance);
  if (iterations != nullptr) *iterations = n;
  return {u.data(), u.data() + s * s};
}

double largest_difference(const Field& a, const Field& b) {
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(a[i] - b[i]));
  return most;
}

double relative_l2(const Field& a, const Field& b) {
  double change = 0, norm = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    change += (a[i] - b[i]) * (a[i] - b[i]);
    norm += b[i] * b[i];
  }
  return std::sqrt(change / norm);
}

/// u = sin πx sin 2πy with a = exp(x + 2y)(1 + ½ sin 3x), not symmetric in anything.
double exact(double x, double y) { return std::sin(pi * x) * std::sin(2 * pi * y); }
double smooth(double x, double y) { return std::exp(x + 2 * y) * (1 + 0.5 * std::sin(3 * x)); }
double smooth_source(double x, double y) {
  const double a = smooth(x, y), ax = a + std::exp(x + 2 * y) * 1.5 * std::cos(3 * x), ay = 2 * a;
  return 5 * pi * pi * a * exact(x, y) - ax * pi * std::cos(pi * x) * std::sin(2 * pi * y) -
         ay * 2 * pi * std::sin(pi * x) * std::cos(2 * pi * y);
}

class DarcyOnPoints : public ::testing::TestWithParam<std::tuple<GridPoints, FaceMean>> {};
INSTANTIATE_TEST_SUITE_P(All, DarcyOnPoints,
                         ::testing::Combine(::testing::Values(GridPoints::cells, GridPoints::nodes),
                                            ::testing::Values(FaceMean::arithmetic, FaceMean::harmonic)));

TEST_P(DarcyOnPoints, ConvergesToAManufacturedSolutionAtSecondOrder) {
  const auto [where, mean] = GetParam();
  std::vector<double> errors, widths;
  for (const std::size_t s : {16u, 31u, 64u, 97u, 128u}) {  // even, odd, prime, powers of two
    const Field u = solved(s, where, mean, on_grid(s, where, smooth), on_grid(s, where, smooth_source));
    errors.push_back(largest_difference(u, on_grid(s, where, exact)));
    widths.push_back(1 / double(where == GridPoints::cells ? s : s - 1));
  }
  for (std::size_t k = 1; k < errors.size(); ++k) {
    const double order = std::log(errors[k] / errors[k - 1]) / std::log(widths[k] / widths[k - 1]);
    EXPECT_NEAR(order, 2, 0.1) << k;
  }
  EXPECT_LT(errors.back(), 4e-4);
}

TEST_P(DarcyOnPoints, SolvesItsEquationsToTheTolerance) {
  const auto [where, mean] = GetParam();
  for (const std::size_t s : {3u, 4u, 5u, 6u, 7u, 8u, 9u, 13u, 32u, 33u}) {
    const auto jump = [](double x, double y) { return std::sin(9 * x + 4 * y * y) > 0.2 ? 12.0 : 3.0; };
    const Field a = on_grid(s, where, jump),
                f = on_grid(s, where, [](double x, double y) { return 1 + x * y; });
    const Field u = solved(s, where, mean, a, f, nullptr, 1e-13);
    const bool cells = where == GridPoints::cells;
    const double h = 1 / double(cells ? s : s - 1);
    const auto face = [m = mean](double p, double q) {
      return m == FaceMean::arithmetic ? (p + q) / 2 : 2 * p * q / (p + q);
    };
    const std::size_t low = cells ? 0 : 1, high = cells ? s : s - 1;
    double worst = 0;
    for (std::size_t i = low; i < high; ++i)
      for (std::size_t j = low; j < high; ++j) {
        double sum = -h * h * f[i * s + j];
        const double here = a[i * s + j], value = u[i * s + j];
        const auto side = [&](bool inside, std::size_t at) {
          sum += inside ? face(here, a[at]) * (value - u[at]) : 2 * here * value;
        };
        side(i > 0, (i - 1) * s + j);
        side(i + 1 < s, (i + 1) * s + j);
        side(j > 0, i * s + j - 1);
        side(j + 1 < s, i * s + j + 1);
        worst = std::max(worst, std::abs(sum));
      }
    EXPECT_LT(worst, 2e-13 * double(s) * h * h * 2 + 1e-15) << s;
    if (!cells) {
      EXPECT_EQ(u[0], 0);
      EXPECT_EQ(u[s * s - 2], 0);
    }
  }
}

TEST_P(DarcyOnPoints, TakesAsManyIterationsOnEveryGrid) {
  const auto [where, mean] = GetParam();
  for (const double contrast : {4.0, 1e4}) {
    int least = 1000, most = 0;
    for (const std::size_t s : {31u, 64u, 97u, 128u, 211u}) {
      const auto jump = [&](double x, double y) {
        return std::sin(7 * x + 3 * y * y) + std::cos(11 * y - 5 * x * y) > 0 ? contrast : 1.0;
      };
      int iterations = 0;
      solved(s, where, mean, on_grid(s, where, jump), Field(s * s, 1.0), &iterations);
      least = std::min(least, iterations);
      most = std::max(most, iterations);
    }
    EXPECT_LE(most, 16) << contrast;
    EXPECT_LE(most - least, 3) << contrast;
  }
}

// a = 1 left of x = ½, else 10; u = g(x) h(y) would not do: a jump and a source that make
// u = φ(x) sin πy with φ piecewise quadratic, φ and a φ' continuous, φ(0) = φ(1) = 0.
TEST(DarcySolver, IsOfSecondOrderAcrossAJumpOnFacesWithTheHarmonicMean) {
  constexpr double left = 1, right = 10;
  // φ = x(1 − c x) for x < ½; φ = (1 − x)(p + q x) else, with q chosen for both conditions at ½.
  const double c = 0.3, value = 0.5 * (1 - 0.5 * c), flux = left * (1 - c) / right;
  // at ½: (p + q/2)/2 = value, −(p + q/2) + q/2 = flux
  const double both = 2 * value, q = 2 * (flux + both), p = both - q / 2;
  const auto phi = [&](double x) { return x < 0.5 ? x * (1 - c * x) : (1 - x) * (p + q * x); };
  const auto second = [&](double x) { return x < 0.5 ? -2 * c : -2 * q; };
  std::map<FaceMean, std::vector<double>> errors;
  for (const FaceMean mean : {FaceMean::arithmetic, FaceMean::harmonic})
    for (const std::size_t s : {16u, 32u, 64u, 128u}) {
      const auto a = [](double x, double) { return x < 0.5 ? left : right; };
      const auto f = [&](double x, double y) {
        return a(x, y) * (pi * pi * phi(x) - second(x)) * std::sin(pi * y);
      };
      const Field u = solved(s, GridPoints::cells, mean, on_grid(s, GridPoints::cells, a),
                             on_grid(s, GridPoints::cells, f));
      errors[mean].push_back(largest_difference(
          u, on_grid(s, GridPoints::cells, [&](double x, double y) { return phi(x) * std::sin(pi * y); })));
    }
  for (std::size_t k = 1; k < 4; ++k) {
    EXPECT_NEAR(std::log2(errors[FaceMean::harmonic][k - 1] / errors[FaceMean::harmonic][k]), 2, 0.15) << k;
    EXPECT_NEAR(std::log2(errors[FaceMean::arithmetic][k - 1] / errors[FaceMean::arithmetic][k]), 1, 0.25)
        << k;
  }
}

TEST(DarcySolver, TendsToTheSolutionOfAFineGridWhereTheCoefficientJumps) {
  const auto jump = [](double x, double y) {
    return std::sin(7 * x + 3 * y * y) + std::cos(11 * y - 5 * x * y) > 0 ? 12.0 : 3.0;
  };
  const auto one = [](double, double) { return 1.0; };
  constexpr std::size_t fine = 3 * 3 * 3 * 27;  // centres of coarse cells are centres of fine ones
  const GridPoints cells = GridPoints::cells;
  const Field best =
      solved(fine, cells, FaceMean::harmonic, on_grid(fine, cells, jump), on_grid(fine, cells, one));
  std::vector<double> errors;
  for (const std::size_t s : {27u, 81u, 243u}) {
    const std::size_t ratio = fine / s;
    Field want;
    for (std::size_t i = 0; i < s; ++i)
      for (std::size_t j = 0; j < s; ++j)
        want.push_back(best[(i * ratio + ratio / 2) * fine + j * ratio + ratio / 2]);
    errors.push_back(relative_l2(
        solved(s, cells, FaceMean::harmonic, on_grid(s, cells, jump), on_grid(s, cells, one)), want));
  }
  EXPECT_LT(errors[1], errors[0] / 2);
  EXPECT_LT(errors[2], errors[1] / 2);
  EXPECT_LT(errors[2], 1e-3);
}

TEST(DarcySolver, RefusesWhatItCannotSolve) {
  EXPECT_THAT([] { DarcySolver(2); },
              ::testing::ThrowsMessage<ArgumentError>(::testing::HasSubstr("from 3 to")));
  Field a(16, 1.0), f(16, 1.0), u(16);
  DarcySolver solver(4);
  const auto solve = [&](double tolerance) {
    return solver.solve(View<const double, 2>(a.data(), 4, 4), View<const double, 2>(f.data(), 4, 4),
                        View<double, 2>(u.data(), 4, 4), tolerance);
  };
  EXPECT_GT(solve(1e-10), 0);
  EXPECT_THAT([&] { solve(0); },
              ::testing::ThrowsMessage<ArgumentError>(::testing::HasSubstr("tolerance 0")));
  for (const double bad : {0.0, -1.0, std::nan("")}) {
    a[6] = bad;
    EXPECT_THAT([&] { solve(1e-10); }, ::testing::ThrowsMessage<ArgumentError>(
                                           ::testing::HasSubstr("at point (1, 2) the coefficient is")));
  }
  a[6] = 1;
  std::fill(f.begin(), f.end(), 0.0);
  EXPECT_EQ(solve(1e-10), 0);
  EXPECT_EQ(u, Field(16, 0.0));
  EXPECT_THAT(
      [&] {
        solver.solve(View<const double, 2>(a.data(), 2, 8), View<const double, 2>(f.data(), 4, 4),
                     View<double, 2>(u.data(), 4, 4));
      },
      ::testing::ThrowsMessage<ArgumentError>(::testing::HasSubstr("4 × 4 points")));
}

}  // namespace
}  // namespace sobolev
