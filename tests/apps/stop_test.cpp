// SPDX-License-Identifier: Apache-2.0
// Signals to a run, and runs that end because something is not finite.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <nlohmann/json.hpp>

#include "sobolev/io/npy.hpp"
#include "sobolev/io/safetensors.hpp"
#include "tests/apps/run_command.hpp"
#include "tests/io/temporary_folder.hpp"

namespace sobolev {
namespace {
using ::testing::AllOf;
using testing::CommandOptions;
using testing::CommandResult;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using testing::read_text;
using testing::run_command;
using testing::TemporaryFolder;
using testing::write_text;

/// Never ends by itself.
const std::string poisson = R"toml(unknowns = ["u"]
[coordinates]
x = [0, 1]
[equations]
poisson = "u_xx + sin(pi*x)"
[conditions]
left = { where = "x = 0", equation = "u = 0" }
[network]
width = 8
[training]
points = { sobol = 50, resample_every = 1 }
stop = { iterations = 100000000 }
[[training.phase]]
optimizer = "adam"
iterations = 100000000
)toml";

class StopTest : public ::testing::Test {
 protected:
  CommandResult command(const std::vector<std::string>& arguments, CommandOptions options = {}) {
    options.folder = folder.path();
    return run_command(arguments, options);
  }
  CommandResult solve(const std::string& problem, const CommandOptions& options) {
    write_text(folder / "p.toml", problem);
    return command({"solve", "p.toml", "--out", "run", "--threads", "1"}, options);
  }
  bool finished() const { return nlohmann::json::parse(read_text(folder / "run/result.json"))["finished"]; }
  TemporaryFolder folder;
};

TEST_F(StopTest, EverySignalThatAsksToEndSavesTheState) {
  CommandOptions options;
  options.interrupt_times = 3;  // at once: the same request
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGPIPE}) {
    options.interrupt_signal = signal;
    const CommandResult result = solve(poisson, options);
    EXPECT_EQ(result.exit_code, 128 + signal) << result.err;
    EXPECT_THAT(result.err, HasSubstr("To go on: sobolev solve --resume run"));
    EXPECT_FALSE(finished());
    std::filesystem::remove_all(folder / "run");
  }
}

/// It waits, with everything saved, for somebody to read what it has printed.
TEST_F(StopTest, ALaterSignalEndsTheProgramAtOnce) {
  ASSERT_EQ(::mkfifo((folder / "full").c_str(), 0600), 0);
  const int pipe = ::open((folder / "full").c_str(), O_RDWR | O_NONBLOCK);
  for (const std::string line(512, '.'); ::write(pipe, line.data(), line.size()) > 0;) {
  }
  CommandOptions options;
  options.stdout_file = folder / "full";
  options.interrupt_signal = SIGTERM;
  options.interrupt_again = 1.2;
  const CommandResult result = solve(poisson, options);
  ::close(pipe);
  EXPECT_EQ(result.exit_code, 1000 + SIGTERM) << result.err;
  EXPECT_FALSE(finished());
}

TEST_F(StopTest, WhatNohupIgnoresIsIgnored) {
  CommandOptions options;
  options.interrupt_signal = SIGHUP;
  options.ignored = {SIGHUP};
  write_text(folder / "p.toml", poisson);
  const CommandResult result =
      command({"solve", "p.toml", "--out", "run", "--threads", "1", "--set", "training.stop.iterations=3000"},
              options);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(finished());
}

/// The problems of tests/pinn/cases that end with exit code 4.
TEST_F(StopTest, WhatIsNotFiniteExitsWith4AndKeepsTheLastGoodState) {
  write_npy(folder / "points.npy", {{1, 2}, {0.5, 0.5}});
  for (const auto& [name, message] : std::vector<std::pair<std::string, std::string>>{
           {"diverges_under_adam", "the loss is not finite at iteration [0-9]+"},
           {"bad_point_when_resampled_adam", "equation heat is not finite at t = 0[.][0-9]+, x = -0[.]9999"},
           {"bad_point_when_resampled_lm", "equation heat is not finite at t = 0[.][0-9]+, x = -0[.]9999"}}) {
    SCOPED_TRACE(name);
    const std::string file = std::string(SOBOLEV_SOURCE_DIR) + "/tests/pinn/cases/" + name + ".toml";
    const CommandResult result = command({"solve", file, "--out", name, "--threads", "1"});
    EXPECT_EQ(result.exit_code, 4) << result.err;
    EXPECT_THAT(result.err, AllOf(ContainsRegex(message), HasSubstr(name + "/checkpoint.safetensors")));
    const CommandResult values = command({"evaluate", name, "--points", "points.npy", "--outputs", "u,heat",
                                          "--out", "values.npz", "--threads", "1"});
    EXPECT_EQ(values.exit_code, 0) << values.err;
    for (const auto& [output, tensor] : read_npz(folder / "values.npz"))
      EXPECT_TRUE(std::isfinite(tensor.values[0])) << output;
    // It meets the same again, and the state stays.
    const TensorFile kept = read_safetensors(folder / name / "checkpoint.safetensors");
    const CommandResult again = command({"solve", "--resume", name, "--threads", "1"});
    EXPECT_EQ(again.exit_code, 4) << again.err;
    EXPECT_THAT(again.err, ContainsRegex(message));
    const TensorFile still = read_safetensors(folder / name / "checkpoint.safetensors");
    EXPECT_EQ(nlohmann::json::parse(still.metadata.at("state")),
              nlohmann::json::parse(kept.metadata.at("state")));
    EXPECT_EQ(still.at("layers.0.weight").values, kept.at("layers.0.weight").values);
  }
}

TEST_F(StopTest, OptionsAndSettingsThatMeanNothingAreRefused) {
  write_text(folder / "p.toml", poisson);
  for (const char* seconds : {"nan", "inf", "-1", "0", "1e300"}) {
    const CommandResult result =
        command({"solve", "p.toml", "--out", "run", "--checkpoint-every", seconds, "--threads", "1"});
    EXPECT_EQ(result.exit_code, 2) << seconds;
    EXPECT_THAT(result.err, HasSubstr("--checkpoint-every")) << seconds;
  }
  CommandOptions junk;
  junk.environment = {"SOBOLEV_SIMD=junk"};
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"info"}, {"check", "p.toml"}, {"solve", "p.toml"}}) {
    const CommandResult result = command(arguments, junk);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_THAT(result.err, HasSubstr("SOBOLEV_SIMD=junk: use baseline, avx2 or avx512"));
  }
}

TEST_F(StopTest, ResumingOnAnotherInstructionSetIsSaid) {
  CommandOptions options;
  options.interrupt_signal = SIGTERM;
  ASSERT_EQ(solve(poisson, options).exit_code, 128 + SIGTERM);
  const auto path = folder / "run/checkpoint.safetensors";
  TensorFile file = read_safetensors(path);
  EXPECT_EQ(file.metadata.at("version"), nlohmann::json::parse(command({"info", "--json"}).out)["version"]);
  file.metadata["instruction_set"] = "an older one";
  write_safetensors(path, file);
  EXPECT_THAT(command({"solve", "--resume", "run"}, options).err,
              HasSubstr("trained with an older one so far and goes on with "));
}
}  // namespace
}  // namespace sobolev
