// SPDX-License-Identifier: Apache-2.0
// The fused step: loss against residuals, gradients against finite differences, the Gauss–Newton matrix
// against Jacobian rows by pull_back, causal weights against their formula, bits against threads.
#include "sobolev/pinn/step.hpp"

#include "sobolev/core/buffer.hpp"
#include "src/pinn/defaults.hpp"
#include "src/pinn/window_model.hpp"
#include "tests/support.hpp"

namespace sobolev {
namespace {
/// u_t − ν u_xx + u v, and v − u_x: two unknowns, two residuals.
Problem coupled(int width) {
  Problem p;
  p.unknowns = {"u", "v"};
  p.add_coordinate("t", 0, 1).add_coordinate("x", -1, 1);
  const Expr u = unknown("u"), v = unknown("v"), t = coordinate("t"), x = coordinate("x");
  p.add_equation("transport", d(u, t) - Expr(0.1) * d(u, x, x) + u * v - sin(x * t));
  p.add_equation("gradient", v - d(u, x));
  p.add_condition("left", {{"x", -1.0}}, u - t);
  p.network.depth = 2;
  p.network.width = width;
  p.network.hard_initial = false;
  return p;
}

template <class T>
struct Fixture {
  Problem problem;
  detail::WindowModel model;
  FusedStep<T> step;
  std::vector<T> theta;
  int interior, boundary;

  Fixture(int threads, std::size_t n, int width = 12, std::vector<Symmetry> symmetry = {})
      : problem(detail::with_defaults(coupled(width))),
        model(problem, 0),
        step(Cpu(threads), model.mlp(), model.features(), symmetry) {
    interior = add("equations", {problem.equations[0].residual, problem.equations[1].residual}, n, false);
    boundary = add("left", {problem.conditions[0].left - problem.conditions[0].right}, n / 3 + 1, true);
    const Philox random(5, 1);
    for (std::size_t i = 0; i < step.parameters(); ++i) theta.push_back(T(0.4 * random.normal(i)));
  }
  int add(const char* name, const std::vector<Expr>& residuals, std::size_t n, bool left) {
    detail::CompiledGroup g = model.compile(name, residuals);
    for (std::size_t e = 0; e < residuals.size(); ++e) g.group.weights[e] = (1.0 + double(e)) / double(n);
    const int index = step.add_group(g.group);
    std::vector<double> x(2 * n);
    const Philox random(6, std::uint64_t(index));
    for (std::size_t i = 0; i < n; ++i) {
      x[2 * i] = double(i) / double(n);  // sorted in time
      x[2 * i + 1] = left ? -1 : 2 * random.uniform(i) - 1;
    }
    Buffer<double> external(std::size_t(g.group.externals) * n), columns(2 * n);
    for (std::size_t i = 0; i < n; ++i) {
      columns[i] = x[2 * i];
      columns[n + i] = x[2 * i + 1];
    }
    tape_forward<double>(Cpu(1), g.prelude, View<const double, 2>(columns.data(), 2, n),
                         external.view(std::size_t(g.group.externals), n));
    step.set_points(index, View<const double, 2>(x.data(), n, 2),
                    View<const double, 2>(external.data(), std::size_t(g.group.externals), n));
    return index;
  }
  View<const T, 1> parameters() const { return View<const T, 1>(theta.data(), theta.size()); }
};

template <class T>
class StepTyped : public testing::Test {};
using Scalars = testing::Types<float, double>;
TYPED_TEST_SUITE(StepTyped, Scalars);

TYPED_TEST(StepTyped, LossIsTheWeightedSumOfSquaredResiduals) {
  using T = TypeParam;
  for (std::size_t n : {1, 31, 97, 500}) {
    Fixture<T> f(2, n);
    double want = 0;
    for (int g : {f.interior, f.boundary}) {
      const std::size_t e = std::size_t(f.step.residuals(g)), m = f.step.points(g);
      std::vector<T> r(e * m);
      f.step.evaluate(g, f.parameters(), View<T, 2>(r.data(), e, m));
      for (std::size_t i = 0; i < e; ++i)
        for (std::size_t j = 0; j < m; ++j)
          want += (1.0 + double(i)) / double(m) * double(r[i * m + j]) * double(r[i * m + j]);
    }
    std::vector<T> gradient(f.theta.size());
    test::expect_near<T>(f.step.loss(f.parameters()), want, 20);
    test::expect_near<T>(f.step.loss_gradient(f.parameters(), View<T, 1>(gradient.data(), gradient.size())),
                         want, 20);
  }
}

TEST(Step, GradientAgreesWithFiniteDifferences) {
  for (const std::vector<Symmetry>& symmetry : {std::vector<Symmetry>{}, {{1, -1}}, {{1, 1}, {0, -1}}}) {
    Fixture<double> f(2, 100, 12, symmetry);
    std::vector<double> gradient(f.theta.size());
    f.step.loss_gradient(f.parameters(), View<double, 1>(gradient.data(), gradient.size()));
    for (std::size_t i = 0; i < f.theta.size(); i += 5) {
      const double h = 1e-5, at = f.theta[i];
      f.theta[i] = at + h;
      const double above = f.step.loss(f.parameters());
      f.theta[i] = at - h;
      const double below = f.step.loss(f.parameters());
      f.theta[i] = at;
      EXPECT_NEAR(gradient[i], (above - below) / (2 * h), 1e-7) << "parameter " << i;
    }
  }
}

TEST(Step, SymmetryHoldsExactly) {
  Fixture<double> odd(1, 1, 12, {{1, -1}});
  detail::CompiledGroup g = odd.model.compile("u", {unknown("u")});
  FusedStep<double> step(Cpu(1), odd.model.mlp(), odd.model.features(), {{1, -1}});
  step.add_group(g.group);
  const double x[] = {0.3, 0.7, 0.3, -0.7, 0.3, 0.0};
  step.set_points(0, View<const double, 2>(x, 3, 2));
  double u[3];
  step.evaluate(0, odd.parameters(), View<double, 2>(u, 1, 3));
  EXPECT_NEAR(u[0], -u[1], 1e-15);
  EXPECT_NEAR(u[2], 0, 1e-15);
  EXPECT_GT(std::abs(u[0]), 1e-3);
}

TYPED_TEST(StepTyped, NormalEquationsAreTheSumOfRowProducts) {
  using T = TypeParam;
  for (int width : {5, 13}) {
    Fixture<T> f(2, 13, width);
    const std::size_t p = f.theta.size();
    std::vector<T> matrix(p * p), g(p), gradient(p);
    const double loss =
        f.step.normal_equations(f.parameters(), View<T, 2>(matrix.data(), p, p), View<T, 1>(g.data(), p));
    test::expect_near<T>(loss, f.step.loss_gradient(f.parameters(), View<T, 1>(gradient.data(), p)), 100);
    for (std::size_t i = 0; i < p; ++i) test::expect_near<T>(2 * double(g[i]), gradient[i], 200);
    // Rows by pulling back unit seeds.
    std::vector<double> want(p * p);
    for (int group : {f.interior, f.boundary})
      for (int e = 0; e < f.step.residuals(group); ++e)
        for (std::size_t n = 0; n < f.step.points(group); ++n) {
          std::vector<std::vector<T>> seeds;
          std::vector<View<const T, 2>> views;
          for (int k : {f.interior, f.boundary}) {
            seeds.emplace_back(std::size_t(f.step.residuals(k)) * f.step.points(k));
            if (k == group) seeds.back()[std::size_t(e) * f.step.points(k) + n] = 1;
          }
          for (int k : {f.interior, f.boundary})
            views.emplace_back(seeds[std::size_t(k)].data(), std::size_t(f.step.residuals(k)),
                               f.step.points(k));
          f.step.pull_back(f.parameters(), views, View<T, 1>(g.data(), p));
          const double w = (1.0 + e) / double(f.step.points(group));
          for (std::size_t i = 0; i < p; i += 3)
            for (std::size_t j = 0; j < p; j += 7) want[i * p + j] += w * double(g[i]) * double(g[j]);
        }
    for (std::size_t i = 0; i < p; i += 3)
      for (std::size_t j = 0; j < p; j += 7)
        if (i <= j) test::expect_near<T>(matrix[i * p + j], want[i * p + j], 200);
  }
}

TYPED_TEST(StepTyped, GivesTheSameBitsWithAnyNumberOfThreads) {
  using T = TypeParam;
  Fixture<T> one(1, 700), three(3, 700);
  const std::size_t p = one.theta.size();
  std::vector<T> a(p), b(p), ma(p * p), mb(p * p);
  EXPECT_EQ(one.step.loss_gradient(one.parameters(), View<T, 1>(a.data(), p)),
            three.step.loss_gradient(three.parameters(), View<T, 1>(b.data(), p)));
  EXPECT_EQ(a, b);
  EXPECT_EQ(
      one.step.normal_equations(one.parameters(), View<T, 2>(ma.data(), p, p), View<T, 1>(a.data(), p)),
      three.step.normal_equations(three.parameters(), View<T, 2>(mb.data(), p, p), View<T, 1>(b.data(), p)));
  EXPECT_EQ(ma, mb);
}

TEST(Step, CausalWeightsFollowTheFormulaAndSkipWhatVanished) {
  Fixture<double> f(2, 200);
  const std::size_t p = f.theta.size(), n = 200;
  std::vector<double> r(2 * n), gradient(p), plain(p);
  f.step.evaluate(f.interior, f.parameters(), View<double, 2>(r.data(), 2, n));
  f.step.set_weights(f.boundary, {0.0});
  const std::vector<std::size_t> offsets{0, 40, 80, 120, 160, 200};
  for (double epsilon : {0.5, 400.0}) {
    f.step.set_causal(f.interior, offsets, epsilon);
    double want = 0, sum = 0;
    int alive = 0;
    for (std::size_t s = 0; s < 5; ++s) {
      const double w = std::exp(-epsilon * sum);
      if (w > 1e-26) ++alive;
      double mean = 0;
      for (std::size_t i = offsets[s]; i < offsets[s + 1]; ++i) {
        want += w * (r[i] * r[i] + 2 * r[n + i] * r[n + i]) / double(n);
        mean += (r[i] * r[i] + r[n + i] * r[n + i]) / 40;
      }
      sum += mean;
    }
    EXPECT_NEAR(f.step.loss_gradient(f.parameters(), View<double, 1>(gradient.data(), p)), want,
                1e-14 * (1 + want));
    EXPECT_EQ(f.step.evaluated_slices(f.interior), alive);
    EXPECT_EQ(alive == 5, epsilon == 0.5) << "one case must skip, the other must not";
    // The weights are held constant in the gradient.
    f.step.hold_causal_weights(true);
    for (std::size_t i = 0; i < p; i += 23) {
      const double h = 1e-5, at = f.theta[i];
      f.theta[i] = at + h;
      const double above = f.step.loss(f.parameters());
      f.theta[i] = at - h;
      const double below = f.step.loss(f.parameters());
      f.theta[i] = at;
      EXPECT_NEAR(gradient[i], (above - below) / (2 * h), 1e-7);
    }
    f.step.hold_causal_weights(false);
  }
}

TEST(Step, NeedsNoMemoryPerPointBeyondThePoints) {
  Fixture<float> f(2, 1, 32);
  const std::size_t n = 1000000;
  std::vector<double> x(2 * n, 0.5), external(n, 0.1);
  detail::CompiledGroup g =
      f.model.compile("equations", {f.problem.equations[0].residual, f.problem.equations[1].residual});
  ASSERT_LE(g.group.externals, 1);
  f.step.set_points(f.interior, View<const double, 2>(x.data(), n, 2),
                    View<const double, 2>(external.data(), std::size_t(g.group.externals), n));
  std::vector<float> gradient(f.theta.size());
  EXPECT_TRUE(
      std::isfinite(f.step.loss_gradient(f.parameters(), View<float, 1>(gradient.data(), gradient.size()))));
  EXPECT_LE(f.step.scratch_bytes(), 64u << 20);
}

TEST(Step, ChecksItsArguments) {
  Fixture<double> f(1, 10);
  std::vector<double> few(3);
  EXPECT_THROW(f.step.loss(View<const double, 1>(few.data(), 3)), ArgumentError);
  EXPECT_THROW(f.step.set_points(0, View<const double, 2>(few.data(), 1, 3)), ArgumentError);
  EXPECT_THROW(f.step.set_points(7, View<const double, 2>(few.data(), 1, 2)), ArgumentError);
  EXPECT_THROW(f.step.set_weights(0, {1.0}), ArgumentError);
  EXPECT_THROW(f.step.set_causal(0, {0, 5}, 1.0), ArgumentError);
}
}  // namespace
}  // namespace sobolev
