// SPDX-License-Identifier: Apache-2.0
#include "sobolev/core/random.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>

#include "tests/support.hpp"

namespace sobolev {
namespace {

using Words = std::array<std::uint32_t, 4>;

// Known answers of Philox4x32-10, published with Random123 (kat_vectors).
TEST(Philox, KnownAnswers) {
  EXPECT_EQ(Philox(0, 0).words(0), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(Philox(~0ull, ~0ull).words(~0ull), (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(Philox(0x299f31d0a4093822ull, 0x0370734413198a2eull).words(0x85a308d3243f6a88ull),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, UniformLiesInTheHalfOpenIntervalAndHasTheRightMoments) {
  const Philox random(3, 5);
  const int n = 40000;
  double mean = 0, square = 0, product = 0;
  for (int i = 0; i < n; ++i) {
    const double u = random.uniform(std::uint64_t(i));
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    mean += u / n;
    square += u * u / n;
    product += u * random.uniform(std::uint64_t(i) + 1) / n;
  }
  const double five_sigma = 5 * std::sqrt(1.0 / 12 / n);
  EXPECT_NEAR(mean, 0.5, five_sigma);
  EXPECT_NEAR(square, 1.0 / 3, 5 * std::sqrt(4.0 / 45 / n));
  EXPECT_NEAR(product, 0.25, 2 * five_sigma);  // neighbours are uncorrelated
}

TEST(Philox, UniformUsesAll53Bits) {
  const Philox random(1, 1);
  std::uint64_t ones = 0, zeros = 0;
  for (std::uint64_t i = 0; i < 200; ++i) {
    const auto bits = std::uint64_t(random.uniform(i) * 0x1p53);
    ones |= bits;
    zeros |= ~bits;
  }
  const std::uint64_t all = (1ull << 53) - 1;
  EXPECT_EQ(ones, all);
  EXPECT_EQ(zeros & all, all);
}

TEST(Philox, NormalHasTheMomentsOfANormal) {
  const Philox random(11, 0);
  const int n = 40000;
  double m1 = 0, m2 = 0, m4 = 0, pair = 0;
  for (int i = 0; i < n; ++i) {
    const double x = random.normal(std::uint64_t(i));
    ASSERT_TRUE(std::isfinite(x));
    m1 += x / n;
    m2 += x * x / n;
    m4 += x * x * x * x / n;
    if (i % 2 == 0) pair += 2 * x * random.normal(std::uint64_t(i) + 1) / n;
  }
  EXPECT_NEAR(m1, 0, 5 / std::sqrt(n));
  EXPECT_NEAR(m2, 1, 5 * std::sqrt(2.0 / n));
  EXPECT_NEAR(m4, 3, 5 * std::sqrt(96.0 / n));
  EXPECT_NEAR(pair, 0, 5 * std::sqrt(2.0 / n));
}

TEST(Philox, SeedsAndStreamsDiffer) {
  const Philox a(1, 2);
  EXPECT_EQ(a.words(7), Philox(1, 2).words(7));
  EXPECT_NE(a.words(7), Philox(2, 1).words(7));
  EXPECT_NE(a.words(7), Philox(1, 3).words(7));
  EXPECT_NE(a.words(7), a.words(8));
  EXPECT_NE(a.words(7), Philox(1ull << 32 | 1, 2).words(7));  // the high words count
  EXPECT_NE(a.words(7), Philox(1, 1ull << 32 | 2).words(7));
}

template <class B>
class Fill : public test::OnBackEnd<B> {};
TYPED_TEST_SUITE(Fill, test::BackEnds, test::BackEndNames);

constexpr std::uint64_t high_seed = 0x299f31d0a4093822ull, high_stream = 0x0370734413198a2eull;

TYPED_TEST(Fill, UniformNumbersAreThoseOfTheStream) {
  using T = typename TypeParam::Scalar;
  const Philox random(high_seed, high_stream);
  for (const std::uint64_t first : {0ull, 1ull, 254ull, (1ull << 33) - 3, ~0ull - 300})
    for (const std::size_t n : {0, 1, 2, 255, 256, 257, 1000, 20001}) {
      test::Guarded<TypeParam> u(n);
      fill_uniform<T>(test::executor<typename TypeParam::Executor>(), random, first, u.view(n));
      for (std::size_t i = 0; i < n; ++i) {
        const double whole = random.uniform(first + i);
        ASSERT_EQ(double(u[i]), sizeof(T) == 8 ? whole : std::floor(whole * 0x1p24) * 0x1p-24)
            << i << " from " << first;
      }
    }
}

TYPED_TEST(Fill, NormalNumbersAreThoseOfTheStream) {
  using T = typename TypeParam::Scalar;
  const Philox random(high_seed, high_stream);
  for (const std::uint64_t first : {0ull, 7ull})
    for (const std::size_t n : {0, 1, 2, 255, 20001}) {
      test::Guarded<TypeParam> z(n);
      fill_normal<T>(test::executor<typename TypeParam::Executor>(), random, first, z.view(n));
      for (std::size_t i = 0; i < n; ++i) {
        const double exact = random.normal(first + i);
        ASSERT_NEAR(z[i], exact,
                    4 * double(std::numeric_limits<T>::epsilon()) * std::max(1.0, std::abs(exact)))
            << i << " from " << first;
      }
    }
}

}  // namespace
}  // namespace sobolev
