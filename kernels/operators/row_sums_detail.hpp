// SPDX-License-Identifier: Apache-2.0
#pragma once
// Sums of rows with factors that lie anywhere, four results by two vectors at a time in registers.
#include <cstddef>
#include <type_traits>

#include "kernels/common/simd.hpp"

namespace sobolev::SOBOLEV_TARGET {
constexpr int sums_block = 4;

template <class T>
SOBOLEV_INLINE int room_at(std::size_t columns, std::size_t k) {
  return k >= columns ? 0 : columns - k < std::size_t(lanes<T>) ? int(columns - k) : lanes<T>;
}

template <class T, int n, int nv>
SOBOLEV_INLINE void sums(const T* f, std::size_t f_row, std::size_t f_column, const T* x, std::size_t x_step,
                         std::size_t terms, const int (&room)[nv], bool add, T* to, std::size_t to_step) {
  Vec<T> sum[n][nv] = {};
#pragma GCC unroll 4
  for (int i = 0; i < n; ++i)
#pragma GCC unroll 2
    for (int v = 0; v < nv; ++v)
      if (add) sum[i][v] = load_part<T>(to + std::size_t(i) * to_step + v * lanes<T>, room[v]);
  for (std::size_t t = 0; t < terms; ++t, x += x_step) {
    Vec<T> right[nv];
#pragma GCC unroll 2
    for (int v = 0; v < nv; ++v) right[v] = load_part<T>(x + v * lanes<T>, room[v]);
#pragma GCC unroll 4
    for (int i = 0; i < n; ++i) {
      const Vec<T> left = broadcast<T>(f[std::size_t(i) * f_row + t * f_column]);
#pragma GCC unroll 2
      for (int v = 0; v < nv; ++v) sum[i][v] += left * right[v];
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < n; ++i)
#pragma GCC unroll 2
    for (int v = 0; v < nv; ++v)
      store_part<T>(to + std::size_t(i) * to_step + v * lanes<T>, sum[i][v], room[v]);
}

/// to[i to_step + k] (+)= Σ_t f[i f_row + t f_column] x[t x_step + k], t in order.
template <class T>
SOBOLEV_INLINE void row_sums(const T* f, std::size_t f_row, std::size_t f_column, const T* x,
                             std::size_t x_step, std::size_t rows, std::size_t terms, std::size_t columns,
                             bool add, T* to, std::size_t to_step) {
  std::size_t k = 0;
  const auto down = [&](auto width, const auto& room) __attribute__((always_inline)) {
    constexpr int nv = decltype(width)::value;
    std::size_t i = 0;
    for (; i + sums_block <= rows; i += sums_block)
      sums<T, sums_block, nv>(f + i * f_row, f_row, f_column, x + k, x_step, terms, room, add,
                              to + i * to_step + k, to_step);
    for (; i < rows; ++i)
      sums<T, 1, nv>(f + i * f_row, f_row, f_column, x + k, x_step, terms, room, add, to + i * to_step + k,
                     to_step);
  };
  const int both[2] = {lanes<T>, lanes<T>};
  for (; k + 2 * lanes<T> <= columns; k += 2 * lanes<T>) down(std::integral_constant<int, 2>{}, both);
  for (; k < columns; k += lanes<T>) {
    const int one[1] = {room_at<T>(columns, k)};
    down(std::integral_constant<int, 1>{}, one);
  }
}

}  // namespace sobolev::SOBOLEV_TARGET
