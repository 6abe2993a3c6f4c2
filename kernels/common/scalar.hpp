// SPDX-License-Identifier: Apache-2.0
#pragma once
// simd.hpp and vector_math.hpp for a thread of a CUDA kernel: a vector of one lane, the functions by CUDA's
// own mathematics (at most 4 ulp each), but for sine, cosine and tangent. Code written against them serves
// both back ends.
#include <cmath>
#include <cstddef>
#include <utility>

#include "kernels/common/cuda.hpp"
#include "kernels/common/vector_math_tables.hpp"

#define SOBOLEV_INLINE __host__ __device__ __forceinline__
/// Before functions that are compiled out of line for the CPU.
#define SOBOLEV_DEVICE __device__ SOBOLEV_OUT_OF_LINE

namespace sobolev::SOBOLEV_TARGET {

template <class T>
using Vec = T;
template <class T>
using IntVec = bool;
template <class T>
inline constexpr int lanes = 1;

template <class T>
SOBOLEV_INLINE T load(const T* p) {
  return *p;
}
template <class T>
SOBOLEV_INLINE void store(T* p, T v) {
  *p = v;
}
template <class T>
SOBOLEV_INLINE T broadcast(T x) {
  return x;
}
template <class T>
SOBOLEV_INLINE T select(bool condition, T a, T b) {
  return condition ? a : b;
}

SOBOLEV_INLINE double raise(double x, double y) { return std::pow(x, y); }
template <class T>
SOBOLEV_INLINE T vsqrt(T x) {
  return std::sqrt(x);
}
template <class T>
SOBOLEV_INLINE T magnitude_of(T x) {
  return std::fabs(x);
}
template <class T>
SOBOLEV_INLINE T vexp(T x) {
  return std::exp(x);
}
template <class T>
SOBOLEV_INLINE T vexp_normal(T x) {
  return std::exp(x);
}
template <class T>
SOBOLEV_INLINE T vlog(T x) {
  return std::log(x);
}
template <class T>
SOBOLEV_INLINE T vtanh(T x) {
  return std::tanh(x);
}
template <class T>
SOBOLEV_INLINE T vsinh(T x) {
  return std::sinh(x);
}
template <class T>
SOBOLEV_INLINE T vcosh(T x) {
  return std::cosh(x);
}

/// name_of(x) = c[0] + c[1] x + … with the coefficients of a table as constants of the code.
#define SOBOLEV_POLYNOMIAL(name)                                                                    \
  template <class T, std::size_t... i>                                                              \
  SOBOLEV_INLINE T name##_terms(T x, std::index_sequence<i...>) {                                   \
    constexpr std::size_t n = sizeof...(i);                                                         \
    constexpr T c[n] = {MathTables<T>::name[i]...};                                                 \
    T y = c[n - 1];                                                                                 \
    for (std::size_t k = n - 1; k-- > 0;) y = y * x + c[k];                                         \
    return y;                                                                                       \
  }                                                                                                 \
  template <class T>                                                                                \
  SOBOLEV_INLINE T name##_of(T x) {                                                                 \
    return name##_terms<T>(x, std::make_index_sequence<sizeof(MathTables<T>::name) / sizeof(T)>{}); \
  }
SOBOLEV_POLYNOMIAL(sin_quarter)
SOBOLEV_POLYNOMIAL(cos_quarter)
#undef SOBOLEV_POLYNOMIAL

/// |x| − n π/2 and n mod 4. CUDA's own reduction of large arguments keeps an array in local memory, which
/// would give every kernel with a sine a stack frame.
template <class T>
SOBOLEV_INLINE int quarter_turns(T u, T& r) {
  constexpr T c0 = MathTables<T>::half_pi_fused[0], c1 = MathTables<T>::half_pi_fused[1],
              c2 = MathTables<T>::half_pi_fused[2];
  if (sizeof(T) == 4 && u > T(1e4)) {
    double rest = 0;
    const int n = quarter_turns<double>(double(u), rest);
    r = T(rest);
    return n;
  }
  const T n = std::rint(u * T(0.63661977236758134308));
  r = std::fma(-n, c2, std::fma(-n, c1, std::fma(-n, c0, u)));
  return int(static_cast<long long>(n) & 3);
}

/// At most 2.5 units in the last place up to 1e4 (float32: 1e9), an absolute error of eps up to 2^50; further
/// out 0 and 1. NaN for infinities.
template <class T>
SOBOLEV_INLINE void vsincos(T x, T& s, T& c) {
  const T u = std::fabs(x);
  if (!(u < T(1125899906842624.0))) {
    s = x - x;
    c = T(1) + (x - x);
    return;
  }
  T r = T(0);
  const int n = quarter_turns<T>(u, r);
  const T square = r * r;
  const T sine = (r * square) * sin_quarter_of<T>(square) + r;
  const T cosine = (square * square) * cos_quarter_of<T>(square) + (T(1) - T(0.5) * square);
  const T first = n % 2 == 0 ? sine : cosine, second = n % 2 == 0 ? cosine : sine;
  const T turned = (n & 2) != 0 ? -first : first;
  s = std::signbit(x) ? -turned : turned;
  c = n == 1 || n == 2 ? -second : second;
}
template <class T>
SOBOLEV_INLINE T vsin(T x) {
  T s, c;
  vsincos<T>(x, s, c);
  return s;
}
template <class T>
SOBOLEV_INLINE T vcos(T x) {
  T s, c;
  vsincos<T>(x, s, c);
  return c;
}
template <class T>
SOBOLEV_INLINE T vtan(T x) {
  T s, c;
  vsincos<T>(x, s, c);
  return s / c;
}
SOBOLEV_INLINE double sine(double x) { return vsin<double>(x); }
SOBOLEV_INLINE double cosine(double x) { return vcos<double>(x); }
template <class T>
SOBOLEV_INLINE T vatan(T x) {
  return std::atan(x);
}
template <class T>
SOBOLEV_INLINE T vasin(T x) {
  return std::asin(x);
}
template <class T>
SOBOLEV_INLINE T vacos(T x) {
  return std::acos(x);
}
template <class T>
SOBOLEV_INLINE T verf(T x) {
  return std::erf(x);
}
template <class T>
SOBOLEV_INLINE T verfc(T x) {
  return std::erfc(x);
}

}  // namespace sobolev::SOBOLEV_TARGET
