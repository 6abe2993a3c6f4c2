// SPDX-License-Identifier: Apache-2.0
#include "sobolev/core/view.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace sobolev {
namespace {

TEST(View, IsRowMajor) {
  std::vector<double> data(2 * 3 * 5);
  std::iota(data.begin(), data.end(), 0.0);
  const View<double, 3> v(data.data(), 2, 3, 5);
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 5; ++k) EXPECT_EQ(v(i, j, k), 15 * i + 5 * j + k);
  EXPECT_EQ(v.size(), 30u);
  EXPECT_EQ(v.extent(1), 3u);
  EXPECT_EQ(std::accumulate(v.begin(), v.end(), 0.0), 29 * 30 / 2);
}

TEST(View, WritesThrough) {
  std::vector<float> data(6);
  const View<float, 2> v(data.data(), 2, 3);
  v(1, 0) = 4;
  EXPECT_EQ(data[3], 4);
}

TEST(View, ConvertsToConstButNotBack) {
  std::vector<double> data{1, 2};
  const View<const double, 1> v = View<double, 1>(data.data(), 2);
  EXPECT_EQ(v(1), 2);
  EXPECT_FALSE((std::is_convertible_v<View<const double, 1>, View<double, 1>>));
}

TEST(View, MayBeEmpty) {
  const View<double, 2> none;
  EXPECT_EQ(none.size(), 0u);
  EXPECT_EQ(none.begin(), none.end());
  EXPECT_EQ((View<double, 2>(nullptr, 0, 7).size()), 0u);
}

#ifndef NDEBUG
TEST(ViewDeathTest, ChecksIndicesInDebugBuilds) {
  std::vector<double> data(4);
  const View<double, 2> v(data.data(), 2, 2);
  EXPECT_DEATH(v(0, 2), "shape_");
}
#endif

}  // namespace
}  // namespace sobolev
