// SPDX-License-Identifier: Apache-2.0
#pragma once
// Host side of the symmetric updates: blocks of rows, pairs of panels, threads.
#include <algorithm>
#include <cstddef>

#include "kernels/linalg/panels.hpp"
#include "sobolev/core/buffer.hpp"

namespace sobolev::detail {

/// Adds blocks of rows to a symmetric matrix kept with padded rows and columns.
template <class T>
class SymmetricUpdate {
 public:
  static constexpr std::size_t block_rows = 384;
  static constexpr std::size_t tile_columns = 48;  // of C done at once: two row blocks stay in the L2 cache
  explicit SymmetricUpdate(std::size_t columns)
      : columns_(columns),
        width_(std::size_t(SOBOLEV_CALL(panel_width<T>, ))),
        panels_((columns + width_ - 1) / width_),
        packed_(panels_ * width_ * block_rows) {}
  std::size_t ld() const { return panels_ * width_; }
  std::size_t size() const { return ld() * ld(); }
  std::size_t bytes() const { return packed_.size() * sizeof(T); }

  /// C += AᵀA for `rows` ≤ block_rows rows. Called by every thread of a parallel region; ends with a barrier.
  void add(const T* a, std::size_t stride, int rows, T* c) {
#pragma omp for schedule(static)
    for (std::size_t q = 0; q < panels_; ++q)
      SOBOLEV_CALL(panel_pack<T>, a, stride, rows, columns_, int(q), packed(q));
    for_pairs(0, panels_, [&](std::size_t p, std::size_t q) {
      SOBOLEV_CALL(panel_update<T>, packed(p), packed(q), rows, c + p * width_ * ld() + q * width_, ld(),
                   false);
    });
  }

  /// body(p, q) for all pairs of panels first ≤ p ≤ q < last, tile by tile. Called by every thread of a
  /// parallel region; ends with a barrier.
  template <class Body>
  static void for_pairs(std::size_t first, std::size_t last, Body&& body) {
    const std::size_t side = tile_columns / std::size_t(SOBOLEV_CALL(panel_width<T>, ));
    const std::size_t tiles = (last - first + side - 1) / side;
#pragma omp for schedule(dynamic, 1)
    for (std::size_t i = 0; i < tiles * (tiles + 1) / 2; ++i) {
      const auto [left, right] = pair(i);
      for (std::size_t q = first + right * side; q < std::min(last, first + (right + 1) * side); ++q)
        for (std::size_t p = first + left * side; p <= q && p < first + (left + 1) * side; ++p) body(p, q);
    }
  }

  void pad(const T* from, std::size_t stride, T* c) const {
    for (std::size_t i = 0; i < columns_; ++i)
      std::copy(from + i * stride + i, from + i * stride + columns_, c + i * ld() + i);
  }
  void unpad(const T* c, T* to, std::size_t stride) const {
    for (std::size_t i = 0; i < columns_; ++i)
      std::copy(c + i * ld() + i, c + i * ld() + columns_, to + i * stride + i);
  }

 private:
  /// The pair p ≤ q number i, in the order (0,0), (0,1), (1,1), (0,2), …
  static std::pair<std::size_t, std::size_t> pair(std::size_t i) {
    std::size_t q = 0;
    while ((q + 1) * (q + 2) / 2 <= i) ++q;
    return {i - q * (q + 1) / 2, q};
  }
  T* packed(std::size_t panel) { return packed_.data() + panel * width_ * block_rows; }
  std::size_t columns_, width_, panels_;
  Buffer<T> packed_;
};

}  // namespace sobolev::detail
