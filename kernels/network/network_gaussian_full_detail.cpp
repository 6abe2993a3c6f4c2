// SPDX-License-Identifier: Apache-2.0
// Gaussians of full covariance by the truncated Taylor series. With o = x − μ, of which derivatives are those
// of x,
//   w_k = o_k + Σ_{j<k} a_kj o_j,   z_k = ρ_k w_k,   q = −½ Σ_k z_k²,   y = e^q,
// and z̄_k = −z_k ⊛ q̄ as network_gaussian_detail.cpp has it:
//   ∂/∂log σ_k = −Σ_c z̄_kc z_kc,   ∂/∂a_kj = ρ_k Σ_c z̄_kc o_jc,   ∂/∂μ_j = −Σ_{k≥j} a_kj ρ_k z̄_k0, a_jj = 1.
// z and o are made anew on the way back. Per point and Gaussian of d inputs an exponential and
// d·(2·K + products) + d²/2·K FMAs forward, twice that and more backward: bound by the FMA units.
#include "kernels/common/simd.hpp"
#include "kernels/jet/jet_algebra_detail.hpp"
#include "kernels/network/network_gaussian_range.hpp"

namespace sobolev::SOBOLEV_TARGET {
namespace {
using detail::GaussianPanel;
constexpr int most_shears = max_dimensions * (max_dimensions - 1) / 2;

SOBOLEV_INLINE std::size_t shear_row(int k, int j) { return std::size_t(k * (k - 1) / 2 + j); }

/// Input j at the first channel of a point.
template <class T>
SOBOLEV_INLINE const T* input_at(const GaussianPanel<T>& g, int j, int point) {
  return g.x + std::size_t(j / g.width) * g.panel + std::size_t(j % g.width) +
         std::size_t(point) * std::size_t(g.width);
}

/// μ, ρ and a for the lanes from i on.
template <class T>
struct FullParameters {
  Vec<T> centre[max_dimensions], sharpness[max_dimensions], shear[most_shears];
  FullParameters(const GaussianPanel<T>& g, int i) {
    for (int k = 0; k < g.inputs; ++k) {
      const std::size_t at = std::size_t(k) * std::size_t(g.width) + std::size_t(i);
      centre[k] = load<T>(g.centre + at);
      sharpness[k] = load<T>(g.sharpness + at);
      for (int j = 0; j < k; ++j)
        shear[shear_row(k, j)] = load<T>(g.shear + shear_row(k, j) * std::size_t(g.width) + i);
    }
  }
};

/// z of input k at a point.
template <class T, class Jet>
SOBOLEV_INLINE void sheared_offsets(const Jet& jet, const GaussianPanel<T>& g, const FullParameters<T>& of,
                                    int k, int point, Vec<T>* z) {
  const std::size_t channel = std::size_t(g.points) * std::size_t(g.width);
  const T* x = input_at(g, k, point);
  z[0] = x[0] - of.centre[k];
  repeat<Jet, Jet::max_channels>(
      jet.channels(), [&](int c) __attribute__((always_inline)) {
        if (c > 0) z[c] = broadcast<T>(x[std::size_t(c) * channel]);
      });
  for (int j = 0; j < k; ++j) {
    const Vec<T> a = of.shear[shear_row(k, j)];
    const T* other = input_at(g, j, point);
    z[0] += a * (other[0] - of.centre[j]);
    repeat<Jet, Jet::max_channels>(
        jet.channels(), [&](int c) __attribute__((always_inline)) {
          if (c > 0) z[c] += a * other[std::size_t(c) * channel];
        });
  }
  repeat<Jet, Jet::max_channels>(
      jet.channels(), [&](int c) __attribute__((always_inline)) { z[c] *= of.sharpness[k]; });
}

/// What points give to the derivatives by μ, log σ and a.
template <class T>
struct FullSums {
  Vec<T> centre[max_dimensions], width[max_dimensions], shear[most_shears];
};

/// Points first, first + step, … of a tile.
struct PointRange {
  int first, count, step;
};

template <class T, class Jet>
SOBOLEV_INLINE void sum_points(const Jet& jet, const T* coefficients, const GaussianPanel<T>& g, int i,
                               PointRange range, const T* exponent_bar, FullSums<T>& sums) {
  const FullParameters<T> of(g, i);
  const std::size_t channel = std::size_t(g.points) * std::size_t(g.width);
  for (int k = 0; k < g.inputs; ++k) sums.centre[k] = Vec<T>{};
  for (int k = 0; k < g.inputs; ++k) {
    Vec<T> centre{}, width{}, shear[max_dimensions] = {};
    for (int n = 0; n < range.count; ++n) {
      const int p = range.first + n * range.step;
      Vec<T> z[Jet::max_channels], bar[Jet::max_channels], back[Jet::max_channels];
      sheared_offsets<T>(jet, g, of, k, p, z);
      const T* from = exponent_bar + std::size_t(p) * std::size_t(g.width) + std::size_t(i);
      bar[0] = load<T>(from);
      for (int c = 1; c < jet.channels(); ++c) bar[c] = load<T>(from + std::size_t(c) * channel);
      jet_transposed_product<T>(jet, coefficients, z, bar, back);  // −z̄
      centre += back[0];
      for (int c = 0; c < jet.channels(); ++c) width += back[c] * z[c];
      for (int j = 0; j < k; ++j) {
        const T* x = input_at(g, j, p);
        Vec<T> sum = back[0] * (x[0] - of.centre[j]);
        for (int c = 1; c < jet.channels(); ++c) sum += back[c] * x[std::size_t(c) * channel];
        shear[j] -= sum;
      }
    }
    centre *= of.sharpness[k];
    sums.centre[k] += centre;
    sums.width[k] = width;
    for (int j = 0; j < k; ++j) {
      sums.centre[j] += of.shear[shear_row(k, j)] * centre;
      sums.shear[shear_row(k, j)] = of.sharpness[k] * shear[j];
    }
  }
}

/// f(array, row, sum) for all of them: 0 of centres, 1 of widths, 2 of a.
template <class T, class F>
SOBOLEV_INLINE void for_sums(const GaussianPanel<T>& g, const FullSums<T>& sums, F&& f) {
  for (int k = 0; k < g.inputs; ++k) {
    f(0, k, sums.centre[k]);
    f(1, k, sums.width[k]);
  }
  for (int m = 0; m < g.inputs * (g.inputs - 1) / 2; ++m) f(2, m, sums.shear[m]);
}
}  // namespace

template <class T>
void full_gaussian_forward_range(const detail::JetTableView<T>& table, const GaussianPanel<T>& g, T* y) {
  const std::size_t channel = std::size_t(g.points) * std::size_t(g.width);
  with_jet<T>(table, [&](auto jet) {
    using Jet = decltype(jet);
    for (int i = 0; i < g.width; i += lanes<T>) {
      const FullParameters<T> of(g, i);
      for (int p = 0; p < g.points; ++p) {
        Vec<T> z[Jet::max_channels], q[Jet::max_channels], out[Jet::max_channels];
        q[0] = Vec<T>{};
        for (int c = 1; c < jet.channels(); ++c) q[c] = Vec<T>{};
        for (int k = 0; k < g.inputs; ++k) {
          sheared_offsets<T>(jet, g, of, k, p, z);
          subtract_half_square<T>(jet, table.coefficients, z, q);
        }
        jet_gaussian<T>(jet, table.coefficients, q, out);
        T* to = y + std::size_t(p) * std::size_t(g.width) + std::size_t(i);
        for (int c = 0; c < jet.channels(); ++c) store<T>(to + std::size_t(c) * channel, out[c]);
      }
    }
  });
}

template <class T>
void full_gaussian_gradient_range(const detail::JetTableView<T>& table, const GaussianPanel<T>& g,
                                  const T* exponent_bar, T* centre_bar, T* width_bar, T* shear_bar) {
  T* const to[] = {centre_bar, width_bar, shear_bar};
  with_jet<T>(table, [&](auto jet) {
    for (int i = 0; i < g.width; i += lanes<T>) {
      FullSums<T> sums;
      sum_points<T>(jet, table.coefficients, g, i, {0, g.points, 1}, exponent_bar, sums);
      for_sums<T>(g, sums, [&](int array, int row, Vec<T> sum) {
        T* at = to[array] + std::size_t(row) * std::size_t(g.width) + std::size_t(i);
        store<T>(at, load<T>(at) + sum);
      });
    }
  });
}

template <class T>
void full_gaussian_rows_range(const detail::JetTableView<T>& table, const GaussianPanel<T>& g,
                              const T* exponent_bar, const detail::GaussianRows<T>& to) {
  T* const arrays[] = {to.centre, to.width, to.shear};
  with_jet<T>(table, [&](auto jet) {
    for (int p = 0; p < to.count; ++p) {
      const T scale = to.scale ? to.scale[p] : T(1);
      for (int i = 0; i < to.features; i += lanes<T>) {
        FullSums<T> sums;
        sum_points<T>(jet, table.coefficients, g, i, {p, to.copies, to.apart}, exponent_bar, sums);
        for_sums<T>(g, sums, [&](int array, int row, Vec<T> sum) {
          store_part<T>(arrays[array] + std::size_t(p) * to.stride + std::size_t(row) * to.input_stride +
                            std::size_t(i),
                        sum * scale, to.features - i);
        });
      }
    }
  });
}

#define SOBOLEV_INSTANTIATE(T)                                                                               \
  template void full_gaussian_forward_range<T>(const detail::JetTableView<T>&, const GaussianPanel<T>&, T*); \
  template void full_gaussian_gradient_range<T>(const detail::JetTableView<T>&, const GaussianPanel<T>&,     \
                                                const T*, T*, T*, T*);                                       \
  template void full_gaussian_rows_range<T>(const detail::JetTableView<T>&, const GaussianPanel<T>&,         \
                                            const T*, const detail::GaussianRows<T>&);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE

}  // namespace sobolev::SOBOLEV_TARGET
