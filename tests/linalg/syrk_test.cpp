// SPDX-License-Identifier: Apache-2.0
#include "sobolev/linalg/syrk.hpp"

#include "tests/support.hpp"

namespace sobolev {
namespace {
template <class B>
class Syrk : public test::OnBackEnd<B> {};
TYPED_TEST_SUITE(Syrk, test::BackEnds, test::BackEndNames);

TYPED_TEST(Syrk, AddsTheUpperTriangleOfAtA) {
  using T = typename TypeParam::Scalar;
  for (std::size_t n : {0, 1, 31, 193, 400, 901})
    for (std::size_t p : {0, 1, 23, 24, 49, 130}) {
      test::Guarded<TypeParam> left(n * p, n + p), sum(p * p, 99);
      const std::vector<T> before(sum.data(), sum.data() + p * p);
      syrk<T>(test::executor<typename TypeParam::Executor>(), left.cview(n, p), sum.view(p, p));
      const T *a = left.data(), *c = sum.data();
      for (std::size_t i = 0; i < p; ++i)
        for (std::size_t j = 0; j < p; ++j) {
          if (j < i) {
            EXPECT_EQ(c[i * p + j], before[i * p + j]) << "the lower triangle was written";
            continue;
          }
          double want = before[i * p + j], absolute = 0;
          for (std::size_t r = 0; r < n; ++r) {
            want += double(a[r * p + i]) * double(a[r * p + j]);
            absolute += std::abs(double(a[r * p + i]) * double(a[r * p + j]));
          }
          EXPECT_LE(std::abs(double(c[i * p + j]) - want), 2 * double(std::max<std::size_t>(n, 1)) *
                                                               double(std::numeric_limits<T>::epsilon()) *
                                                               (absolute + std::abs(want)));
        }
    }
}

template <class T>
class SyrkThreads : public testing::Test {};
using Scalars = testing::Types<float, double>;
TYPED_TEST_SUITE(SyrkThreads, Scalars);

TYPED_TEST(SyrkThreads, GiveTheSameBitsWhateverTheirNumber) {
  using T = TypeParam;
  const std::size_t n = 900, p = 101;
  test::Guarded<T> a(n * p, 1), one(p * p, 2), three(p * p, 2);
  syrk<T>(Cpu(1), a.cview(n, p), one.view(p, p));
  syrk<T>(Cpu(3), a.cview(n, p), three.view(p, p));
  for (std::size_t i = 0; i < p * p; ++i) EXPECT_EQ(one[i], three[i]);
}

TYPED_TEST(Syrk, RefusesShapesThatDoNotAgree) {
  using T = typename TypeParam::Scalar;
  test::Guarded<TypeParam> a(6), c(6);
  EXPECT_THROW(syrk<T>(test::executor<typename TypeParam::Executor>(), a.cview(2, 3), c.view(2, 3)),
               ArgumentError);
}
}  // namespace
}  // namespace sobolev
