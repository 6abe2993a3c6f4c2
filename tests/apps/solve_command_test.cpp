// SPDX-License-Identifier: Apache-2.0
// Whole runs of the command: what a run leaves behind, evaluating it, interrupting and resuming it.
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "sobolev/io/npy.hpp"
#include "sobolev/io/safetensors.hpp"
#include "tests/apps/run_command.hpp"
#include "tests/io/temporary_folder.hpp"

namespace sobolev {
namespace {
using ::testing::AllOf;
using testing::CommandResult;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::read_text;
using testing::run_command;
using ::testing::StartsWith;
using testing::TemporaryFolder;
using testing::write_text;

const std::string small_heat = R"toml(title = "Small heat"
unknowns = ["u"]
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
depth = 2
width = 8
[training]
points = { sobol = 128, condition_points = 32 }
stop = { iterations = 30 }
[[training.phase]]
optimizer = "levenberg_marquardt"
[reference]
grid = { t = 11, x = 21 }
exact = { u = "exp(-0.1*pi^2*t)*sin(pi*x)" }
)toml";

std::map<std::string, Tensor> arrays(const std::filesystem::path& path) {
  const NamedTensors list = read_npz(path);
  return {list.begin(), list.end()};
}

/// The cells of a table's last row.
std::vector<std::string> last_row(const std::string& table) {
  std::string line = table.substr(table.rfind('\n', table.size() - 2) + 1);
  line.pop_back();
  std::vector<std::string> cells{""};
  for (const char c : line) {
    if (c == ',')
      cells.emplace_back();
    else
      cells.back() += c;
  }
  return cells;
}

class SolveCommandTest : public ::testing::Test {
 protected:
  SolveCommandTest() { write_text(folder / "heat.toml", small_heat); }
  CommandResult solve(std::vector<std::string> more, const testing::CommandOptions& options = {}) {
    more.insert(more.begin(), {"solve", (folder / "heat.toml").string()});
    if (std::find(more.begin(), more.end(), "--threads") == more.end())
      more.insert(more.end(), {"--threads", "1"});
    testing::CommandOptions here = options;
    here.folder = folder.path();
    return run_command(more, here);
  }
  TemporaryFolder folder;
};

TEST_F(SolveCommandTest, LeavesARunThatAgreesWithItself) {
  const CommandResult result = solve({"--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto object = nlohmann::json::parse(result.out);
  const auto run = folder / "runs/heat";
  EXPECT_EQ(nlohmann::json::parse(read_text(run / "result.json")), object);
  for (const char* key : {"problem", "device", "precision", "seed", "threads", "parameters", "iterations",
                          "seconds", "setup_seconds", "points_per_second", "loss", "relative_l2", "max_error",
                          "stopped_because", "version"})
    EXPECT_TRUE(object.contains(key)) << key;
  EXPECT_EQ(object["problem"], "heat");
  EXPECT_EQ(object["iterations"], 30);
  EXPECT_EQ(object["finished"], true);
  EXPECT_THAT(read_text(run / "report.html"), AllOf(StartsWith("<!doctype html>"), HasSubstr("Small heat")));

  const std::string history = read_text(run / "history.csv");
  EXPECT_THAT(history, StartsWith("iteration,window,phase,seconds,loss,relative_l2"));
  EXPECT_EQ(std::count(history.begin(), history.end(), '\n'), 31);
  const std::vector<std::string> last = last_row(history);
  EXPECT_EQ(last[0], "30");
  EXPECT_EQ(std::stod(last[4]), object["loss"].get<double>());
  EXPECT_EQ(std::stod(last[5]), object["relative_l2"]["u"].get<double>());

  const auto solution = arrays(run / "solution.npz");
  EXPECT_EQ(solution.at("t").shape, std::vector<std::size_t>{11});
  EXPECT_EQ(solution.at("u").shape, (std::vector<std::size_t>{11, 21}));
  double error = 0, norm = 0, largest = 0;
  for (std::size_t i = 0; i < 11; ++i)
    for (std::size_t j = 0; j < 21; ++j) {
      const double pi = std::acos(-1.0), u = solution.at("u").values[21 * i + j];
      const double exact =
          std::exp(-0.1 * pi * pi * solution.at("t").values[i]) * std::sin(pi * solution.at("x").values[j]);
      EXPECT_NEAR(solution.at("reference.u").values[21 * i + j], exact, 1e-13);
      EXPECT_EQ(solution.at("error.u").values[21 * i + j], u - solution.at("reference.u").values[21 * i + j]);
      error += (u - exact) * (u - exact);
      norm += exact * exact;
      largest = std::max(largest, std::abs(u - exact));
    }
  EXPECT_NEAR(object["relative_l2"]["u"].get<double>(), std::sqrt(error / norm), 1e-12);
  EXPECT_NEAR(object["max_error"]["u"].get<double>(), largest, 1e-12);
  EXPECT_LT(std::sqrt(error / norm), 1e-2);
}

/// Adam records every hundredth iteration; the end is in the history all the same, with the error of each
/// unknown.
TEST_F(SolveCommandTest, TheHistoryEndsWithTheFinalErrorsByUnknown) {
  std::string pair = small_heat;
  const auto replace = [&](const std::string& from, const std::string& to) {
    pair.replace(pair.find(from), from.size(), to);
  };
  replace("[\"u\"]", "[\"u\", \"v\"]");
  replace("heat = ", "other = \"v_t + v - 0*u\"\nheat = ");
  replace("initial = ", "second = { where = \"t = 0\", equation = \"v = 1\" }\ninitial = ");
  replace("exact = { ", "exact = { v = \"exp(-t)\", ");
  write_text(folder / "heat.toml", pair);
  const CommandResult result = solve({"--json", "--set", "training.stop={ iterations = 130 }", "--set",
                                      "training.phase=[{ optimizer = \"adam\" }]", "--out", "run"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto object = nlohmann::json::parse(result.out);
  const std::string history = read_text(folder / "run/history.csv");
  EXPECT_THAT(history,
              StartsWith("iteration,window,phase,seconds,loss,relative_l2,relative_l2.u,relative_l2.v"));
  const std::vector<std::string> last = last_row(history);
  EXPECT_EQ(last[0], "130");
  const double u = object["relative_l2"]["u"], v = object["relative_l2"]["v"];
  EXPECT_EQ(std::stod(last[5]), std::max(u, v));
  EXPECT_EQ(std::stod(last[6]), u);
  EXPECT_EQ(std::stod(last[7]), v);
}

TEST_F(SolveCommandTest, SameSeedSameBitsWhateverTheThreads) {
  ASSERT_EQ(solve({"--out", "a", "--threads", "1", "--quiet"}).exit_code, 0);
  ASSERT_EQ(solve({"--out", "b", "--threads", "2", "--quiet"}).exit_code, 0);
  ASSERT_EQ(solve({"--out", "c", "--seed", "5", "--quiet"}).exit_code, 0);
  EXPECT_EQ(read_text(folder / "a/solution.npz"), read_text(folder / "b/solution.npz"));
  EXPECT_NE(read_text(folder / "a/solution.npz"), read_text(folder / "c/solution.npz"));
}

TEST_F(SolveCommandTest, ProfilePrintsTimesOnStderr) {
  const CommandResult result = solve({"--set", "training.stop.iterations=3", "--profile", "--json"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_TRUE(nlohmann::json::accept(result.out));
  EXPECT_THAT(result.err, AllOf(HasSubstr("ms per call"), HasSubstr("residuals: normal equations"),
                                HasSubstr("Cholesky"), HasSubstr("Levenberg–Marquardt: iteration")));
  EXPECT_THAT(solve({"--set", "training.stop.iterations=3"}).err, Not(HasSubstr("ms per call")));
}

#if SOBOLEV_HAS_CUDA
TEST_F(SolveCommandTest, SolvesOnACudaDevice) {
  const CommandResult info = run_command({"info", "--json"});
  if (nlohmann::json::parse(info.out)["cuda"].empty()) GTEST_SKIP() << "no CUDA device";
  const std::vector<std::string> smaller = {"--set", "training.stop.iterations=8", "--json"};
  std::vector<std::string> on_device = smaller;
  on_device.insert(on_device.end(), {"--device", "cuda:0", "--out", "device"});
  const CommandResult device = solve(on_device), cpu = solve(smaller);
  EXPECT_EQ(device.exit_code, 0) << device.err;
  const auto there = nlohmann::json::parse(device.out), here = nlohmann::json::parse(cpu.out);
  EXPECT_EQ(there["device"], "cuda:0");
  EXPECT_EQ(here["device"], "cpu");
  EXPECT_NEAR(there["loss"], here["loss"], 1e-4 * here["loss"].get<double>());
  EXPECT_TRUE(std::filesystem::exists(folder / "device" / "report.html"));
  const std::vector<double> points{0.1, 0.25, 0.3, 0.7};
  write_npy(folder / "points.npy", {{2, 2}, points});
  std::vector<double> values[2];
  for (const std::string where : {"cpu", "cuda:0"}) {
    testing::CommandOptions options;
    options.folder = folder.path();
    const CommandResult result = run_command({"evaluate", "device", "--points", "points.npy", "--outputs",
                                              "u_xx", "--out", "v.npz", "--device", where},
                                             options);
    ASSERT_EQ(result.exit_code, 0) << result.err;
    values[where == "cpu"] = read_npz(folder / "v.npz").at(0).second.values;
  }
  for (std::size_t i = 0; i < 2; ++i)
    EXPECT_NEAR(values[0][i], values[1][i], 1e-11 * (1 + std::abs(values[0][i])));
}
#endif

TEST_F(SolveCommandTest, QuietIsQuietAndTheSummaryIsShort) {
  const CommandResult quiet = solve({"--quiet"});
  EXPECT_EQ(quiet.exit_code, 0);
  EXPECT_THAT(quiet.out + quiet.err, IsEmpty());
  const CommandResult plain = solve({});
  EXPECT_THAT(plain.out, AllOf(HasSubstr("Small heat: finished"), HasSubstr("relative L2 error"),
                               HasSubstr("runs/heat/report.html")));
  EXPECT_THAT(plain.err, AllOf(Not(HasSubstr("\r")), Not(HasSubstr("\x1b"))));
}

TEST_F(SolveCommandTest, InterruptedRunsResumeToTheSameBits) {
  const std::vector<std::string> long_run = {"--set", "training.stop.iterations=20000", "--set",
                                             "training.phase=[{ optimizer = \"adam\", iterations = 20000 }]"};
  std::vector<std::string> arguments = long_run;
  arguments.insert(arguments.end(), {"--out", "whole", "--quiet"});
  ASSERT_EQ(solve(arguments).exit_code, 0);
  testing::CommandOptions options;
  options.folder = folder.path();
  for (const int signal : {SIGTERM, SIGINT}) {
    options.interrupt_signal = signal;
    arguments = long_run;
    arguments.insert(arguments.end(), {"--out", "cut"});
    const CommandResult cut = solve(arguments, options);
    ASSERT_EQ(cut.exit_code, 128 + signal) << cut.err;
    EXPECT_THAT(cut.err, HasSubstr("To go on: sobolev solve --resume cut"));
    EXPECT_EQ(nlohmann::json::parse(read_text(folder / "cut/result.json"))["finished"], false);
  }
  options.interrupt_signal = 0;
  const CommandResult resumed =
      run_command({"solve", "--resume", "cut", "--json", "--threads", "1"}, options);
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_EQ(nlohmann::json::parse(resumed.out)["iterations"], 20000);
  EXPECT_EQ(read_text(folder / "cut/solution.npz"), read_text(folder / "whole/solution.npz"));
}

TEST_F(SolveCommandTest, AKilledRunResumesFromItsLastCheckpointToTheSameBits) {
  const std::vector<std::string> recipe = {"--set", "training.stop.iterations=1500", "--set",
                                           "training.phase=[{ optimizer = \"levenberg_marquardt\", "
                                           "iterations = 1500, stall = { factor = 1.0 } }]"};
  std::vector<std::string> arguments = recipe;
  arguments.insert(arguments.end(), {"--out", "whole", "--quiet"});
  ASSERT_EQ(solve(arguments).exit_code, 0);

  // Killed once three checkpoints have been seen: in the middle of the run, perhaps while one is written.
  testing::CommandOptions options;
  options.interrupt_signal = SIGKILL;
  std::filesystem::file_time_type last{};
  int seen = 0;
  options.interrupt_when = [&](const std::string&) {
    std::error_code missing;
    const auto time = std::filesystem::last_write_time(folder / "cut/checkpoint.safetensors", missing);
    if (!missing && time != last) {
      last = time;
      ++seen;
    }
    return seen >= 3;
  };
  arguments = recipe;
  arguments.insert(arguments.end(), {"--out", "cut", "--checkpoint-every", "0.01"});
  ASSERT_EQ(solve(arguments, options).exit_code, 1000 + SIGKILL);
  EXPECT_FALSE(std::filesystem::exists(folder / "cut/solution.npz"));

  testing::CommandOptions here;
  here.folder = folder.path();
  const CommandResult resumed = run_command({"solve", "--resume", "cut", "--json", "--threads", "2"}, here);
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_EQ(read_text(folder / "cut/solution.npz"), read_text(folder / "whole/solution.npz"));
}

TEST_F(SolveCommandTest, ResumingChecksThatTheProblemIsTheSame) {
  ASSERT_EQ(solve({"--out", "run", "--quiet"}).exit_code, 0);
  EXPECT_EQ(solve({"--resume", "run", "--quiet"}).exit_code, 0);
  write_text(folder / "heat.toml", small_heat + "# changed\n");
  const CommandResult changed = solve({"--resume", "run"});
  EXPECT_EQ(changed.exit_code, 2);
  EXPECT_THAT(changed.err, HasSubstr("is not the problem that run solves"));
  EXPECT_EQ(solve({"--resume", "run", "--seed", "3"}).exit_code, 2);
}

TEST_F(SolveCommandTest, DivergenceExitsWith4AndKeepsTheState) {
  const CommandResult result =
      solve({"--out", "run", "--set",
             "training.phase=[{ optimizer = \"adam\", learning_rate = 1e200, iterations = 10 }]"});
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_THAT(result.err, AllOf(HasSubstr("not finite"), HasSubstr("run/checkpoint.safetensors")));
  EXPECT_TRUE(std::filesystem::exists(folder / "run/checkpoint.safetensors"));
}

TEST_F(SolveCommandTest, EvaluateGivesValuesDerivativesAndResiduals) {
  ASSERT_EQ(solve({"--out", "run", "--quiet"}).exit_code, 0);
  constexpr std::size_t n = 33;
  Tensor points{{n, 2}, {}};
  const double h = 1e-4;
  for (std::size_t i = 0; i < n; ++i)
    points.values.insert(points.values.end(), {0.5, 0.2 + h * static_cast<double>(i)});
  write_npy(folder / "points.npy", points);
  testing::CommandOptions here;
  here.folder = folder.path();
  const CommandResult result =
      run_command({"evaluate", "run", "--points", "points.npy", "--outputs",
                   "u, u_x, u_t ,u_xx,heat, d(u, x, x) + 0*t", "--out", "values/v.npz", "--json"},
                  here);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(nlohmann::json::parse(result.out)["points"], n);
  const auto values = arrays(folder / "values/v.npz");
  ASSERT_EQ(values.size(), 6u);
  for (std::size_t i = 1; i + 1 < n; ++i) {
    const auto at = [&](const char* name, std::size_t k) { return values.at(name).values[k]; };
    EXPECT_NEAR(at("u_x", i), (at("u", i + 1) - at("u", i - 1)) / (2 * h), 1e-6);
    EXPECT_NEAR(at("u_xx", i), (at("u_x", i + 1) - at("u_x", i - 1)) / (2 * h), 1e-5);
    EXPECT_NEAR(at("heat", i), at("u_t", i) - 0.1 * at("u_xx", i), 1e-12);
    EXPECT_EQ(at("d(u, x, x) + 0*t", i), at("u_xx", i));
  }
}

/// The layout of weights that docs/command.md states, against a plain loop.
TEST_F(SolveCommandTest, EvaluatesGivenWeights) {
  write_text(folder / "given.toml",
             "unknowns = [\"u\"]\n[coordinates]\nt = [0, 2]\nx = { range = [-1, 1], periodic = true }\n"
             "[equations]\nheat = \"u_t - u_xx\"\n[conditions]\n"
             "initial = { where = \"t = 0\", equation = \"u = cos(pi*x)\" }\n"
             "[network]\ndepth = 1\nwidth = 3\nperiodic_modes = 2\nhard_initial = false\n");
  constexpr std::size_t inputs = 5, width = 3, n = 7;
  TensorFile weights;
  const auto filled = [](std::vector<std::size_t> shape, std::size_t size, double start) {
    Tensor tensor{std::move(shape), {}};
    for (std::size_t i = 0; i < size; ++i)
      tensor.values.push_back(std::sin(start + 1.7 * static_cast<double>(i)));
    return tensor;
  };
  const Tensor w0 = filled({width, inputs}, width * inputs, 0.3), b0 = filled({width}, width, 0.9);
  const Tensor w1 = filled({1, width}, width, 2.0), b1 = filled({1}, 1, 4.0);
  weights.tensors = {
      {"layers.0.weight", w0}, {"layers.0.bias", b0}, {"layers.1.weight", w1}, {"layers.1.bias", b1}};
  write_safetensors(folder / "weights.safetensors", weights);
  Tensor points{{n, 2}, {}};
  for (std::size_t i = 0; i < n; ++i) {
    const double s = static_cast<double>(i) / n;
    points.values.insert(points.values.end(), {2 * s, 1 - 1.9 * s});
  }
  write_npy(folder / "points.npy", points);
  testing::CommandOptions here;
  here.folder = folder.path();
  const CommandResult result =
      run_command({"evaluate", "--problem", "given.toml", "--weights", "weights.safetensors", "--points",
                   "points.npy", "--outputs", "u", "--out", "v.npz"},
                  here);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto values = arrays(folder / "v.npz").at("u").values;
  ASSERT_EQ(values.size(), n);
  const double pi = std::acos(-1.0);
  for (std::size_t i = 0; i < n; ++i) {
    const double t = points.values[2 * i], x = points.values[2 * i + 1];
    const double in[inputs] = {t - 1, std::cos(pi * x), std::sin(pi * x), std::cos(2 * pi * x),
                               std::sin(2 * pi * x)};
    double u = b1.values[0];
    for (std::size_t k = 0; k < width; ++k) {
      double z = b0.values[k];
      for (std::size_t j = 0; j < inputs; ++j) z += w0.values[inputs * k + j] * in[j];
      u += w1.values[k] * std::tanh(z);
    }
    EXPECT_NEAR(values[i], u, 1e-13);
  }
  weights.tensors[0].second = filled({width, 4}, width * 4, 0.3);
  write_safetensors(folder / "weights.safetensors", weights);
  const CommandResult wrong =
      run_command({"evaluate", "--problem", "given.toml", "--weights", "weights.safetensors", "--points",
                   "points.npy", "--outputs", "u", "--out", "w.npz"},
                  here);
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("layers.0.weight"));
}

TEST_F(SolveCommandTest, EvaluateRefusesWhatItCannotDo) {
  ASSERT_EQ(solve({"--out", "run", "--quiet"}).exit_code, 0);
  testing::CommandOptions here;
  here.folder = folder.path();
  write_npy(folder / "good.npy", {{1, 2}, {0.5, 0.5}});
  write_npy(folder / "wide.npy", {{1, 3}, {0.5, 0.5, 0.5}});
  write_npy(folder / "late.npy", {{1, 2}, {7, 0.5}});
  const auto message = [&](const std::string& points, const std::string& outputs,
                           std::vector<std::string> more = {"run"}) {
    more.insert(more.begin(), "evaluate");
    more.insert(more.end(), {"--points", points, "--outputs", outputs, "--out", "v.npz"});
    const CommandResult result = run_command(more, here);
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_FALSE(std::filesystem::exists(folder / "v.npz"));
    return result.err;
  };
  EXPECT_THAT(message("none.npy", "u"), HasSubstr("none.npy"));
  EXPECT_THAT(message("wide.npy", "u"), HasSubstr("shape [1, 3]; the problem needs [N, 2], columns t, x"));
  EXPECT_THAT(message("late.npy", "u"), HasSubstr("7"));
  EXPECT_THAT(message("good.npy", "u,,u_x"), HasSubstr("an output is empty"));
  EXPECT_THAT(message("good.npy", "v"), HasSubstr("v"));
  EXPECT_THAT(message("heat.toml", "u"), HasSubstr("heat.toml"));
  EXPECT_THAT(message("good.npy", "u", {"run", "--problem", "heat.toml"}), HasSubstr("either RUN_DIR"));
  EXPECT_THAT(message("good.npy", "u", {"--problem", "heat.toml"}), HasSubstr("--weights is missing"));
}
}  // namespace
}  // namespace sobolev
