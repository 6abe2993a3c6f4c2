// SPDX-License-Identifier: Apache-2.0
// The fused training step (loss and gradient) of Allen–Cahn, and the parts of a Levenberg–Marquardt
// iteration. FLOPs of the step: 3 · 2·N·K Σ in·out, counting the K channels that are really carried:
// 4 = {u, u_t, u_x, u_xx}, or 3 with u_t − νu_xx collapsed into one.
#include "benchmarks/limits.hpp"
#include "sobolev/optim/levenberg_marquardt.hpp"
#include "sobolev/pinn/step.hpp"

namespace sobolev::bench {
namespace {
constexpr double diffusion = 1e-4;

template <class T>
struct AllenCahn {
  FusedStep<T> step;
  std::vector<T> theta;
  double flops;

  AllenCahn(int depth, int width, std::size_t n, int channels) : step(make(depth, width)) {
    MultiIndex t, xx;
    t.order[0] = 1;
    xx.order[1] = 2;
    const MultiIndex needed[] = {t, xx};
    JetSpec spec = JetSpec::closure(2, needed);
    const Expr u = unknown("u"), a = unknown("a"), b = unknown("b");
    std::vector<Expr> inputs{coordinate("t"), coordinate("x"), u, a}, outputs;
    ResidualGroup group{spec, {}, {}, 0, {1.0 / double(n)}};
    if (channels == 3) {
      const JetTerm combination[] = {{t, 1.0}, {xx, -diffusion}};
      group.jet = spec.collapse(combination);
      group.fields = {{0, 0, 1.0}, {0, group.jet.channels() - 1, 1.0}};
      outputs = {a + Expr(5.0) * u * u * u - Expr(5.0) * u};
    } else {
      group.fields = {{0, 0, 1.0}, {0, spec.channel_of(t), 1.0}, {0, spec.channel_of(xx), 2.0}};
      inputs.push_back(b);
      outputs = {a - Expr(diffusion) * b + Expr(5.0) * u * u * u - Expr(5.0) * u};
    }
    group.tape = compile(outputs, inputs);
    step.add_group(group);
    std::vector<double> x = numbers<double>(2 * n);
    step.set_points(0, View<const double, 2>(x.data(), n, 2));
    theta = numbers<T>(step.parameters(), 0.3);
    const double w = width, products = step.mlp().inputs * w + (depth - 1) * w * w + w;
    flops = 6.0 * double(n) * group.jet.channels() * products;
  }
  static FusedStep<T> make(int depth, int width) {
    Features features({"t", "x"});
    features.linear(0, 2, -1).periodic(1, 10, 2.0);
    MlpShape mlp;
    mlp.depth = depth;
    mlp.width = width;
    return FusedStep<T>(cpu(), mlp, features);
  }
  View<const T, 1> parameters() const { return View<const T, 1>(theta.data(), theta.size()); }
};

template <class T>
void step_bench(benchmark::State& state) {
  AllenCahn<T> work(4, int(state.range(0)), 25600, int(state.range(1)));
  std::vector<T> gradient(work.theta.size());
  const double limit = peak<T>();
  for (auto _ : state)
    benchmark::DoNotOptimize(
        work.step.loss_gradient(work.parameters(), View<T, 1>(gradient.data(), gradient.size())));
  report_flops(state, work.flops, limit);
}
BENCHMARK(step_bench<float>)
    ->ArgsProduct({{32, 64, 128, 256}, {4, 3}})
    ->ArgNames({"width", "channels"})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(step_bench<double>)
    ->ArgsProduct({{32, 64, 128, 256}, {4, 3}})
    ->ArgNames({"width", "channels"})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

// Levenberg–Marquardt, 3 × 30, 10,000 points. Rows: 2·K·P FLOPs per point and one pass forward and back.
void lm_loss(benchmark::State& state) {
  AllenCahn<double> work(3, 30, 10000, 3);
  const double limit = peak<double>();
  for (auto _ : state) benchmark::DoNotOptimize(work.step.loss(work.parameters()));
  report_flops(state, work.flops / 3, limit);
}
void lm_normal_equations(benchmark::State& state) {
  AllenCahn<double> work(3, 30, 10000, 3);
  const std::size_t p = work.theta.size();
  std::vector<double> matrix(p * p), gradient(p);
  const double limit = peak<double>(), n = 10000;
  for (auto _ : state)
    benchmark::DoNotOptimize(work.step.normal_equations(
        work.parameters(), View<double, 2>(matrix.data(), p, p), View<double, 1>(gradient.data(), p)));
  report_flops(state, n * double(p) * double(p) + work.flops * 2 / 3 + 2 * 3 * n * double(p), limit);
}
void lm_iteration(benchmark::State& state) {
  AllenCahn<double> work(3, 30, 10000, 3);
  const std::size_t p = work.theta.size();
  LevenbergMarquardt<double> optimizer(cpu(), p);
  const double limit = peak<double>(), n = 10000;
  long trials = 0;
  for (auto _ : state) trials += optimizer.step(work.step, View<double, 1>(work.theta.data(), p)).trials;
  state.counters["trials"] = benchmark::Counter(double(trials), benchmark::Counter::kAvgIterations);
  report_flops(state,
               n * double(p) * double(p) +
                   double(p) * double(p) * double(p) / 3 * double(trials) / double(state.iterations()),
               limit);
}
BENCHMARK(lm_loss)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(lm_normal_equations)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(lm_iteration)->UseRealTime()->Unit(benchmark::kMillisecond);
}  // namespace
}  // namespace sobolev::bench
