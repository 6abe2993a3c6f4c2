// SPDX-License-Identifier: Apache-2.0
// Elementary functions on an array in the first-level cache, one thread.
#include "benchmarks/limits.hpp"
#include "sobolev/expression/elementary.hpp"

namespace sobolev::bench {
namespace {
template <class T>
void elementary_bench(benchmark::State& state, Op op, double scale, double shift) {
  const std::size_t n = 1024;
  std::vector<T> x = numbers<T>(n, scale), y(n);
  for (T& v : x) v += T(shift);
  const double limit = copy_rate(n * sizeof(T));
  const Cpu one(1);
  for (auto _ : state) {
    elementary<T>(one, op, View<const T, 1>(x.data(), n), View<T, 1>(y.data(), n));
    benchmark::DoNotOptimize(y.data());
    benchmark::ClobberMemory();
  }
  state.counters["ns/element"] = benchmark::Counter(
      double(n) * 1e-9, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
  report_bytes(state, 2.0 * double(n * sizeof(T)), limit);
}
constexpr auto elementary_float = elementary_bench<float>;
constexpr auto elementary_double = elementary_bench<double>;
#define SOBOLEV_BENCH(name, op, scale, shift)                  \
  BENCHMARK_CAPTURE(elementary_float, name, op, scale, shift); \
  BENCHMARK_CAPTURE(elementary_double, name, op, scale, shift)
SOBOLEV_BENCH(tanh, Op::hyperbolic_tangent, 4, 0);
SOBOLEV_BENCH(exp, Op::exponential, 10, 0);
SOBOLEV_BENCH(sin, Op::sine, 10, 0);
SOBOLEV_BENCH(cos, Op::cosine, 10, 0);
SOBOLEV_BENCH(log, Op::logarithm, 9, 10);
SOBOLEV_BENCH(erf, Op::error_function, 3, 0);
SOBOLEV_BENCH(erfc, Op::complementary_error_function, 3, 0);
SOBOLEV_BENCH(sinh, Op::hyperbolic_sine, 4, 0);
SOBOLEV_BENCH(atan, Op::arctangent, 4, 0);
SOBOLEV_BENCH(tan, Op::tangent, 10, 0);
SOBOLEV_BENCH(sqrt, Op::square_root, 4, 5);
#undef SOBOLEV_BENCH
}  // namespace
}  // namespace sobolev::bench
