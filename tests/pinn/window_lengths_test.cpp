// SPDX-License-Identifier: Apache-2.0
// How lengths of time windows are chosen: on residuals that a formula gives, then while networks are trained.
#include "src/pinn/window_lengths.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "sobolev/io/safetensors.hpp"
#include "sobolev/pinn/solve.hpp"
#include "src/pinn/state.hpp"
#include "tests/pinn/interrupted.hpp"
#include "tests/support.hpp"

namespace sobolev {
namespace {
using detail::WindowLengths;

/// Windows of [0, last] where a window of length h has residual(start, h, iteration); each iteration costs
/// one of `budget`, a window ends after `most` or with its share.
struct March {
  std::vector<double> ends;
  long iterations = 0;
  int attempts = 0;
};
template <class Residual>
March march(double last, long most, double budget, Residual&& residual) {
  WindowLengths lengths(last);
  March out;
  for (double start = 0; start < last;) {
    const double end = lengths.end(start, last);
    const double share = (budget - double(out.iterations)) * (end - start) / (last - start);
    ++out.attempts;
    auto verdict = WindowLengths::Verdict::go_on;
    long i = 0;
    while (verdict == WindowLengths::Verdict::go_on && i < most && (end == last || double(i) < share)) {
      ++i;
      ++out.iterations;
      const bool over = i == most;
      if (lengths.due(i, over))
        verdict = lengths.look(i, over, residual(start, end - start, i), last - start,
                               {budget - double(out.iterations), 1});
      if (double(out.iterations) >= budget) break;
    }
    if (verdict != WindowLengths::Verdict::go_on) continue;
    lengths.accepted(double(i) / share);
    out.ends.push_back(end);
    start = end;
    if (double(out.iterations) >= budget) break;
  }
  return out;
}

TEST(WindowLengths, KeepOneWindowWhereItIsGood) {
  const March m = march(7, 1000, 1000, [](double, double, long i) { return i < 100 ? 0.05 : 1e-4; });
  EXPECT_EQ(m.ends, std::vector<double>{7});
  EXPECT_EQ(m.attempts, 1);
}

TEST(WindowLengths, ShortenUntilTheResidualIsSmall) {
  // Only windows shorter than 1/8 of time can be trained.
  const March m = march(16, 150, 5000, [](double, double h, long) { return h > 2 ? 0.5 : 1e-3 * h * h; });
  ASSERT_FALSE(m.ends.empty());
  EXPECT_EQ(m.ends.back(), 16);
  EXPECT_LE(m.ends[0], 1) << "shorter ones are better, and there is time for them";
  EXPECT_GE(m.ends[0], 0.25);
}

TEST(WindowLengths, ReachTheEndWithinTheBudget) {
  for (const double budget : {300.0, 1000.0, 5000.0}) {
    const March m = march(16, 1000, budget, [](double, double h, long) { return std::min(1.0, h * h); });
    ASSERT_FALSE(m.ends.empty()) << budget;
    EXPECT_EQ(m.ends.back(), 16) << budget;
    EXPECT_LE(double(m.iterations), budget + 1000);
  }
}

TEST(WindowLengths, GoBackToOneWindowWhereShorterOnesAreNotBetter) {
  const March m = march(1, 400, 5000, [](double, double, long) { return 0.02; });
  EXPECT_EQ(m.ends, std::vector<double>{1});
  EXPECT_LE(m.attempts, 4);
}

TEST(WindowLengths, AreShorterWhereItIsHard) {
  // A hard stretch in the middle: its residual is 1000 times as large.
  const March m = march(8, 150, 20000, [](double start, double h, long) {
    const bool hard = start + h > 3 && start < 4;
    return (h > 2 ? 0.5 : 1e-5) * (hard && h > 0.1 ? 1000 : 1);
  });
  double shortest = 8;
  double start = 0;
  for (const double end : m.ends) {
    if (end > 3 && start < 4) shortest = std::min(shortest, end - start);
    start = end;
  }
  EXPECT_EQ(m.ends.back(), 8);
  EXPECT_LT(shortest, 0.6 * m.ends[0]);
}

TEST(WindowLengths, AreNotContentWithAStallWhileMostOfTheBudgetIsLeft) {
  WindowLengths lengths(40);
  EXPECT_EQ(lengths.look(60, false, 2e-4, 40, {1e4, 1}), WindowLengths::Verdict::go_on);
  EXPECT_EQ(lengths.look(106, true, 2e-4, 40, {1e4, 1, true}), WindowLengths::Verdict::again);
  EXPECT_EQ(lengths.end(0, 40), 20);
  WindowLengths late(40);
  EXPECT_EQ(late.look(106, true, 2e-4, 40, {1e4, 1}), WindowLengths::Verdict::go_on);
}

TEST(WindowLengths, DoNotGoOnFromAWindowThatFailed) {
  // Room for no shorter ones: but a wrong start is worth nothing.
  WindowLengths lengths(16);
  lengths.look(60, false, 0.9, 16, {1e4, 1});
  while (lengths.look(60, false, 1e-5, 16, {1e4, 1}) == WindowLengths::Verdict::again) {
  }
  lengths.accepted(1);
  const double length = lengths.end(4, 16) - 4;
  EXPECT_EQ(lengths.look(60, false, 0.5, 12, {100, 1}), WindowLengths::Verdict::again);
  EXPECT_LT(lengths.end(4, 16) - 4, 0.6 * length);
  EXPECT_FALSE(lengths.judged());
  EXPECT_EQ(lengths.look(60, false, 0.05, 12, {40, 1}), WindowLengths::Verdict::go_on);
  EXPECT_TRUE(lengths.judged());
}

TEST(WindowLengths, AreTheSameFromTheirNumbers) {
  WindowLengths a(4), b(4);
  EXPECT_TRUE(b.set_numbers(a.numbers()));
  a.look(60, false, 0.9, 4, {1e4, 1});
  a.look(60, false, 0.2, 4, {1e4, 1});
  EXPECT_NE(a.numbers(), b.numbers());
  EXPECT_TRUE(b.set_numbers(a.numbers()));
  EXPECT_EQ(a.numbers(), b.numbers());
  EXPECT_EQ(a.end(0, 4), b.end(0, 4));
  EXPECT_FALSE(b.set_numbers({1, 2}));
  std::vector<double> bad = a.numbers();
  bad[0] = -1;
  EXPECT_FALSE(b.set_numbers(bad));
  bad[0] = NAN;
  EXPECT_FALSE(b.set_numbers(bad));
}

constexpr const char* oscillator = R"_(
unknowns = ["u"]
[coordinates]
t = [0, 100]
[equations]
oscillator = "u_tt + u = 0"
[conditions]
start = { where = "t = 0", equation = "u = 1" }
rest = { where = "t = 0", equation = "u_t = 0" }
[network]
width = 10
[training]
points = { sobol = 200 }
stop = { iterations = 3000 }
[reference]
exact = { u = "cos(t)" }
)_";

TEST(AutomaticWindows, SolveWhatOneWindowCannot) {
  const Solution one =
      solve(Cpu(1), Problem::from_string(oscillator, "oscillator.toml", {"training.windows=1"}));
  EXPECT_GT(one.relative_l2().at("u"), 0.1);
  const Solution s = solve(Cpu(1), Problem::from_string(oscillator));
  EXPECT_GT(s.state().parameters.size(), 3u);
  EXPECT_EQ(s.problem().training.window_ends.size(), s.state().parameters.size());
  EXPECT_LT(s.relative_l2().at("u"), 1e-4);
  EXPECT_TRUE(s.assessment().doubts.empty());
}

TEST(AutomaticWindows, GoAlongTheCoordinateThatIsTime) {
  std::string along_x = oscillator;
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"unknowns", "time = \"x\"\nunknowns"},
           {"t = [0", "x = [0"},
           {"u_tt", "u_xx"},
           {"t = 0\", equation = \"u = 1", "x = 0\", equation = \"u = 1"},
           {"t = 0\", equation = \"u_t", "x = 0\", equation = \"u_x"},
           {"cos(t)", "cos(x)"}})
    along_x.replace(along_x.find(from), from.size(), to);
  const std::vector<std::string> shortly{"training.stop.iterations=400"};
  const Solution x = solve(Cpu(1), Problem::from_string(along_x, "x.toml", shortly)),
                 t = solve(Cpu(1), Problem::from_string(oscillator, "t.toml", shortly));
  EXPECT_GT(x.state().parameters.size(), 1u);
  EXPECT_EQ(x.problem().training.window_ends, t.problem().training.window_ends);
  EXPECT_EQ(x.state().parameters, t.state().parameters);
}

TEST(AutomaticWindows, ResumeToTheSameBits) {
  const std::filesystem::path file =
      std::filesystem::path(testing::TempDir()) / "automatic_windows.safetensors";
  const Problem p = Problem::from_string(oscillator, "oscillator.toml", {"training.stop.iterations=900"});
  const Solution whole = solve(Cpu(1), p);
  for (const long at : {30, 60, 61, 150, 500}) {
    const Solution resumed = test::interrupted_at(at, p, file);
    EXPECT_EQ(resumed.state().parameters, whole.state().parameters) << at;
    EXPECT_EQ(resumed.problem().training.window_ends, whole.problem().training.window_ends) << at;
  }
}

TEST(AutomaticWindows, OfOneAreWrittenLikeOneWindow) {
  const std::filesystem::path file = std::filesystem::path(testing::TempDir()) / "one_window.safetensors";
  const std::vector<std::string> easy{"coordinates.t=[0, 1]", "training.stop.iterations=160"};
  const Solution s = solve(Cpu(1), Problem::from_string(oscillator, "oscillator.toml", easy));
  EXPECT_EQ(s.state().parameters.size(), 1u);
  s.save(file);
  const Solution loaded = Solution::load(file);
  EXPECT_EQ(loaded.state().parameters, s.state().parameters);
  EXPECT_EQ(loaded.relative_l2(), s.relative_l2());
  EXPECT_TRUE(read_safetensors(file).contains("layers.0.weight"));
  // The same bits as with one window that was asked for: looks change nothing.
  std::vector<std::string> one = easy;
  one.push_back("training.windows=1");
  EXPECT_EQ(solve(Cpu(1), Problem::from_string(oscillator, "oscillator.toml", one)).state().parameters,
            s.state().parameters);
}
}  // namespace
}  // namespace sobolev
