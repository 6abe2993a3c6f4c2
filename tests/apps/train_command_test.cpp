// SPDX-License-Identifier: Apache-2.0
// `train` on generated data, `evaluate --input`, and what they refuse.
#include <gmock/gmock.h>

#include <cmath>
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
using testing::read_text;
using testing::run_command;
using testing::TemporaryFolder;

std::vector<std::string> train(const std::vector<std::string>& more) {
  std::vector<std::string> words{"train", "fno_burgers",   "--set", "model.width=8",
                                 "--set", "model.modes=4", "--set", "data.train=8",
                                 "--set", "data.test=4",   "--set", "training.batch=4"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

TEST(TrainCommand, TrainsOnGeneratedDataAndEvaluates) {
  const TemporaryFolder folder;
  const std::string data = folder / "burgers.h5", run = folder / "run";
  ASSERT_EQ(run_command({"generate", "burgers", "--samples", "12", "--grid", "32", "--out", data, "--quiet"})
                .exit_code,
            0);
  const CommandResult result = run_command(
      train({"--set", "training.epochs=5", "--data", data, "--out", run, "--json", "--seed", "4"}));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json["model"], "fno_burgers");
  EXPECT_EQ(json["epochs"], 5);
  EXPECT_EQ(json["iterations"], 10);
  EXPECT_EQ(json["seed"], 4);
  EXPECT_EQ(json["test"]["samples"], 4);
  EXPECT_GT(json["test"]["relative_l2"].get<double>(), 0);
  EXPECT_LE(json["test"]["relative_l2"].get<double>(), json["test"]["worst"].get<double>());
  EXPECT_EQ(nlohmann::json::parse(read_text(folder / "run/result.json")), json);
  EXPECT_THAT(read_text(folder / "run/history.csv"), HasSubstr("iteration,seconds,loss,test_relative_l2\n"));
  EXPECT_THAT(read_text(folder / "run/report.html"),
              AllOf(HasSubstr("Burgers"), HasSubstr("first test sample")));

  const std::string out = folder / "out.npz";
  const CommandResult applied = run_command({"evaluate", run, "--input", data, "--out", out, "--json"});
  ASSERT_EQ(applied.exit_code, 0) << applied.err;
  EXPECT_EQ(nlohmann::json::parse(applied.out)["samples"], 12);
  EXPECT_THAT(run_command({"evaluate", run, "--input", data, "--out", out, "--steps", "2"}).err,
              HasSubstr("data.rollout"));
  const ArrayFile fields(out);
  EXPECT_EQ(fields.array("u").shape, (std::vector<std::size_t>{12, 32}));
  // The error that result.json has, from what was evaluated.
  std::vector<double> u(12 * 32), want(12 * 32);
  fields.read<double>("u", 0, View<double, 2>(u.data(), 12, 32));
  ArrayFile(data).read<double>("u", 0, View<double, 2>(want.data(), 12, 32));
  double mean = 0;
  for (std::size_t s = 8; s < 12; ++s) {
    double error = 0, norm = 0;
    for (std::size_t i = s * 32; i < (s + 1) * 32; ++i) {
      error += (u[i] - want[i]) * (u[i] - want[i]);
      norm += want[i] * want[i];
    }
    mean += std::sqrt(error / norm) / 4;
  }
  EXPECT_NEAR(mean, json["test"]["relative_l2"].get<double>(), 1e-5 * mean);
}

TEST(TrainCommand, TrainsADeepOnetAndAnswersAtOtherPoints) {
  const TemporaryFolder folder;
  const std::string data = folder / "unaligned.h5", run = folder / "run", out = folder / "out.npz";
  const auto generated = [](const std::string& path, const std::string& places) {
    return run_command({"generate", "antiderivative", "--samples", "12", "--grid", "20", "--set",
                        "aligned=false", "--set", "places=" + places, "--out", path, "--quiet"})
        .exit_code;
  };
  ASSERT_EQ(generated(data, "7"), 0);
  const CommandResult result = run_command({"train", "deeponet_antiderivative", "--set", "data.train=8",
                                            "--set", "data.test=4", "--set", "training.batch=4", "--set",
                                            "training.epochs=5", "--data", data, "--out", run, "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(nlohmann::json::parse(result.out)["test"]["samples"], 4);
  const std::string others = folder / "others.h5";
  ASSERT_EQ(generated(others, "11"), 0);
  const CommandResult applied = run_command({"evaluate", run, "--input", others, "--out", out, "--json"});
  ASSERT_EQ(applied.exit_code, 0) << applied.err;
  EXPECT_EQ(ArrayFile(out).array("s").shape, (std::vector<std::size_t>{12, 11}));
}

TEST(TrainCommand, IsInterruptedAndGoesOn) {
  const TemporaryFolder folder;
  const std::string data = folder / "burgers.npz", run = folder / "run", whole = folder / "whole";
  ASSERT_EQ(run_command({"generate", "burgers", "--samples", "12", "--grid", "32", "--out", data, "--quiet"})
                .exit_code,
            0);
  CommandOptions options;
  options.interrupt_signal = SIGTERM;
  const CommandResult part =
      run_command(train({"--set", "training.epochs=3000", "--data", data, "--out", run}), options);
  EXPECT_EQ(part.exit_code, 128 + SIGTERM) << part.err;
  EXPECT_THAT(part.err, HasSubstr("sobolev train --resume"));
  const auto before = nlohmann::json::parse(read_text(folder / "run/result.json"));
  EXPECT_EQ(before["finished"], false);
  CommandOptions again = options;
  const CommandResult more = run_command({"train", "--resume", run}, again);
  EXPECT_EQ(more.exit_code, 128 + SIGTERM) << more.err;
  const auto after = nlohmann::json::parse(read_text(folder / "run/result.json"));
  EXPECT_GT(after["iterations"].get<long>(), before["iterations"].get<long>());
}

TEST(TrainCommand, RollsOut) {
  const TemporaryFolder folder;
  const std::string data = folder / "flow.h5", run = folder / "run", out = folder / "out.h5";
  std::vector<double> u(6 * 5 * 64);
  for (std::size_t i = 0; i < u.size(); ++i)
    u[i] = std::sin(0.1 * double(i % 64 + i / 64)) + 0.01 * double(i % 7);
  ArrayFileWriter file(data);
  file.create<double>("u", {6, 5, 8, 8});
  file.write<double>("u", 0, View<const double, 2>(u.data(), 6, 320));
  file.finish();
  std::vector<std::string> words{"train", "fno_navier_stokes", "--data", data, "--out", run, "--json"};
  for (const char* setting : {"model.modes=2", "model.width=4", "model.layers=1", "model.projection=4",
                              "data.inputs=u[0:2]", "data.outputs=u[2:5]", "data.train=3",
                              "data.validation=1", "data.test=2", "training.epochs=2", "training.batch=2"})
    words.insert(words.end(), {"--set", setting});
  const CommandResult trained = run_command(words);
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  const auto json = nlohmann::json::parse(trained.out);
  EXPECT_EQ(json["test"]["steps"].size(), 3u);
  EXPECT_EQ(json["test"]["h1"], "differences");
  EXPECT_GT(json["test"]["relative_h1"].get<double>(), 0);
  EXPECT_EQ(json["validation"]["samples"], 1);
  EXPECT_THAT(read_text(folder / "run/history.csv"),
              HasSubstr("iteration,seconds,loss,validation_relative_l2\n"));
  EXPECT_THAT(read_text(folder / "run/report.html"),
              AllOf(HasSubstr("each time of the roll-out"), HasSubstr("u[4]")));
  for (const auto& [steps, wanted] : {std::pair("", 3u), std::pair("7", 7u)}) {
    std::vector<std::string> apply{"evaluate", run, "--input", data, "--out", out};
    if (*steps != '\0') apply.insert(apply.end(), {"--steps", steps});
    ASSERT_EQ(run_command(apply).exit_code, 0);
    EXPECT_EQ(ArrayFile(out).array("u").shape, (std::vector<std::size_t>{6, wanted, 8, 8}));
  }
  EXPECT_THAT(
      run_command({"evaluate", run, "--points", data, "--outputs", "u", "--steps", "2", "--out", out}).err,
      HasSubstr("--input"));
}

TEST(TrainCommand, RefusesWhatItCannotDo) {
  const TemporaryFolder folder;
  const auto message = [&](const std::vector<std::string>& words) {
    const CommandResult result = run_command(words);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_EQ(result.out, "");
    return result.err;
  };
  const std::string run = folder / "run", none = folder / "none.h5";
  EXPECT_THAT(message({"train", "--out", run}), HasSubstr("give a model"));
  EXPECT_THAT(message({"train", "fno_burgrs", "--out", run}), HasSubstr("did you mean fno_burgers"));
  EXPECT_THAT(message({"train", "fno_burgers", "--data", none, "--out", run}), HasSubstr("none.h5"));
  EXPECT_THAT(message({"train", "fno_burgers", "--set", "model.width=0", "--out", run}),
              HasSubstr("--set model.width=0"));
  EXPECT_THAT(message({"train", "--resume", run}), HasSubstr("checkpoint.safetensors"));
  EXPECT_THAT(message({"train", "--resume", run, "--seed", "1"}), HasSubstr("settings"));
  EXPECT_THAT(message({"evaluate", run, "--out", folder / "o.npz"}),
              AllOf(HasSubstr("--points"), HasSubstr("--input")));
  EXPECT_THAT(message({"evaluate", run, "--input", none, "--out", folder / "o.npz"}),
              HasSubstr("checkpoint.safetensors"));
}
}  // namespace
}  // namespace sobolev
