// SPDX-License-Identifier: Apache-2.0
// A training that meets what is not finite: which state it keeps, and what it says.
#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>

#include "sobolev/pinn/solve.hpp"
#include "src/pinn/state.hpp"
#include "tests/io/temporary_folder.hpp"
#if SOBOLEV_HAS_CUDA
#include "sobolev/core/cuda.hpp"
#endif

namespace sobolev {
namespace {
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using testing::message_of;
using testing::TemporaryFolder;

Problem of_case(const std::string& name, const std::vector<std::string>& overrides) {
  return Problem::from_file(std::string(SOBOLEV_SOURCE_DIR) + "/tests/pinn/cases/" + name + ".toml",
                            overrides);
}

/// The training diverges; stopped one by one it shows where. The state it keeps is that after the last number
/// of iterations that ends well, to the bit.
template <class E>
void expect_last_finite_state(const E& executor, const Problem& problem) {
  const TemporaryFolder folder;
  SolveOptions options;
  options.checkpoint = folder / "checkpoint";
  options.checkpoint_seconds = 1e9;
  const std::string message = message_of<DivergenceError>([&] { solve(executor, problem, options); });
  EXPECT_THAT(message, AllOf(HasSubstr("not finite at "), HasSubstr(options.checkpoint.string())));
  const Solution kept = Solution::load(options.checkpoint);
  EXPECT_FALSE(kept.finished());
  EXPECT_TRUE(std::isfinite(kept.loss()));
  EXPECT_THAT(message, HasSubstr("after " + std::to_string(kept.iterations()) + " iterations"));
  for (const HistoryRow& row : kept.history()) EXPECT_LE(row.iteration, kept.iterations());

  ASSERT_GT(kept.iterations(), 0);
  Problem shorter = problem;
  shorter.training.stop.iterations = kept.iterations();
  const Solution same = solve(executor, shorter);
  EXPECT_TRUE(same.finished());
  EXPECT_EQ(same.state().parameters, kept.state().parameters);
  // Points are drawn anew before iterations every, 2·every, …, of which the next one is not done yet.
  const long every = problem.training.points.resample_every;
  EXPECT_EQ(kept.state().generation, every > 0 ? (kept.iterations() - 1) / every : 0);
  shorter.training.stop.iterations = kept.iterations() + 1;
  EXPECT_THROW(solve(executor, shorter), DivergenceError) << "the next state has no finite loss";

  // Going on from it meets the same again.
  SolveOptions again;
  again.checkpoint = folder / "again";
  EXPECT_THROW(resume(executor, Solution::load(options.checkpoint), again), DivergenceError);
  EXPECT_EQ(Solution::load(again.checkpoint).iterations(), kept.iterations());
  EXPECT_EQ(Solution::load(again.checkpoint).state().parameters, kept.state().parameters);
}

TEST(Divergence, AdamKeepsTheLastStateWithAFiniteLoss) {
  expect_last_finite_state(Cpu(1), of_case("diverges_under_adam", {}));
  expect_last_finite_state(Cpu(1), of_case("diverges_under_adam", {"training.points.resample_every=7"}));
  expect_last_finite_state(Cpu(1), of_case("diverges_under_adam", {"training.precision=float32"}));
}

#if SOBOLEV_HAS_CUDA
TEST(DivergenceCuda, ADeviceKeepsTheSameAlthoughItLooksAtEveryTenth) {
  if (Cuda::count() == 0) GTEST_SKIP() << "no CUDA device";
  const std::vector<std::string> smaller = {"training.points={ sobol = 20, condition_points = 10 }",
                                            "network.width=4"};
  expect_last_finite_state(Cuda(0), of_case("diverges_under_adam", smaller));
  std::vector<std::string> resampled = smaller;
  resampled.push_back("training.points.resample_every=7");
  expect_last_finite_state(Cuda(0), of_case("diverges_under_adam", resampled));
}
#endif

/// The points of that generation, drawn again: one of them is where the message says.
TEST(Divergence, BadPointsInMidTrainingEndItWithTheStateSaved) {
  const TemporaryFolder folder;
  for (const char* name : {"bad_point_when_resampled_adam", "bad_point_when_resampled_lm"}) {
    SolveOptions options;
    options.checkpoint = folder / name;
    const std::string message =
        message_of<DivergenceError>([&] { solve(Cpu(1), of_case(name, {}), options); });
    EXPECT_THAT(message, ContainsRegex("equation heat is not finite at t = [0-9.e-]+, x = -0[.]9999[0-9]*"));
    EXPECT_THAT(message, AllOf(HasSubstr(name), HasSubstr(".toml:9:")));
    const Solution kept = Solution::load(options.checkpoint);
    EXPECT_GT(kept.iterations(), 0);
    EXPECT_GT(kept.loss(), 0);
    // The same again from there.
    const std::string again =
        message_of<DivergenceError>([&] { resume(Cpu(1), Solution::load(options.checkpoint), options); });
    EXPECT_EQ(again.substr(again.find("equation heat")), message.substr(message.find("equation heat")));
  }
}

TEST(Divergence, TheEquationOrConditionAtFaultIsNamed) {
  const char* const text = R"toml(
unknowns = ["u", "v"]
[coordinates]
x = [0, 1]
[equations]
first = "u_x - v = 0"
second = "v_x + sqrt(x - 2) = 0"
[conditions]
left = { where = "x = 0", equation = "u = 1" }
right = { where = "x = 1", equation = "v = 2" }
)toml";
  EXPECT_THAT(message_of<ParseError>([&] { solve(Cpu(1), Problem::from_string(text, "p.toml")); }),
              AllOf(HasSubstr("p.toml:7:"), HasSubstr("equation second is not finite at x = ")));
  EXPECT_THAT(message_of<ParseError>([&] {
                solve(Cpu(1), Problem::from_string(text, "p.toml",
                                                   {"equations.second=\"v_x = 0\"",
                                                    "conditions.right.equation=\"v = log(x - 1)\""}));
              }),
              HasSubstr("condition right is not finite at x = 1"));
}

TEST(Divergence, WithoutAnyGoodStateNothingIsSaved) {
  const TemporaryFolder folder;
  SolveOptions options;
  options.checkpoint = folder / "checkpoint";
  const Problem problem = of_case("diverges_under_adam", {"equations.heat=\"u_t - 5 + sqrt(u - 100)\""});
  EXPECT_THAT(message_of<DivergenceError>([&] { solve(Cpu(1), problem, options); }),
              HasSubstr("nothing is saved"));
  EXPECT_EQ(folder.entries(), 0u);
}

TEST(Divergence, APhaseThatCannotBeIsRefusedBeforeTheFirst) {
  SolveOptions options;
  int seen = 0;
  options.progress_seconds = 0;
  options.on_progress = [&](const Progress&) { ++seen; };
  const Problem problem = of_case("diverges_under_adam",
                                  {"network.width=130", "training.points={ sobol = 4, condition_points = 4 }",
                                   "training.phase=[{ optimizer = \"adam\", iterations = 3 }, "
                                   "{ optimizer = \"levenberg_marquardt\", iterations = 3 }]"});
  EXPECT_THAT(message_of<ArgumentError>([&] { solve(Cpu(1), problem, options); }),
              HasSubstr("Make it narrower, or use adam"));
  EXPECT_EQ(seen, 0);
}

/// A later window whose first points are bad: the windows before it are kept.
TEST(Divergence, ALaterWindowLeavesTheOnesBeforeIt) {
  const TemporaryFolder folder;
  SolveOptions options;
  options.checkpoint = folder / "checkpoint";
  const Problem problem =
      of_case("bad_point_when_resampled_lm",
              {"equations.heat=\"u_t - nu*u_xx + sqrt(0.6 - t)\"", "training.windows=2", "training.stop={}",
               "training.points={ sobol = 50, condition_points = 10 }",
               "training.phase=[{ optimizer = \"levenberg_marquardt\", iterations = 4 }]"});
  EXPECT_THAT(message_of<DivergenceError>([&] { solve(Cpu(1), problem, options); }),
              AllOf(HasSubstr("equation heat is not finite at t = 0."), HasSubstr("after 4 iterations")));
  const Solution kept = Solution::load(options.checkpoint);
  EXPECT_EQ(kept.state().parameters.size(), 1u);
  EXPECT_EQ(kept.state().window, 1);
  EXPECT_THROW(resume(Cpu(1), Solution::load(options.checkpoint)), DivergenceError);
}
}  // namespace
}  // namespace sobolev
