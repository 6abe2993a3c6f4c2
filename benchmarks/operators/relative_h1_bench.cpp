// SPDX-License-Identifier: Apache-2.0
// Relative H1 errors with their gradient. By differences: the error is made (3 fields), squares of it and of
// the target are taken (2), the gradient is made and scaled (4). In the Fourier norm each axis adds a
// transform of both fields and one back (3 and what they write).
#include "benchmarks/limits.hpp"
#include "sobolev/core/buffer_on.hpp"
#include "sobolev/operators/relative_h1.hpp"

namespace sobolev::bench {
namespace {
template <class E>
void relative_h1_bench(benchmark::State& state, const E& executor, H1Norm norm) {
  const std::size_t batch = 20, side = 256, n = side * side;
  const std::vector<float> host = numbers<float>(batch * n);
  auto y = zeros<float>(executor, batch * n), t = zeros<float>(executor, batch * n),
       g = zeros<float>(executor, batch * n);
  auto errors = zeros<double>(executor, batch), loss = zeros<double>(executor, 1);
  upload<float, 1>(executor, View<const float, 1>(host.data(), batch * n),
                   View<float, 1>(t.data(), batch * n));
  RelativeH1<float, E> measure(executor, {side, side}, 1, batch, {norm});
  const double rate = copy_rate(batch * n * sizeof(float));
  const View<const float, 1> none(nullptr, 0);
  for (auto _ : state) {
    measure(View<const float, 3>(y.data(), batch, n, 1), none, none,
            View<const float, 3>(t.data(), batch, n, 1), View<double, 1>(errors.data(), batch),
            View<double, 1>(loss.data(), 1), View<float, 3>(g.data(), batch, n, 1));
#if SOBOLEV_HAS_CUDA
    if constexpr (std::is_same_v<E, Cuda>) executor.synchronize();
#endif
  }
  const double fields = norm == H1Norm::differences ? 9 : 9 + 2 * 4;
  report_bytes(state, fields * double(batch * n * sizeof(float)), rate);
}
[[maybe_unused]] const bool registered = [] {
  for (const H1Norm norm : {H1Norm::differences, H1Norm::fourier}) {
    const std::string name =
        norm == H1Norm::differences ? "relative_h1/differences/float" : "relative_h1/fourier/float";
    benchmark::RegisterBenchmark(name.c_str(), relative_h1_bench<Cpu>, cpu(), norm)->UseRealTime();
#if SOBOLEV_HAS_CUDA
    on_cuda([&](const Cuda& cuda) {
      benchmark::RegisterBenchmark((name + "/cuda").c_str(), relative_h1_bench<Cuda>, cuda, norm)
          ->UseRealTime();
    });
#endif
  }
  return true;
}();
}  // namespace
}  // namespace sobolev::bench
