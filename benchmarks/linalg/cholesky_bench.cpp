// SPDX-License-Identifier: Apache-2.0
// A = UᵀU: P³/3 FLOPs.
#include "benchmarks/limits.hpp"
#include "sobolev/linalg/cholesky.hpp"

namespace sobolev::bench {
namespace {
template <class T>
void cholesky_bench(benchmark::State& state) {
  const std::size_t p = std::size_t(state.range(0));
  std::vector<T> a = numbers<T>(p * p), u(p * p);
  for (std::size_t i = 0; i < p; ++i) a[i * p + i] = T(4 * p);
  const double limit = peak<T>();
  for (auto _ : state) {
    u = a;
    if (!cholesky<T>(cpu(), View<T, 2>(u.data(), p, p))) state.SkipWithError("not positive definite");
  }
  report_flops(state, double(p) * double(p) * double(p) / 3, limit);
}
BENCHMARK(cholesky_bench<double>)
    ->Arg(672)
    ->Arg(681)
    ->Arg(1981)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK(cholesky_bench<float>)->Arg(1981)->UseRealTime()->Unit(benchmark::kMillisecond);

#if SOBOLEV_HAS_CUDA
template <class T>
void cholesky_cuda(benchmark::State& state, const Cuda& cuda) {
  const std::size_t p = std::size_t(state.range(0));
  std::vector<T> a = numbers<T>(p * p);
  for (std::size_t i = 0; i < p; ++i) a[i * p + i] = T(4 * p);
  const DeviceBuffer<T> u(cuda, p * p);
  const double limit = peak<T>(cuda);
  for (auto _ : state) {
    state.PauseTiming();
    upload<T, 2>(cuda, View<const T, 2>(a.data(), p, p), u.view(p, p));
    cuda.synchronize();
    state.ResumeTiming();
    if (!cholesky<T>(cuda, u.view(p, p))) state.SkipWithError("not positive definite");
  }
  report_flops(state, double(p) * double(p) * double(p) / 3, limit);
}
[[maybe_unused]] const bool registered = on_engines([](const Cuda& cuda, const std::string& engine) {
  for (const auto& [name, run] : {CudaBenchmark{"cholesky_cuda<float>", cholesky_cuda<float>},
                                  CudaBenchmark{"cholesky_cuda<double>", cholesky_cuda<double>}})
    benchmark::RegisterBenchmark((name + engine).c_str(), run, cuda)
        ->Arg(681)
        ->Arg(1981)
        ->Arg(4096)
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
});
#endif
}  // namespace
}  // namespace sobolev::bench
