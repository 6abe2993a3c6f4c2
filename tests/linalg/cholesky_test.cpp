// SPDX-License-Identifier: Apache-2.0
#include "sobolev/linalg/cholesky.hpp"

#include "tests/support.hpp"

namespace sobolev {
namespace {
template <class T>
class Cholesky : public testing::Test {};
using Scalars = testing::Types<float, double>;
TYPED_TEST_SUITE(Cholesky, Scalars);

/// BᵀB + P·I.
template <class T>
std::vector<T> definite_matrix(std::size_t p) {
  std::vector<T> a(p * p);
  const Philox random(3, p);
  std::vector<double> b(p * p);
  for (std::size_t i = 0; i < p * p; ++i) b[i] = random.normal(i);
  for (std::size_t i = 0; i < p; ++i)
    for (std::size_t j = 0; j < p; ++j) {
      double sum = i == j ? double(p) : 0.0;
      for (std::size_t k = 0; k < p; ++k) sum += b[k * p + i] * b[k * p + j];
      a[i * p + j] = T(sum);
    }
  return a;
}

TYPED_TEST(Cholesky, FactorsAndSolves) {
  using T = TypeParam;
  for (std::size_t p : {1, 2, 11, 12, 23, 24, 25, 48, 97, 150, 192, 240, 331}) {
    const std::vector<T> a = definite_matrix<T>(p);
    test::Guarded<T> u(p * p), x(p, 5);
    std::copy(a.begin(), a.end(), u.data());
    const std::vector<T> b(x.data(), x.data() + p);
    ASSERT_TRUE(cholesky<T>(Cpu(2), u.view(p, p))) << p;
    double norm = 0;
    for (T v : a) norm = std::max(norm, std::abs(double(v)));
    for (std::size_t i = 0; i < p; ++i)
      for (std::size_t j = i; j < p; ++j) {
        double sum = 0;
        for (std::size_t k = 0; k <= i; ++k) sum += double(u[k * p + i]) * double(u[k * p + j]);
        EXPECT_LE(std::abs(sum - double(a[i * p + j])),
                  2 * double(p) * double(std::numeric_limits<T>::epsilon()) * norm);
      }
    cholesky_solve<T>(Cpu(2), u.cview(p, p), x.view(p));
    for (std::size_t i = 0; i < p; ++i) {
      double sum = 0;
      for (std::size_t j = 0; j < p; ++j) sum += double(a[i * p + j]) * double(x[j]);
      EXPECT_NEAR(sum, double(b[i]), 30 * double(p) * double(std::numeric_limits<T>::epsilon()) * 10);
    }
  }
}

TYPED_TEST(Cholesky, SaysWhenTheMatrixIsNotPositiveDefinite) {
  using T = TypeParam;
  for (std::size_t bad : {0, 5, 30, 59, 96, 130, 191}) {
    const std::size_t p = 192;
    std::vector<T> a = definite_matrix<T>(p);
    a[bad * p + bad] = T(-1);
    EXPECT_FALSE(cholesky<T>(Cpu(2), View<T, 2>(a.data(), p, p)));
    a = definite_matrix<T>(p);
    a[bad * p + bad] = std::numeric_limits<T>::quiet_NaN();
    EXPECT_FALSE(cholesky<T>(Cpu(2), View<T, 2>(a.data(), p, p)));
  }
}

TYPED_TEST(Cholesky, GivesTheSameBitsWithAnyNumberOfThreads) {
  using T = TypeParam;
  const std::size_t p = 130;
  std::vector<T> one = definite_matrix<T>(p), three = one;
  ASSERT_TRUE(cholesky<T>(Cpu(1), View<T, 2>(one.data(), p, p)));
  ASSERT_TRUE(cholesky<T>(Cpu(3), View<T, 2>(three.data(), p, p)));
  EXPECT_EQ(one, three);
}
}  // namespace
}  // namespace sobolev
