// SPDX-License-Identifier: Apache-2.0
// Mixing of channels, point by point: 2·N·C·O FLOPs forward, 4·N·C·O backward.
#include "benchmarks/limits.hpp"
#include "sobolev/core/buffer_on.hpp"
#include "sobolev/operators/channel_mix.hpp"

namespace sobolev::bench {
namespace {
template <class T, class E>
void channel_mix_bench(benchmark::State& state, const E& executor, bool back) {
  const std::size_t n = std::size_t(state.range(0)), c = std::size_t(state.range(1)),
                    o = std::size_t(state.range(2));
  const std::vector<T> host = numbers<T>(n * c), weights = numbers<T>(c * o);
  auto x = zeros<T>(executor, n * c), w = zeros<T>(executor, c * o), y = zeros<T>(executor, n * o),
       slope = zeros<T>(executor, n * o), x_bar = zeros<T>(executor, n * c),
       w_bar = zeros<T>(executor, c * o), b_bar = zeros<T>(executor, o),
       sums = zeros<T>(executor, channel_mix_workspace(n, c, o));
  const auto view = [](auto& buffer, std::size_t rows, std::size_t columns) {
    return View<T, 2>(buffer.data(), rows, columns);
  };
  upload<T, 2>(executor, View<const T, 2>(host.data(), n, c), view(x, n, c));
  upload<T, 2>(executor, View<const T, 2>(weights.data(), c, o), view(w, c, o));
  const double limit = peak<T>(executor);
  for (auto _ : state) {
    if (back)
      channel_mix_adjoint<T>(executor, view(x, n, c), view(w, c, o), view(slope, n, o), view(y, n, o),
                             view(x_bar, n, c), false, view(w_bar, c, o), View<T, 1>(b_bar.data(), o),
                             View<T, 1>(sums.data(), sums.size()));
    else
      channel_mix<T>(executor, FieldActivation::gelu, view(x, n, c), view(w, c, o),
                     View<const T, 1>(b_bar.data(), o), View<const T, 2>(nullptr, 0, 0), view(y, n, o),
                     view(slope, n, o));
#if SOBOLEV_HAS_CUDA
    if constexpr (std::is_same_v<E, Cuda>) executor.synchronize();
#endif
  }
  report_flops(state, (back ? 4 : 2) * double(n) * double(c * o), limit);
}
[[maybe_unused]] const bool registered = [] {
  const auto add = [](const std::string& name, auto run, const auto& executor) {
    for (const bool back : {false, true})
      benchmark::RegisterBenchmark((name + (back ? "/backward" : "/forward")).c_str(), run, executor, back)
          ->Args({65536, 32, 32})
          ->Args({65536, 32, 128})
          ->UseRealTime()
          ->Unit(benchmark::kMillisecond);
  };
  add("channel_mix/float", channel_mix_bench<float, Cpu>, cpu());
#if SOBOLEV_HAS_CUDA
  on_cuda([&](const Cuda& cuda) { add("channel_mix/float/cuda", channel_mix_bench<float, Cuda>, cuda); });
#endif
  return true;
}();
}  // namespace
}  // namespace sobolev::bench
