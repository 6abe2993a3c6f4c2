// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "sobolev/core/engine.hpp"
#include "sobolev/core/error.hpp"
#include "sobolev/core/executor.hpp"
#include "sobolev/core/products.hpp"
#include "sobolev/core/view.hpp"

namespace sobolev {
namespace detail {
std::shared_ptr<void>& library_handles(const Cuda&);
}

/// Runs kernels on one NVIDIA GPU, one after another on one stream. Calls return before the work is
/// done; what goes wrong in a kernel is thrown by the next call that waits. Copies share device and stream.
/// Exists in builds with SOBOLEV_CUDA other than OFF (SOBOLEV_HAS_CUDA is then defined).
class Cuda {
 public:
  /// Throws DeviceError when there is no such device.
  explicit Cuda(int device = 0);
  /// On a cudaStream_t of the caller's, which must live as long as this and its copies do, be of that device,
  /// and is not destroyed; nullptr is the default stream (of which no graph can be made).
  Cuda(int device, void* stream);
  /// How many devices there are; 0 without any, never an error.
  static int count();

  int device() const;
  /// Its own name, for reports.
  const std::string& name() const;
  int multiprocessors() const;
  /// The most dynamic shared memory a block may have.
  std::size_t shared_bytes() const;
  std::size_t free_memory() const;
  /// The cudaStream_t.
  void* stream() const;
  /// Device memory of 64 bytes that calls use for the number they return.
  void* scalar() const;
  /// Waits for all that was given to the stream. Throws DeviceError if any of it failed.
  void synchronize() const;
  /// The same device and stream with another way to multiply float32 matrices; a new executor has ieee.
  Cuda with(Products) const;
  Products products() const { return products_; }
  /// The same with another choice between kernels and libraries. DeviceError, which names the file, for
  /// Engine::library where a library cannot be loaded; a simulated device has none.
  Cuda with(Engine) const;
  Engine engine() const { return engine_; }

 private:
  friend std::shared_ptr<void>& detail::library_handles(const Cuda&);
  struct State;
  std::shared_ptr<State> state_;
  Products products_ = Products::ieee;
  Engine engine_ = Engine::automatic;
};

namespace detail {
void* device_allocate(const Cuda&, std::size_t count, std::size_t element);
void device_release(const Cuda&, void*) noexcept;
void device_upload(const Cuda&, const void* host, void* device, std::size_t bytes);
void device_download(const Cuda&, const void* device, void* host, std::size_t bytes);
void device_clear(const Cuda&, void*, std::size_t bytes);
}  // namespace detail

/// Work that is given to a device once and run again and again, without the host's part in it (a CUDA graph).
/// What is recorded must not wait, allocate, or copy from or to the host; arrays and numbers are those that
/// were given then.
class CudaGraph {
 public:
  /// Calls f, which gives its work to the executor's stream: nothing of it runs yet.
  template <class F>
  CudaGraph(const Cuda& cuda, F&& f) : CudaGraph(cuda) {
    try {
      f();
    } catch (...) {
      abandon();
      throw;
    }
    finish();
  }
  CudaGraph(CudaGraph&&) noexcept;
  CudaGraph& operator=(CudaGraph&&) noexcept;
  ~CudaGraph();
  /// Runs it once, after what was given to the stream before.
  void launch() const;

 private:
  explicit CudaGraph(const Cuda&);
  void finish();
  void abandon() noexcept;
  struct State;
  std::unique_ptr<State> state_;
};

/// Owning, move-only memory of a device, not initialised. Throws OutOfMemory with the size asked for and
/// what is free.
template <class T>
class DeviceBuffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  DeviceBuffer(const Cuda& cuda, std::size_t size)
      : cuda_(cuda), data_(static_cast<T*>(detail::device_allocate(cuda, size, sizeof(T)))), size_(size) {}
  DeviceBuffer(DeviceBuffer&& o) noexcept
      : cuda_(o.cuda_), data_(std::exchange(o.data_, nullptr)), size_(std::exchange(o.size_, 0)) {}
  DeviceBuffer& operator=(DeviceBuffer&& o) noexcept {
    std::swap(cuda_, o.cuda_);
    std::swap(data_, o.data_);
    std::swap(size_, o.size_);
    return *this;
  }
  ~DeviceBuffer() { detail::device_release(cuda_, data_); }

  /// An address on the device: the host must not look there.
  T* data() const { return data_; }
  std::size_t size() const { return size_; }
  template <class... Sizes>
  View<T, int(sizeof...(Sizes))> view(Sizes... sizes) const {
    const View<T, int(sizeof...(Sizes))> v(data_, sizes...);
    require(v.size() <= size_, "DeviceBuffer::view: larger than the buffer");
    return v;
  }

 private:
  Cuda cuda_;
  T* data_;
  std::size_t size_;
};

/// Host to device; the host's memory may change as soon as the call returns.
template <class T, int R>
void upload(const Cuda& cuda, View<const T, R> host, View<T, R> device) {
  require(host.shape() == device.shape(), "upload: the shapes differ");
  detail::device_upload(cuda, host.data(), device.data(), host.size() * sizeof(T));
}
/// Device to host; waits for the stream.
template <class T, int R>
void download(const Cuda& cuda, View<const T, R> device, View<T, R> host) {
  require(host.shape() == device.shape(), "download: the shapes differ");
  detail::device_download(cuda, device.data(), host.data(), host.size() * sizeof(T));
}
/// All bits 0.
template <class T, int R>
void clear(const Cuda& cuda, View<T, R> device) {
  detail::device_clear(cuda, device.data(), device.size() * sizeof(T));
}

}  // namespace sobolev
