// SPDX-License-Identifier: Apache-2.0
// Checkpoints: what is damaged or does not fit is refused when it is read, with what is wrong.
#include <gmock/gmock.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "sobolev/core/version.hpp"
#include "sobolev/io/safetensors.hpp"
#include "sobolev/pinn/solve.hpp"
#include "src/pinn/state.hpp"
#include "tests/io/temporary_folder.hpp"
#include "tests/pinn/heat.hpp"

namespace sobolev {
namespace {
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::message_of;
using testing::TemporaryFolder;

const std::string heat = test::heat_with(R"toml([network]
width = 4
[training]
windows = 2
points = { sobol = 50, condition_points = 10 }
causal = { slices = 3, epsilon = [1, 2] }
[[training.phase]]
optimizer = "adam"
iterations = 30
)toml");

class CheckpointTest : public ::testing::Test {
 protected:
  /// Interrupted in the second window.
  CheckpointTest() {
    std::atomic<bool> stop{false};
    SolveOptions options;
    options.stop = &stop;
    options.checkpoint = path;
    options.progress_seconds = 0;
    options.on_progress = [&](const Progress& progress) { stop = progress.row.iteration >= 40; };
    solve(Cpu(1), Problem::from_string(heat, "heat.toml"), options);
    good = read_safetensors(path);
  }
  Tensor& tensor(TensorFile& file, const std::string& name) {
    for (auto& [key, value] : file.tensors)
      if (key == name) return value;
    throw std::runtime_error("no tensor " + name);
  }
  std::string message(const TensorFile& file) {
    write_safetensors(path, file);
    const std::string text = message_of<FileError>([&] { Solution::load(path); });
    EXPECT_THAT(text, HasSubstr(path.string()));
    return text;
  }
  std::string with_state(const std::string& key, const nlohmann::json& value) {
    TensorFile file = good;
    nlohmann::json state = nlohmann::json::parse(file.metadata["state"]);
    EXPECT_TRUE(state.contains(key)) << key;
    state[key] = value;
    file.metadata["state"] = state.dump();
    return message(file);
  }
  std::string with_tensor(const std::string& name, const std::function<void(Tensor&)>& change) {
    TensorFile file = good;
    change(tensor(file, name));
    return message(file);
  }
  TemporaryFolder folder;
  const std::filesystem::path path = folder / "checkpoint";
  TensorFile good;
};

TEST_F(CheckpointTest, CountersThatDoNotFitAreRefused) {
  for (const auto& [key, value] : std::vector<std::pair<std::string, nlohmann::json>>{
           {"window", -1},          {"window", 3},           {"window", 0},       {"window", 1.5},
           {"windows_begun", 0},    {"windows_begun", 3},    {"phase", -1},       {"phase", 2},
           {"iterations", -1},      {"iterations", 1e300},   {"iterations", ""},  {"phase_iteration", 41},
           {"phase_iteration", -3}, {"generation", -1},      {"generation", 41},  {"causal_stage", 3},
           {"causal_stage", -1},    {"groups", 99},          {"groups", -1},      {"seed", -1},
           {"seed", 0.5},           {"iterations", nullptr}, {"phase", 1ul << 63}}) {
    const std::string text = with_state(key, value);
    // A window that is too small contradicts the windows that were begun.
    EXPECT_THAT(text, HasSubstr(key == "window" && value == 0 ? "windows_begun is 2" : key + " is "))
        << value;
    EXPECT_THAT(text, HasSubstr("a damaged training state"));
  }
}

TEST_F(CheckpointTest, SizesThatDoNotFitAreRefused) {
  const auto longer = [](Tensor& t) {
    t.values.push_back(0);
    t.shape = {t.values.size()};
  };
  const auto none = [](Tensor& t) { t = {{0}, {}}; };
  EXPECT_THAT(with_tensor("training.optimizer.moments", longer),
              HasSubstr("training.optimizer.moments has "));
  EXPECT_THAT(with_tensor("training.weights.0", longer),
              HasSubstr("training.weights.0 has 2 numbers; it must have 1"));
  EXPECT_THAT(with_tensor("training.weights.1", none), HasSubstr("training.weights.1 has 0 numbers"));
  EXPECT_THAT(with_tensor("training.scalars", longer), HasSubstr("training.scalars has 7 numbers"));
  EXPECT_THAT(with_tensor("training.history", longer), HasSubstr("training.history has "));
  EXPECT_THAT(with_tensor("windows.1.layers.0.weight", longer), HasSubstr("windows.1.layers.0.weight"));
}

TEST_F(CheckpointTest, NumbersThatAreNotFiniteAreRefused) {
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()})
    for (const char* name :
         {"windows.0.layers.0.weight", "windows.1.layers.2.bias", "training.optimizer.moments",
          "training.weights.0", "training.scalars", "training.history"})
      EXPECT_THAT(with_tensor(name, [&](Tensor& t) { t.values.at(0) = bad; }),
                  AllOf(HasSubstr(name), HasSubstr(bad > 0 ? "inf" : "nan")));
  EXPECT_THAT(with_tensor("training.optimizer.moments", [](Tensor& t) { t.values.back() = -1; }),
              HasSubstr("negative mean of squares"));
  EXPECT_THAT(with_tensor("training.scalars", [](Tensor& t) { t.values[0] = -1; }),
              HasSubstr("not negative"));
  EXPECT_THAT(with_tensor("training.history", [](Tensor& t) { t.values[0] = 1e300; }),
              HasSubstr("where a whole number from 0 to "));
}

/// Too few weights were an out-of-range read when the training went on.
TEST_F(CheckpointTest, AMissingGroupOfWeightsIsRefusedWhenTheTrainingGoesOn) {
  TensorFile file = good;
  nlohmann::json state = nlohmann::json::parse(file.metadata["state"]);
  state["groups"] = 1;
  file.metadata["state"] = state.dump();
  write_safetensors(path, file);
  EXPECT_THAT(message_of<ArgumentError>([&] { resume(Cpu(1), Solution::load(path)); }),
              HasSubstr("weights of 1 groups of residuals; the problem has 3"));
}

TEST_F(CheckpointTest, SaysWhatWroteItAndOlderOnesStillLoad) {
  EXPECT_EQ(good.metadata.at("version"), version());
  EXPECT_EQ(good.metadata.at("instruction_set"), Cpu::instruction_set());
  EXPECT_EQ(Solution::load(path).instruction_set(), Cpu::instruction_set());
  TensorFile old = good;
  old.metadata.erase("version");
  old.metadata.erase("instruction_set");
  write_safetensors(path, old);
  const Solution solution = Solution::load(path);
  EXPECT_EQ(solution.instruction_set(), "");
  EXPECT_EQ(solution.iterations(), 40);
}

TEST_F(CheckpointTest, WeightsThatAreNotFiniteAreRefused) {
  TensorFile weights;
  for (const auto& [name, value] : good.tensors)
    if (name.starts_with("windows.0.")) weights.tensors.emplace_back(name.substr(10), value);
  const Problem problem = Problem::from_string(heat, "heat.toml", {"training.windows=1"});
  write_safetensors(path, weights);
  EXPECT_TRUE(Solution::from_weights(problem, path).finished());
  tensor(weights, "layers.1.weight").values[3] = std::numeric_limits<double>::quiet_NaN();
  write_safetensors(path, weights);
  EXPECT_THAT(message_of<FileError>([&] { Solution::from_weights(problem, path); }),
              HasSubstr("layers.1.weight contains nan; weights must be finite numbers"));
}

TEST_F(CheckpointTest, WhatCannotBeSavedAtTheEndIsToldWithTheSolution) {
  SolveOptions options;
  options.checkpoint = folder / "none/checkpoint";
  int warnings = 0;
  options.checkpoint_seconds = 1e-6;
  options.on_warning = [&](const std::string& text) {
    EXPECT_THAT(text, HasSubstr("none/checkpoint"));
    ++warnings;
  };
  const Solution solution = solve(Cpu(1), Problem::from_string(heat, "heat.toml"), options);
  EXPECT_TRUE(solution.finished());
  EXPECT_GT(warnings, 10) << "each time it is due";
  EXPECT_THAT(solution.not_saved(), HasSubstr("none/checkpoint"));
}

TEST_F(CheckpointTest, WhatIsDoneBeforeTheFirstCheckpointIsDoneOnce) {
  SolveOptions options;
  options.checkpoint = folder / "new";
  options.checkpoint_seconds = 1e-6;
  int calls = 0;
  options.before_first_checkpoint = [&] {
    ++calls;
    EXPECT_FALSE(std::filesystem::exists(options.checkpoint));
    if (calls < 3) throw FileError("not yet");
  };
  solve(Cpu(1), Problem::from_string(heat, "heat.toml"), options);
  EXPECT_EQ(calls, 3) << "until it succeeds";
  EXPECT_TRUE(Solution::load(options.checkpoint).finished());
}
}  // namespace
}  // namespace sobolev
