// SPDX-License-Identifier: Apache-2.0
#pragma once
// The interpreter of a tape, forward and reverse, on n points: on the CPU a SIMD vector at a time, on a
// device by each thread for its own point (n = 1).
#include "kernels/expression/elementary_detail.hpp"
#include "kernels/expression/tape_view.hpp"

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

/// registers : [inputs + instructions, stride], the inputs' rows filled.
template <class T>
SOBOLEV_DEVICE void tape_forward_tile(const detail::TapeView& tape, T* registers, int stride, int n) {
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
      case TapeOp::power_constant: map<T>(y, a, n, [&](V x) { return vpow_constant<T>(x, op.c); }); break;
      case TapeOp::square: map<T>(y, a, n, [](V x) { return x * x; }); break;
      case TapeOp::cube: map<T>(y, a, n, [](V x) { return x * x * x; }); break;
      default: with_unary<T>(unary_operation(op.op), [=](auto f) { map<T>(y, a, n, f); });
    }
  }
}

/// adjoints has the registers' shape, cleared but for the seeds in the outputs' rows.
template <class T>
SOBOLEV_DEVICE void tape_reverse_tile(const detail::TapeView& tape, const T* registers, T* adjoints,
                                      int stride, int n) {
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
        pull<T>(a_bar, a, y, y_bar, n, [&](V x, V) { return c * vpow_constant<T>(x, op.c - 1); });
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

}  // namespace sobolev::SOBOLEV_TARGET
