// SPDX-License-Identifier: Apache-2.0
#pragma once
// Copies within the memory of either executor.
#include <algorithm>

#include "sobolev/core/buffer_on.hpp"

namespace sobolev {

template <class T, int R>
void copy(const Cpu&, View<const T, R> from, View<T, R> to) {
  require(from.shape() == to.shape(), "copy: the shapes differ");
  std::copy_n(from.data(), from.size(), to.data());
}

#if SOBOLEV_HAS_CUDA
namespace detail {
void device_copy(const Cuda&, const void* from, void* to, std::size_t bytes);
}
/// Does not wait for it.
template <class T, int R>
void copy(const Cuda& cuda, View<const T, R> from, View<T, R> to) {
  require(from.shape() == to.shape(), "copy: the shapes differ");
  detail::device_copy(cuda, from.data(), to.data(), from.size() * sizeof(T));
}
#endif

}  // namespace sobolev
