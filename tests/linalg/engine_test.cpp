// SPDX-License-Identifier: Apache-2.0
// Kernels and the libraries of CUDA, which keep the same contracts.
#if SOBOLEV_HAS_CUDA
#include "sobolev/core/engine.hpp"

#include "sobolev/linalg/cholesky.hpp"
#include "sobolev/linalg/gemm.hpp"
#include "sobolev/linalg/syrk.hpp"
#include "tests/support.hpp"

namespace sobolev {
namespace {
template <class B>
class Engines : public test::OnBackEnd<B> {
 protected:
  /// Without libraries, as on a simulated device, what is tested is that this is said.
  void SetUp() override {
    test::OnBackEnd<B>::SetUp();
    if (this->IsSkipped()) return;
    try {
      library.emplace(test::executor<Cuda>().with(Engine::library));
    } catch (const DeviceError& error) {
      EXPECT_NE(std::string(error.what()).find("use Engine::native"), std::string::npos) << error.what();
    }
  }
  const Cuda native = test::executor<Cuda>().with(Engine::native);
  std::optional<Cuda> library;
};
TYPED_TEST_SUITE(Engines, test::CudaBackEnds, test::BackEndNames);

template <class T>
void expect_same(T* a, T* b, std::size_t n, double growth) {
  for (std::size_t i = 0; i < n; ++i) test::expect_near<T>(double(a[i]), double(b[i]), growth);
}

TYPED_TEST(Engines, MultiplyAlike) {
  if (!this->library) return;
  using T = typename TypeParam::Scalar;
  const std::size_t count = 3, m = 70, n = 41, k = 130;
  for (int transposed = 0; transposed < 4; ++transposed) {
    const GemmOptions options{(transposed & 1) != 0, (transposed & 2) != 0};
    test::Guarded<TypeParam> a(count * m * k, 1), b(count * k * n, 2), c(count * m * n, 3),
        d(count * m * n, 3);
    const auto product = [&](const Cuda& cuda, test::Guarded<TypeParam>& to) {
      gemm<T>(cuda, T(-1.5), options.transpose_a ? a.cview(count, k, m) : a.cview(count, m, k),
              options.transpose_b ? b.cview(count, n, k) : b.cview(count, k, n), T(0.5), to.view(count, m, n),
              options);
    };
    product(this->native, c);
    product(*this->library, d);
    expect_same(c.data(), d.data(), c.size(), 1000);
  }
}

TYPED_TEST(Engines, SumProductsOfRowsAlike) {
  if (!this->library) return;
  using T = typename TypeParam::Scalar;
  const std::size_t rows = 300, p = 77;
  test::Guarded<TypeParam> a(rows * p, 1), c(p * p, 2), d(p * p, 2);
  syrk<T>(this->native, a.cview(rows, p), c.view(p, p));
  syrk<T>(*this->library, a.cview(rows, p), d.view(p, p));
  expect_same(c.data(), d.data(), p * p, 1000);  // the lower triangle stays
}

TYPED_TEST(Engines, FactorAndSolveAlike) {
  if (!this->library) return;
  using T = typename TypeParam::Scalar;
  const std::size_t p = 150;
  test::Guarded<TypeParam> a(2 * p * p, 1), c(p * p), d(p * p), x(p, 3), y(p, 3);
  for (auto* matrix : {&c, &d}) {
    std::fill_n(matrix->data(), p * p, T(0));
    for (std::size_t i = 0; i < p; ++i) (*matrix)[i * p + i] = T(p);
    syrk<T>(this->native, a.cview(2 * p, p), matrix->view(p, p));
  }
  ASSERT_TRUE(cholesky<T>(this->native, c.view(p, p)));
  ASSERT_TRUE(cholesky<T>(*this->library, d.view(p, p)));
  cholesky_solve<T>(this->native, c.cview(p, p), x.view(p));
  cholesky_solve<T>(*this->library, d.cview(p, p), y.view(p));
  expect_same(x.data(), y.data(), p, 1000);
  d[p / 2 * p + p / 2] = T(-1);
  EXPECT_FALSE(cholesky<T>(*this->library, d.view(p, p)));
}

TEST(EngineCuda, IsOfTheExecutorAndItsCopies) {
  if (Cuda::count() == 0) GTEST_SKIP() << "no CUDA device";
  const Cuda cuda;
  EXPECT_EQ(cuda.engine(), Engine::automatic);
  const Cuda native = cuda.with(Engine::native).with(Products::tf32);
  EXPECT_EQ(native.engine(), Engine::native);
  EXPECT_EQ(native.products(), Products::tf32);
  EXPECT_EQ(native.stream(), cuda.stream());
}
}  // namespace
}  // namespace sobolev
#endif
