// SPDX-License-Identifier: Apache-2.0
// C += AᵀA, upper triangle: N·P·(P + 1) FLOPs.
#include "benchmarks/limits.hpp"
#include "sobolev/linalg/syrk.hpp"

namespace sobolev::bench {
namespace {
template <class T>
void syrk_bench(benchmark::State& state) {
  const std::size_t n = std::size_t(state.range(0)), p = std::size_t(state.range(1));
  const std::vector<T> a = numbers<T>(n * p);
  std::vector<T> c(p * p);
  const double limit = peak<T>();
  for (auto _ : state) syrk<T>(cpu(), View<const T, 2>(a.data(), n, p), View<T, 2>(c.data(), p, p));
  report_flops(state, double(n) * double(p) * double(p + 1), limit);
}
BENCHMARK(syrk_bench<double>)
    ->Args({10000, 1981})
    ->Args({2000, 681})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(syrk_bench<float>)->Args({10000, 1981})->UseRealTime()->Unit(benchmark::kMillisecond);

#if SOBOLEV_HAS_CUDA
template <class T>
void syrk_cuda(benchmark::State& state, const Cuda& cuda) {
  const std::size_t n = std::size_t(state.range(0)), p = std::size_t(state.range(1));
  const std::vector<T> host = numbers<T>(n * p);
  const DeviceBuffer<T> a(cuda, n * p), c(cuda, p * p);
  upload<T, 2>(cuda, View<const T, 2>(host.data(), n, p), a.view(n, p));
  clear<T, 2>(cuda, c.view(p, p));
  const double limit = peak<T>(cuda);
  for (auto _ : state) {
    syrk<T>(cuda, a.view(n, p), c.view(p, p));
    cuda.synchronize();
  }
  report_flops(state, double(n) * double(p) * double(p + 1), limit);
}
[[maybe_unused]] const bool registered = on_engines([](const Cuda& cuda, const std::string& engine) {
  for (const auto& [name, run] : {CudaBenchmark{"syrk_cuda<float>", syrk_cuda<float>},
                                  CudaBenchmark{"syrk_cuda<double>", syrk_cuda<double>}})
    benchmark::RegisterBenchmark((name + engine).c_str(), run, cuda)
        ->Args({10000, 1981})
        ->Args({2000, 681})
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
});
#endif
}  // namespace
}  // namespace sobolev::bench
