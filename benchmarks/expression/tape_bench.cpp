// SPDX-License-Identifier: Apache-2.0
// The tape of an equation on tiles of points in the cache, one thread. Forward reads two values of T and
// writes one per instruction and point; forward and reverse together are counted as nine. A copy reads no
// more than it writes, so a tape of cheap instructions may exceed 100 per cent of its rate.
#include <algorithm>
#include <array>

#include "benchmarks/limits.hpp"
#include "kernels/expression/tape_tile.hpp"
#include "sobolev/core/buffer.hpp"
#include "sobolev/expression/parse.hpp"
#include "sobolev/expression/tape.hpp"

namespace sobolev::bench {
namespace {
/// Arithmetic only, and with transcendental functions.
constexpr std::array texts{
    "u_t + u*u_x - 0.01*u_xx + 5*u^3 - 5*u + u*(u_x - u_t)*(u_xx + u) - u_x^2*u_xx/(1 + u^2)",
    "u_t - 0.1*u_xx + sin(pi*x)*exp(-t)*tanh(u) - cos(u_x*x) + log(1 + u^2)"};

Tape tape_of(const char* text) {
  const Expr e = parse_expression(text, {{"t", "x"}, {"u"}, {}});
  const std::span<const Expr> one(&e, 1);
  std::vector<Expr> inputs = fields_of(one);
  for (Expr c : coordinates_of(one)) inputs.push_back(c);
  return compile(one, inputs);
}

template <class T>
void tape_bench(benchmark::State& state, bool reverse) {
  const Tape tape = tape_of(texts[std::size_t(state.range(0))]);
  const int n = int(state.range(1)), stride = 64;
  const std::size_t size = std::size_t(tape.registers()) * std::size_t(stride);
  Buffer<T> registers(size), adjoints(size);
  const std::vector<T> data = numbers<T>(size);
  std::copy(data.begin(), data.end(), registers.begin());
  const detail::TapeView view(tape);
  const double limit = copy_rate(size * sizeof(T));
  for (auto _ : state) {
    SOBOLEV_CALL(tape_forward_tile<T>, view, registers.data(), stride, n);
    if (reverse) {
      std::fill(adjoints.begin(), adjoints.end(), T(0));
      std::fill_n(adjoints.data() + std::size_t(tape.outputs[0]) * std::size_t(stride), n, T(1));
      SOBOLEV_CALL(tape_reverse_tile<T>, view, registers.data(), adjoints.data(), stride, n);
    }
    benchmark::ClobberMemory();
  }
  const double work = double(tape.instructions.size()) * n;
  state.counters["instructions"] = double(tape.instructions.size());
  state.counters["ns/instruction/point"] = benchmark::Counter(
      work * 1e-9, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
  report_bytes(state, (reverse ? 9.0 : 3.0) * work * sizeof(T), limit);
}
constexpr auto tape_float = tape_bench<float>;
constexpr auto tape_double = tape_bench<double>;
BENCHMARK_CAPTURE(tape_float, forward, false)->ArgsProduct({{0, 1}, {32, 64}});
BENCHMARK_CAPTURE(tape_double, forward, false)->ArgsProduct({{0, 1}, {32, 64}});
BENCHMARK_CAPTURE(tape_float, reverse, true)->ArgsProduct({{0, 1}, {32, 64}});
BENCHMARK_CAPTURE(tape_double, reverse, true)->ArgsProduct({{0, 1}, {32, 64}});
}  // namespace
}  // namespace sobolev::bench
