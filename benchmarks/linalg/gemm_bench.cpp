// SPDX-License-Identifier: Apache-2.0
// C = A B: 2·M·N·K FLOPs.
#include "benchmarks/limits.hpp"
#include "sobolev/linalg/gemm.hpp"

namespace sobolev::bench {
namespace {
template <class T>
void gemm_bench(benchmark::State& state) {
  const std::size_t m = std::size_t(state.range(0)), n = std::size_t(state.range(1)),
                    k = std::size_t(state.range(2));
  const std::vector<T> a = numbers<T>(m * k), b = numbers<T>(k * n);
  std::vector<T> c(m * n);
  const double limit = peak<T>();
  for (auto _ : state)
    gemm<T>(cpu(), T(1), View<const T, 2>(a.data(), m, k), View<const T, 2>(b.data(), k, n), T(0),
            View<T, 2>(c.data(), m, n));
  report_flops(state, 2 * double(m) * double(n) * double(k), limit);
}
BENCHMARK(gemm_bench<double>)
    ->Args({200, 200, 200})
    ->Args({2000, 2000, 2000})
    ->Args({25600, 64, 64})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(gemm_bench<float>)->Args({2000, 2000, 2000})->UseRealTime()->Unit(benchmark::kMillisecond);

template <class T>
void gemm_batch_bench(benchmark::State& state) {
  const std::size_t count = std::size_t(state.range(0)), n = std::size_t(state.range(1));
  const std::vector<T> a = numbers<T>(count * n * n), b = numbers<T>(count * n * n);
  std::vector<T> c(count * n * n);
  const double limit = peak<T>();
  for (auto _ : state)
    gemm<T>(cpu(), T(1), View<const T, 3>(a.data(), count, n, n), View<const T, 3>(b.data(), count, n, n),
            T(0), View<T, 3>(c.data(), count, n, n));
  report_flops(state, 2 * double(count) * double(n) * double(n) * double(n), limit);
}
BENCHMARK(gemm_batch_bench<double>)->Args({256, 64})->UseRealTime()->Unit(benchmark::kMillisecond);

#if SOBOLEV_HAS_CUDA
template <class T>
void gemm_cuda(benchmark::State& state, const Cuda& cuda) {
  const std::size_t count = std::size_t(state.range(0)), n = std::size_t(state.range(1));
  const std::vector<T> host = numbers<T>(count * n * n);
  const DeviceBuffer<T> a(cuda, host.size()), b(cuda, host.size()), c(cuda, host.size());
  for (const DeviceBuffer<T>* to : {&a, &b})
    upload<T, 1>(cuda, View<const T, 1>(host.data(), host.size()), to->view(host.size()));
  const double limit = peak<T>(cuda);
  for (auto _ : state) {
    gemm<T>(cuda, T(1), View<const T, 3>(a.data(), count, n, n), View<const T, 3>(b.data(), count, n, n),
            T(0), c.view(count, n, n));
    cuda.synchronize();
  }
  report_flops(state, 2 * double(count) * double(n) * double(n) * double(n), limit);
}
[[maybe_unused]] const bool registered = on_engines([](const Cuda& cuda, const std::string& engine) {
  for (const auto& [name, run] : {CudaBenchmark{"gemm_cuda<float>", gemm_cuda<float>},
                                  CudaBenchmark{"gemm_cuda<double>", gemm_cuda<double>}})
    benchmark::RegisterBenchmark((name + engine).c_str(), run, cuda)
        ->Args({256, 64})
        ->Args({1, 2048})
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
});
#endif
}  // namespace
}  // namespace sobolev::bench
