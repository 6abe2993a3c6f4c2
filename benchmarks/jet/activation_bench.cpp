// SPDX-License-Identifier: Apache-2.0
// Activation jets of N points in the second-level cache, one thread. Bytes: forward 2·K·N·sizeof(T),
// backward 3·K·N·sizeof(T) and the value of y; per cent of a copy of the same size.
#include "benchmarks/limits.hpp"
#include "sobolev/jet/activation.hpp"

namespace sobolev::bench {
namespace {
template <class T>
void activation_bench(benchmark::State& state, T, Activation activation, bool backward) {
  const std::size_t n = 2048;
  MultiIndex t, xx;
  t.order[0] = 1;
  xx.order[1] = 2;
  const MultiIndex needed[] = {t, xx};
  const JetTerm heat[] = {{t, 1}, {xx, -0.5}};
  JetSpec spec = JetSpec::closure(2, needed);
  if (state.range(0)) spec = spec.collapse(heat);
  const std::size_t k = std::size_t(spec.channels());
  const std::vector<T> z = numbers<T>(k * n), y_bar = numbers<T>(k * n, 0.5);
  std::vector<T> y(k * n), z_bar(k * n);
  const View<const T, 2> in(z.data(), k, n);
  const View<T, 2> out(y.data(), k, n);
  activation_forward<T>(Cpu(1), activation, spec, in, out);
  const double bytes = double(sizeof(T) * n) * (backward ? 3.0 * double(k) + 1 : 2.0 * double(k));
  const double limit = copy_rate(std::size_t(bytes / 2));
  for (auto _ : state)
    if (backward)
      activation_backward<T>(Cpu(1), activation, spec, in, out, View<const T, 2>(y_bar.data(), k, n),
                             View<T, 2>(z_bar.data(), k, n));
    else
      activation_forward<T>(Cpu(1), activation, spec, in, out);
  report_bytes(state, bytes, limit);
  state.counters["s/point"] = benchmark::Counter(
      double(n), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
// Argument: 0 for {1, t, x, xx}, 1 for the collapsed {1, x, t - xx/2}.
#define SOBOLEV_ACTIVATION_BENCH(name)                                                          \
  BENCHMARK_CAPTURE(activation_bench, name##_forward_float, float(), Activation::name, false)   \
      ->Arg(0)                                                                                  \
      ->Arg(1);                                                                                 \
  BENCHMARK_CAPTURE(activation_bench, name##_backward_float, float(), Activation::name, true)   \
      ->Arg(0)                                                                                  \
      ->Arg(1);                                                                                 \
  BENCHMARK_CAPTURE(activation_bench, name##_forward_double, double(), Activation::name, false) \
      ->Arg(0)                                                                                  \
      ->Arg(1);                                                                                 \
  BENCHMARK_CAPTURE(activation_bench, name##_backward_double, double(), Activation::name, true) \
      ->Arg(0)                                                                                  \
      ->Arg(1);
SOBOLEV_ACTIVATION_BENCH(tanh)
SOBOLEV_ACTIVATION_BENCH(sin)
SOBOLEV_ACTIVATION_BENCH(gelu)
SOBOLEV_ACTIVATION_BENCH(swish)
SOBOLEV_ACTIVATION_BENCH(softplus)
#undef SOBOLEV_ACTIVATION_BENCH
}  // namespace
}  // namespace sobolev::bench
