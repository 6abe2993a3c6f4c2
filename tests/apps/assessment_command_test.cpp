// SPDX-License-Identifier: Apache-2.0
// What a run says its answer is worth: residuals, doubts, and --strict.
#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "sobolev/io/npy.hpp"
#include "tests/apps/run_command.hpp"
#include "tests/io/temporary_folder.hpp"

namespace sobolev {
namespace {
using nlohmann::json;
using ::testing::AllOf;
using testing::CommandResult;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::read_text;
using testing::run_command;
using testing::TemporaryFolder;
using testing::write_text;

/// u = sin(pi x), 20 times over: the sizes of the terms are known.
const std::string problem = R"toml(unknowns = ["u"]
[coordinates]
x = [0, 1]
[equations]
poisson = "u_xx = -20*pi^2*sin(pi*x)"
[conditions]
left = { where = "x = 0", equation = "u = 0" }
right = { where = "x = 1", equation = "u = 0" }
[network]
width = 6
[training]
points = { sobol = 200, condition_points = 1 }
[reference]
exact = { u = "20*sin(pi*x)" }
)toml";

class AssessmentCommandTest : public ::testing::Test {
 protected:
  AssessmentCommandTest() { write_text(folder / "p.toml", problem); }
  CommandResult solve(const std::string& stop, std::vector<std::string> more) {
    more.insert(more.begin(), {"solve", "p.toml", "--out", "run", "--threads", "1", "--set",
                               "training.stop={ " + stop + " }"});
    testing::CommandOptions here;
    here.folder = folder.path();
    return run_command(more, here);
  }
  const std::string enough = "relative_l2 = 1e-5, iterations = 400", too_little = "iterations = 2";
  TemporaryFolder folder;
};

TEST_F(AssessmentCommandTest, AnUnfinishedAnswerIsDoubtedEverywhere) {
  const CommandResult result = solve(too_little, {});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("p: doubtful after"), HasSubstr("  doubt: equation poisson: "),
                                HasSubstr("  equation poisson: residual rms "),
                                HasSubstr("  condition left: residual rms "), Not(HasSubstr("finished"))));
  const json object = json::parse(read_text(folder / "run/result.json"));
  EXPECT_EQ(object["finished"], true);
  ASSERT_FALSE(object["doubts"].empty());
  const std::string report = read_text(folder / "run/report.html");
  EXPECT_THAT(report, HasSubstr("This answer is doubtful"));
  EXPECT_THAT(report, HasSubstr("Doubtful: stop.iterations reached"));
  EXPECT_LT(report.find("<li>equation poisson: "), report.find("<dl class=\"results\">"));
  EXPECT_THAT(report, HasSubstr("|residual| of poisson"));
}

TEST_F(AssessmentCommandTest, StrictTurnsDoubtIntoAnExitCode) {
  EXPECT_EQ(solve(too_little, {"--strict", "--quiet"}).exit_code, 5);
  EXPECT_TRUE(std::filesystem::exists(folder / "run/report.html"));
  const CommandResult good = solve(enough, {"--strict"});
  EXPECT_EQ(good.exit_code, 0) << good.out;
  EXPECT_THAT(good.out, AllOf(HasSubstr("p: finished after"), Not(HasSubstr("doubt"))));
  EXPECT_THAT(read_text(folder / "run/report.html"), Not(HasSubstr("This answer is doubtful")));
}

TEST_F(AssessmentCommandTest, ASecondSolutionTellsTheError) {
  const CommandResult result = solve("iterations = 12", {});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr(" from a second solution, by collocation, which is known to "));
  EXPECT_THAT(read_text(folder / "run/report.html"), HasSubstr(" from a second solution, by collocation"));
  const json object = json::parse(read_text(folder / "run/result.json")), u = object["second_solution"]["u"];
  const double error = object["relative_l2"]["u"];
  EXPECT_NEAR(u["difference"].get<double>(), error, 0.1 * error);
  EXPECT_LT(u["accuracy"].get<double>(), 0.1 * error);
}

TEST_F(AssessmentCommandTest, ResidualsAreThoseOfTheSolution) {
  const CommandResult result = solve(too_little, {"--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json object = json::parse(result.out), residuals = object["residuals"];
  ASSERT_EQ(residuals.size(), 3u);
  EXPECT_EQ(residuals[0]["name"], "poisson");
  EXPECT_EQ(residuals[0]["condition"], false);
  EXPECT_EQ(residuals[1]["name"], "left");
  EXPECT_EQ(residuals[1]["condition"], true);
  EXPECT_EQ(residuals[1]["place"], json::array({0.0}));

  constexpr std::size_t n = 1001;
  Tensor points{{n, 1}, {}};
  for (std::size_t i = 0; i < n; ++i) points.values.push_back(double(i) / (n - 1));
  write_npy(folder / "points.npy", points);
  testing::CommandOptions here;
  here.folder = folder.path();
  ASSERT_EQ(
      run_command(
          {"evaluate", "run", "--points", "points.npy", "--outputs", "poisson,u_xx", "--out", "v.npz"}, here)
          .exit_code,
      0);
  const NamedTensors values = read_npz(folder / "v.npz");
  const auto rms = [](const std::vector<double>& v) {
    double sum = 0;
    for (const double x : v) sum += x * x;
    return std::sqrt(sum / double(v.size()));
  };
  // Other points of the same interval: a few per cent.
  EXPECT_NEAR(residuals[0]["rms"].get<double>(), rms(values[0].second.values),
              0.05 * rms(values[0].second.values));
  const double source = 20 * std::pow(std::acos(-1.0), 2) / std::sqrt(2.0),
               u_xx = rms(values[1].second.values);
  EXPECT_NEAR(residuals[0]["scale"].get<double>(), std::max(source, u_xx), 0.05 * std::max(source, u_xx));
}

/// Start and ends disagree: what the library noticed stands with the results.
TEST_F(AssessmentCommandTest, NotesStandWithTheResults) {
  std::filesystem::copy(SOBOLEV_SOURCE_DIR "/tests/pinn/cases/rod_corner.toml", folder / "p.toml",
                        std::filesystem::copy_options::overwrite_existing);
  std::filesystem::copy(SOBOLEV_SOURCE_DIR "/tests/pinn/cases/rod_corner.npz", folder / "rod_corner.npz");
  const CommandResult result = solve("iterations = 1", {"--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json notes = json::parse(result.out)["notes"];
  ASSERT_FALSE(notes.empty());
  testing::CommandOptions here;
  here.folder = folder.path();
  EXPECT_EQ(json::parse(run_command({"check", "p.toml", "--json"}, here).out)["notes"], notes);
  EXPECT_THAT(read_text(folder / "run/report.html"), HasSubstr("<ul class=\"notes\">\n<li>"));
}

/// The output is no number at x = 0, where the reference has a point and the training none.
TEST_F(AssessmentCommandTest, AnErrorThatIsNoNumberIsNotSmall) {
  write_text(folder / "p.toml",
             "unknowns = [\"u\"]\n[coordinates]\nx = [0, 1]\n[equations]\nslope = \"u_x = 1\"\n"
             "[network]\nwidth = 6\noutput = { u = \"x + x*log(x)*u\" }\n[training]\n"
             "points = { sobol = 200 }\n[reference]\nexact = { u = \"x\" }\n");
  const CommandResult result = solve("relative_l2 = 0.9, iterations = 12", {"--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json object = json::parse(result.out);
  EXPECT_EQ(object["stopped_because"], "stop.iterations reached");
  EXPECT_EQ(object["relative_l2"]["u"], nullptr);
  const std::string history = read_text(folder / "run/history.csv");
  const std::size_t end = history.rfind(',');
  EXPECT_THAT(history.substr(history.rfind(',', end - 1), end), HasSubstr("nan"));
}

TEST_F(AssessmentCommandTest, TheHistoryEndsWithTheResidual) {
  const CommandResult result = solve(too_little, {"--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  double worst = 0;
  const json object = json::parse(result.out);
  for (const json& r : object["residuals"])
    worst = std::max(worst, r["rms"].get<double>() / r["scale"].get<double>());
  const std::string history = read_text(folder / "run/history.csv");
  EXPECT_THAT(history.substr(0, history.find('\n')), ::testing::EndsWith(",residual"));
  EXPECT_EQ(std::stod(history.substr(history.rfind(',') + 1)), worst);
}
}  // namespace
}  // namespace sobolev
