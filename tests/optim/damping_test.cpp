// SPDX-License-Identifier: Apache-2.0
#include "sobolev/optim/damping.hpp"

#include "tests/support.hpp"

namespace sobolev {
namespace {
template <class B>
class Damping : public test::OnBackEnd<B> {
 protected:
  const typename B::Executor& on() { return test::executor<typename B::Executor>(); }
};
TYPED_TEST_SUITE(Damping, test::BackEnds, test::BackEndNames);

TYPED_TEST(Damping, DiagonalHasAFloor) {
  using T = typename TypeParam::Scalar;
  for (std::size_t p : {1, 7, 300}) {
    test::Guarded<TypeParam> matrix(p * p, p), diagonal(p, 2);
    T largest = 0;
    for (std::size_t i = 0; i < p; ++i) {
      matrix[i * p + i] = std::abs(matrix[i * p + i]);
      largest = std::max(largest, matrix[i * p + i]);
    }
    damping_diagonal<T>(this->on(), matrix.cview(p, p), T(0.25), diagonal.view(p));
    for (std::size_t i = 0; i < p; ++i)
      EXPECT_EQ(diagonal[i], std::max(matrix[i * p + i], T(0.25) * largest));
  }
}

TYPED_TEST(Damping, MatrixIsPaddedWithTheIdentity) {
  using T = typename TypeParam::Scalar;
  for (std::size_t p : {1, 5, 96})
    for (std::size_t q : {p, p + 1, p + 43}) {
      test::Guarded<TypeParam> matrix(p * p, p), diagonal(p, 2), out(q * q, 3);
      const std::vector<T> before(out.data(), out.data() + q * q);
      damped_matrix<T>(this->on(), matrix.cview(p, p), diagonal.cview(p), T(0.5), out.view(q, q));
      for (std::size_t i = 0; i < q; ++i)
        for (std::size_t j = 0; j < q; ++j) {
          const T at = out[i * q + j];
          if (j < i)
            EXPECT_EQ(at, before[i * q + j]) << "the lower triangle was written";
          else if (i < p && j < p)
            test::expect_near<T>(at, double(matrix[i * p + j]) + (i == j ? 0.5 * double(diagonal[i]) : 0), 2);
          else
            EXPECT_EQ(at, T(i == j));
        }
    }
}

TYPED_TEST(Damping, RefusesShapesThatDoNotAgree) {
  using T = typename TypeParam::Scalar;
  test::Guarded<TypeParam> m(9), d(3), out(16);
  EXPECT_THROW(damping_diagonal<T>(this->on(), m.cview(3, 3), T(1), d.view(2)), ArgumentError);
  EXPECT_THROW(damped_matrix<T>(this->on(), m.cview(3, 3), d.cview(3), T(1), out.view(2, 2)), ArgumentError);
  EXPECT_THROW(damped_matrix<T>(this->on(), m.cview(3, 3), d.cview(2), T(1), out.view(4, 4)), ArgumentError);
}
}  // namespace
}  // namespace sobolev
