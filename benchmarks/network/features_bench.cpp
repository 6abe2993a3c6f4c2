// SPDX-License-Identifier: Apache-2.0
// Feature jets: writes K·F values per point.
#include "benchmarks/limits.hpp"
#include "sobolev/network/features.hpp"

namespace sobolev::bench {
namespace {
template <class T>
void features_bench(benchmark::State& state) {
  const std::size_t n = 25600;
  Features features({"t", "x"});
  features.linear(0, 2, -1).periodic(1, 10, 2.0);
  MultiIndex t, xx;
  t.order[0] = 1;
  xx.order[1] = 2;
  const MultiIndex needed[] = {t, xx};
  const JetSpec spec = JetSpec::closure(2, needed);
  const std::size_t k = std::size_t(spec.channels()), f = std::size_t(features.inputs());
  const std::vector<T> x = numbers<T>(2 * n);
  std::vector<T> y(k * f * n);
  const double limit = copy_rate(1 << 20) * double(cpu().threads());
  for (auto _ : state)
    feature_jets<T>(cpu(), features, spec, View<const T, 2>(x.data(), n, 2), 0,
                    View<T, 3>(y.data(), k, f, n));
  report_bytes(state, double(y.size() * sizeof(T)), limit);
  state.counters["ns_per_point"] = benchmark::Counter(
      double(n) * 1e-9, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(features_bench<float>)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK(features_bench<double>)->UseRealTime()->Unit(benchmark::kMillisecond);
}  // namespace
}  // namespace sobolev::bench
