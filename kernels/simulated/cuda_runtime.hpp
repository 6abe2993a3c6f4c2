// SPDX-License-Identifier: Apache-2.0
#pragma once
// The CUDA that the kernels of this library are written in, for the host's compiler: a kernel is an ordinary
// function that fibres run (block.hpp). Kernels take static shared memory by SOBOLEV_SHARED and start by
// launch() (kernels/common/cuda.hpp); the rest is CUDA as nvcc knows it.
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

#include "kernels/simulated/block.hpp"
#include "kernels/simulated/stream.hpp"
#include "kernels/simulated/thread_index.hpp"

#define __global__
#define __device__
#define __host__
#define __constant__
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)

// ---- the host's side: a device, its memory, streams ----------------------------------------------------

enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorNoDevice = 100,
  cudaErrorInvalidDevice = 101,
  cudaErrorStreamCaptureUnsupported = 900,
};
enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2, cudaMemcpyDeviceToDevice = 3 };
constexpr unsigned cudaStreamNonBlocking = 1;
using cudaStream_t = sobolev::simulated::Stream*;
using cudaEvent_t = sobolev::simulated::Event*;
enum cudaStreamCaptureMode { cudaStreamCaptureModeThreadLocal = 1 };
using cudaGraph_t = sobolev::simulated::Graph*;
using cudaGraphExec_t = sobolev::simulated::Graph*;

struct cudaDeviceProp {
  char name[256];
  std::size_t totalGlobalMem, sharedMemPerBlockOptin;
  int multiProcessorCount, major, minor;
};

const char* cudaGetErrorName(cudaError_t);
const char* cudaGetErrorString(cudaError_t);
cudaError_t cudaGetLastError();
cudaError_t cudaGetDeviceCount(int*);  // the environment variable SOBOLEV_SIMULATED_DEVICES, or 1
cudaError_t cudaSetDevice(int);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp*, int device);
cudaError_t cudaMalloc(void**, std::size_t);
cudaError_t cudaFree(void*);
cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total);
/// As with pageable memory: the source of a copy to the device may change at once, a copy to the host is done
/// on return.
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind, cudaStream_t);
cudaError_t cudaMemsetAsync(void*, int value, std::size_t bytes, cudaStream_t);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t*, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t);
cudaError_t cudaStreamSynchronize(cudaStream_t);
cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned flags = 0);
cudaError_t cudaEventCreate(cudaEvent_t*);
cudaError_t cudaEventDestroy(cudaEvent_t);
cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t);
cudaError_t cudaEventSynchronize(cudaEvent_t);
cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t from, cudaEvent_t to);
/// While a stream records, nothing may wait or allocate, and nothing may be copied from or to the host.
cudaError_t cudaStreamBeginCapture(cudaStream_t, cudaStreamCaptureMode);
cudaError_t cudaStreamEndCapture(cudaStream_t, cudaGraph_t*);
cudaError_t cudaGraphInstantiate(cudaGraphExec_t*, cudaGraph_t, unsigned long long flags = 0);
cudaError_t cudaGraphLaunch(cudaGraphExec_t, cudaStream_t);
cudaError_t cudaGraphDestroy(cudaGraph_t);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t);

// ---- the kernels' side ---------------------------------------------------------------------------------

namespace sobolev::simulated {

/// A static array of a kernel in shared memory: 0xff at the start of each block, indices checked.
template <class T, std::size_t n>
class SharedArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  SharedArray& of_block() {
    if (serial_ != thread::block_serial()) {
      serial_ = thread::block_serial();
      std::memset(data_, 0xff, sizeof(data_));
    }
    return *this;
  }
  template <class I>
  T& operator[](I i) {
    if (i < I(0) || std::size_t(i) >= n)
      thread::fail("index " + std::to_string(i) + " of a shared array of " + std::to_string(n));
    return data_[i];
  }

 private:
  alignas(16) T data_[n];
  std::uint64_t serial_ = 0;
};

/// The bits of any value of at most 8 bytes.
template <class T>
std::uint64_t to_bits(T value) {
  static_assert(sizeof(T) <= 8 && std::is_trivially_copyable_v<T>);
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  return bits;
}
template <class T>
T from_bits(std::uint64_t bits) {
  T value;
  std::memcpy(&value, &bits, sizeof(T));
  return value;
}

/// The value of `source`, which must take part.
template <class T>
T shuffle(const char* name, unsigned mask, T value, unsigned source, const Place& place) {
  const std::uint64_t* all = thread::exchange(name, mask, to_bits(value), place);
  if ((mask >> source & 1u) == 0)
    thread::fail(std::string(name) + " from lane " + std::to_string(source) + ", which is not in its mask");
  return from_bits<T>(all[source]);
}
inline unsigned ballot(const char* name, unsigned mask, bool vote, const Place& place) {
  const std::uint64_t* all = thread::exchange(name, mask, vote, place);
  unsigned votes = 0;
  for (unsigned lane = 0; lane < 32; ++lane)
    if ((mask >> lane & 1u) != 0 && all[lane] != 0) votes |= 1u << lane;
  return votes;
}
}  // namespace sobolev::simulated

#define SOBOLEV_SHARED(T, name, n)                                              \
  static thread_local ::sobolev::simulated::SharedArray<T, n> name##_of_thread; \
  auto& name = name##_of_thread.of_block()

using SobolevPlace = sobolev::simulated::Place;

inline void __syncthreads(SobolevPlace place = SobolevPlace::here()) {
  sobolev::simulated::thread::barrier(0, 0, false, place);
}
inline int __syncthreads_count(int vote, SobolevPlace place = SobolevPlace::here()) {
  return int(sobolev::simulated::thread::barrier(0, 0, vote != 0, place));
}
inline int __syncthreads_or(int vote, SobolevPlace place = SobolevPlace::here()) {
  return __syncthreads_count(vote, place) > 0;
}
inline int __syncthreads_and(int vote, SobolevPlace place = SobolevPlace::here()) {
  return __syncthreads_count(vote == 0, place) == 0;
}
inline void __syncwarp(unsigned mask = 0xffffffffu, SobolevPlace place = SobolevPlace::here()) {
  sobolev::simulated::thread::exchange("__syncwarp", mask, 0, place);
}
template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32, SobolevPlace place = SobolevPlace::here()) {
  const unsigned lane = sobolev::simulated::thread::lane(), w = unsigned(width);
  return sobolev::simulated::shuffle("__shfl_sync", mask, value, lane / w * w + unsigned(source) % w, place);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32,
                  SobolevPlace place = SobolevPlace::here()) {
  const unsigned lane = sobolev::simulated::thread::lane(), other = lane ^ unsigned(bits);
  const bool inside = other / unsigned(width) <= lane / unsigned(width);
  return sobolev::simulated::shuffle("__shfl_xor_sync", mask, value, inside ? other : lane, place);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned by, int width = 32,
                   SobolevPlace place = SobolevPlace::here()) {
  const unsigned lane = sobolev::simulated::thread::lane(), w = unsigned(width);
  return sobolev::simulated::shuffle("__shfl_down_sync", mask, value, lane % w + by < w ? lane + by : lane,
                                     place);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned by, int width = 32,
                 SobolevPlace place = SobolevPlace::here()) {
  const unsigned lane = sobolev::simulated::thread::lane(), w = unsigned(width);
  return sobolev::simulated::shuffle("__shfl_up_sync", mask, value, lane % w >= by ? lane - by : lane, place);
}
inline unsigned __ballot_sync(unsigned mask, int vote, SobolevPlace place = SobolevPlace::here()) {
  return sobolev::simulated::ballot("__ballot_sync", mask, vote != 0, place);
}
inline int __any_sync(unsigned mask, int vote, SobolevPlace place = SobolevPlace::here()) {
  return sobolev::simulated::ballot("__any_sync", mask, vote != 0, place) != 0;
}
inline int __all_sync(unsigned mask, int vote, SobolevPlace place = SobolevPlace::here()) {
  return sobolev::simulated::ballot("__all_sync", mask, vote == 0, place) == 0;
}

/// bar.sync id, threads (kernels/common/cuda.hpp has the real one).
inline void named_barrier(int id, unsigned threads, SobolevPlace place = SobolevPlace::here()) {
  sobolev::simulated::thread::barrier(id, threads, false, place);
}

inline float __uint_as_float(unsigned bits) { return sobolev::simulated::from_bits<float>(bits); }
inline unsigned __float_as_uint(float value) { return unsigned(sobolev::simulated::to_bits(value)); }

template <class T>
T __ldg(const T* p) {
  return *p;
}
inline void __threadfence() { std::atomic_thread_fence(std::memory_order_seq_cst); }
inline void __threadfence_block() { __threadfence(); }

namespace sobolev::simulated {
/// *p ← f(*p), atomically. Returns the value before.
template <class T, class F>
T atomically(T* p, F f) {
  const std::atomic_ref<T> cell(*p);
  T old = cell.load();
  while (!cell.compare_exchange_weak(old, f(old))) {
  }
  return old;
}
}  // namespace sobolev::simulated

template <class T>
T atomicAdd(T* p, std::type_identity_t<T> v) {
  return sobolev::simulated::atomically(p, [v](T old) { return T(old + v); });
}
template <class T>
T atomicMax(T* p, std::type_identity_t<T> v) {
  return sobolev::simulated::atomically(p, [v](T old) { return old < v ? v : old; });
}
template <class T>
T atomicMin(T* p, std::type_identity_t<T> v) {
  return sobolev::simulated::atomically(p, [v](T old) { return v < old ? v : old; });
}
template <class T>
T atomicExch(T* p, std::type_identity_t<T> v) {
  return std::atomic_ref<T>(*p).exchange(v);
}
template <class T>
T atomicCAS(T* p, std::type_identity_t<T> expected, std::type_identity_t<T> v) {
  std::atomic_ref<T>(*p).compare_exchange_strong(expected, v);
  return expected;
}

#define SOBOLEV_VECTOR_TYPE(T, name)                           \
  struct alignas(2 * sizeof(T)) name##2 {                      \
    T x, y;                                                    \
  };                                                           \
  struct alignas(sizeof(T) < 8 ? 4 * sizeof(T) : 16) name##4 { \
    T x, y, z, w;                                              \
  };                                                           \
  inline name##2 make_##name##2(T x, T y) { return {x, y}; }   \
  inline name##4 make_##name##4(T x, T y, T z, T w) { return {x, y, z, w}; }
SOBOLEV_VECTOR_TYPE(float, float)
SOBOLEV_VECTOR_TYPE(double, double)
SOBOLEV_VECTOR_TYPE(int, int)
#undef SOBOLEV_VECTOR_TYPE
