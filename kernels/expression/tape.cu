// SPDX-License-Identifier: Apache-2.0
// y = tape(x), forward and reverse.                                   x : [inputs, N], y : [outputs, N]
// One thread per point, grid-stride; a thread's registers are a column of [registers, threads] in device
// memory, so that a warp reads and writes whole lines. Per instruction and point 3 accesses of sizeof(T) (5
// in reverse), most of them in the L2 cache: bound by its bandwidth.
#include <algorithm>

#include "kernels/common/cuda.hpp"
#include "kernels/expression/tape_device.hpp"
#include "kernels/expression/tape_math.hpp"
#include "kernels/expression/tape_shapes.hpp"
#include "sobolev/expression/tape.hpp"

namespace sobolev {
namespace {
constexpr unsigned block_threads = 128;

/// Where a thread's registers start and how far apart they are, and the first point of the thread.
struct Column {
  std::size_t index, stride;
};
__device__ Column column() {
  return {std::size_t(blockIdx.x) * blockDim.x + threadIdx.x, std::size_t(gridDim.x) * blockDim.x};
}

/// The registers of point p, computed.
template <class T>
__device__ void run_forward(const detail::TapeView& tape, const View<const T, 2>& x, std::size_t p,
                            T* registers, std::size_t stride) {
  for (std::int32_t i = 0; i < tape.inputs; ++i) registers[std::size_t(i) * stride] = x(i, p);
  target_cuda::tape_forward_tile<T>(tape, registers, int(stride), 1);
}

template <class T>
__global__ void tape_forward_kernel(detail::TapeView tape, View<const T, 2> x, View<T, 2> y, T* memory) {
  const Column c = column();
  T* registers = memory + c.index;
  for (std::size_t p = c.index; p < x.extent(1); p += c.stride) {
    run_forward<T>(tape, x, p, registers, c.stride);
    for (std::int32_t o = 0; o < tape.output_count; ++o)
      y(o, p) = registers[std::size_t(tape.outputs[o]) * c.stride];
  }
}

template <class T>
__global__ void tape_reverse_kernel(detail::TapeView tape, View<const T, 2> x, View<const T, 2> y_bar,
                                    View<T, 2> y, View<T, 2> x_bar, T* memory) {
  const Column c = column();
  T* registers = memory + c.index;
  T* adjoints = registers + std::size_t(tape.registers()) * c.stride;
  for (std::size_t p = c.index; p < x.extent(1); p += c.stride) {
    run_forward<T>(tape, x, p, registers, c.stride);
    for (std::int32_t r = 0; r < tape.registers(); ++r) adjoints[std::size_t(r) * c.stride] = T(0);
    for (std::int32_t o = 0; o < tape.output_count; ++o) {
      const std::size_t row = std::size_t(tape.outputs[o]) * c.stride;
      y(o, p) = registers[row];
      adjoints[row] += y_bar(o, p);
    }
    target_cuda::tape_reverse_tile<T>(tape, registers, adjoints, int(c.stride), 1);
    for (std::int32_t i = 0; i < tape.inputs; ++i) x_bar(i, p) = adjoints[std::size_t(i) * c.stride];
  }
}

/// As many blocks as keep the device busy: the registers of more threads would only take memory.
unsigned blocks(const Cuda& cuda, std::size_t points) {
  return std::min(blocks_for(points, block_threads), unsigned(cuda.multiprocessors()) * 8);
}
}  // namespace

template <class T>
void tape_forward(const Cuda& cuda, const Tape& tape, View<const T, 2> x, View<T, 2> y) {
  detail::check_tape_shapes(tape, x.shape(), y.shape());
  if (x.extent(1) == 0) return;
  const detail::DeviceTape device(cuda, tape);
  const unsigned grid = blocks(cuda, x.extent(1));
  const DeviceBuffer<T> memory(cuda, std::size_t(std::max(1, tape.registers())) * grid * block_threads);
  launch<tape_forward_kernel<T>>(cuda, {grid, block_threads}, device.view(), x, y, memory.data());
}

template <class T>
void tape_reverse(const Cuda& cuda, const Tape& tape, View<const T, 2> x, View<const T, 2> y_bar,
                  View<T, 2> y, View<T, 2> x_bar) {
  detail::check_tape_shapes(tape, x.shape(), y.shape());
  detail::check_tape_adjoints(x.shape(), y.shape(), y_bar.shape(), x_bar.shape());
  if (x.extent(1) == 0) return;
  const detail::DeviceTape device(cuda, tape);
  const unsigned grid = blocks(cuda, x.extent(1));
  const DeviceBuffer<T> memory(cuda, 2 * std::size_t(std::max(1, tape.registers())) * grid * block_threads);
  launch<tape_reverse_kernel<T>>(cuda, {grid, block_threads}, device.view(), x, y_bar, y, x_bar,
                                 memory.data());
}

template void tape_forward<float>(const Cuda&, const Tape&, View<const float, 2>, View<float, 2>);
template void tape_forward<double>(const Cuda&, const Tape&, View<const double, 2>, View<double, 2>);
template void tape_reverse<float>(const Cuda&, const Tape&, View<const float, 2>, View<const float, 2>,
                                  View<float, 2>, View<float, 2>);
template void tape_reverse<double>(const Cuda&, const Tape&, View<const double, 2>, View<const double, 2>,
                                   View<double, 2>, View<double, 2>);
}  // namespace sobolev
