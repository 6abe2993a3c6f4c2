// SPDX-License-Identifier: Apache-2.0
// `verify` and `solve --verify`: what they write, what they leave alone, what they refuse.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "sobolev/io/npy.hpp"
#include "tests/apps/run_command.hpp"
#include "tests/io/temporary_folder.hpp"

namespace sobolev {
namespace {
using nlohmann::json;
using ::testing::AllOf;
using testing::CommandOptions;
using testing::CommandResult;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::read_text;
using testing::run_command;
using testing::TemporaryFolder;
using testing::write_text;

/// Without time.
const std::string poisson = R"toml(unknowns = ["u"]
[coordinates]
x = [0, 1]
[equations]
poisson = "u_xx = -pi^2*sin(pi*x)"
[conditions]
left = { where = "x = 0", equation = "u = 0" }
right = { where = "x = 1", equation = "u = 0" }
[network]
width = 6
[training]
points = { sobol = 100 }
stop = { iterations = 6 }
[reference]
exact = { u = "sin(pi*x)" }
)toml";

class VerifyCommandTest : public ::testing::Test {
 protected:
  VerifyCommandTest() { write_text(folder / "p.toml", poisson); }
  CommandResult command(const std::vector<std::string>& arguments, CommandOptions options = {}) {
    options.folder = folder.path();
    return run_command(arguments, options);
  }
  void solve() {
    ASSERT_EQ(command({"solve", "p.toml", "--quiet", "--out", "run", "--threads", "1"}).exit_code, 0);
  }
  TemporaryFolder folder;
};

TEST_F(VerifyCommandTest, SecondsMustBeANumber) {
  solve();
  for (const char* seconds : {"nan", "-1", "inf", "ten"}) {
    const CommandResult result = command({"verify", "run", "--seconds", seconds});
    EXPECT_EQ(result.exit_code, 2) << seconds;
    EXPECT_THAT(result.err, HasSubstr("are no seconds; give a number from 0 to 1e+09")) << seconds;
  }
}

TEST_F(VerifyCommandTest, WritesTheEstimateBesideTheRun) {
  solve();
  const std::string checkpoint = read_text(folder / "run/checkpoint.safetensors"),
                    solution = read_text(folder / "run/solution.npz");
  const json before = json::parse(read_text(folder / "run/result.json"));
  const CommandResult result = command({"verify", "run", "--seconds", "1", "--threads", "1", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  json printed = json::parse(result.out);
  EXPECT_EQ(printed["problem"], "p");
  EXPECT_GT(printed["relative_l2"]["u"], 0);
  for (const char* key : {"largest", "constants", "sound", "worth", "complete", "until", "residual_left",
                          "overlooked", "largest_residual", "windows", "parameters", "iterations", "seconds"})
    EXPECT_TRUE(printed.contains(key)) << key;
  const json file = json::parse(read_text(folder / "run/verify.json"));
  EXPECT_EQ(file["relative_l2"], printed["relative_l2"]);
  json after = json::parse(read_text(folder / "run/result.json"));
  EXPECT_EQ(after["verify"], file);
  after.erase("verify");
  EXPECT_EQ(after, before);
  const NamedTensors arrays = read_npz((folder / "run/verify.npz").string());
  ASSERT_EQ(arrays.size(), 2u);
  EXPECT_EQ(arrays[0].second.shape, arrays[1].second.shape);
  EXPECT_THAT(read_text(folder / "run/verify.html"),
              AllOf(HasSubstr("<h2>Estimated error</h2>"), HasSubstr("|estimated error| of u")));
  EXPECT_EQ(read_text(folder / "run/checkpoint.safetensors"), checkpoint);
  EXPECT_EQ(read_text(folder / "run/solution.npz"), solution);
  // A new run takes them away.
  solve();
  EXPECT_FALSE(std::filesystem::exists(folder / "run/verify.json"));
}

TEST_F(VerifyCommandTest, TakesACheckpointAndAnotherFolder) {
  solve();
  const std::string result_json = read_text(folder / "run/result.json");
  const CommandResult result = command(
      {"verify", "run/checkpoint.safetensors", "--seconds", "1", "--threads", "1", "--out", "elsewhere"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("u: estimated relative L2 error "), HasSubstr("estimate: ")));
  EXPECT_TRUE(std::filesystem::exists(folder / "elsewhere/verify.html"));
  EXPECT_EQ(read_text(folder / "run/result.json"), result_json);
}

TEST_F(VerifyCommandTest, SolveEndsWithAnEstimate) {
  const CommandResult result =
      command({"solve", "p.toml", "--verify", "--out", "run", "--threads", "1", "--quiet", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_GT(json::parse(result.out)["verify"]["relative_l2"]["u"], 0);
  EXPECT_THAT(read_text(folder / "run/report.html"),
              AllOf(HasSubstr("|estimated error| of u"), HasSubstr("|error| of u")));
}

TEST_F(VerifyCommandTest, RefusesWhatIsNoRun) {
  EXPECT_EQ(command({"verify"}).exit_code, 2);
  const CommandResult none = command({"verify", "none"});
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_FALSE(std::filesystem::exists(folder / "none"));
  solve();
  std::string damaged = read_text(folder / "run/checkpoint.safetensors");
  damaged.resize(damaged.size() / 2);
  write_text(folder / "run/checkpoint.safetensors", damaged);
  const CommandResult result = command({"verify", "run", "--json"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("checkpoint.safetensors"));
  EXPECT_FALSE(std::filesystem::exists(folder / "run/verify.json"));
}

TEST_F(VerifyCommandTest, EndsCleanlyWhenAskedTo) {
  solve();
  CommandOptions options;
  options.interrupt_signal = SIGINT;
  const CommandResult result = command({"verify", "run", "--seconds", "600", "--threads", "1"}, options);
  // Where it was done before the signal came, it is 0.
  EXPECT_THAT(result.exit_code, ::testing::AnyOf(130, 0)) << result.err;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "run"))
    EXPECT_THAT(entry.path().filename().string(), Not(HasSubstr(".tmp")));
}
}  // namespace
}  // namespace sobolev
