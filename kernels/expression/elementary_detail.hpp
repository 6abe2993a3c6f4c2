// SPDX-License-Identifier: Apache-2.0
#pragma once
// The unary operations on SIMD vectors: one table for elementary() and the tape.
#include "kernels/common/vector_math.hpp"
#include "sobolev/expression/expr.hpp"

namespace sobolev::SOBOLEV_TARGET {

/// -1, 0 or 1; zeros keep their sign, NaN stays.
template <class T>
SOBOLEV_INLINE Vec<T> vsign(Vec<T> v) {
  const Vec<T> one = broadcast<T>(T(1));
  return select<T>(v > Vec<T>{}, one, select<T>(v < Vec<T>{}, -one, v));
}
/// heaviside(v - w): 1, ½ where equal or NaN, 0.
template <class T>
SOBOLEV_INLINE Vec<T> vgreater(Vec<T> v, Vec<T> w) {
  return select<T>(v > w, broadcast<T>(T(1)), select<T>(v < w, Vec<T>{}, broadcast<T>(T(0.5))));
}
/// 0, ½ or 1; NaN gives ½.
template <class T>
SOBOLEV_INLINE Vec<T> vheaviside(Vec<T> v) {
  return vgreater<T>(v, Vec<T>{});
}
/// a^b by the C library in double, lane by lane.
template <class T>
SOBOLEV_INLINE Vec<T> vpow(Vec<T> a, Vec<T> b) {
  T s[lanes<T>], t[lanes<T>];
  store<T>(s, a);
  store<T>(t, b);
  for (int i = 0; i < lanes<T>; ++i) s[i] = T(raise(double(s[i]), double(t[i])));
  return load<T>(s);
}

/// a^c. The exponent stays in double: rounding it to float would cost eps·|c·log(a)|.
template <class T>
SOBOLEV_INLINE Vec<T> vpow_constant(Vec<T> a, double c) {
  T s[lanes<T>];
  store<T>(s, a);
  for (int i = 0; i < lanes<T>; ++i) s[i] = T(raise(double(s[i]), c));
  return load<T>(s);
}

/// f(g) where g computes the operation on a vector; nothing for an operation that is not unary.
template <class T, class F>
SOBOLEV_INLINE void with_unary(Op op, F&& f) {
  using V = Vec<T>;
  switch (op) {
    case Op::negate: return f([](V x) { return -x; });
    case Op::sine: return f([](V x) { return vsin<T>(x); });
    case Op::cosine: return f([](V x) { return vcos<T>(x); });
    case Op::tangent: return f([](V x) { return vtan<T>(x); });
    case Op::arcsine: return f([](V x) { return vasin<T>(x); });
    case Op::arccosine: return f([](V x) { return vacos<T>(x); });
    case Op::arctangent: return f([](V x) { return vatan<T>(x); });
    case Op::hyperbolic_sine: return f([](V x) { return vsinh<T>(x); });
    case Op::hyperbolic_cosine: return f([](V x) { return vcosh<T>(x); });
    case Op::hyperbolic_tangent: return f([](V x) { return vtanh<T>(x); });
    case Op::exponential: return f([](V x) { return vexp<T>(x); });
    case Op::logarithm: return f([](V x) { return vlog<T>(x); });
    case Op::square_root: return f([](V x) { return vsqrt<T>(x); });
    case Op::absolute: return f([](V x) { return magnitude_of<T>(x); });
    case Op::sign: return f([](V x) { return vsign<T>(x); });
    case Op::error_function: return f([](V x) { return verf<T>(x); });
    case Op::complementary_error_function: return f([](V x) { return verfc<T>(x); });
    case Op::heaviside: return f([](V x) { return vheaviside<T>(x); });
    default: return;
  }
}

}  // namespace sobolev::SOBOLEV_TARGET
