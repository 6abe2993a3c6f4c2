// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cmath>
#include "kernels/common/simd.hpp"
namespace sobolev::SOBOLEV_TARGET {
#define TMPF(name, call) template <class T> SOBOLEV_INLINE Vec<T> name(Vec<T> v) { T s[lanes<T>]; store<T>(s, v); for (int i = 0; i < lanes<T>; ++i) s[i] = call(s[i]); return load<T>(s); }
TMPF(vtanh, __builtin_tanh) TMPF(vexp, __builtin_exp) TMPF(vsin, __builtin_sin) TMPF(vcos, __builtin_cos) TMPF(verf, __builtin_erf) TMPF(vlog, __builtin_log)
template <class T> SOBOLEV_INLINE void vsincos(Vec<T> v, Vec<T>& s, Vec<T>& c) { s = vsin<T>(v); c = vcos<T>(v); }
}
