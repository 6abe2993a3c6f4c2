// SPDX-License-Identifier: Apache-2.0
#include "src/data/spectral_grid.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace sobolev::detail {
namespace {

constexpr double pi = 3.14159265358979323846;

std::vector<double> sample(const SpectralGrid& grid, double (*f)(double, double)) {
  std::vector<double> out;
  for (int i = 0; i < grid.points(0); ++i)
    for (int j = 0; j < grid.points(1); ++j) out.push_back(f(grid.coordinate(0, i), grid.coordinate(1, j)));
  return out;
}

TEST(SpectralGrid, DifferentiatesTrigonometricPolynomialsExactly) {
  SpectralGrid grid({1, 32}, {0, -1}, {1, 2});
  const auto u =
      sample(grid, [](double, double x) { return 2 + std::sin(3 * pi * x) - 0.5 * std::cos(pi * x); });
  std::vector<Complex> v(grid.modes());
  grid.to_modes(u.data(), v.data());
  std::vector<double> d(grid.points());
  grid.to_points(v.data(), grid.derivative(0, 3).data(), d.data());
  for (int i = 0; i < 32; ++i) {
    const double x = grid.coordinate(1, i);
    EXPECT_NEAR(d[std::size_t(i)],
                -27 * pi * pi * pi * std::cos(3 * pi * x) - 0.5 * pi * pi * pi * std::sin(pi * x), 1e-11);
  }
}

TEST(SpectralGrid, DifferentiatesInThePlane) {
  SpectralGrid grid({16, 24}, {0, 1}, {2 * pi, 4});
  const auto u =
      sample(grid, [](double x, double y) { return std::sin(2 * x - pi * y / 2) + std::cos(x + pi * y); });
  std::vector<Complex> v(grid.modes());
  grid.to_modes(u.data(), v.data());
  std::vector<double> d(grid.points());
  grid.to_points(v.data(), grid.derivative(1, 2).data(), d.data());  // u_xyy
  for (int i = 0; i < 16; ++i)
    for (int j = 0; j < 24; ++j) {
      const double x = grid.coordinate(0, i), y = grid.coordinate(1, j);
      EXPECT_NEAR(d[std::size_t(i * 24 + j)],
                  -2 * pi * pi / 4 * std::cos(2 * x - pi * y / 2) + pi * pi * std::sin(x + pi * y), 1e-11);
    }
}

TEST(SpectralGrid, InterpolatesExactlyBetweenThePoints) {
  SpectralGrid grid({16, 24}, {0, 1}, {2 * pi, 4});
  const auto f = [](double x, double y) {
    return 0.25 + std::sin(2 * x - pi * y / 2) + std::cos(5 * x + pi * y);
  };
  const auto u = sample(grid, f);
  std::vector<Complex> v(grid.modes());
  grid.to_modes(u.data(), v.data());
  const std::vector<double> x{0, 0.1, 3.7, 2 * pi}, y{1, 2.345, 4.999};
  std::vector<double> out(12);
  grid.interpolate(v.data(), x, y, out.data());
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t j = 0; j < 3; ++j) EXPECT_NEAR(out[3 * i + j], f(x[i], y[j]), 1e-13);
}

TEST(SpectralGrid, CutsTheUpperThirdOfTheModes) {
  SpectralGrid grid({1, 32}, {0, 0}, {1, 2 * pi});
  ASSERT_EQ(grid.highest(1), 10);
  std::vector<Complex> v(grid.modes());
  const auto kept = sample(grid, [](double, double x) { return std::cos(10 * x); });
  grid.to_modes(kept.data(), v.data());
  EXPECT_NEAR(v[10].real(), 0.5, 1e-15);
  const auto cut = sample(grid, [](double, double x) { return std::cos(11 * x); });
  grid.to_modes(cut.data(), v.data());
  for (const Complex c : v) EXPECT_NEAR(std::abs(c), 0, 1e-15);
}

// The square of the highest kept mode aliases to modes that are cut, and to none that are kept.
TEST(SpectralGrid, SquaresWithoutAliasing) {
  SpectralGrid grid({1, 32}, {0, 0}, {1, 2 * pi});
  const auto square = sample(grid, [](double, double x) { return std::cos(10 * x) * std::cos(10 * x); });
  std::vector<Complex> v(grid.modes());
  grid.to_modes(square.data(), v.data());
  EXPECT_NEAR(v[0].real(), 0.5, 1e-15);
  for (std::size_t k = 1; k < v.size(); ++k) EXPECT_NEAR(std::abs(v[k]), 0, 1e-15) << k;
}

}  // namespace
}  // namespace sobolev::detail
