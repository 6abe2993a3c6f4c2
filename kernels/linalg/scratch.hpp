// SPDX-License-Identifier: Apache-2.0
#pragma once
// Memory that a call writes before it reads: not zeroed, which would cost as much as reading the matrix, and
// from the heap, which keeps what an earlier call had.
#include <new>
#include <string>

#include "sobolev/core/buffer.hpp"
#include "sobolev/core/error.hpp"

namespace sobolev::detail {

template <class T>
class Scratch {
 public:
  explicit Scratch(std::size_t size)
      : data_(static_cast<T*>(::operator new(size * sizeof(T), alignment, std::nothrow))) {
    if (data_ == nullptr)
      throw OutOfMemory("out of memory: " + std::to_string(size) + " elements of " +
                        std::to_string(sizeof(T)) + " bytes asked for, for products of matrices");
  }
  ~Scratch() { ::operator delete(data_, alignment); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  T* data() { return data_; }

 private:
  static constexpr std::align_val_t alignment{buffer_alignment};
  T* data_;
};

}  // namespace sobolev::detail
