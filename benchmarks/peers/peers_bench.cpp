// SPDX-License-Identifier: Apache-2.0
// The work of the scripts beside this file (common.py describes it), done by Sobolev: the Allen–Cahn step and
// the Levenberg–Marquardt step. compare.py runs both sides on the same numbers, which it leaves as
// parameters.npy [P] and points.npy [N, 2] in the folder $SOBOLEV_PEERS_DATA; without it they are drawn here.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "sobolev/core/buffer.hpp"
#include "sobolev/core/error.hpp"
#include "sobolev/core/random.hpp"
#include "sobolev/expression/tape.hpp"
#include "sobolev/io/npy.hpp"
#include "sobolev/linalg/cholesky.hpp"
#include "sobolev/pinn/step.hpp"

namespace sobolev {
namespace {

constexpr int modes = 10;
constexpr double diffusion = 1e-4, damping = 1e-3;

template <class T>
struct Work {
  Cpu cpu;
  FusedStep<T> step;
  Buffer<T> parameters;
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

template <class T>
Work<T> make_work(const benchmark::State& state) {
  const int width = int(state.range(0)), depth = int(state.range(1));
  const auto points = std::size_t(state.range(2));
  const Cpu cpu;
  const Features inputs = features();
  MlpShape mlp;
  mlp.inputs = inputs.inputs();
  mlp.depth = depth;
  mlp.width = width;
  Work<T> work{cpu, FusedStep<T>(cpu, mlp, inputs), Buffer<T>(mlp.parameters())};
  work.points = double(points);
  for (int l = 0; l < mlp.layers(); ++l) work.products += double(mlp.fan_in(l)) * mlp.fan_out(l);
  const auto x = stored("points.npy", 2 * points), p = stored("parameters.npy", mlp.parameters());
  for (std::size_t i = 0; i < p.size(); ++i) work.parameters[i] = T(p[i]);
  const int group = work.step.add_group(allen_cahn(work.points));
  work.step.set_points(group, View<const double, 2>(x.data(), points, 2));
  return work;
}

template <class T>
View<const T, 1> view(const Buffer<T>& b) {
  return View<const T, 1>(b.data(), b.size());
}
template <class T>
double norm(const Buffer<T>& b) {
  double sum = 0;
  for (T v : b) sum += double(v) * double(v);
  return std::sqrt(sum);
}

void report(benchmark::State& state, double flop, double loss, double size) {
  state.counters["gflops"] = benchmark::Counter(flop * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["loss"] = loss;
  state.counters["norm"] = size;
}

template <class T>
void step(benchmark::State& state) {
  Work<T> work = make_work<T>(state);
  Buffer<T> gradient(work.parameters.size());
  double loss = 0;
  for (auto _ : state) loss = work.step.loss_gradient(view(work.parameters), gradient.view(gradient.size()));
  report(state, 3 * 2 * work.points * 4 * work.products, loss, norm(gradient));
}

template <class T>
void levenberg_marquardt(benchmark::State& state) {
  Work<T> work = make_work<T>(state);
  const std::size_t p = work.parameters.size();
  Buffer<T> matrix(p * p), update(p);
  double loss = 0;
  for (auto _ : state) {
    loss = work.step.normal_equations(view(work.parameters), matrix.view(p, p), update.view(p));
    for (std::size_t i = 0; i < p; ++i) {
      matrix[i * p + i] += T(damping) * std::max(matrix[i * p + i], T(1e-12));
      update[i] = -update[i];
    }
    if (!cholesky(work.cpu, matrix.view(p, p)))
      return state.SkipWithError("the matrix is not positive definite");
    cholesky_solve(work.cpu, View<const T, 2>(matrix.data(), p, p), update.view(p));
  }
  const double size = double(p);
  report(state, work.points * size * size + size * size * size / 3 + 8 * work.points * size, loss,
         norm(update));
}

void step_sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"width", "depth", "points"})->UseRealTime()->Unit(benchmark::kMillisecond);
  for (int width : {32, 64, 128, 256})
    for (int points : {4096, 25600}) b->Args({width, 4, points});
}
void lm_sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"width", "depth", "points"})->UseRealTime()->Unit(benchmark::kMillisecond);
  b->Args({30, 3, 10000});
}
BENCHMARK(step<float>)->Name("peers/step/float32")->Apply(step_sizes);
BENCHMARK(step<double>)->Name("peers/step/float64")->Apply(step_sizes);
BENCHMARK(levenberg_marquardt<double>)->Name("peers/lm/float64")->Apply(lm_sizes);

}  // namespace
}  // namespace sobolev
