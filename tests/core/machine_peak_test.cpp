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

#if SOBOLEV_HAS_CUDA
TEST(MachinePeak, OfADeviceIsPlausible) {
  if (Cuda::count() == 0) GTEST_SKIP() << "no CUDA device";
  EXPECT_GT(machine_peak<float>(Cuda(0), 0.01), 1e5);  // a simulated one is slow
  EXPECT_LT(machine_peak<double>(Cuda(0), 0.01), 1e15);
}
#endif
}  // namespace
}  // namespace sobolev
