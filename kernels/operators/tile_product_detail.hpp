// SPDX-License-Identifier: Apache-2.0
#pragma once
// A product of matrices by blocks of 16 × 16 threads, whose operands pass through shared memory.
#include "kernels/common/cuda.hpp"

namespace sobolev::detail {
constexpr unsigned tile_side = 16;

/// Σ_t a(i, t) b(t, j), t from first to last, for the thread's (i, j); steps along rows and columns. left and
/// right : tile_side² numbers of shared memory.
template <class T, class Tile>
__device__ T tile_product(const T* a, std::size_t a_row, std::size_t a_column, std::size_t rows, const T* b,
                          std::size_t b_row, std::size_t b_column, std::size_t columns, std::size_t first,
                          std::size_t last, std::size_t i, std::size_t j, Tile& left, Tile& right) {
  const unsigned x = threadIdx.x, y = threadIdx.y;
  T sum = T(0);
  for (std::size_t t0 = first; t0 < last; t0 += tile_side) {
    const std::size_t ta = t0 + x, tb = t0 + y;
    left[y * tile_side + x] = i < rows && ta < last ? a[i * a_row + ta * a_column] : T(0);
    right[y * tile_side + x] = j < columns && tb < last ? b[tb * b_row + j * b_column] : T(0);
    __syncthreads();
    for (unsigned t = 0; t < tile_side; ++t) sum += left[y * tile_side + t] * right[t * tile_side + x];
    __syncthreads();
  }
  return sum;
}

/// Steps of one operand, from output to output and from sample to sample.
struct Steps {
  std::size_t row, column, output, sample;
};

/// c(i, j) (+)= start(o) + Σ_t a(i, t) b(t, j) of each output and group of samples.
template <class T>
__global__ void strided_tiles_kernel(const T* a, Steps a_steps, const T* b, Steps b_steps, T* c,
                                     Steps c_steps, View<const T, 1> start, std::size_t rows,
                                     std::size_t columns, std::size_t terms, std::size_t outputs,
                                     std::size_t groups, bool add) {
  SOBOLEV_SHARED(T, left, tile_side * tile_side);
  SOBOLEV_SHARED(T, right, tile_side * tile_side);
  const std::size_t j = std::size_t(blockIdx.y) * tile_side + threadIdx.x;
  for (std::size_t z = blockIdx.z; z < outputs * groups; z += gridDim.z) {
    const std::size_t o = z % outputs, g = z / outputs;
    for (std::size_t i0 = std::size_t(blockIdx.x) * tile_side; i0 < rows;
         i0 += std::size_t(gridDim.x) * tile_side) {
      const std::size_t i = i0 + threadIdx.y;
      const T sum = tile_product<T>(a + o * a_steps.output + g * a_steps.sample, a_steps.row, a_steps.column,
                                    rows, b + o * b_steps.output + g * b_steps.sample, b_steps.row,
                                    b_steps.column, columns, 0, terms, i, j, left, right);
      if (i >= rows || j >= columns) continue;
      T& to = c[i * c_steps.row + j * c_steps.column + o * c_steps.output + g * c_steps.sample];
      to = sum + (add ? to : start.size() > 0 ? start(o) : T(0));
    }
  }
}

}  // namespace sobolev::detail
