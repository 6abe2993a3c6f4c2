// SPDX-License-Identifier: Apache-2.0
#include "src/problem/data_jumps.hpp"

#include <gmock/gmock.h>

#include <cmath>

namespace sobolev::detail {
namespace {
using testing::DoubleNear;
using testing::ElementsAre;
using testing::IsEmpty;

Problem step(const std::string& start) {
  return Problem::from_string(
      "unknowns = [\"u\"]\n[coordinates]\nt = [0, 1]\nx = [-2, 2]\ny = [0, 1]\n[equations]\na = \"u_t + u_x "
      "= 0\"\n"
      "[conditions]\nstart = { where = \"t = 0\", equation = \"u = " +
      start + "\" }\n");
}

TEST(DataJumps, AreFoundOnALine) {
  const auto jumps = [](const std::string& data, double y = 0.5) {
    const Problem p = step(data);
    return jumps_on_line(p, p.conditions[0].right, {0, 0.1, y}, 1);
  };
  EXPECT_THAT(jumps("heaviside(0.3 - x)"), ElementsAre(DoubleNear(0.3, 1e-12)));
  EXPECT_THAT(jumps("heaviside(x + 1.5)*heaviside(y*2 - x)", 0.25),
              ElementsAre(DoubleNear(-1.5, 1e-12), DoubleNear(0.5, 1e-12)));
  EXPECT_THAT(jumps("sin(3*x) + sign(x)"), ElementsAre(DoubleNear(0, 1e-12)));
  EXPECT_THAT(jumps("tanh(40*x) + abs(x)"), IsEmpty()) << "steep or with a corner, but no jump";
  EXPECT_THAT(jumps("heaviside(x - 5)"), IsEmpty());
}

TEST(DataJumps, HaveEverySecondPointOfTheConditionBesideThem) {
  const Problem p = step("heaviside(y - x)");
  std::vector<double> points;
  for (int i = 0; i < 200; ++i) points.insert(points.end(), {0, -1.9 + 0.019 * i, 0.005 * i});
  const std::vector<double> before = points;
  gather_at_jumps(p, p.conditions[0], p.coordinates, 3, points);
  int beside = 0, above = 0;
  for (std::size_t i = 0; i < 200; ++i) {
    const double* x = points.data() + 3 * i;
    EXPECT_EQ(x[0], 0);
    EXPECT_TRUE(x[1] > -2 && x[1] < 2 && x[2] >= 0 && x[2] <= 1);
    if (i % 2 == 0)
      EXPECT_TRUE(std::equal(x, x + 3, before.data() + 3 * i));
    else
      beside += std::abs(x[2] - x[1]) < 0.4 ? 1 : 0;
    above += x[2] > x[1] ? 1 : 0;
  }
  EXPECT_GE(beside, 60) << "but for lines that meet no jump";
  EXPECT_GT(above, 40);
  EXPECT_LT(above, 160);
  std::vector<double> again = before;
  gather_at_jumps(p, p.conditions[0], p.coordinates, 3, again);
  EXPECT_EQ(again, points);
}

TEST(DataJumps, SmoothDataMovesNoPoint) {
  const Problem p = step("tanh(9*x)*y");
  std::vector<double> points{0, 0.1, 0.2, 0, 0.3, 0.4}, same = points;
  gather_at_jumps(p, p.conditions[0], p.coordinates, 3, points);
  EXPECT_EQ(points, same);
}
}  // namespace
}  // namespace sobolev::detail
