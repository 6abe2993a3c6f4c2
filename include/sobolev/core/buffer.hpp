// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <type_traits>
#include <utility>

#include "sobolev/core/error.hpp"
#include "sobolev/core/view.hpp"

namespace sobolev {

namespace detail {
inline constexpr std::size_t buffer_alignment = 64;
/// Zeroed memory for `count` elements; from 16 MiB on in huge pages where the system has them.
void* allocate_zeroed(std::size_t count, std::size_t element);
void release(void*, std::size_t count, std::size_t element) noexcept;
}  // namespace detail

/// Owning, move-only, zero-initialised numeric memory, aligned to 64 bytes.
/// Throws OutOfMemory with the size asked for.
template <class T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  static constexpr std::size_t alignment = detail::buffer_alignment;
  Buffer() = default;
  explicit Buffer(std::size_t size)
      : data_(static_cast<T*>(detail::allocate_zeroed(size, sizeof(T)))), size_(size) {}
  Buffer(Buffer&& o) noexcept : data_(std::exchange(o.data_, nullptr)), size_(std::exchange(o.size_, 0)) {}
  Buffer& operator=(Buffer&& o) noexcept {
    std::swap(data_, o.data_);
    std::swap(size_, o.size_);
    return *this;
  }
  ~Buffer() { detail::release(data_, size_, sizeof(T)); }

  T* data() { return data_; }
  const T* data() const { return data_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  template <class... Sizes>
  View<T, sizeof...(Sizes)> view(Sizes... sizes) {
    View<T, sizeof...(Sizes)> v(data_, sizes...);
    require(v.size() <= size_, "Buffer::view: larger than the buffer");
    return v;
  }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace sobolev
