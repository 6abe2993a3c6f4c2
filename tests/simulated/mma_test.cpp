// SPDX-License-Identifier: Apache-2.0
// The matrix instructions of the simulated device against plain products: fragments, roundings, lanes.
#include "kernels/common/mma.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "sobolev/core/error.hpp"
#include "sobolev/core/random.hpp"

namespace sobolev {
namespace {
/// C : [rows][8] += A B by f(lane's group, member), called for the 32 threads of a warp.
template <class F>
void by_a_warp(F f) {
  simulated::run_grid({"mma_test", {1, 1, 1}, {32, 1, 1}, 0, [&] {
                         const int lane = int(threadIdx.x);
                         f(lane / 4, lane % 4);
                       }});
}

std::vector<double> numbers(std::size_t n, std::uint64_t stream) {
  std::vector<double> v(n);
  const Philox random(3, stream);
  for (std::size_t i = 0; i < n; ++i) v[i] = random.normal(i);
  return v;
}
double element(const std::vector<double>& m, int columns, int row, int column) {
  return m[std::size_t(row * columns + column)];
}
/// C + A B : [rows][8].
std::vector<double> product(const std::vector<double>& a, const std::vector<double>& b, std::vector<double> c,
                            int rows, int depth) {
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < 8; ++j)
      for (int k = 0; k < depth; ++k)
        c[std::size_t(i * 8 + j)] += element(a, depth, i, k) * element(b, 8, k, j);
  return c;
}
double rounded_to(double value, int bits) {
  int exponent = 0;
  return std::ldexp(std::round(std::ldexp(std::frexp(value, &exponent), bits)), exponent - bits);
}

TEST(MmaCuda, MultipliesTf32) {
  std::vector<double> a = numbers(16 * 8, 1), b = numbers(8 * 8, 2), c(16 * 8);
  for (double& v : a) v = rounded_to(v, 11);
  for (double& v : b) v = rounded_to(v, 11);
  const std::vector<double> want = product(a, b, c, 16, 8);
  by_a_warp([&](int group, int member) {
    const auto left = [&](int row, int k) { return to_tf32(float(element(a, 8, row, k))); };
    const std::uint32_t l[4] = {left(group, member), left(group + 8, member), left(group, member + 4),
                                left(group + 8, member + 4)};
    const std::uint32_t r[2] = {to_tf32(float(element(b, 8, member, group))),
                                to_tf32(float(element(b, 8, member + 4, group)))};
    float sum[4] = {};
    mma_tf32(sum, l, r);
    mma_commit();
    for (int i = 0; i < 4; ++i) c[std::size_t((group + i / 2 * 8) * 8 + 2 * member + i % 2)] = double(sum[i]);
  });
  for (std::size_t i = 0; i < c.size(); ++i) EXPECT_NEAR(c[i], want[i], 1e-6) << i;
}

TEST(MmaCuda, MultipliesBf16InPairs) {
  std::vector<double> a = numbers(16 * 16, 1), b = numbers(16 * 8, 2), c(16 * 8);
  for (double& v : a) v = rounded_to(v, 8);
  for (double& v : b) v = rounded_to(v, 8);
  const std::vector<double> want = product(a, b, c, 16, 16);
  by_a_warp([&](int group, int member) {
    std::uint32_t l[4], r[2];
    for (int i = 0; i < 4; ++i) {
      const int row = group + i % 2 * 8, k = 2 * member + i / 2 * 8;
      l[i] = to_bf16x2(float(element(a, 16, row, k)), float(element(a, 16, row, k + 1)));
    }
    for (int i = 0; i < 2; ++i) {
      const int k = 2 * member + 8 * i;
      r[i] = to_bf16x2(float(element(b, 8, k, group)), float(element(b, 8, k + 1, group)));
    }
    float sum[4] = {};
    mma_bf16(sum, l, r);
    mma_commit();
    for (int i = 0; i < 4; ++i) c[std::size_t((group + i / 2 * 8) * 8 + 2 * member + i % 2)] = double(sum[i]);
  });
  for (std::size_t i = 0; i < c.size(); ++i) EXPECT_NEAR(c[i], want[i], 1e-6) << i;
}

TEST(MmaCuda, MultipliesFloat64) {
  const std::vector<double> a = numbers(8 * 4, 1), b = numbers(4 * 8, 2);
  std::vector<double> c(8 * 8, 0.5);
  const std::vector<double> want = product(a, b, c, 8, 4);
  by_a_warp([&](int group, int member) {
    double sum[2] = {0.5, 0.5};
    mma_f64(sum, element(a, 4, group, member), element(b, 8, member, group));
    mma_commit();
    for (int i = 0; i < 2; ++i) c[std::size_t(group * 8 + 2 * member + i)] = sum[i];
  });
  for (std::size_t i = 0; i < c.size(); ++i) EXPECT_NEAR(c[i], want[i], 1e-15) << i;
}

TEST(MmaCuda, RoundsAsTheInstructionsDo) {
  EXPECT_EQ(__uint_as_float(to_tf32(1 + std::ldexp(1.0f, -11))), 1 + std::ldexp(1.0f, -10));  // ties away
  EXPECT_EQ(__uint_as_float(to_tf32(1 + std::ldexp(1.0f, -12))), 1.0f);
  const std::uint32_t pair =
      to_bf16x2(1 + std::ldexp(1.0f, -8), -(1 + std::ldexp(3.0f, -8)));  // ties to even
  EXPECT_EQ(__uint_as_float(pair << 16), 1.0f);
  EXPECT_EQ(__uint_as_float(pair & 0xffff0000u), -(1 + std::ldexp(2.0f, -7)));
  // What a multiplier does not see, and a sum that would round up: a sum is never rounded to nearest.
  by_a_warp([&](int group, int member) {
    const bool first = group == 0 && member == 0;
    const std::uint32_t l[4] = {first ? 0x3f800000u | 0x1fffu : 0u}, r[2] = {first ? 0x3f800000u : 0u};
    float sum[4] = {};
    mma_tf32(sum, l, r);
    mma_commit();
    if (first) {
      EXPECT_EQ(sum[0], 1.0f);
    }
    sum[0] = first ? std::ldexp(1.0f, -24) * 1.5f : 0;
    mma_tf32(sum, l, r);
    mma_commit();
    if (first) {
      EXPECT_EQ(sum[0], 1.0f);
    }
  });
}

TEST(MmaCuda, GoOnFromOneAnother) {
  const std::vector<double> a = numbers(8 * 4, 1), b = numbers(4 * 8, 2);
  std::vector<double> c(8 * 8, 0.5);
  const std::vector<double> want = product(a, b, product(a, b, c, 8, 4), 8, 4);
  by_a_warp([&](int group, int member) {
    double sum[2] = {0.5, 0.5};
    for (int i = 0; i < 2; ++i) mma_f64(sum, element(a, 4, group, member), element(b, 8, member, group));
    mma_commit();
    for (int i = 0; i < 2; ++i) c[std::size_t(group * 8 + 2 * member + i)] = sum[i];
  });
  for (std::size_t i = 0; i < c.size(); ++i) EXPECT_NEAR(c[i], want[i], 1e-14) << i;
}

/// What the device says of it when f(group) runs in all lanes.
template <class F>
std::string refusal(F f) {
  try {
    by_a_warp([&](int group, int) { f(group); });
  } catch (const DeviceError& e) {
    return e.what();
  }
  return "";
}

TEST(MmaCuda, NeedsAllLanesAndACommit) {
  using testing::HasSubstr;
  double sum[2] = {};
  EXPECT_THAT(refusal([&](int group) {
                if (group == 7) return;
                mma_f64(sum, 1, 1);
                mma_commit();
              }),
              HasSubstr("mma_commit"));
  for (int missing : {0, 7})
    EXPECT_THAT(refusal([&](int group) {
                  if (group != missing) mma_f64(sum, 1, 1);
                  mma_commit();
                }),
                HasSubstr("different matrix instructions"));
  EXPECT_THAT(refusal([&](int) { mma_f64(sum, 1, 1); }), HasSubstr("without mma_commit"));
  EXPECT_THAT(refusal([&](int) {
                mma_f64(sum, 1, 1);
                __syncthreads();
              }),
              HasSubstr("without mma_commit"));
}
}  // namespace
}  // namespace sobolev
