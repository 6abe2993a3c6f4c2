// SPDX-License-Identifier: Apache-2.0
// Weighted sums of Gaussians of coordinates, all channels, of which only values are stored: out_c = Σ_i w_i
// y_ic. With the quotients y_c/y of network_gaussian_axes_detail.hpp and the adjoint ō of the outputs,
//   F = ō_0 + Σ_c ō_c y_c/y,   ∂/∂w_i = Σ y F,
// and with D_a = −∂F/∂u_a, E_a = Σ_i c_i s_a² ō_m over the products of a with itself, of each input
//   ∂/∂μ = ρ Σ w y (t F + ρ D),   ∂/∂log σ = Σ w y (t (t F + ρ D) + u D + ρ² E);
// w is the same for all points and multiplied in the end. Bytes: y once each way; μ, ρ and w once for two
// points forward and for 24 backward; from the second-level cache. Bound by the FMA units: per point and
// Gaussian of 2 axes, value, gradient and diagonal of the Hessian 16 operations and an exponential (15 in
// float32, 20 in float64) forward, 29 backward.
#include "kernels/network/network_gaussian_axes_detail.hpp"
#include "kernels/network/network_tile.hpp"

namespace sobolev::SOBOLEV_TARGET {
namespace {
using detail::GaussianPanel;
using detail::tile_granule_points;

/// A point with its adjoints: ō, s_a ō_a, ½ c_i s_l s_r ō_m, and E.
template <class T, class Jet>
struct PointBar : AxisPoint<T, Jet> {
  T value, first[axes_room<Jet>], second[axes_room<Jet>], last;
  PointBar() = default;
  PointBar(const GaussianPanel<T>& g, const AxisInputs<T, Jet>& in, int p, const T* coefficients,
           const T* out_bar)
      : AxisPoint<T, Jet>(g, in, p, coefficients) {
    const auto bar = [&](int c) { return out_bar[c * g.points + p]; };
    value = bar(0);
    for (int a = 0; a < axes_of<Jet>(); ++a) {
      first[a] = this->s[a] * bar(a + 1);
      second[a] = T(0);
    }
    for (int i = 0; i < Jet::product_count(); ++i) {
      const JetProductIndex of = Jet::product(i);
      this->product[i] *= bar(of.out);
      if (of.left == of.right) second[of.left - 1] += T(2) * this->product[i];
    }
    last = bar(last_channel<Jet>);
  }
};

/// F and D.
template <class T, class Jet>
struct AxisBar {
  Vec<T> value, first[axes_room<Jet>];

  SOBOLEV_INLINE AxisBar(const AxisJet<T, Jet>& z, const AxisParameters<T, Jet>& of,
                         const PointBar<T, Jet>& bar) {
    value = broadcast<T>(bar.value);
    if constexpr (Jet::others && last_channel<Jet> != 0) value -= bar.last * z.drift;
    // The share of the products with a on the left; those with it on the right are as many.
    Vec<T> half[axes_room<Jet>];
    for_axes<Jet>([&](int a) __attribute__((always_inline)) { half[a] = broadcast<T>(bar.first[a]); });
    for_products<Jet>([&](int i, JetProductIndex p) __attribute__((always_inline)) {
      half[p.left - 1] -= bar.product[i] * z.u[p.right - 1];
      if (p.left == p.right) value -= bar.product[i] * of.square[p.left - 1];
    });
    for_axes<Jet>([&](int a) __attribute__((always_inline)) {
      value -= z.u[a] * half[a];
      first[a] = T(2) * half[a] - bar.first[a];
    });
  }
};
}  // namespace

template <class T>
void gaussian_sum_forward_range(const detail::JetTableView<T>& table, const GaussianPanel<T>& g, int panels,
                                const T* w, T bias, T* y, T* out) {
  with_coordinates<T>(table, g.axes, [&](auto jet) {
    using Jet = decltype(jet);
    const AxisInputs<T, Jet> in(g);
    const std::size_t width = std::size_t(g.width), step = std::size_t(g.inputs) * width;
    // Of a tile's points, an even number, two share what is loaded where there are registers for them.
    constexpr int together = simd_registers == 32 ? 2 : 1;
    for (int p = 0; p < g.points; p += together) {
      const AxisPoint<T, Jet> points[2] = {{g, in, p, table.coefficients},
                                           {g, in, p + together - 1, table.coefficients}};
      // Σ w y times 1, u_a, u_l u_r − [l = r] ρ_l² of each product, and Σ_o s_o u_o.
      Vec<T> sum[together] = {}, first[together][axes_room<Jet>] = {},
             second[together][jet_product_bound<Jet> + 1] = {}, drift[together] = {};
      const std::size_t vectors = std::size_t(panels) * width;
      T* to_y = y + std::size_t(p) * width;
      for (std::size_t i = 0, at = 0, end = width; i < vectors;
           i += lanes<T>, at += lanes<T>, to_y += lanes<T>) {
        if (i == end) {  // the next panel
          at += step - width;
          to_y += g.panel - width;
          end += width;
        }
        const AxisParameters<T, Jet> of(g, at);
        const Vec<T> weight = load<T>(w + i);
        for (int n = 0; n < together; ++n) {
          const AxisJet<T, Jet> z(g, in, of, at, points[n]);
          const Vec<T> gaussian = z.value(), value = weight * gaussian;
          store<T>(to_y + std::size_t(n) * width, gaussian);
          sum[n] += value;
          for_axes<Jet>([&](int a) __attribute__((always_inline)) { first[n][a] += value * z.u[a]; });
          for_products<Jet>([&](int m, JetProductIndex product) __attribute__((always_inline)) {
            second[n][m] += value * z.second(of, product);
          });
          if constexpr (Jet::others) drift[n] += value * z.drift;
        }
      }
      for (int n = 0; n < together; ++n) {
        T* to = out + p + n;
        for (int c = 0; c < Jet::max_channels; ++c) to[c * g.points] = T(0);
        to[0] = bias + sum_lanes<T>(sum[n]);
        for (int a = 0; a < axes_of<Jet>(); ++a)
          to[(a + 1) * g.points] = -points[n].s[a] * sum_lanes<T>(first[n][a]);
        for (int m = 0; m < Jet::product_count(); ++m)
          to[Jet::product(m).out * g.points] += points[n].product[m] * sum_lanes<T>(second[n][m]);
        if constexpr (Jet::others && last_channel<Jet> != 0)
          to[last_channel<Jet> * g.points] -= sum_lanes<T>(drift[n]);
      }
    }
  });
}

template <class T>
void gaussian_sum_gradient_range(const detail::JetTableView<T>& table, const GaussianPanel<T>& g, int panels,
                                 const T* w, const T* y, const T* out_bar, T* w_bar, T* centre_bar,
                                 T* width_bar) {
  with_coordinates<T>(table, g.axes, [&](auto jet) {
    using Jet = decltype(jet);
    constexpr int axes = axes_of<Jet>(), room = axes_room<Jet>;
    const AxisInputs<T, Jet> in(g);
    const std::size_t width = std::size_t(g.width), step = std::size_t(g.inputs) * width;
    const auto add = [](T * to, Vec<T> v) __attribute__((always_inline)) { store<T>(to, load<T>(to) + v); };
    for (int begin = 0; begin < g.points; begin += tile_granule_points) {
      PointBar<T, Jet> bars[tile_granule_points];
      for (int n = 0; n < tile_granule_points; ++n)
        bars[n] = PointBar<T, Jet>(g, in, begin + n, table.coefficients, out_bar);
      for (std::size_t q = 0; q < std::size_t(panels); ++q)
        for (std::size_t i = 0; i < width; i += lanes<T>) {
          const std::size_t at = q * step + i;
          const AxisParameters<T, Jet> of(g, at);
          const Vec<T> weight = load<T>(w + q * width + i);
          const T* from_y = y + q * g.panel + std::size_t(begin) * width + i;
          Vec<T> sum{}, centre[room] = {}, spread[room] = {};
          Vec<T> other_centre[max_dimensions], other_spread[max_dimensions];
          for_others<Jet>(
              g, [&](int o) __attribute__((always_inline)) { other_centre[o] = other_spread[o] = Vec<T>{}; });
          for (int n = 0; n < tile_granule_points; ++n) {
            const AxisJet<T, Jet> z(g, in, of, at, bars[n]);
            const AxisBar<T, Jet> bar(z, of, bars[n]);
            const Vec<T> value = load<T>(from_y + std::size_t(n) * width);
            sum += value * bar.value;
            Vec<T> dc, dw;
            for_axes<Jet>([&](int a) __attribute__((always_inline)) {
              axis_derivatives<T>(z.t[a], z.u[a], of.sharpness[a], of.square[a], bar.value, bar.first[a],
                                  broadcast<T>(bars[n].second[a]), dc, dw);
              centre[a] += value * dc;
              spread[a] += value * dw;
            });
            for_others<Jet>(
                g, [&](int o) __attribute__((always_inline)) {
                  const OtherInput<T, Jet> other(g, in, at, begin + n, o);
                  other_derivatives<T, Jet>(other, bar.value, broadcast<T>(bars[n].last), dc, dw);
                  other_centre[o] += value * dc;
                  other_spread[o] += value * dw;
                });
          }
          add(w_bar + q * width + i, sum);
          const auto add_input = [&](int k, Vec<T> by_centre, Vec<T> by_width)
              __attribute__((always_inline)) {
            const std::size_t to = at + std::size_t(k) * width;
            add(centre_bar + to, weight * by_centre * load<T>(g.sharpness + to));
            add(width_bar + to, weight * by_width);
          };
          for (int a = 0; a < axes; ++a) add_input(g.axes.axis[a], centre[a], spread[a]);
          for_others<Jet>(
              g, [&](int o) __attribute__((always_inline)) {
                add_input(g.axes.other[o], other_centre[o], other_spread[o]);
              });
        }
    }
  });
}

#define SOBOLEV_INSTANTIATE(T)                                                                               \
  template void gaussian_sum_forward_range<T>(const detail::JetTableView<T>&, const GaussianPanel<T>&, int,  \
                                              const T*, T, T*, T*);                                          \
  template void gaussian_sum_gradient_range<T>(const detail::JetTableView<T>&, const GaussianPanel<T>&, int, \
                                               const T*, const T*, const T*, T*, T*, T*);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE

}  // namespace sobolev::SOBOLEV_TARGET
