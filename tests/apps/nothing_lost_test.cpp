// SPDX-License-Identifier: Apache-2.0
// Whatever happens to the streams, the folder or the disk of a run: what it has is kept.
#include <gmock/gmock.h>

#include <csignal>
#include <map>
#include <nlohmann/json.hpp>

#include "sobolev/io/folder_lock.hpp"
#include "sobolev/io/safetensors.hpp"
#include "tests/apps/run_command.hpp"
#include "tests/io/temporary_folder.hpp"

namespace sobolev {
namespace {
using ::testing::AllOf;
using testing::CommandOptions;
using testing::CommandResult;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::read_text;
using testing::run_command;
using testing::TemporaryFolder;
using testing::write_text;

const std::string adam_heat = R"toml(unknowns = ["u"]
[coordinates]
t = [0, 1]
x = [0, 1]
[equations]
heat = "u_t - 0.1*u_xx"
[conditions]
initial = { where = "t = 0", equation = "u = sin(pi*x)" }
left = { where = "x = 0", equation = "u = 0" }
right = { where = "x = 1", equation = "u = 0" }
[network]
width = 8
[training]
points = { sobol = 128, condition_points = 32 }
stop = { iterations = 4000 }
[[training.phase]]
optimizer = "adam"
iterations = 100000
)toml";
constexpr const char* files[] = {"checkpoint.safetensors", "history.csv", "report.html", "result.json",
                                 "solution.npz"};

class NothingLostTest : public ::testing::Test {
 protected:
  NothingLostTest() { write_text(folder / "heat.toml", adam_heat); }
  CommandResult solve(const std::string& out, std::vector<std::string> more = {},
                      CommandOptions options = {}) {
    more.insert(more.begin(), {"solve", "heat.toml", "--out", out, "--threads", "1"});
    options.folder = folder.path();
    return run_command(more, options);
  }
  std::map<std::string, std::string> contents(const std::string& run) const {
    std::map<std::string, std::string> all;
    for (const auto& entry : std::filesystem::directory_iterator(folder / run))
      all[entry.path().filename()] = read_text(entry.path());
    return all;
  }
  TemporaryFolder folder;
};
const std::vector<std::string> endless = {
    "--set", "training.stop.iterations=100000000", "--set",
    "training.phase=[{ optimizer = \"adam\", iterations = 100000000 }]"};
std::vector<std::string> with(std::vector<std::string> list, const std::vector<std::string>& more) {
  list.insert(list.end(), more.begin(), more.end());
  return list;
}

TEST_F(NothingLostTest, NoStreamEndsATraining) {
  ASSERT_EQ(solve("plain", {"--quiet"}).exit_code, 0);
  const std::string solution = read_text(folder / "plain/solution.npz");
  struct Case {
    const char* name;
    CommandOptions options;
    int exit_code;
  };
  std::vector<Case> cases;
  const auto add = [&](const char* name, int exit_code) -> CommandOptions& {
    cases.push_back({name, {}, exit_code});
    return cases.back().options;
  };
  add("stdin closed", 0).closed = {0};
  add("stdout closed", 2).closed = {1};
  add("stderr closed", 0).closed = {2};
  add("all closed", 2).closed = {0, 1, 2};
  add("stdout full", 2).stdout_file = "/dev/full";
  add("stderr full", 0).stderr_file = "/dev/full";
  add("pipes that nobody reads", 2).readers_gone = true;
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    std::filesystem::remove_all(folder / "run");
    const CommandResult result = solve("run", {"--checkpoint-every", "0.01"}, c.options);
    EXPECT_EQ(result.exit_code, c.exit_code) << result.err;
    const auto left = contents("run");
    EXPECT_EQ(left.size(), std::size(files));
    EXPECT_EQ(read_text(folder / "run/solution.npz"), solution) << "no progress line went into it";
    EXPECT_TRUE(nlohmann::json::accept(left.at("result.json")));
    EXPECT_NO_THROW(read_safetensors(folder / "run/checkpoint.safetensors"));
  }
  CommandOptions full;
  full.stdout_file = "/dev/full";
  EXPECT_THAT(solve("run", {}, full).err, HasSubstr("cannot write to standard output: No space left"));
  EXPECT_EQ(solve("run", {"--quiet"}, full).exit_code, 0) << "nothing was to be printed";
}

TEST_F(NothingLostTest, ARefusedRunLeavesTheEarlierOneAsItWas) {
  ASSERT_EQ(solve("run", {"--quiet"}).exit_code, 0);
  const auto before = contents("run");
  for (const char* mistake :
       {"network.output={ u = \"1 + t*u\" }",                 // contradicts the initial condition
        "equations.heat=\"u_t - 0.1*u_xx + sqrt(x - 0.5)\"",  // not finite at the first points
        "equations.heat=\"u_t - 0.1*u_xx + log(u - 100)\"",   // not finite at the first iteration
        "reference={ file = \"none.npz\" }",                  // a file that is missing
        "training.phase=[{ optimizer = \"levenberg_marquardt\" }]\nnetwork.width=400", "unknowns=3"}) {
    std::vector<std::string> more;
    for (std::string rest = mistake; !rest.empty();) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      more.insert(more.end(), {"--set", rest.substr(0, end)});
      rest.erase(0, end + 1);
    }
    const CommandResult result = solve("run", more);
    EXPECT_THAT(result.exit_code, ::testing::AnyOf(2, 4)) << mistake << result.err;
    EXPECT_EQ(contents("run"), before) << mistake;
  }
  ASSERT_EQ(solve("run", {"--quiet", "--seed", "3"}).exit_code, 0);
  const auto after = contents("run");
  EXPECT_EQ(after.size(), std::size(files));
  for (const char* file : files) EXPECT_NE(after.at(file), before.at(file)) << file;
}

TEST_F(NothingLostTest, OldResultsGoWithTheFirstCheckpointAndNotBefore) {
  ASSERT_EQ(solve("run", {"--quiet"}).exit_code, 0);
  const auto before = contents("run");
  CommandOptions kill;
  kill.interrupt_signal = SIGKILL;
  EXPECT_EQ(solve("run", with(endless, {"--seed", "3", "--checkpoint-every", "1e6"}), kill).exit_code,
            1000 + SIGKILL);
  auto after = contents("run");
  after.erase(".sobolev-lock");
  EXPECT_EQ(after, before) << "it had nothing yet";

  kill.interrupt_when = [&](const std::string&) {
    return read_text(folder / "run/checkpoint.safetensors") != before.at("checkpoint.safetensors");
  };
  EXPECT_EQ(solve("run", with(endless, {"--seed", "3", "--checkpoint-every", "0.01"}), kill).exit_code,
            1000 + SIGKILL);
  for (const char* file : files)
    EXPECT_EQ(std::filesystem::exists(folder / "run" / file), file == std::string("checkpoint.safetensors"))
        << file;
  // What the killed run left beside its checkpoint goes with the next one.
  write_text(folder / "run/.sobolev-abcdef.tmp", "half");
  CommandOptions here;
  here.interrupt_signal = SIGTERM;
  here.folder = folder.path();
  EXPECT_EQ(run_command({"solve", "--resume", "run"}, here).exit_code, 128 + SIGTERM);
  EXPECT_EQ(contents("run").size(), std::size(files));
}

TEST_F(NothingLostTest, AFinishedRunGoesWholeToAnotherFolder) {
  ASSERT_EQ(solve("run", {"--quiet"}).exit_code, 0);
  ASSERT_EQ(solve("other", {"--quiet", "--seed", "3"}).exit_code, 0);
  CommandOptions here;
  here.folder = folder.path();
  ASSERT_EQ(run_command({"solve", "--resume", "run", "--out", "other", "--quiet"}, here).exit_code, 0);
  const auto there = contents("other"), original = contents("run");
  EXPECT_EQ(there.size(), std::size(files));
  for (const char* file : {"checkpoint.safetensors", "solution.npz", "history.csv"})
    EXPECT_EQ(there.at(file), original.at(file)) << file;
}

TEST_F(NothingLostTest, ASecondRunInTheFolderIsRefused) {
  CommandResult second;
  CommandOptions stop;
  stop.interrupt_signal = SIGTERM;
  stop.interrupt_when = [&](const std::string&) {
    second = solve("run", {"--quiet"});
    return true;
  };
  EXPECT_EQ(solve("run", endless, stop).exit_code, 128 + SIGTERM);
  EXPECT_EQ(second.exit_code, 2);
  EXPECT_THAT(second.err, AllOf(HasSubstr("run: another run (process "), HasSubstr("--out")));
  EXPECT_EQ(contents("run").size(), std::size(files));
  {
    const FolderLock lock(folder / "run");
    CommandOptions here;
    here.folder = folder.path();
    EXPECT_THAT(run_command({"solve", "--resume", "run"}, here).err, HasSubstr("another run"));
  }
}

/// A folder in the checkpoint's place: no save succeeds as long as it is there.
TEST_F(NothingLostTest, AFailedSaveIsAWarningAndTriedAgain) {
  const auto checkpoint = folder / "run/checkpoint.safetensors";
  bool blocked = false, freed = false;
  CommandOptions stop;
  stop.interrupt_signal = SIGTERM;
  stop.interrupt_when = [&](const std::string& err) {
    std::error_code ignored;
    if (!blocked) {
      std::filesystem::remove(checkpoint, ignored);
      blocked = std::filesystem::create_directory(checkpoint, ignored);
      return false;
    }
    if (!freed && err.find("warning") != std::string::npos) {
      freed = std::filesystem::remove(checkpoint, ignored);
      return false;
    }
    return freed && std::filesystem::is_regular_file(checkpoint, ignored);
  };
  const CommandResult result = solve("run", with(endless, {"--checkpoint-every", "0.1"}), stop);
  EXPECT_EQ(result.exit_code, 128 + SIGTERM) << result.err;
  EXPECT_THAT(result.err,
              AllOf(HasSubstr("sobolev: warning: the state after "), HasSubstr("Is a directory"),
                    HasSubstr("the training goes on"), HasSubstr("interrupted; the state is saved")));
  EXPECT_EQ(contents("run").size(), std::size(files));
}

TEST_F(NothingLostTest, WhenTheLastSaveFailsTheResultsAreWritten) {
  const auto checkpoint = folder / "run/checkpoint.safetensors";
  CommandOptions stop;
  stop.interrupt_signal = SIGTERM;
  bool blocked = false;
  stop.interrupt_when = [&](const std::string& err) {
    std::error_code ignored;
    if (!blocked) {
      std::filesystem::remove(checkpoint, ignored);
      blocked = std::filesystem::create_directory(checkpoint, ignored);
    }
    return err.find("warning") != std::string::npos;
  };
  const CommandResult result = solve("run", with(endless, {"--checkpoint-every", "0.1"}), stop);
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr("not all is saved"), HasSubstr("checkpoint.safetensors"),
                                Not(HasSubstr("the state is saved"))));
  std::size_t warnings = 0;
  for (std::size_t at = 0; (at = result.err.find("warning", at)) != std::string::npos; ++at) ++warnings;
  EXPECT_EQ(warnings, 1u) << "the next one would come after a minute";
  for (const char* file : {"history.csv", "report.html", "result.json", "solution.npz"})
    EXPECT_TRUE(std::filesystem::is_regular_file(folder / "run" / file)) << file;
}

TEST_F(NothingLostTest, WhatIsNoFileIsRefusedBeforeTraining) {
  std::filesystem::create_directories(folder / "run");
  std::filesystem::create_symlink("/dev/null", folder / "run/report.html");
  const CommandResult result = solve("run");
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr("run/report.html: it is a device"), Not(HasSubstr("iteration"))));
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "run/report.html"));
}
}  // namespace
}  // namespace sobolev
