// SPDX-License-Identifier: Apache-2.0
#include "sobolev/optim/adam.hpp"

#include "tests/optim/least_squares.hpp"

namespace sobolev {
namespace {
template <class B>
class AdamStep : public test::OnBackEnd<B> {};
TYPED_TEST_SUITE(AdamStep, test::BackEnds, test::BackEndNames);

TYPED_TEST(AdamStep, FollowsTheRecurrence) {
  using T = typename TypeParam::Scalar;
  for (std::size_t n : {0, 1, 31, 33, 257, 20000}) {
    test::Guarded<TypeParam> g(n, 1), m(n, 2), v(n, 3), theta(n, 4);
    std::vector<double> m0(n), v0(n), t0(n);
    for (std::size_t i = 0; i < n; ++i) {
      v[i] = std::abs(v[i]);
      m0[i] = m[i];
      v0[i] = v[i];
      t0[i] = theta[i];
    }
    const AdamOptions options{1e-2, 0.9, 0.999, 1e-8};
    adam_step<T>(test::executor<typename TypeParam::Executor>(), options, 3, g.cview(n), m.view(n), v.view(n),
                 theta.view(n));
    for (std::size_t i = 0; i < n; ++i) {
      const double gi = g[i], mi = 0.9 * m0[i] + 0.1 * gi, vi = 0.999 * v0[i] + 0.001 * gi * gi;
      test::expect_near<T>(m[i], mi, 8, "m");
      test::expect_near<T>(v[i], vi, 8, "v");
      // The quotient's error is that of m, amplified by 1/√v.
      const double step =
          1e-2 * (mi / (1 - std::pow(0.9, 3))) / (std::sqrt(vi / (1 - std::pow(0.999, 3))) + 1e-8);
      test::expect_near<T>(theta[i], t0[i] - step, 16 * (1 + std::abs(step)), "theta");
    }
  }
}

TYPED_TEST(AdamStep, CountsStepsInAClock) {
  using T = typename TypeParam::Scalar;
  using E = typename TypeParam::Executor;
  const E& on = test::executor<E>();
  const std::size_t n = 40;
  test::Guarded<TypeParam> g(n, 1), m(n, 0, 0), v(n, 0, 0), theta(n, 4), m2(n, 0, 0), v2(n, 0, 0),
      theta2(n, 4);
  test::Guarded<test::On<E, double>> clock(4), few(3);
  clock[0] = 2;
  clock[1] = 1e-2;
  AdamOptions options;
  options.learning_rate = 1e-2;
  for (long step = 3; step < 8; ++step) {
    adam_step<T>(on, options, step, g.cview(n), m.view(n), v.view(n), theta.view(n));
    adam_step<T>(on, {}, clock.view(4), g.cview(n), m2.view(n), v2.view(n), theta2.view(n));
  }
  EXPECT_EQ(clock[0], 7);
  EXPECT_EQ(clock[1], 1e-2);
  for (std::size_t i = 0; i < n; ++i) {
    EXPECT_EQ(m2[i], m[i]);
    EXPECT_EQ(v2[i], v[i]);
    test::expect_near<T>(theta2[i], theta[i], 4);
  }
  EXPECT_THROW(adam_step<T>(on, {}, few.view(3), g.cview(n), m.view(n), v.view(n), theta.view(n)),
               ArgumentError);
}

#if SOBOLEV_HAS_CUDA
template <class B>
class AdamClock : public test::OnBackEnd<B> {};
TYPED_TEST_SUITE(AdamClock, test::CudaBackEnds, test::BackEndNames);

TYPED_TEST(AdamClock, CanBeRecorded) {
  using T = typename TypeParam::Scalar;
  const Cuda& cuda = test::executor<Cuda>();
  const std::size_t n = 40;
  test::Guarded<TypeParam> g(n, 1), m(n, 0, 0), v(n, 0, 0), theta(n, 4), m2(n, 0, 0), v2(n, 0, 0),
      theta2(n, 4);
  test::Guarded<test::On<Cuda, double>> clock(4), recorded(4);
  for (auto* c : {&clock, &recorded}) {
    (*c)[0] = 0;
    (*c)[1] = 1e-2;
  }
  const View<double, 1> there = recorded.view(4);
  const auto gradient = g.cview(n);
  const auto m_there = m2.view(n), v_there = v2.view(n), theta_there = theta2.view(n);
  const CudaGraph graph(cuda,
                        [&] { adam_step<T>(cuda, {}, there, gradient, m_there, v_there, theta_there); });
  for (int i = 0; i < 5; ++i) {
    graph.launch();
    adam_step<T>(cuda, {}, clock.view(4), gradient, m.view(n), v.view(n), theta.view(n));
  }
  EXPECT_EQ(recorded[0], 5);
  for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(theta2[i], theta[i]);
}
#endif

TYPED_TEST(AdamStep, MinimisesAQuadratic) {
  using T = typename TypeParam::Scalar;
  test::Guarded<TypeParam> theta(2), g(2), m(2, 0, 0.0), v(2, 0, 0.0);
  for (long k = 1; k <= 2000; ++k) {
    g[0] = T(2) * (theta[0] - 1);
    g[1] = T(20) * (theta[1] - 2);
    adam_step<T>(test::executor<typename TypeParam::Executor>(), {1e-2}, k, g.cview(2), m.view(2), v.view(2),
                 theta.view(2));
  }
  EXPECT_NEAR(theta[0], 1, 1e-3);
  EXPECT_NEAR(theta[1], 2, 1e-3);
}

TYPED_TEST(AdamStep, RefusesArraysOfOtherSizes) {
  using T = typename TypeParam::Scalar;
  test::Guarded<TypeParam> theta(4), g(3), m(4), v(4);
  EXPECT_THROW(adam_step<T>(test::executor<typename TypeParam::Executor>(), {}, 1, g.cview(3), m.view(4),
                            v.view(4), theta.view(4)),
               ArgumentError);
}

/// On the host only: plain functions cannot be recorded. Trainings on a device are in solve_cuda_test.cpp.
class AdamTest : public testing::Test {
 protected:
  const Cpu& on = test::executor<Cpu>();
  test::PlainLeastSquares<double, Cpu> objective = test::rosenbrock<double, Cpu>(on);
  test::Parameters<double, Cpu> theta{on, {-1.2, 1}};
};

TEST_F(AdamTest, IsTheStepAfterTheGradient) {
  AdamOptions options{1e-2, 0.8, 0.99, 1e-7};
  options.decay_factor = 0.5;
  options.decay_every = 3;
  Adam<double> optimizer(on, 2, options);
  std::vector<double> want{-1.2, 1}, g(2), m(2), v(2);
  const auto all = [](std::vector<double>& x) { return View<double, 1>(x.data(), x.size()); };
  for (int i = 0; i < 8; ++i) {
    const double loss = objective.loss_gradient(all(want), all(g));
    options.learning_rate = 1e-2 * std::pow(0.5, i / 3);
    adam_step<double>(on, options, i + 1, all(g), all(m), all(v), all(want));
    optimizer.iterate(objective, theta.view());
    EXPECT_EQ(optimizer.outcome().loss, loss);
    for (int k : {0, 1}) EXPECT_NEAR(theta.values()[std::size_t(k)], want[std::size_t(k)], 1e-13);
  }
}

TEST_F(AdamTest, TheRateGoesUpAndDownInOneCycle) {
  AdamOptions options;
  options.learning_rate = 1e-2;
  options.one_cycle = 20;
  options.pct_start = 0.25;
  options.div = 4;
  options.final_div = 50;
  // As published: up in pct_start · 20 − 1 = 4 steps, down in the other 15.
  const auto half_cosine = [](double from, double to, double share) {
    return from + (to - from) * (1 - std::cos(std::acos(-1.0) * share)) / 2;
  };
  const auto rate = [&](int t) {
    return t <= 4 ? half_cosine(2.5e-3, 1e-2, t / 4.0) : half_cosine(1e-2, 5e-5, std::min(t - 4, 15) / 15.0);
  };
  EXPECT_NEAR(rate(19), 5e-5, 1e-18);
  Adam<double> optimizer(on, 2, options);
  std::vector<double> want{-1.2, 1}, g(2), m(2), v(2);
  const auto all = [](std::vector<double>& x) { return View<double, 1>(x.data(), x.size()); };
  AdamOptions plain;
  for (int i = 0; i < 23; ++i) {
    objective.loss_gradient(all(want), all(g));
    plain.learning_rate = rate(i);
    adam_step<double>(on, plain, i + 1, all(g), all(m), all(v), all(want));
    optimizer.iterate(objective, theta.view());
    for (int k : {0, 1}) ASSERT_NEAR(theta.values()[std::size_t(k)], want[std::size_t(k)], 1e-13) << i;
  }
}

TEST_F(AdamTest, ACycleOfOneIterationIsTheRate) {
  AdamOptions options, plain;
  options.one_cycle = 1;
  Adam<double> optimizer(on, 2, options), other(on, 2, plain);
  test::Parameters<double, Cpu> again(on, theta.values());
  optimizer.iterate(objective, theta.view());
  other.iterate(objective, again.view());
  EXPECT_EQ(theta.values(), again.values());
}

TEST_F(AdamTest, GoesOnFromASavedStateToTheSameBits) {
  AdamOptions options;
  options.decay_factor = 0.9;
  options.decay_every = 4;
  Adam<double> optimizer(on, 2, options), other(on, 2, options);
  for (int i = 0; i < 7; ++i) optimizer.iterate(objective, theta.view());
  test::Parameters<double, Cpu> again(on, theta.values());
  other.load(optimizer.save());
  for (int i = 0; i < 7; ++i) {
    optimizer.iterate(objective, theta.view());
    other.iterate(objective, again.view());
  }
  EXPECT_EQ(again.values(), theta.values());
}

TEST_F(AdamTest, StatesThatDoNotFitAreRefused) {
  Adam<double> optimizer(on, 2);
  EXPECT_THROW(optimizer.load({{"moments", {1, 2, 3}}, {"iterations", {1}}}), ArgumentError);
  EXPECT_THROW(optimizer.load({{"moments", {1, 2, 3, -4}}, {"iterations", {1}}}), ArgumentError);
  EXPECT_THROW(optimizer.load({{"moments", {1, 2, 3, 4}}}), ArgumentError);
}
}  // namespace
}  // namespace sobolev
