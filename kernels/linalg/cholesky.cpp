// SPDX-License-Identifier: Apache-2.0
// A = UᵀU, upper triangle, and its solution.                                            a : [P, P]
// Right-looking in passes of 192 rows, each two blocks of 96: a block's diagonal by one thread, then its rows
// by panels of three SIMD vectors, by all threads; the trailing update once per pass by pairs of panels.
// FLOPs P³/3, elements about P³/(3·192) of the matrix read and written in L3: bound by the FMA units for P
// beyond a few hundred, by the diagonal blocks (96³/3 FLOPs each, one thread) below.
#include "sobolev/linalg/cholesky.hpp"

#include "kernels/linalg/panel_product_detail.hpp"
#include "kernels/linalg/panels.hpp"

namespace sobolev::SOBOLEV_TARGET {
namespace {
constexpr int vectors = 3;
}  // namespace

template <class T>
bool panel_factor(T* c, std::size_t ld, T* block) {
  constexpr int width = vectors * lanes<T>;
  for (int r = 0; r < width; ++r)
    for (int v = 0; v < width; v += lanes<T>)
      store<T>(block + r * width + v, load<T>(c + std::size_t(r) * ld + v));
  for (int r = 0; r < width; ++r) {
    T* row = block + r * width;
    if (!(row[r] > 0) || row[r] - row[r] != 0) return false;  // not positive, or not finite
    const T inverse = T(1) / square_root(row[r]);
    for (int v = 0; v < width; v += lanes<T>) store<T>(row + v, load<T>(row + v) * inverse);
    for (int s = r + 1; s < width; ++s) {
      const Vec<T> factor = broadcast<T>(row[s]);
      T* below = block + s * width;
      for (int v = s / lanes<T> * lanes<T>; v < width; v += lanes<T>)
        store<T>(below + v, load<T>(below + v) - factor * load<T>(row + v));
    }
  }
  for (int r = 0; r < width; ++r)
    for (int i = r; i < width; ++i) c[std::size_t(r) * ld + std::size_t(i)] = block[r * width + i];
  return true;
}

template <class T>
void panel_solve(const T* block, T* c, std::size_t ld, T* panel) {
  constexpr int width = vectors * lanes<T>;
  for (int r = 0; r < width; ++r)
    for (int v = 0; v < width; v += lanes<T>)
      store<T>(panel + r * width + v, load<T>(c + std::size_t(r) * ld + v));
  for (int r = 0; r < width; ++r) {
    const T inverse = T(1) / block[r * width + r];
    Vec<T> row[vectors];
    for (int v = 0; v < vectors; ++v) {
      row[v] = load<T>(panel + r * width + v * lanes<T>) * inverse;
      store<T>(panel + r * width + v * lanes<T>, row[v]);
      store<T>(c + std::size_t(r) * ld + std::size_t(v * lanes<T>), row[v]);
    }
    for (int s = r + 1; s < width; ++s) {
      const Vec<T> factor = broadcast<T>(block[r * width + s]);
      for (int v = 0; v < vectors; ++v) {
        T* p = panel + s * width + v * lanes<T>;
        store<T>(p, load<T>(p) - factor * row[v]);
      }
    }
  }
}

template bool panel_factor<float>(float*, std::size_t, float*);
template bool panel_factor<double>(double*, std::size_t, double*);
template void panel_solve<float>(const float*, float*, std::size_t, float*);
template void panel_solve<double>(const double*, double*, std::size_t, double*);
}  // namespace sobolev::SOBOLEV_TARGET

#if SOBOLEV_DISPATCHER

#include "kernels/common/threads.hpp"
#include "kernels/linalg/scratch.hpp"
#include "kernels/linalg/symmetric_detail.hpp"
#include "kernels/linalg/symmetric_shapes.hpp"
#include "sobolev/core/error.hpp"

namespace sobolev {
namespace {
// Both panel widths, 3·lanes of any instruction set, divide the block.
constexpr std::size_t block_rows = 96, pass_rows = 2 * block_rows;

/// Panels of a matrix of p rows, and the parts of the scratch memory.
struct CholeskyLayout {
  std::size_t width, panels, ld;
  std::size_t copy, blocks, rows;  // elements; copy: unless whole panels make up the matrix
  std::size_t size() const { return copy + blocks + rows; }
};
template <class T>
CholeskyLayout cholesky_layout(std::size_t p) {
  const std::size_t width = std::size_t(SOBOLEV_CALL(panel_width<T>, ));
  const std::size_t panels = (p + width - 1) / width, ld = panels * width;
  return {width, panels, ld, p == ld ? 0 : ld * ld, block_rows * width, panels * pass_rows * width};
}
}  // namespace

template <class T>
std::size_t cholesky_scratch(const Cpu&, std::size_t p) {
  return cholesky_layout<T>(p).size();
}

template <class T>
bool cholesky(const Cpu& cpu, View<T, 2> a) {
  detail::check_cholesky_shapes(a.shape());
  const std::size_t size = cholesky_scratch<T>(cpu, a.extent(0));
  detail::Scratch<T> scratch(size);
  return cholesky<T>(cpu, a, View<T, 1>(scratch.data(), size));
}

template <class T>
bool cholesky(const Cpu& cpu, View<T, 2> a, View<T, 1> scratch) {
  detail::check_cholesky_shapes(a.shape());
  const std::size_t p = a.extent(0);
  if (p == 0) return true;
  const CholeskyLayout layout = cholesky_layout<T>(p);
  require(scratch.size() >= layout.size(), "cholesky: the scratch memory is too small");
  const std::size_t width = layout.width, panels = layout.panels, ld = layout.ld;
  const std::size_t steps = block_rows / width;
  // In place when whole panels make up the matrix, else in a copy with the identity beyond it.
  T* const c = layout.copy == 0 ? a.data() : scratch.data();
  T* const blocks = scratch.data() + layout.copy;
  T* const rows = blocks + layout.blocks;
  if (layout.copy > 0) {
    std::fill_n(c, layout.copy, T(0));
    for (std::size_t i = 0; i < ld; ++i) {
      if (i < p)
        std::copy(a.data() + i * p + i, a.data() + i * p + p, c + i * ld + i);
      else
        c[i * ld + i] = 1;
    }
  }
  const auto at = [&](std::size_t row_panel, std::size_t column_panel) {
    return c + row_panel * width * ld + column_panel * width;
  };
  // Panel j of the rows of U since the last pass, the row panel l first.
  const auto packed = [&](std::size_t l, std::size_t j) {
    return rows + j * pass_rows * width + l * width % pass_rows * width;
  };
  // C[l, j] −= Σ U[m, l]ᵀ U[m, j] over the row panels first ≤ m < last of this pass.
  const auto update = [&](std::size_t l, std::size_t j, std::size_t first, std::size_t last) {
    if (first < last)
      SOBOLEV_CALL(panel_update<T>, packed(first, l), packed(first, j), int((last - first) * width), at(l, j),
                   ld, true);
  };
  const auto solve = [&](std::size_t l, std::size_t j) {
    SOBOLEV_CALL(panel_solve<T>, blocks + l % steps * width * width, at(l, j), ld, packed(l, j));
  };
  using Update = detail::SymmetricUpdate<T>;
  bool definite = true;
  // Operations of all threads between two barriers, about: a block row and its update.
  const int threads = detail::threads_for(cpu, double(p) * double(p) * double(block_rows) / 6);
#pragma omp parallel num_threads(threads)
  for (std::size_t k = 0, pass = 0; k < panels; k += steps) {
    const std::size_t end = std::min(panels, k + steps);
    if (pass < k) {  // what the rows of this pass above take from this block row
#pragma omp for schedule(dynamic, 1)
      for (std::size_t j = k; j < panels; ++j)
        for (std::size_t l = k; l < end && l <= j; ++l) update(l, j, pass, k);
    }
#pragma omp single
    for (std::size_t s = k; s < end && definite; ++s) {
      update(s, s, k, s);
      definite = SOBOLEV_CALL(panel_factor<T>, at(s, s), ld, blocks + s % steps * width * width);
      for (std::size_t j = s + 1; j < end && definite; ++j) {
        update(s, j, k, s);
        solve(s, j);
      }
    }
    if (!definite || end == panels) break;  // the same for all threads: the single region ends with a barrier
#pragma omp for schedule(static)
    for (std::size_t j = end; j < panels; ++j)
      for (std::size_t s = k; s < end; ++s) {
        update(s, j, k, s);
        solve(s, j);
      }
    if (end * width % pass_rows == 0) {  // and from all that is left
      Update::for_tiles(end, panels, [&](std::size_t left, std::size_t right, std::size_t side) {
        Update::for_pairs(panels, left, right, side,
                          [&](std::size_t l, std::size_t j) { update(l, j, pass, end); });
      });
      pass = end;
    }
  }
  if (layout.copy > 0)
    for (std::size_t i = 0; i < p; ++i) std::copy(c + i * ld + i, c + i * ld + p, a.data() + i * p + i);
  return definite;
}

template <class T>
void cholesky_solve(const Cpu&, View<const T, 2> u, View<T, 1> b) {
  detail::check_cholesky_solve_shapes(u.shape(), b.size());
  const std::size_t p = u.extent(0);
  T* x = b.data();
  for (std::size_t r = 0; r < p; ++r) {
    const T* row = u.data() + r * p;
    x[r] /= row[r];
    const T value = x[r];
    for (std::size_t j = r + 1; j < p; ++j) x[j] -= row[j] * value;
  }
  for (std::size_t r = p; r-- > 0;) {
    const T* row = u.data() + r * p;
    T sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::size_t j = r + 1; j < p; ++j) sum += row[j] * x[j];
    x[r] = (x[r] - sum) / row[r];
  }
}

template std::size_t cholesky_scratch<float>(const Cpu&, std::size_t);
template std::size_t cholesky_scratch<double>(const Cpu&, std::size_t);
template bool cholesky<float>(const Cpu&, View<float, 2>);
template bool cholesky<double>(const Cpu&, View<double, 2>);
template bool cholesky<float>(const Cpu&, View<float, 2>, View<float, 1>);
template bool cholesky<double>(const Cpu&, View<double, 2>, View<double, 1>);
template void cholesky_solve<float>(const Cpu&, View<const float, 2>, View<float, 1>);
template void cholesky_solve<double>(const Cpu&, View<const double, 2>, View<double, 1>);
}  // namespace sobolev
#endif
