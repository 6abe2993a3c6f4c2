// SPDX-License-Identifier: Apache-2.0
// The damped matrix: P²·sizeof(T) bytes, half of them read and half written.
#include "benchmarks/limits.hpp"
#include "sobolev/optim/damping.hpp"

namespace sobolev::bench {
namespace {
void damping_bench(benchmark::State& state) {
  const std::size_t p = std::size_t(state.range(0));
  const std::vector<double> matrix = numbers<double>(p * p), diagonal = numbers<double>(p);
  std::vector<double> out(p * p);
  const double limit = copy_rate(p * p * sizeof(double));
  for (auto _ : state)
    damped_matrix<double>(cpu(), View<const double, 2>(matrix.data(), p, p),
                          View<const double, 1>(diagonal.data(), p), 0.5, View<double, 2>(out.data(), p, p));
  report_bytes(state, double(p * p * sizeof(double)), limit);
}
BENCHMARK(damping_bench)->Arg(681)->Arg(1981)->UseRealTime();
}  // namespace
}  // namespace sobolev::bench
