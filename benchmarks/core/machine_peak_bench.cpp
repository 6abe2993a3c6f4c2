// SPDX-License-Identifier: Apache-2.0
// The limits themselves: FMA peak of all threads, and copying within the second-level cache.
#include <chrono>
#include <cstring>

#include "benchmarks/limits.hpp"
#include "sobolev/core/machine_peak.hpp"

namespace sobolev::bench {

double copy_rate(std::size_t bytes) {
  using Clock = std::chrono::steady_clock;
  std::vector<char> a(bytes, 1), b(bytes, 2);
  double best = 0;
  for (int repeat = 0; repeat < 10; ++repeat) {
    const std::size_t times = 1 + (64u << 20) / bytes;
    const auto start = Clock::now();
    for (std::size_t i = 0; i < times; ++i) {
      std::memcpy(b.data(), a.data(), bytes);
      benchmark::DoNotOptimize(b.data());
      benchmark::ClobberMemory();
    }
    best = std::max(
        best, 2.0 * double(bytes * times) / std::chrono::duration<double>(Clock::now() - start).count());
  }
  return best;
}

namespace {
template <class T>
void machine_peak_bench(benchmark::State& state) {
  double best = 0;
  for (auto _ : state) best = std::max(best, machine_peak<T>(cpu(), 0.1));
  state.counters["gflops"] = best * 1e-9;
}
BENCHMARK(machine_peak_bench<float>)->Iterations(3)->Unit(benchmark::kMillisecond);
BENCHMARK(machine_peak_bench<double>)->Iterations(3)->Unit(benchmark::kMillisecond);
}  // namespace
}  // namespace sobolev::bench
