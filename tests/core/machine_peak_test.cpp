// SPDX-License-Identifier: Apache-2.0
#include "sobolev/core/machine_peak.hpp"

#include "tests/support.hpp"

namespace sobolev {
namespace {
TEST(MachinePeak, IsPlausible) {
  const double single = machine_peak<float>(Cpu(1), 0.05), twice = machine_peak<double>(Cpu(1), 0.05);
  EXPECT_GT(single, 1e8);
  EXPECT_LT(single, 1e13);
  EXPECT_GT(single, twice);  // half as many lanes
}
}  // namespace
}  // namespace sobolev
