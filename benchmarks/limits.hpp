// SPDX-License-Identifier: Apache-2.0
#pragma once
// Counters that the benchmarks share: the rate and its per cent of the machine's limit in this run.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "sobolev/core/machine_peak.hpp"
#include "sobolev/expression/elementary.hpp"
#if SOBOLEV_HAS_CUDA
#include "sobolev/core/cuda.hpp"
#endif

namespace sobolev::bench {

/// All threads the process may use.
inline Cpu cpu() { return Cpu(0); }

/// The FMA peak, measured just before each benchmark: machines change their clock.
template <class T, class E = Cpu>
double peak(const E& executor = cpu()) {
  return machine_peak<T>(executor, 0.3);
}

#if SOBOLEV_HAS_CUDA
struct CudaBenchmark {
  const char* name;
  void (*run)(benchmark::State&, const Cuda&);
};
/// f(Cuda) where the machine has a device, to register benchmarks with it. Says whether it has.
template <class F>
bool on_cuda(F&& f) {
  if (Cuda::count() == 0) return false;
  f(Cuda(0));
  return true;
}
#endif

#if SOBOLEV_HAS_CUDA
/// f(Cuda, "/native") and, where CUDA's libraries can be loaded, f(Cuda, "/library").
template <class F>
bool on_engines(F&& f) {
  return on_cuda([&](const Cuda& cuda) {
    f(cuda.with(Engine::native), "/native");
    try {
      f(cuda.with(Engine::library), "/library");
    } catch (const DeviceError&) {
    }
  });
}
#endif

inline void report_flops(benchmark::State& state, double flops_per_iteration, double peak_flops) {
  state.counters["gflops"] =
      benchmark::Counter(flops_per_iteration * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["percent_of_peak"] = benchmark::Counter(100 * flops_per_iteration / peak_flops,
                                                         benchmark::Counter::kIsIterationInvariantRate);
}

/// Bytes per second, beside the rate of a plain copy of the same size in the same run.
inline void report_bytes(benchmark::State& state, double bytes_per_iteration, double copy_rate) {
  state.counters["GB/s"] =
      benchmark::Counter(bytes_per_iteration * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["percent_of_copy"] = benchmark::Counter(100 * bytes_per_iteration / copy_rate,
                                                         benchmark::Counter::kIsIterationInvariantRate);
}

/// Bytes per second (read and written) of copying `bytes` bytes by one thread, best of several.
double copy_rate(std::size_t bytes);

/// Non-zero data.
template <class T>
std::vector<T> numbers(std::size_t n, double scale = 1) {
  std::vector<T> v(n);
  unsigned long s = 12345;
  for (T& x : v) {
    s = s * 6364136223846793005ul + 1442695040888963407ul;
    x = T(scale * (double(s >> 11) * 0x1p-52 - 1));
  }
  return v;
}

/// Exponentials per second of all threads on arrays in the second-level cache, the best of 0.2 s.
template <class T>
double exp_rate() {
  using Clock = std::chrono::steady_clock;
  const std::size_t n = 16384 * std::size_t(cpu().threads());
  const std::vector<T> x = numbers<T>(n);
  std::vector<T> y(n);
  double best = 0;
  const auto seconds = [](Clock::duration d) { return std::chrono::duration<double>(d).count(); };
  for (const Clock::time_point begin = Clock::now(); seconds(Clock::now() - begin) < 0.2;) {
    const Clock::time_point start = Clock::now();
    for (int i = 0; i < 16; ++i)
      elementary<T>(cpu(), Op::exponential, View<const T, 1>(x.data(), n), View<T, 1>(y.data(), n));
    benchmark::DoNotOptimize(y.data());
    best = std::max(best, 16 * double(n) / seconds(Clock::now() - start));
  }
  return best;
}

}  // namespace sobolev::bench
