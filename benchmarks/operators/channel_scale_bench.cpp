// SPDX-License-Identifier: Apache-2.0
// Scaling of channels: a field once read and once written.
#include "benchmarks/limits.hpp"
#include "sobolev/core/buffer_on.hpp"
#include "sobolev/operators/channel_scale.hpp"

namespace sobolev::bench {
namespace {
template <class E>
void channel_scale_bench(benchmark::State& state, const E& executor) {
  const std::size_t n = 65536, c = 32;
  auto x = zeros<float>(executor, n * c), y = zeros<float>(executor, n * c), w = zeros<float>(executor, c);
  const double rate = copy_rate(n * c * sizeof(float));
  for (auto _ : state) {
    channel_scale<float>(executor, View<const float, 2>(x.data(), n, c), View<const float, 1>(w.data(), c),
                         View<const float, 1>(nullptr, 0), View<float, 2>(y.data(), n, c));
#if SOBOLEV_HAS_CUDA
    if constexpr (std::is_same_v<E, Cuda>) executor.synchronize();
#endif
  }
  report_bytes(state, 2 * double(n * c * sizeof(float)), rate);
}
[[maybe_unused]] const bool registered = [] {
  benchmark::RegisterBenchmark("channel_scale/float", channel_scale_bench<Cpu>, cpu())->UseRealTime();
#if SOBOLEV_HAS_CUDA
  on_cuda([](const Cuda& cuda) {
    benchmark::RegisterBenchmark("channel_scale/float/cuda", channel_scale_bench<Cuda>, cuda)->UseRealTime();
  });
#endif
  return true;
}();
}  // namespace
}  // namespace sobolev::bench
