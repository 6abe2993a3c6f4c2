// SPDX-License-Identifier: Apache-2.0
#include "sobolev/spectral/mode_product.hpp"

#include <complex>

#include "tests/support.hpp"

namespace sobolev {
namespace {
template <class B>
class ModeProduct : public test::OnBackEnd<B> {};
TYPED_TEST_SUITE(ModeProduct, test::BackEnds, test::BackEndNames);

struct Size {
  std::size_t batch, modes, inputs, outputs;
};
std::vector<Size> sizes() {
  if (test::in_another_order()) return {{3, 2, 17, 5}};
  return {{1, 1, 1, 1},    {0, 3, 2, 2},  {2, 0, 3, 3},  {7, 3, 5, 20},
          {13, 2, 32, 33}, {4, 5, 17, 3}, {6, 2, 31, 16}};
}
using Complex = std::complex<double>;

/// Element i of the real and imaginary parts that stand `apart`.
template <class T>
Complex at(const T* p, std::size_t i, std::size_t apart) {
  return {double(p[i]), double(p[i + apart])};
}
double sum_of_parts(Complex a, Complex b) {
  return (std::abs(a.real()) + std::abs(a.imag())) * (std::abs(b.real()) + std::abs(b.imag()));
}
template <class T>
void expect_complex(const T* p, std::size_t i, std::size_t apart, Complex want, double terms,
                    double absolute) {
  const double bound = 4 * double(std::numeric_limits<T>::epsilon()) * terms * absolute + 1e-300;
  ASSERT_NEAR(double(p[i]), want.real(), bound);
  ASSERT_NEAR(double(p[i + apart]), want.imag(), bound);
}

TYPED_TEST(ModeProduct, MultipliesModeByMode) {
  using T = typename TypeParam::Scalar;
  for (const Size& s : sizes()) {
    test::Guarded<TypeParam> v(s.batch * s.modes * 2 * s.inputs, 1), r(s.modes * 2 * s.inputs * s.outputs, 2),
        w(s.batch * s.modes * 2 * s.outputs, 3);
    mode_product<T>(test::executor_of<TypeParam>(), v.cview(s.batch, s.modes, 2, s.inputs),
                    r.cview(s.modes, 2, s.inputs, s.outputs), w.view(s.batch, s.modes, 2, s.outputs));
    const std::size_t weights = s.inputs * s.outputs;
    for (std::size_t b = 0; b < s.batch; ++b)
      for (std::size_t k = 0; k < s.modes; ++k)
        for (std::size_t o = 0; o < s.outputs; ++o) {
          Complex sum = 0;
          double absolute = 0;
          for (std::size_t c = 0; c < s.inputs; ++c) {
            const Complex x = at(v.data(), (b * s.modes + k) * 2 * s.inputs + c, s.inputs),
                          y = at(r.data(), k * 2 * weights + c * s.outputs + o, weights);
            sum += x * y;
            absolute += sum_of_parts(x, y);
          }
          expect_complex(w.data(), (b * s.modes + k) * 2 * s.outputs + o, s.outputs, sum, double(s.inputs),
                         absolute);
        }
  }
}

TYPED_TEST(ModeProduct, HasTheAdjointOfItsInput) {
  using T = typename TypeParam::Scalar;
  for (const Size& s : sizes()) {
    test::Guarded<TypeParam> w(s.batch * s.modes * 2 * s.outputs, 1),
        r(s.modes * 2 * s.inputs * s.outputs, 2), v(s.batch * s.modes * 2 * s.inputs, 3);
    mode_product_input_adjoint<T>(test::executor_of<TypeParam>(), w.cview(s.batch, s.modes, 2, s.outputs),
                                  r.cview(s.modes, 2, s.inputs, s.outputs),
                                  v.view(s.batch, s.modes, 2, s.inputs));
    const std::size_t weights = s.inputs * s.outputs;
    for (std::size_t b = 0; b < s.batch; ++b)
      for (std::size_t k = 0; k < s.modes; ++k)
        for (std::size_t c = 0; c < s.inputs; ++c) {
          Complex sum = 0;
          double absolute = 0;
          for (std::size_t o = 0; o < s.outputs; ++o) {
            const Complex x = at(w.data(), (b * s.modes + k) * 2 * s.outputs + o, s.outputs),
                          y = at(r.data(), k * 2 * weights + c * s.outputs + o, weights);
            sum += x * std::conj(y);
            absolute += sum_of_parts(x, y);
          }
          expect_complex(v.data(), (b * s.modes + k) * 2 * s.inputs + c, s.inputs, sum, double(s.outputs),
                         absolute);
        }
  }
}

TYPED_TEST(ModeProduct, AddsTheAdjointOfItsWeights) {
  using T = typename TypeParam::Scalar;
  for (const Size& s : sizes()) {
    test::Guarded<TypeParam> v(s.batch * s.modes * 2 * s.inputs, 1), w(s.batch * s.modes * 2 * s.outputs, 2),
        r(s.modes * 2 * s.inputs * s.outputs, 3);
    const std::vector<T> before(r.data(), r.data() + r.size());
    mode_product_weight_adjoint<T>(test::executor_of<TypeParam>(), v.cview(s.batch, s.modes, 2, s.inputs),
                                   w.cview(s.batch, s.modes, 2, s.outputs),
                                   r.view(s.modes, 2, s.inputs, s.outputs));
    const std::size_t weights = s.inputs * s.outputs;
    for (std::size_t k = 0; k < s.modes; ++k)
      for (std::size_t c = 0; c < s.inputs; ++c)
        for (std::size_t o = 0; o < s.outputs; ++o) {
          const std::size_t i = k * 2 * weights + c * s.outputs + o;
          Complex sum = at(before.data(), i, weights);
          double absolute = std::abs(sum.real()) + std::abs(sum.imag());
          for (std::size_t b = 0; b < s.batch; ++b) {
            const Complex x = at(v.data(), (b * s.modes + k) * 2 * s.inputs + c, s.inputs),
                          y = at(w.data(), (b * s.modes + k) * 2 * s.outputs + o, s.outputs);
            sum += std::conj(x) * y;
            absolute += sum_of_parts(x, y);
          }
          expect_complex(r.data(), i, weights, sum, double(s.batch + 1), absolute);
        }
  }
}

TEST(ModeProduct, RefusesOtherShapes) {
  const Cpu cpu(1);
  test::Guarded<double> v(2 * 3 * 2 * 4), r(3 * 2 * 4 * 5), w(2 * 3 * 2 * 5);
  EXPECT_THROW(mode_product<double>(cpu, v.cview(2, 3, 2, 4), r.cview(3, 2, 5, 4), w.view(2, 3, 2, 5)),
               ArgumentError);
  EXPECT_THROW(mode_product<double>(cpu, v.cview(2, 3, 2, 4), r.cview(3, 2, 4, 5), w.view(3, 2, 2, 5)),
               ArgumentError);
}
}  // namespace
}  // namespace sobolev
