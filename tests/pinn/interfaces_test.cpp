// SPDX-License-Identifier: Apache-2.0
// Layered media solved in pieces: against exact solutions, read at places, continued, and said what they are
// worth.
#include <gmock/gmock.h>

#include <array>
#include <atomic>
#include <cmath>

#include "sobolev/expression/jumps.hpp"
#include "sobolev/pinn/solve.hpp"
#include "src/pinn/state.hpp"
#include "tests/io/temporary_folder.hpp"

namespace sobolev {
namespace {
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::message_of;
using testing::TemporaryFolder;

// Builds with sanitizers are ten times slower.
#ifdef NDEBUG
constexpr bool to_the_end = true;
#else
constexpr bool to_the_end = false;
#endif

/// A line of three layers, k = 1, 100, 1, with T = sin(3w), w = ∫ dy/k.
const std::string width = "(min(y, 0.3) + min(max(y - 0.3, 0), 0.4)/100 + max(y - 0.7, 0))";
const std::string k = "(1 + 99*heaviside(y - 0.3)*heaviside(0.7 - y))";
Problem layers(const std::string& more) {
  return Problem::from_string("unknowns = [\"T\"]\n[coordinates]\ny = [0, 1]\n[equations]\nheat = \"d(" + k +
                                  "*T_y, y) = -9*sin(3*" + width + ")/" + k +
                                  "\"\n[conditions]\nlow = { where = \"y = 0\", equation = \"T = 0\" }\n"
                                  "high = { where = \"y = 1\", equation = \"T = sin(3*" +
                                  std::to_string(0.604) +
                                  ")\" }\n[network]\nwidth = 10\n"
                                  "[reference]\nexact = { T = \"sin(3*" +
                                  width + ")\" }\n" + more,
                              "layers.toml");
}
const std::string shortly = "[training]\nstop = { iterations = 120 }\npoints = { sobol = 100 }\n";

const Solution& solved_layers() {
  static const Solution s =
      solve(Cpu(2), layers(to_the_end ? shortly : "[training]\nstop = { iterations = 1 }\n"));
  return s;
}

std::vector<double> values(const Solution& s, const std::vector<double>& at, const std::string& output) {
  return s.evaluate(Cpu(1), View<const double, 2>(at.data(), at.size(), 1), {output})[0];
}

TEST(InterfaceSolutions, ThreeLayersOnALine) {
  const Solution& s = solved_layers();
  if (!to_the_end) GTEST_SKIP() << "whole trainings run in optimised builds";
  EXPECT_LT(s.relative_l2().at("T"), 1e-5);
}

TEST(InterfaceSolutions, AreReadAtPlaces) {
  const Solution& s = solved_layers();
  const double beside = 1e-12;
  const std::vector<double> at{0.3, 0.3 + beside, 0.7, 0.7 + beside};
  // What is built of the pieces: the networks' values by themselves.
  const auto piece = [&](const std::string& unknown, double eta) {
    const std::vector<double> place{eta};
    return detail::evaluate_windows(Cpu(1), detail::evaluators_on(Cpu(1), Cpu(1)), s.state().trained,
                                    s.state().parameters, View<const double, 2>(place.data(), 1, 1),
                                    {unknown == "T_y" ? field("T_2", {{"y", 1}}) : field(unknown)})[0][0];
  };
  const std::vector<double> T = values(s, at, "T"), slope = values(s, {0.5}, "T_y");
  EXPECT_EQ(T[0], piece("T_1", 1)) << "on the plane the lower piece answers";
  EXPECT_NEAR(T[1], piece("T_2", 1), 1e-9);
  EXPECT_NEAR(T[2], piece("T_2", 0), 1e-9);
  EXPECT_NEAR(T[3], piece("T_3", 0), 1e-9);
  EXPECT_NEAR(slope[0], -piece("T_y", 0.5) / 0.4, 1e-9);
  // An equation by its name, what it is made of, and what stands under its derivative.
  const std::vector<double> inside{0.1, 0.5, 0.9};
  const std::vector<double> residual = values(s, inside, "heat"),
                            flux = values(s, inside, "d(" + k + "*T_y, y)"),
                            second = values(s, inside, "T_yy");
  const std::vector<double> conductivity{1, 100, 1};
  for (std::size_t i = 0; i < 3; ++i) {
    const double y = inside[i],
                 w = std::min(y, 0.3) + std::min(std::max(y - 0.3, 0.0), 0.4) / 100 + std::max(y - 0.7, 0.0);
    EXPECT_NEAR(flux[i], conductivity[i] * second[i], 1e-9 * (1 + std::abs(flux[i])));
    EXPECT_NEAR(residual[i], flux[i] + 9 * std::sin(3 * w) / conductivity[i], 1e-9 * (1 + std::abs(flux[i])));
  }
  EXPECT_THROW(values(s, inside, "d(heaviside(y - 0.5)*T_y, y)"), Error);
  EXPECT_THROW(values(s, inside, "T_1"), ParseError);
  const Solution::Table table = s.table(Cpu(1));
  EXPECT_EQ(table.prediction.at("T").size(), table.axes[0].size());
  EXPECT_EQ(table.residual.count("heat"), 1u);
}

TEST(InterfaceSolutions, TheAssessmentSpeaksOfTheProblem) {
  const Solution& s = solved_layers();
  std::vector<std::string> names;
  for (const ResidualCheck& r : s.assessment().residuals) {
    names.push_back((r.condition ? "condition " : "equation ") + r.name);
    ASSERT_EQ(r.place.size(), 1u);
    const std::string place = r.name.substr(0, 11);
    const double want = place == "low"           ? 0
                        : place == "high"        ? 1
                        : place == "interface_1" ? 0.3
                        : place == "interface_2" ? 0.7
                                                 : r.place[0];
    EXPECT_EQ(r.place[0], want) << r.name;
    EXPECT_TRUE(r.place[0] >= 0 && r.place[0] <= 1) << r.name;
  }
  EXPECT_THAT(names, ElementsAre("equation heat", "condition low", "condition high",
                                 "condition interface_1_T", "condition interface_1_heat",
                                 "condition interface_2_T", "condition interface_2_heat"));
  if (to_the_end) {
    EXPECT_THAT(s.assessment().doubts, IsEmpty());
  }
  const Solution bad = solve(Cpu(1), layers("[training]\nstop = { iterations = 1 }\n"));
  EXPECT_THAT(bad.assessment().doubts, ::testing::Contains(HasSubstr("equation heat: its residual")));
  for (const std::string& doubt : bad.assessment().doubts)
    EXPECT_THAT(doubt, ::testing::Not(HasSubstr("heat_")));
}

/// Two layers in time, with windows: T = e^(−t) sin(2w).
Problem in_time(const std::string& more) {
  return Problem::from_string(R"toml(unknowns = ["T"]
[coordinates]
t = [0, 1]
y = [0, 1]
[equations]
heat = "T_t = d((100 - 99*heaviside(y - 0.5))*T_y, y) + exp(-t)*sin(2*(min(y, 0.5)/100 + max(y - 0.5, 0)))*(4/(100 - 99*heaviside(y - 0.5)) - 1)"
[conditions]
initial = { where = "t = 0", equation = "T = sin(2*(min(y, 0.5)/100 + max(y - 0.5, 0)))" }
low = { where = "y = 0", equation = "T = 0" }
high = { where = "y = 1", equation = "T = exp(-t)*sin(1.01)" }
[network]
width = 8
[reference]
exact = { T = "exp(-t)*sin(2*(min(y, 0.5)/100 + max(y - 0.5, 0)))" }
)toml" + more,
                              "in_time.toml");
}

TEST(InterfaceSolutions, HeatInTimeWindowsGoesOnFromAFile) {
  const auto trained = [](int iterations) {
    return in_time(
        "[training]\nwindows = 2\npoints = { sobol = 100, condition_points = 20 }\nphase = [{ "
        "iterations = " +
        std::to_string(iterations) + " }]\n");
  };
  const Solution whole = solve(Cpu(2), trained(to_the_end ? 60 : 2));
  if (to_the_end) {
    EXPECT_LT(whole.relative_l2().at("T"), 1e-3);
  }
  // Built in, in each piece, with its kink at the plane between them.
  const std::vector<double> start{0, 0.2, 0, 0.5, 0, 0.75};
  const std::vector<double> T =
      whole.evaluate(Cpu(1), View<const double, 2>(start.data(), 3, 2), std::vector<std::string>{"T"})[0];
  EXPECT_NEAR(T[0], std::sin(0.004), 1e-15);
  EXPECT_NEAR(T[1], std::sin(0.01), 1e-15);
  EXPECT_NEAR(T[2], std::sin(0.51), 1e-15);

  const TemporaryFolder folder;
  whole.save(folder / "whole");
  const Solution loaded = Solution::load(folder / "whole");
  EXPECT_EQ(loaded.state().parameters, whole.state().parameters);
  EXPECT_EQ(loaded.problem(), whole.problem());
  EXPECT_EQ(loaded.relative_l2(), whole.relative_l2());
  // Stopped in between and resumed: to the same bits.
  const std::atomic<bool> stop{true};
  SolveOptions at_once;
  at_once.stop = &stop;
  at_once.checkpoint = folder / "part";
  const Problem short_one = trained(3);
  solve(Cpu(2), short_one, at_once);
  const Solution resumed = resume(Cpu(2), Solution::load(folder / "part"));
  EXPECT_EQ(resumed.state().parameters, solve(Cpu(2), short_one).state().parameters);
}

TEST(InterfaceSolutions, ALayeredPlaneWithAContrastOfAHundred) {
  Problem p;
  p.unknowns = {"T"};
  const Expr T = unknown("T"), x = coordinate("x"), y = coordinate("y"), pi = std::acos(-1.0);
  const Expr conductivity = 100 - 99 * heaviside(y - 0.5);
  const Expr exact = sin(pi * x) * ((exp(pi * (y - 0.5)) + exp(pi * (0.5 - y))) / 2 +
                                    (exp(pi * (y - 0.5)) - exp(pi * (0.5 - y))) / 2 / conductivity);
  p.add_coordinate("x", 0, 1).add_coordinate("y", 0, 1);
  p.add_equation("heat", d(conductivity * d(T, x), x) + d(conductivity * d(T, y), y));
  p.add_condition("left", {{"x", 0}}, T).add_condition("right", {{"x", 1}}, T);
  p.add_condition("low", {{"y", 0}}, T - substitute(exact, {{y, 0.0}}));
  p.add_condition("high", {{"y", 1}}, T - substitute(exact, {{y, 1.0}}));
  p.network.width = 12;
  p.training.points.count = 200;
  p.training.points.condition_count = 30;
  p.training.stop.iterations = to_the_end ? 60 : 1;
  p.reference.exact = {{"T", exact}};
  p.reference.grid = {{"x", 21}, {"y", 21}};
  const Solution s = solve(Cpu(2), p);
  if (to_the_end) {
    EXPECT_LT(s.relative_l2().at("T"), 1e-3);
  }
  EXPECT_THAT(s.problem().interfaces.at("y"), ElementsAre(0.5));
}

// A source that jumps: with the place named, its second derivative jumps in the answer too.
TEST(InterfaceSolutions, ASourceThatJumpsIsCutWhereItSaysSo) {
  const std::string text = R"toml(unknowns = ["u"]
[coordinates]
x = [0, 1]
[equations]
poisson = "u_xx = heaviside(x - 0.5)"
[conditions]
left = { where = "x = 0", equation = "u = 0" }
right = { where = "x = 1", equation = "u = 0.125" }
[interfaces]
x = 0.5
[reference]
exact = { u = "max(x - 0.5, 0)^2/2" }
[network]
width = 8
)toml";
  const Solution s =
      solve(Cpu(1),
            Problem::from_string(text + (to_the_end ? shortly : "[training]\nstop = { iterations = 1 }\n")));
  if (!to_the_end) GTEST_SKIP() << "whole trainings run in optimised builds";
  EXPECT_LT(s.relative_l2().at("u"), 1e-6);
  EXPECT_THAT(values(s, {0.25, 0.75}, "u_xx"),
              ElementsAre(::testing::DoubleNear(0, 1e-4), ::testing::DoubleNear(1, 1e-4)));
}

TEST(InterfaceSolutions, AnUnknownConstantIsOneOfAllPieces) {
  const std::string text = R"toml(unknowns = ["T"]
[coordinates]
y = [0, 1]
[constants]
c = { initial = 2 }
[equations]
heat = "d((1 + c*heaviside(y - 0.5))*T_y, y) = 0"
[conditions]
low = { where = "y = 0", equation = "T = 0" }
flux = { where = "y = 0", equation = "T_y = 1" }
high = { where = "y = 1", equation = "T = 0.625" }
[network]
width = 6
)toml";
  const Solution s =
      solve(Cpu(1),
            Problem::from_string(text + (to_the_end ? shortly : "[training]\nstop = { iterations = 1 }\n")));
  if (to_the_end) {
    EXPECT_NEAR(s.constants().at("c"), 3, 1e-4);
  }
}

// A film of 1e-7 that conducts a hundred times as well: the flux through it is that through its neighbours,
// and an answer that misses it is doubted.
TEST(Interfaces, AFluxThatIsMissedIsDoubted) {
  const Solution s = solve(Cpu(1), Problem::from_string(R"_(
unknowns = ["T"]
[coordinates]
y = [0, 1]
[equations]
heat = "d((1 + 99*heaviside(y - 0.5) - 98*heaviside(y - 0.5000001))*T_y, y) = 0"
[conditions]
low = { where = "y = 0", equation = "T = 0" }
high = { where = "y = 1", equation = "T = 1" }
[training]
stop = { iterations = 60 }
)_"));
  const double y[] = {0.25};
  const double T = s.evaluate(Cpu(1), View<const double, 2>(y, 1, 1), std::vector<std::string>{"T"})[0][0];
  EXPECT_TRUE(std::abs(T - 1.0 / 3) < 1e-2 || !s.assessment().doubts.empty()) << T;
}
}  // namespace
}  // namespace sobolev
