// SPDX-License-Identifier: Apache-2.0
// C = α A B + β C.                                             a : [M, K], b : [K, N], c : [M, N]
// K in blocks of 384, of B (and of a transposed A) packed into column panels of three SIMD vectors; the rows
// of A are read where they are. Threads take 96 × 96 tiles of C, summed beside it. FLOPs 2·M·N·K, elements
// 2·M·N·K/96 of A and B from L3 and 2·M·N·K/384 of C: bound by the FMA units where M, N and K are beyond some
// 100.
#include "sobolev/linalg/gemm.hpp"

#include "kernels/linalg/panel_product_detail.hpp"
#include "kernels/linalg/panels.hpp"

SOBOLEV_DECLARE_TARGETS(
    /// C[i, q] += Σ_k A[i, k] B[k, q] for a panel of B; A with row stride.
    template <class T> void rows_product(const T* a, std::size_t stride, int rows, const T* panel, int terms,
                                         T* c, std::size_t ld);
    /// Bᵀ's panel q of `terms` rows, B : [columns, ·] with row stride; zeros beyond the last column.
    template <class T> void panel_pack_transposed(const T* b, std::size_t stride, int terms,
                                                  std::size_t columns, int q, T* panel);
    /// C = α S + β C for rows × columns elements; β = 0 reads no C.
    template <class T> void tile_combine(T alpha, const T* s, std::size_t s_stride, T beta, T* c,
                                         std::size_t c_stride, int rows, int columns);)

namespace sobolev::SOBOLEV_TARGET {
namespace {
constexpr int vectors = 3;
}

template <class T>
void rows_product(const T* a, std::size_t stride, int rows, const T* panel, int terms, T* c, std::size_t ld) {
  int i = 0;
  const auto block = [&](auto count) __attribute__((always_inline)) {
    constexpr int n = decltype(count)::value;
    const T* left[n];
    for (int m = 0; m < n; ++m) left[m] = a + std::size_t(i + m) * stride;
    panel_outer_block<T, vectors, n, 1, true, 1>(left, panel, terms, c + std::size_t(i) * ld, ld);
    i += n;
  };
  while (i + features_per_block<vectors> <= rows)
    block(std::integral_constant<int, features_per_block<vectors>>{});
  while (i + 2 <= rows) block(std::integral_constant<int, 2>{});
  if (i < rows) block(std::integral_constant<int, 1>{});
}

template <class T>
void panel_pack_transposed(const T* b, std::size_t stride, int terms, std::size_t columns, int q, T* panel) {
  constexpr int width = vectors * lanes<T>, line = 64 / int(sizeof(T));
  const std::size_t first = std::size_t(q) * width;
  const int count = columns - first < std::size_t(width) ? int(columns - first) : width;
  for (int k0 = 0; k0 < terms; k0 += line) {  // a line of each row of B at a time
    const int n = terms - k0 < line ? terms - k0 : line;
    for (int i = 0; i < width; ++i) {
      T* to = panel + k0 * width + i;
      const T* from = b + (first + std::size_t(i < count ? i : 0)) * stride + k0;
      for (int k = 0; k < n; ++k) to[k * width] = i < count ? from[k] : T(0);
    }
  }
}

template <class T>
void tile_combine(T alpha, const T* s, std::size_t s_stride, T beta, T* c, std::size_t c_stride, int rows,
                  int columns) {
  for (int i = 0; i < rows; ++i, s += s_stride, c += c_stride) {
    if (beta == 0)
      for (int j = 0; j < columns; ++j) c[j] = alpha * s[j];
    else
      for (int j = 0; j < columns; ++j) c[j] = alpha * s[j] + beta * c[j];
  }
}

#define SOBOLEV_INSTANTIATE(T)                                                               \
  template void rows_product<T>(const T*, std::size_t, int, const T*, int, T*, std::size_t); \
  template void panel_pack_transposed<T>(const T*, std::size_t, int, std::size_t, int, T*);  \
  template void tile_combine<T>(T, const T*, std::size_t, T, T*, std::size_t, int, int);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE
}  // namespace sobolev::SOBOLEV_TARGET

#if SOBOLEV_DISPATCHER
#include <omp.h>

#include <algorithm>

#include "kernels/common/threads.hpp"
#include "kernels/linalg/gemm_shapes.hpp"
#include "kernels/linalg/scratch.hpp"

namespace sobolev {
namespace {
constexpr std::size_t block_terms = 384, tile_side = 96;
}

template <class T>
void gemm(const Cpu& cpu, T alpha, View<const T, 2> a, View<const T, 2> b, T beta, View<T, 2> c,
          const GemmOptions& options) {
  detail::check_gemm_shapes(a.shape(), b.shape(), c.shape(), options.transpose_a, options.transpose_b);
  const std::size_t m = c.extent(0), n = c.extent(1), terms = a.extent(options.transpose_a ? 0 : 1);
  if (m == 0 || n == 0) return;
  const std::size_t width = std::size_t(SOBOLEV_CALL(panel_width<T>, )), side = tile_side / width;
  const std::size_t block = std::min(terms, block_terms), lda = a.extent(1), ldb = b.extent(1);
  const std::size_t left_panels = options.transpose_a ? (m + width - 1) / width : 0,
                    right_panels = (n + width - 1) / width;
  const std::size_t tile_rows = (m + tile_side - 1) / tile_side,
                    tile_columns = (n + tile_side - 1) / tile_side;
  const int threads =
      detail::threads_for(cpu, 2 * double(m) * double(n) * double(std::max<std::size_t>(block, 1)));
  detail::Scratch<T> left(left_panels * width * block), right(right_panels * width * block),
      sums(std::size_t(threads) * tile_side * tile_side);
  const auto left_panel = [&](std::size_t p) { return left.data() + p * width * block; };
  const auto right_panel = [&](std::size_t q) { return right.data() + q * width * block; };
#pragma omp parallel num_threads(threads)
  {
    T* const sum = sums.data() + std::size_t(omp_get_thread_num()) * tile_side * tile_side;
    for (std::size_t first = 0; first == 0 || first < terms; first += block_terms) {
      const int count = int(std::min(block, terms - first));
#pragma omp for schedule(static)
      for (std::size_t i = 0; i < left_panels + right_panels; ++i) {
        const std::size_t q = i - left_panels;
        if (i < left_panels)
          SOBOLEV_CALL(panel_pack<T>, a.data() + first * lda, lda, count, m, int(i), left_panel(i));
        else if (options.transpose_b)
          SOBOLEV_CALL(panel_pack_transposed<T>, b.data() + first, ldb, count, n, int(q), right_panel(q));
        else
          SOBOLEV_CALL(panel_pack<T>, b.data() + first * ldb, ldb, count, n, int(q), right_panel(q));
      }
#pragma omp for schedule(dynamic, 1)
      for (std::size_t tile = 0; tile < tile_rows * tile_columns; ++tile) {
        const std::size_t i = tile / tile_columns * tile_side, j = tile % tile_columns * tile_side;
        const int rows = int(std::min(tile_side, m - i)), columns = int(std::min(tile_side, n - j));
        std::fill_n(sum, tile_side * tile_side, T(0));
        for (std::size_t q = 0; q < side && j + q * width < n; ++q) {
          const T* panel = right_panel(j / width + q);
          T* to = sum + q * width;
          if (options.transpose_a)
            for (std::size_t p = 0; p < side && i + p * width < m; ++p)
              SOBOLEV_CALL(panel_update<T>, left_panel(i / width + p), panel, count,
                           to + p * width * tile_side, tile_side, false);
          else
            SOBOLEV_CALL(rows_product<T>, a.data() + i * lda + first, lda, rows, panel, count, to, tile_side);
        }
        SOBOLEV_CALL(tile_combine<T>, alpha, sum, tile_side, first == 0 ? beta : T(1), c.data() + i * n + j,
                     n, rows, columns);
      }
    }
  }
}

template <class T>
void gemm(const Cpu& cpu, T alpha, View<const T, 3> a, View<const T, 3> b, T beta, View<T, 3> c,
          const GemmOptions& options) {
  const std::size_t count = c.extent(0);
  detail::check_gemm_batch(a.extent(0), b.extent(0), count);
  const auto product = [&](const Cpu& on, std::size_t i) {
    const auto matrix = [i](const auto& x) {
      using Element = std::remove_reference_t<decltype(*x.data())>;
      const std::size_t rows = x.extent(1), columns = x.extent(2);
      return View<Element, 2>(x.data() + i * rows * columns, rows, columns);
    };
    gemm<T>(on, alpha, matrix(a), matrix(b), beta, matrix(c), options);
  };
  // Many products: each by one thread. Few: each by all threads.
  if (count < 4 * std::size_t(cpu.threads())) {
    for (std::size_t i = 0; i < count; ++i) product(cpu, i);
    return;
  }
  product(cpu, 0);  // refuses shapes outside of the parallel region
  const Cpu one(1);
  const int threads =
      detail::threads_for(cpu, 2 * double(c.size()) * double(a.extent(options.transpose_a ? 1 : 2)));
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
  for (std::size_t i = 1; i < count; ++i) product(one, i);
}

#define SOBOLEV_INSTANTIATE(T)                                                            \
  template void gemm<T>(const Cpu&, T, View<const T, 2>, View<const T, 2>, T, View<T, 2>, \
                        const GemmOptions&);                                              \
  template void gemm<T>(const Cpu&, T, View<const T, 3>, View<const T, 3>, T, View<T, 3>, const GemmOptions&);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE
}  // namespace sobolev
#endif
