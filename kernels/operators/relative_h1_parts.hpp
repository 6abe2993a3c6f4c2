// SPDX-License-Identifier: Apache-2.0
#pragma once
// The operations that RelativeH1 consists of. Fields f : [B, N, C], N = Π grid, three axes.
#include <array>

#include "sobolev/core/executor.hpp"
#include "sobolev/core/view.hpp"

namespace sobolev::detail {

/// 1/h of each axis; 0: no derivative along it.
struct H1Axes {
  Extents<3> grid{1, 1, 1};
  std::array<double, 3> inverse{0, 0, 0};
  bool periodic = true;
};

/// The differences of an axis: D f(i) = a (f(up) − f(down)), a = share/h.
struct H1Difference {
  std::size_t up, down;
  double share;
};
constexpr H1Difference h1_difference(std::size_t i, std::size_t n, bool periodic) {
  if (periodic) return {i + 1 == n ? 0 : i + 1, i == 0 ? n - 1 : i - 1, 0.5};
  const std::size_t up = i + 1 == n ? i : i + 1, down = i == 0 ? i : i - 1;
  return {up, down, up - down == 2 ? 0.5 : 1.0};
}

/// e = s ⊙ y + m − t.
template <class T>
void h1_residual(const Cpu&, View<const T, 3> y, View<const T, 1> scale, View<const T, 1> offset,
                 View<const T, 3> target, View<T, 3> e);
template <class T>
void h1_residual(const Cuda&, View<const T, 3> y, View<const T, 1> scale, View<const T, 1> offset,
                 View<const T, 3> target, View<T, 3> e);

/// squares[b] = Σ f² + Σ_a (D_a f)².
template <class T>
void h1_squares(const Cpu&, View<const T, 3> f, const H1Axes& axes, View<double, 1> squares);
template <class T>
void h1_squares(const Cuda&, View<const T, 3> f, const H1Axes& axes, View<double, 1> squares);

/// g = f + Σ_a D_aᵀ D_a f.
template <class T>
void h1_gradient(const Cpu&, View<const T, 3> f, const H1Axes& axes, View<T, 3> g);
template <class T>
void h1_gradient(const Cuda&, View<const T, 3> f, const H1Axes& axes, View<T, 3> g);

/// squares[b] += Σ weight_k |v|² over the rows of the sample, then v ← weight_k v.
/// v : [R, M, 2, C], R a multiple of the samples, weight : [M], squares : [B]
template <class T>
void h1_mode_squares(const Cpu&, View<T, 4> v, View<const T, 1> weight, View<double, 1> squares);
template <class T>
void h1_mode_squares(const Cuda&, View<T, 4> v, View<const T, 1> weight, View<double, 1> squares);

/// From squares of errors and targets [2 B]: errors[b], their mean (loss may be empty), and
/// factors[b] = 1/(‖e‖ ‖t‖ B).
void h1_finish(const Cpu&, View<const double, 1> squares, View<double, 1> errors, View<double, 1> loss,
               View<double, 1> factors);
void h1_finish(const Cuda&, View<const double, 1> squares, View<double, 1> errors, View<double, 1> loss,
               View<double, 1> factors);

/// g ← factor_b s_c g.
template <class T>
void h1_scale(const Cpu&, View<const double, 1> factors, View<const T, 1> scale, View<T, 3> g);
template <class T>
void h1_scale(const Cuda&, View<const double, 1> factors, View<const T, 1> scale, View<T, 3> g);

}  // namespace sobolev::detail
