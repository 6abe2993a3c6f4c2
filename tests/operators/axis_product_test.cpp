// SPDX-License-Identifier: Apache-2.0
#include "sobolev/operators/axis_product.hpp"

#include "tests/support.hpp"

namespace sobolev {
namespace {
template <class B>
class AxisProduct : public test::OnBackEnd<B> {};
TYPED_TEST_SUITE(AxisProduct, test::BackEnds, test::BackEndNames);

TYPED_TEST(AxisProduct, IsAMatrixAlongAnAxis) {
  using T = typename TypeParam::Scalar;
  struct Size {
    std::size_t batch, m, n, inner;
    bool banded;
  };
  const std::vector<Size> all{{0, 3, 3, 4, false},  {1, 1, 1, 1, false},  {3, 9, 7, 33, false},
                              {2, 37, 37, 5, true}, {5, 6, 40, 1, false}, {37, 20, 20, 1, true},
                              {1, 64, 64, 31, true}};
  const std::vector<Size> few{{2, 17, 9, 3, false}, {17, 5, 4, 1, false}};
  for (const Size& s : test::in_another_order() ? few : all)
    for (const bool add : {false, true}) {
      test::Guarded<TypeParam> d(s.m * s.n, 1), turned(s.m * s.n), x(s.batch * s.n * s.inner, 2),
          y(s.batch * s.m * s.inner, 3);
      for (std::size_t i = 0; i < s.m; ++i)
        for (std::size_t k = 0; k < s.n; ++k) {
          if (s.banded && (k > i + 2 || i > k + 1)) d[i * s.n + k] = T(0);
          turned[k * s.m + i] = d[i * s.n + k];
        }
      const std::vector<T> before(y.data(), y.data() + y.size());
      axis_product<T>(test::executor_of<TypeParam>(), d.cview(s.m, s.n), turned.cview(s.n, s.m),
                      x.cview(s.batch, s.n, s.inner), y.view(s.batch, s.m, s.inner), add);
      for (std::size_t b = 0; b < s.batch; ++b)
        for (std::size_t i = 0; i < s.m; ++i)
          for (std::size_t j = 0; j < s.inner; ++j) {
            const std::size_t at = (b * s.m + i) * s.inner + j;
            double want = add ? double(before[at]) : 0, absolute = std::abs(want);
            for (std::size_t k = 0; k < s.n; ++k) {
              const double term =
                  double(d.data()[i * s.n + k]) * double(x.data()[(b * s.n + k) * s.inner + j]);
              want += term;
              absolute += std::abs(term);
            }
            ASSERT_NEAR(double(y.data()[at]), want,
                        2 * double(std::numeric_limits<T>::epsilon()) * double(s.n + 1) * absolute);
          }
    }
}

TEST(AxisProduct, RefusesOtherShapes) {
  const Cpu cpu(1);
  test::Guarded<double> d(12), x(24), y(24);
  axis_product<double>(cpu, d.cview(3, 4), d.cview(4, 3), x.cview(2, 4, 3), y.view(2, 3, 3));
  EXPECT_THROW(axis_product<double>(cpu, d.cview(3, 4), d.cview(3, 4), x.cview(2, 4, 3), y.view(2, 3, 3)),
               ArgumentError);
  EXPECT_THROW(axis_product<double>(cpu, d.cview(3, 4), d.cview(4, 3), x.cview(2, 3, 3), y.view(2, 3, 3)),
               ArgumentError);
  EXPECT_THROW(axis_product<double>(cpu, d.cview(3, 4), d.cview(4, 3), x.cview(2, 4, 3), y.view(2, 3, 2)),
               ArgumentError);
}
}  // namespace
}  // namespace sobolev
