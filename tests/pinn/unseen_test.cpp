// SPDX-License-Identifier: Apache-2.0
// Problems the library has never seen, with nothing but the problem in their files: the defaults reach a
// relative L2 error of 1e-4.
#include <algorithm>
#include <filesystem>

#include "sobolev/pinn/solve.hpp"
#include "tests/support.hpp"

namespace sobolev {
namespace {
// Builds without optimisation or with sanitizers are ten times slower: there, a few iterations must lower the
// loss.
#ifdef NDEBUG
constexpr bool to_the_end = true;
#else
constexpr bool to_the_end = false;
#endif

std::vector<std::string> unseen() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(SOBOLEV_SOURCE_DIR "/tests/pinn/unseen"))
    if (entry.path().extension() == ".toml") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

class Unseen : public ::testing::TestWithParam<std::string> {};

TEST_P(Unseen, IsSolvedByTheDefaults) {
  std::vector<std::string> overrides = {"training.stop={ relative_l2 = 1e-4, iterations = 200 }"};
  if (!to_the_end)
    overrides = {"training.stop={ iterations = 3 }",
                 "training.points={ sobol = 200, condition_points = 40 }"};
  const Problem p =
      Problem::from_file(SOBOLEV_SOURCE_DIR "/tests/pinn/unseen/" + GetParam() + ".toml", overrides);
  const Solution s = solve(Cpu(2), p);
  EXPECT_LT(s.history().back().loss, s.history().front().loss);
  if (!to_the_end) return;
  for (const auto& [unknown, error] : s.relative_l2()) EXPECT_LE(error, 1e-4) << unknown;
}

INSTANTIATE_TEST_SUITE_P(Files, Unseen, ::testing::ValuesIn(unseen()), [](const auto& i) { return i.param; });
}  // namespace
}  // namespace sobolev
