// SPDX-License-Identifier: Apache-2.0
#pragma once
// Elementary functions on SIMD vectors.
#include "kernels/common/simd.hpp"

namespace sobolev::SOBOLEV_TARGET {
#define SOBOLEV_PER_LANE(name, call)              \
  template <class T>                              \
  SOBOLEV_INLINE Vec<T> name(Vec<T> v) {          \
    T s[lanes<T>];                                \
    store<T>(s, v);                               \
    for (int i = 0; i < lanes<T>; ++i) s[i] = T(call(s[i])); \
    return load<T>(s);                            \
  }
SOBOLEV_PER_LANE(vtanh, __builtin_tanh)
SOBOLEV_PER_LANE(vexp, __builtin_exp)
SOBOLEV_PER_LANE(vsin, __builtin_sin)
SOBOLEV_PER_LANE(vcos, __builtin_cos)
SOBOLEV_PER_LANE(verf, __builtin_erf)
SOBOLEV_PER_LANE(vlog, __builtin_log)
#undef SOBOLEV_PER_LANE
template <class T>
SOBOLEV_INLINE void vsincos(Vec<T> v, Vec<T>& s, Vec<T>& c) {
  s = vsin<T>(v);
  c = vcos<T>(v);
}
}  // namespace sobolev::SOBOLEV_TARGET
