// SPDX-License-Identifier: Apache-2.0
#include "sobolev/core/buffer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace sobolev {
namespace {

TEST(Buffer, IsZeroedAndAligned) {
  for (std::size_t n : {1, 31, 32, 33, 257, 1009}) {
    const Buffer<float> b(n);
    EXPECT_EQ(b.size(), n);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(b.data()) % 64, 0u);
    for (float x : b) EXPECT_EQ(x, 0);
  }
}

TEST(Buffer, OfSizeZeroOwnsNothing) {
  const Buffer<double> b(0);
  EXPECT_TRUE(b.empty());
  EXPECT_EQ(b.begin(), b.end());
}

TEST(Buffer, Moves) {
  Buffer<double> a(3);
  a[2] = 5;
  const double* data = a.data();
  Buffer<double> b(std::move(a));
  EXPECT_EQ(b.data(), data);
  EXPECT_EQ(b[2], 5);
  Buffer<double> c(1);
  c = std::move(b);
  EXPECT_EQ(c.data(), data);
  EXPECT_EQ(c.size(), 3u);
  EXPECT_FALSE(std::is_copy_constructible_v<Buffer<double>>);
}

TEST(Buffer, ViewMayNotExceedIt) {
  Buffer<double> b(6);
  EXPECT_EQ(b.view(2, 3).extent(1), 3u);
  EXPECT_THROW(b.view(2, 4), ArgumentError);
}

TEST(Buffer, SaysWhatItCouldNotGet) {
  const std::size_t huge = std::numeric_limits<std::size_t>::max() / 4;
  try {
    const Buffer<double> b(huge);
    FAIL() << "no exception";
  } catch (const OutOfMemory& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr(std::to_string(huge)));
  }
}

}  // namespace
}  // namespace sobolev
