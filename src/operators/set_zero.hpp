// SPDX-License-Identifier: Apache-2.0
#pragma once
// Zeros in the memory of either executor.
#include <algorithm>

#include "sobolev/core/buffer_on.hpp"

namespace sobolev::detail {

template <class T>
void set_zero(const Cpu&, View<T, 1> v) {
  std::fill_n(v.data(), v.size(), T(0));
}
#if SOBOLEV_HAS_CUDA
template <class T>
void set_zero(const Cuda& cuda, View<T, 1> v) {
  clear<T, 1>(cuda, v);
}
#endif

}  // namespace sobolev::detail
