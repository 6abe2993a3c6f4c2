// SPDX-License-Identifier: Apache-2.0
// The network with its jets, forward: 2·N·K Σ in·out FLOPs; backward does three times that.
#include <algorithm>

#include "benchmarks/limits.hpp"
#include "sobolev/network/network.hpp"

namespace sobolev::bench {
namespace {
template <class T>
void network_bench(benchmark::State& state, T, bool backward) {
  const std::size_t n = 8192;
  const int width = int(state.range(0));
  const Network network = mlp(8, 1, 4, width);
  MultiIndex t, xx;
  t.order[0] = 1;
  xx.order[1] = 2;
  const MultiIndex needed[] = {t, xx};
  const JetSpec spec = JetSpec::closure(2, needed);
  const std::size_t k = std::size_t(spec.channels()), p = network.parameters();
  const std::vector<T> theta = numbers<T>(p, 0.3), x = numbers<T>(k * 8 * n), seed = numbers<T>(k * n);
  std::vector<T> y(k * n), gradient(p);
  const double limit = peak<T>();
  for (auto _ : state) {
    if (backward)
      network_backward<T>(cpu(), network, spec, View<const T, 1>(theta.data(), p),
                          View<const T, 3>(x.data(), k, 8, n), View<const T, 3>(seed.data(), k, 1, n),
                          View<T, 1>(gradient.data(), p));
    else
      network_forward<T>(cpu(), network, spec, View<const T, 1>(theta.data(), p),
                         View<const T, 3>(x.data(), k, 8, n), View<T, 3>(y.data(), k, 1, n));
  }
  report_flops(state, (backward ? 3 : 1) * 2.0 * double(n) * double(k) * network.products(), limit);
}
BENCHMARK_CAPTURE(network_bench, forward_float, float(), false)
    ->Arg(32)
    ->Arg(128)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(network_bench, backward_float, float(), true)
    ->Arg(32)
    ->Arg(128)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(network_bench, forward_double, double(), false)
    ->Arg(32)
    ->Arg(128)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(network_bench, backward_double, double(), true)
    ->Arg(32)
    ->Arg(128)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

// Four sums of Gaussians each of two inputs, value, gradient and diagonal of the Hessian. Per pair of a point
// and a Gaussian one exponential, and 17 operations forward, 46 with the way back.
template <class T>
void gaussian_bench(benchmark::State& state, T, bool backward) {
  const std::size_t n = 10000, count = std::size_t(state.range(0)), inputs = 2, outputs = 4;
  Network network(2);
  for (std::size_t q = 0; q < outputs; ++q) network.output(network.gaussian(0, int(count)), 1);
  MultiIndex xx, yy;
  xx.order[0] = yy.order[1] = 2;
  const MultiIndex needed[] = {xx, yy};
  const JetSpec spec = JetSpec::closure(2, needed);
  const std::size_t k = std::size_t(spec.channels()), p = network.parameters();
  std::vector<T> theta = numbers<T>(p), x(k * inputs * n);
  for (const Instruction& i : network.instructions())
    if (i.kind == Instruction::Kind::gaussian)
      std::fill_n(theta.begin() + std::ptrdiff_t(i.bias), inputs * count, T(-2.3));  // σ = 0.1
  const std::vector<T> at = numbers<T>(inputs * n), seed = numbers<T>(k * outputs * n);
  for (std::size_t f = 0; f < inputs; ++f)
    for (std::size_t i = 0; i < n; ++i) {
      x[f * n + i] = at[f * n + i];
      MultiIndex first;
      first.order[f] = 1;
      x[(std::size_t(spec.channel_of(first)) * inputs + f) * n + i] = T(1);
    }
  std::vector<T> y(k * outputs * n), gradient(p);
  const double limit = peak<T>(), exponentials = exp_rate<T>();
  for (auto _ : state) {
    if (backward)
      network_backward<T>(cpu(), network, spec, View<const T, 1>(theta.data(), p),
                          View<const T, 3>(x.data(), k, inputs, n),
                          View<const T, 3>(seed.data(), k, outputs, n), View<T, 1>(gradient.data(), p));
    else
      network_forward<T>(cpu(), network, spec, View<const T, 1>(theta.data(), p),
                         View<const T, 3>(x.data(), k, inputs, n), View<T, 3>(y.data(), k, outputs, n));
  }
  const double pairs = double(n) * double(outputs * count);
  report_flops(state, 2 * (backward ? 46.0 : 17.0) * pairs, limit);
  state.counters["pairs_per_second"] =
      benchmark::Counter(pairs, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["percent_of_exp"] =
      benchmark::Counter(100 * pairs / exponentials, benchmark::Counter::kIsIterationInvariantRate);
}
#define SOBOLEV_BENCH(name, type, backward)               \
  BENCHMARK_CAPTURE(gaussian_bench, name, type, backward) \
      ->Arg(800)                                          \
      ->Arg(4000)                                         \
      ->UseRealTime()                                     \
      ->Unit(benchmark::kMillisecond)
SOBOLEV_BENCH(forward_float, float(), false);
SOBOLEV_BENCH(backward_float, float(), true);
SOBOLEV_BENCH(forward_double, double(), false);
SOBOLEV_BENCH(backward_double, double(), true);
#undef SOBOLEV_BENCH
}  // namespace
}  // namespace sobolev::bench
