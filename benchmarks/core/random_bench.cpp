// SPDX-License-Identifier: Apache-2.0
// Uniform and normal numbers of a Philox stream, beside the bandwidth that writing them needs.
#include "benchmarks/limits.hpp"
#include "sobolev/core/random.hpp"

namespace sobolev::bench {
namespace {
template <class T, bool normal>
void random_bench(benchmark::State& state) {
  const std::size_t n = std::size_t(state.range(0));
  std::vector<T> to(n);
  const double limit = copy_rate(n * sizeof(T));
  std::uint64_t first = 0;
  for (auto _ : state) {
    const View<T, 1> view(to.data(), n);
    if constexpr (normal)
      fill_normal<T>(Cpu(1), Philox(1, 2), first, view);
    else
      fill_uniform<T>(Cpu(1), Philox(1, 2), first, view);
    first += n;
  }
  state.SetItemsProcessed(state.iterations() * std::int64_t(n));
  report_bytes(state, double(n * sizeof(T)), limit);
}
BENCHMARK(random_bench<float, false>)->Name("fill_uniform<float>")->Arg(65536)->UseRealTime();
BENCHMARK(random_bench<double, false>)->Name("fill_uniform<double>")->Arg(65536)->UseRealTime();
BENCHMARK(random_bench<float, true>)->Name("fill_normal<float>")->Arg(65536)->UseRealTime();
BENCHMARK(random_bench<double, true>)->Name("fill_normal<double>")->Arg(65536)->UseRealTime();
}  // namespace
}  // namespace sobolev::bench
