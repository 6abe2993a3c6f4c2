// SPDX-License-Identifier: Apache-2.0
// What the command says of input that is odd but no mistake, and that large or deep input is read at once.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "sobolev/io/npy.hpp"
#include "tests/apps/run_command.hpp"
#include "tests/io/temporary_folder.hpp"

namespace sobolev {
namespace {
using ::testing::AllOf;
using testing::CommandResult;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::run_command;
using testing::TemporaryFolder;
using testing::write_text;

std::string case_file(const std::string& name) {
  return SOBOLEV_SOURCE_DIR "/tests/pinn/cases/" + name + ".toml";
}
std::string problem_with(const std::string& right) {
  return "unknowns = [\"u\"]\n[coordinates]\nt = [0, 1]\nx = [-1, 1]\n[equations]\nheat = \"u_t = " + right +
         "\"\n[conditions]\ninitial = { where = \"t = 0\", equation = \"u = sin(pi*x)\" }\n";
}
std::string repeat(const std::string& piece, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += piece;
  return text;
}
/// The problem trained for an iteration.
CommandResult solve_shortly(const std::string& problem, const std::filesystem::path& out,
                            const testing::CommandOptions& options = {}) {
  return run_command(
      {"solve", problem, "--out", out.string(), "--threads", "1", "--set", "training.stop={ iterations = 1 }",
       "--set", "network.width=4", "--set", "training.points={ sobol = 32, condition_points = 8 }"},
      options);
}

TEST(Input, AJumpInADivergenceIsCut) {
  const CommandResult result = run_command({"check", case_file("jump_coefficient")});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("the domain is cut at y = 0.5 into 2 pieces"),
                    HasSubstr("interface_1_T at y = 0.5: T is continuous (by equation heat)"),
                    HasSubstr("interface_1_heat at y = 0.5: (1 + 99*heaviside(y - 0.5))*T_y is continuous")));
  const auto object =
      nlohmann::json::parse(run_command({"check", case_file("jump_coefficient"), "--json"}).out);
  EXPECT_EQ(object["interfaces"]["places"].dump(), "[0.5]");
  EXPECT_EQ(object["interfaces"]["conditions"][1]["continuous"], "(1 + 99*heaviside(y - 0.5))*T_y");
  const TemporaryFolder folder;
  const CommandResult solved = solve_shortly(case_file("jump_coefficient"), folder / "run");
  EXPECT_EQ(solved.exit_code, 0) << solved.err;
  EXPECT_THAT(solved.err, HasSubstr("the domain is cut at y = 0.5"));
}

TEST(Input, AJumpThatIsNoPlaneIsRefused) {
  const CommandResult result = run_command({"check", case_file("jump_coefficient"), "--set",
                                            "equations.heat=d((1 + 99*heaviside(T - 0.5))*d(T, y), y) = 0"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr("jumps"), HasSubstr("q = k*T_y and q_y = 0")));
}

TEST(Input, WhatIsNotBuiltInIsSaid) {
  const TemporaryFolder folder;
  const std::string note = "the initial data of u is not built into the output, because its value jumps";
  EXPECT_THAT(run_command({"check", case_file("jump_initial")}).out, HasSubstr(note));
  const auto object = nlohmann::json::parse(run_command({"check", case_file("jump_initial"), "--json"}).out);
  EXPECT_THAT(object["notes"].dump(), HasSubstr(note));
  const CommandResult solved = solve_shortly(case_file("jump_initial"), folder / "run");
  EXPECT_EQ(solved.exit_code, 0) << solved.err;
  const std::size_t first = solved.err.find(note);
  ASSERT_NE(first, std::string::npos) << solved.err;
  EXPECT_EQ(solved.err.find(note, first + 1), std::string::npos) << "said once";
  const CommandResult quiet = run_command({"solve", "--resume", (folder / "run").string(), "--quiet"});
  EXPECT_THAT(quiet.err, Not(HasSubstr(note)));
}

TEST(Input, DataThatDisagreesIsSaid) {
  EXPECT_THAT(run_command({"check", case_file("rod_corner")}).out,
              AllOf(HasSubstr("start and left disagree at t = 0, x = 0: u is 50 by the one and 70"),
                    HasSubstr("start and right disagree at t = 0, x = 1: u is 50 by the one and 40"),
                    HasSubstr("because it disagrees with the condition left")));
}

TEST(Input, ExactMayLeaveUnknownsOut) {
  const TemporaryFolder folder;
  const CommandResult result = solve_shortly(case_file("left_out"), folder / "run");
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("u: relative L2 error"), Not(HasSubstr("v: relative L2 error"))));
  const NamedTensors arrays = read_npz(folder / "run/solution.npz");
  std::string names;
  for (const auto& [name, tensor] : arrays) names += name + " ";
  EXPECT_EQ(names, "t u v reference.u error.u ");
  EXPECT_THAT(testing::read_text(folder / "run/report.html"), HasSubstr("v: solution"));
}

TEST(Input, HighDerivativesArePrintedAtOnce) {
  const auto start = std::chrono::steady_clock::now();
  const CommandResult result = run_command({"check", case_file("tenth_derivative")});
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_LT(result.out.size(), 10000u);
  EXPECT_THAT(result.out, HasSubstr("…"));
}

// What nests deeply must not need a large stack: a thread or a container may have a small one.
TEST(Input, NestingNeedsLittleStack) {
#if defined(__SANITIZE_ADDRESS__) || !defined(NDEBUG)
  GTEST_SKIP() << "frames of this build are larger";
#endif
  const TemporaryFolder folder;
  testing::CommandOptions small;
  small.stack_limit = rlim_t{256} << 10;
  const auto check = [&](const std::string& text) {
    write_text(folder / "p.toml", text);
    return run_command({"check", (folder / "p.toml").string()}, small);
  };
  EXPECT_EQ(check(problem_with(repeat("sin(", 199) + "u" + repeat(")", 199))).exit_code, 0);
  EXPECT_EQ(check(problem_with(repeat("min(x, ", 199) + "u" + repeat(")", 199))).exit_code, 0);
  EXPECT_EQ(check(problem_with(repeat("(", 199) + "u" + repeat(")", 199))).exit_code, 0);
  for (const std::string& deep : {"a" + repeat(".a", 20000) + " = 1\n", "[a" + repeat(".a", 600) + "]\n",
                                  "a = " + repeat("[", 250) + "\n", "a = " + repeat("{ a = ", 250) + "\n"}) {
    const CommandResult result = check(problem_with("u") + deep);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_THAT(result.err, HasSubstr("nested more than 32 levels"));
  }
  write_text(folder / "p.toml", problem_with("u" + repeat("+x*t", 8000) + repeat("+sin(u)", 4000)));
  EXPECT_EQ(solve_shortly((folder / "p.toml").string(), folder / "run", small).exit_code, 0);
}

TEST(Input, PointsOutsideTheDomainAreSaid) {
  const TemporaryFolder folder;
  write_text(folder / "p.toml", problem_with("u_xx"));
  ASSERT_EQ(solve_shortly((folder / "p.toml").string(), folder / "run").exit_code, 0);
  const auto evaluate = [&](const std::vector<double>& points) {
    write_npy(folder / "points.npy", {{points.size() / 2, 2}, points});
    return run_command({"evaluate", (folder / "run").string(), "--points", (folder / "points.npy").string(),
                        "--outputs", "u", "--out", (folder / "values.npz").string()});
  };
  EXPECT_THAT(evaluate({0.5, 1, 1, -1}).err, IsEmpty());
  const CommandResult outside = evaluate({0.5, 0, 0.5, 7, 0.5, -1.5});
  EXPECT_EQ(outside.exit_code, 0);
  EXPECT_THAT(outside.err, AllOf(HasSubstr("warning: 2 of 3 points lie outside the domain"),
                                 HasSubstr("point 1 has x = 7, 6 beyond [-1, 1] (3 times its length)")));
  EXPECT_EQ(read_npz(folder / "values.npz")[0].second.values.size(), 3u);
}
}  // namespace
}  // namespace sobolev
