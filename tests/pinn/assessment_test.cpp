// SPDX-License-Identifier: Apache-2.0
// Residuals on fresh points, and what they give reason to doubt.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>

#include "sobolev/pinn/solve.hpp"
#include "sobolev/problem/points.hpp"
#include "src/pinn/residual_check.hpp"
#include "src/pinn/state.hpp"
#include "tests/pinn/heat.hpp"
#include "tests/support.hpp"

namespace sobolev {
namespace {
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string heat = test::heat_with(R"toml([network]
width = 12
[training]
points = { sobol = 400, condition_points = 60 }
)toml");

Solution solved(const std::string& text, const std::vector<std::string>& overrides) {
  return solve(Cpu(2), Problem::from_string(text, "problem.toml", overrides));
}

TEST(Assessment, RemediesAreThoseOfTheKindOfNetwork) {
  const std::vector<std::string> shortly{"training.stop.iterations=2"};
  EXPECT_THAT(solved(heat, shortly).assessment().doubts,
              Contains(HasSubstr("a wider network (network.width)")));
  EXPECT_THAT(solved(heat, {shortly[0], "network.kind=gaussian"}).assessment().doubts,
              Contains(HasSubstr("more Gaussians (network.gaussians.count)")));
}

TEST(Assessment, OfManyEquationsTheFirstDoubtsAreListed) {
  Problem p;
  p.add_coordinate("t", 0, 1);
  for (int i = 0; i < 30; ++i) {
    const Expr u = unknown(fmt::format("u{}", i));
    p.unknowns.push_back(u->name);
    p.add_equation(fmt::format("decay{}", i), d(u, coordinate("t")) + double(i + 1) * u);
    p.add_condition(fmt::format("start{}", i), {{"t", 0}}, u - 1);
  }
  p.network.width = 4;
  p.training.stop.iterations = 1;
  const Assessment a = solve(Cpu(1), p).assessment();
  EXPECT_EQ(a.doubts.size(), 12u);
  EXPECT_THAT(a.doubts.back(), HasSubstr("more doubts of this kind"));
  EXPECT_EQ(a.residuals.size(), 60u);
}

TEST(Assessment, MeasuresWhatTheResidualsAre) {
  const Solution s = solved(heat, {"training.stop.iterations=4", "training.seed=3"});
  const Assessment& a = s.assessment();
  ASSERT_EQ(a.residuals.size(), 4u);
  EXPECT_EQ(a.residuals[0].name, "heat");
  EXPECT_FALSE(a.residuals[0].condition);
  EXPECT_EQ(a.residuals[2].name, "left");
  EXPECT_TRUE(a.residuals[2].condition);
  // By hand, on a grid.
  PointRequest request;
  request.ranges = s.problem().coordinates;
  request.sampling = Sampling::grid;
  request.grid = {81, 81};
  const std::vector<double> x = sample_points(request);
  const auto v = s.evaluate(Cpu(2), View<const double, 2>(x.data(), x.size() / 2, 2),
                            std::vector<std::string>{"heat", "u_t", "0.1*u_xx"});
  double rms[3] = {}, largest = 0;
  for (int k = 0; k < 3; ++k) {
    for (double r : v[std::size_t(k)]) rms[k] += r * r / double(v[0].size());
    rms[k] = std::sqrt(rms[k]);
  }
  for (double r : v[0]) largest = std::max(largest, std::abs(r));
  EXPECT_NEAR(a.residuals[0].rms, rms[0], 0.2 * rms[0]);
  EXPECT_NEAR(a.residuals[0].scale, std::max(rms[1], rms[2]), 0.1 * rms[1]);
  EXPECT_LE(a.residuals[0].largest, 1.1 * largest);
  EXPECT_GE(a.residuals[0].largest, 0.3 * largest);
  EXPECT_NEAR(a.residuals[0].training_rms, rms[0], 0.5 * rms[0]);
  // The largest residual is where it is said to be.
  const auto there = s.evaluate(Cpu(1), View<const double, 2>(a.residuals[0].place.data(), 1, 2),
                                std::vector<std::string>{"heat"});
  EXPECT_NEAR(std::abs(there[0][0]), a.residuals[0].largest, 1e-9 * a.residuals[0].largest);
  // A condition is measured beside the unknown in the interior.
  EXPECT_GT(a.residuals[2].scale, 0.1);
  EXPECT_LT(a.residuals[2].scale, 2);
}

TEST(Assessment, AGoodAnswerIsNotDoubted) {
  const Solution s = solved(heat, {"training.stop.iterations=40"});
  EXPECT_THAT(s.assessment().doubts, IsEmpty());
}

TEST(Assessment, AnUnfinishedAnswerIsDoubted) {
  const Solution s = solved(heat, {"training.stop.iterations=1"});
  EXPECT_THAT(s.assessment().doubts, Contains(HasSubstr("equation heat: its residual is")));
}

TEST(Assessment, AFitOfTheTrainingPointsAloneIsDoubted) {
  const Solution s =
      solved(heat, {"training.stop.iterations=60", "training.points={ sobol = 20, condition_points = 5 }"});
  EXPECT_THAT(s.assessment().doubts, Contains(HasSubstr("between the training points")));
  EXPECT_THAT(s.assessment().doubts, Contains(HasSubstr("parameters and only 30 residuals")));
}

TEST(Assessment, ALinearSolutionIsNoReasonForDoubt) {
  const Solution s = solved(R"toml(
unknowns = ["u", "v"]
[coordinates]
x = [0, 1]
y = [0, 1]
[equations]
laplace = "u_xx + u_yy = 0"
nothing = "v_xx + v_yy = 0"
[conditions]
a = { where = "x = 0", equation = "u = 0" }
b = { where = "x = 1", equation = "u = 1" }
c = { where = "y = 0", equation = "u = x" }
d = { where = "y = 1", equation = "u = x" }
e = { where = "x = 0", equation = "v = 0" }
f = { where = "x = 1", equation = "v = 0" }
g = { where = "y = 0", equation = "v = 0" }
h = { where = "y = 1", equation = "v = 0" }
[network]
width = 8
[training]
points = { sobol = 200, condition_points = 30 }
stop = { iterations = 150 }
)toml",
                            {});
  EXPECT_THAT(s.assessment().doubts, IsEmpty());
}

TEST(Assessment, SpansTheWindows) {
  const Solution s = solved(heat, {"training.windows=3", "training.phase=[{ iterations = 12 }]"});
  const Assessment& a = s.assessment();
  EXPECT_GT(a.residuals[0].rms, 0);
  EXPECT_GT(a.residuals[0].training_rms, 0);
  EXPECT_LT(a.residuals[0].rms, 10 * a.residuals[0].training_rms);
  // Of a window that is bad, whichever it is, something is seen.
  Solution bad = solved(heat, {"training.windows=3", "training.phase=[{ iterations = 12 }]"});
  for (double& p : bad.state().parameters[1]) p *= 1.5;
  EXPECT_GT(bad.assessment().residuals[0].rms, 3 * a.residuals[0].rms);
  EXPECT_THAT(bad.assessment().doubts, ::testing::Not(IsEmpty()));
}

TEST(Assessment, WindowsThatAreNotSolvedAreADoubt) {
  const Solution s = solved(heat, {"training.windows=4", "training.stop.iterations=30"});
  ASSERT_TRUE(s.finished());
  EXPECT_THAT(s.assessment().doubts, Contains(HasSubstr("windows of 4 are solved")));
}

TEST(Assessment, PointsDrawnAnewInWindowsAreNoReasonForDoubt) {
  // The residuals of early windows are much larger than those of the last.
  const Solution s =
      solved(heat, {"training.windows=3", "training.points.resample_every=5", "constants={ k = 1 }",
                    "equations.heat=u_t - k*u_xx = 0", "training.phase=[{ iterations = 14 }]"});
  for (const std::string& doubt : s.assessment().doubts)
    EXPECT_THAT(doubt, ::testing::Not(HasSubstr("between")));
}

TEST(Assessment, OfACheckpointIsThatOfTheRun) {
  const std::string file = ::testing::TempDir() + "assessment.safetensors";
  const Solution s = solved(heat, {"training.stop.iterations=3"});
  s.save(file);
  const Solution loaded = Solution::load(file);
  ASSERT_EQ(loaded.assessment().residuals.size(), s.assessment().residuals.size());
  for (std::size_t i = 0; i < s.assessment().residuals.size(); ++i) {
    EXPECT_EQ(loaded.assessment().residuals[i].rms, s.assessment().residuals[i].rms);
    EXPECT_EQ(loaded.assessment().residuals[i].training_rms, s.assessment().residuals[i].training_rms);
  }
  EXPECT_EQ(loaded.assessment().doubts, s.assessment().doubts);
}

TEST(Assessment, HistoryHasTheResidual) {
  SolveOptions options;
  options.progress_seconds = 0;
  options.on_progress = [](const Progress&) {};
  const Solution s =
      solve(Cpu(2), Problem::from_string(heat, "heat.toml", {"training.stop.iterations=3"}), options);
  ASSERT_TRUE(s.history().front().residual.has_value());
  EXPECT_GT(*s.history().front().residual, 0);
}

TEST(Continuation, CarriesValuesOnToTheSameBits) {
  const Solution s = solved(heat, {"training.windows=4", "training.phase=[{ iterations = 3 }]"});
  const detail::PreviousValue u{"u", {}};
  const std::vector<double> x = {0, 0.1, 0, 0.5, 0, 0.7};
  const View<const double, 2> points(x.data(), 3, 2);
  detail::Continuation carried(Cpu(1), s.problem(), {u});
  for (int window = 1; window < 4; ++window) {
    const auto got = carried.values(window, points, {u}, s.state().parameters);
    detail::Continuation anew(Cpu(1), s.problem(), {u});
    const auto want = anew.values(window, points, {u}, s.state().parameters);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(got[i], want[i]);
  }
  // A later window first, then an earlier one.
  detail::Continuation backwards(Cpu(1), s.problem(), {u});
  const auto late = backwards.values(3, points, {u}, s.state().parameters),
             early = backwards.values(1, points, {u}, s.state().parameters),
             again = carried.values(3, points, {u}, s.state().parameters);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(late[i], again[i]);
    EXPECT_NE(late[i], early[i]);
  }
}
}  // namespace
}  // namespace sobolev
