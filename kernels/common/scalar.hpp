// SPDX-License-Identifier: Apache-2.0
#pragma once
// simd.hpp and vector_math.hpp for a thread of a CUDA kernel: a vector of one lane, the functions by CUDA's
// own mathematics (at most 4 ulp each). Code written against them serves both back ends.
#include <cmath>
#include <cstddef>

#include "kernels/common/cuda.hpp"

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

SOBOLEV_INLINE double sine(double x) { return std::sin(x); }
SOBOLEV_INLINE double cosine(double x) { return std::cos(x); }
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
template <class T>
SOBOLEV_INLINE T vsin(T x) {
  return std::sin(x);
}
template <class T>
SOBOLEV_INLINE T vcos(T x) {
  return std::cos(x);
}
template <class T>
SOBOLEV_INLINE void vsincos(T x, T& s, T& c) {
  s = std::sin(x);
  c = std::cos(x);
}
template <class T>
SOBOLEV_INLINE T vtan(T x) {
  return std::tan(x);
}
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
