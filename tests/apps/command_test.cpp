// SPDX-License-Identifier: Apache-2.0
// What the command does with wrong input: the exit code, the message, and nothing half-written.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/mount.h>

#include <nlohmann/json.hpp>

#include "sobolev/io/npy.hpp"
#include "sobolev/io/safetensors.hpp"
#include "tests/apps/run_command.hpp"
#include "tests/io/temporary_folder.hpp"
#include "tests/problem/bad_problems.hpp"

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

void expect_refused(const CommandResult& result, const std::string& message, int exit_code = 2) {
  EXPECT_EQ(result.exit_code, exit_code) << result.err;
  EXPECT_THAT(result.err, AllOf(HasSubstr("sobolev: "), HasSubstr(message)));
  EXPECT_THAT(result.err, Not(HasSubstr("terminate")));
  EXPECT_THAT(result.out, IsEmpty());
}

TEST(Command, EveryMistakeInAProblemIsRefusedWithItsPlace) {
  const TemporaryFolder folder;
  for (const testing::BadProblem& bad : testing::bad_problems) {
    SCOPED_TRACE(bad.name);
    const testing::MarkedText marked = testing::text_of(bad);
    write_text(folder / "p.toml", marked.text);
    const CommandResult result =
        run_command({"solve", (folder / "p.toml").string(), "--out", (folder / "out").string()});
    expect_refused(result,
                   fmt::format("{}:{}:{}: ", (folder / "p.toml").string(), marked.line, marked.column));
    EXPECT_THAT(result.err, HasSubstr(bad.message));
    EXPECT_EQ(folder.entries(), 1u) << "nothing was written";
  }
}

TEST(Command, UsageErrorsExitWith2) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{},
                                             {"slove"},
                                             {"solve", "--foo"},
                                             {"solve", "heat", "--threads", "-1"},
                                             {"solve", "heat", "--threads", "x"},
                                             {"solve", "heat", "--seed", "-4"},
                                             {"solve", "heat", "--device", "tpu"},
                                             {"evaluate"},
                                             {"check"},
                                             {"solve"},
                                             {"solve", "heat", "extra"},
                                             {"evaluate", "--points", "p", "--outputs", "u", "--out", "o"}}) {
    SCOPED_TRACE(fmt::format("{}", fmt::join(arguments, " ")));
    expect_refused(run_command(arguments), "");
  }
  expect_refused(run_command({"solve", "--foo"}), "see sobolev solve --help");
  expect_refused(run_command({"sovle", "heat"}),
                 "there is no command sovle, did you mean solve?; the commands are "
                 "solve, train, evaluate, landscape, verify, generate, check, keys, list, info");
  expect_refused(run_command({"heat"}), "there is no command heat; the commands are");
  for (const char* seed : {"-1", "1e15", "many", "9223372036854775808"})
    expect_refused(run_command({"solve", "heat", "--seed", seed}),
                   fmt::format("\"{}\" is no seed; give a whole number in digits, from 0", seed));
}

TEST(Command, HelpAndVersionExitWith0) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"--help"}, {"solve", "--help"}, {"evaluate", "--help"}, {"--version"}}) {
    const CommandResult result = run_command(arguments);
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_THAT(result.out, HasSubstr("sobolev"));
    EXPECT_THAT(result.err, IsEmpty());
  }
}

TEST(Command, NoSuchDeviceExitsWith3) {
#if SOBOLEV_HAS_CUDA
  testing::CommandOptions none;
  none.environment = {"SOBOLEV_SIMULATED_DEVICES=0", "CUDA_VISIBLE_DEVICES="};
  expect_refused(run_command({"solve", "heat", "--device", "cuda"}, none),
                 "cuda:0: no such device; this machine has no CUDA device; use the device cpu", 3);
  expect_refused(run_command({"solve", "heat", "--device", "cuda:99"}), "cuda:99: no such device", 3);
#else
  expect_refused(run_command({"solve", "heat", "--device", "cuda"}), "built without CUDA; use --device cpu",
                 3);
  expect_refused(run_command({"solve", "heat", "--device", "cuda:1"}), "--device cuda:1", 3);
#endif
}

TEST(Command, WhatIsNoDeviceExitsWith2) {
  for (const char* name : {"gpu", "cuda:", "cuda:x", "cuda:-1", "cuda:1x", "cuda:99999999999", "CPU"})
    expect_refused(run_command({"solve", "heat", "--device", name}),
                   fmt::format("--device {}: no such device; use cpu, cuda or cuda:N", name));
}

TEST(Command, OverrideErrorsNameTheOption) {
  expect_refused(run_command({"solve", "heat", "--set", "training.windws=2"}),
                 "--set training.windws=2: unknown key windws");
  expect_refused(run_command({"check", "heat", "--set", "network.width=-2"}),
                 "--set network.width=-2: network.width is -2");
  expect_refused(run_command({"solve", "heat", "--set", "width"}), "expected key.path=value");
}

TEST(Command, ErrorsAreJsonWhenAskedFor) {
  const CommandResult result = run_command({"solve", "nonesuch", "--json"});
  EXPECT_EQ(result.exit_code, 2);
  const auto object = nlohmann::json::parse(result.out);
  EXPECT_EQ(object["exit_code"], 2);
  EXPECT_THAT(object["error"].get<std::string>(), HasSubstr("nonesuch: no such file"));
  const CommandResult strange = run_command({"solve", "\xFF\xFE", "--json"});
  EXPECT_EQ(strange.exit_code, 2);
  EXPECT_TRUE(nlohmann::json::accept(strange.out));
}

TEST(Command, MissingFilesAreNamed) {
  const TemporaryFolder folder;
  expect_refused(run_command({"solve", (folder / "none.toml").string()}), (folder / "none.toml").string());
  expect_refused(run_command({"solve", "burgrs"}), "did you mean burgers?");
  expect_refused(run_command({"solve", folder.path().string()}), "is a folder");
  expect_refused(run_command({"solve", "--resume", (folder / "none").string()}),
                 (folder / "none/checkpoint.safetensors").string());
  expect_refused(run_command({"evaluate", (folder / "none").string(), "--points", "p.npy", "--outputs", "u",
                              "--out", "o.npz"}),
                 (folder / "none").string());
}

TEST(Command, AFolderThatCannotBeWrittenIsRefusedBeforeTraining) {
  const TemporaryFolder folder;
  write_text(folder / "file", "x");
  const CommandResult result = run_command({"solve", "heat", "--out", (folder / "file/run").string()});
  expect_refused(result, (folder / "file/run").string());
  EXPECT_THAT(result.err, Not(HasSubstr("iteration")));
  expect_refused(run_command({"solve", "heat", "--out", "/proc/nowhere"}), "/proc/nowhere");
}

TEST(Command, AFullDiskIsReportedBeforeTraining) {
  const TemporaryFolder folder;
  if (::mount("none", folder.path().c_str(), "tmpfs", 0, "size=128k") != 0)
    GTEST_SKIP() << "mount is not permitted here";
  const CommandResult result = run_command({"solve", "heat", "--out", (folder / "run").string()});
  const bool empty = std::filesystem::is_empty(folder / "run");
  ::umount(folder.path().c_str());
  expect_refused(result, "No space left on device");
  EXPECT_THAT(result.err, Not(HasSubstr("iteration")));
  EXPECT_TRUE(empty);
}

TEST(Command, AFileSizeLimitIsAnErrorNotACrash) {
  const TemporaryFolder folder;
  testing::CommandOptions options;
  options.file_size_limit = 1000;
  expect_refused(run_command({"solve", "heat", "--out", (folder / "run").string()}, options),
                 "File too large");
}

TEST(Command, AFullStandardOutputIsAnError) {
  testing::CommandOptions options;
  options.stdout_file = "/dev/full";
  expect_refused(run_command({"list"}, options), "No space left on device");
}

TEST(Command, DamagedCheckpointsAndWeightsAreRefused) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "run");
  write_npy(folder / "points.npy", {{1, 2}, {0.5, 0.5}});
  for (const std::string& bytes : {std::string(), std::string("no checkpoint"), std::string(4096, '\xFF')}) {
    write_text(folder / "run/checkpoint.safetensors", bytes);
    expect_refused(run_command({"solve", "--resume", (folder / "run").string()}), "checkpoint.safetensors");
    expect_refused(
        run_command({"evaluate", (folder / "run").string(), "--points", (folder / "points.npy").string(),
                     "--outputs", "u", "--out", (folder / "values.npz").string()}),
        "checkpoint.safetensors");
    expect_refused(run_command({"evaluate", "--problem", "heat", "--weights",
                                (folder / "run/checkpoint.safetensors").string(), "--points",
                                (folder / "points.npy").string(), "--outputs", "u", "--out",
                                (folder / "values.npz").string()}),
                   "checkpoint.safetensors");
  }
  write_safetensors(folder / "run/checkpoint.safetensors", {{{"layers.9.bias", {{1}, {1}}}}, {{"a", "b"}}});
  expect_refused(run_command({"solve", "--resume", (folder / "run").string()}), "checkpoint.safetensors");
  EXPECT_FALSE(std::filesystem::exists(folder / "values.npz"));
}

TEST(Command, CheckSaysWhatWasUnderstood) {
  const CommandResult text = run_command({"check", "burgers"});
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_THAT(text.out, AllOf(HasSubstr("burgers.toml: no errors"), HasSubstr("t in [0, 1], time"),
                              HasSubstr("u_xx"), HasSubstr("initial at t = 0")));
}

TEST(Command, ListAndInfo) {
  const CommandResult list = run_command({"list"});
  EXPECT_EQ(list.exit_code, 0);
  EXPECT_THAT(list.out, AllOf(HasSubstr("allen_cahn"), HasSubstr("Krishnapriyan"), HasSubstr("fno_darcy")));
  const auto shipped = nlohmann::json::parse(run_command({"list", "--json"}).out);
  EXPECT_GE(shipped["problems"].size(), 10u);
  EXPECT_GE(shipped["models"].size(), 3u);
  for (const char* kind : {"problems", "models"})
    for (const auto& one : shipped[kind])
      EXPECT_THAT(one["source"].get<std::string>(), Not(IsEmpty())) << one;
  const auto info = nlohmann::json::parse(run_command({"info", "--json"}).out);
#if SOBOLEV_HAS_CUDA
  EXPECT_TRUE(info["cuda"].is_array());
#else
  EXPECT_EQ(info["cuda"], "off");
#endif
  EXPECT_GE(info["threads"], 1);
  EXPECT_THAT(run_command({"info"}).out, HasSubstr("CUDA"));
}
}  // namespace
}  // namespace sobolev
