// SPDX-License-Identifier: Apache-2.0
#include "sobolev/optim/lbfgs.hpp"

#include <cmath>
#include <limits>

#include "tests/optim/least_squares.hpp"

namespace sobolev {
namespace {
using test::Parameters;

template <class B>
class LbfgsTest : public test::OnBackEnd<B> {
 protected:
  const typename B::Executor& on() { return test::executor<typename B::Executor>(); }
};
TYPED_TEST_SUITE(LbfgsTest, test::DoubleBackEnds, test::BackEndNames);

TYPED_TEST(LbfgsTest, FollowsRosenbrocksValley) {
  using E = typename TypeParam::Executor;
  auto objective = test::rosenbrock<double, E>(this->on());
  Parameters<double, E> theta(this->on(), {-1.2, 1});
  Lbfgs<double, E> optimizer(this->on(), 2);
  double before = std::numeric_limits<double>::infinity();
  int iterations = 0;
  for (; iterations < 60 && before > 1e-25; ++iterations) {
    optimizer.iterate(objective, theta.view());
    ASSERT_LT(optimizer.outcome().loss, before) << "iteration " << iterations;
    ASSERT_FALSE(optimizer.outcome().stuck);
    before = optimizer.outcome().loss;
  }
  EXPECT_LT(iterations, 50);
  EXPECT_NEAR(theta.values()[0], 1, 1e-10);
  EXPECT_NEAR(theta.values()[1], 1, 1e-10);
  EXPECT_LT(objective.gradients, 90);
}

TYPED_TEST(LbfgsTest, SolvesRankDeficientLeastSquares) {
  using E = typename TypeParam::Executor;
  auto objective = test::rank_deficient<double, E>(this->on());
  Parameters<double, E> theta(this->on(), std::vector<double>(8, 0.0));
  Lbfgs<double, E> optimizer(this->on(), 8);
  for (int i = 0; i < 60 && !optimizer.outcome().stuck; ++i) optimizer.iterate(objective, theta.view());
  EXPECT_LT(objective.loss(theta.view()), 1e-24);
}

/// A Hessian of condition 10^3: conjugate gradients would come to (1 − 2/√κ)^(2·80) = 3e-5 of the start.
TYPED_TEST(LbfgsTest, GoesOnWhenItsMemoryIsFull) {
  using E = typename TypeParam::Executor;
  const std::size_t p = 40;
  test::PlainLeastSquares<double, E> objective(this->on(), p, p, [&](const std::vector<double>& t) {
    typename test::PlainLeastSquares<double, E>::Values v{std::vector<double>(p),
                                                          std::vector<double>(p * p, 0.0)};
    for (std::size_t i = 0; i < p; ++i) {
      const double size = std::pow(10.0, -1.5 * double(i) / double(p - 1));
      v.r[i] = size * (t[i] - 1);
      v.jacobian[i * p + i] = size;
    }
    return v;
  });
  Parameters<double, E> theta(this->on(), std::vector<double>(p, 0.0));
  LbfgsOptions options;
  options.memory = 5;
  Lbfgs<double, E> optimizer(this->on(), p, options);
  for (int i = 0; i < 80 && !optimizer.outcome().stuck; ++i) optimizer.iterate(objective, theta.view());
  EXPECT_EQ(optimizer.pairs(), 5);
  EXPECT_LT(objective.loss(theta.view()), 1e-4);
}

TYPED_TEST(LbfgsTest, SaysWhenNothingIsLowerAndKeepsTheParameters) {
  using E = typename TypeParam::Executor;
  auto objective = test::rosenbrock<double, E>(this->on());
  Parameters<double, E> theta(this->on(), {1, 1});
  Lbfgs<double, E> optimizer(this->on(), 2);
  optimizer.iterate(objective, theta.view());
  EXPECT_TRUE(optimizer.outcome().stuck);
  EXPECT_EQ(optimizer.outcome().loss, 0);
  EXPECT_EQ(theta.values(), (std::vector<double>{1, 1}));
}

/// −log x − log(1 − x) as squares is no number outside 0 < x < 1: the search comes back from there.
TYPED_TEST(LbfgsTest, ComesBackFromNumbersThatAreNot) {
  using E = typename TypeParam::Executor;
  test::PlainLeastSquares<double, E> objective(this->on(), 1, 1, [](const std::vector<double>& t) {
    const double x = t[0], barrier = -std::log(x) - std::log(1 - x);
    return typename test::PlainLeastSquares<double, E>::Values{
        {std::sqrt(barrier)}, {(-1 / x + 1 / (1 - x)) / (2 * std::sqrt(barrier))}};
  });
  Parameters<double, E> theta(this->on(), {1e-3});
  Lbfgs<double, E> optimizer(this->on(), 1);
  for (int i = 0; i < 40 && !optimizer.outcome().stuck; ++i) {
    optimizer.iterate(objective, theta.view());
    ASSERT_TRUE(std::isfinite(optimizer.outcome().loss));
  }
  EXPECT_NEAR(theta.values()[0], 0.5, 1e-6);
}

TYPED_TEST(LbfgsTest, GoesOnFromASavedStateToTheSameBits) {
  using E = typename TypeParam::Executor;
  auto objective = test::rosenbrock<double, E>(this->on());
  Parameters<double, E> theta(this->on(), {-1.2, 1}), again(this->on(), {0, 0});
  LbfgsOptions options;
  options.memory = 3;
  Lbfgs<double, E> optimizer(this->on(), 2, options), other(this->on(), 2, options);
  for (int i = 0; i < 7; ++i) optimizer.iterate(objective, theta.view());
  const NamedArrays saved = optimizer.save();
  again.set(theta.values());
  other.load(saved);
  for (int i = 0; i < 10; ++i) {
    optimizer.iterate(objective, theta.view());
    other.iterate(objective, again.view());
  }
  EXPECT_EQ(again.values(), theta.values());
  EXPECT_EQ(other.outcome().loss, optimizer.outcome().loss);
}

TYPED_TEST(LbfgsTest, StatesThatDoNotFitAreRefused) {
  using E = typename TypeParam::Executor;
  Lbfgs<double, E> optimizer(this->on(), 2);
  EXPECT_THROW(optimizer.load({{"steps", {1, 2, 3}}, {"changes", {1, 2, 3}}}), ArgumentError);
  EXPECT_THROW(optimizer.load({{"steps", {1, 2}}, {"changes", {1, 2, 3, 4}}}), ArgumentError);
  EXPECT_THROW(optimizer.load({{"steps", {1, 2}}}), ArgumentError);
  EXPECT_THROW(
      optimizer.load({{"steps", std::vector<double>(42, 1)}, {"changes", std::vector<double>(42, 1)}}),
      ArgumentError);
  optimizer.load({});
  LbfgsOptions none, turned;
  none.memory = 0;
  turned.decrease = 0.95;
  EXPECT_THROW((Lbfgs<double, E>(this->on(), 2, none)), ArgumentError);
  EXPECT_THROW((Lbfgs<double, E>(this->on(), 2, turned)), ArgumentError);
}

TYPED_TEST(LbfgsTest, InFloat32) {
  using E = typename TypeParam::Executor;
  auto objective = test::rosenbrock<float, E>(this->on());
  Parameters<float, E> theta(this->on(), {-1.2, 1});
  Lbfgs<float, E> optimizer(this->on(), 2);
  for (int i = 0; i < 80 && !optimizer.outcome().stuck; ++i) optimizer.iterate(objective, theta.view());
  EXPECT_LT(optimizer.outcome().loss, 1e-9);
}
}  // namespace
}  // namespace sobolev
