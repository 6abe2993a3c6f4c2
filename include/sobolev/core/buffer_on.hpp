// SPDX-License-Identifier: Apache-2.0
#pragma once
// Memory of either executor, for code that is written once for both.
#include <algorithm>

#include "sobolev/core/buffer.hpp"
#include "sobolev/core/executor.hpp"
#if SOBOLEV_HAS_CUDA
#include "sobolev/core/cuda.hpp"
#endif

namespace sobolev {

namespace detail {
template <class E, class T>
struct BufferOf;
template <class T>
struct BufferOf<Cpu, T> {
  using Type = Buffer<T>;
};
#if SOBOLEV_HAS_CUDA
template <class T>
struct BufferOf<Cuda, T> {
  using Type = DeviceBuffer<T>;
};
#endif
}  // namespace detail

/// Buffer<T> for Cpu, DeviceBuffer<T> for Cuda.
template <class E, class T>
using BufferOn = typename detail::BufferOf<E, T>::Type;

/// All zero.
template <class T>
Buffer<T> zeros(const Cpu&, std::size_t size) {
  return Buffer<T>(size);
}
#if SOBOLEV_HAS_CUDA
template <class T>
DeviceBuffer<T> zeros(const Cuda& cuda, std::size_t size) {
  DeviceBuffer<T> buffer(cuda, size);
  if (size > 0) clear<T, 1>(cuda, buffer.view(size));
  return buffer;
}
#endif

/// As for a device (core/cuda.hpp), so that code can say it for both.
template <class T, int R>
void upload(const Cpu&, View<const T, R> host, View<T, R> to) {
  require(host.shape() == to.shape(), "upload: the shapes differ");
  std::copy_n(host.data(), host.size(), to.data());
}
template <class T, int R>
void download(const Cpu&, View<const T, R> from, View<T, R> host) {
  require(from.shape() == host.shape(), "download: the shapes differ");
  std::copy_n(from.data(), from.size(), host.data());
}

}  // namespace sobolev
