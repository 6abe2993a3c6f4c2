// SPDX-License-Identifier: Apache-2.0
// Shallow water: the exact dam break, order where the flow is smooth, what is conserved, symmetry.
#include "src/data/shallow_water.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace sobolev::detail {
namespace {
using Cell = ShallowWater::Cell;
using std::numbers::pi;

/// Stoker's solution of the dam break from 2 to 1 with g = 1 at x/t.
double dam_break(double speed) {
  constexpr double left = 2, right = 1;
  const double cl = std::sqrt(left);
  // The depth between: 2 (cl − √h) = (h − right) √((h + right)/(2 h right)).
  double low = right, high = left;
  for (int n = 0; n < 100; ++n) {
    const double h = 0.5 * (low + high);
    (2 * (cl - std::sqrt(h)) > (h - right) * std::sqrt((h + right) / (2 * h * right)) ? low : high) = h;
  }
  const double h = low, v = 2 * (cl - std::sqrt(h)), shock = h * v / (h - right);
  if (speed < -cl) return left;
  if (speed < v - std::sqrt(h)) return std::pow((2 * cl - speed) / 3, 2);
  return speed < shock ? h : right;
}

TEST(ShallowWater, TendsToTheExactDamBreakInBothDirections) {
  for (const bool along_first : {true, false}) {
    double before = 0;
    for (const std::size_t s : {30u, 60u, 120u}) {
      ShallowWater flow(s, 4, 1);
      std::vector<Cell> state(s * s);
      const auto at = [&](std::size_t i, std::size_t j) { return along_first ? i * s + j : j * s + i; };
      for (std::size_t i = 0; i < s; ++i)
        for (std::size_t j = 0; j < s; ++j) state[at(i, j)] = {i < s / 2 ? 2.0 : 1.0, 0, 0};
      ASSERT_TRUE(flow.advance(state, 1, nullptr));
      double error = 0;
      for (std::size_t i = 0; i < s; ++i) {
        const double x = 4 * ((double(i) + 0.5) / double(s) - 0.5);
        error += std::abs(state[at(i, 1)][0] - dam_break(x)) * 4 / double(s);
        EXPECT_EQ(state[at(i, 1)], state[at(i, s - 2)]);
      }
      EXPECT_LT(error, 3.0 / double(s));
      if (before > 0) {
        EXPECT_LT(error, before / 1.6);
      }
      before = error;
    }
  }
}

TEST(ShallowWater, IsOfSecondOrderWhereTheFlowIsSmooth) {
  const auto depth = [](std::size_t s) {
    ShallowWater flow(s, 1, 1);
    std::vector<Cell> state(s * s);
    for (std::size_t i = 0; i < s; ++i)
      for (std::size_t j = 0; j < s; ++j) {
        const double x = (double(i) + 0.5) / double(s) - 0.5, y = (double(j) + 0.5) / double(s) - 0.4;
        state[i * s + j] = {1 + 0.1 * std::exp(-60 * (x * x + y * y)), 0.05, 0.02};
      }
    EXPECT_TRUE(flow.advance(state, 0.15, nullptr));
    return state;
  };
  const auto best = depth(216);
  std::vector<double> errors;
  for (const std::size_t s : {24u, 72u}) {
    const auto got = depth(s);
    const std::size_t ratio = 216 / s;
    double sum = 0;
    for (std::size_t i = 0; i < s; ++i)
      for (std::size_t j = 0; j < s; ++j) {
        double mean = 0;
        for (std::size_t a = 0; a < ratio; ++a)
          for (std::size_t b = 0; b < ratio; ++b) mean += best[(i * ratio + a) * 216 + j * ratio + b][0];
        sum += std::abs(got[i * s + j][0] - mean / double(ratio * ratio)) / double(s * s);
      }
    errors.push_back(sum);
  }
  EXPECT_GT(std::log(errors[0] / errors[1]) / std::log(3.0), 1.7);
}

TEST(ShallowWater, KeepsWaterMomentumAndSymmetry) {
  constexpr std::size_t s = 48;
  ShallowWater flow(s, 5, 1);
  std::vector<Cell> state(s * s);
  double before = 0;
  for (std::size_t i = 0; i < s; ++i)
    for (std::size_t j = 0; j < s; ++j) {
      const double x = double(i) - 23.5, y = double(j) - 23.5;
      state[i * s + j] = {x * x + y * y < 25 ? 2.0 : 1.0, 0, 0};
      before += state[i * s + j][0];
    }
  ASSERT_TRUE(flow.advance(state, 0.8, nullptr));  // no wave is at the boundary yet
  Cell sum{};
  for (const Cell& c : state)
    for (std::size_t k = 0; k < 3; ++k) sum[k] += c[k];
  EXPECT_NEAR(sum[0], before, 1e-10);
  EXPECT_NEAR(sum[1], 0, 1e-10);
  EXPECT_NEAR(sum[2], 0, 1e-10);
  for (std::size_t i = 0; i < s; ++i)
    for (std::size_t j = 0; j < s; ++j) {
      EXPECT_NEAR(state[i * s + j][0], state[j * s + i][0], 1e-12);
      EXPECT_NEAR(state[i * s + j][0], state[(s - 1 - i) * s + j][0], 1e-12);
      EXPECT_NEAR(state[i * s + j][1], state[j * s + i][2], 1e-12);
    }
  EXPECT_LT(state[s / 2 * s + s / 2][0], 1.9);  // the column has fallen
}

}  // namespace
}  // namespace sobolev::detail
