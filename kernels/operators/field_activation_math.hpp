// SPDX-License-Identifier: Apache-2.0
#pragma once
// σ and σ' of a field's activations; tanh' = 1 − tanh².
#include "kernels/operators/gelu_math.hpp"
#include "sobolev/operators/channel_mix.hpp"

namespace sobolev::SOBOLEV_TARGET {

/// The identity leaves slope as it is.
template <class T, FieldActivation activation>
SOBOLEV_INLINE void activate(Vec<T> z, Vec<T>& y, Vec<T>& slope) {
  if constexpr (activation == FieldActivation::gelu) {
    gelu_and_slope<T>(z, y, slope);
  } else if constexpr (activation == FieldActivation::tanh) {
    y = vtanh<T>(z);
    slope = T(1) - y * y;
  } else {
    y = z;
  }
}

}  // namespace sobolev::SOBOLEV_TARGET
