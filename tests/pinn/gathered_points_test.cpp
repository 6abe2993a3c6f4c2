// SPDX-License-Identifier: Apache-2.0
// Points that gather where the residual between the points is large.
#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>

#include "sobolev/io/safetensors.hpp"
#include "sobolev/pinn/solve.hpp"
#include "src/pinn/state.hpp"
#include "src/pinn/training_points.hpp"
#include "src/problem/defaults.hpp"
#include "tests/pinn/heat.hpp"
#include "tests/pinn/interrupted.hpp"
#include "tests/support.hpp"

namespace sobolev {
namespace {
/// An end that is suddenly hot: the residual is large in a corner.
Problem heated() {
  return Problem::from_file(SOBOLEV_SOURCE_DIR "/tests/pinn/brought/heated_end.toml",
                            {"network.width=10", "training.stop.iterations=50",
                             "training.points={ sobol = 200, condition_points = 40, adapt_every = 20 }"});
}

double distance_to_corner(const std::vector<double>& points, std::size_t i) {
  return std::hypot(points[2 * i] / 0.1, points[2 * i + 1]);
}

TEST(GatheredPoints, LieWhereTheLossIs) {
  const Problem p = detail::with_defaults(heated());
  const detail::WindowModel model(p, 0);
  const std::vector<double> own = detail::training_points(p, model, nullptr, 0, 0);
  // A peak in the corner that the points themselves do not see.
  const auto losses = [&](const std::vector<double>& points) {
    std::vector<double> out;
    for (std::size_t i = 0; i < points.size() / 2; ++i)
      out.push_back(points == own ? 1e-6 : 1e-4 + std::exp(-30 * distance_to_corner(points, i)));
    return out;
  };
  const std::vector<double> found = detail::gathered_points(p, model, 1, {}, losses);
  const std::size_t n = found.size() / 2;
  EXPECT_GT(n, 20u);
  EXPECT_LE(n, 100u);
  std::size_t near = 0;
  for (std::size_t i = 0; i < n; ++i) {
    EXPECT_TRUE(found[2 * i] >= 0 && found[2 * i] <= 0.1 && found[2 * i + 1] >= 0 && found[2 * i + 1] <= 1);
    near += distance_to_corner(found, i) < 0.2;
  }
  EXPECT_GT(double(near), 0.5 * double(n));  // of evenly spread ones: 3 %
  EXPECT_EQ(found, detail::gathered_points(p, model, 1, {}, losses));
  EXPECT_NE(found, detail::gathered_points(p, model, 2, {}, losses));
}

TEST(GatheredPoints, AreNoneWhereNothingIsToBeGained) {
  const Problem p = detail::with_defaults(heated());
  const detail::WindowModel model(p, 0);
  for (const double everywhere : {1.0, 0.0, double(NAN)})
    EXPECT_TRUE(detail::gathered_points(p, model, 1, {}, [&](const std::vector<double>& points) {
                  return std::vector<double>(points.size() / 2, everywhere);
                }).empty());
}

TEST(GatheredPoints, ResumeToTheSameBits) {
  const std::filesystem::path file =
      std::filesystem::path(testing::TempDir()) / "gathered_points.safetensors";
  const Problem p = heated();
  const Solution whole = solve(Cpu(1), p);
  ASSERT_FALSE(whole.state().gathered.empty());
  for (const long at : {10, 20, 21, 35, 40}) {
    const Solution resumed = test::interrupted_at(at, p, file);
    EXPECT_EQ(resumed.state().parameters, whole.state().parameters) << at;
    EXPECT_EQ(resumed.state().gathered, whole.state().gathered) << at;
    EXPECT_EQ(resumed.assessment().doubts, whole.assessment().doubts) << at;
  }
}

TEST(GatheredPoints, OfACheckpointMustLieInTheDomain) {
  const std::filesystem::path file =
      std::filesystem::path(testing::TempDir()) / "gathered_damaged.safetensors";
  solve(Cpu(1), heated()).save(file);
  TensorFile content = read_safetensors(file);
  for (auto& [name, tensor] : content.tensors)
    if (name == "training.gathered_points") tensor.values[1] = 7;
  write_safetensors(file, content);
  try {
    Solution::load(file);
    FAIL() << "accepted";
  } catch (const FileError& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("gathered_points contains x = 7; it must lie in [0, 1]"));
  }
}

TEST(GatheredPoints, ChangeNothingWhereTheyAreNotWanted) {
  const std::string even = test::heat_with("[network]\nwidth = 10\n[training]\nstop = { iterations = 50 }\n");
  const auto parameters = [&](const char* every) {
    return solve(Cpu(1), Problem::from_string(even, "even.toml", {every, "training.points.sobol=600"}))
        .state()
        .parameters;
  };
  EXPECT_EQ(parameters("training.points.adapt_every=20"), parameters("training.points.adapt_every=0"));
}

}  // namespace
}  // namespace sobolev
