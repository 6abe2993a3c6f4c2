// SPDX-License-Identifier: Apache-2.0
// Small problems that went wrong in silence once: right now, or said to be doubtful, or refused.
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>

#include "sobolev/pinn/solve.hpp"
#include "tests/support.hpp"

namespace sobolev {
namespace {
// Builds with sanitizers are ten times slower.
#ifdef NDEBUG
constexpr bool to_the_end = true;
#else
constexpr bool to_the_end = false;
#endif

Problem read_case(const std::string& name, const std::vector<std::string>& overrides = {}) {
  return Problem::from_file(SOBOLEV_SOURCE_DIR "/tests/pinn/cases/" + name + ".toml", overrides);
}

double worst_error(const Solution& s) {
  double worst = 0;
  for (const auto& [unknown, error] : s.relative_l2()) worst = std::max(worst, error);
  return worst;
}

class WrongOnce : public ::testing::TestWithParam<std::string> {};

TEST_P(WrongOnce, IsRightOrDoubted) {
  const Solution s = solve(
      Cpu(2), read_case(GetParam(), {to_the_end ? "training.stop={ iterations = 40, relative_l2 = 1e-5 }"
                                                : "training.stop={ iterations = 1 }"}));
  if (worst_error(s) > 1e-2) {
    EXPECT_THAT(s.assessment().doubts, ::testing::Not(::testing::IsEmpty()));
  }
}

class Brought : public ::testing::TestWithParam<std::string> {};

TEST_P(Brought, IsRightOrDoubted) {
  const Solution s =
      solve(Cpu(2), Problem::from_file(SOBOLEV_SOURCE_DIR "/tests/pinn/brought/" + GetParam() + ".toml",
                                       {to_the_end ? "training.stop={ iterations = 70, relative_l2 = 1e-5 }"
                                                   : "training.stop={ iterations = 1 }"}));
  if (worst_error(s) > 2e-2) {
    EXPECT_THAT(s.assessment().doubts, ::testing::Not(::testing::IsEmpty()));
  }
}

std::vector<std::string> brought() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(SOBOLEV_SOURCE_DIR "/tests/pinn/brought"))
    names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}
INSTANTIATE_TEST_SUITE_P(Files, Brought, ::testing::ValuesIn(brought()),
                         [](const auto& i) { return i.param; });

INSTANTIATE_TEST_SUITE_P(Cases, WrongOnce,
                         ::testing::Values("jump_initial", "oscillator_long", "long_range", "rod_corner",
                                           "left_out", "large_amplitude", "large_domain", "offset",
                                           "six_oscillators"),
                         [](const auto& i) { return i.param; });

TEST(Cases, SizesAndUnitsOfAllKindsAreSolved) {
  if (!to_the_end) GTEST_SKIP() << "whole trainings run in optimised builds";
  for (const char* name : {"large_amplitude", "large_domain"})
    EXPECT_LT(worst_error(
                  solve(Cpu(2), read_case(name, {"training.stop={ iterations = 60, relative_l2 = 1e-5 }"}))),
              2e-5)
        << name;
  // 300 + 1e-3 sin sin, relative to the variation.
  EXPECT_LT(
      worst_error(solve(Cpu(2), read_case("offset", {"training.stop={ iterations = 60 }"}))) * 300 / 0.5e-3,
      2e-5);
}

TEST(Cases, SixOscillatorsKeepLevenbergMarquardt) {
  const Solution s =
      solve(Cpu(2), read_case("six_oscillators", {to_the_end ? "training.stop={ iterations = 60 }"
                                                             : "training.stop={ iterations = 1 }"}));
  EXPECT_LE(s.parameters(), 1500u);
  if (to_the_end) {
    EXPECT_LT(worst_error(s), 1e-6);
  }
}

TEST(Cases, CoefficientsComeOutOfData) {
  const Solution s =
      solve(Cpu(2), read_case("coefficients_from_data",
                              {to_the_end ? "training.stop={ iterations = 200, relative_l2 = 5e-3 }"
                                          : "training.stop={ iterations = 1 }"}));
  EXPECT_LE(s.parameters(), 1500u);
  if (to_the_end) {
    EXPECT_LE(worst_error(s), 5e-3);  // 9e-5 in the 60 seconds of the defaults
  }
}

TEST(Cases, TheJumpingCoefficientIsSolved) {
  const Solution s = solve(
      Cpu(2),
      read_case("jump_coefficient", {"network.width=10", "training.points.sobol=100",
                                     to_the_end ? "training.stop={ iterations = 300, relative_l2 = 1e-6 }"
                                                : "training.stop={ iterations = 1 }"}));
  if (to_the_end) {
    EXPECT_LT(worst_error(s), 1e-5);
  }
}
}  // namespace
}  // namespace sobolev
