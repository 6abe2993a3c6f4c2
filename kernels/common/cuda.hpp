// SPDX-License-Identifier: Apache-2.0
#pragma once
// What every .cu file starts with: CUDA itself, or its simulation, and the one way to start a kernel.
#include <string>
#include <string_view>

#if SOBOLEV_CUDA_SIMULATED
#include "kernels/simulated/cuda_runtime.hpp"
#include "kernels/simulated/memory.hpp"
/// Before a device function that must not be inlined: it costs a call, and keeps its registers, stack and
/// code out of the kernels that rarely need it.
#define SOBOLEV_OUT_OF_LINE __attribute__((noinline))
/// Before a kernel's parameter that is read where it lies, in constant memory: its address may be taken.
#define SOBOLEV_CONSTANT const
template <int bytes>
void copy_async(void* shared, const void* global, int valid) {
  std::memcpy(shared, global, std::size_t(valid));
  std::memset(static_cast<char*>(shared) + valid, 0, std::size_t(bytes - valid));
}
inline void wait_for_copies() {}
inline int thread_of_block() { return int(threadIdx.y * blockDim.x + threadIdx.x); }
#else
#include <cuda_runtime.h>
/// A static array in shared memory, between the braces of a kernel.
#define SOBOLEV_SHARED(T, name, n) __shared__ T name[n]
#define SOBOLEV_OUT_OF_LINE __noinline__
#define SOBOLEV_CONSTANT const __grid_constant__
/// Starts a copy of 4, 8 or 16 bytes, aligned to as many, from global to shared memory, without a register in
/// between; what is behind the first `valid` bytes becomes zero. A thread sees its copies after
/// wait_for_copies(), the others of the block after a barrier that follows.
template <int bytes>
__device__ __forceinline__ void copy_async(void* shared, const void* global, int valid) {
  const unsigned to = unsigned(__cvta_generic_to_shared(shared));
  if constexpr (bytes == 16)
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(global), "r"(valid)
                 : "memory");
  else
    asm volatile("cp.async.ca.shared.global [%0], [%1], %3, %2;" ::"r"(to), "l"(global), "r"(valid),
                 "n"(bytes)
                 : "memory");
}
__device__ __forceinline__ void wait_for_copies() { asm volatile("cp.async.wait_all;" ::: "memory"); }
/// The number of the thread in a block of two dimensions, read anew at each call: what is made from it does
/// not stay in registers from one phase of a long kernel to the next.
__device__ __forceinline__ int thread_of_block() {
  int x, y;
  asm volatile("mov.u32 %0, %%tid.x;" : "=r"(x));
  asm volatile("mov.u32 %0, %%tid.y;" : "=r"(y));
  return y * int(blockDim.x) + x;
}
/// Waits for `threads` threads of the block at barrier `id`, 1 … 15 (0 is that of __syncthreads).
__device__ __forceinline__ void named_barrier(int id, unsigned threads) {
  asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory");
}
#endif

#include "sobolev/core/cuda.hpp"
#include "sobolev/core/error.hpp"
#include "sobolev/core/profile.hpp"

namespace sobolev {

/// Throws DeviceError, or OutOfMemory, with what CUDA says.
void cuda_check(cudaError_t status, const char* what);

struct LaunchShape {
  dim3 blocks, threads;
  std::size_t shared_bytes = 0;  // dynamic
};

inline unsigned blocks_for(std::size_t work, unsigned threads) {
  const std::size_t blocks = (work + threads - 1) / threads;
  return unsigned(blocks < 1            ? 1
                  : blocks > 65535 * 16 ? 65535 * 16
                                        : blocks);  // the rest by a grid-stride loop
}

namespace detail {
/// "adam_kernel<float>" of that function.
template <auto kernel>
constexpr std::string_view kernel_name() {
  std::string_view name = __PRETTY_FUNCTION__;
  name.remove_prefix(name.find("kernel = ") + 9);
  name = name.substr(0, name.find_first_of(";]"));
  const std::size_t arguments = name.find('<');
  const std::size_t scope = name.substr(0, arguments).rfind("::");
  return scope == std::string_view::npos ? name : name.substr(scope + 2);
}
/// The same as a string that stays, without the arguments of the template.
template <auto kernel>
const char* kernel_label() {
  static const std::string label(kernel_name<kernel>().substr(0, kernel_name<kernel>().find('<')));
  return label.c_str();
}

#if SOBOLEV_CUDA_SIMULATED
template <class A>
void check_argument(std::string_view, int, const A&) {}
template <class A>
void check_argument(std::string_view kernel, int place, A* p) {
  if (p != nullptr && !simulated::on_device(p, 1))
    throw DeviceError("kernel " + std::string(kernel) + ": argument " + std::to_string(place) + " is " +
                      simulated::locate(p));
}
template <class A, int R>
void check_argument(std::string_view kernel, int place, const View<A, R>& view) {
  if (view.size() > 0 && !simulated::on_device(view.data(), view.size() * sizeof(A)))
    throw DeviceError("kernel " + std::string(kernel) + ": the array that is argument " +
                      std::to_string(place) + " is " + simulated::locate(view.data()));
}
#endif
}  // namespace detail

/// kernel(arguments...) on the executor's stream. Arrays among the arguments must be in device memory.
template <auto kernel, class... A>
void launch(const Cuda& cuda, const LaunchShape& shape, const A&... arguments) {
  const profile::Range range(cuda, detail::kernel_label<kernel>());
  const auto stream = static_cast<cudaStream_t>(cuda.stream());
#if SOBOLEV_CUDA_SIMULATED
  [[maybe_unused]] int place = 0;
  (detail::check_argument(detail::kernel_name<kernel>(), ++place, arguments), ...);
  stream->add([shape, arguments...] {
    const auto index = [](const dim3& d) { return simulated::Index{d.x, d.y, d.z}; };
    simulated::run_grid({std::string(detail::kernel_name<kernel>()), index(shape.blocks),
                         index(shape.threads), shape.shared_bytes, [&] { kernel(arguments...); }});
  });
#else
  if (shape.shared_bytes > (std::size_t(48) << 10))
    cuda_check(
        cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, int(shape.shared_bytes)),
        "shared memory of a kernel");
  // clang-format off
  kernel<<<shape.blocks, shape.threads, shape.shared_bytes, stream>>>(arguments...);
  // clang-format on
  cuda_check(cudaGetLastError(), "launch of a kernel");
#endif
}

/// The block's dynamic shared memory, aligned to 16 bytes.
#if SOBOLEV_CUDA_SIMULATED
template <class T>
T* dynamic_shared() {
  return reinterpret_cast<T*>(simulated::thread::dynamic_shared());
}
#else
template <class T>
__device__ __forceinline__ T* dynamic_shared() {
  extern __shared__ __align__(16) unsigned char sobolev_dynamic_shared[];
  return reinterpret_cast<T*>(sobolev_dynamic_shared);
}
#endif

}  // namespace sobolev
