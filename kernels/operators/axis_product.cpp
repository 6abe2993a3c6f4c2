// SPDX-License-Identifier: Apache-2.0
// y(b, i, j) (+)= Σ_k D(i, k) x(b, k, j), a matrix along one axis.          x : [B, n, R], y : [B, m, R]
// Four rows i by two vectors of j in registers, over the k between the first and the last number of the four
// rows that is not 0; along the last axis, R = 1, four fields b by two vectors of i. 2 B m n R FLOPs of a
// full matrix: bound by the FMA units; of a banded one by B (n + m) R numbers moved.
#include "sobolev/operators/axis_product.hpp"

#include "kernels/common/dispatch.hpp"
#include "kernels/common/simd.hpp"
#include "kernels/operators/row_sums_detail.hpp"

SOBOLEV_DECLARE_TARGETS(
    /// One field, rows × n times n × R.
    template <class T> void axis_rows(const T* matrix, std::size_t n, std::size_t rows, const T* x,
                                      std::size_t inner, bool add, T* y);
    /// Fields of the last axis: y = x Dᵀ.
    template <class T> void axis_fields(const T* turned, std::size_t n, std::size_t m, std::size_t fields,
                                        const T* x, bool add, T* y);)

namespace sobolev::SOBOLEV_TARGET {
template <class T>
void axis_rows(const T* matrix, std::size_t n, std::size_t rows, const T* x, std::size_t inner, bool add,
               T* y) {
  for (std::size_t i = 0; i < rows; i += sums_block) {
    const std::size_t count = rows - i < std::size_t(sums_block) ? rows - i : std::size_t(sums_block);
    const T* const at = matrix + i * n;
    const auto any = [&](std::size_t k) {
      for (std::size_t r = 0; r < count; ++r)
        if (at[r * n + k] != T(0)) return true;
      return false;
    };
    std::size_t first = 0, last = n;
    while (first < last && !any(first)) ++first;
    while (last > first && !any(last - 1)) --last;
    row_sums<T>(at + first, n, 1, x + first * inner, inner, count, last - first, inner, add, y + i * inner,
                inner);
  }
}

template <class T>
void axis_fields(const T* turned, std::size_t n, std::size_t m, std::size_t fields, const T* x, bool add,
                 T* y) {
  row_sums<T>(x, n, 1, turned, m, fields, n, m, add, y, m);
}

#define SOBOLEV_INSTANTIATE(T)                                                                     \
  template void axis_rows<T>(const T*, std::size_t, std::size_t, const T*, std::size_t, bool, T*); \
  template void axis_fields<T>(const T*, std::size_t, std::size_t, std::size_t, const T*, bool, T*);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE
}  // namespace sobolev::SOBOLEV_TARGET

#if SOBOLEV_DISPATCHER
#include <algorithm>

#include "kernels/common/threads.hpp"
#include "kernels/operators/axis_product_shapes.hpp"

namespace sobolev {
template <class T>
void axis_product(const Cpu& cpu, View<const T, 2> matrix, View<const T, 2> turned, View<const T, 3> x,
                  View<T, 3> y, bool add) {
  detail::check_axis_product(matrix.shape(), turned.shape(), x.shape(), y.shape());
  constexpr std::size_t tile = 16;  // rows or fields of one thread at a time
  const std::size_t batch = x.extent(0), n = x.extent(1), m = y.extent(1), inner = x.extent(2);
  const int threads = detail::threads_for(cpu, 2 * double(y.size()) * double(n));
  if (inner == 1) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (std::size_t b = 0; b < batch; b += tile)
      SOBOLEV_CALL(axis_fields<T>, turned.data(), n, m, std::min(tile, batch - b), x.data() + b * n, add,
                   y.data() + b * m);
    return;
  }
  const std::size_t tiles = (m + tile - 1) / tile;
#pragma omp parallel for num_threads(threads) schedule(static)
  for (std::size_t task = 0; task < batch * tiles; ++task) {
    const std::size_t b = task / tiles, i = task % tiles * tile;
    SOBOLEV_CALL(axis_rows<T>, matrix.data() + i * n, n, std::min(tile, m - i), x.data() + b * n * inner,
                 inner, add, y.data() + (b * m + i) * inner);
  }
}

#define SOBOLEV_INSTANTIATE(T)                                                                    \
  template void axis_product<T>(const Cpu&, View<const T, 2>, View<const T, 2>, View<const T, 3>, \
                                View<T, 3>, bool);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE
}  // namespace sobolev
#endif
