// SPDX-License-Identifier: Apache-2.0
// What a device needs to clear and to copy memory: its bandwidth, as every kernel's limit, and the time of
// the smallest piece of work.
#if SOBOLEV_HAS_CUDA
#include <benchmark/benchmark.h>

#include <vector>

#include "sobolev/core/cuda.hpp"

namespace sobolev {
namespace {
void device_clear_bench(benchmark::State& state) {
  if (Cuda::count() == 0) return state.SkipWithError("no CUDA device");
  const Cuda cuda;
  const std::size_t n = std::size_t(state.range(0));
  const DeviceBuffer<double> buffer(cuda, n);
  for (auto _ : state) {
    clear<double, 1>(cuda, buffer.view(n));
    cuda.synchronize();
  }
  state.SetBytesProcessed(state.iterations() * std::int64_t(n * sizeof(double)));
}
BENCHMARK(device_clear_bench)->Arg(1)->Arg(1 << 24)->UseRealTime()->Unit(benchmark::kMicrosecond);

void device_upload_bench(benchmark::State& state) {
  if (Cuda::count() == 0) return state.SkipWithError("no CUDA device");
  const Cuda cuda;
  const std::size_t n = std::size_t(state.range(0));
  const std::vector<double> host(n, 1.5);
  const DeviceBuffer<double> buffer(cuda, n);
  for (auto _ : state) {
    upload<double, 1>(cuda, View<const double, 1>(host.data(), n), buffer.view(n));
    cuda.synchronize();
  }
  state.SetBytesProcessed(state.iterations() * std::int64_t(n * sizeof(double)));
}
BENCHMARK(device_upload_bench)->Arg(1)->Arg(1 << 22)->UseRealTime()->Unit(benchmark::kMicrosecond);
}  // namespace
}  // namespace sobolev
#endif
