// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "sobolev/core/error.hpp"
#include "sobolev/data/reference.hpp"
#include "tests/data/problems.hpp"

namespace sobolev {
namespace {

using sobolev::testing::evolution;
using sobolev::testing::spaced;
constexpr double pi = 3.14159265358979323846;
const CoordinateRange time01{"t", 0, 1, false};
const CoordinateRange circle{"x", 0, 2 * pi, true};

double worst_error(const Reference& r, const std::string& name,
                   const std::function<double(double, double)>& exact) {
  double worst = 0;
  for (std::size_t i = 0; i < r.axes[0].size(); ++i)
    for (std::size_t j = 0; j < r.axes[1].size(); ++j)
      worst = std::max(
          worst, std::abs(r.values.at(name)[i * r.axes[1].size() + j] - exact(r.axes[0][i], r.axes[1][j])));
  return worst;
}

TEST(Etdrk4, LinearEquationsAreExactInTime) {
  const auto p =
      evolution({time01, circle}, {"u_t + 50*u_x - 0.1*u_xx + 0.02*u_xxx + u = 0"}, {{"u", "sin(3*x) + 2"}});
  const auto r = solve_etdrk4(Cpu(), p, {{0, 0.013, 0.5, 1}, spaced(0, 2 * pi, 37)});
  EXPECT_LT(worst_error(r, "u",
                        [](double t, double x) {
                          return std::exp(-1.9 * t) * std::sin(3 * x + (-150 + 0.54) * t) + 2 * std::exp(-t);
                        }),
            1e-12);
  EXPECT_LT(r.error_bound, 1e-12);
  EXPECT_THAT(r.source, ::testing::HasSubstr("etdrk4"));
}

TEST(Etdrk4, SolitonOfKortewegDeVries) {
  const auto p = evolution({{"t", 0, 1, false}, {"x", -20, 20, true}}, {"u_t + 6*u*u_x + u_xxx = 0"},
                           {{"u", "2/cosh(x + 2)^2"}});
  const auto r = solve_etdrk4(Cpu(), p, {spaced(0, 1, 6), spaced(-20, 20, 101)});
  EXPECT_LE(r.error_bound, 1e-8);
  EXPECT_LT(worst_error(r, "u", [](double t, double x) { return 2 / std::pow(std::cosh(x + 2 - 4 * t), 2); }),
            1e-8);
}

TEST(Etdrk4, TravellingWaveInThePlaneWithForcing) {
  // u = sin(x + 2y - t); the source follows from it.
  const auto p =
      evolution({{"x", 0, 2 * pi, true}, time01, {"y", 0, 2 * pi, true}},
                {"u_t = 0.1*(u_xx + u_yy) + 0.05*u_xy - u*u_x - cos(x + 2*y - t) + 0.6*sin(x + 2*y - t) + "
                 "sin(x + 2*y - t)*cos(x + 2*y - t)"},
                {{"u", "sin(x + 2*y)"}});
  const std::vector<double> x{0, 1, 5.5}, t{0, 0.3, 0.31, 1}, y{0.5, 6};
  const auto r = solve_etdrk4(Cpu(), p, {x, t, y});
  EXPECT_LE(r.error_bound, 1e-8);
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t k = 0; k < 4; ++k)
      for (std::size_t j = 0; j < 2; ++j)
        EXPECT_NEAR(r.values.at("u")[(i * 4 + k) * 2 + j], std::sin(x[i] + 2 * y[j] - t[k]), 1e-8);
}

// u_t = -v_xx, v_t = u_xx (a free Schrödinger wave), hidden in a mixture of the two time derivatives.
TEST(Etdrk4, SystemsWithMixedTimeDerivatives) {
  const auto p = evolution({time01, circle}, {"u_t + v_t = u_xx - v_xx", "2*u_t - v_t + 2*v_xx = -u_xx"},
                           {{"u", "cos(x)"}, {"v", "0"}});
  const auto r = solve_etdrk4(Cpu(), p, {spaced(0, 1, 5), spaced(0, 2 * pi, 9)});
  EXPECT_LT(worst_error(r, "u", [](double t, double x) { return std::cos(x) * std::cos(t); }), 1e-8);
  EXPECT_LT(worst_error(r, "v", [](double t, double x) { return -std::cos(x) * std::sin(t); }), 1e-8);
}

// Reaction without space derivatives: u' = u (1 - u) point by point; partial derivatives that are not
// constant; a coefficient that depends on x.
TEST(Etdrk4, PointwiseReactionWithVariableCoefficient) {
  const auto p =
      evolution({time01, circle}, {"u_t = (1 + 0.5*cos(x))*u*(1 - u)"}, {{"u", "0.5 + 0.25*sin(x)"}});
  const auto r = solve_etdrk4(Cpu(), p, {spaced(0, 1, 5), spaced(0, 2 * pi, 9)});
  EXPECT_LE(r.error_bound, 1e-8);
  EXPECT_LT(worst_error(r, "u",
                        [](double t, double x) {
                          const double u0 = 0.5 + 0.25 * std::sin(x);
                          return 1 / (1 + (1 / u0 - 1) * std::exp(-(1 + 0.5 * std::cos(x)) * t));
                        }),
            1e-8);
}

// Cole–Hopf: u = -∫ sin π(x-η) f(x-η) e^{-η²/4νt} dη / ∫ f(x-η) e^{-η²/4νt} dη, f = exp(-cos πy/(2πν)).
double cole_hopf(double t, double x) {
  if (t == 0) return -std::sin(pi * x);
  const double nu = 0.01 / pi;
  double above = 0, below = 0;
  const int n = 8000;
  for (int i = -n; i <= n; ++i) {
    const double eta = 3.0 * i / n, y = x - eta;
    const double w = std::exp(-std::cos(pi * y) / (2 * pi * nu) - eta * eta / (4 * nu * t));
    above -= std::sin(pi * y) * w;
    below += w;
  }
  return above / below;
}

TEST(Etdrk4, BurgersByItsOddPeriodicExtensionAgreesWithColeHopf) {
  const auto r = solve_etdrk4(Cpu(), sobolev::testing::burgers(), {{0, 0.25, 0.5, 1}, spaced(-1, 1, 41)});
  EXPECT_LE(r.error_bound, 1e-8);
  EXPECT_LT(worst_error(r, "u", cole_hopf), 1e-8);
}

TEST(Etdrk4, AllenCahnWithItsCornerSettles) {
  const auto coarse =
      solve_etdrk4(Cpu(), sobolev::testing::allen_cahn(), {{0, 0.1, 0.5, 1}, spaced(-1, 1, 21)});
  const auto fine =
      solve_etdrk4(Cpu(), sobolev::testing::allen_cahn(), {spaced(0, 1, 101), spaced(-1, 1, 512, false)});
  EXPECT_LE(fine.error_bound, 1e-8);
  // Another set of outputs takes other steps and other modes, and gives the same values: x = 0 and t = 0.5.
  EXPECT_NEAR(coarse.values.at("u")[2 * 21 + 10], fine.values.at("u")[50 * 512 + 256], 1e-8);
  EXPECT_NEAR(coarse.values.at("u")[1 * 21 + 0], fine.values.at("u")[10 * 512], 1e-7);
  for (std::size_t i = 0; i < 101; i += 10)
    for (std::size_t j = 1; j < 256; j += 5)  // even in x
      EXPECT_NEAR(fine.values.at("u")[i * 512 + j], fine.values.at("u")[i * 512 + 512 - j], 1e-9);
}

TEST(Etdrk4, RegularKuramotoSivashinskySettles) {
  const auto p = evolution({time01, {"x", -1, 1, true}}, {"u_t + 5*u*u_x + 0.5*u_xx + 0.005*u_xxxx = 0"},
                           {{"u", "-sin(pi*x)"}});
  const auto r = solve_etdrk4(Cpu(), p, {spaced(0, 1, 101), spaced(-1, 1, 64, false)});
  EXPECT_LE(r.error_bound, 1e-8);
  for (std::size_t i = 0; i < 101; ++i) {  // odd in x, so the mean stays 0
    double sum = 0;
    for (std::size_t j = 0; j < 64; ++j) sum += r.values.at("u")[i * 64 + j];
    EXPECT_NEAR(sum, 0, 1e-8);
  }
}

TEST(Etdrk4, StartIsTheInitialDataItself) {
  const auto x = spaced(-1, 1, 33);
  const auto r = solve_etdrk4(Cpu(), sobolev::testing::allen_cahn(), {{0}, x});
  for (std::size_t j = 0; j < x.size(); ++j)
    EXPECT_NEAR(r.values.at("u")[j], x[j] * x[j] * std::cos(pi * x[j]), 1e-15);
  EXPECT_TRUE(solve_etdrk4(Cpu(), sobolev::testing::allen_cahn(), {{}, x}).values.at("u").empty());
}

TEST(Etdrk4, GivesTheSameBitsWithAnyNumberOfThreads) {
  const std::vector<std::vector<double>> axes{{0, 0.05}, spaced(-1, 1, 9)};
  EXPECT_EQ(solve_etdrk4(Cpu(1), sobolev::testing::allen_cahn(), axes).values,
            solve_etdrk4(Cpu(2), sobolev::testing::allen_cahn(), axes).values);
}

TEST(Etdrk4, InitialDataMayComeFromTheOutputTransform) {
  auto p = evolution({time01, circle}, {"u_t = u_xx"}, {{"u", "cos(x)"}});
  p.conditions.clear();
  p.network.output["u"] = parse_expression("cos(x) + t*u", {{"t", "x"}, {"u"}, {}});
  const auto r = solve_etdrk4(Cpu(), p, {{0, 1}, spaced(0, 2 * pi, 5)});
  EXPECT_LT(worst_error(r, "u", [](double t, double x) { return std::exp(-t) * std::cos(x); }), 1e-13);
}

std::string refusal(const Problem& p) {
  std::vector<std::vector<double>> axes;
  for (const auto& c : p.coordinates) axes.push_back(spaced(c.low, c.high, 3));
  try {
    solve_etdrk4(Cpu(), p, axes);
  } catch (const ArgumentError& e) {
    return e.what();
  }
  return "no error";
}

TEST(Etdrk4, SaysWhatItDoesNotCover) {
  using ::testing::AllOf;
  using ::testing::HasSubstr;
  EXPECT_THAT(refusal(evolution({time01, circle}, {"u_tt = u_xx"}, {{"u", "sin(x)"}})),
              AllOf(HasSubstr("u_tt"), HasSubstr("first order")));
  EXPECT_THAT(refusal(evolution({time01, circle}, {"u_t = d(u, t, x)"}, {{"u", "sin(x)"}})),
              HasSubstr("first order"));
  EXPECT_THAT(refusal(evolution({time01, circle}, {"u*u_t = u_xx"}, {{"u", "sin(x)"}})),
              HasSubstr("constant factor"));
  EXPECT_THAT(
      refusal(evolution({time01, circle}, {"u_t = u_xx", "2*u_t = v_x"}, {{"u", "sin(x)"}, {"v", "0"}})),
      HasSubstr("do not determine"));
  EXPECT_THAT(refusal(evolution({time01, circle}, {"u_t = u_xx"}, {{"u", "sin(x)"}, {"v", "0"}})),
              HasSubstr("1 equations for 2 unknowns"));
  EXPECT_THAT(refusal(evolution({circle, {"y", 0, 1, true}}, {"u_xx = 0"}, {{"u", "0"}})),
              HasSubstr("no time"));
  EXPECT_THAT(
      refusal(evolution({time01, circle, {"y", 0, 1, true}, {"z", 0, 1, true}}, {"u_t = 0"}, {{"u", "0"}})),
      HasSubstr("3 space coordinates"));
  auto p = evolution({time01, circle}, {"u_t = u_xx"}, {{"u", "sin(x)"}});
  p.conditions.clear();
  EXPECT_THAT(refusal(p), HasSubstr("no initial value of u"));
  p = evolution({time01, circle}, {"u_t = u_xx"}, {{"u", "sin(x)"}});
  p.conditions.push_back(p.conditions[0]);
  p.conditions.back().name = "end";
  p.conditions.back().where = {{"t", 1}};
  EXPECT_THAT(refusal(p), HasSubstr("condition \"end\""));
}

TEST(Etdrk4, RefusesWhatHasNoSolution) {
  using ::testing::HasSubstr;
  EXPECT_THAT(refusal(evolution({time01, circle}, {"u_t = -u_xx"}, {{"u", "sin(x)"}})),
              HasSubstr("short waves"));
  EXPECT_THAT(refusal(evolution({time01, circle}, {"u_t = u^2"}, {{"u", "2 + cos(x)"}})),
              HasSubstr("do not settle"));
  EXPECT_THAT(refusal(evolution({time01, circle}, {"u_t = u_xx"}, {{"u", "1/x"}})), HasSubstr("not finite"));
}

TEST(Etdrk4, OrdinaryEndsNeedAnOddSolution) {
  using ::testing::HasSubstr;
  auto p = sobolev::testing::burgers();
  p.network.symmetry.clear();
  EXPECT_THAT(refusal(p), HasSubstr("symmetry"));
  p = sobolev::testing::burgers();
  p.conditions.pop_back();
  EXPECT_THAT(refusal(p), HasSubstr("must be zero"));
  p = sobolev::testing::burgers();
  p.conditions[0].right = parse_expression("cos(pi*x/2)", {{"t", "x"}, {"u"}, {}});
  EXPECT_THAT(refusal(p), HasSubstr("initial data is not"));
  p = sobolev::testing::burgers();
  p.equations[0].residual = p.equations[0].residual + unknown("u") * unknown("u");
  EXPECT_THAT(refusal(p), HasSubstr("equations do not have that symmetry"));
}

}  // namespace
}  // namespace sobolev
