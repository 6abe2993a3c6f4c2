// SPDX-License-Identifier: Apache-2.0
// The network with its jets, forward: 2·N·K Σ in·out FLOPs; backward does three times that.
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
}  // namespace
}  // namespace sobolev::bench
