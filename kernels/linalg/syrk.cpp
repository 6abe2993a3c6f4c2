// SPDX-License-Identifier: Apache-2.0
// C += AᵀA, upper triangle.                                         a : [N, P], c : [P, P]
// Rows in blocks of 768, packed into column panels of three SIMD vectors; threads take 96 × 96 tiles of C and
// 384 rows at a time, whose panels stay in the L2 cache, a register block at a time. FLOPs N·P², elements
// P²·N/768 of C and N·P²/96 of packed A from L3 or memory: bound by the FMA units.
#include "sobolev/linalg/syrk.hpp"

#include "kernels/linalg/panel_product_detail.hpp"
#include "kernels/linalg/panels.hpp"

namespace sobolev::SOBOLEV_TARGET {
namespace {
constexpr int vectors = 3;
}

template <class T>
int panel_width() {
  return vectors * lanes<T>;
}

template <class T>
void panel_pack(const T* a, std::size_t stride, int rows, std::size_t columns, int q, T* panel) {
  constexpr int width = vectors * lanes<T>;
  const std::size_t first = std::size_t(q) * width;
  const int count = columns - first < std::size_t(width) ? int(columns - first) : width;
  for (int r = 0; r < rows; ++r) {
    const T* from = a + std::size_t(r) * stride + first;
    T* to = panel + r * width;
    if (count == width) {
      for (int v = 0; v < vectors; ++v) store<T>(to + v * lanes<T>, load<T>(from + v * lanes<T>));
    } else {
      for (int i = 0; i < width; ++i) to[i] = i < count ? from[i] : T(0);
    }
  }
}

template <class T>
void panel_update(const T* left, const T* right, int rows, T* c, std::size_t ld, bool subtract) {
  constexpr int width = vectors * lanes<T>;
  if (subtract)
    panel_outer<T, vectors, -1, true>(left, 0, right, rows, width, c, ld);
  else
    panel_outer<T, vectors, 1, true>(left, 0, right, rows, width, c, ld);
}

template int panel_width<float>();
template int panel_width<double>();
template void panel_pack<float>(const float*, std::size_t, int, std::size_t, int, float*);
template void panel_pack<double>(const double*, std::size_t, int, std::size_t, int, double*);
template void panel_update<float>(const float*, const float*, int, float*, std::size_t, bool);
template void panel_update<double>(const double*, const double*, int, double*, std::size_t, bool);
}  // namespace sobolev::SOBOLEV_TARGET

#if SOBOLEV_DISPATCHER
#include "kernels/linalg/symmetric_detail.hpp"
#include "kernels/linalg/symmetric_shapes.hpp"

namespace sobolev {
template <class T>
void syrk(const Cpu& cpu, View<const T, 2> a, View<T, 2> c) {
  detail::check_syrk_shapes(a.shape(), c.shape());
  const std::size_t n = a.extent(0), p = a.extent(1);
  if (p == 0) return;
  detail::SymmetricUpdate<T> update(p);
#pragma omp parallel num_threads(cpu.threads())
  for (std::size_t first = 0; first < n; first += update.block_rows)
    update.add(a.data() + first * p, p, int(std::min(n - first, update.block_rows)), c.data(), p);
}
template void syrk<float>(const Cpu&, View<const float, 2>, View<float, 2>);
template void syrk<double>(const Cpu&, View<const double, 2>, View<double, 2>);
}  // namespace sobolev
#endif
