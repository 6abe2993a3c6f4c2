// SPDX-License-Identifier: Apache-2.0
#pragma once
// Host side of the symmetric updates: blocks of rows, tiles of panels, threads. C may have any row stride.
#include <algorithm>
#include <cstddef>
#include <utility>

#include "kernels/linalg/panels.hpp"
#include "kernels/linalg/scratch.hpp"

namespace sobolev::detail {

/// Adds blocks of rows to the upper triangle of a symmetric matrix.
template <class T>
class SymmetricUpdate {
 public:
  static constexpr std::size_t block_rows = 768;    // added at once: C comes from far away once for all
  static constexpr std::size_t product_rows = 384;  // of a register block's sum
  static constexpr std::size_t tile_columns = 96;   // of C: both sides' panels stay in the L2 cache
  explicit SymmetricUpdate(std::size_t columns)
      : columns_(columns),
        width_(std::size_t(SOBOLEV_CALL(panel_width<T>, ))),
        panels_((columns + width_ - 1) / width_),
        packed_(panels_ * width_ * block_rows) {}
  std::size_t bytes() const { return panels_ * width_ * block_rows * sizeof(T); }

  /// C += AᵀA for `rows` ≤ block_rows rows; row strides of A and C. Called by every thread of a parallel
  /// region; ends with a barrier.
  void add(const T* a, std::size_t stride, int rows, T* c, std::size_t ld) {
#pragma omp for schedule(static)
    for (std::size_t q = 0; q < panels_; ++q)
      SOBOLEV_CALL(panel_pack<T>, a, stride, rows, columns_, int(q), packed(q));
    for_tiles(0, panels_, [&](std::size_t left, std::size_t right, std::size_t side) {
      for (std::size_t first = 0; first < std::size_t(rows); first += product_rows)
        for_pairs(panels_, left, right, side, [&](std::size_t p, std::size_t q) {
          add_block(p, q, first, std::min(product_rows, std::size_t(rows) - first), c, ld);
        });
    });
  }

  /// tile(p, q, side) for all square tiles of `side` panels from p ≤ q on, first ≤ p. Called by every thread
  /// of a parallel region; ends with a barrier.
  template <class Tile>
  static void for_tiles(std::size_t first, std::size_t last, Tile&& tile) {
    const std::size_t side = tile_columns / std::size_t(SOBOLEV_CALL(panel_width<T>, ));
    const std::size_t tiles = (last - first + side - 1) / side;
#pragma omp for schedule(dynamic, 1)
    for (std::size_t i = 0; i < tiles * (tiles + 1) / 2; ++i) {
      const auto [left, right] = pair(i);
      tile(first + left * side, first + right * side, side);
    }
  }
  /// body(p, q) for the pairs p ≤ q < last of a tile.
  template <class Body>
  static void for_pairs(std::size_t last, std::size_t left, std::size_t right, std::size_t side,
                        Body&& body) {
    for (std::size_t q = right; q < std::min(last, right + side); ++q)
      for (std::size_t p = left; p <= q && p < left + side; ++p) body(p, q);
  }

 private:
  /// The pair p ≤ q number i, in the order (0,0), (0,1), (1,1), (0,2), …
  static std::pair<std::size_t, std::size_t> pair(std::size_t i) {
    std::size_t q = 0;
    while ((q + 1) * (q + 2) / 2 <= i) ++q;
    return {i - q * (q + 1) / 2, q};
  }

  /// Some rows' products of two panels; beside C where the block has elements outside its upper triangle.
  void add_block(std::size_t p, std::size_t q, std::size_t first, std::size_t rows, T* c, std::size_t ld) {
    const T *left = packed(p) + first * width_, *right = packed(q) + first * width_;
    if (p < q && (q + 1) * width_ <= columns_) {
      SOBOLEV_CALL(panel_update<T>, left, right, int(rows), c + p * width_ * ld + q * width_, ld, false);
      return;
    }
    alignas(64) T block[largest_width * largest_width];
    std::fill_n(block, width_ * width_, T(0));
    SOBOLEV_CALL(panel_update<T>, left, right, int(rows), block, width_, false);
    for (std::size_t i = p * width_; i < std::min(columns_, (p + 1) * width_); ++i)
      for (std::size_t j = std::max(i, q * width_); j < std::min(columns_, (q + 1) * width_); ++j)
        c[i * ld + j] += block[(i - p * width_) * width_ + (j - q * width_)];
  }

  T* packed(std::size_t panel) { return packed_.data() + panel * width_ * block_rows; }
  static constexpr std::size_t largest_width = 3 * 64 / sizeof(T);
  std::size_t columns_, width_, panels_;
  Scratch<T> packed_;
};

}  // namespace sobolev::detail
