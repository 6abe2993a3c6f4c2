// SPDX-License-Identifier: Apache-2.0
#include "sobolev/core/profile.hpp"

#include <chrono>
#include <thread>

#include "sobolev/core/random.hpp"
#include "tests/support.hpp"

namespace sobolev {
namespace {
void pass(int milliseconds) { std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds)); }

class Profile : public testing::Test {
 protected:
  Profile() { profile::reset(); }
  ~Profile() override {
    profile::enable(false);
    profile::reset();
  }
};

TEST_F(Profile, CountsNothingWhileItIsOff) {
  { const profile::Range range(Cpu(1), "work"); }
  EXPECT_TRUE(profile::entries().empty());
}

TEST_F(Profile, TellsAnOperationFromThoseInsideIt) {
  profile::enable(true);
  {
    const profile::Range outer(Cpu(1), "outer");
    pass(2);
    for (int i = 0; i < 2; ++i) {
      const profile::Range inner(Cpu(1), "inner");
      pass(10);
    }
  }
  const auto entries = profile::entries();
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].name, "inner");
  EXPECT_EQ(entries[0].calls, 2);
  EXPECT_EQ(entries[1].calls, 1);
  EXPECT_GE(entries[0].seconds, 0.02);
  EXPECT_NEAR(entries[1].seconds, entries[0].seconds + entries[1].self_seconds, 1e-9);
  EXPECT_GE(entries[1].self_seconds, 0.002);
}

#if SOBOLEV_HAS_CUDA
TEST_F(Profile, TimesTheKernelsOfACudaDevice) {
  if (Cuda::count() == 0) GTEST_SKIP() << "no CUDA device";
  const Cuda& cuda = test::executor<Cuda>();
  test::Guarded<test::On<Cuda, double>> x(100);
  const auto there = x.view(100);
  profile::enable(true);
  for (int i = 0; i < 3; ++i) fill_uniform<double>(cuda, Philox(0, 0), 0, there);
  const auto entries = profile::entries();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].name, "random_kernel");
  EXPECT_EQ(entries[0].calls, 3);
  EXPECT_GT(entries[0].seconds, 0);
}
#endif
}  // namespace
}  // namespace sobolev
