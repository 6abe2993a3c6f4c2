// SPDX-License-Identifier: Apache-2.0
// Independent fused multiply-adds on registers: 2·lanes FLOPs each, no memory.
// As many accumulators as hide the latency and fit beside the two constants.
#include "sobolev/core/machine_peak.hpp"

#include "kernels/common/dispatch.hpp"
#include "kernels/common/simd.hpp"

SOBOLEV_DECLARE_TARGETS(
    /// Runs `rounds` rounds of FMAs; returns their FLOPs. `sink` keeps the compiler from dropping them.
    template <class T> double fma_rounds(long rounds, T* sink);)

namespace sobolev::SOBOLEV_TARGET {
template <class T>
double fma_rounds(long rounds, T* sink) {
  constexpr int accumulators = simd_registers >= 32 ? 16 : 12;
  Vec<T> sum[accumulators];
#pragma GCC unroll 16
  for (int i = 0; i < accumulators; ++i) sum[i] = broadcast<T>(T(i) * T(0.1) + sink[0]);
  const Vec<T> x = broadcast<T>(T(0.999)), y = broadcast<T>(T(1e-3));
  for (long r = 0; r < rounds; ++r) {
#pragma GCC unroll 16
    for (int i = 0; i < accumulators; ++i) sum[i] = sum[i] * x + y;
    // Opaque: the rounds can not be merged.
    asm volatile("" : "+m"(*sink));
  }
  T total = 0;
#pragma GCC unroll 16
  for (int i = 0; i < accumulators; ++i) total += sum_lanes<T>(sum[i]);
  *sink = total;
  return 2.0 * accumulators * lanes<T> * double(rounds);
}
template double fma_rounds<float>(long, float*);
template double fma_rounds<double>(long, double*);
}  // namespace sobolev::SOBOLEV_TARGET

#if SOBOLEV_DISPATCHER
#include <algorithm>
#include <chrono>
#include <vector>

namespace sobolev {
template <class T>
double machine_peak(const Cpu& cpu, double seconds) {
  using Clock = std::chrono::steady_clock;
  constexpr int repeats = 8;
  long rounds = 1000;
  double best = 0;
  for (int i = 0; i < repeats + 20 && i < 60; ++i) {
    const int threads = cpu.threads();
    std::vector<double> flops(std::size_t(threads), 0.0);
    const auto start = Clock::now();
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (int t = 0; t < threads; ++t) {
      T sink = 0;
      flops[std::size_t(t)] = SOBOLEV_CALL(fma_rounds<T>, rounds, &sink);
    }
    const double time = std::chrono::duration<double>(Clock::now() - start).count();
    if (time < seconds / repeats / 2) {
      rounds *= 2;  // still too short to time
      continue;
    }
    double total = 0;
    for (double f : flops) total += f;
    best = std::max(best, total / time);
  }
  return best;
}
template double machine_peak<float>(const Cpu&, double);
template double machine_peak<double>(const Cpu&, double);
}  // namespace sobolev
#endif
