// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstring>
#include <limits>
#include <new>
#include <string>
#include <type_traits>
#include <utility>

#include "sobolev/core/error.hpp"
#include "sobolev/core/view.hpp"

namespace sobolev {

/// Owning, move-only, zero-initialised numeric memory, aligned to 64 bytes.
/// Throws OutOfMemory with the size asked for.
template <class T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  static constexpr std::size_t alignment = 64;
  Buffer() = default;
  explicit Buffer(std::size_t size) : size_(size) {
    if (size == 0) return;
    void* p = size > std::numeric_limits<std::size_t>::max() / sizeof(T)
                  ? nullptr
                  : ::operator new (size * sizeof(T), std::align_val_t{alignment}, std::nothrow);
    if (p == nullptr)
      throw OutOfMemory("out of memory: " + std::to_string(size) + " elements of " +
                        std::to_string(sizeof(T)) +
                        " bytes asked for; use fewer points or a smaller network");
    std::memset(p, 0, size * sizeof(T));
    data_ = static_cast<T*>(p);
  }
  Buffer(Buffer&& o) noexcept : data_(std::exchange(o.data_, nullptr)), size_(std::exchange(o.size_, 0)) {}
  Buffer& operator=(Buffer&& o) noexcept {
    std::swap(data_, o.data_);
    std::swap(size_, o.size_);
    return *this;
  }
  ~Buffer() { ::operator delete (data_, std::align_val_t{alignment}); }

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
