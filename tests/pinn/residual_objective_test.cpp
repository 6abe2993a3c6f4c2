// SPDX-License-Identifier: Apache-2.0
// The fused step: loss against residuals, gradients against finite differences, the Gauss–Newton matrix
// against Jacobian rows by pull_back, causal weights against their formula, bits against threads.
#include "sobolev/pinn/residual_objective.hpp"

#include "sobolev/core/buffer_on.hpp"
#include "src/pinn/window_model.hpp"
#include "src/problem/defaults.hpp"
#include "tests/support.hpp"

namespace sobolev {
namespace {
/// u_t − ν u_xx + u v, and v − u_x: two unknowns, two residuals.
Problem coupled(int width, bool branches = false) {
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
  if (branches) {  // two networks with gates, blends and factorised weights
    p.network.kind = NetworkKind::pirate;
    p.network.depth = 1;
    p.network.own["v"] = {NetworkKind::modified_mlp, 2, width - 3, Activation::sin};
    p.network.weight_factorization.emplace();
  }
  return p;
}

Network gaussians_of(int inputs) {
  Network n(inputs);
  n.output(n.gaussian(0, 9), 1);
  n.output(n.dense(n.gaussian(0, 5, true), 4), 1);
  return n;
}

template <class B>
struct Fixture {
  using E = typename B::Executor;
  using T = typename B::Scalar;
  Problem problem;
  detail::WindowModel model;
  E executor;
  ResidualObjective<T, E> step;
  std::vector<T> theta, seen;  // residuals of the last normal equations
  BufferOn<E, T> parameters_memory, result;
  int interior, boundary;

  Fixture(const E& on, std::size_t n, int width = 12, std::vector<Symmetry> symmetry = {},
          bool branches = false, bool gaussians = false)
      : problem(detail::with_defaults(coupled(width, branches))),
        model(problem, 0),
        executor(on),
        step(on, gaussians ? gaussians_of(model.features().inputs()) : model.network(), model.features(),
             symmetry),
        parameters_memory(zeros<T>(on, step.parameters())),
        result(zeros<T>(on, step.parameters())) {
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

  /// theta, where the step reads it.
  View<const T, 1> parameters() {
    const View<T, 1> there(parameters_memory.data(), theta.size());
    upload<T, 1>(executor, View<const T, 1>(theta.data(), theta.size()), there);
    return there;
  }
  std::vector<T> fetch(const T* from, std::size_t n) {
    std::vector<T> host(n);
    if (n > 0) download<T, 1>(executor, View<const T, 1>(from, n), View<T, 1>(host.data(), n));
    return host;
  }
  double loss() { return step.loss(parameters()); }
  double loss_gradient(std::vector<T>& gradient) {
    const double value = step.loss_gradient(parameters(), View<T, 1>(result.data(), theta.size()));
    gradient = fetch(result.data(), theta.size());
    return value;
  }
  std::vector<T> residuals(int group) {
    const std::size_t e = std::size_t(step.equations(group)), n = step.points(group);
    auto r = zeros<T>(executor, e * n);
    step.residuals(group, parameters(), View<T, 2>(r.data(), e, n));
    return fetch(r.data(), e * n);
  }
  double normal_equations(std::vector<T>& matrix, std::vector<T>& gradient) {
    const std::size_t p = theta.size();
    auto there = zeros<T>(executor, p * p), r = zeros<T>(executor, step.size());
    const double value = step.normal_equations(parameters(), View<T, 2>(there.data(), p, p),
                                               View<T, 1>(result.data(), p), View<T, 1>(r.data(), r.size()));
    EXPECT_EQ(value, step.normal_equations(parameters(), View<T, 2>(there.data(), p, p),
                                           View<T, 1>(result.data(), p)));
    seen = fetch(r.data(), r.size());
    matrix = fetch(there.data(), p * p);
    gradient = fetch(result.data(), p);
    return value;
  }
  /// The gradient of residual e of a group at point n.
  std::vector<T> row(int group, int e, std::size_t n) {
    std::vector<BufferOn<E, T>> seeds;
    std::vector<View<const T, 2>> views;
    for (int k : {interior, boundary}) {
      const std::size_t m = step.points(k), count = std::size_t(step.equations(k)) * m;
      std::vector<T> seed(count);
      if (k == group) seed[std::size_t(e) * m + n] = 1;
      seeds.push_back(zeros<T>(executor, count));
      upload<T, 1>(executor, View<const T, 1>(seed.data(), count), View<T, 1>(seeds.back().data(), count));
      views.emplace_back(seeds.back().data(), std::size_t(step.equations(k)), m);
    }
    step.pull_back(parameters(), views, View<T, 1>(result.data(), theta.size()));
    return fetch(result.data(), theta.size());
  }
};

template <class B>
class StepTyped : public test::OnBackEnd<B> {
 public:
  const typename B::Executor& on() { return test::executor_of<B>(); }
};
TYPED_TEST_SUITE(StepTyped, test::ProductBackEnds, test::BackEndNames);
/// What needs float64 to be seen.
template <class B>
class StepDouble : public StepTyped<B> {};
TYPED_TEST_SUITE(StepDouble, test::DoubleBackEnds, test::BackEndNames);

TYPED_TEST(StepTyped, LossIsTheWeightedSumOfSquaredResiduals) {
  using T = typename TypeParam::Scalar;
  for (std::size_t n : {1, 31, 97, 300}) {
    Fixture<TypeParam> f(this->on(), n, n == 97 ? 40 : 12);
    double want = 0;
    for (int g : {f.interior, f.boundary}) {
      const std::vector<T> r = f.residuals(g);
      const std::size_t m = f.step.points(g);
      for (std::size_t i = 0; i < r.size(); ++i)
        want += (1.0 + double(i / m)) / double(m) * double(r[i]) * double(r[i]);
    }
    std::vector<T> gradient;
    test::expect_near<T>(f.loss(), want, 20);
    test::expect_near<T>(f.loss_gradient(gradient), want, 20 * TypeParam::rounding);
  }
}

TYPED_TEST(StepDouble, GradientAgreesWithFiniteDifferences) {
  for (const std::vector<Symmetry>& symmetry :
       {std::vector<Symmetry>{}, {{1, -1}}, {{1, 1}, {0, -1}}, {{1, 1}}}) {
    Fixture<TypeParam> f(this->on(), 70, 12, symmetry, symmetry.size() == 1 && symmetry[0].sign > 0,
                         symmetry.size() == 2);
    std::vector<double> gradient;
    f.loss_gradient(gradient);
    for (std::size_t i = 0; i < f.theta.size(); i += test::in_another_order() ? 61 : 23) {
      const double h = 1e-5, at = f.theta[i];
      f.theta[i] = at + h;
      const double above = f.loss();
      f.theta[i] = at - h;
      const double below = f.loss();
      f.theta[i] = at;
      EXPECT_NEAR(gradient[i], (above - below) / (2 * h), 1e-7) << "parameter " << i;
    }
  }
}

TYPED_TEST(StepDouble, SymmetryHoldsExactly) {
  Fixture<TypeParam> odd(this->on(), 1, 12, {{1, -1}});
  detail::CompiledGroup g = odd.model.compile("u", {unknown("u")});
  ResidualObjective<double, typename TypeParam::Executor> step(this->on(), odd.model.network(),
                                                               odd.model.features(), {{1, -1}});
  step.add_group(g.group);
  const double x[] = {0.3, 0.7, 0.3, -0.7, 0.3, 0.0};
  step.set_points(0, View<const double, 2>(x, 3, 2));
  auto there = zeros<double>(this->on(), 3);
  step.residuals(0, odd.parameters(), View<double, 2>(there.data(), 1, 3));
  const std::vector<double> u = odd.fetch(there.data(), 3);
  EXPECT_NEAR(u[0], -u[1], 1e-15);
  EXPECT_NEAR(u[2], 0, 1e-15);
  EXPECT_GT(std::abs(u[0]), 1e-3);
}

TYPED_TEST(StepTyped, NormalEquationsAreTheSumOfRowProducts) {
  using T = typename TypeParam::Scalar;
  const std::vector<Symmetry> none, even{{1, 1}};
  for (int width : {5, 6, 13, 40}) {
    if (width == 40 && test::in_another_order()) continue;
    Fixture<TypeParam> f(this->on(), 13, width, width <= 6 ? even : none, width == 13, width == 6);
    const std::size_t p = f.theta.size();
    std::vector<T> matrix, g, gradient;
    const double loss = f.normal_equations(matrix, g);
    test::expect_near<T>(loss, f.loss_gradient(gradient), 100 * TypeParam::rounding);
    std::vector<T> residuals;
    for (int group = 0; group < f.step.groups(); ++group)
      for (T r : f.residuals(group)) residuals.push_back(r);
    EXPECT_EQ(f.seen, residuals);
    for (std::size_t i = 0; i < p; ++i)
      test::expect_near<T>(2 * double(g[i]), gradient[i], 200 * TypeParam::rounding);
    // Rows by pulling back unit seeds.
    std::vector<double> want(p * p), norms(3);
    for (int group : {f.interior, f.boundary})
      for (int e = 0; e < f.step.equations(group); ++e)
        for (std::size_t n = 0; n < f.step.points(group); ++n) {
          const std::vector<T> row = f.row(group, e, n);
          const double m = double(f.step.points(group)), w = (1.0 + e) / m;
          for (std::size_t i = 0; i < p; i += 3)
            for (std::size_t j = 0; j < p; j += 7) want[i * p + j] += w * double(row[i]) * double(row[j]);
          for (T v : row) norms[std::size_t(group == f.interior ? e : 2)] += double(v) * double(v) / m;
        }
    for (std::size_t i = 0; i < p; i += 3)
      for (std::size_t j = 0; j < p; j += 7)
        if (i <= j) test::expect_near<T>(matrix[i * p + j], want[i * p + j], 200);
    const auto got = f.step.row_norms(f.parameters());
    for (int e : {0, 1})
      test::expect_near<T>(got[std::size_t(f.interior)][std::size_t(e)], norms[std::size_t(e)], 500);
    test::expect_near<T>(got[std::size_t(f.boundary)][0], norms[2], 500);
  }
}

template <class T>
class StepThreads : public testing::Test {};
using Scalars = testing::Types<float, double>;
TYPED_TEST_SUITE(StepThreads, Scalars);

TYPED_TEST(StepThreads, GiveTheSameBitsWhateverTheirNumber) {
  using T = TypeParam;
  Fixture<test::On<Cpu, T>> one(Cpu(1), 700), three(Cpu(3), 700);
  std::vector<T> a, b, ma, mb;
  EXPECT_EQ(one.loss_gradient(a), three.loss_gradient(b));
  EXPECT_EQ(a, b);
  EXPECT_EQ(one.normal_equations(ma, a), three.normal_equations(mb, b));
  EXPECT_EQ(ma, mb);
  EXPECT_EQ(a, b);
}

TYPED_TEST(StepDouble, CausalWeightsFollowTheFormulaAndSkipWhatVanished) {
  const std::size_t n = 150;
  Fixture<TypeParam> f(this->on(), n);
  const std::size_t p = f.theta.size();
  const std::vector<double> r = f.residuals(f.interior);
  std::vector<double> gradient;
  f.step.set_weights(f.boundary, {0.0});
  const std::vector<std::size_t> offsets{0, 30, 60, 90, 120, 150};
  for (double epsilon : {0.5, 400.0}) {
    f.step.set_causal(f.interior, offsets, epsilon);
    std::vector<double> weights;
    double want = 0, sum = 0;
    int alive = 0;
    for (std::size_t s = 0; s < 5; ++s) {
      const double w = std::exp(-epsilon * sum);
      if (w > 1e-26) ++alive;
      weights.push_back(w > 1e-26 ? w : 0);
      double mean = 0;
      for (std::size_t i = offsets[s]; i < offsets[s + 1]; ++i) {
        want += w * (r[i] * r[i] + 2 * r[n + i] * r[n + i]) / double(n);
        mean += (r[i] * r[i] + r[n + i] * r[n + i]) / 30;
      }
      sum += mean;
    }
    EXPECT_NEAR(f.loss(), want, 1e-14 * (1 + want));
    EXPECT_NEAR(f.loss_gradient(gradient), want, 1e-14 * (1 + want));
    EXPECT_EQ(f.step.evaluated_slices(f.interior), alive);
    EXPECT_EQ(alive == 5, epsilon == 0.5) << "one case must skip, the other must not";
    EXPECT_NEAR(f.step.last_causal_weight(f.interior), weights.back(), 1e-12);
    // The weights are held constant in the gradient.
    f.step.hold(true);
    for (std::size_t i = 0; i < p; i += 41) {
      const double h = 1e-5, at = f.theta[i];
      f.theta[i] = at + h;
      const double above = f.loss();
      f.theta[i] = at - h;
      const double below = f.loss();
      f.theta[i] = at;
      EXPECT_NEAR(gradient[i], (above - below) / (2 * h), 1e-7);
    }
    // They are in the rows, too, and in what weighs residuals.
    std::vector<double> matrix, half;
    EXPECT_NEAR(f.normal_equations(matrix, half), want, 1e-13 * (1 + want));
    for (std::size_t i = 0; i < p; ++i)
      EXPECT_NEAR(2 * half[i], gradient[i], 1e-12 * (1 + std::abs(gradient[i])));
    auto there = zeros<double>(f.executor, 2 * n);
    const std::vector<double> ones(2 * n, 1.0);
    upload<double, 1>(f.executor, View<const double, 1>(ones.data(), 2 * n),
                      View<double, 1>(there.data(), 2 * n));
    f.step.weigh(f.interior, View<double, 2>(there.data(), 2, n));
    const std::vector<double> weighed = f.fetch(there.data(), 2 * n);
    for (std::size_t i = 0; i < 2 * n; ++i)
      EXPECT_NEAR(weighed[i], weights[i % n / 30] * (i < n ? 1 : 2) / double(n), 1e-12);
    f.step.hold(false);
  }
}

TEST(Step, NeedsNoMemoryPerPointBeyondThePoints) {
  Fixture<test::On<Cpu, float>> f(Cpu(2), 1, 32);
  const std::size_t n = 1000000;
  std::vector<double> x(2 * n, 0.5), external(n, 0.1);
  detail::CompiledGroup g =
      f.model.compile("equations", {f.problem.equations[0].residual, f.problem.equations[1].residual});
  ASSERT_LE(g.group.externals, 1);
  f.step.set_points(f.interior, View<const double, 2>(x.data(), n, 2),
                    View<const double, 2>(external.data(), std::size_t(g.group.externals), n));
  std::vector<float> gradient;
  EXPECT_TRUE(std::isfinite(f.loss_gradient(gradient)));
  EXPECT_LE(f.step.scratch_bytes(), 64u << 20);
}

TYPED_TEST(StepDouble, ChecksItsArguments) {
  Fixture<TypeParam> f(this->on(), 10);
  std::vector<double> few(3);
  EXPECT_THROW(f.step.loss(View<const double, 1>(few.data(), 3)), ArgumentError);
  EXPECT_THROW(f.step.set_points(0, View<const double, 2>(few.data(), 1, 3)), ArgumentError);
  EXPECT_THROW(f.step.set_points(7, View<const double, 2>(few.data(), 1, 2)), ArgumentError);
  EXPECT_THROW(f.step.set_weights(0, {1.0}), ArgumentError);
  EXPECT_THROW(f.step.set_causal(0, {0, 5}, 1.0), ArgumentError);
}
}  // namespace
}  // namespace sobolev
