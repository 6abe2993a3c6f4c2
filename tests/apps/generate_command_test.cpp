// SPDX-License-Identifier: Apache-2.0
// `generate`: files, what it prints, what it refuses, and that an interrupt leaves nothing.
#include <gmock/gmock.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "sobolev/io/array_file.hpp"
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

TEST(GenerateCommand, WritesAFileAndSaysWhatIsInIt) {
  const TemporaryFolder folder;
  for (const std::string extension : {".h5", ".hdf5", ".npz"}) {
    const std::string file = folder / ("darcy" + extension);
    const CommandResult result = run_command({"generate", "darcy", "--samples", "3", "--grid", "17", "--seed",
                                              "5", "--set", "high=100", "--out", file, "--json"});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    const auto json = nlohmann::json::parse(result.out);
    EXPECT_EQ(json["file"], file);
    EXPECT_EQ(json["samples"], 3);
    EXPECT_EQ(json["grid"], 17);
    EXPECT_EQ(json["seed"], 5);
    EXPECT_GE(json["seconds"], 0);
    EXPECT_THAT(result.err, HasSubstr("1/3 samples"));
    const ArrayFile arrays(file);
    EXPECT_EQ(arrays.array("sol").shape, (std::vector<std::size_t>{3, 17, 17}));
    EXPECT_EQ(arrays.array("sol").type, "float64");
    EXPECT_EQ(std::get<std::string>(arrays.attributes().at("sha256")), json["sha256"]);
    EXPECT_EQ(std::get<double>(arrays.attributes().at("high")), 100);
  }
}

TEST(GenerateCommand, TheHashDependsOnNothingButTheData) {
  const TemporaryFolder folder;
  const auto hash = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words{"generate", "burgers", "--samples", "3",
                                   "--grid",   "16",      "--quiet",   "--json"};
    words.insert(words.end(), more.begin(), more.end());
    const CommandResult result = run_command(words);
    EXPECT_EQ(result.err, "");
    return nlohmann::json::parse(result.out)["sha256"].get<std::string>();
  };
  const std::string file = folder / "b.npz", first = hash({"--out", file, "--threads", "1"});
  EXPECT_EQ(hash({"--out", file, "--threads", "3"}), first);  // over the file that was there
  EXPECT_EQ(hash({"--out", folder / "b.h5"}), first);
  EXPECT_NE(hash({"--out", file, "--seed", "1"}), first);
  EXPECT_NE(hash({"--out", file, "--float32"}), first);
  EXPECT_EQ(ArrayFile(file).array("u").type, "float32");
  EXPECT_NE(hash({"--out", file, "--set", "nu=0.2"}), first);
}

TEST(GenerateCommand, ListsRecipesAndTheirOptions) {
  const CommandResult all = run_command({"generate"}),
                      one = run_command({"generate", "burgers", "--options"});
  EXPECT_EQ(all.exit_code, 0);
  EXPECT_THAT(all.out, AllOf(HasSubstr("darcy"), HasSubstr("navier_stokes"), HasSubstr("--options")));
  EXPECT_EQ(one.exit_code, 0);
  EXPECT_THAT(one.out, AllOf(HasSubstr("nu "), HasSubstr("viscosity"), HasSubstr("default 0.1"),
                             Not(HasSubstr("darcy"))));
  const auto json = nlohmann::json::parse(run_command({"generate", "burgers", "--options", "--json"}).out);
  ASSERT_EQ(json["generators"].size(), 1u);
  EXPECT_EQ(json["generators"][0]["options"][0]["key"], "grid");
  EXPECT_EQ(json["generators"][0]["options"][0]["default"], "8192");
}

TEST(GenerateCommand, RefusesBeforeItWorks) {
  const TemporaryFolder folder;
  const auto message = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words{"generate"};
    words.insert(words.end(), more.begin(), more.end());
    const CommandResult result = run_command(words);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_THAT(result.err, Not(HasSubstr("samples  "))) << "it worked";
    return result.err;
  };
  const std::string file = folder / "x.npz";
  EXPECT_THAT(
      message({"darci", "--samples", "1", "--out", file}),
      AllOf(HasSubstr("no generator darci"), HasSubstr("did you mean darcy?"), HasSubstr("antiderivative")));
  EXPECT_THAT(message({"darci", "--options"}), HasSubstr("did you mean darcy?"));
  EXPECT_THAT(message({"darcy", "--out", file}), HasSubstr("--samples N"));
  EXPECT_THAT(message({"darcy", "--samples", "1"}), HasSubstr("--out FILE"));
  EXPECT_THAT(message({"darcy", "--samples", "0", "--out", file}), HasSubstr("--samples"));
  EXPECT_THAT(message({"darcy", "--samples", "1", "--grid", "2", "--out", file}),
              HasSubstr("grid is \"2\"; it must be a whole number from 3 to 8192"));
  EXPECT_THAT(message({"darcy", "--samples", "1", "--out", file, "--set", "hihg=2"}),
              HasSubstr("did you mean high?"));
  EXPECT_THAT(message({"darcy", "--samples", "1", "--out", folder / "x.csv"}), HasSubstr("x.csv"));
  EXPECT_THAT(message({"darcy", "--samples", "1", "--out", folder.path()}),
              HasSubstr(folder.path().string()));
  EXPECT_THAT(message({"darcy", "--samples", "1", "--out", "/proc/none/x.npz"}), HasSubstr("/proc/none"));
  EXPECT_THAT(message({"darcy", "--samples", "90000000", "--out", file}), HasSubstr("GB are free"));
  EXPECT_THAT(message({"darcy", "--samples", "1", "--out", file, "--seed", "-1"}), HasSubstr("whole number"));
  EXPECT_EQ(folder.entries(), 0u);
  const CommandResult memory = run_command({"generate", "navier_stokes", "--samples", "1", "--grid", "8192",
                                            "--set", "end=100000", "--out", file, "--json"});
  EXPECT_EQ(memory.exit_code, 3);
  EXPECT_THAT(nlohmann::json::parse(memory.out)["error"].get<std::string>(), HasSubstr("GB of memory"));
}

TEST(GenerateCommand, AnInterruptLeavesNothing) {
  const TemporaryFolder folder;
  CommandOptions options;
  options.interrupt_signal = SIGINT;
  const std::string kept = folder / "kept.npz";
  testing::write_text(kept, "earlier");
  for (const std::string& file : {kept, (folder / "new.h5").string()}) {
    const CommandResult result =
        run_command({"generate", "darcy", "--samples", "5000", "--grid", "64", "--out", file}, options);
    EXPECT_EQ(result.exit_code, 130) << result.err;
    EXPECT_THAT(result.err, HasSubstr("interrupted; " + file + " was not written"));
  }
  EXPECT_EQ(folder.entries(), 1u);
  EXPECT_EQ(read_text(kept), "earlier");
}

TEST(GenerateCommand, AFullDiskLeavesNothing) {
  const TemporaryFolder folder;
  CommandOptions options;
  options.file_size_limit = 100000;
  for (const std::string extension : {".h5", ".npz"}) {
    const std::string file = folder / ("x" + extension);
    const CommandResult result =
        run_command({"generate", "darcy", "--samples", "20", "--grid", "64", "--out", file}, options);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_THAT(result.err, HasSubstr(file));
  }
  EXPECT_EQ(folder.entries(), 0u);
}

TEST(GenerateCommand, DrawsItsProgressOnATerminal) {
  const TemporaryFolder folder;
  CommandOptions options;
  options.terminal_columns = 60;
  const CommandResult result =
      run_command({"generate", "antiderivative", "--samples", "4", "--out", folder / "a.npz"}, options);
  ASSERT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.err, AllOf(HasSubstr("[####################]  100 %"), HasSubstr("4/4 samples")));
}

}  // namespace
}  // namespace sobolev
