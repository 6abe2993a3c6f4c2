// SPDX-License-Identifier: Apache-2.0
#include "sobolev/linalg/gemm.hpp"

#include "tests/support.hpp"

namespace sobolev {
namespace {
template <class B>
class Gemm : public test::OnBackEnd<B> {};
TYPED_TEST_SUITE(Gemm, test::BackEnds, test::BackEndNames);
template <class T>
class GemmThreads : public testing::Test {};
using Scalars = testing::Types<float, double>;
TYPED_TEST_SUITE(GemmThreads, Scalars);

/// Compares C with plain loops in double.
template <class T>
void expect_product(T alpha, const T* a, const T* b, T beta, const T* before, const T* c, std::size_t m,
                    std::size_t n, std::size_t k, const GemmOptions& options) {
  const double eps = double(std::numeric_limits<T>::epsilon());
  for (std::size_t i = 0; i < m; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      double sum = 0, absolute = 0;
      for (std::size_t r = 0; r < k; ++r) {
        const double x = double(options.transpose_a ? a[r * m + i] : a[i * k + r]),
                     y = double(options.transpose_b ? b[j * k + r] : b[r * n + j]);
        sum += x * y;
        absolute += std::abs(x * y);
      }
      const double old = beta == T(0) ? 0.0 : double(beta) * double(before[i * n + j]);
      ASSERT_NEAR(double(c[i * n + j]), double(alpha) * sum + old,
                  2 * eps * (double(k) * std::abs(double(alpha)) * absolute + std::abs(old)) + 1e-300)
          << m << " x " << n << " x " << k << " at " << i << ", " << j;
    }
}

TYPED_TEST(Gemm, MultipliesAndAdds) {
  using T = typename TypeParam::Scalar;
  struct Size {
    std::size_t m, n, k;
  };
  for (const Size& s : {Size{1, 1, 1}, Size{3, 5, 0}, Size{0, 4, 7}, Size{31, 32, 33}, Size{97, 24, 257},
                        Size{23, 193, 400}, Size{130, 101, 901}})
    for (int transposed = 0; transposed < 4; ++transposed)
      for (T beta : {T(0), T(1), T(-0.5)}) {
        if (!std::is_same_v<typename TypeParam::Executor, Cpu> && s.k >= 400 && beta != T(-0.5)) continue;
        const GemmOptions options{(transposed & 1) != 0, (transposed & 2) != 0};
        const T alpha = transposed == 0 ? T(1) : T(-1.5);
        test::Guarded<TypeParam> a(s.m * s.k, 1), b(s.k * s.n, 2), c(s.m * s.n, 3);
        if (beta == T(0)) std::fill_n(c.data(), s.m * s.n, std::numeric_limits<T>::quiet_NaN());
        const std::vector<T> before(c.data(), c.data() + s.m * s.n);
        gemm<T>(test::executor_of<TypeParam>(), alpha,
                options.transpose_a ? a.cview(s.k, s.m) : a.cview(s.m, s.k),
                options.transpose_b ? b.cview(s.n, s.k) : b.cview(s.k, s.n), beta, c.view(s.m, s.n), options);
        expect_product(alpha, a.data(), b.data(), beta, before.data(), c.data(), s.m, s.n, s.k, options);
      }
}

TYPED_TEST(Gemm, MultipliesBatches) {
  using T = typename TypeParam::Scalar;
  const std::size_t m = 7, n = 26, k = 50;
  for (std::size_t count : {0, 1, 3, 40})
    for (bool transposed : {false, true}) {
      const GemmOptions options{transposed, transposed};
      test::Guarded<TypeParam> a(count * m * k, 1), b(count * k * n, 2), c(count * m * n, 3);
      const std::vector<T> before(c.data(), c.data() + count * m * n);
      gemm<T>(test::executor_of<TypeParam>(), T(2), transposed ? a.cview(count, k, m) : a.cview(count, m, k),
              transposed ? b.cview(count, n, k) : b.cview(count, k, n), T(3), c.view(count, m, n), options);
      for (std::size_t i = 0; i < count; ++i)
        expect_product(T(2), a.data() + i * m * k, b.data() + i * k * n, T(3), before.data() + i * m * n,
                       c.data() + i * m * n, m, n, k, options);
    }
}

TYPED_TEST(GemmThreads, GivesTheSameBitsWhateverTheNumberOfThreads) {
  using T = TypeParam;
  const std::size_t m = 210, n = 150, k = 1000;
  test::Guarded<T> a(m * k, 1), b(k * n, 2), one(m * n, 3), three(m * n, 3);
  gemm<T>(Cpu(1), T(0.3), a.cview(m, k), b.cview(k, n), T(0.7), one.view(m, n));
  gemm<T>(Cpu(3), T(0.3), a.cview(m, k), b.cview(k, n), T(0.7), three.view(m, n));
  for (std::size_t i = 0; i < m * n; ++i) ASSERT_EQ(one[i], three[i]);
}

TYPED_TEST(GemmThreads, RefusesShapesThatDoNotAgree) {
  using T = TypeParam;
  test::Guarded<T> a(60), b(60), c(60);
  const Cpu cpu;
  EXPECT_THROW(gemm<T>(cpu, T(1), a.cview(2, 3), b.cview(4, 5), T(0), c.view(2, 5)), ArgumentError);
  EXPECT_THROW(gemm<T>(cpu, T(1), a.cview(2, 3), b.cview(3, 5), T(0), c.view(5, 2)), ArgumentError);
  EXPECT_THROW(gemm<T>(cpu, T(1), a.cview(2, 3), b.cview(3, 5), T(0), c.view(2, 5), {true, false}),
               ArgumentError);
  EXPECT_THROW(gemm<T>(cpu, T(1), a.cview(2, 2, 3), b.cview(1, 3, 5), T(0), c.view(2, 2, 5)), ArgumentError);
  EXPECT_THROW(gemm<T>(cpu, T(1), a.cview(10, 2, 3), b.cview(10, 2, 3), T(0), c.view(10, 2, 3)),
               ArgumentError);
}
}  // namespace
}  // namespace sobolev
