// SPDX-License-Identifier: Apache-2.0
// Estimated errors beside true ones, on problems whose solution is known.
#include "sobolev/pinn/error_estimate.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "tests/pinn/heat.hpp"
#include "tests/support.hpp"

namespace sobolev {
namespace {
// Builds with sanitizers are ten times slower.
#ifdef NDEBUG
constexpr bool to_the_end = true;
#else
constexpr bool to_the_end = false;
#endif

Solution solved(const std::string& text) { return solve(Cpu(1), Problem::from_string(text)); }

ErrorEstimate estimated(const Solution& solution, long iterations = 60) {
  ErrorEstimateOptions options;
  options.seconds = -1;
  options.iterations = to_the_end ? iterations : 2;
  options.width = to_the_end ? 10 : 4;
  return estimate_error(Cpu(1), solution, options);
}

void expect_near_truth(const Solution& solution, const ErrorEstimate& e, double factor) {
  EXPECT_TRUE(e.complete) << e.worth;
  if (!to_the_end) return;
  for (const auto& [unknown, error] : solution.relative_l2()) {
    EXPECT_LT(e.relative_l2.at(unknown), factor * error) << unknown << ": " << e.worth;
    EXPECT_GT(e.relative_l2.at(unknown), error / factor) << unknown << ": " << e.worth;
  }
}

const std::string heat_reference = "\n[reference]\nexact = { u = \"exp(-0.1*pi^2*t)*sin(pi*x)\" }\n";

TEST(ErrorEstimate, OfHeatFollowsItInTime) {
  const Solution s =
      solved(test::heat_with("[network]\nwidth = 8\n[training]\npoints = { sobol = 200 }\n"
                             "stop = { iterations = 15 }\n" +
                             heat_reference));
  const ErrorEstimate e = estimated(s);
  expect_near_truth(s, e, 2);
  EXPECT_EQ(e.until, 1);
  EXPECT_GE(e.windows, 2);
  ASSERT_EQ(e.coordinates, (std::vector<std::string>{"t", "x"}));
  const std::vector<double>& error = e.error.at("u");
  ASSERT_EQ(error.size(), e.axes[0].size() * e.axes[1].size());
  // Where the initial data is built in there is no error; elsewhere it is the true one.
  for (std::size_t j = 0; j < e.axes[1].size(); ++j) EXPECT_EQ(error[j], 0);
  if (to_the_end) {
    EXPECT_TRUE(e.sound) << e.worth;
    EXPECT_LT(e.residual_left, 0.5);
  }
}

TEST(ErrorEstimate, GoesThroughTheWindowsOfASolution) {
  const Solution s =
      solved(test::heat_with("[network]\nwidth = 6\n[training]\npoints = { sobol = 200 }\n"
                             "windows = 3\nstop = { iterations = 30 }\n"
                             "[[training.phase]]\niterations = 8\n" +
                             heat_reference));
  const ErrorEstimate e = estimated(s);
  expect_near_truth(s, e, 2);
  EXPECT_GE(e.windows, 3);
}

TEST(ErrorEstimate, OfARunThatEndedBeforeItsLastWindow) {
  const Solution s =
      solved(test::heat_with("[network]\nwidth = 4\n[training]\npoints = { sobol = 60 }\n"
                             "windows = 3\nstop = { iterations = 6 }\n"
                             "[[training.phase]]\niterations = 4\n"));
  const ErrorEstimate e = estimated(s, 2);
  EXPECT_TRUE(e.complete);
  EXPECT_NEAR(e.until, 2.0 / 3, 1e-12);
  EXPECT_LE(e.axes[0].back(), e.until);
  EXPECT_TRUE(std::isfinite(e.error.at("u").back()));
}

TEST(ErrorEstimate, OfABoundaryValueProblemAndItsOutputTransform) {
  for (const std::string output : {"", "output = { u = \"x*(1 - x)*u\" }\n"}) {
    const Solution s = solved(R"toml(unknowns = ["u"]
[coordinates]
x = [0, 1]
[equations]
poisson = "u_xx = -pi^2*sin(pi*x)"
[conditions]
left = { where = "x = 0", equation = "u = 0" }
right = { where = "x = 1", equation = "u = 0" }
[reference]
exact = { u = "sin(pi*x)" }
[training]
points = { sobol = 100 }
stop = { iterations = 8 }
[network]
width = 6
)toml" + output);
    expect_near_truth(s, estimated(s, 80), 3);
  }
}

TEST(ErrorEstimate, OfADomainThatIsCut) {
  const Solution s = solved(R"toml(unknowns = ["u"]
[coordinates]
x = [0, 1]
[equations]
conduction = "d((1 + 9*heaviside(x - 0.5))*u_x, x) = 0"
[conditions]
left = { where = "x = 0", equation = "u = 0" }
right = { where = "x = 1", equation = "u = 1" }
[reference]
exact = { u = "min(20*x/11, 9/11 + 2*x/11)" }
[training]
points = { sobol = 60 }
stop = { iterations = 3 }
[network]
width = 6
)toml");
  expect_near_truth(s, estimated(s), 5);
}

TEST(ErrorEstimate, FindsTheErrorOfAConstant) {
  const Solution s = solved(R"toml(unknowns = ["u"]
[coordinates]
t = [0, 1]
[constants]
rate = { initial = 1 }
[equations]
decay = "u_t + rate*u = 0"
[conditions]
start = { where = "t = 0", equation = "u = 1" }
middle = { where = "t = 0.5", equation = "u = exp(-1)" }
end = { where = "t = 1", equation = "u = exp(-2)" }
[reference]
exact = { u = "exp(-2*t)" }
[training]
stop = { iterations = 4 }
[network]
width = 6
)toml");
  const ErrorEstimate e = estimated(s);
  expect_near_truth(s, e, 5);
  const double true_error = std::abs(s.constants().at("rate") - 2) / 2;
  if (to_the_end) {
    EXPECT_LT(e.constants.at("rate"), 10 * true_error);
    EXPECT_GT(e.constants.at("rate"), 0.1 * true_error);
  }
}

TEST(ErrorEstimate, AWrongAnswerHasNoSmallOne) {
  // A stiff oscillator over many periods in a few iterations: nothing like the solution.
  const Solution s = solved(R"toml(unknowns = ["u"]
[coordinates]
t = [0, 20]
[equations]
oscillator = "u_tt + 9*u = 0"
[conditions]
start = { where = "t = 0", equation = "u = 1" }
speed = { where = "t = 0", equation = "u_t = 0" }
[reference]
exact = { u = "cos(3*t)" }
[training]
points = { sobol = 200 }
stop = { iterations = 10 }
[network]
width = 8
)toml");
  const ErrorEstimate e = estimated(s);
  if (!to_the_end) return;
  ASSERT_GT(s.relative_l2().at("u"), 0.3);
  EXPECT_GT(e.relative_l2.at("u"), 0.1) << e.worth;
}

TEST(ErrorEstimate, ChangesNothingAndRepeatsItself) {
  const Solution s = solved(test::heat_with(
      "[network]\nwidth = 4\n[training]\npoints = { sobol = 60 }\nstop = { iterations = 2 }\n"));
  const double loss = s.loss();
  const ErrorEstimate a = estimated(s, 3), b = estimated(s, 3);
  EXPECT_EQ(a.relative_l2, b.relative_l2);
  EXPECT_EQ(a.error.at("u"), b.error.at("u"));
  EXPECT_EQ(s.loss(), loss);
}

TEST(ErrorEstimate, StopsWithWhatIsKnown) {
  const Solution s = solved(test::heat_with(
      "[network]\nwidth = 4\n[training]\npoints = { sobol = 60 }\nstop = { iterations = 2 }\n"));
  std::atomic<bool> stop = false;
  ErrorEstimateOptions options;
  options.seconds = -1;
  options.iterations = 3;
  options.width = 4;
  options.stop = &stop;
  options.on_progress = [&](double fraction) { stop = fraction > 0.5; };
  const ErrorEstimate e = estimate_error(Cpu(1), s, options);
  EXPECT_FALSE(e.complete);
  EXPECT_FALSE(e.sound);
  EXPECT_LT(e.until, 1);
  EXPECT_THAT(e.worth, ::testing::HasSubstr("up to t = "));
  EXPECT_TRUE(std::isnan(e.error.at("u").back()));
  stop = true;
  options.on_progress = {};
  const ErrorEstimate none = estimate_error(Cpu(1), s, options);
  EXPECT_TRUE(none.relative_l2.empty());
  EXPECT_EQ(none.windows, 0);
}

TEST(ErrorEstimate, RefusesWhatItCannotDo) {
  EXPECT_THROW(estimate_error(Cpu(1), Solution()), ArgumentError);
  const Solution s = solved(test::heat_with(
      "[network]\nwidth = 4\n[training]\npoints = { sobol = 60 }\nstop = { iterations = 1 }\n"));
  ErrorEstimateOptions options;
  options.axes = {{0, 1}};
  EXPECT_THROW(estimate_error(Cpu(1), s, options), ArgumentError);
}
}  // namespace
}  // namespace sobolev
