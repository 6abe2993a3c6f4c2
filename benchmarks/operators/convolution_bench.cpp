// SPDX-License-Identifier: Apache-2.0
// Convolutions of multigrid operators, forward and adjoint (x̄, W̄, b̄): 2·N'·w²·C·O FLOPs forward, twice that
// backward. The batch is 8.
#include "benchmarks/limits.hpp"
#include "sobolev/core/buffer_on.hpp"
#include "sobolev/operators/convolution.hpp"

namespace sobolev::bench {
namespace {
struct Work {
  const char* name;
  std::size_t side, channels;
  ConvolutionOptions options;
};
const std::vector<Work>& convolutions() {
  static const std::vector<Work> all{
      {"3x3/256", 256, 24, {}},         {"3x3/64", 64, 24, {}},
      {"3x3/16", 16, 24, {}},           {"3x3/64/periodic/32", 64, 32, {3, 1, 1, Boundary::periodic}},
      {"down/256", 256, 24, {3, 2, 1}}, {"up/128", 128, 24, {4, 2, 1, Boundary::zero, true}},
      {"1x1/256", 256, 24, {1, 1, 0}}};
  return all;
}

template <class T, class E>
void convolution_bench(benchmark::State& state, const E& executor, const Work& work, bool back) {
  constexpr std::size_t batch = 8;
  Convolution<T, E> plan(executor, {work.side, work.side}, work.options, work.channels, work.channels);
  const std::size_t c = work.channels, n = work.side * work.side,
                    m = plan.output_grid()[0] * plan.output_grid()[1], w = plan.weights();
  const std::vector<T> field = numbers<T>(batch * n * c), weights = numbers<T>(w);
  auto x = zeros<T>(executor, batch * n * c), y = zeros<T>(executor, batch * m * c),
       x_bar = zeros<T>(executor, batch * n * c), weight = zeros<T>(executor, w),
       w_bar = zeros<T>(executor, w), bias = zeros<T>(executor, c), b_bar = zeros<T>(executor, c);
  upload<T, 1>(executor, View<const T, 1>(field.data(), field.size()), View<T, 1>(x.data(), field.size()));
  upload<T, 1>(executor, View<const T, 1>(weights.data(), w), View<T, 1>(weight.data(), w));
  const View<T, 3> none(nullptr, 0, 0, 0), to(y.data(), batch, m, c);
  const View<const T, 3> from(x.data(), batch, n, c);
  const View<const T, 1> factors(weight.data(), w);
  const double limit = peak<T>(executor);
  for (auto _ : state) {
    if (back)
      plan.adjoint(from, factors, none, to, View<T, 3>(x_bar.data(), batch, n, c), false,
                   View<T, 1>(w_bar.data(), w), View<T, 1>(b_bar.data(), c));
    else
      plan.forward(FieldActivation::identity, from, factors, View<const T, 1>(bias.data(), c), none, to,
                   none);
#if SOBOLEV_HAS_CUDA
    if constexpr (std::is_same_v<E, Cuda>) executor.synchronize();
#endif
  }
  const double taps = double(w) / double(c * c), used = work.options.transposed ? taps / 4 : taps;
  report_flops(state, (back ? 4 : 2) * double(batch * m) * used * double(c * c), limit);
}

[[maybe_unused]] const bool registered = [] {
  const auto add = [](const auto& executor, const std::string& where) {
    using E = std::remove_cvref_t<decltype(executor)>;
    for (const Work& work : convolutions())
      for (const bool back : {false, true})
        benchmark::RegisterBenchmark(
            (std::string("convolution/") + work.name + (back ? "/backward" : "/forward") + where).c_str(),
            convolution_bench<float, E>, executor, work, back)
            ->UseRealTime()
            ->Unit(benchmark::kMillisecond);
  };
  add(cpu(), "");
#if SOBOLEV_HAS_CUDA
  on_cuda([&](const Cuda& cuda) { add(cuda, "/cuda"); });
#endif
  return true;
}();
}  // namespace
}  // namespace sobolev::bench
