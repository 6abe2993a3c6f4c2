// SPDX-License-Identifier: Apache-2.0
// Relative L2 errors with their gradient: four fields read, one written.
#include "benchmarks/limits.hpp"
#include "sobolev/core/buffer_on.hpp"
#include "sobolev/operators/relative_l2.hpp"

namespace sobolev::bench {
namespace {
template <class E>
void relative_l2_bench(benchmark::State& state, const E& executor) {
  const std::size_t batch = 20, n = 421 * 421;
  const std::vector<float> host = numbers<float>(batch * n);
  auto y = zeros<float>(executor, batch * n), t = zeros<float>(executor, batch * n),
       g = zeros<float>(executor, batch * n);
  auto errors = zeros<double>(executor, batch), loss = zeros<double>(executor, 1);
  upload<float, 1>(executor, View<const float, 1>(host.data(), batch * n),
                   View<float, 1>(t.data(), batch * n));
  const double rate = copy_rate(batch * n * sizeof(float));
  const View<const float, 1> none(nullptr, 0);
  for (auto _ : state) {
    relative_l2<float>(executor, View<const float, 3>(y.data(), batch, n, 1), none, none,
                       View<const float, 3>(t.data(), batch, n, 1), View<double, 1>(errors.data(), batch),
                       View<double, 1>(loss.data(), 1), View<float, 3>(g.data(), batch, n, 1));
#if SOBOLEV_HAS_CUDA
    if constexpr (std::is_same_v<E, Cuda>) executor.synchronize();
#endif
  }
  report_bytes(state, 5 * double(batch * n * sizeof(float)), rate);
}
[[maybe_unused]] const bool registered = [] {
  benchmark::RegisterBenchmark("relative_l2/float", relative_l2_bench<Cpu>, cpu())->UseRealTime();
#if SOBOLEV_HAS_CUDA
  on_cuda([](const Cuda& cuda) {
    benchmark::RegisterBenchmark("relative_l2/float/cuda", relative_l2_bench<Cuda>, cuda)->UseRealTime();
  });
#endif
  return true;
}();
}  // namespace
}  // namespace sobolev::bench
