// SPDX-License-Identifier: Apache-2.0
#pragma once
// Elementary functions on SIMD vectors: argument reduction, then a polynomial of tools/minimax.py.
// Error in units of the last place, zeros' signs, infinities, NaN and subnormal numbers: as
// tests/expression/elementary_test.cpp says. Rounding to an integer is by adding and subtracting
// 1.5 · 2^(mantissa bits); the integer is then in the low bits of the sum. Products and sums written
// as one expression become fused multiply-adds where there are such; nothing relies on it.
#if SOBOLEV_TARGET_cuda
#include "kernels/common/scalar.hpp"
#else
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "kernels/common/simd.hpp"
#include "kernels/common/vector_math_tables.hpp"

namespace sobolev::SOBOLEV_TARGET {

template <class T>
struct FloatFormat;
template <>
struct FloatFormat<float> {
  typedef std::uint32_t bits __attribute__((vector_size(simd_bytes)));
  static constexpr int mantissa_bits = 23, exponent_bias = 127;
  static constexpr float to_integer = 0x1.8p23f, smallest_normal = 0x1p-126f;
};
template <>
struct FloatFormat<double> {
  typedef std::uint64_t bits __attribute__((vector_size(simd_bytes)));
  static constexpr int mantissa_bits = 52, exponent_bias = 1023;
  static constexpr double to_integer = 0x1.8p52, smallest_normal = 0x1p-1022;
};

/// Unsigned, so that sums of bit patterns may wrap.
template <class T>
using Bits = typename FloatFormat<T>::bits;

template <class T>
SOBOLEV_INLINE Bits<T> bits_of(Vec<T> v) {
  return (Bits<T>)v;
}
template <class T>
SOBOLEV_INLINE Vec<T> from_bits(Bits<T> i) {
  return (Vec<T>)i;
}
template <class T>
SOBOLEV_INLINE Bits<T> sign_bits() {
  return bits_of<T>(broadcast<T>(T(-0.0)));
}
template <class T>
SOBOLEV_INLINE Bits<T> sign_of(Vec<T> v) {
  return bits_of<T>(v) & sign_bits<T>();
}
/// |v|, NaN stays NaN.
template <class T>
SOBOLEV_INLINE Vec<T> magnitude_of(Vec<T> v) {
  return from_bits<T>(bits_of<T>(v) & ~sign_bits<T>());
}

// min(v, bound) and max(v, bound) that keep NaN: the processor's instruction gives its second operand
// then. GCC 12 makes no such instruction of a comparison, and warns of the unmasked AVX-512 intrinsics.
template <class T>
SOBOLEV_INLINE Vec<T> at_most(Vec<T> v, T bound) {
  const Vec<T> b = broadcast<T>(bound);
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4)
    return _mm512_maskz_min_ps(0xffff, b, v);
  else
    return _mm512_maskz_min_pd(0xff, b, v);
#elif defined(__AVX2__)
  if constexpr (sizeof(T) == 4)
    return _mm256_min_ps(b, v);
  else
    return _mm256_min_pd(b, v);
#else
  return select<T>(v > b, b, v);
#endif
}
template <class T>
SOBOLEV_INLINE Vec<T> at_least(Vec<T> v, T bound) {
  const Vec<T> b = broadcast<T>(bound);
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4)
    return _mm512_maskz_max_ps(0xffff, b, v);
  else
    return _mm512_maskz_max_pd(0xff, b, v);
#elif defined(__AVX2__)
  if constexpr (sizeof(T) == 4)
    return _mm256_max_ps(b, v);
  else
    return _mm256_max_pd(b, v);
#else
  return select<T>(v < b, b, v);
#endif
}
template <class T>
SOBOLEV_INLINE Vec<T> vsqrt(Vec<T> v) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4)
    return _mm512_maskz_sqrt_ps(0xffff, v);
  else
    return _mm512_maskz_sqrt_pd(0xff, v);
#elif defined(__AVX2__)
  if constexpr (sizeof(T) == 4)
    return _mm256_sqrt_ps(v);
  else
    return _mm256_sqrt_pd(v);
#else
  T s[lanes<T>];
  store<T>(s, v);
  for (int i = 0; i < lanes<T>; ++i)
    s[i] = sizeof(T) == 4 ? T(__builtin_sqrtf(float(s[i]))) : T(__builtin_sqrt(double(s[i])));
  return load<T>(s);
#endif
}
/// Whether a lane is above the bound.
template <class T>
SOBOLEV_INLINE bool any_above(Vec<T> v, T bound) {
  const Vec<T> b = broadcast<T>(bound);
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4)
    return _mm512_cmp_ps_mask(v, b, _CMP_GT_OQ) != 0;
  else
    return _mm512_cmp_pd_mask(v, b, _CMP_GT_OQ) != 0;
#elif defined(__AVX2__)
  if constexpr (sizeof(T) == 4)
    return _mm256_movemask_ps(_mm256_cmp_ps(v, b, _CMP_GT_OQ)) != 0;
  else
    return _mm256_movemask_pd(_mm256_cmp_pd(v, b, _CMP_GT_OQ)) != 0;
#elif defined(__SSE2__)
  if constexpr (sizeof(T) == 4)
    return _mm_movemask_ps(_mm_cmpgt_ps(v, b)) != 0;
  else
    return _mm_movemask_pd(_mm_cmpgt_pd(v, b)) != 0;
#else
  bool any = false;
  for (int i = 0; i < lanes<T>; ++i) any |= v[i] > bound;
  return any;
#endif
}

/// c[i] + c[i + 1] x + … + c[n − 1] x^(n − 1 − i).
template <class T, int i = 0, int n>
SOBOLEV_INLINE Vec<T> polynomial(const T (&c)[n], Vec<T> x) {
  if constexpr (i == n - 1) {
    return broadcast<T>(c[i]);
  } else if constexpr (i == n - 2) {
    return c[i + 1] * x + c[i];
  } else {
    return polynomial<T, i + 1, n>(c, x) * x + c[i];
  }
}

/// x + x³ P(x²) with the table of an odd function.
template <class T, int n>
SOBOLEV_INLINE Vec<T> odd_polynomial(const T (&c)[n], Vec<T> x) {
  const Vec<T> square = x * x;
  return (x * square) * polynomial<T>(c, square) + x;
}

/// 2^n of an integer, given as n + FloatFormat::to_integer; n must be an exponent of a normal number.
template <class T>
SOBOLEV_INLINE Vec<T> power_of_two(Vec<T> shifted) {
  constexpr int m = FloatFormat<T>::mantissa_bits;
  const Vec<T> one = broadcast<T>(T(1));
  return from_bits<T>((bits_of<T>(shifted) << m) + bits_of<T>(one));
}

/// p · 2^n, n an integer; overflows and rounds to subnormal numbers as it should (|n| < 2 · bias).
template <class T>
SOBOLEV_INLINE Vec<T> scale_by_power(Vec<T> p, Vec<T> n) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) {
    return _mm512_maskz_scalef_ps(0xffff, p, n);
  } else {
    return _mm512_maskz_scalef_pd(0xff, p, n);
  }
#else
  constexpr T shift = FloatFormat<T>::to_integer;
  const Vec<T> half = n * T(0.5) + shift;
  const Vec<T> rest = n - (half - shift) + shift;
  return p * power_of_two<T>(half) * power_of_two<T>(rest);
#endif
}

/// 2^power exp(x + low), |low| far below 1; low is not looked at where have_low is false.
template <class T, bool have_low, int power = 0>
SOBOLEV_INLINE Vec<T> exp_sum(Vec<T> x, Vec<T> low) {
  using Tables = MathTables<T>;
  constexpr T shift = FloatFormat<T>::to_integer;
  constexpr T least = sizeof(T) == 4 ? T(-104) : T(-746), most = sizeof(T) == 4 ? T(90) : T(711);
  x = at_least<T>(at_most<T>(x, most), least);
  const Vec<T> n = (x * T(1.44269504088896340736) + shift) - shift;
  Vec<T> r = x - n * Tables::ln2[0];
  r = r - n * Tables::ln2[1];
  if constexpr (have_low) r += low;
  const Vec<T> tail = polynomial<T>(Tables::exp, r);
  return scale_by_power<T>((r * r) * tail + r + T(1), power == 0 ? n : n + T(power));
}

template <class T>
SOBOLEV_INLINE Vec<T> vexp(Vec<T> x) {
  return exp_sum<T, false>(x, x);
}
/// e^x where that is a normal number, and NaN of NaN; elsewhere anything.
template <class T>
SOBOLEV_INLINE Vec<T> vexp_normal(Vec<T> x) {
  using Tables = MathTables<T>;
  constexpr T shift = FloatFormat<T>::to_integer;
  const Vec<T> shifted = x * T(1.44269504088896340736) + shift, n = shifted - shift;
  Vec<T> r = x - n * Tables::ln2[0];
  r = r - n * Tables::ln2[1];
  return ((r * r) * polynomial<T>(Tables::exp, r) + r + T(1)) * power_of_two<T>(shifted);
}

/// With |x| = n ln2/2 + z, E = 2^n and tanh z = a/b: tanh |x| = ((E−1) b + (E+1) a)/((E+1) b + (E−1) a).
/// For n = 0 this is a/b exactly, so small arguments keep their relative accuracy.
template <class T>
SOBOLEV_INLINE Vec<T> vtanh(Vec<T> x) {
  using Tables = MathTables<T>;
  constexpr T shift = FloatFormat<T>::to_integer;
  const Vec<T> u = at_most<T>(magnitude_of<T>(x), sizeof(T) == 4 ? T(9.1) : T(19.1));
  const Vec<T> shifted = u * T(2.88539008177792681472) + shift;
  const Vec<T> z = u - (shifted - shift) * T(0.34657359027997265471);
  const Vec<T> square = z * z;
  const Vec<T> b = square * polynomial<T>(Tables::tanh_denominator, square) + T(1);
  const Vec<T> a = (z * square) * polynomial<T>(Tables::tanh_numerator, square) + z;
  const Vec<T> power = power_of_two<T>(shifted);
  const Vec<T> less = power - T(1), more = power + T(1);
  const Vec<T> y = (less * b + more * a) / (more * b + less * a);
  return from_bits<T>(bits_of<T>(y) | sign_of<T>(x));
}

/// sinh and cosh from h = e^|x|/2; near 0 sinh by its own polynomial.
template <class T>
SOBOLEV_INLINE Vec<T> vsinh(Vec<T> x) {
  const Vec<T> u = magnitude_of<T>(x);
  const Vec<T> small = odd_polynomial<T>(MathTables<T>::sinh, at_most<T>(u, T(1)));
  const Vec<T> h = exp_sum<T, false, -1>(u, u);
  const Vec<T> y = select<T>(u < T(1), small, h - T(0.25) / h);
  return from_bits<T>(bits_of<T>(y) | sign_of<T>(x));
}
template <class T>
SOBOLEV_INLINE Vec<T> vcosh(Vec<T> x) {
  const Vec<T> u = magnitude_of<T>(x), h = exp_sum<T, false, -1>(u, u);
  return h + T(0.25) / h;
}

#if defined(__FMA__) || defined(__aarch64__)
/// x − n c, rounded once: written out because the compiler fuses or not, by its level of optimisation.
template <class T>
SOBOLEV_INLINE Vec<T> subtract_product(Vec<T> x, Vec<T> n, T factor) {
#if defined(__AVX512F__)
  const Vec<T> c = broadcast<T>(factor);
  if constexpr (sizeof(T) == 4)
    return _mm512_fnmadd_ps(n, c, x);
  else
    return _mm512_fnmadd_pd(n, c, x);
#elif defined(__AVX2__)
  const Vec<T> c = broadcast<T>(factor);
  if constexpr (sizeof(T) == 4)
    return _mm256_fnmadd_ps(n, c, x);
  else
    return _mm256_fnmadd_pd(n, c, x);
#else
  T s[lanes<T>], t[lanes<T>];
  store<T>(s, x);
  store<T>(t, n);
  for (int i = 0; i < lanes<T>; ++i)
    s[i] = sizeof(T) == 4 ? T(__builtin_fmaf(float(-t[i]), float(factor), float(s[i])))
                          : T(__builtin_fma(double(-t[i]), double(factor), double(s[i])));
  return load<T>(s);
#endif
}
#endif
/// x − n π/2.
template <class T>
SOBOLEV_INLINE Vec<T> subtract_half_pi(Vec<T> x, Vec<T> n) {
  using Tables = MathTables<T>;
#if defined(__FMA__) || defined(__aarch64__)
  for (int i = 0; i < 3; ++i) x = subtract_product<T>(x, n, Tables::half_pi_fused[i]);
#else
  for (int i = 0; i < 4; ++i) x = x - n * Tables::half_pi[i];
#endif
  return x;
}
/// Up to here subtract_half_pi keeps relative accuracy; beyond, the C library is called.
template <class T>
#if defined(__FMA__) || defined(__aarch64__)
inline constexpr T sin_range = sizeof(T) == 4 ? T(1e5) : T(1e8);
#else
inline constexpr T sin_range = sizeof(T) == 4 ? T(1.2e4) : T(1e6);
#endif

template <class T>
__attribute__((noinline, cold)) void sin_per_lane(T* s, T* c) {
  for (int i = 0; i < lanes<T>; ++i) {
    const T x = s[i];
    s[i] = sizeof(T) == 4 ? T(__builtin_sinf(float(x))) : T(__builtin_sin(double(x)));
    c[i] = sizeof(T) == 4 ? T(__builtin_cosf(float(x))) : T(__builtin_cos(double(x)));
  }
}
template <class T>
SOBOLEV_INLINE void far_sincos(Vec<T> x, Vec<T>& s, Vec<T>& c) {
  T sine[lanes<T>], cosine[lanes<T>];
  store<T>(sine, x);
  sin_per_lane<T>(sine, cosine);
  s = load<T>(sine);
  c = load<T>(cosine);
}

/// sin r for |r| ≤ π/2, r or −r by the lowest bit of the integer.
template <class T>
SOBOLEV_INLINE Vec<T> sin_half(Vec<T> r, Bits<T> flip) {
  const Vec<T> y = odd_polynomial<T>(MathTables<T>::sin_half, r);
  return from_bits<T>(bits_of<T>(y) ^ flip);
}

/// |x| = n π + r: sin x = ± sin r.
template <class T>
SOBOLEV_INLINE Vec<T> vsin(Vec<T> x) {
  constexpr T shift = FloatFormat<T>::to_integer;
  constexpr int top = int(8 * sizeof(T) - 1);
  const Vec<T> u = magnitude_of<T>(x);
  if (__builtin_expect(any_above<T>(u, sin_range<T>), 0)) {
    Vec<T> s, c;
    far_sincos<T>(x, s, c);
    return s;
  }
  const Vec<T> shifted = u * T(0.31830988618379067154) + shift;
  const Vec<T> r = subtract_half_pi<T>(u, T(2) * (shifted - shift));
  return sin_half<T>(r, (bits_of<T>(shifted) << top) ^ sign_of<T>(x));
}

/// |x| = (n + ½) π + r: cos x = −(±sin r).
template <class T>
SOBOLEV_INLINE Vec<T> vcos(Vec<T> x) {
  constexpr T shift = FloatFormat<T>::to_integer;
  constexpr int top = int(8 * sizeof(T) - 1);
  const Vec<T> u = magnitude_of<T>(x);
  if (__builtin_expect(any_above<T>(u, sin_range<T>), 0)) {
    Vec<T> s, c;
    far_sincos<T>(x, s, c);
    return c;
  }
  const Vec<T> shifted = (u * T(0.31830988618379067154) - T(0.5)) + shift;
  const Vec<T> r = subtract_half_pi<T>(u, T(2) * (shifted - shift) + T(1));
  return sin_half<T>(r, (bits_of<T>(shifted) << top) ^ sign_bits<T>());
}

/// |x| = n π/2 + r: sin x and cos x are ± sin r and cos r, exchanged for odd n.
template <class T>
SOBOLEV_INLINE void vsincos(Vec<T> x, Vec<T>& s, Vec<T>& c) {
  using Tables = MathTables<T>;
  constexpr T shift = FloatFormat<T>::to_integer;
  constexpr int second = int(8 * sizeof(T) - 2);
  const Vec<T> u = magnitude_of<T>(x);
  if (__builtin_expect(any_above<T>(u, sin_range<T>), 0)) {
    far_sincos<T>(x, s, c);
    return;
  }
  const Vec<T> shifted = u * T(0.63661977236758134308) + shift;
  const Vec<T> r = subtract_half_pi<T>(u, shifted - shift);
  const Vec<T> square = r * r;
  const Vec<T> sine = odd_polynomial<T>(Tables::sin_quarter, r);
  const Vec<T> cosine =
      (square * square) * polynomial<T>(Tables::cos_quarter, square) + (T(1) - T(0.5) * square);
  const Bits<T> n = bits_of<T>(shifted);
  const IntVec<T> even = (n & 1) == 0;
  const Bits<T> sine_sign = ((n << second) & sign_bits<T>()) ^ sign_of<T>(x);
  const Bits<T> cosine_sign = ((n + 1) << second) & sign_bits<T>();
  s = from_bits<T>(bits_of<T>(select<T>(even, sine, cosine)) ^ sine_sign);
  c = from_bits<T>(bits_of<T>(select<T>(even, cosine, sine)) ^ cosine_sign);
}

template <class T>
SOBOLEV_INLINE Vec<T> vtan(Vec<T> x) {
  Vec<T> s, c;
  vsincos<T>(x, s, c);
  return s / c;
}

/// atan |x| = offset + atan t, |t| ≤ tan(π/8), with t = x, (x − 1)/(x + 1) or −1/x.
template <class T>
SOBOLEV_INLINE Vec<T> vatan(Vec<T> x) {
  const Vec<T> u = magnitude_of<T>(x), one = broadcast<T>(T(1));
  const IntVec<T> large = u > T(2.41421356237309504880), medium = u > T(0.41421356237309504880);
  const Vec<T> above = select<T>(large, -one, select<T>(medium, u - one, u));
  const Vec<T> below = select<T>(large, u, select<T>(medium, u + one, one));
  const Vec<T> offset = select<T>(large, broadcast<T>(T(1.57079632679489661923)),
                                  select<T>(medium, broadcast<T>(T(0.78539816339744830962)), Vec<T>{}));
  const Vec<T> y = odd_polynomial<T>(MathTables<T>::atan, above / below) + offset;
  return from_bits<T>(bits_of<T>(y) | sign_of<T>(x));
}

/// asin x for |x| ≤ ½; beyond, with t = √((1 − |x|)/2): asin |x| = π/2 − 2 asin t, acos |x| = 2 asin t.
template <class T>
SOBOLEV_INLINE Vec<T> vasin(Vec<T> x) {
  const Vec<T> u = magnitude_of<T>(x);
  const IntVec<T> far = u > T(0.5);
  const Vec<T> t = select<T>(far, vsqrt<T>(T(0.5) - T(0.5) * u), u);
  const Vec<T> a = odd_polynomial<T>(MathTables<T>::asin, t);
  const Vec<T> y = select<T>(far, T(1.57079632679489661923) - (a + a), a);
  return from_bits<T>(bits_of<T>(y) | sign_of<T>(x));
}
template <class T>
SOBOLEV_INLINE Vec<T> vacos(Vec<T> x) {
  const Vec<T> u = magnitude_of<T>(x);
  const IntVec<T> far = u > T(0.5), negative = x < Vec<T>{};
  const Vec<T> t = select<T>(far, vsqrt<T>(T(0.5) - T(0.5) * u), u);
  const Vec<T> a = odd_polynomial<T>(MathTables<T>::asin, t);
  const Vec<T> near = T(1.57079632679489661923) - from_bits<T>(bits_of<T>(a) ^ sign_of<T>(x));
  return select<T>(far, select<T>(negative, T(3.14159265358979323846) - (a + a), a + a), near);
}

/// With x = 2^k m, √½ ≤ m < √2, f = m − 1, s = f/(2 + f): log m = f − (f²/2 − s (f²/2 + s² P(s²))).
template <class T>
SOBOLEV_INLINE Vec<T> vlog(Vec<T> x) {
  using Format = FloatFormat<T>;
  using Tables = MathTables<T>;
  constexpr int m = Format::mantissa_bits;
  constexpr T raise = sizeof(T) == 4 ? T(0x1p25) : T(0x1p54);
  constexpr T raise_exponent = sizeof(T) == 4 ? T(25) : T(54);
  constexpr T two_to_m = T(1LL << m);
  const IntVec<T> small = x < Format::smallest_normal;
  const Vec<T> normal = select<T>(small, x * raise, x);
  // The exponent, biased, of m's range; as an integer in the low bits of 2^mantissa_bits it is read
  // as a floating-point number without a conversion, which AVX2 lacks for 64 bits.
  const Bits<T> root = bits_of<T>(broadcast<T>(T(0.70710678118654752440)));
  const Bits<T> one = bits_of<T>(broadcast<T>(T(1)));
  const Bits<T> exponent = (bits_of<T>(normal) - root + one) >> m;
  const Bits<T> whole = bits_of<T>(broadcast<T>(two_to_m)) | exponent;
  const Vec<T> k = from_bits<T>(whole) - (two_to_m + T(Format::exponent_bias)) -
                   select<T>(small, broadcast<T>(raise_exponent), Vec<T>{});
  const Vec<T> f = from_bits<T>(bits_of<T>(normal) - ((exponent << m) - one)) - T(1);
  const Vec<T> s = f / (f + T(2)), square = s * s;
  const Vec<T> half_square = T(0.5) * f * f;
  const Vec<T> inner = half_square + square * polynomial<T>(Tables::log, square);
  const Vec<T> log_m = f - (half_square - (s * inner + k * Tables::ln2[1]));
  Vec<T> y = k * Tables::ln2[0] + log_m;
  y = select<T>(x < T(__builtin_inf()), y, x);  // +inf and NaN stay
  y = select<T>(x < Vec<T>{}, broadcast<T>(T(__builtin_nan(""))), y);
  return select<T>(x == Vec<T>{}, broadcast<T>(T(-__builtin_inf())), y);
}

/// erfc u = exp(−u²) P((u − c)/(u + c))/(1 + 2u) for u ≥ 0 (Shepherd and Laframboise 1981).
template <class T>
SOBOLEV_INLINE Vec<T> erfc_positive(Vec<T> u) {
  using Tables = MathTables<T>;
  u = at_most<T>(u, Tables::erfc_end);
  // u² = high² + (u − high)(u + high), high² exact.
  constexpr int low_bits = (FloatFormat<T>::mantissa_bits + 2) / 2;
  const Vec<T> high = from_bits<T>((bits_of<T>(u) >> low_bits) << low_bits);
  const Vec<T> gauss = exp_sum<T, true>(-(high * high), (high - u) * (high + u));
  const Vec<T> t = (u - Tables::erfc_center) / (u + Tables::erfc_center);
  return gauss * (polynomial<T>(Tables::erfc, t) / (T(2) * u + T(1)));
}

/// erf u for 0 ≤ u ≤ 1.
template <class T>
SOBOLEV_INLINE Vec<T> erf_small(Vec<T> u) {
  return u * polynomial<T>(MathTables<T>::erf, u * u) + u;
}

template <class T>
SOBOLEV_INLINE Vec<T> verfc(Vec<T> x) {
  const Vec<T> u = magnitude_of<T>(x);
  const Vec<T> far = erfc_positive<T>(u);
  const Vec<T> y = select<T>(x < Vec<T>{}, T(2) - far, far);
  // Near 0 the result is close to 1 and the small erf loses nothing.
  const Vec<T> near = erf_small<T>(at_most<T>(u, T(0.5)));
  return select<T>(u < T(0.5), T(1) - from_bits<T>(bits_of<T>(near) ^ sign_of<T>(x)), y);
}

template <class T>
SOBOLEV_INLINE Vec<T> verf(Vec<T> x) {
  const Vec<T> u = magnitude_of<T>(x);
  const Vec<T> near = erf_small<T>(at_most<T>(u, T(1)));
  const Vec<T> y = select<T>(u < T(1), near, T(1) - erfc_positive<T>(u));
  return from_bits<T>(bits_of<T>(y) | sign_of<T>(x));
}

}  // namespace sobolev::SOBOLEV_TARGET
#endif
