// SPDX-License-Identifier: Apache-2.0
// y = tape(x), forward and reverse, a SIMD vector of points at a time.    x : [inputs, N], y : [outputs, N]
// One dispatch per instruction and tile, then a loop over the tile's points; registers stay in the
// first- or second-level cache. Per instruction and point 3 loads/stores of sizeof(T): bound by those,
// a hundredth of a network layer's work.
#include "sobolev/expression/tape.hpp"

#include "kernels/expression/elementary_detail.hpp"
#include "kernels/expression/tape_tile.hpp"

namespace sobolev::SOBOLEV_TARGET {
namespace {
template <class T>
constexpr T two_over_root_pi = T(1.12837916709551257390);

/// The operation of an instruction that has one operand and no constant.
constexpr Op unary_operation(TapeOp op) { return Op(int(op) - int(TapeOp::negate) + int(Op::negate)); }
static_assert(unary_operation(TapeOp::heaviside) == Op::heaviside,
              "Op and TapeOp list the same unary operations");

/// out = f(a) over the tile.
template <class T, class F>
SOBOLEV_INLINE void map(T* out, const T* a, int n, F f) {
  for (int i = 0; i < n; i += lanes<T>) store<T>(out + i, f(load<T>(a + i)));
}
template <class T, class F>
SOBOLEV_INLINE void map(T* out, const T* a, const T* b, int n, F f) {
  for (int i = 0; i < n; i += lanes<T>) store<T>(out + i, f(load<T>(a + i), load<T>(b + i)));
}
/// a_bar += slope(a, y) · y_bar.
template <class T, class F>
SOBOLEV_INLINE void pull(T* a_bar, const T* a, const T* y, const T* y_bar, int n, F slope) {
  for (int i = 0; i < n; i += lanes<T>)
    store<T>(a_bar + i, load<T>(a_bar + i) + slope(load<T>(a + i), load<T>(y + i)) * load<T>(y_bar + i));
}
/// The same for one operand of two.
template <class T, class F>
SOBOLEV_INLINE void pull(T* to_bar, const T* a, const T* b, const T* y, const T* y_bar, int n, F slope) {
  for (int i = 0; i < n; i += lanes<T>)
    store<T>(to_bar + i, load<T>(to_bar + i) +
                             slope(load<T>(a + i), load<T>(b + i), load<T>(y + i)) * load<T>(y_bar + i));
}
}  // namespace

template <class T>
void tape_forward_tile(const detail::TapeView& tape, T* registers, int stride, int n) {
  using V = Vec<T>;
  for (std::int32_t k = 0; k < tape.instruction_count; ++k) {
    const TapeInstruction& op = tape.instructions[k];
    T* y = registers + std::size_t(tape.inputs + k) * std::size_t(stride);
    const T* a = registers + std::size_t(op.a < 0 ? 0 : op.a) * std::size_t(stride);
    const T* b = registers + std::size_t(op.b < 0 ? 0 : op.b) * std::size_t(stride);
    const V c = broadcast<T>(T(op.c));
    switch (op.op) {
      case TapeOp::constant: map<T>(y, a, n, [=](V) { return c; }); break;
      case TapeOp::add: map<T>(y, a, b, n, [](V x, V z) { return x + z; }); break;
      case TapeOp::subtract: map<T>(y, a, b, n, [](V x, V z) { return x - z; }); break;
      case TapeOp::multiply: map<T>(y, a, b, n, [](V x, V z) { return x * z; }); break;
      case TapeOp::divide: map<T>(y, a, b, n, [](V x, V z) { return x / z; }); break;
      case TapeOp::power: map<T>(y, a, b, n, [](V x, V z) { return vpow<T>(x, z); }); break;
      case TapeOp::minimum: map<T>(y, a, b, n, [](V x, V z) { return select<T>(x < z, x, z); }); break;
      case TapeOp::maximum: map<T>(y, a, b, n, [](V x, V z) { return select<T>(x > z, x, z); }); break;
      case TapeOp::add_constant: map<T>(y, a, n, [=](V x) { return x + c; }); break;
      case TapeOp::subtract_from_constant: map<T>(y, a, n, [=](V x) { return c - x; }); break;
      case TapeOp::multiply_constant: map<T>(y, a, n, [=](V x) { return x * c; }); break;
      case TapeOp::divide_constant_by: map<T>(y, a, n, [=](V x) { return c / x; }); break;
      case TapeOp::power_constant: map<T>(y, a, n, [&](V x) { return vpow<T>(x, op.c); }); break;
      case TapeOp::square: map<T>(y, a, n, [](V x) { return x * x; }); break;
      case TapeOp::cube: map<T>(y, a, n, [](V x) { return x * x * x; }); break;
      default: with_unary<T>(unary_operation(op.op), [=](auto f) { map<T>(y, a, n, f); });
    }
  }
}

template <class T>
void tape_reverse_tile(const detail::TapeView& tape, const T* registers, T* adjoints, int stride, int n) {
  using V = Vec<T>;
  const V one = broadcast<T>(T(1));
  for (std::int32_t k = tape.instruction_count; k-- > 0;) {
    const TapeInstruction& op = tape.instructions[k];
    const std::size_t at_a = std::size_t(op.a < 0 ? 0 : op.a) * std::size_t(stride);
    const std::size_t at_b = std::size_t(op.b < 0 ? 0 : op.b) * std::size_t(stride);
    const std::size_t at_y = std::size_t(tape.inputs + k) * std::size_t(stride);
    const T *a = registers + at_a, *b = registers + at_b, *y = registers + at_y;
    T *a_bar = adjoints + at_a, *b_bar = adjoints + at_b;
    const T* y_bar = adjoints + at_y;
    const V c = broadcast<T>(T(op.c));
    switch (op.op) {
      case TapeOp::constant:
      case TapeOp::sign:
      case TapeOp::heaviside: break;
      case TapeOp::add:
        pull<T>(a_bar, a, y, y_bar, n, [=](V, V) { return one; });
        pull<T>(b_bar, b, y, y_bar, n, [=](V, V) { return one; });
        break;
      case TapeOp::subtract:
        pull<T>(a_bar, a, y, y_bar, n, [=](V, V) { return one; });
        pull<T>(b_bar, b, y, y_bar, n, [=](V, V) { return -one; });
        break;
      case TapeOp::multiply:
        pull<T>(a_bar, a, b, y, y_bar, n, [](V, V z, V) { return z; });
        pull<T>(b_bar, a, b, y, y_bar, n, [](V x, V, V) { return x; });
        break;
      case TapeOp::divide:
        pull<T>(a_bar, a, b, y, y_bar, n, [=](V, V z, V) { return one / z; });
        pull<T>(b_bar, a, b, y, y_bar, n, [](V, V z, V v) { return -v / z; });
        break;
      case TapeOp::power:
        pull<T>(a_bar, a, b, y, y_bar, n, [=](V x, V z, V) { return z * vpow<T>(x, z - one); });
        pull<T>(b_bar, a, b, y, y_bar, n,
                [](V x, V, V v) { return select<T>(v == V{}, V{}, v * vlog<T>(x)); });
        break;
      case TapeOp::minimum:
        pull<T>(a_bar, a, b, y, y_bar, n, [](V x, V z, V) { return vgreater<T>(z, x); });
        pull<T>(b_bar, a, b, y, y_bar, n, [](V x, V z, V) { return vgreater<T>(x, z); });
        break;
      case TapeOp::maximum:
        pull<T>(a_bar, a, b, y, y_bar, n, [](V x, V z, V) { return vgreater<T>(x, z); });
        pull<T>(b_bar, a, b, y, y_bar, n, [](V x, V z, V) { return vgreater<T>(z, x); });
        break;
      case TapeOp::add_constant: pull<T>(a_bar, a, y, y_bar, n, [=](V, V) { return one; }); break;
      case TapeOp::subtract_from_constant:
      case TapeOp::negate: pull<T>(a_bar, a, y, y_bar, n, [=](V, V) { return -one; }); break;
      case TapeOp::multiply_constant: pull<T>(a_bar, a, y, y_bar, n, [=](V, V) { return c; }); break;
      case TapeOp::divide_constant_by: pull<T>(a_bar, a, y, y_bar, n, [](V x, V v) { return -v / x; }); break;
      case TapeOp::power_constant:
        pull<T>(a_bar, a, y, y_bar, n, [&](V x, V) { return c * vpow<T>(x, op.c - 1); });
        break;
      case TapeOp::square: pull<T>(a_bar, a, y, y_bar, n, [](V x, V) { return x + x; }); break;
      case TapeOp::cube: pull<T>(a_bar, a, y, y_bar, n, [](V x, V) { return T(3) * x * x; }); break;
      case TapeOp::sine: pull<T>(a_bar, a, y, y_bar, n, [](V x, V) { return vcos<T>(x); }); break;
      case TapeOp::cosine: pull<T>(a_bar, a, y, y_bar, n, [](V x, V) { return -vsin<T>(x); }); break;
      case TapeOp::tangent: pull<T>(a_bar, a, y, y_bar, n, [=](V, V v) { return one + v * v; }); break;
      case TapeOp::arcsine:
        pull<T>(a_bar, a, y, y_bar, n, [=](V x, V) { return one / vsqrt<T>((one - x) * (one + x)); });
        break;
      case TapeOp::arccosine:
        pull<T>(a_bar, a, y, y_bar, n, [=](V x, V) { return -one / vsqrt<T>((one - x) * (one + x)); });
        break;
      case TapeOp::arctangent:
        pull<T>(a_bar, a, y, y_bar, n, [=](V x, V) { return one / (one + x * x); });
        break;
      case TapeOp::hyperbolic_sine: pull<T>(a_bar, a, y, y_bar, n, [](V x, V) { return vcosh<T>(x); }); break;
      case TapeOp::hyperbolic_cosine:
        pull<T>(a_bar, a, y, y_bar, n, [](V x, V) { return vsinh<T>(x); });
        break;
      case TapeOp::hyperbolic_tangent:
        pull<T>(a_bar, a, y, y_bar, n, [=](V, V v) { return one - v * v; });
        break;
      case TapeOp::exponential: pull<T>(a_bar, a, y, y_bar, n, [](V, V v) { return v; }); break;
      case TapeOp::logarithm: pull<T>(a_bar, a, y, y_bar, n, [=](V x, V) { return one / x; }); break;
      case TapeOp::square_root: pull<T>(a_bar, a, y, y_bar, n, [](V, V v) { return T(0.5) / v; }); break;
      case TapeOp::absolute: pull<T>(a_bar, a, y, y_bar, n, [](V x, V) { return vsign<T>(x); }); break;
      case TapeOp::error_function:
        pull<T>(a_bar, a, y, y_bar, n, [](V x, V) { return two_over_root_pi<T> * vexp<T>(-x * x); });
        break;
      case TapeOp::complementary_error_function:
        pull<T>(a_bar, a, y, y_bar, n, [](V x, V) { return -two_over_root_pi<T> * vexp<T>(-x * x); });
        break;
    }
  }
}

template void tape_forward_tile<float>(const detail::TapeView&, float*, int, int);
template void tape_forward_tile<double>(const detail::TapeView&, double*, int, int);
template void tape_reverse_tile<float>(const detail::TapeView&, const float*, float*, int, int);
template void tape_reverse_tile<double>(const detail::TapeView&, const double*, double*, int, int);
}  // namespace sobolev::SOBOLEV_TARGET

#if SOBOLEV_DISPATCHER
#include <fmt/format.h>
#include <omp.h>

#include <algorithm>

#include "sobolev/core/buffer.hpp"
#include "sobolev/core/error.hpp"

namespace sobolev {
namespace {
constexpr std::size_t tile = 64;

template <class T>
void check_shapes(const Tape& tape, View<const T, 2> x, View<const T, 2> y) {
  if (x.extent(0) == std::size_t(tape.inputs) && y.extent(0) == tape.outputs.size() &&
      x.extent(1) == y.extent(1))
    return;
  throw ArgumentError(
      fmt::format("tape: x is [{}, {}] and y is [{}, {}] but the tape has {} inputs and {} outputs",
                  x.extent(0), x.extent(1), y.extent(0), y.extent(1), tape.inputs, tape.outputs.size()));
}

/// The inputs of points first … first + count − 1; the padding repeats the last point.
template <class T>
void load_inputs(View<const T, 2> x, std::size_t first, std::size_t count, T* registers) {
  for (std::size_t i = 0; i < x.extent(0); ++i)
    for (std::size_t p = 0; p < tile; ++p)
      registers[i * tile + p] = x.data()[i * x.extent(1) + first + std::min(p, count - 1)];
}
}  // namespace

template <class T>
void tape_forward(const Cpu& cpu, const Tape& tape, View<const T, 2> x, View<T, 2> y) {
  check_shapes<T>(tape, x, y);
  const detail::TapeView view(tape);
  const std::size_t n = x.extent(1), size = std::size_t(std::max(1, tape.registers())) * tile;
  Buffer<T> memory(size * std::size_t(cpu.threads()));
#pragma omp parallel for num_threads(cpu.threads()) schedule(static) if (n > tile)
  for (std::size_t first = 0; first < n; first += tile) {
    T* registers = memory.data() + size * std::size_t(omp_get_thread_num());
    const std::size_t count = std::min(tile, n - first);
    load_inputs<T>(x, first, count, registers);
    SOBOLEV_CALL(tape_forward_tile<T>, view, registers, int(tile), int(count));
    for (std::size_t o = 0; o < tape.outputs.size(); ++o)
      std::copy_n(registers + std::size_t(tape.outputs[o]) * tile, count, y.data() + o * n + first);
  }
}

template <class T>
void tape_reverse(const Cpu& cpu, const Tape& tape, View<const T, 2> x, View<const T, 2> y_bar, View<T, 2> y,
                  View<T, 2> x_bar) {
  check_shapes<T>(tape, x, y);
  require(y_bar.shape() == y.shape() && x_bar.shape() == x.shape(),
          "tape: adjoints must have the shapes of x and y");
  const detail::TapeView view(tape);
  const std::size_t n = x.extent(1), size = std::size_t(std::max(1, tape.registers())) * tile;
  Buffer<T> memory(2 * size * std::size_t(cpu.threads()));
#pragma omp parallel for num_threads(cpu.threads()) schedule(static) if (n > tile)
  for (std::size_t first = 0; first < n; first += tile) {
    T* registers = memory.data() + 2 * size * std::size_t(omp_get_thread_num());
    T* adjoints = registers + size;
    const std::size_t count = std::min(tile, n - first);
    load_inputs<T>(x, first, count, registers);
    SOBOLEV_CALL(tape_forward_tile<T>, view, registers, int(tile), int(count));
    std::fill_n(adjoints, size, T(0));
    for (std::size_t o = 0; o < tape.outputs.size(); ++o) {
      const std::size_t row = std::size_t(tape.outputs[o]) * tile;
      std::copy_n(registers + row, count, y.data() + o * n + first);
      for (std::size_t p = 0; p < count; ++p) adjoints[row + p] += y_bar.data()[o * n + first + p];
    }
    SOBOLEV_CALL(tape_reverse_tile<T>, view, registers, adjoints, int(tile), int(count));
    for (std::size_t i = 0; i < x.extent(0); ++i)
      std::copy_n(adjoints + i * tile, count, x_bar.data() + i * n + first);
  }
}

template void tape_forward<float>(const Cpu&, const Tape&, View<const float, 2>, View<float, 2>);
template void tape_forward<double>(const Cpu&, const Tape&, View<const double, 2>, View<double, 2>);
template void tape_reverse<float>(const Cpu&, const Tape&, View<const float, 2>, View<const float, 2>,
                                  View<float, 2>, View<float, 2>);
template void tape_reverse<double>(const Cpu&, const Tape&, View<const double, 2>, View<const double, 2>,
                                   View<double, 2>, View<double, 2>);
}  // namespace sobolev
#endif
