// SPDX-License-Identifier: Apache-2.0
#pragma once
// GELU(z) = z Φ(z) and GELU'(z) = Φ(z) + z φ(z) from one exponential: with u = |z|/√2, erfc u = exp(−u²)
// P(t)/(1 + 2u) (vector_math.hpp), so Φ(−|z|) = erfc(u)/2 and φ(z) = exp(−u²)/√(2π). Error: 4 eps (1 + |z|).
#include "kernels/common/vector_math.hpp"

namespace sobolev::SOBOLEV_TARGET {

template <class T>
SOBOLEV_INLINE void gelu_and_slope(Vec<T> z, Vec<T>& y, Vec<T>& slope) {
  const T root_half = T(0.70710678118654752440), density = T(0.39894228040143267794);
#if SOBOLEV_TARGET_cuda
  const T tail = T(0.5) * std::erfc(std::fabs(z) * root_half), gauss = std::exp(T(-0.5) * z * z);
#else
  using Tables = MathTables<T>;
  const Vec<T> u = at_most<T>(magnitude_of<T>(z) * root_half, Tables::erfc_end);
  const Vec<T> gauss = vexp<T>(-(u * u));
  const Vec<T> t = (u - Tables::erfc_center) / (u + Tables::erfc_center);
  const Vec<T> tail = T(0.5) * gauss * (polynomial<T>(Tables::erfc, t) / (T(2) * u + T(1)));
#endif
  const Vec<T> phi = select<T>(z < Vec<T>{}, tail, T(1) - tail);
  y = z * phi;
  slope = phi + z * gauss * density;
}

}  // namespace sobolev::SOBOLEV_TARGET
