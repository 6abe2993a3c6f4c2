// SPDX-License-Identifier: Apache-2.0
// axpby: 3·N·sizeof(T) bytes.
#include "benchmarks/limits.hpp"
#include "sobolev/linalg/vector.hpp"

namespace sobolev::bench {
namespace {
template <class T>
void axpby_bench(benchmark::State& state) {
  const std::size_t n = std::size_t(state.range(0));
  const std::vector<T> x = numbers<T>(n);
  std::vector<T> y = numbers<T>(n);
  const double limit = copy_rate(n * sizeof(T));
  for (auto _ : state) {
    axpby<T>(Cpu(1), T(0.5), View<const T, 1>(x.data(), n), T(0.5), View<const T, 1>(y.data(), n),
             View<T, 1>(y.data(), n));
    benchmark::DoNotOptimize(y.data());
  }
  report_bytes(state, 3.0 * double(n * sizeof(T)), limit);
}
BENCHMARK(axpby_bench<float>)->Arg(66561)->UseRealTime();
BENCHMARK(axpby_bench<double>)->Arg(66561)->UseRealTime();
}  // namespace
}  // namespace sobolev::bench
