// SPDX-License-Identifier: Apache-2.0
#include "kernels/common/threads.hpp"

#include <gtest/gtest.h>

namespace sobolev {
namespace {
TEST(Threads, AreAsManyAsTheWorkIsWorth) {
  const Cpu cpu(8);
  EXPECT_EQ(detail::threads_for(cpu, 0), 1);
  EXPECT_EQ(detail::threads_for(cpu, 1e5), 1);
  EXPECT_EQ(detail::threads_for(cpu, 1.6e6), 3);
  EXPECT_EQ(detail::threads_for(cpu, 1e12), 8);
  EXPECT_EQ(detail::threads_for(cpu, 1e300), 8);
  EXPECT_EQ(detail::threads_for(Cpu(1), 1e12), 1);
}
}  // namespace
}  // namespace sobolev
