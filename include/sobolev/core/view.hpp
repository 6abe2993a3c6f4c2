// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cassert>
#include <cstddef>
#include <type_traits>

namespace sobolev {

template <int R>
using Extents = std::array<std::size_t, R>;

/// Non-owning row-major array of rank R, last index contiguous. Indices are checked in debug builds.
/// All of it is constexpr, so that kernels on a device can use it.
template <class T, int R>
class View {
 public:
  using value_type = T;
  constexpr View() = default;
  template <class... Sizes>
  requires(sizeof...(Sizes) == R) constexpr explicit View(T* data, Sizes... sizes)
      : data_(data), shape_{static_cast<std::size_t>(sizes)...} {}
  constexpr View(T* data, Extents<R> shape) : data_(data), shape_(shape) {}
  /// View<T> converts to View<const T>.
  constexpr operator View<const T, R>() const requires(!std::is_const_v<T>) { return {data_, shape_}; }

  constexpr T* data() const { return data_; }
  constexpr std::size_t extent(int axis) const { return shape_[static_cast<std::size_t>(axis)]; }
  constexpr const Extents<R>& shape() const { return shape_; }
  constexpr std::size_t size() const {
    std::size_t n = 1;
    for (std::size_t s : shape_) n *= s;
    return n;
  }
  constexpr T* begin() const { return data_; }
  constexpr T* end() const { return data_ + size(); }

  template <class... Indices>
  requires(sizeof...(Indices) == R) constexpr T& operator()(Indices... indices) const {
    const Extents<R> at{static_cast<std::size_t>(indices)...};
    std::size_t offset = 0;
    for (std::size_t r = 0; r < R; ++r) {
      assert(at[r] < shape_[r]);
      offset = offset * shape_[r] + at[r];
    }
    return data_[offset];
  }

 private:
  T* data_ = nullptr;
  Extents<R> shape_{};
};

}  // namespace sobolev
