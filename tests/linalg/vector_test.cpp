// SPDX-License-Identifier: Apache-2.0
#include "sobolev/linalg/vector.hpp"

#include "tests/support.hpp"

namespace sobolev {
namespace {
template <class B>
class Vectors : public test::OnBackEnd<B> {
 protected:
  const typename B::Executor& on() { return test::executor<typename B::Executor>(); }
};
TYPED_TEST_SUITE(Vectors, test::BackEnds, test::BackEndNames);

TYPED_TEST(Vectors, AreAdded) {
  using T = typename TypeParam::Scalar;
  for (std::size_t n : {0, 1, 255, 257, 20000}) {
    test::Guarded<TypeParam> x(n, 1), y(n, 2), out(n, 3);
    axpby<T>(this->on(), T(2.5), x.cview(n), T(-0.75), y.cview(n), out.view(n));
    const T *a = x.data(), *b = y.data(), *c = out.data();
    for (std::size_t i = 0; i < n; ++i)
      test::expect_near<T>(c[i], 2.5 * double(a[i]) - 0.75 * double(b[i]), 4);
  }
}

TYPED_TEST(Vectors, AreAddedInPlace) {
  using T = typename TypeParam::Scalar;
  const std::size_t n = 300;
  test::Guarded<TypeParam> x(n, 1), y(n, 2);
  const std::vector<T> before(x.data(), x.data() + n);
  axpby<T>(this->on(), T(1), x.cview(n), T(2), y.cview(n), x.view(n));
  const T *a = x.data(), *b = y.data();
  for (std::size_t i = 0; i < n; ++i) test::expect_near<T>(a[i], double(before[i]) + 2 * double(b[i]), 4);
}

TYPED_TEST(Vectors, HaveANorm) {
  using T = typename TypeParam::Scalar;
  for (std::size_t n : {0, 1, 31, 256, 5000}) {
    test::Guarded<TypeParam> x(n, 1);
    double want = 0;
    const T* a = x.data();
    for (std::size_t i = 0; i < n; ++i) want += double(a[i]) * double(a[i]);
    EXPECT_NEAR(norm<T>(this->on(), x.cview(n)), std::sqrt(want), 1e-13 * (1 + std::sqrt(want)));
  }
  test::Guarded<TypeParam> x(100);
  x[63] = std::numeric_limits<T>::quiet_NaN();
  EXPECT_FALSE(std::isfinite(norm<T>(this->on(), x.cview(100))));
  x[63] = std::numeric_limits<T>::infinity();
  EXPECT_FALSE(std::isfinite(norm<T>(this->on(), x.cview(100))));
}

TYPED_TEST(Vectors, HaveADotProduct) {
  using T = typename TypeParam::Scalar;
  for (std::size_t n : {0, 1, 31, 256, 5000}) {
    test::Guarded<TypeParam> x(n, 1), y(n, 2);
    double want = 0, size = 1;
    const T *a = x.data(), *b = y.data();
    for (std::size_t i = 0; i < n; ++i) {
      want += double(a[i]) * double(b[i]);
      size += std::abs(double(a[i]) * double(b[i]));
    }
    EXPECT_NEAR(dot<T>(this->on(), x.cview(n), y.cview(n)), want, 1e-13 * size);
  }
}

TYPED_TEST(Vectors, MustAgreeInSize) {
  using T = typename TypeParam::Scalar;
  test::Guarded<TypeParam> x(3), y(4);
  EXPECT_THROW(axpby<T>(this->on(), T(1), x.cview(3), T(1), y.cview(4), x.view(3)), ArgumentError);
  EXPECT_THROW(axpby<T>(this->on(), T(1), x.cview(3), T(1), x.cview(3), y.view(4)), ArgumentError);
  EXPECT_THROW(dot<T>(this->on(), x.cview(3), y.cview(4)), ArgumentError);
}

#if SOBOLEV_HAS_CUDA
TEST(CudaGraphOfVectors, RunsWhatWasRecordedAgainAndAgain) {
  if (Cuda::count() == 0) GTEST_SKIP() << "no CUDA device";
  const Cuda cuda;
  const DeviceBuffer<double> sum(cuda, 2);
  clear<double, 1>(cuda, sum.view(2));
  const double one[] = {1, 2};
  const DeviceBuffer<double> step(cuda, 2);
  upload<double, 1>(cuda, View<const double, 1>(one, 2), step.view(2));
  const CudaGraph graph(cuda, [&] {
    axpby<double>(cuda, 1.0, sum.view(2), 1.0, step.view(2), sum.view(2));
    axpby<double>(cuda, 2.0, sum.view(2), 0.0, step.view(2), sum.view(2));
  });
  double got[2];
  download<double, 1>(cuda, sum.view(2), View<double, 1>(got, 2));
  EXPECT_EQ(got[0], 0) << "recording must not run the work";
  for (int i = 0; i < 3; ++i) graph.launch();
  download<double, 1>(cuda, sum.view(2), View<double, 1>(got, 2));
  EXPECT_EQ(got[0], 14);
  EXPECT_EQ(got[1], 28);
}
#endif
}  // namespace
}  // namespace sobolev
