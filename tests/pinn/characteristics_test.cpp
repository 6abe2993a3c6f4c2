// SPDX-License-Identifier: Apache-2.0
// Solutions in Lagrangian form, read at places.
#include "src/pinn/characteristics.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <numbers>

#include "sobolev/pinn/solve.hpp"
#include "src/pinn/state.hpp"
#include "tests/io/temporary_folder.hpp"

namespace sobolev {
namespace {
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::string> with(std::vector<std::string> more, int iterations, int width = 12) {
  more.push_back("network.width=" + std::to_string(width));
  more.push_back("training.points.sobol=400");
  more.push_back("training.stop={ iterations = " + std::to_string(iterations) + " }");
  return more;
}
/// A reference that costs nothing, where none is needed.
const std::string none = "reference={ exact = { u = \"0\" }, grid = { t = 2, x = 2 } }";
const std::string coarse = "reference.grid={ t = 11, x = 32 }";
Solution solved(const std::string& name, const std::vector<std::string>& overrides) {
  return solve(Cpu(), Problem::from_file(find_problem(name), overrides));
}
/// Trained once for several tests.
Solution& burgers() {
  static Solution s = solved("lagrangian_burgers", with({"coordinates.t=[0, 0.8]", none}, 20));
  return s;
}
/// t, x with t from 0 to 0.8 and x all over the range.
std::vector<double> places(std::size_t n, double length = 2 * std::numbers::pi) {
  std::vector<double> out;
  for (std::size_t i = 0; i < n; ++i) {
    out.push_back(0.8 * double(i * 7 % n) / double(n - 1));
    out.push_back(length * double(i) / double(n));
  }
  return out;
}

TEST(Characteristics, ConvectionIsAsEasyFastAsSlow) {
  std::vector<double> errors;
  for (const char* speed : {"2", "50"}) {
    const Solution s =
        solved("lagrangian_convection", with({std::string("constants.speed=") + speed, coarse}, 20));
    errors.push_back(s.relative_l2().at("u"));
    EXPECT_THAT(s.assessment().doubts, ::testing::IsEmpty());
  }
  EXPECT_LT(errors[0], 1e-4);
  EXPECT_LT(errors[1], 1e-4);
}

TEST(Characteristics, LabelsArriveWhereTheyAreAsked) {
  const Solution::State& state = burgers().state();
  const detail::Characteristics c(Cpu(), detail::evaluators_on(Cpu(), Cpu()), state.problem, state.trained,
                                  state.parameters);
  const std::vector<double> at = places(101);
  const View<const double, 2> x(at.data(), 101, 2);
  const detail::Labels labels = c.labels(x);
  EXPECT_EQ(labels.missing(), 0u);
  // Where a label is, at its time: through the label problem.
  const auto moved = detail::evaluate_windows(
      Cpu(), detail::evaluators_on(Cpu(), Cpu()), state.trained, state.parameters,
      View<const double, 2>(labels.points.data(), 101, 2), {field("displacement_x")})[0];
  for (std::size_t i = 0; i < 101; ++i) {
    EXPECT_GE(labels.points[2 * i + 1], 0);
    EXPECT_LE(labels.points[2 * i + 1], 2 * std::numbers::pi);
    const double off = (labels.points[2 * i + 1] + moved[i] - at[2 * i + 1]) / (2 * std::numbers::pi);
    EXPECT_NEAR(off, std::round(off), 1e-12) << "whole periods are no difference";
  }
}

TEST(Characteristics, DerivativesAreThoseByPlace) {
  const Solution& s = burgers();
  const double h = 1e-3;
  std::vector<double> at;
  for (double t : {0.3, 0.7})
    for (double x : {0.5, 3.0, 6.0})
      for (const auto& [dt, dx] :
           std::vector<std::pair<double, double>>{{0, 0}, {h, 0}, {-h, 0}, {0, h}, {0, -h}})
        at.insert(at.end(), {t + dt, x + dx});
  const auto v = s.evaluate(Cpu(), View<const double, 2>(at.data(), at.size() / 2, 2),
                            std::vector<std::string>{"u", "u_t", "u_x", "u_xx", "x*u", "burgers"});
  for (std::size_t i = 0; i < at.size() / 2; i += 5) {
    EXPECT_NEAR(v[1][i], (v[0][i + 1] - v[0][i + 2]) / (2 * h), 1e-3 * (1 + std::abs(v[1][i])));
    EXPECT_NEAR(v[2][i], (v[0][i + 3] - v[0][i + 4]) / (2 * h), 1e-3 * (1 + std::abs(v[2][i])));
    EXPECT_NEAR(v[3][i], (v[0][i + 3] + v[0][i + 4] - 2 * v[0][i]) / (h * h), 1e-2 * (1 + std::abs(v[3][i])));
    EXPECT_DOUBLE_EQ(v[4][i], at[2 * i + 1] * v[0][i]) << "x is the place that was asked";
    EXPECT_NEAR(v[5][i], v[1][i] + v[0][i] * v[2][i] - 0.01 * v[3][i], 1e-9);
  }
}

TEST(Characteristics, LinearInterpolationBetweenLabelsIsOfSecondOrder) {
  Solution s = solved("lagrangian_convection", with({coarse}, 10));
  const std::vector<double> at = places(200);
  const View<const double, 2> x(at.data(), 200, 2);
  const std::vector<std::string> outputs{"u", "u_x"};
  const auto exact = s.evaluate(Cpu(), x, outputs);
  s.state().problem.lagrangian->search = LabelSearch::linear;
  const auto linear = s.evaluate(Cpu(), x, outputs);
  double worst = 0;
  for (std::size_t i = 0; i < 200; ++i) worst = std::max(worst, std::abs(exact[0][i] - linear[0][i]));
  const double h = 2 * std::numbers::pi / 256;
  EXPECT_LT(worst, 1.1 * h * h / 8) << "of sin";
  EXPECT_GT(worst, 0.5 * h * h / 8);
}

TEST(Characteristics, SaysWhereTheyCross) {
  // Without diffusion, from sin x at rest: a shock at t = 1.
  const Solution s = solved("lagrangian_burgers",
                            with({"constants={ speed = 0, nu = 0 }", "coordinates.t=[0, 2]", none}, 20));
  EXPECT_THAT(s.assessment().doubts, Contains(HasSubstr("characteristics cross")));
  const std::vector<double> at = places(50);
  const auto u = s.evaluate(Cpu(), View<const double, 2>(at.data(), 50, 2), std::vector<std::string>{"u"})[0];
  for (double v : u) EXPECT_TRUE(std::isfinite(v));
}

TEST(Characteristics, RotateInThePlane) {
  const std::vector<std::string> quarter = {"coordinates.t=[0, 0.25]",
                                            "reference.grid={ t = 3, x = 17, y = 17 }"};
  const Solution s = solved("lagrangian_rotation", with(quarter, 20));
  EXPECT_LT(s.relative_l2().at("u"), 1e-2);
  EXPECT_THAT(s.assessment().doubts, Not(Contains(HasSubstr("no label arrives"))));
  std::vector<std::string> narrow = quarter;
  narrow.push_back("lagrangian.labels={ x = [-1, 1], y = [-1, 1] }");
  const Solution few = solved("lagrangian_rotation", with(narrow, 20));
  EXPECT_THAT(few.assessment().doubts, Contains(HasSubstr("no label arrives at")))
      << "the corners come from outside";
}

TEST(Characteristics, AreSavedAndGoneOnWith) {
  const testing::TemporaryFolder folder;
  const Solution whole = solved("lagrangian_convection", with({coarse}, 8));
  Problem half = Problem::from_file(find_problem("lagrangian_convection"), with({coarse}, 8));
  std::atomic<bool> stop{false};
  SolveOptions options;
  options.stop = &stop;
  options.progress_seconds = 0;
  options.on_progress = [&](const Progress& p) { stop = p.row.iteration >= 4; };
  solve(Cpu(), half, options).save(folder.path() / "half.safetensors");
  const Solution resumed = resume(Cpu(), Solution::load(folder.path() / "half.safetensors"));
  const std::vector<double> at = places(20);
  const View<const double, 2> x(at.data(), 20, 2);
  EXPECT_EQ(resumed.evaluate(Cpu(), x, std::vector<std::string>{"u", "u_xx"}),
            whole.evaluate(Cpu(), x, std::vector<std::string>{"u", "u_xx"}));
}

TEST(Characteristics, TimeWindowsBeginWithNewLabels) {
  const Solution s =
      solved("lagrangian_convection",
             with({"training.windows=3", "constants.speed=20", coarse,
                   "training.phase=[{ optimizer = \"levenberg_marquardt\", iterations = 12 }]"},
                  100));
  EXPECT_LT(s.relative_l2().at("u"), 1e-4);
  EXPECT_THAT(s.assessment().doubts, ::testing::IsEmpty());
  // Joined in time, with the derivatives that the equation needs.
  std::vector<double> at;
  for (double t : {1.0 / 3, 2.0 / 3})
    for (double x : {1.0, 3.0, 5.0}) at.insert(at.end(), {t - 1e-12, x, t + 1e-12, x});
  const auto values =
      s.evaluate(Cpu(), View<const double, 2>(at.data(), 12, 2), std::vector<std::string>{"u", "u_xx"});
  for (const std::vector<double>& v : values)
    for (std::size_t i = 0; i < 12; i += 2) EXPECT_NEAR(v[i], v[i + 1], 1e-7);
  // Where a window begins a label is its place.
  const Solution::State& state = s.state();
  const double start = 2.0 / 3 + 1e-12;
  const std::vector<double> places{start, 1, start, 4};
  const detail::Characteristics c(Cpu(), detail::evaluators_on(Cpu(), Cpu()), state.problem, state.trained,
                                  state.parameters);
  const detail::Labels labels = c.labels(View<const double, 2>(places.data(), 2, 2));
  EXPECT_NEAR(labels.points[1], 1, 1e-9);
  EXPECT_NEAR(labels.points[3], 4, 1e-9);
}

TEST(Characteristics, LabelsOfAGivenRangeGoOn) {
  const Solution s =
      solved("lagrangian_rotation",
             with({"coordinates.t=[0, 0.25]", "reference.grid={ t = 3, x = 9, y = 9 }", "training.windows=2",
                   "training.phase=[{ optimizer = \"levenberg_marquardt\", iterations = 10 }]"},
                  100));
  EXPECT_LT(s.relative_l2().at("u"), 0.05);
  EXPECT_THAT(s.assessment().doubts, Not(Contains(HasSubstr("no label arrives"))));
}
}  // namespace
}  // namespace sobolev
