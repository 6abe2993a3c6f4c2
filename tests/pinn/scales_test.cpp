// SPDX-License-Identifier: Apache-2.0
// The size of a solution, of a domain and of a time must not matter.
#include "src/problem/scales.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "sobolev/pinn/solve.hpp"
#include "src/problem/defaults.hpp"
#include "tests/support.hpp"

namespace sobolev {
namespace {
using detail::likely_magnitudes;

Problem problem(const std::string& unknowns, const std::string& coordinates, const std::string& equations,
                const std::string& conditions, const std::string& more = "") {
  return Problem::from_string("unknowns = " + unknowns + "\n[coordinates]\n" + coordinates +
                              "\n[equations]\n" + equations + "\n[conditions]\n" + conditions + "\n" + more);
}

/// Δu = f on [0, L]² with u = offset + A sin(πx/L) sin(πy/L).
Problem poisson(double amplitude, double length, double offset) {
  return problem(
      "[\"u\"]", fmt::format("x = [0, {0}]\ny = [0, {0}]", length),
      fmt::format("p = \"u_xx + u_yy = -2*pi^2/{0}^2*{1}*sin(pi*x/{0})*sin(pi*y/{0})\"", length, amplitude),
      fmt::format("a = {{ where = \"x = 0\", equation = \"u = {1}\" }}\n"
                  "b = {{ where = \"x = {0}\", equation = \"u = {1}\" }}\n"
                  "c = {{ where = \"y = 0\", equation = \"u = {1}\" }}\n"
                  "d = {{ where = \"y = {0}\", equation = \"u = {1}\" }}",
                  length, offset),
      fmt::format("[network]\nwidth = 10\n[training]\npoints = {{ sobol = 300, condition_points = 60 }}\n"
                  "stop = {{ iterations = 25 }}\n[reference]\ngrid = {{ x = 21, y = 21 }}\n"
                  "exact = {{ u = \"{2} + {1}*sin(pi*x/{0})*sin(pi*y/{0})\" }}",
                  length, amplitude, offset));
}

/// Error relative to the variation of the solution.
double poisson_error(double amplitude, double length, double offset) {
  const Solution s = solve(Cpu(2), poisson(amplitude, length, offset));
  const Solution::Table t = s.table(Cpu(1));
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < t.prediction.at("u").size(); ++i) {
    difference += std::pow((t.prediction.at("u")[i] - t.reference.at("u")[i]) / amplitude, 2);
    size += std::pow((t.reference.at("u")[i] - offset) / amplitude, 2);
  }
  return std::sqrt(difference / size);
}

TEST(Scales, TheSizeOfASolutionDoesNotMatter) {
  const double unit = poisson_error(1, 1, 0);
  EXPECT_LT(unit, 1e-3);
  for (double amplitude : {1e-8, 1e-4, 1e-2, 1e2, 1e4, 1e8})
    EXPECT_LT(poisson_error(amplitude, 1, 0), 3 * unit) << amplitude;
}

TEST(Scales, AnOffsetDoesNotMatter) {
  const double unit = poisson_error(1, 1, 0);
  EXPECT_LT(poisson_error(1e-3, 1, 300), 3 * unit);
  EXPECT_LT(poisson_error(1e5, 1, -3e7), 3 * unit);
}

TEST(Scales, TheSizeOfADomainDoesNotMatter) {
  const double unit = poisson_error(1, 1, 0);
  for (double length : {1e-6, 1e-3, 3e5, 1e9}) EXPECT_LT(poisson_error(1, length, 0), 3 * unit) << length;
}

double heat_error(double duration) {
  const Problem p = problem(
      "[\"u\"]", fmt::format("t = [0, {}]\nx = [0, 1]", duration),
      fmt::format("h = \"{}*u_t = 0.1*u_xx\"", duration),
      "i = { where = \"t = 0\", equation = \"u = sin(pi*x)\" }\nl = { where = \"x = 0\", equation = \"u = "
      "0\" }\n"
      "r = { where = \"x = 1\", equation = \"u = 0\" }",
      fmt::format("[network]\nwidth = 10\n[training]\npoints = {{ sobol = 300, condition_points = 60 }}\n"
                  "stop = {{ iterations = 15 }}\n[reference]\ngrid = {{ t = 11, x = 21 }}\n"
                  "exact = {{ u = \"exp(-0.1*pi^2*t/{})*sin(pi*x)\" }}",
                  duration));
  return solve(Cpu(2), p).relative_l2().at("u");
}

TEST(Scales, TheLengthOfATimeDoesNotMatter) {
  const double unit = heat_error(1);
  EXPECT_LT(unit, 1e-2);
  for (double duration : {1e-9, 1e-3, 1e4, 1e12}) EXPECT_LT(heat_error(duration), 3 * unit) << duration;
}

TEST(Scales, UsualProblemsHaveNone) {
  for (const auto& [name, path] : zoo())
    for (const auto& [unknown, m] : likely_magnitudes(Problem::from_file(path))) {
      EXPECT_EQ(m.scale, 1) << name << " " << unknown;
      EXPECT_NEAR(m.offset, name == "lagrangian_burgers" ? 10 : 0, 1e-6) << name << " " << unknown;
    }
}

TEST(Scales, ASourceOfShortWavesMakesASmallSolution) {
  // The amplitude of u is 1, of the source 4e4.
  const auto m = likely_magnitudes(problem("[\"u\"]", "x = [0, 1]", "p = \"u_xx = -(200)^2*sin(200*x)\"",
                                           "l = { where = \"x = 0\", equation = \"u = 0\" }\n"
                                           "r = { where = \"x = 1\", equation = \"u = sin(200)\" }"));
  EXPECT_EQ(m.at("u").scale, 1);
}

TEST(Scales, AnOscillatorHasItsFrequencyHoweverLongItRuns) {
  const auto m = likely_magnitudes(problem("[\"u\"]", "t = [0, 1000]", "o = \"u_tt + u = 0\"",
                                           "a = { where = \"t = 0\", equation = \"u = 0\" }\n"
                                           "b = { where = \"t = 0\", equation = \"u_t = 1\" }"));
  EXPECT_EQ(m.at("u").scale, 1);
}

TEST(Scales, AGrowingPopulationIsNotScaledToItsStart) {
  const auto m = likely_magnitudes(problem("[\"u\"]", "t = [0, 10]", "l = \"u_t = 3*u*(1 - u)\"",
                                           "s = { where = \"t = 0\", equation = \"u = 1e-4\" }"));
  EXPECT_EQ(m.at("u").scale, 1);
  EXPECT_EQ(m.at("u").offset, 0);
}

TEST(Scales, UnknownsWithoutDataTakeTheirSizeFromOthers) {
  // Slow flow of a heavy fluid: p is of the size rho u^2.
  const auto m = likely_magnitudes(problem("[\"u\", \"p\"]", "x = [0, 1]\ny = [0, 1]",
                                           "a = \"1000*u*u_x + p_x = 0\"\nb = \"u_y = 0\"",
                                           "l = { where = \"x = 0\", equation = \"u = 1e-3*sin(pi*y)\" }\nr "
                                           "= { where = \"x = 1\", equation = \"p = 0\" }"));
  EXPECT_EQ(m.at("u").scale, 1e-3);
  EXPECT_LE(m.at("p").scale, 1e-2);
  EXPECT_GE(m.at("p").scale, 1e-4);
}

TEST(Scales, NarrowDataIsFound) {
  // A peak between the sample points, on a ground of zeros.
  for (double centre : {0.25, 0.5, 0.75}) {
    const auto m = likely_magnitudes(problem(
        "[\"u\"]", "t = [0, 1]\nx = [0, 1]\ny = [0, 1]", "h = \"u_t = 0.01*(u_xx + u_yy)\"",
        fmt::format(
            "i = {{ where = \"t = 0\", equation = \"u = exp(-((x - {0})^2 + (y - {0})^2)/0.01^2)\" }}",
            centre)));
    EXPECT_EQ(m.at("u").scale, 1) << centre;
  }
}

TEST(Scales, ANarrowSourceExcitesLongWaves) {
  // max u = 4.4e-3.
  const auto m =
      likely_magnitudes(problem("[\"u\"]", "x = [0, 1]", "p = \"-u_xx = exp(-((x - 0.5)/0.01)^2)\"",
                                "l = { where = \"x = 0\", equation = \"u = 0\" }\n"
                                "r = { where = \"x = 1\", equation = \"u = 0\" }"));
  EXPECT_GE(m.at("u").scale, 1e-3);
  EXPECT_LE(m.at("u").scale, 1e-1);
}

TEST(Scales, ACouplingIsNoBalance) {
  // u = x (1 - x)/2; the second equation is of v.
  const auto m = likely_magnitudes(problem(
      "[\"u\", \"v\"]", "x = [0, 1]", "p = \"u_xx = -1\"\nq = \"v_xx + 100*u = 0.001\"",
      "a = { where = \"x = 0\", equation = \"u = 0\" }\nb = { where = \"x = 1\", equation = \"u = 0\" }\n"
      "c = { where = \"x = 0\", equation = \"v = 0\" }\nd = { where = \"x = 1\", equation = \"v = 0\" }"));
  EXPECT_GE(m.at("u").scale, 0.1);
}

TEST(Scales, FluxesCountBesideSmallValues) {
  const auto flux = likely_magnitudes(problem("[\"u\"]", "t = [0, 1]\nx = [0, 1]", "h = \"u_t = u_xx\"",
                                              "i = { where = \"t = 0\", equation = \"u = 0.01*sin(pi*x)\" }\n"
                                              "l = { where = \"x = 0\", equation = \"u = 0\" }\n"
                                              "r = { where = \"x = 1\", equation = \"u_x = 1000\" }"));
  EXPECT_GE(flux.at("u").scale, 100);
  const auto robin = likely_magnitudes(problem("[\"u\"]", "t = [0, 1]\nx = [0, 1]", "h = \"u_t = u_xx\"",
                                               "i = { where = \"t = 0\", equation = \"u = 0\" }\n"
                                               "l = { where = \"x = 0\", equation = \"u = 0\" }\n"
                                               "r = { where = \"x = 1\", equation = \"-u_x = u - 400\" }"));
  EXPECT_GE(robin.at("u").scale, 100);
  EXPECT_LE(robin.at("u").scale, 1000);
}

TEST(Scales, AnExpressionWithoutAValueAtSizeOneIsNoError) {
  for (const char* equation :
       {"u_xx = 0.1/(1 - u)^2", "u_xx = 0.1*sqrt(1 - u^2)", "u_xx = 0.01*log(0.5 - u)"}) {
    Problem p = problem(
        "[\"u\"]", "x = [0, 1]", fmt::format("law = \"{}\"", equation),
        "a = { where = \"x = 0\", equation = \"u = 0\" }\nb = { where = \"x = 1\", equation = \"u = 0\" }",
        "[network]\nwidth = 8\n[training]\npoints = { sobol = 100 }\nstop = { iterations = 20 }");
    const Solution s = solve(Cpu(1), p);
    EXPECT_THAT(s.assessment().doubts, ::testing::IsEmpty()) << equation;
  }
}

TEST(Scales, AnOutputOfAnySizeIsTrained) {
  Problem p = poisson(1e-12, 1, 0);
  p.network.output["u"] = 1e-12 * unknown("u");
  EXPECT_LT(solve(Cpu(2), p).relative_l2().at("u"), 1e-2);
}

TEST(Scales, WhatIsGivenStays) {
  Problem p = poisson(1e6, 1, 0);
  p.network.scale["u"] = 42;
  p = detail::with_defaults(p);
  EXPECT_EQ(p.network.scale.at("u"), 42);
  EXPECT_EQ(p.network.offset.at("u"), 0);
  p.network.output["u"] = unknown("u") * 2.0;
  EXPECT_THROW(p.validate(), ArgumentError);  // who is in charge of the size?
}

TEST(Scales, SolvingASolvedProblemAgainIsPossible) {
  Problem p = poisson(1, 1, 0);
  p.training.stop.iterations = 1;
  p.network.output["u"] = coordinate("x") * (1.0 - coordinate("x")) * unknown("u");
  const Solution first = solve(Cpu(1), p);
  EXPECT_NO_THROW(solve(Cpu(1), first.problem()));
}

TEST(Scales, AnEquationThatNothingTrainsIsAnError) {
  Problem p = poisson(1, 1, 0);
  p.network.output["u"] = coordinate("x") + 1e-200 * unknown("u");
  try {
    solve(Cpu(1), p);
    FAIL() << "an equation was dropped";
  } catch (const std::exception& e) {
    EXPECT_THAT(std::string(e.what()), ::testing::HasSubstr("equation p"));
  }
}

TEST(Scales, AWeightThatThePrecisionCannotHoldIsAnError) {
  Problem p = poisson(1, 1e-13, 0);
  p.training.precision = Precision::float32;
  try {
    solve(Cpu(1), p);
    FAIL() << "an equation was dropped";
  } catch (const std::exception& e) {
    EXPECT_THAT(std::string(e.what()), ::testing::HasSubstr("float64"));
  }
}
}  // namespace
}  // namespace sobolev
