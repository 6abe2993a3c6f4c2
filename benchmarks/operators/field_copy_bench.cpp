// SPDX-License-Identifier: Apache-2.0
// Padding of a field: its numbers once read and once written.
#include "benchmarks/limits.hpp"
#include "sobolev/core/buffer_on.hpp"
#include "sobolev/operators/field_copy.hpp"

namespace sobolev::bench {
namespace {
template <class E>
void field_copy_bench(benchmark::State& state, const E& executor) {
  const std::size_t batch = 20, side = 85, padded = 94, channels = 32, n = side * side, m = padded * padded;
  auto from = zeros<float>(executor, batch * n * channels), to = zeros<float>(executor, batch * m * channels);
  const double rate = copy_rate(batch * n * channels * sizeof(float));
  for (auto _ : state) {
    field_copy<float>(executor, View<const float, 3>(from.data(), batch, n, channels),
                      {{1, side, side}, {0, 0, 0}, 0}, View<float, 3>(to.data(), batch, m, channels),
                      {{1, padded, padded}, {0, 0, 0}, 0}, {1, side, side}, channels, false);
#if SOBOLEV_HAS_CUDA
    if constexpr (std::is_same_v<E, Cuda>) executor.synchronize();
#endif
  }
  report_bytes(state, 2 * double(batch * n * channels * sizeof(float)), rate);
}
[[maybe_unused]] const bool registered = [] {
  benchmark::RegisterBenchmark("field_copy/float", field_copy_bench<Cpu>, cpu())->UseRealTime();
#if SOBOLEV_HAS_CUDA
  on_cuda([](const Cuda& cuda) {
    benchmark::RegisterBenchmark("field_copy/float/cuda", field_copy_bench<Cuda>, cuda)->UseRealTime();
  });
#endif
  return true;
}();
}  // namespace
}  // namespace sobolev::bench
