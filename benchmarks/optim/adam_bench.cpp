// SPDX-License-Identifier: Apache-2.0
// One step of Adam: 7·P·sizeof(T) bytes.
#include "benchmarks/limits.hpp"
#include "sobolev/optim/adam.hpp"

namespace sobolev::bench {
namespace {
template <class T>
void adam_bench(benchmark::State& state) {
  const std::size_t p = std::size_t(state.range(0));
  const std::vector<T> g = numbers<T>(p);
  std::vector<T> m(p), v(p), theta = numbers<T>(p);
  const double limit = copy_rate(p * sizeof(T) * 2);
  long step = 0;
  for (auto _ : state)
    adam_step<T>(Cpu(1), {}, ++step, View<const T, 1>(g.data(), p), View<T, 1>(m.data(), p),
                 View<T, 1>(v.data(), p), View<T, 1>(theta.data(), p));
  report_bytes(state, 7.0 * double(p * sizeof(T)), limit);
}
BENCHMARK(adam_bench<float>)->Arg(66561)->UseRealTime();
BENCHMARK(adam_bench<double>)->Arg(66561)->UseRealTime();
}  // namespace
}  // namespace sobolev::bench
