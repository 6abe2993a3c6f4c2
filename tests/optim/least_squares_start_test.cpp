// SPDX-License-Identifier: Apache-2.0
#include "sobolev/optim/least_squares_start.hpp"

#include "tests/optim/least_squares.hpp"

namespace sobolev {
namespace {
template <class B>
class LeastSquaresStart : public test::OnBackEnd<B> {
 protected:
  using T = typename B::Scalar;
  using E = typename B::Executor;
  const E& on() { return test::executor<E>(); }
};
TYPED_TEST_SUITE(LeastSquaresStart, test::BackEnds, test::BackEndNames);

/// r_i = θ₁ + θ₃ x_i + sin(θ₀ x_i) + θ₂ x_i² − f_i: affine in θ₁, θ₃ and θ₂, not in θ₀; of no others.
template <class T, class E>
test::PlainLeastSquares<T, E> fit(const E& on, std::size_t parameters = 4) {
  const std::size_t n = 30;
  return {on, parameters, n, [n, parameters](const std::vector<double>& t) {
            typename test::PlainLeastSquares<T, E>::Values v{std::vector<double>(n),
                                                             std::vector<double>(parameters * n)};
            for (std::size_t i = 0; i < n; ++i) {
              const double x = double(i) / double(n) - 0.4;
              v.r[i] = t[1] + t[3] * x + std::sin(t[0] * x) + t[2] * x * x - std::exp(x);
              const double row[] = {x * std::cos(t[0] * x), 1, x * x, x};
              std::copy_n(row, 4, v.jacobian.begin() + std::ptrdiff_t(parameters * i));
            }
            return v;
          }};
}

TYPED_TEST(LeastSquaresStart, MinimisesOverTheParametersThatAreNamed) {
  using T = typename TestFixture::T;
  using E = typename TestFixture::E;
  auto objective = fit<T, E>(this->on());
  for (std::size_t i = 0; i < objective.weights.size(); ++i) objective.weights[i] = 0.5 + 0.1 * double(i % 7);
  test::Parameters<T, E> theta(this->on(), {0.5, 2, -1, 3});
  ASSERT_TRUE((least_squares_start<T, E>(this->on(), objective, theta.view(), {3, 1}, 0)));
  EXPECT_EQ(theta.values()[0], 0.5);
  EXPECT_EQ(theta.values()[2], -1);
  // Where ∂L/∂θ vanishes in them, and only there.
  BufferOn<E, T> there = zeros<T>(this->on(), 4);
  std::vector<T> gradient(4);
  objective.loss_gradient(theta.view(), View<T, 1>(there.data(), 4));
  download<T, 1>(this->on(), View<const T, 1>(there.data(), 4), View<T, 1>(gradient.data(), 4));
  const double small = 2e4 * double(std::numeric_limits<T>::epsilon());
  EXPECT_NEAR(double(gradient[1]), 0, small);
  EXPECT_NEAR(double(gradient[3]), 0, small);
  EXPECT_GT(std::abs(double(gradient[2])), 0.1);
}

// With few of many parameters its columns are made one by one.
TYPED_TEST(LeastSquaresStart, GivesTheSameByColumns) {
  using T = typename TestFixture::T;
  using E = typename TestFixture::E;
  std::vector<double> found[2];
  for (std::size_t parameters : {4, 17}) {
    auto objective = fit<T, E>(this->on(), parameters);
    for (std::size_t i = 0; i < objective.weights.size(); ++i)
      objective.weights[i] = 0.5 + 0.1 * double(i % 7);
    std::vector<double> start{0.5, 2, -1, 3};
    start.resize(parameters);
    test::Parameters<T, E> theta(this->on(), start);
    ASSERT_TRUE((least_squares_start<T, E>(this->on(), objective, theta.view(), {3, 1}, 1e-3)));
    const std::vector<double> values = theta.values();
    found[parameters > 4].assign(values.begin(), values.begin() + 4);
  }
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_NEAR(found[1][i], found[0][i], 1e3 * double(std::numeric_limits<T>::epsilon())) << i;
}

TYPED_TEST(LeastSquaresStart, KeepsWhatItCannotImprove) {
  using T = typename TestFixture::T;
  using E = typename TestFixture::E;
  // Far from the minimum sin is no line: the step is too long.
  const std::size_t n = 9;
  test::PlainLeastSquares<T, E> objective(this->on(), 1, n, [n](const std::vector<double>& t) {
    typename test::PlainLeastSquares<T, E>::Values v{std::vector<double>(n), std::vector<double>(n)};
    for (std::size_t i = 0; i < n; ++i) v.r[i] = std::atan(t[0]) + 0.01 * double(i);
    return v;
  });
  test::Parameters<T, E> theta(this->on(), {T(5.3)});
  EXPECT_FALSE((least_squares_start<T, E>(this->on(), objective, theta.view(), {0})));
  EXPECT_EQ(theta.values()[0], double(T(5.3)));
  EXPECT_FALSE((least_squares_start<T, E>(this->on(), objective, theta.view(), {})));
  EXPECT_THROW((least_squares_start<T, E>(this->on(), objective, theta.view(), {1})), ArgumentError);
}
}  // namespace
}  // namespace sobolev
