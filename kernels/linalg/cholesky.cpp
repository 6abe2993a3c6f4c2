// SPDX-License-Identifier: Apache-2.0
// A = UᵀU, upper triangle, and its solution.                                            a : [P, P]
// Right-looking in blocks of one panel (three SIMD vectors): the diagonal block by one thread, the block
// row and the trailing update by all, a register block at a time. FLOPs P³/3, bytes about P³/(3·width)
// from cache: bound by the FMA units for P beyond a few hundred, by the P/width barriers below.
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
#include <fmt/format.h>

#include "kernels/linalg/symmetric_detail.hpp"
#include "sobolev/core/error.hpp"

namespace sobolev {
namespace {
template <class T>
void check_square(const char* name, View<T, 2> a) {
  require(a.extent(0) == a.extent(1),
          fmt::format("{}: the matrix is [{}, {}], not square", name, a.extent(0), a.extent(1)));
}
}  // namespace

template <class T>
bool cholesky(const Cpu& cpu, View<T, 2> a) {
  check_square("cholesky", a);
  const std::size_t p = a.extent(0);
  if (p == 0) return true;
  const std::size_t width = std::size_t(SOBOLEV_CALL(panel_width<T>, ));
  const std::size_t panels = (p + width - 1) / width, ld = panels * width;
  Buffer<T> padded(ld * ld), row(panels * width * width), block(width * width);
  T* c = padded.data();
  for (std::size_t i = 0; i < p; ++i) std::copy(a.data() + i * p + i, a.data() + i * p + p, c + i * ld + i);
  for (std::size_t i = p; i < ld; ++i) c[i * ld + i] = 1;
  bool definite = true;
#pragma omp parallel num_threads(cpu.threads())
  for (std::size_t k = 0; k < panels; ++k) {
#pragma omp single
    definite = definite && SOBOLEV_CALL(panel_factor<T>, c + k * width * (ld + 1), ld, block.data());
    if (!definite) break;  // the same for all threads: the single region ends with a barrier
#pragma omp for schedule(static)
    for (std::size_t j = k + 1; j < panels; ++j)
      SOBOLEV_CALL(panel_solve<T>, block.data(), c + k * width * ld + j * width, ld,
                   row.data() + j * width * width);
    const std::size_t rest = panels - k - 1;
#pragma omp for schedule(dynamic, 8)
    for (std::size_t i = 0; i < rest * (rest + 1) / 2; ++i) {
      const auto [l, r] = detail::SymmetricUpdate<T>::pair(i);
      const std::size_t left = k + 1 + l, right = k + 1 + r;
      SOBOLEV_CALL(panel_update<T>, row.data() + left * width * width, row.data() + right * width * width,
                   int(width), c + left * width * ld + right * width, ld, true);
    }
  }
  for (std::size_t i = 0; i < p; ++i) std::copy(c + i * ld + i, c + i * ld + p, a.data() + i * p + i);
  return definite;
}

template <class T>
void cholesky_solve(const Cpu&, View<const T, 2> u, View<T, 1> b) {
  check_square("cholesky_solve", u);
  const std::size_t p = u.extent(0);
  require(b.size() == p, fmt::format("cholesky_solve: b has {} elements, the matrix {} rows", b.size(), p));
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
