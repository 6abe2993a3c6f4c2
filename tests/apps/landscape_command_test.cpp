// SPDX-License-Identifier: Apache-2.0
// `landscape`: arrays, a page, and what it refuses.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "sobolev/io/npy.hpp"
#include "tests/apps/run_command.hpp"
#include "tests/io/temporary_folder.hpp"

namespace sobolev {
namespace {
using ::testing::AllOf;
using testing::CommandResult;
using ::testing::HasSubstr;
using testing::read_text;
using testing::run_command;
using testing::TemporaryFolder;

TEST(LandscapeCommand, WritesArraysAndAPage) {
  const TemporaryFolder folder;
  const std::string run = folder / "run", out = folder / "out";
  ASSERT_EQ(run_command({"solve", "heat", "--quiet", "--out", run, "--set", "network.width=8", "--set",
                         "training.points.sobol=200", "--set", "training.stop={ iterations = 10 }"})
                .exit_code,
            0);
  const CommandResult result = run_command(
      {"landscape", run, "--out", out, "--points", "5", "--steps", "6", "--probes", "2", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json["problem"], "heat");
  EXPECT_GT(json["largest_eigenvalue"], 0);
  const NamedTensors arrays = read_npz(out + "/landscape.npz");
  ASSERT_EQ(arrays.size(), 4u);
  for (const auto& [name, tensor] : arrays) {
    if (name == "axis") {
      EXPECT_EQ(tensor.values, (std::vector<double>{-1, -0.5, 0, 0.5, 1}));
    }
    if (name == "loss") {
      EXPECT_EQ(tensor.shape, (std::vector<std::size_t>{5, 5}));
      EXPECT_EQ(tensor.values[12], json["loss"].get<double>());
    }
    if (name == "eigenvalues") {
      EXPECT_EQ(tensor.values.back(), json["largest_eigenvalue"].get<double>());
    }
  }
  EXPECT_THAT(
      read_text(out + "/landscape.html"),
      AllOf(HasSubstr("<h2>Loss</h2>"), HasSubstr("<h2>Spectrum of the Hessian</h2>"), HasSubstr("<svg")));
}

TEST(LandscapeCommand, RefusesWhatIsNoRun) {
  const TemporaryFolder folder;
  EXPECT_EQ(run_command({"landscape", folder / "none"}).exit_code, 2);
  EXPECT_EQ(run_command({"landscape"}).exit_code, 2);
  const CommandResult range = run_command({"landscape", folder / "none", "--points", "1"});
  EXPECT_EQ(range.exit_code, 2);
  EXPECT_THAT(range.err, HasSubstr("--points"));
}
}  // namespace
}  // namespace sobolev
