// SPDX-License-Identifier: Apache-2.0
#include "sobolev/core/executor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sobolev/core/error.hpp"

namespace sobolev {
namespace {

TEST(Cpu, TakesTheThreadsAskedForOrAll) {
  EXPECT_EQ(Cpu(3).threads(), 3);
  EXPECT_GE(Cpu().threads(), 1);
}

TEST(Cpu, RefusesImpossibleThreadCounts) {
  EXPECT_THROW(Cpu(-1), ArgumentError);
  EXPECT_THROW(Cpu(5000), ArgumentError);
}

TEST(Cpu, NamesItsInstructionSetAndProcessor) {
  EXPECT_THAT(Cpu::instruction_set(), testing::AnyOf("avx512", "avx2", "baseline"));
  EXPECT_FALSE(Cpu::processor().empty());
}

}  // namespace
}  // namespace sobolev
