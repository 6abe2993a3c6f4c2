// SPDX-License-Identifier: Apache-2.0
// A trained solution beside one by collocation: how far it is off, and where nothing can be said.
#include "src/pinn/second_solution.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>

#include "sobolev/pinn/solve.hpp"
#include "tests/pinn/eigenvalue.hpp"
#include "tests/pinn/heat.hpp"

namespace sobolev {
namespace {
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr double plenty = 2e9;

Solution solved(const std::string& text, const std::vector<std::string>& overrides = {}) {
  return solve(Cpu(1), Problem::from_string(text, "problem.toml", overrides));
}

Solution brought(const std::string& name, const std::vector<std::string>& overrides) {
  return solve(Cpu(1),
               Problem::from_file(SOBOLEV_SOURCE_DIR "/tests/pinn/brought/" + name + ".toml", overrides));
}

/// A trained solution's distances are its errors.
void expect_errors(const Solution& s, double accuracy) {
  const std::vector<Comparison> found = detail::compare_with_collocation(Cpu(1), s.state(), plenty);
  ASSERT_EQ(found.size(), s.relative_l2().size());
  for (const Comparison& c : found) {
    const double error = s.relative_l2().at(c.unknown);
    EXPECT_NEAR(c.difference, error, 0.2 * error) << c.unknown;
    EXPECT_LT(c.accuracy, accuracy * error) << c.unknown;
  }
}

const std::string heat = test::heat_with(R"toml([network]
width = 10
[training]
points = { sobol = 200, condition_points = 40 }
windows = 2
stop = { iterations = 8 }
[reference]
exact = { u = "exp(-0.1*pi^2*t)*sin(pi*x)" }
)toml");

TEST(SecondSolution, TellsTheErrorOfAnEvolution) { expect_errors(solved(heat), 0.1); }

TEST(SecondSolution, TellsTheErrorInThePlane) {
  expect_errors(solved(R"_(
unknowns = ["u"]
[coordinates]
x = [0, 1]
y = [0, 1]
[equations]
poisson = "u_xx + u_yy + 2*pi^2*sin(pi*x)*sin(pi*y) = 0"
[conditions]
a = { where = "x = 0", equation = "u = 0" }
b = { where = "x = 1", equation = "u = 0" }
c = { where = "y = 0", equation = "u = 0" }
d = { where = "y = 1", equation = "u = 0" }
[network]
width = 10
[training]
points = { sobol = 200, condition_points = 40 }
stop = { iterations = 8 }
[reference]
exact = { u = "sin(pi*x)*sin(pi*y)" }
)_"),
                0.1);
}

TEST(SecondSolution, TellsTheErrorOfLayersAndOfConstants) {
  const std::string layers = R"_(
unknowns = ["T"]
[coordinates]
y = [0, 1]
[equations]
heat = "d((1 + 9*heaviside(y - 0.4))*T_y, y) = 0"
[conditions]
low = { where = "y = 0", equation = "T = 1" }
high = { where = "y = 1", equation = "T = 3" }
[network]
width = 6
[training]
stop = { iterations = 3 }
[reference]
exact = { T = "1 + 2*(min(y, 0.4) + max(y - 0.4, 0)/10)/0.46" }
)_";
  expect_errors(solved(layers), 0.1);

  const Solution s = solved(test::eigenvalue_with("[training]\nstop = { iterations = 12 }\n"));
  const auto found = detail::compare_with_collocation(Cpu(1), s.state(), plenty);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[1].unknown, "lambda");
  const double error = std::abs(s.constants().at("lambda") / (M_PI * M_PI) - 1);
  EXPECT_NEAR(found[1].difference, error, 0.1 * error + 1e-9);
}

TEST(SecondSolution, SeesWhatGrowsFromASmallBeginning) {
  // u ≈ 1e-6 at all times has a residual of 1e-6, and is wrong.
  const Solution s =
      brought("logistic_growth", {"network.width=12", "training.stop.iterations=60", "training.windows=1"});
  ASSERT_GT(s.relative_l2().at("u"), 0.9);
  for (const ResidualCheck& r : s.assessment().residuals) EXPECT_LT(r.rms, 1e-2) << r.name;
  EXPECT_THAT(s.assessment().doubts, Contains(HasSubstr("a second solution of the same equations")));
}

TEST(SecondSolution, WindowsAreShortenedForIt) {
#ifndef NDEBUG
  GTEST_SKIP() << "whole trainings run in optimised builds";
#endif
  const Solution s = brought("logistic_growth", {"network.width=12", "training.stop.iterations=1500"});
  EXPECT_GT(s.state().parameters.size(), 3u);
  EXPECT_LT(s.relative_l2().at("u"), 1e-3);
  EXPECT_THAT(s.assessment().doubts, IsEmpty());
}

TEST(SecondSolution, FollowsTimeConstantsThatAreFarApart) {
  const Solution s =
      brought("two_rates", {"network.width=8", "training.stop.iterations=5", "training.windows=1"});
  expect_errors(s, 0.1);
}

TEST(SecondSolution, OfAnUnknownThatIsZeroIsNoReasonForDoubt) {
  const Solution s = solved(R"_(
unknowns = ["u", "v"]
[coordinates]
x = [0, 1]
[equations]
first = "u_xx + v = -pi^2*sin(pi*x)"
second = "v_xx - v = 0"
[conditions]
a = { where = "x = 0", equation = "u = 0" }
b = { where = "x = 1", equation = "u = 0" }
c = { where = "x = 0", equation = "v = 0" }
d = { where = "x = 1", equation = "v = 0" }
[network]
width = 8
[training]
stop = { iterations = 40 }
)_");
  const auto found = detail::compare_with_collocation(Cpu(1), s.state(), plenty);
  ASSERT_EQ(found.size(), 2u);
  for (const Comparison& c : found) EXPECT_LT(c.difference, 1e-3) << c.unknown;
}

TEST(SecondSolution, SaysNothingWhereTheNetworkHoldsConditions) {
  const auto with = [](const std::string& right) {
    return solved(R"_(
unknowns = ["u"]
[coordinates]
t = [0, 1]
x = [0, 1]
[equations]
heat = "u_t = 0.1*u_xx"
[conditions]
initial = { where = "t = 0", equation = "u = sin(pi*x)" }
left = { where = "x = 0", equation = "u = 0" }
)_" + right + R"_(
[network]
width = 8
output = { u = "sin(pi*x) + t*x*(1 - x)*u" }
[training]
stop = { iterations = 8 }
)_");
  };
  EXPECT_THAT(detail::compare_with_collocation(Cpu(1), with("").state(), plenty), IsEmpty());
  EXPECT_THAT(detail::compare_with_collocation(
                  Cpu(1), with("right = { where = \"x = 1\", equation = \"u = 0\" }").state(), plenty),
              Not(IsEmpty()));
}

TEST(SecondSolution, SaysNothingWhereAConstantIsFree) {
  const Solution s = solved(R"_(
unknowns = ["u"]
[coordinates]
x = [0, 1]
[equations]
poisson = "u_xx = -pi^2*cos(pi*x)"
[conditions]
left = { where = "x = 0", equation = "u_x = 0" }
right = { where = "x = 1", equation = "u_x = 0" }
[training]
stop = { iterations = 5 }
)_");
  EXPECT_THAT(detail::compare_with_collocation(Cpu(1), s.state(), plenty), IsEmpty());
}

TEST(SecondSolution, SaysNothingWhereAnEndHasNoCondition) {
  std::string open = heat;
  const std::size_t at = open.find("right = ");
  open.erase(at, open.find('\n', at) - at);
  EXPECT_THAT(detail::compare_with_collocation(Cpu(1), solved(open).state(), plenty), IsEmpty());
}

TEST(SecondSolution, LooksBetweenItsNodes) {
  // A pulse that is narrower than the steps in time, or than the nodes, would be missed by all levels.
  const auto expect_nothing_sure = [](const std::string& coordinates, const std::string& equation,
                                      const std::string& conditions) {
    const Solution s = solved("unknowns = [\"u\"]\n[coordinates]\n" + coordinates +
                              "\n[equations]\nbalance = \"" + equation + "\"\n[conditions]\n" + conditions +
                              "\n[network]\nwidth = 8\n[training]\nwindows = 1\nstop = { iterations = 3 }\n");
    for (const Comparison& c : detail::compare_with_collocation(Cpu(1), s.state(), plenty))
      EXPECT_FALSE(detail::wrong(c)) << equation << " " << c.difference << " " << c.accuracy;
  };
  const auto at = [](const std::string& name, const std::string& where, const std::string& value) {
    return fmt::format("{} = {{ where = \"{}\", equation = \"u = {}\" }}\n", name, where, value);
  };
  expect_nothing_sure("t = [0, 10]", "u_t = 50*exp(-((t - 7.3)/0.01)^2)", at("a", "t = 0", "1"));
  expect_nothing_sure("x = [0, 1]", "u_xx = 200*exp(-((x - 0.437)/0.003)^2)",
                      at("a", "x = 0", "0") + at("b", "x = 1", "1"));
  expect_nothing_sure(
      "t = [0, 1]\nx = [0, 1]", "u_t = 0.1*u_xx",
      at("a", "t = 0", "x") + at("b", "x = 0", "5*exp(-((t - 0.63)/0.01)^2)") + at("c", "x = 1", "1"));
}

TEST(SecondSolution, IsNotTriedWhereItWouldBeLarge) {
  std::string coordinates = "t = [0, 1]\n",
              conditions = "start = { where = \"t = 0\", equation = \"u = 0\" }\n", laplacian;
  for (const char* x : {"a", "b", "c", "f", "g"}) {
    coordinates += fmt::format("{} = [0, 1]\n", x);
    for (const int end : {0, 1})
      conditions += fmt::format("{0}{1} = {{ where = \"{0} = {1}\", equation = \"u = 0\" }}\n", x, end);
    laplacian += fmt::format(" + u_{0}{0}", x);
  }
  const Solution s =
      solved("unknowns = [\"u\"]\n[coordinates]\n" + coordinates + "[equations]\nheat = \"u_t = 1" +
             laplacian + "\"\n[conditions]\n" + conditions +
             "[network]\nwidth = 6\n[training]\npoints = { sobol = 50, condition_points = 10 }\n"
             "stop = { iterations = 1 }\n");
  EXPECT_THAT(detail::compare_with_collocation(Cpu(1), s.state(), 1e30), IsEmpty());
}

TEST(SecondSolution, SaysNothingSureWhereTheSolutionJumps) {
  const Solution s = solved(R"_(
unknowns = ["u"]
[coordinates]
t = [0, 0.5]
x = [0, 2]
[equations]
advection = "u_t + u_x = 0"
[conditions]
start = { where = "t = 0", equation = "u = heaviside(0.5 - x)" }
inflow = { where = "x = 0", equation = "u = 1" }
[network]
width = 8
[training]
stop = { iterations = 5 }
)_");
  for (const Comparison& c : detail::compare_with_collocation(Cpu(1), s.state(), plenty))
    EXPECT_FALSE(detail::wrong(c));
}

TEST(SecondSolution, CostsNoMoreThanItMay) {
  EXPECT_THAT(detail::compare_with_collocation(Cpu(1), solved(heat).state(), 1e4), IsEmpty());
  Solution s = solved(heat);
  const double little = detail::work_for_comparison(s.state(), 100);
  s.state().iterations *= 100;
  EXPECT_GT(detail::work_for_comparison(s.state(), 100), little);
}

}  // namespace
}  // namespace sobolev
