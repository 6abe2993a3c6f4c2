// SPDX-License-Identifier: Apache-2.0
#include "sobolev/linalg/cholesky.hpp"

#include "tests/support.hpp"

namespace sobolev {
namespace {
template <class B>
class Cholesky : public test::OnBackEnd<B> {};
TYPED_TEST_SUITE(Cholesky, test::BackEnds, test::BackEndNames);

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
  using T = typename TypeParam::Scalar;
  const auto& on = test::executor<typename TypeParam::Executor>();
  for (std::size_t p : {1, 2, 11, 12, 23, 24, 25, 48, 63, 64, 65, 97, 128, 150, 192, 240, 331}) {
    const std::vector<T> a = definite_matrix<T>(p);
    test::Guarded<TypeParam> guarded(p * p), solution(p, 5);
    std::copy(a.begin(), a.end(), guarded.data());
    const std::vector<T> b(solution.data(), solution.data() + p);
    test::Guarded<TypeParam> scratch(cholesky_scratch<T>(on, p));
    ASSERT_TRUE(p % 2 == 0 ? cholesky<T>(on, guarded.view(p, p))
                           : cholesky<T>(on, guarded.view(p, p), scratch.view(scratch.size())))
        << p;
    cholesky_solve<T>(on, guarded.cview(p, p), solution.view(p));
    const std::vector<T> u(guarded.data(), guarded.data() + p * p), x(solution.data(), solution.data() + p);
    double norm = 0;
    for (T v : a) norm = std::max(norm, std::abs(double(v)));
    for (std::size_t i = 0; i < p; ++i)
      for (std::size_t j = i; j < p; ++j) {
        double sum = 0;
        for (std::size_t k = 0; k <= i; ++k) sum += double(u[k * p + i]) * double(u[k * p + j]);
        EXPECT_LE(std::abs(sum - double(a[i * p + j])),
                  2 * double(p) * double(std::numeric_limits<T>::epsilon()) * norm);
      }
    for (std::size_t i = 0; i < p; ++i) {
      double sum = 0;
      for (std::size_t j = 0; j < p; ++j) sum += double(a[i * p + j]) * double(x[j]);
      EXPECT_NEAR(sum, double(b[i]), 30 * double(p) * double(std::numeric_limits<T>::epsilon()) * 10);
    }
  }
}

TYPED_TEST(Cholesky, SaysWhenTheMatrixIsNotPositiveDefinite) {
  using T = typename TypeParam::Scalar;
  const auto& on = test::executor<typename TypeParam::Executor>();
  const std::size_t p = 192;
  test::Guarded<TypeParam> guarded(p * p);
  for (std::size_t bad : {0, 5, 30, 59, 96, 130, 191})
    for (T value : {T(-1), std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::infinity()}) {
      if (value > T(0) && std::is_same_v<typename TypeParam::Executor, Cpu>) continue;  // its root is no NaN
      std::vector<T> a = definite_matrix<T>(p);
      a[bad * p + bad] = value;
      std::copy(a.begin(), a.end(), guarded.data());
      EXPECT_FALSE(cholesky<T>(on, guarded.view(p, p)));
    }
}

TYPED_TEST(Cholesky, RefusesShapesThatDoNotAgree) {
  using T = typename TypeParam::Scalar;
  const auto& on = test::executor<typename TypeParam::Executor>();
  test::Guarded<TypeParam> a(6), b(2);
  EXPECT_THROW(cholesky<T>(on, a.view(2, 3)), ArgumentError);
  if (const std::size_t n = cholesky_scratch<T>(on, 2); n > 0) {
    test::Guarded<TypeParam> less(n - 1);
    EXPECT_THROW(cholesky<T>(on, a.view(2, 2), less.view(n - 1)), ArgumentError);
  }
  EXPECT_THROW(cholesky_solve<T>(on, a.cview(3, 2), b.view(2)), ArgumentError);
  EXPECT_THROW(cholesky_solve<T>(on, a.cview(1, 1), b.view(2)), ArgumentError);
}

template <class T>
class CholeskyThreads : public testing::Test {};
using Scalars = testing::Types<float, double>;
TYPED_TEST_SUITE(CholeskyThreads, Scalars);

TYPED_TEST(CholeskyThreads, GiveTheSameBitsWhateverTheirNumber) {
  using T = TypeParam;
  const std::size_t p = 330;
  std::vector<T> one = definite_matrix<T>(p), three = one;
  ASSERT_TRUE(cholesky<T>(Cpu(1), View<T, 2>(one.data(), p, p)));
  ASSERT_TRUE(cholesky<T>(Cpu(3), View<T, 2>(three.data(), p, p)));
  EXPECT_EQ(one, three);
}
}  // namespace
}  // namespace sobolev
