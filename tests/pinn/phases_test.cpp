// SPDX-License-Identifier: Apache-2.0
// Phases of several optimisers and precisions in one run.
#include <gtest/gtest.h>

#include <atomic>

#include "sobolev/pinn/solve.hpp"
#include "src/pinn/state.hpp"
#include "tests/io/temporary_folder.hpp"
#include "tests/pinn/heat.hpp"

namespace sobolev {
namespace {
Problem heat(const std::string& phases, const std::string& more = "") {
  return Problem::from_string(test::heat_with(R"toml([network]
width = 10
[training]
points = { sobol = 300, condition_points = 40 }
)toml" + more + phases + R"toml(
[reference]
exact = { u = "exp(-0.1*pi^2*t)*sin(pi*x)" }
)toml"),
                              "heat.toml");
}

TEST(Phases, LbfgsSolvesByItself) {
  const Solution s = solve(Cpu(2), heat("phase = [{ optimizer = \"lbfgs\", iterations = 400 }]\n"));
  EXPECT_TRUE(s.finished());
  EXPECT_LT(s.relative_l2().at("u"), 1e-3);
  double before = s.history().front().loss;
  for (const HistoryRow& row : s.history()) {
    EXPECT_LE(row.loss, before);
    before = row.loss;
  }
}

TEST(Phases, LbfgsWithCausalWeightsGoesOn) {
  const Solution s = solve(Cpu(2), heat("phase = [{ optimizer = \"lbfgs\", iterations = 400 }]\n",
                                        "causal = { slices = 5, epsilon = [1, 10] }\n"));
  // Both of its epsilons done: the search began anew on another objective.
  EXPECT_TRUE(s.finished());
  EXPECT_EQ(s.stopped_because(), "causal weights above stop_above");
  EXPECT_LT(s.relative_l2().at("u"), 1e-2);
}

TEST(Phases, EachKindGoesOnToTheSameBits) {
  for (const char* phase : {"{ optimizer = \"adam\", iterations = 30 }",
                            "{ optimizer = \"lbfgs\", iterations = 30 }", "{ iterations = 8 }"}) {
    const Problem problem = heat(std::string("phase = [") + phase + "]\n");
    const Solution whole = solve(Cpu(2), problem);
    const testing::TemporaryFolder folder;
    std::atomic<bool> stop = false;
    SolveOptions options;
    options.checkpoint = folder / "checkpoint";
    options.progress_seconds = 0;
    options.on_progress = [&](const Progress& p) { stop = p.row.iteration >= 4; };
    options.stop = &stop;
    const Solution begun = solve(Cpu(2), problem, options);
    EXPECT_FALSE(begun.finished());
    EXPECT_LT(begun.iterations(), whole.iterations());
    const Solution resumed = resume(Cpu(1), Solution::load(options.checkpoint));
    EXPECT_EQ(resumed.state().parameters, whole.state().parameters) << phase;
    EXPECT_EQ(resumed.loss(), whole.loss()) << phase;
  }
}

/// A run in float32 stays where float32 cannot do better; a phase in float64 goes on from there.
TEST(Phases, PrecisionMayChangeBetweenPhases) {
  const char* single = "{ iterations = 40, precision = \"float32\" }";
  const Solution coarse = solve(Cpu(2), heat(std::string("phase = [") + single + "]\n"));
  const Solution both = solve(Cpu(2), heat(std::string("phase = [") + single + ", { iterations = 60 }]\n"));
  EXPECT_EQ(both.history()[std::size_t(coarse.iterations()) - 1].loss, coarse.loss());
  EXPECT_LT(both.loss(), 0.1 * coarse.loss());
  EXPECT_LT(both.relative_l2().at("u"), 1e-4);
}
}  // namespace
}  // namespace sobolev
