// SPDX-License-Identifier: Apache-2.0
#include "sobolev/problem/points.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace sobolev {
namespace {

const std::vector<Sampling> random_kinds{Sampling::uniform, Sampling::latin_hypercube, Sampling::sobol};

PointRequest unit_cube(Sampling sampling, int count, int dims, std::uint64_t seed = 0) {
  PointRequest r;
  for (int k = 0; k < dims; ++k) r.ranges.push_back({std::string(1, char('a' + k)), 0, 1, false});
  r.sampling = sampling;
  r.count = count;
  r.seed = seed;
  return r;
}

// The greatest gap between the share of points in [0, x) and x, over one coordinate.
double discrepancy_1d(std::vector<double> u) {
  std::sort(u.begin(), u.end());
  double worst = 0;
  const double n = double(u.size());
  for (std::size_t i = 0; i < u.size(); ++i)
    worst = std::max({worst, std::abs(u[i] - double(i) / n), std::abs(double(i + 1) / n - u[i])});
  return worst;
}

std::vector<double> column(const std::vector<double>& points, int dims, int k) {
  std::vector<double> out;
  for (std::size_t i = std::size_t(k); i < points.size(); i += std::size_t(dims)) out.push_back(points[i]);
  return out;
}

TEST(Points, LieInTheirRangesAtEverySize) {
  for (const Sampling kind : random_kinds)
    for (int n : {0, 1, 31, 32, 33, 257, 1009}) {
      PointRequest r;
      r.ranges = {{"t", 0, 1, false}, {"x", -3, -1, true}, {"y", 5, 5, false}};
      r.sampling = kind;
      r.count = n;
      const auto p = sample_points(r);
      ASSERT_EQ(p.size(), std::size_t(3 * n));
      for (std::size_t i = 0; i < p.size(); ++i) {
        const auto& range = r.ranges[i % 3];
        ASSERT_TRUE(p[i] >= range.low && p[i] <= range.high) << p[i];  // false for a NaN too
      }
    }
}

TEST(Points, AreTheSameBitsEachTimeAndDependOnSeedAndStream) {
  for (const Sampling kind : random_kinds) {
    PointRequest r = unit_cube(kind, 100, 3, 7);
    const auto first = sample_points(r);
    EXPECT_EQ(first, sample_points(r));
    r.stream = 1;
    EXPECT_NE(first, sample_points(r));
    r.stream = 0;
    r.seed = 8;
    EXPECT_NE(first, sample_points(r));
  }
}

TEST(Points, LatinHypercubePutsOnePointInEachCell) {
  for (int n : {1, 31, 257}) {
    const auto p = sample_points(unit_cube(Sampling::latin_hypercube, n, 4, 2));
    for (int k = 0; k < 4; ++k) {
      std::set<int> cells;
      for (double u : column(p, 4, k)) cells.insert(int(u * n));
      EXPECT_EQ(cells.size(), std::size_t(n));
      EXPECT_EQ(*cells.rbegin(), n - 1);
    }
  }
}

TEST(Points, LatinHypercubeColumnsAreNotCorrelated) {
  const int n = 4000;
  const auto p = sample_points(unit_cube(Sampling::latin_hypercube, n, 2));
  double covariance = 0;
  for (int i = 0; i < n; ++i)
    covariance += (p[2 * std::size_t(i)] - 0.5) * (p[2 * std::size_t(i) + 1] - 0.5) / n;
  EXPECT_NEAR(covariance, 0, 5.0 / 12 / std::sqrt(n));
}

// In base 2 every aligned interval of length 2^-m holds exactly one of the first 2^m points, in each
// coordinate, and a digital shift keeps that.
TEST(Points, SobolStratifiesEachOfEightCoordinates) {
  for (std::uint64_t seed : {0, 1, 2}) {
    const auto p = sample_points(unit_cube(Sampling::sobol, 1024, 8, seed));
    for (int k = 0; k < 8; ++k) {
      std::set<int> cells;
      for (double u : column(p, 8, k)) cells.insert(int(u * 1024));
      EXPECT_EQ(cells.size(), 1024u) << "coordinate " << k;
    }
  }
}

// The first two coordinates are a (0, 2)-sequence: one point in each box of area 2^-m, whatever its shape.
TEST(Points, SobolFillsEveryBoxOfTheFirstTwoCoordinates) {
  const auto p = sample_points(unit_cube(Sampling::sobol, 256, 2, 9));
  for (int m = 0; m <= 8; ++m) {
    std::set<std::pair<int, int>> boxes;
    for (std::size_t i = 0; i < 256; ++i)
      boxes.insert({int(p[2 * i] * (1 << m)), int(p[2 * i + 1] * (1 << (8 - m)))});
    EXPECT_EQ(boxes.size(), 256u) << "boxes 2^-" << m << " wide";
  }
}

// Joe & Kuo chose their numbers for good two-dimensional projections: 4096 points fill the 64 boxes of
// an 8 × 8 partition equally, for every pair.
TEST(Points, SobolBalancesEveryPairOfCoordinates) {
  const auto p = sample_points(unit_cube(Sampling::sobol, 4096, 8, 4));
  for (std::size_t a = 0; a < 8; ++a)
    for (std::size_t b = a + 1; b < 8; ++b) {
      std::vector<int> count(64);
      for (std::size_t i = 0; i < 4096; ++i)
        ++count[std::size_t(p[8 * i + a] * 8) * 8 + std::size_t(p[8 * i + b] * 8)];
      for (int c : count) EXPECT_EQ(c, 64) << "coordinates " << a << " and " << b;
    }
}

// Sobol points integrate a smooth function of 5 variables with an error near 1/N, uniform ones 1/sqrt(N).
TEST(Points, SobolIntegratesBetterThanUniform) {
  const auto error = [](Sampling kind, int n) {
    double mean = 0;
    for (std::uint64_t seed = 0; seed < 8; ++seed) {
      const auto p = sample_points(unit_cube(kind, n, 5, seed));
      double sum = 0;
      for (std::size_t i = 0; i < std::size_t(n); ++i) {
        double f = 1;
        for (std::size_t k = 0; k < 5; ++k)
          f *= 1 + 0.5 * std::sin(2 * M_PI * p[5 * i + k]) + (p[5 * i + k] - 0.5);
        sum += f;
      }
      mean += std::abs(sum / n - 1) / 8;
    }
    return mean;
  };
  EXPECT_LT(error(Sampling::sobol, 4096), 0.1 * error(Sampling::uniform, 4096));
}

TEST(Points, UniformHasTheDiscrepancyOfIndependentPoints) {
  const int n = 2000;
  const auto p = sample_points(unit_cube(Sampling::uniform, n, 3));
  for (int k = 0; k < 3; ++k) {
    EXPECT_LT(discrepancy_1d(column(p, 3, k)), 2.0 / std::sqrt(n));  // Kolmogorov: exceeded once in 1500
    EXPECT_LT(discrepancy_1d(column(sample_points(unit_cube(Sampling::sobol, n, 3)), 3, k)), 4.0 / n);
  }
}

TEST(Points, GridIsTheTensorProductWithTheFirstCoordinateSlowest) {
  PointRequest r;
  r.ranges = {{"t", 0, 2, false}, {"x", -1, 1, true}};
  r.sampling = Sampling::grid;
  r.grid = {3, 4};
  EXPECT_EQ(sample_points(r), (std::vector<double>{0, -1, 0, -0.5, 0, 0, 0, 0.5,  //
                                                   1, -1, 1, -0.5, 1, 0, 1, 0.5,  //
                                                   2, -1, 2, -0.5, 2, 0, 2, 0.5}));
  r.grid = {1, 2};
  EXPECT_EQ(sample_points(r), (std::vector<double>{1, -1, 1, 0}));
  r.grid = {0, 4};
  EXPECT_TRUE(sample_points(r).empty());
}

TEST(Points, DenseRegionsTakeTheirShare) {
  for (const Sampling kind : random_kinds) {
    PointRequest r = unit_cube(kind, 1000, 2, 3);
    r.dense = {{"b", 0.5, 0.01, 0.3}, {"a", 1.0, 0.1, 0.2}};
    const auto p = sample_points(r);
    int near_b = 0, near_a = 0;
    for (std::size_t i = 0; i < 1000; ++i) {
      ASSERT_TRUE(p[2 * i] >= 0 && p[2 * i] <= 1 && p[2 * i + 1] >= 0 && p[2 * i + 1] <= 1);
      near_b += std::abs(p[2 * i + 1] - 0.5) <= 0.01;
      near_a += p[2 * i] >= 0.9;
    }
    EXPECT_NEAR(near_b, 300 + 0.02 * 700, 25);  // the others fall there by chance
    EXPECT_NEAR(near_a, 200 + 0.1 * 800, 50);
    auto other = column(p, 2, 0);  // the points near b are spread over all of a
    other.resize(300);
    EXPECT_LT(discrepancy_1d(other), 0.12);
  }
}

TEST(Points, DenseRegionInACoordinateOutsideTheRequestDoesNothing) {
  PointRequest r = unit_cube(Sampling::sobol, 64, 2);
  const auto plain = sample_points(r);
  r.dense = {{"z", 0, 1, 0.5}};
  EXPECT_EQ(sample_points(r), plain);
}

TEST(Points, RefusesWhatCannotBe) {
  EXPECT_THROW(sample_points(unit_cube(Sampling::sobol, 8, 9)), ArgumentError);
  EXPECT_THROW(sample_points(unit_cube(Sampling::uniform, -1, 1)), ArgumentError);
  PointRequest r = unit_cube(Sampling::uniform, 8, 1);
  r.ranges[0].high = -1;
  EXPECT_THROW(sample_points(r), ArgumentError);
  r.ranges[0].high = NAN;
  EXPECT_THROW(sample_points(r), ArgumentError);
  r = unit_cube(Sampling::grid, 0, 2);
  r.grid = {3};
  EXPECT_THROW(sample_points(r), ArgumentError);
  r.grid = {3, -1};
  EXPECT_THROW(sample_points(r), ArgumentError);
  r = unit_cube(Sampling::uniform, 8, 1);
  r.dense = {{"a", 0.5, 0.1, 1.5}};
  EXPECT_THROW(sample_points(r), ArgumentError);
  r.dense = {{"a", 0.5, 0.1, 0.6}, {"a", 0.2, 0.1, 0.6}};
  EXPECT_THROW(sample_points(r), ArgumentError);
  r.dense = {{"a", 3, 0.1, 0.5}};
  EXPECT_THROW(sample_points(r), ArgumentError);
}

}  // namespace
}  // namespace sobolev
