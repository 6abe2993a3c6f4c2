// SPDX-License-Identifier: Apache-2.0
// A Solution in a program of a user's own: what it refuses, what it keeps when it is saved and loaded.
#include <gmock/gmock.h>

#include <atomic>
#include <functional>
#include <utility>

#include "sobolev/pinn/solve.hpp"
#include "src/pinn/state.hpp"
#include "tests/io/temporary_folder.hpp"

namespace sobolev {
namespace {
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::message_of;
using testing::TemporaryFolder;

const Expr u = unknown("u"), t = coordinate("t"), x = coordinate("x");

Problem heat() {
  Problem p;
  p.title = "heat";
  p.unknowns = {"u"};
  p.add_coordinate("t", 0, 1).add_coordinate("x", -1, 1);
  p.add_equation("diffusion", d(u, t) - 0.1 * d(u, x, 2));
  p.add_condition("initial", {{"t", 0}}, u - cos(2 * x));
  p.add_condition("left", {{"x", -1}}, u - exp(-0.4 * t) * cos(Expr(2)));
  p.add_condition("right", {{"x", 1}}, u - exp(-0.4 * t) * cos(Expr(2)));
  p.network.width = 8;
  p.training.points.sampling = Sampling::sobol;
  p.training.points.count = 64;
  p.training.points.condition_count = 16;
  p.training.stop.iterations = 6;
  p.training.seed = 3;
  p.reference.exact["u"] = exp(-0.4 * t) * cos(2 * x);
  p.reference.grid = {{"t", 5}, {"x", 9}};
  return p;
}

const double points[] = {0.25, 0.5, 0.75, -0.5};
const View<const double, 2> at(points, 2, 2);

TEST(Solution, EvaluateRefusesNamesThatTheProblemHasNot) {
  const Solution s = solve(Cpu(1), heat());
  const auto message = [&](Expr e) {
    return message_of<ArgumentError>([&] { s.evaluate(Cpu(1), at, {u, e}); });
  };
  EXPECT_THAT(message(d(u, coordinate("y"))), AllOf(HasSubstr("output 1"), HasSubstr("uses y (in u_y)"),
                                                    HasSubstr("the coordinates are t or x")));
  EXPECT_THAT(message(u * coordinate("z")), HasSubstr("uses z, which is not a coordinate"));
  EXPECT_THAT(message(unknown("v")), AllOf(HasSubstr("uses v, which is not an unknown"), HasSubstr("are u")));
  EXPECT_THAT(message(d(unknown("v"), x)), HasSubstr("uses v"));
  for (const char* text : {"v", "u_y", "d(u, y)", "u*z", "sin(u", "diffusoin"})
    EXPECT_THROW(s.evaluate(Cpu(1), at, std::vector<std::string>{text}), ParseError) << text;
  EXPECT_EQ(s.evaluate(Cpu(1), at, {d(u, x, 2)}), s.evaluate(Cpu(1), at, {d(u, x, x)}));
}

TEST(Solution, AssemblyRefusesNamesThatTheProblemHasNot) {
  const auto message = [](auto change) {
    Problem p = heat();
    change(p);
    return message_of<ArgumentError>([&] { solve(Cpu(1), p); });
  };
  EXPECT_THAT(message([](Problem& p) { p.network.output["v"] = u; }),
              HasSubstr("network.output.v: v is not an"));
  EXPECT_THAT(message([](Problem& p) { p.network.output["u"] = t * unknown("v"); }), HasSubstr("uses v"));
  EXPECT_THAT(message([](Problem& p) { p.network.features = {sin(coordinate("y"))}; }), HasSubstr("uses y"));
  EXPECT_THAT(message([](Problem& p) { p.reference.exact["v"] = x; }),
              HasSubstr("reference.exact.v: v is not an"));
  EXPECT_THAT(message([](Problem& p) { p.reference.exact["u"] = coordinate("y"); }), HasSubstr("uses y"));
}

TEST(Solution, AnEmptyOneSaysSo) {
  const TemporaryFolder folder;
  const Solution empty;
  EXPECT_THAT(message_of<ArgumentError>([&] { empty.table(Cpu(1)); }),
              HasSubstr("table: the solution is empty"));
  EXPECT_THAT(message_of<ArgumentError>([&] { empty.evaluate(Cpu(1), at, {u}); }),
              HasSubstr("evaluate: the solution is empty"));
  EXPECT_THAT(message_of<ArgumentError>([&] { empty.evaluate(Cpu(1), at, std::vector<std::string>{"u"}); }),
              HasSubstr("evaluate: the solution is empty"));
  EXPECT_THAT(message_of<ArgumentError>([&] { empty.save(folder / "a.safetensors"); }),
              HasSubstr("save: the solution is empty"));
  EXPECT_THAT(message_of<ArgumentError>([] { resume(Cpu(1), Solution()); }),
              HasSubstr("resume: the solution is empty"));
  EXPECT_EQ(folder.entries(), 0u);
  EXPECT_EQ(empty.parameters(), 0u);
  EXPECT_TRUE(empty.relative_l2().empty());

  Solution moved = solve(Cpu(1), heat());
  const Solution taken = std::move(moved);
  EXPECT_EQ(taken.relative_l2().size(), 1u);
  for (const auto& call : std::vector<std::function<void()>>{
           [&] { moved.table(Cpu(1)); }, [&] { moved.problem(); }, [&] { moved.relative_l2(); },
           [&] { moved.parameters(); }, [&] { moved.save(folder / "a.safetensors"); }, [&] { moved.loss(); }})
    EXPECT_THAT(message_of<ArgumentError>(call), HasSubstr("moved from"));
  moved = solve(Cpu(1), heat());
  EXPECT_EQ(moved.iterations(), 6);
}

/// Interrupted after `iterations`, saved, loaded, resumed.
Solution in_two_parts(Problem p, long iterations, const std::filesystem::path& file,
                      const std::function<Solution()>& load) {
  std::atomic<bool> stop{false};
  SolveOptions options;
  options.stop = &stop;
  options.checkpoint = file;
  options.progress_seconds = 0;
  options.on_progress = [&](const Progress& progress) { stop = progress.row.iteration >= iterations; };
  EXPECT_FALSE(solve(Cpu(1), p, options).finished());
  return resume(Cpu(1), load());
}

TEST(Solution, AProblemAssembledInCppResumesFromItsCheckpoint) {
  const TemporaryFolder folder;
  const auto file = folder / "checkpoint.safetensors";
  const Solution whole = solve(Cpu(1), heat());
  const Solution parts = in_two_parts(heat(), 3, file, [&] { return Solution::load(file); });
  EXPECT_EQ(parts.iterations(), 6);
  EXPECT_EQ(parts.state().parameters, whole.state().parameters);
  EXPECT_TRUE(Problem::from_string(parts.problem().source) == heat());
  EXPECT_EQ(parts.problem().title, "heat");
}

TEST(Solution, ACheckpointHoldsWhatWasSolvedNotWhatWasRead) {
  const TemporaryFolder folder;
  const auto file = folder / "checkpoint.safetensors";
  Problem p = Problem::from_string(heat().to_toml(), "heat.toml");
  p.equations[0].residual = d(u, t) - 0.3 * d(u, x, 2);
  p.training.stop.iterations = 5;
  solve(Cpu(1), p).save(file);
  const Solution loaded = Solution::load(file);
  EXPECT_EQ(loaded.problem().equations[0].residual, p.equations[0].residual);
  EXPECT_EQ(loaded.problem().training.stop.iterations, 5);
  EXPECT_EQ(loaded.problem().name, "heat");
}

TEST(Solution, AProblemTooLargeForAFileIsGivenWhenLoading) {
  const TemporaryFolder folder;
  const auto file = folder / "checkpoint.safetensors";
  Problem p = heat();
  Expr source = 1 + x * x / 8;
  for (int i = 0; i < 17; ++i) source = sin(source) * cos(source);  // 2^17 sines, were it written out
  p.equations[0].residual = p.equations[0].residual - 0.01 * source;
  const Solution whole = solve(Cpu(1), p);
  const Solution parts = in_two_parts(p, 3, file, [&] { return Solution::load(file, p); });
  EXPECT_EQ(parts.state().parameters, whole.state().parameters);
  EXPECT_THAT(message_of<FileError>([&] { Solution::load(file); }),
              HasSubstr("Solution::load(file, problem)"));

  solve(Cpu(1), heat()).save(file);
  EXPECT_EQ(Solution::load(file, heat()).iterations(), 6);
  EXPECT_THAT(message_of<ArgumentError>([&] { Solution::load(file, p); }),
              HasSubstr("not the one that was solved"));
}

TEST(Solution, ErrorsAndReferenceAreThereAfterLoading) {
  const TemporaryFolder folder;
  const auto file = folder / "checkpoint.safetensors";
  const Solution solved = solve(Cpu(1), heat());
  solved.save(file);
  const Solution loaded = Solution::load(file), shown = Solution::load(file);
  ASSERT_EQ(loaded.relative_l2().count("u"), 1u);
  EXPECT_EQ(loaded.relative_l2(), solved.relative_l2());
  EXPECT_EQ(loaded.max_error(), solved.max_error());
  EXPECT_EQ(shown.table(Cpu(1)).reference, solved.table(Cpu(1)).reference);
  EXPECT_EQ(shown.table(Cpu(1)).reference.at("u").size(), 5u * 9u);
  EXPECT_EQ(shown.table(Cpu(1)).prediction, solved.table(Cpu(1)).prediction);
}
}  // namespace
}  // namespace sobolev
