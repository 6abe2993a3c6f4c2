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

}  // namespace sobolev::detail
