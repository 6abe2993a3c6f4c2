// SPDX-License-Identifier: Apache-2.0
// Normalisation of a field's channels: x twice and y forward, x and ȳ twice and x̄ backward.
#include "benchmarks/limits.hpp"
#include "sobolev/core/buffer_on.hpp"
#include "sobolev/operators/group_norm.hpp"

namespace sobolev::bench {
namespace {
template <class T, class E>
void group_norm_bench(benchmark::State& state, const E& executor, bool back) {
  const std::size_t b = 8, n = std::size_t(state.range(0)), c = std::size_t(state.range(1)), size = b * n * c;
  const std::vector<T> host = numbers<T>(size);
  auto x = zeros<T>(executor, size), y = zeros<T>(executor, size), x_bar = zeros<T>(executor, size),
       weight = zeros<T>(executor, c), w_bar = zeros<T>(executor, c), b_bar = zeros<T>(executor, c);
  auto statistics = zeros<double>(executor, b * 2),
       workspace = zeros<double>(executor, group_norm_workspace(b, c));
  upload<T, 1>(executor, View<const T, 1>(host.data(), size), View<T, 1>(x.data(), size));
  const View<const T, 1> weights(weight.data(), c);
  const View<double, 3> stats(statistics.data(), b, 1, 2);
  const View<T, 3> none(nullptr, 0, 0, 0), x_view(x.data(), b, n, c), y_view(y.data(), b, n, c);
  const double limit = copy_rate(size * sizeof(T));
  for (auto _ : state) {
    if (back)
      group_norm_adjoint<T>(executor, x_view, weights, stats, none, y_view, View<T, 3>(x_bar.data(), b, n, c),
                            false, View<T, 1>(w_bar.data(), c), View<T, 1>(b_bar.data(), c),
                            View<double, 1>(workspace.data(), workspace.size()));
    else
      group_norm<T>(executor, FieldActivation::identity, x_view, weights, weights, y_view, stats, none);
#if SOBOLEV_HAS_CUDA
    if constexpr (std::is_same_v<E, Cuda>) executor.synchronize();
#endif
  }
  report_bytes(state, (back ? 5 : 3) * double(size * sizeof(T)), limit);
}
[[maybe_unused]] const bool registered = [] {
  const auto add = [](const std::string& name, auto run, const auto& executor) {
    for (const bool back : {false, true})
      benchmark::RegisterBenchmark((name + (back ? "/backward" : "/forward")).c_str(), run, executor, back)
          ->Args({4096, 32})
          ->UseRealTime()
          ->Unit(benchmark::kMillisecond);
  };
  add("group_norm/float", group_norm_bench<float, Cpu>, cpu());
#if SOBOLEV_HAS_CUDA
  on_cuda([&](const Cuda& cuda) { add("group_norm/float/cuda", group_norm_bench<float, Cuda>, cuda); });
#endif
  return true;
}();
}  // namespace
}  // namespace sobolev::bench
