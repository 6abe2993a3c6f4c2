// SPDX-License-Identifier: Apache-2.0
// Once it runs, a training takes no memory: the objective's passes and every optimiser's iterations.
#include "sobolev/optim/adam.hpp"
#include "sobolev/optim/lbfgs.hpp"
#include "sobolev/optim/levenberg_marquardt.hpp"
#include "src/pinn/window_model.hpp"
#include "src/problem/defaults.hpp"
#include "tests/count_allocations.hpp"
#include "tests/pinn/heat.hpp"
#include "tests/support.hpp"

namespace sobolev {
namespace {
/// The heat problem's equation with causal weights, and one of its conditions.
template <class E>
struct Training {
  Problem problem =
      Problem::from_string(test::heat_with("[network]\ndepth = 2\nwidth = 10\nhard_initial = false\n"));
  detail::WindowModel model{problem, 0};
  ResidualObjective<double, E> objective;
  BufferOn<E, double> theta, gradient;

  explicit Training(const E& on)
      : objective(on, model.network(), model.features()),
        theta(zeros<double>(on, objective.parameters())),
        gradient(zeros<double>(on, objective.parameters())) {
    const int interior = objective.add_group(model.compile("heat", {problem.equations[0].residual}).group),
              boundary = objective.add_group(model.compile("left", {problem.conditions[1].left}).group);
    std::vector<double> x(400), start(objective.parameters());
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = i % 2 == 0 ? double(i) / 400 : Philox(3, 1).uniform(i);
    objective.set_points(interior, View<const double, 2>(x.data(), 200, 2));
    objective.set_causal(interior, {0, 50, 100, 150, 200}, 1.0);
    for (std::size_t i = 1; i < x.size(); i += 2) x[i] = 0;
    objective.set_points(boundary, View<const double, 2>(x.data(), 40, 2));
    for (std::size_t i = 0; i < start.size(); ++i) start[i] = 0.4 * Philox(3, 2).normal(i);
    upload<double, 1>(on, View<const double, 1>(start.data(), start.size()), parameters());
  }
  View<double, 1> parameters() { return View<double, 1>(theta.data(), theta.size()); }
  View<double, 1> slope() { return View<double, 1>(gradient.data(), gradient.size()); }
};

TEST(SteadyState, PassesTakeNoMemory) {
  if (!SOBOLEV_COUNTS_ALLOCATIONS) GTEST_SKIP() << "the sanitizer's operator new does not count";
  Training<Cpu> t{Cpu(2)};
  const std::size_t p = t.theta.size();
  std::vector<double> r(t.objective.size()), matrix(p * p);
  const auto all = [&] {
    t.objective.loss(t.parameters());
    t.objective.loss_gradient(t.parameters(), t.slope());
    t.objective.residuals(0, t.parameters(), View<double, 2>(r.data(), 1, 200));
    t.objective.weigh(0, View<double, 2>(r.data(), 1, 200));
    t.objective.normal_equations(t.parameters(), View<double, 2>(matrix.data(), p, p), t.slope());
  };
  EXPECT_GT(test::allocations_of(all), 0);  // the matrix of the first time
  EXPECT_EQ(test::allocations_of(all), 0);
}

template <class O>
void takes_nothing(O optimizer, Training<Cpu>& t, int iterations) {
  for (int i = 0; i < iterations; ++i) optimizer.iterate(t.objective, t.parameters());
  EXPECT_EQ(test::allocations_of([&] {
              for (int i = 0; i < 3; ++i) optimizer.iterate(t.objective, t.parameters());
            }),
            0);
}

TEST(SteadyState, IterationsTakeNoMemory) {
  if (!SOBOLEV_COUNTS_ALLOCATIONS) GTEST_SKIP() << "the sanitizer's operator new does not count";
  const Cpu cpu(2);
  Training<Cpu> t{cpu};
  takes_nothing(Adam<double>(cpu, t.theta.size()), t, 2);
  takes_nothing(Lbfgs<double>(cpu, t.theta.size()), t, 2);
  takes_nothing(LevenbergMarquardt<double>(cpu, t.theta.size()), t, 2);
}

#if SOBOLEV_HAS_CUDA
// On a stream of the caller's: recording fails where something is taken, uploaded or waited for.
TEST(SteadyStateCuda, AnIterationIsRecordedInAGraph) {
  if (Cuda::count() == 0) GTEST_SKIP() << "no CUDA device";
  const Cuda first(0);
  const Cuda mine(0, first.stream());
  Training<Cuda> recorded{mine}, direct{mine};
  Adam<double, Cuda> adam(mine, recorded.theta.size()), same(mine, recorded.theta.size());
  for (int i = 0; i < 2; ++i) same.iterate(direct.objective, direct.parameters());
  const View<double, 1> loss(static_cast<double*>(mine.scalar()), 1);
  recorded.objective.loss_gradient(recorded.parameters(), recorded.slope(), loss);
  const CudaGraph graph(
      mine, [&] { recorded.objective.loss_gradient(recorded.parameters(), recorded.slope(), loss); });
  for (int i = 0; i < 2; ++i) adam.iterate(recorded.objective, recorded.parameters());
  graph.launch();
  direct.objective.loss_gradient(direct.parameters(), direct.slope());
  std::vector<double> a(recorded.theta.size()), b(a.size());
  download<double, 1>(mine, recorded.slope(), View<double, 1>(a.data(), a.size()));
  download<double, 1>(mine, direct.slope(), View<double, 1>(b.data(), b.size()));
  EXPECT_EQ(a, b);
}
#endif
}  // namespace
}  // namespace sobolev
