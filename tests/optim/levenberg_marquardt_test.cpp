// SPDX-License-Identifier: Apache-2.0
#include "sobolev/optim/levenberg_marquardt.hpp"

#include "sobolev/core/buffer_on.hpp"
#include "sobolev/expression/expr.hpp"
#include "tests/support.hpp"

namespace sobolev {
namespace {
template <class B>
class LevenbergMarquardtTest : public test::OnBackEnd<B> {};
TYPED_TEST_SUITE(LevenbergMarquardtTest, test::DoubleBackEnds, test::BackEndNames);

/// √u = 1 + 0.3 x by a network that starts at u = 0.001: the first steps are so long that the points beside
/// them, which the acceleration asks for, lie where √u is not a number.
TYPED_TEST(LevenbergMarquardtTest, AcceleratesAgainAfterNumbersThatAreNot) {
  using E = typename TypeParam::Executor;
  const E& on = test::executor<E>();
  Features features({"x"});
  features.linear(0, 1, 0);
  MlpShape mlp;
  mlp.depth = 1;
  mlp.width = 4;
  FusedStep<double, E> step(on, mlp, features);
  const std::size_t n = 20, p = step.parameters();
  const Expr x = coordinate("x"), u = unknown("u");
  const std::vector<Expr> inputs{x, u}, outputs{sqrt(u) - Expr(1.0) - Expr(0.3) * x};
  ResidualGroup group;
  group.jet = JetSpec::closure(1, {});
  group.fields = {{0, 0, 1.0}};
  group.tape = compile(outputs, inputs);
  group.weights = {1.0 / double(n)};
  step.add_group(group);
  std::vector<double> points(n), theta(p, 0.0);
  for (std::size_t i = 0; i < n; ++i) points[i] = -1 + 2 * (double(i) + 0.5) / double(n);
  step.set_points(0, View<const double, 2>(points.data(), n, 1));
  for (std::size_t i = 0; i < 8; ++i) theta[i] = 0.5 - 0.1 * double(i);  // the hidden layer
  theta[p - 1] = 1e-3;                                                   // the output's bias
  auto there = zeros<double>(on, p);
  const View<double, 1> parameters(there.data(), p);
  upload<double, 1>(on, View<const double, 1>(theta.data(), p), parameters);
  LevenbergMarquardt<double, E> optimizer(on, p);
  bool accelerated = false;
  double loss = 0;
  for (int i = 0; i < 30; ++i) {
    const auto outcome = optimizer.step(step, parameters);
    if (i == 0) {
      EXPECT_FALSE(outcome.accelerated) << "not the case that is tested";
    }
    accelerated = accelerated || outcome.accelerated;
    loss = outcome.loss;
  }
  EXPECT_TRUE(accelerated);
  EXPECT_LT(loss, 1e-8);
}
}  // namespace
}  // namespace sobolev
