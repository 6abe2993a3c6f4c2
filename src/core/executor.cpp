// SPDX-License-Identifier: Apache-2.0
#include "sobolev/core/executor.hpp"

#include <omp.h>

#include <cstdlib>
#include <fstream>

#include "kernels/common/dispatch.hpp"
#include "sobolev/core/error.hpp"

namespace sobolev {
namespace {
SimdTarget best_target() {
  SimdTarget best = SimdTarget::baseline;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2")) {
    best = SimdTarget::avx2;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
      best = SimdTarget::avx512;
  }
#endif
  if (const char* lower = std::getenv("SOBOLEV_SIMD")) {
    const std::string name = lower;
    const SimdTarget asked =
        name == "baseline" ? SimdTarget::baseline
        : name == "avx2"   ? SimdTarget::avx2
        : name == "avx512" ? SimdTarget::avx512
                           : throw ArgumentError("SOBOLEV_SIMD=" + name + ": use baseline, avx2 or avx512");
    if (asked < best) best = asked;
  }
  return best;
}
}  // namespace

SimdTarget simd_target() {
  static const SimdTarget target = best_target();
  return target;
}

Cpu::Cpu(int threads) : threads_(threads > 0 ? threads : omp_get_num_procs()) {
  require(threads >= 0 && threads <= 4096,
          "Cpu: " + std::to_string(threads) + " threads asked for; use 1 to 4096, or 0 for all");
  simd_target();  // throws here, where it can be caught, rather than in a kernel's threads
}

std::string Cpu::instruction_set() {
  switch (simd_target()) {
    case SimdTarget::avx512: return "avx512";
    case SimdTarget::avx2: return "avx2";
    default: return "baseline";
  }
}

std::string Cpu::processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown processor";
}

}  // namespace sobolev
