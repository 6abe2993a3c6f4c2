// SPDX-License-Identifier: Apache-2.0
// A = UᵀU, upper triangle, and its solution.                                            a : [P, P]
// Left-looking in block rows of 96: a block row takes the products of all rows above it, is factored on its
// diagonal by one thread, and solved, by all threads, in column panels of three SIMD vectors that hold U a
// second time as the products read it. FLOPs P³/3; a is read and written once, U P³/(6·96) elements from L3:
// bound by the FMA units for P beyond a few hundred, by the diagonal blocks (96³/3 FLOPs each, one thread)
// below.
#include "sobolev/linalg/cholesky.hpp"

#include "kernels/linalg/panel_product_detail.hpp"
#include "kernels/linalg/panels.hpp"

namespace sobolev::SOBOLEV_TARGET {
namespace {
constexpr int vectors = 3;
}  // namespace

template <class T>
bool panel_factor(T* block) {
  constexpr int width = vectors * lanes<T>;
  for (int r = 0; r < width; ++r) {
    T* row = block + r * width;
    if (!(row[r] > 0) || row[r] - row[r] != 0) return false;  // not positive, or not finite
    const T inverse = T(1) / square_root(row[r]);
    for (int v = r / lanes<T> * lanes<T>; v < width; v += lanes<T>)
      store<T>(row + v, load<T>(row + v) * inverse);
    for (int s = r + 1; s < width; ++s) {
      const Vec<T> x = broadcast<T>(row[s]);
      T* below = block + s * width;
      for (int v = s / lanes<T> * lanes<T>; v < width; v += lanes<T>)
        store<T>(below + v, load<T>(below + v) - x * load<T>(row + v));
    }
  }
  return true;
}

template <class T>
void panel_solve(const T* factor, T* block) {
  constexpr int width = vectors * lanes<T>;
  for (int r = 0; r < width; ++r) {
    const T inverse = T(1) / factor[r * width + r];
    Vec<T> row[vectors];
    for (int v = 0; v < vectors; ++v) {
      row[v] = load<T>(block + r * width + v * lanes<T>) * inverse;
      store<T>(block + r * width + v * lanes<T>, row[v]);
    }
    for (int s = r + 1; s < width; ++s) {
      const Vec<T> x = broadcast<T>(factor[r * width + s]);
      for (int v = 0; v < vectors; ++v) {
        T* p = block + s * width + v * lanes<T>;
        store<T>(p, load<T>(p) - x * row[v]);
      }
    }
  }
}

template bool panel_factor<float>(float*);
template bool panel_factor<double>(double*);
template void panel_solve<float>(const float*, float*);
template void panel_solve<double>(const double*, double*);
}  // namespace sobolev::SOBOLEV_TARGET

#if SOBOLEV_DISPATCHER
#include <algorithm>

#include "kernels/common/threads.hpp"
#include "kernels/linalg/symmetric_shapes.hpp"
#include "sobolev/core/buffer.hpp"

namespace sobolev {
template <class T>
bool cholesky(const Cpu& cpu, View<T, 2> a) {
  detail::check_cholesky_shapes(a.shape());
  const std::size_t p = a.extent(0);
  if (p == 0) return true;
  // Both panel widths, 3·lanes of any instruction set, divide the block.
  constexpr std::size_t block_rows = 96, product_rows = 384;
  const std::size_t width = std::size_t(SOBOLEV_CALL(panel_width<T>, ));
  const std::size_t panels = (p + width - 1) / width, steps = block_rows / width;
  // U in blocks [width][width]: column panel j down to the end of its diagonal block, one after the other.
  const auto begin_of = [&](std::size_t j) {
    const std::size_t b = j / steps;
    return (steps * (b * (b + 1) / 2) + j % steps * (b + 1)) * block_rows * width;
  };
  Buffer<T> memory(begin_of(panels));
  const auto packed = [&](std::size_t l, std::size_t j) {
    return memory.data() + begin_of(j) + l * width * width;
  };
  // Between the upper triangle of a and block (l, j); beyond a the identity.
  const auto load = [&](std::size_t l, std::size_t j) {
    T* block = packed(l, j);
    for (std::size_t r = 0; r < width; ++r) {
      const std::size_t row = l * width + r, first = std::max(row, j * width),
                        last = std::max(first, std::min(p, (j + 1) * width));
      T* to = block + r * width;
      std::fill(to, to + width, T(0));
      if (row < p)
        std::copy(a.data() + row * p + first, a.data() + row * p + last, to + (first - j * width));
      else if (l == j)
        to[r] = 1;
    }
  };
  const auto keep = [&](std::size_t l, std::size_t j) {
    for (std::size_t row = l * width; row < std::min(p, (l + 1) * width); ++row) {
      const std::size_t first = std::max(row, j * width), last = std::min(p, (j + 1) * width);
      const T* from = packed(l, j) + (row - l * width) * width;
      std::copy(from + (first - j * width), from + (last - j * width), a.data() + row * p + first);
    }
  };
  // Block (l, j) −= Σ U[m, l]ᵀ U[m, j] over first ≤ m < last.
  const auto update = [&](std::size_t l, std::size_t j, std::size_t first, std::size_t last) {
    if (first < last)
      SOBOLEV_CALL(panel_update<T>, packed(first, l), packed(first, j), int((last - first) * width),
                   packed(l, j), width, true);
  };
  bool definite = true;
  // Operations of all threads between two barriers, about: a block row and its update.
  const int threads = detail::threads_for(cpu, double(p) * double(p) * double(block_rows) / 6);
#pragma omp parallel num_threads(threads)
  for (std::size_t k = 0; k < panels; k += steps) {
    const std::size_t end = std::min(panels, k + steps);
    // What the block rows above take from this one: its own panels stay in the L2 cache.
#pragma omp for schedule(dynamic, 1)
    for (std::size_t j = k; j < panels; ++j) {
      for (std::size_t l = k; l < end && l <= j; ++l) load(l, j);
      for (std::size_t first = 0; first < k; first += product_rows / width)
        for (std::size_t l = k; l < end && l <= j; ++l)
          update(l, j, first, std::min(k, first + product_rows / width));
    }
#pragma omp single
    for (std::size_t s = 0; s < end - k && definite; ++s) {
      update(k + s, k + s, k, k + s);
      definite = SOBOLEV_CALL(panel_factor<T>, packed(k + s, k + s));
      for (std::size_t j = k + s + 1; j < end && definite; ++j) {
        update(k + s, j, k, k + s);
        SOBOLEV_CALL(panel_solve<T>, packed(k + s, k + s), packed(k + s, j));
      }
    }
    if (!definite) break;  // the same for all threads: the single region ends with a barrier
#pragma omp for schedule(static)
    for (std::size_t j = k; j < panels; ++j)
      for (std::size_t l = k; l < end && l <= j; ++l) {
        if (j >= end) {
          update(l, j, k, l);
          SOBOLEV_CALL(panel_solve<T>, packed(l, l), packed(l, j));
        }
        keep(l, j);
      }
  }
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

template bool cholesky<float>(const Cpu&, View<float, 2>);
template bool cholesky<double>(const Cpu&, View<double, 2>);
template void cholesky_solve<float>(const Cpu&, View<const float, 2>, View<float, 1>);
template void cholesky_solve<double>(const Cpu&, View<const double, 2>, View<double, 1>);
}  // namespace sobolev
#endif
