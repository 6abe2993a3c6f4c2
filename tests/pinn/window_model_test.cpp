// SPDX-License-Identifier: Apache-2.0
// The form of the solution in a time window.
#include "src/pinn/window_model.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "src/problem/defaults.hpp"

namespace sobolev {
namespace {

bool imposes_start(const std::string& start, int window) {
  const Problem problem = Problem::from_string(
      fmt::format(
          "unknowns = [\"u\"]\n[coordinates]\nt = [0, 1]\nx = [0, 1]\n[equations]\nheat = \"u_t = u_xx\"\n"
          "[conditions]\nstart = {{ where = \"t = 0\", equation = \"u = {}\" }}\n"
          "[training]\nwindows = 2\n",
          start),
      "f");
  return detail::WindowModel(detail::with_defaults(problem), window).imposed(problem.conditions[0]);
}

TEST(WindowModel, ImposesInitialDataWithoutJumps) {
  EXPECT_TRUE(imposes_start("sin(pi*x)", 0));
  for (const char* start : {"heaviside(0.3 - x)", "2 + sign(x - 0.7)", "abs(x - 0.5)", "min(x, 1 - x)"})
    EXPECT_FALSE(imposes_start(start, 0)) << start;
}

TEST(WindowModel, LaterWindowsBeginWithTheOneBefore) { EXPECT_TRUE(imposes_start("heaviside(0.3 - x)", 1)); }

}  // namespace
}  // namespace sobolev
