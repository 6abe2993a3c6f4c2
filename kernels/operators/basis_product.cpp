// SPDX-License-Identifier: Apache-2.0
// y(b, p, o) = Σ_k β(b, o, k) τ(t, p, o, k) + c(o), and its adjoint.     β : [B, O K], τ : [B or 1, P, O K]
// Forward: dot products along k, four samples by four points at a time in registers, lanes added at the end.
// Adjoints: rows of β̄ and τ̄, four of them by two vectors of k, over all points or samples. 2 B P O K FLOPs
// forward, 4 B P O K backward. Where τ is shared they are products of matrices, bound by the FMA units; else
// τ and τ̄ are moved once, B P O K numbers each: bound by memory.
#include "sobolev/operators/basis_product.hpp"

#include "kernels/common/dispatch.hpp"
#include "kernels/common/simd.hpp"
#include "kernels/operators/row_sums_detail.hpp"

SOBOLEV_DECLARE_TARGETS(
    /// y[i i_step + j j_step] = start + Σ_k a[i a_step + k] b[j b_step + k].
    template <class T> void basis_dots(const T* a, std::size_t a_step, std::size_t a_rows, const T* b,
                                       std::size_t b_step, std::size_t b_rows, std::size_t terms, T start,
                                       T* y, std::size_t i_step, std::size_t j_step);
    /// to[i to_step + k] (+)= Σ_t f[i f_row + t f_column] x[t x_step + k].
    template <class T> void basis_sums(const T* f, std::size_t f_row, std::size_t f_column, const T* x,
                                       std::size_t x_step, std::size_t rows, std::size_t terms,
                                       std::size_t columns, bool add, T* to, std::size_t to_step);)

namespace sobolev::SOBOLEV_TARGET {
namespace {
constexpr int block = 4;

template <class T, int ni, int nj>
SOBOLEV_INLINE void dots(const T* a, std::size_t a_step, const T* b, std::size_t b_step, std::size_t terms,
                         T start, T* y, std::size_t i_step, std::size_t j_step) {
  Vec<T> sum[ni][nj] = {};
  for (std::size_t k = 0; k < terms; k += lanes<T>) {
    const int room = room_at<T>(terms, k);
    Vec<T> right[nj];
#pragma GCC unroll 4
    for (int j = 0; j < nj; ++j) right[j] = load_part<T>(b + std::size_t(j) * b_step + k, room);
#pragma GCC unroll 4
    for (int i = 0; i < ni; ++i) {
      const Vec<T> left = load_part<T>(a + std::size_t(i) * a_step + k, room);
#pragma GCC unroll 4
      for (int j = 0; j < nj; ++j) sum[i][j] += left * right[j];
    }
  }
  for (int i = 0; i < ni; ++i)
    for (int j = 0; j < nj; ++j)
      y[std::size_t(i) * i_step + std::size_t(j) * j_step] = start + sum_lanes<T>(sum[i][j]);
}
}  // namespace

template <class T>
void basis_dots(const T* a, std::size_t a_step, std::size_t a_rows, const T* b, std::size_t b_step,
                std::size_t b_rows, std::size_t terms, T start, T* y, std::size_t i_step,
                std::size_t j_step) {
  const auto across = [&](auto ni, std::size_t i) __attribute__((always_inline)) {
    constexpr int rows = decltype(ni)::value;
    std::size_t j = 0;
    for (; j + block <= b_rows; j += block)
      dots<T, rows, block>(a + i * a_step, a_step, b + j * b_step, b_step, terms, start,
                           y + i * i_step + j * j_step, i_step, j_step);
    for (; j < b_rows; ++j)
      dots<T, rows, 1>(a + i * a_step, a_step, b + j * b_step, b_step, terms, start,
                       y + i * i_step + j * j_step, i_step, j_step);
  };
  std::size_t i = 0;
  for (; i + block <= a_rows; i += block) across(std::integral_constant<int, block>{}, i);
  for (; i < a_rows; ++i) across(std::integral_constant<int, 1>{}, i);
}

template <class T>
void basis_sums(const T* f, std::size_t f_row, std::size_t f_column, const T* x, std::size_t x_step,
                std::size_t rows, std::size_t terms, std::size_t columns, bool add, T* to,
                std::size_t to_step) {
  row_sums<T>(f, f_row, f_column, x, x_step, rows, terms, columns, add, to, to_step);
}

#define SOBOLEV_INSTANTIATE(T)                                                                        \
  template void basis_dots<T>(const T*, std::size_t, std::size_t, const T*, std::size_t, std::size_t, \
                              std::size_t, T, T*, std::size_t, std::size_t);                          \
  template void basis_sums<T>(const T*, std::size_t, std::size_t, const T*, std::size_t, std::size_t, \
                              std::size_t, std::size_t, bool, T*, std::size_t);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE
}  // namespace sobolev::SOBOLEV_TARGET

#if SOBOLEV_DISPATCHER
#include <algorithm>

#include "kernels/common/threads.hpp"
#include "kernels/operators/basis_product_shapes.hpp"

namespace sobolev {
namespace {
constexpr std::size_t tile = 64;  // points or samples of one thread at a time
}

template <class T>
void basis_product(const Cpu& cpu, View<const T, 2> branch, View<const T, 3> trunk, View<const T, 1> bias,
                   View<T, 3> y) {
  const auto s =
      detail::basis_product_shape("basis_product", branch.shape(), trunk.shape(), bias.size(), y.shape());
  const std::size_t row = s.outputs * s.basis, samples = s.shared ? s.batch : 1,
                    groups = s.shared ? 1 : s.batch, tiles = (s.points + tile - 1) / tile;
  const int threads = detail::threads_for(cpu, 2 * double(y.size()) * double(s.basis));
#pragma omp parallel for num_threads(threads) schedule(static)
  for (std::size_t task = 0; task < groups * tiles; ++task) {
    const std::size_t g = task / tiles, p = task % tiles * tile;
    for (std::size_t o = 0; o < s.outputs; ++o)
      SOBOLEV_CALL(basis_dots<T>, branch.data() + g * row + o * s.basis, row, samples,
                   trunk.data() + (g * s.points + p) * row + o * s.basis, row, std::min(tile, s.points - p),
                   s.basis, bias.size() > 0 ? bias.data()[o] : T(0),
                   y.data() + (g * s.points + p) * s.outputs + o, s.points * s.outputs, s.outputs);
  }
}

template <class T>
void basis_product_adjoint(const Cpu& cpu, View<const T, 2> branch, View<const T, 3> trunk,
                           View<const T, 3> y_bar, View<T, 2> branch_bar, bool add_branch,
                           View<T, 3> trunk_bar, bool add_trunk, View<T, 1> bias_bar) {
  const auto s = detail::basis_product_adjoint_shape(branch.shape(), trunk.shape(), y_bar.shape(),
                                                     branch_bar.shape(), trunk_bar.shape(), bias_bar.size());
  const std::size_t row = s.outputs * s.basis, samples = s.shared ? s.batch : 1,
                    groups = s.shared ? 1 : s.batch, field = s.points * s.outputs,
                    tiles = (s.points + tile - 1) / tile;
  const int threads = detail::threads_for(cpu, 4 * double(y_bar.size()) * double(s.basis));
  if (branch_bar.size() > 0) {
    constexpr std::size_t together = 4;  // samples
#pragma omp parallel for num_threads(threads) schedule(static)
    for (std::size_t b = 0; b < s.batch; b += s.shared ? together : 1)
      for (std::size_t o = 0; o < s.outputs; ++o)
        SOBOLEV_CALL(basis_sums<T>, y_bar.data() + b * field + o, field, s.outputs,
                     trunk.data() + (s.shared ? 0 : b * s.points * row) + o * s.basis, row,
                     s.shared ? std::min(together, s.batch - b) : 1, s.points, s.basis, add_branch,
                     branch_bar.data() + b * row + o * s.basis, row);
  }
  if (trunk_bar.size() > 0) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (std::size_t task = 0; task < groups * tiles; ++task) {
      const std::size_t g = task / tiles, p = task % tiles * tile;
      for (std::size_t o = 0; o < s.outputs; ++o)
        SOBOLEV_CALL(basis_sums<T>, y_bar.data() + g * field + p * s.outputs + o, s.outputs, field,
                     branch.data() + g * row + o * s.basis, row, std::min(tile, s.points - p), samples,
                     s.basis, add_trunk, trunk_bar.data() + (g * s.points + p) * row + o * s.basis, row);
    }
  }
  for (std::size_t o = 0; o < bias_bar.size(); ++o) {
    double sum = 0;
    for (std::size_t i = o; i < y_bar.size(); i += s.outputs) sum += double(y_bar.data()[i]);
    bias_bar.data()[o] += T(sum);
  }
}

#define SOBOLEV_INSTANTIATE(T)                                                                             \
  template void basis_product<T>(const Cpu&, View<const T, 2>, View<const T, 3>, View<const T, 1>,         \
                                 View<T, 3>);                                                              \
  template void basis_product_adjoint<T>(const Cpu&, View<const T, 2>, View<const T, 3>, View<const T, 3>, \
                                         View<T, 2>, bool, View<T, 3>, bool, View<T, 1>);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE
}  // namespace sobolev
#endif
