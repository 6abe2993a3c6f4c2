// SPDX-License-Identifier: Apache-2.0
// The fused training step (loss and gradient) of Allen–Cahn, and the parts of a Levenberg–Marquardt
// iteration. FLOPs of the step: 3 · 2·N·K Σ in·out, counting the K channels that are really carried:
// 4 = {u, u_t, u_x, u_xx}, or 3 with u_t − νu_xx collapsed into one.
#include <string>

#include "benchmarks/limits.hpp"
#include "sobolev/core/buffer_on.hpp"
#include "sobolev/optim/levenberg_marquardt.hpp"
#include "sobolev/pinn/residual_objective.hpp"

namespace sobolev::bench {
namespace {
constexpr double diffusion = 1e-4;

template <class T, class E = Cpu>
struct AllenCahn {
  E executor;
  ResidualObjective<T, E> step;
  std::size_t p;
  BufferOn<E, T> theta, gradient;
  double flops;

  AllenCahn(const E& on, int depth, int width, std::size_t n, int channels)
      : executor(on),
        step(make(on, depth, width)),
        p(step.parameters()),
        theta(zeros<T>(on, p)),
        gradient(zeros<T>(on, p)) {
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
    const std::vector<T> start = numbers<T>(p, 0.3);
    upload<T, 1>(on, View<const T, 1>(start.data(), p), View<T, 1>(theta.data(), p));
    flops = 6.0 * double(n) * group.jet.channels() * step.network().products();
  }
  static ResidualObjective<T, E> make(const E& on, int depth, int width) {
    Features features({"t", "x"});
    features.linear(0, 2, -1).periodic(1, 10, 2.0);
    return ResidualObjective<T, E>(on, mlp(features.inputs(), 1, depth, width), features);
  }
  View<const T, 1> parameters() const { return View<const T, 1>(theta.data(), p); }
  double normal_equations(BufferOn<E, T>& matrix) {
    return step.normal_equations(parameters(), View<T, 2>(matrix.data(), p, p),
                                 View<T, 1>(gradient.data(), p));
  }
};

template <class T>
void step_bench(benchmark::State& state) {
  AllenCahn<T> work(cpu(), 4, int(state.range(0)), 25600, int(state.range(1)));
  const double limit = peak<T>();
  for (auto _ : state)
    benchmark::DoNotOptimize(work.step.loss_gradient(work.parameters(), work.gradient.view(work.p)));
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
template <class E>
void lm_loss(benchmark::State& state, const E& on) {
  AllenCahn<double, E> work(on, 3, 30, 10000, 3);
  const double limit = peak<double>(on);
  for (auto _ : state) benchmark::DoNotOptimize(work.step.loss(work.parameters()));
  report_flops(state, work.flops / 3, limit);
}
template <class E>
void lm_normal_equations(benchmark::State& state, const E& on) {
  AllenCahn<double, E> work(on, 3, 30, 10000, 3);
  auto matrix = zeros<double>(on, work.p * work.p);
  const double limit = peak<double>(on), n = 10000, p = double(work.p);
  for (auto _ : state) benchmark::DoNotOptimize(work.normal_equations(matrix));
  report_flops(state, n * p * p + work.flops * 2 / 3 + 2 * 3 * n * p, limit);
}
template <class E>
void lm_iteration(benchmark::State& state, const E& on) {
  AllenCahn<double, E> work(on, 3, 30, 10000, 3);
  LevenbergMarquardt<double, E> optimizer(on, work.p);
  const double limit = peak<double>(on), n = 10000, p = double(work.p);
  long trials = 0;
  for (auto _ : state) trials += optimizer.step(work.step, View<double, 1>(work.theta.data(), work.p)).trials;
  state.counters["trials"] = benchmark::Counter(double(trials), benchmark::Counter::kAvgIterations);
  report_flops(state, n * p * p + p * p * p / 3 * double(trials) / double(state.iterations()), limit);
}
BENCHMARK_CAPTURE(lm_loss, cpu, cpu())->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(lm_normal_equations, cpu, cpu())->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(lm_iteration, cpu, cpu())->UseRealTime()->Unit(benchmark::kMillisecond);

#if SOBOLEV_HAS_CUDA
/// As training runs it: a recorded step, and nothing read back.
template <class T>
void step_cuda(benchmark::State& state, const Cuda& cuda) {
  AllenCahn<T, Cuda> work(cuda, 4, int(state.range(0)), 25600, int(state.range(1)));
  const DeviceBuffer<double> loss(cuda, 1);
  const View<T, 1> gradient = work.gradient.view(work.p);
  const double limit = peak<T>(cuda);
  work.step.loss_gradient(work.parameters(), gradient, loss.view(1));
  const CudaGraph graph(cuda, [&] { work.step.loss_gradient(work.parameters(), gradient, loss.view(1)); });
  constexpr int steps = 10;  // so that the host's part of waiting does not count
  for (auto _ : state) {
    for (int i = 0; i < steps; ++i) graph.launch();
    cuda.synchronize();
  }
  report_flops(state, steps * work.flops, limit);
  state.counters["ms_per_step"] = benchmark::Counter(
      steps * 1e-3, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
[[maybe_unused]] const bool registered = on_cuda([](const Cuda& cuda) {
  for (const auto& [name, run] : {CudaBenchmark{"step_cuda<float>", step_cuda<float>},
                                  CudaBenchmark{"step_cuda<double>", step_cuda<double>}})
    benchmark::RegisterBenchmark(name, run, cuda)
        ->ArgsProduct({{32, 64, 128, 256}, {4, 3}})
        ->ArgNames({"width", "channels"})
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
  for (const Products products : {Products::tf32x3, Products::bf16x3, Products::tf32})
    benchmark::RegisterBenchmark((std::string("step_cuda<float>/") + to_string(products)).c_str(),
                                 step_cuda<float>, cuda.with(products))
        ->ArgsProduct({{64, 128, 256}, {4, 3}})
        ->ArgNames({"width", "channels"})
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
  for (const auto& [name, run] : {CudaBenchmark{"lm_loss/cuda", lm_loss<Cuda>},
                                  CudaBenchmark{"lm_normal_equations/cuda", lm_normal_equations<Cuda>},
                                  CudaBenchmark{"lm_iteration/cuda", lm_iteration<Cuda>}})
    benchmark::RegisterBenchmark(name, run, cuda)->UseRealTime()->Unit(benchmark::kMillisecond);
});
#endif
}  // namespace
}  // namespace sobolev::bench
