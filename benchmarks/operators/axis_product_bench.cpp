// SPDX-License-Identifier: Apache-2.0
// A full matrix along the first and the last axis of fields: 2·B·N·n FLOPs, N points and n of the axis.
#include "benchmarks/limits.hpp"
#include "sobolev/core/buffer_on.hpp"
#include "sobolev/operators/axis_product.hpp"

namespace sobolev::bench {
namespace {
template <class T, class E>
void axis_product_bench(benchmark::State& state, const E& executor) {
  const std::size_t b = std::size_t(state.range(0)), n = std::size_t(state.range(1)),
                    inner = std::size_t(state.range(2));
  const std::vector<T> host = numbers<T>(b * n * inner), matrix = numbers<T>(n * n);
  auto x = zeros<T>(executor, host.size()), y = zeros<T>(executor, host.size()),
       d = zeros<T>(executor, n * n);
  upload<T, 1>(executor, View<const T, 1>(host.data(), host.size()), View<T, 1>(x.data(), x.size()));
  upload<T, 1>(executor, View<const T, 1>(matrix.data(), matrix.size()), View<T, 1>(d.data(), d.size()));
  const View<const T, 2> square(d.data(), n, n);
  const double limit = peak<T>(executor);
  for (auto _ : state) {
    axis_product<T>(executor, square, square, View<const T, 3>(x.data(), b, n, inner),
                    View<T, 3>(y.data(), b, n, inner));
#if SOBOLEV_HAS_CUDA
    if constexpr (std::is_same_v<E, Cuda>) executor.synchronize();
#endif
  }
  report_flops(state, 2 * double(host.size()) * double(n), limit);
}
[[maybe_unused]] const bool registered = [] {
  const auto add = [](const std::string& name, auto run, const auto& executor) {
    benchmark::RegisterBenchmark(name.c_str(), run, executor)
        ->Args({20, 101, 128})
        ->Args({20 * 101, 128, 1})
        ->UseRealTime()
        ->Unit(benchmark::kMicrosecond);
  };
  add("axis_product/float", axis_product_bench<float, Cpu>, cpu());
#if SOBOLEV_HAS_CUDA
  on_cuda([&](const Cuda& cuda) { add("axis_product/float/cuda", axis_product_bench<float, Cuda>, cuda); });
#endif
  return true;
}();
}  // namespace
}  // namespace sobolev::bench
