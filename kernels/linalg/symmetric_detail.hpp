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
  static constexpr std::size_t block_rows = 192;
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
    const std::size_t pairs = panels_ * (panels_ + 1) / 2;
#pragma omp for schedule(dynamic, 8)
    for (std::size_t i = 0; i < pairs; ++i) {
      const auto [p, q] = pair(i);
      SOBOLEV_CALL(panel_update<T>, packed(p), packed(q), rows, c + p * width_ * ld() + q * width_, ld(),
                   false);
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
  /// The pair p ≤ q number i, in the order (0,0), (0,1), (1,1), (0,2), …
  static std::pair<std::size_t, std::size_t> pair(std::size_t i) {
    std::size_t q = 0;
    while ((q + 1) * (q + 2) / 2 <= i) ++q;
    return {i - q * (q + 1) / 2, q};
  }

 private:
  T* packed(std::size_t panel) { return packed_.data() + panel * width_ * block_rows; }
  std::size_t columns_, width_, panels_;
  Buffer<T> packed_;
};

}  // namespace sobolev::detail
