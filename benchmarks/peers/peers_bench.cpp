// SPDX-License-Identifier: Apache-2.0
// The work of the scripts beside this file (common.py describes it), done by Sobolev: the Allen–Cahn step,
// the Levenberg–Marquardt step and sums of Gaussians. compare.py runs both sides on the same numbers, which
// it leaves as parameters.npy [P] and points.npy [N, 2] in the folder $SOBOLEV_PEERS_DATA; without it they
// are drawn here.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "benchmarks/limits.hpp"
#include "sobolev/core/buffer_on.hpp"
#include "sobolev/core/error.hpp"
#include "sobolev/core/random.hpp"
#include "sobolev/expression/tape.hpp"
#include "sobolev/io/npy.hpp"
#include "sobolev/linalg/cholesky.hpp"
#include "sobolev/linalg/vector.hpp"
#include "sobolev/optim/damping.hpp"
#include "sobolev/pinn/residual_objective.hpp"

namespace sobolev {
namespace {

constexpr int modes = 10;
constexpr double diffusion = 1e-4, damping = 1e-3;

template <class T, class E>
struct Work {
  E executor;
  ResidualObjective<T, E> step;
  BufferOn<E, T> parameters;
  double products = 0;  // Σ in·out
  double points = 0;
};

Features features() {
  Features f({"t", "x"});
  f.linear(0, 1, 0).expression(constant(1)).periodic(1, modes, 2);
  return f;
}

/// r = c + 5u³ − 5u with the one channel c = u_t − νu_xx.
ResidualGroup allen_cahn(double points) {
  MultiIndex by_t, by_xx;
  by_t.order[0] = 1;
  by_xx.order[1] = 2;
  const std::vector<MultiIndex> needed{by_t, by_xx};
  const std::vector<JetTerm> combination{{by_t, 1}, {by_xx, -diffusion}};
  ResidualGroup group;
  group.jet = JetSpec::closure(2, needed).collapse(combination);
  int collapsed = 0;
  while (!group.jet.collapsed(collapsed)) ++collapsed;
  const Expr u = unknown("u"), c = unknown("c");
  const std::vector<Expr> inputs{coordinate("t"), coordinate("x"), u, c}, outputs{c + 5 * u * u * u - 5 * u};
  group.tape = compile(outputs, inputs);
  group.fields = {{0, 0, group.jet.scale(0)}, {0, collapsed, group.jet.scale(collapsed)}};
  group.weights = {1 / points};
  return group;
}

std::vector<double> stored(const std::string& file, std::size_t size) {
  const char* folder = std::getenv("SOBOLEV_PEERS_DATA");
  std::vector<double> values;
  if (folder != nullptr) values = read_npy(std::filesystem::path(folder) / file).values;
  if (folder == nullptr) {
    const Philox random(0, size);
    for (std::size_t i = 0; i < size; ++i) values.push_back(random.uniform(i) - 0.5);
  }
  require(values.size() == size, file + " has " + std::to_string(values.size()) + " numbers, " +
                                     std::to_string(size) +
                                     " are needed: it is for another width, depth or number of points");
  return values;
}

/// The sums of `channels` times `count` Gaussians of two coordinates.
Network sums_of_gaussians(int channels, int count) {
  Network network(2);
  for (int c = 0; c < channels; ++c) network.output(network.gaussian(0, count), 1);
  return network;
}

/// Value, gradient and diagonal of the Hessian of each output are the residuals.
ResidualGroup all_derivatives(int outputs, double points) {
  MultiIndex by_xx, by_yy;
  by_xx.order[0] = by_yy.order[1] = 2;
  const std::vector<MultiIndex> needed{by_xx, by_yy};
  ResidualGroup group;
  group.jet = JetSpec::closure(2, needed);
  std::vector<Expr> inputs{coordinate("x"), coordinate("y")}, residuals;
  for (int q = 0; q < outputs; ++q)
    for (int c = 0; c < group.jet.channels(); ++c) {
      group.fields.push_back({q, c, group.jet.scale(c)});
      residuals.push_back(unknown("u" + std::to_string(inputs.size())));
      inputs.push_back(residuals.back());
      group.weights.push_back(1 / points);
    }
  group.tape = compile(residuals, inputs);
  return group;
}

template <class T, class E>
Work<T, E> make_work(const benchmark::State& state, const E& on, const Features& inputs,
                     const Network& network, const ResidualGroup& residuals) {
  const auto points = std::size_t(state.range(2));
  Work<T, E> work{on, ResidualObjective<T, E>(on, network, inputs), zeros<T>(on, network.parameters())};
  work.points = double(points);
  work.products = network.products();
  const auto x = stored("points.npy", 2 * points), p = stored("parameters.npy", network.parameters());
  const std::vector<T> numbers(p.begin(), p.end());
  upload<T, 1>(on, View<const T, 1>(numbers.data(), p.size()), View<T, 1>(work.parameters.data(), p.size()));
  const int group = work.step.add_group(residuals);
  work.step.set_points(group, View<const double, 2>(x.data(), points, 2));
  return work;
}
template <class T, class E>
Work<T, E> allen_cahn_work(const benchmark::State& state, const E& on) {
  const int width = int(state.range(0)), depth = int(state.range(1));
  const Features inputs = features();
  return make_work<T>(state, on, inputs, mlp(inputs.inputs(), 1, depth, width),
                      allen_cahn(double(state.range(2))));
}

template <class T, class B>
View<const T, 1> view(const B& b) {
  return View<const T, 1>(b.data(), b.size());
}

void report(benchmark::State& state, double flop, double loss, double size) {
  state.counters["gflops"] = benchmark::Counter(flop * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["loss"] = loss;
  state.counters["norm"] = size;
}

template <class T, class E>
void step(benchmark::State& state, const E& on) {
  Work<T, E> work = allen_cahn_work<T>(state, on);
  auto gradient = zeros<T>(on, work.parameters.size());
  double loss = 0;
  for (auto _ : state)
    loss = work.step.loss_gradient(view<T>(work.parameters), View<T, 1>(gradient.data(), gradient.size()));
  report(state, 3 * 2 * work.points * 4 * work.products, loss, norm<T>(on, view<T>(gradient)));
}

template <class T, class E>
void levenberg_marquardt(benchmark::State& state, const E& on) {
  Work<T, E> work = allen_cahn_work<T>(state, on);
  const std::size_t p = work.parameters.size();
  auto memory = zeros<T>(on, p * p), factor = zeros<T>(on, p * p), diagonal = zeros<T>(on, p),
       update = zeros<T>(on, p);
  const View<T, 2> matrix(memory.data(), p, p), u(factor.data(), p, p);
  const View<T, 1> d(diagonal.data(), p), step(update.data(), p);
  double loss = 0;
  for (auto _ : state) {
    loss = work.step.normal_equations(view<T>(work.parameters), matrix, step);
    damping_diagonal<T>(on, matrix, T(0), d);
    damped_matrix<T>(on, matrix, d, T(damping), u);
    axpby<T>(on, T(-1), step, T(0), step, step);
    if (!cholesky<T>(on, u)) return state.SkipWithError("the matrix is not positive definite");
    cholesky_solve<T>(on, u, step);
    if constexpr (!std::is_same_v<E, Cpu>) on.synchronize();
  }
  const double size = double(p);
  report(state, work.points * size * size + size * size * size / 3 + 8 * work.points * size, loss,
         norm<T>(on, step));
}

/// A pair of a point and a Gaussian: 46 operations and one exponential.
template <class T>
void gaussians(benchmark::State& state) {
  const int count = int(state.range(0)), channels = int(state.range(1));
  Features inputs({"x", "y"});
  inputs.linear(0, 1, 0).linear(1, 1, 0);
  static const double limit = bench::peak<T>(),
                      exponentials = bench::exp_rate<T>();  // not at each repetition
  Work<T, Cpu> work = make_work<T>(state, Cpu(0), inputs, sums_of_gaussians(channels, count),
                                   all_derivatives(channels, double(state.range(2))));
  std::vector<T> gradient(work.parameters.size());
  double loss = 0;
  for (auto _ : state)
    loss = work.step.loss_gradient(view<T>(work.parameters), View<T, 1>(gradient.data(), gradient.size()));
  const double pairs = work.points * double(channels) * double(count);
  report(state, 2 * 46 * pairs, loss, norm<T>(Cpu(0), view<T>(gradient)));
  const auto percent_of = [](double share) {
    return benchmark::Counter(100 * share, benchmark::Counter::kIsIterationInvariantRate);
  };
  state.counters["percent_of_peak"] = percent_of(2 * 46 * pairs / limit);
  state.counters["percent_of_exp"] = percent_of(pairs / exponentials);
}

void step_sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"width", "depth", "points"})
      ->MeasureProcessCPUTime()
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond);
  for (int width : {32, 64, 128, 256})
    for (int points : {4096, 25600}) b->Args({width, 4, points});
}
void lm_sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"width", "depth", "points"})
      ->MeasureProcessCPUTime()
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond);
  b->Args({30, 3, 10000});
}
void gaussian_sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"width", "depth", "points"})
      ->MeasureProcessCPUTime()
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond);
  for (int count : {800, 4000}) b->Args({count, 4, 10000});
}
[[maybe_unused]] const bool on_host = [] {
  benchmark::RegisterBenchmark("peers/step/float32", step<float, Cpu>, Cpu())->Apply(step_sizes);
  benchmark::RegisterBenchmark("peers/step/float64", step<double, Cpu>, Cpu())->Apply(step_sizes);
  benchmark::RegisterBenchmark("peers/lm/float64", levenberg_marquardt<double, Cpu>, Cpu())->Apply(lm_sizes);
  benchmark::RegisterBenchmark("peers/gaussian/float32", gaussians<float>)->Apply(gaussian_sizes);
  benchmark::RegisterBenchmark("peers/gaussian/float64", gaussians<double>)->Apply(gaussian_sizes);
  return true;
}();
#if SOBOLEV_HAS_CUDA
[[maybe_unused]] const bool on_device = bench::on_cuda([](const Cuda& cuda) {
  benchmark::RegisterBenchmark("peers/step/cuda/float32", step<float, Cuda>, cuda)->Apply(step_sizes);
  benchmark::RegisterBenchmark("peers/step/cuda/float64", step<double, Cuda>, cuda)->Apply(step_sizes);
  benchmark::RegisterBenchmark("peers/lm/cuda/float64", levenberg_marquardt<double, Cuda>, cuda)
      ->Apply(lm_sizes);
});
#endif

}  // namespace
}  // namespace sobolev
