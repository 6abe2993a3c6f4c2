// SPDX-License-Identifier: Apache-2.0
// y = tape(x), forward and reverse, a SIMD vector of points at a time.    x : [inputs, N], y : [outputs, N]
// One dispatch per instruction and tile, then a loop over the tile's points; registers stay in the
// first- or second-level cache. Per instruction and point 3 loads/stores of sizeof(T): bound by those,
// a hundredth of a network layer's work.
#include "sobolev/expression/tape.hpp"

#include "kernels/expression/tape_math.hpp"
#include "kernels/expression/tape_tile.hpp"

namespace sobolev::SOBOLEV_TARGET {
template void tape_forward_tile<float>(const detail::TapeView&, float*, int, int);
template void tape_forward_tile<double>(const detail::TapeView&, double*, int, int);
template void tape_reverse_tile<float>(const detail::TapeView&, const float*, float*, int, int);
template void tape_reverse_tile<double>(const detail::TapeView&, const double*, double*, int, int);
}  // namespace sobolev::SOBOLEV_TARGET

#if SOBOLEV_DISPATCHER
#include <omp.h>

#include <algorithm>

#include "kernels/expression/tape_shapes.hpp"
#include "sobolev/core/buffer.hpp"

namespace sobolev {
namespace {
constexpr std::size_t tile = 64;

/// The inputs of points first … first + count − 1; the padding repeats the last point.
template <class T>
void load_inputs(View<const T, 2> x, std::size_t first, std::size_t count, T* registers) {
  for (std::size_t i = 0; i < x.extent(0); ++i)
    for (std::size_t p = 0; p < tile; ++p)
      registers[i * tile + p] = x.data()[i * x.extent(1) + first + std::min(p, count - 1)];
}
}  // namespace

template <class T>
void tape_forward(const Cpu& cpu, const Tape& tape, View<const T, 2> x, View<T, 2> y) {
  detail::check_tape_shapes(tape, x.shape(), y.shape());
  const detail::TapeView view(tape);
  const std::size_t n = x.extent(1), size = std::size_t(std::max(1, tape.registers())) * tile;
  Buffer<T> memory(size * std::size_t(cpu.threads()));
#pragma omp parallel for num_threads(cpu.threads()) schedule(static) if (n > tile)
  for (std::size_t first = 0; first < n; first += tile) {
    T* registers = memory.data() + size * std::size_t(omp_get_thread_num());
    const std::size_t count = std::min(tile, n - first);
    load_inputs<T>(x, first, count, registers);
    SOBOLEV_CALL(tape_forward_tile<T>, view, registers, int(tile), int(count));
    for (std::size_t o = 0; o < tape.outputs.size(); ++o)
      std::copy_n(registers + std::size_t(tape.outputs[o]) * tile, count, y.data() + o * n + first);
  }
}

template <class T>
void tape_reverse(const Cpu& cpu, const Tape& tape, View<const T, 2> x, View<const T, 2> y_bar, View<T, 2> y,
                  View<T, 2> x_bar) {
  detail::check_tape_shapes(tape, x.shape(), y.shape());
  detail::check_tape_adjoints(x.shape(), y.shape(), y_bar.shape(), x_bar.shape());
  const detail::TapeView view(tape);
  const std::size_t n = x.extent(1), size = std::size_t(std::max(1, tape.registers())) * tile;
  Buffer<T> memory(2 * size * std::size_t(cpu.threads()));
#pragma omp parallel for num_threads(cpu.threads()) schedule(static) if (n > tile)
  for (std::size_t first = 0; first < n; first += tile) {
    T* registers = memory.data() + 2 * size * std::size_t(omp_get_thread_num());
    T* adjoints = registers + size;
    const std::size_t count = std::min(tile, n - first);
    load_inputs<T>(x, first, count, registers);
    SOBOLEV_CALL(tape_forward_tile<T>, view, registers, int(tile), int(count));
    std::fill_n(adjoints, size, T(0));
    for (std::size_t o = 0; o < tape.outputs.size(); ++o) {
      const std::size_t row = std::size_t(tape.outputs[o]) * tile;
      std::copy_n(registers + row, count, y.data() + o * n + first);
      for (std::size_t p = 0; p < count; ++p) adjoints[row + p] += y_bar.data()[o * n + first + p];
    }
    SOBOLEV_CALL(tape_reverse_tile<T>, view, registers, adjoints, int(tile), int(count));
    for (std::size_t i = 0; i < x.extent(0); ++i)
      std::copy_n(adjoints + i * tile, count, x_bar.data() + i * n + first);
  }
}

template void tape_forward<float>(const Cpu&, const Tape&, View<const float, 2>, View<float, 2>);
template void tape_forward<double>(const Cpu&, const Tape&, View<const double, 2>, View<double, 2>);
template void tape_reverse<float>(const Cpu&, const Tape&, View<const float, 2>, View<const float, 2>,
                                  View<float, 2>, View<float, 2>);
template void tape_reverse<double>(const Cpu&, const Tape&, View<const double, 2>, View<const double, 2>,
                                   View<double, 2>, View<double, 2>);
}  // namespace sobolev
#endif
