// SPDX-License-Identifier: Apache-2.0
// Products of channels mode by mode: 8·B·M·C·O FLOPs.
#include "benchmarks/limits.hpp"
#include "sobolev/spectral/mode_product.hpp"

namespace sobolev::bench {
namespace {
template <class T>
void mode_product_bench(benchmark::State& state) {
  const std::size_t b = std::size_t(state.range(0)), m = std::size_t(state.range(1)),
                    c = std::size_t(state.range(2));
  const std::vector<T> v = numbers<T>(b * m * 2 * c), r = numbers<T>(m * 2 * c * c);
  std::vector<T> w(b * m * 2 * c);
  const double limit = peak<T>();
  for (auto _ : state)
    mode_product<T>(cpu(), View<const T, 4>(v.data(), b, m, 2, c), View<const T, 4>(r.data(), m, 2, c, c),
                    View<T, 4>(w.data(), b, m, 2, c));
  report_flops(state, 8 * double(b * m) * double(c * c), limit);
}
BENCHMARK(mode_product_bench<float>)->Args({16, 288, 32})->Args({1, 288, 32})->UseRealTime();
BENCHMARK(mode_product_bench<double>)->Args({16, 288, 32})->UseRealTime();

#if SOBOLEV_HAS_CUDA
template <class T>
void mode_product_cuda(benchmark::State& state, const Cuda& cuda) {
  const std::size_t b = std::size_t(state.range(0)), m = std::size_t(state.range(1)),
                    c = std::size_t(state.range(2));
  const std::vector<T> v = numbers<T>(b * m * 2 * c), r = numbers<T>(m * 2 * c * c);
  const DeviceBuffer<T> dv(cuda, v.size()), dr(cuda, r.size()), dw(cuda, v.size());
  upload<T, 1>(cuda, View<const T, 1>(v.data(), v.size()), dv.view(v.size()));
  upload<T, 1>(cuda, View<const T, 1>(r.data(), r.size()), dr.view(r.size()));
  const double limit = peak<T>(cuda);
  for (auto _ : state) {
    mode_product<T>(cuda, dv.view(b, m, 2, c), dr.view(m, 2, c, c), dw.view(b, m, 2, c));
    cuda.synchronize();
  }
  report_flops(state, 8 * double(b * m) * double(c * c), limit);
}
[[maybe_unused]] const bool registered = on_cuda([](const Cuda& cuda) {
  for (const auto& [name, run] : {CudaBenchmark{"mode_product_cuda<float>", mode_product_cuda<float>},
                                  CudaBenchmark{"mode_product_cuda<double>", mode_product_cuda<double>}})
    benchmark::RegisterBenchmark(name, run, cuda)->Args({16, 288, 32})->UseRealTime();
});
#endif
}  // namespace
}  // namespace sobolev::bench
