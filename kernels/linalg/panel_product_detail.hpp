// SPDX-License-Identifier: Apache-2.0
#pragma once
// The three matrix products of a dense layer on one tile, register blocked.
//
// A tile matrix M has R rows (channel · point) and C columns (features), stored in column panels of
// NV vectors: M[panel][row][width], width = NV·lanes. So A·W, dZ·Wᵀ and Aᵀ·dZ all read contiguous
// memory: no transposition, no sum over lanes. Weights are packed as [panel of columns][row][width].
//
// FLOPs per product 2·R·C_in·C_out. Per FMA of a vector the kernels load (1/NV + 1/MR) operands, so
// they are bound by the FMA units where NV·MR accumulators fill the registers.
#include <type_traits>

#include "kernels/common/simd.hpp"

namespace sobolev::SOBOLEV_TARGET {

/// Rows per register block for panels of nv vectors: divisors of tile_granule_points (mlp_tile.hpp).
template <int nv>
inline constexpr int rows_per_block = simd_registers >= 32 ? (nv <= 2   ? 12
                                                              : nv == 3 ? 8
                                                                        : 6)
                                                           : (nv == 1   ? 8
                                                              : nv == 2 ? 6
                                                              : nv == 3 ? 4
                                                                        : 3);
/// Rows of dW (features of A) per register block.
template <int nv>
inline constexpr int features_per_block = simd_registers >= 32 ? 8
                                                               : (nv == 1   ? 8
                                                                  : nv == 2 ? 6
                                                                            : 4);

/// C = A·B (+ bias): rows `rows` (a multiple of rows_per_block) of one output panel.
/// a : panels [panel][a_rows][width], k columns used; b : [k][width]; c : [rows][width]; bias : [width] or
/// null.
template <class T, int nv>
SOBOLEV_INLINE void panel_product_block(const T* a, std::size_t a_panel, int k, const T* b, const T* bias,
                                        T* c) {
  constexpr int width = nv * lanes<T>, mr = rows_per_block<nv>;
  Vec<T> sum[mr][nv];
#pragma GCC unroll 16
  for (int m = 0; m < mr; ++m)
#pragma GCC unroll 4
    for (int v = 0; v < nv; ++v) sum[m][v] = bias ? load<T>(bias + v * lanes<T>) : Vec<T>{};
  for (int k0 = 0; k0 < k; k0 += width, a += a_panel) {
    const int count = k - k0 < width ? k - k0 : width;
    const T* column = a;
#pragma GCC unroll 4
    for (int i = 0; i < count; ++i, ++column, b += width) {
      Vec<T> right[nv];
#pragma GCC unroll 4
      for (int v = 0; v < nv; ++v) right[v] = load<T>(b + v * lanes<T>);
#pragma GCC unroll 16
      for (int m = 0; m < mr; ++m) {
        const Vec<T> left = broadcast<T>(column[m * width]);
#pragma GCC unroll 4
        for (int v = 0; v < nv; ++v) sum[m][v] += left * right[v];
      }
    }
  }
#pragma GCC unroll 16
  for (int m = 0; m < mr; ++m)
#pragma GCC unroll 4
    for (int v = 0; v < nv; ++v) store<T>(c + m * width + v * lanes<T>, sum[m][v]);
}

/// One output panel: bias on rows below bias_rows only (channel 0).
template <class T, int nv>
SOBOLEV_INLINE void panel_product(const T* a, std::size_t a_panel, int rows, int k, const T* b, const T* bias,
                                  int bias_rows, T* c) {
  constexpr int width = nv * lanes<T>, mr = rows_per_block<nv>;
  for (int r = 0; r < rows; r += mr)
    panel_product_block<T, nv>(a + std::size_t(r) * width, a_panel, k, b, r < bias_rows ? bias : nullptr,
                               c + std::size_t(r) * width);
}

/// c[m] += sign · Σ_r left[m][r·step] · d[r] for mr features, whose columns start at left[m]: c :
/// [mr][stride]. far: for operands beyond the first cache; rows to come, and c, are asked for ahead of their
/// use.
template <class T, int nv, int mr, int sign, bool far, int step = nv* lanes<T>>
SOBOLEV_INLINE void panel_outer_block(const T* const* left, const T* d, int rows, T* c, std::size_t stride) {
  constexpr int width = nv * lanes<T>;
  Vec<T> sum[mr][nv] = {};
  const T* column[mr];
#pragma GCC unroll 16
  for (int m = 0; m < mr; ++m) {
    column[m] = left[m];
    if constexpr (far) {
#pragma GCC unroll 4
      for (int v = 0; v < nv; ++v) __builtin_prefetch(c + std::size_t(m) * stride + v * lanes<T>, 1);
    }
  }
  const std::size_t end = std::size_t(rows) * width;
#pragma GCC unroll 2
  for (std::size_t r = 0, l = 0; r < end; r += width, l += step) {
    Vec<T> right[nv];
    if constexpr (far) {
      constexpr std::size_t ahead = 24;
      if constexpr (step > 1) __builtin_prefetch(column[0] + l + ahead * step);
#pragma GCC unroll 4
      for (int v = 0; v < nv; ++v) __builtin_prefetch(d + r + ahead * width + v * lanes<T>);
    }
#pragma GCC unroll 4
    for (int v = 0; v < nv; ++v) right[v] = load<T>(d + r + v * lanes<T>);
#pragma GCC unroll 16
    for (int m = 0; m < mr; ++m) {
      const Vec<T> x = broadcast<T>(column[m][l]);
#pragma GCC unroll 4
      for (int v = 0; v < nv; ++v) sum[m][v] += x * right[v];
    }
  }
#pragma GCC unroll 16
  for (int m = 0; m < mr; ++m) {
    T* out = c + std::size_t(m) * stride;
#pragma GCC unroll 4
    for (int v = 0; v < nv; ++v) {
      T* p = out + v * lanes<T>;
      store<T>(p, sign > 0 ? load<T>(p) + sum[m][v] : load<T>(p) - sum[m][v]);
    }
  }
}

/// C += sign · Aᵀ·D for one panel of D and the first `features` columns of A, which may end within a panel:
/// a : panels [panel][a_panel], c : [features][stride]. Blocks of features run across the panels of A.
template <class T, int nv, int sign = 1, bool far = false>
SOBOLEV_INLINE void panel_outer(const T* a, std::size_t a_panel, const T* d, int rows, int features, T* c,
                                std::size_t stride) {
  constexpr int width = nv * lanes<T>, mr = features_per_block<nv>;
  int f = 0;
  const auto block = [&](auto count) __attribute__((always_inline)) {
    constexpr int n = decltype(count)::value;
    const T* left[n];
    for (int m = 0; m < n; ++m)
      left[m] = a + std::size_t((f + m) / width) * a_panel + std::size_t((f + m) % width);
    panel_outer_block<T, nv, n, sign, far>(left, d, rows, c + std::size_t(f) * stride, stride);
    f += n;
  };
  while (f + mr <= features) block(std::integral_constant<int, mr>{});
  while (f + 2 <= features) block(std::integral_constant<int, 2>{});
  if (f < features) block(std::integral_constant<int, 1>{});
}

}  // namespace sobolev::SOBOLEV_TARGET
