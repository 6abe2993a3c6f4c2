// SPDX-License-Identifier: Apache-2.0
// The sum of a DeepONet's basis functions: 2·B·P·O·K FLOPs forward, 4·B·P·O·K backward.
#include "benchmarks/limits.hpp"
#include "sobolev/core/buffer_on.hpp"
#include "sobolev/operators/basis_product.hpp"

namespace sobolev::bench {
namespace {
template <class T, class E>
void basis_product_bench(benchmark::State& state, const E& executor, bool back) {
  const std::size_t b = std::size_t(state.range(0)), p = std::size_t(state.range(1)),
                    k = std::size_t(state.range(2));
  const std::vector<T> left = numbers<T>(b * k), right = numbers<T>(p * k), bars = numbers<T>(b * p);
  auto branch = zeros<T>(executor, b * k), trunk = zeros<T>(executor, p * k), y = zeros<T>(executor, b * p),
       branch_bar = zeros<T>(executor, b * k), trunk_bar = zeros<T>(executor, p * k),
       bias_bar = zeros<T>(executor, 1);
  const auto put = [&](const std::vector<T>& from, auto& to) {
    upload<T, 1>(executor, View<const T, 1>(from.data(), from.size()), View<T, 1>(to.data(), to.size()));
  };
  put(left, branch);
  put(right, trunk);
  put(bars, y);
  const View<T, 2> beta(branch.data(), b, k), beta_bar(branch_bar.data(), b, k);
  const View<T, 3> tau(trunk.data(), 1, p, k), tau_bar(trunk_bar.data(), 1, p, k), field(y.data(), b, p, 1);
  const View<T, 1> bias(bias_bar.data(), 1);
  const double limit = peak<T>(executor);
  for (auto _ : state) {
    if (back)
      basis_product_adjoint<T>(executor, beta, tau, field, beta_bar, false, tau_bar, false, bias);
    else
      basis_product<T>(executor, beta, tau, bias, field);
#if SOBOLEV_HAS_CUDA
    if constexpr (std::is_same_v<E, Cuda>) executor.synchronize();
#endif
  }
  report_flops(state, (back ? 4 : 2) * double(b * p) * double(k), limit);
}
[[maybe_unused]] const bool registered = [] {
  const auto add = [](const std::string& name, auto run, const auto& executor) {
    for (const bool back : {false, true})
      benchmark::RegisterBenchmark((name + (back ? "/backward" : "/forward")).c_str(), run, executor, back)
          ->Args({150, 100, 40})
          ->Args({64, 7225, 128})
          ->UseRealTime()
          ->Unit(benchmark::kMicrosecond);
  };
  add("basis_product/float", basis_product_bench<float, Cpu>, cpu());
#if SOBOLEV_HAS_CUDA
  on_cuda([&](const Cuda& cuda) { add("basis_product/float/cuda", basis_product_bench<float, Cuda>, cuda); });
#endif
  return true;
}();
}  // namespace
}  // namespace sobolev::bench
