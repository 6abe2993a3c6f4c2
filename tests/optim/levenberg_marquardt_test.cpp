// SPDX-License-Identifier: Apache-2.0
#include "sobolev/optim/levenberg_marquardt.hpp"

#include <cmath>

#include "tests/optim/least_squares.hpp"

namespace sobolev {
namespace {
using test::Parameters;

template <class B>
class LevenbergMarquardtTest : public test::OnBackEnd<B> {
 protected:
  const typename B::Executor& on() { return test::executor<typename B::Executor>(); }
};
TYPED_TEST_SUITE(LevenbergMarquardtTest, test::DoubleBackEnds, test::BackEndNames);

TYPED_TEST(LevenbergMarquardtTest, FollowsRosenbrocksValley) {
  using E = typename TypeParam::Executor;
  for (bool geodesic : {false, true}) {
    auto objective = test::rosenbrock<double, E>(this->on());
    objective.weights = {2, 0.5};
    Parameters<double, E> theta(this->on(), {-1.2, 1});
    LevenbergMarquardtOptions options;
    options.geodesic = geodesic;
    LevenbergMarquardt<double, E> optimizer(this->on(), 2, options);
    double before = objective.loss(theta.view());
    for (int i = 0; i < 30 && before > 1e-25; ++i) {
      optimizer.iterate(objective, theta.view());
      ASSERT_LE(optimizer.outcome().loss, before);
      before = optimizer.outcome().loss;
    }
    EXPECT_LT(before, 1e-25) << geodesic;
    EXPECT_NEAR(theta.values()[0], 1, 1e-10);
    EXPECT_NEAR(theta.values()[1], 1, 1e-10);
  }
}

TYPED_TEST(LevenbergMarquardtTest, SolvesRankDeficientLeastSquares) {
  using E = typename TypeParam::Executor;
  auto objective = test::rank_deficient<double, E>(this->on());
  Parameters<double, E> theta(this->on(), std::vector<double>(8, 0.0));
  LevenbergMarquardt<double, E> optimizer(this->on(), 8);
  for (int i = 0; i < 20; ++i) optimizer.iterate(objective, theta.view());
  EXPECT_LT(objective.loss(theta.view()), 1e-24);
}

/// √u = 1 + 0.3 x with u = a + b x from u = 0.001: the first steps are so long that the points beside them,
/// which the acceleration asks for, lie where √u is not a number.
TYPED_TEST(LevenbergMarquardtTest, AcceleratesAgainAfterNumbersThatAreNot) {
  using E = typename TypeParam::Executor;
  const std::size_t n = 20;
  test::PlainLeastSquares<double, E> objective(this->on(), 3, n, [&](const std::vector<double>& t) {
    typename test::PlainLeastSquares<double, E>::Values v{std::vector<double>(n), std::vector<double>(3 * n)};
    for (std::size_t i = 0; i < n; ++i) {
      const double x = -1 + 2 * (double(i) + 0.5) / double(n), u = std::sqrt(t[0] + t[1] * x + t[2] * x * x);
      v.r[i] = u - 1 - 0.3 * x;
      for (std::size_t j = 0; j < 3; ++j) v.jacobian[i * 3 + j] = std::pow(x, double(j)) / (2 * u);
    }
    return v;
  });
  objective.weights.assign(n, 1.0 / double(n));
  Parameters<double, E> theta(this->on(), {1e-3, 0, 0});
  LevenbergMarquardt<double, E> optimizer(this->on(), 3);
  bool accelerated = false;
  for (int i = 0; i < 30; ++i) {
    const auto done = optimizer.step(objective, theta.view());
    if (i == 0) {
      EXPECT_FALSE(done.accelerated) << "not the case that is tested";
    }
    accelerated = accelerated || done.accelerated;
  }
  EXPECT_TRUE(accelerated);
  EXPECT_LT(optimizer.outcome().loss, 1e-8);
}

TYPED_TEST(LevenbergMarquardtTest, KeepsItsDampingAndSaysWhenItIsStuck) {
  using E = typename TypeParam::Executor;
  auto objective = test::rosenbrock<double, E>(this->on());
  Parameters<double, E> theta(this->on(), {-1.2, 1}), again(this->on(), {0, 0});
  LevenbergMarquardt<double, E> optimizer(this->on(), 2), other(this->on(), 2);
  for (int i = 0; i < 4; ++i) optimizer.iterate(objective, theta.view());
  other.load(optimizer.save());
  again.set(theta.values());
  optimizer.iterate(objective, theta.view());
  other.iterate(objective, again.view());
  EXPECT_EQ(again.values(), theta.values());
  EXPECT_EQ(other.damping(), optimizer.damping());
  again.set({1, 1});
  other.iterate(objective, again.view());
  EXPECT_TRUE(other.outcome().stuck);
  EXPECT_EQ(again.values(), (std::vector<double>{1, 1}));
  EXPECT_THROW(other.load({{"damping", {0}}}), ArgumentError);
  EXPECT_THROW(other.load({{"damping", {1, 2}}}), ArgumentError);
}

TYPED_TEST(LevenbergMarquardtTest, NeedsASumOfSquares) {
  using E = typename TypeParam::Executor;
  struct Other final : Objective<double, E> {
    std::size_t parameters() const override { return 2; }
    double loss(View<const double, 1>) override { return 0; }
    double loss_gradient(View<const double, 1>, View<double, 1>) override { return 0; }
    void loss_gradient(View<const double, 1>, View<double, 1>, View<double, 1>) override {}
  } other;
  Parameters<double, E> theta(this->on(), {0, 0});
  LevenbergMarquardt<double, E> optimizer(this->on(), 2);
  EXPECT_THROW(optimizer.iterate(other, theta.view()), ArgumentError);
}
}  // namespace
}  // namespace sobolev
