// SPDX-License-Identifier: Apache-2.0
#pragma once
// The HDF5 library made fit for C++: handles that close themselves, one caller at a time, one line of error.
#include <hdf5.h>

#include <mutex>
#include <string>
#include <utility>

namespace sobolev::detail {

/// While it lives the library is this thread's: the serial one is not thread-safe. It prints nothing then,
/// and has the filters that are built in here (LZF); afterwards it prints what it did before.
class Hdf5Turn {
 public:
  Hdf5Turn();
  ~Hdf5Turn();
  Hdf5Turn(const Hdf5Turn&) = delete;
  Hdf5Turn& operator=(const Hdf5Turn&) = delete;

 private:
  std::lock_guard<std::mutex> lock_;
  H5E_auto2_t print_ = nullptr;
  void* print_data_ = nullptr;
};

/// A handle of the library; false where the call that made it failed. Within a turn only.
class Hdf5Id {
 public:
  using Close = herr_t (*)(hid_t);
  Hdf5Id() = default;
  Hdf5Id(hid_t id, Close close) : id_(id), close_(close) {}
  Hdf5Id(Hdf5Id&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Hdf5Id& operator=(Hdf5Id&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Hdf5Id() { close(); }
  /// Whether it could be closed, with all that was still to be written.
  bool close() { return id_ < 0 || close_(std::exchange(id_, -1)) >= 0; }

  explicit operator bool() const { return id_ >= 0; }
  hid_t get() const { return id_; }

 private:
  hid_t id_ = -1;
  Close close_ = nullptr;
};

/// What went wrong in the call just made: the innermost line of the library's own report.
std::string hdf5_error();

/// The attribute's text, "" where there is none of that name or it is no text.
std::string hdf5_text(hid_t object, const char* name);

}  // namespace sobolev::detail
