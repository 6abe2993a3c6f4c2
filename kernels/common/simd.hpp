// SPDX-License-Identifier: Apache-2.0
#pragma once
// The SIMD vocabulary of the kernels: GCC/clang vector extensions of the register width of the
// instruction set that the including file is compiled for. Both compilers keep arrays of these in
// registers, which they do not do for a class that wraps them.
#if SOBOLEV_TARGET_cuda
#include "kernels/common/scalar.hpp"
#else
#include <cstddef>
#include <cstdint>
#include <cstring>

#define SOBOLEV_INLINE inline __attribute__((always_inline))
#define SOBOLEV_DEVICE

namespace sobolev::SOBOLEV_TARGET {

#if defined(__AVX512F__)
inline constexpr int simd_bytes = 64;
inline constexpr int simd_registers = 32;
#elif defined(__AVX2__)
inline constexpr int simd_bytes = 32;
inline constexpr int simd_registers = 16;
#elif defined(__aarch64__)
inline constexpr int simd_bytes = 16;
inline constexpr int simd_registers = 32;
#else
inline constexpr int simd_bytes = 16;
inline constexpr int simd_registers = 16;
#endif

template <class T>
struct simd_types;
template <>
struct simd_types<float> {
  typedef float vector __attribute__((vector_size(simd_bytes)));
  typedef std::int32_t mask __attribute__((vector_size(simd_bytes)));
};
template <>
struct simd_types<double> {
  typedef double vector __attribute__((vector_size(simd_bytes)));
  typedef std::int64_t mask __attribute__((vector_size(simd_bytes)));
};
/// lanes<T> values of T in a register.
template <class T>
using Vec = typename simd_types<T>::vector;
/// Signed integers of the same width; comparisons give -1 (true) or 0 per lane.
template <class T>
using IntVec = typename simd_types<T>::mask;
template <class T>
inline constexpr int lanes = simd_bytes / int(sizeof(T));

/// n elements of T rounded up to whole cache lines of 64 bytes.
template <class T, class N>
constexpr N whole_lines(N n) {
  constexpr N unit = N(64 / sizeof(T));
  return (n + unit - 1) / unit * unit;
}

/// Unaligned load and store.
template <class T>
SOBOLEV_INLINE Vec<T> load(const T* p) {
  Vec<T> v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
template <class T>
SOBOLEV_INLINE void store(T* p, Vec<T> v) {
  __builtin_memcpy(p, &v, sizeof v);
}
/// The first `room` lanes of a vector.
template <class T>
SOBOLEV_INLINE void store_part(T* to, Vec<T> value, int room) {
  if (room >= lanes<T>)
    store<T>(to, value);
  else
    __builtin_memcpy(to, &value, std::size_t(room) * sizeof(T));
}
/// The first `room` lanes from memory, 0 in the others.
template <class T>
SOBOLEV_INLINE Vec<T> load_part(const T* p, int room) {
  if (room >= lanes<T>) return load<T>(p);
  Vec<T> v{};
  __builtin_memcpy(&v, p, std::size_t(room) * sizeof(T));
  return v;
}
template <class T>
SOBOLEV_INLINE Vec<T> broadcast(T x) {
  return x - Vec<T>{};  // exact for every x, -0 and NaN included
}
/// condition ? a : b per lane.
template <class T>
SOBOLEV_INLINE Vec<T> select(IntVec<T> condition, Vec<T> a, Vec<T> b) {
  return condition ? a : b;
}
/// The sum of the lanes, in the order of a binary tree.
template <class T>
SOBOLEV_INLINE T sum_lanes(Vec<T> v) {
  T s[lanes<T>];
  store<T>(s, v);
  for (int n = lanes<T> / 2; n > 0; n /= 2)
    for (int i = 0; i < n; ++i) s[i] += s[i + n];
  return s[0];
}

SOBOLEV_INLINE double sine(double x) { return __builtin_sin(x); }
SOBOLEV_INLINE double cosine(double x) { return __builtin_cos(x); }
SOBOLEV_INLINE double raise(double x, double y) { return __builtin_pow(x, y); }
SOBOLEV_INLINE double square_root(double x) { return __builtin_sqrt(x); }
SOBOLEV_INLINE float square_root(float x) { return __builtin_sqrtf(x); }

}  // namespace sobolev::SOBOLEV_TARGET
#endif
