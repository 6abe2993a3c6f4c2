// SPDX-License-Identifier: Apache-2.0
// Gaussian features: all channels of a point from one exponential. With q = −½ Σ_k z_k², y = e^q, and from ȳ
// the adjoint q̄ = y ⊛ ȳ (the transposed product, activation_range.hpp):  z̄_k = −z_k ⊛ q̄,  μ̄_k = −ρ_k z̄_k0
// (the value channel),  ∂/∂log width_k = −Σ_c z̄_kc z_kc.  Nothing of size points × Gaussians is stored beyond
// a tile's y and q̄: z is made anew on the way back. x is read as scalars, μ and ρ from the first-level cache:
// bound by the FMA units. Per point and Gaussian of d inputs one exponential forward and
//   of coordinates (network_gaussian_axes_detail.hpp)  some 8·d + K FMAs, 11·d backward;
//   of any other features                              d·(2·K + products), 2·d·(2·K + products) backward.
// Source: Kang, Oh, Hong & Park 2025, "PIG: Physics-informed Gaussians as adaptive parametric mesh
// representations".
#include "kernels/network/network_gaussian_axes_detail.hpp"

namespace sobolev::SOBOLEV_TARGET {
namespace {
using detail::GaussianPanel;

/// z of input k for the lanes from i on, at row `point` of each channel.
template <class T, class Jet>
SOBOLEV_INLINE void scaled_offsets(const Jet& jet, const GaussianPanel<T>& g, int k, int i, int point,
                                   Vec<T>* z) {
  const std::size_t width = std::size_t(g.width), at = std::size_t(k) * width + std::size_t(i);
  const T* x = input_of(g, k) + std::size_t(point) * width;
  const Vec<T> rho = load<T>(g.sharpness + at);
  z[0] = rho * (broadcast<T>(x[0]) - load<T>(g.centre + at));
  repeat<Jet, Jet::max_channels>(
      jet.channels(), [&](int c) __attribute__((always_inline)) {
        if (c > 0) z[c] = rho * x[std::size_t(c) * std::size_t(g.points) * width];
      });
}

/// The adjoint of the exponent at a point.
template <class T, class Jet>
SOBOLEV_INLINE void load_bar(const Jet& jet, const GaussianPanel<T>& g, int i, int point,
                             const T* exponent_bar, Vec<T>* bar) {
  const T* from = exponent_bar + std::size_t(point) * std::size_t(g.width) + std::size_t(i);
  bar[0] = load<T>(from);  // there is always one, which compilers cannot know
  for (int c = 1; c < jet.channels(); ++c)
    bar[c] = load<T>(from + std::size_t(c) * std::size_t(g.points) * std::size_t(g.width));
}

/// Points first, first + step, … of a tile.
struct PointRange {
  int first, count, step;
};

/// done(k, centre, width): what the points give to the derivatives by μ_k/ρ_k and log width_k, lanes from i
/// on.
template <class T, class Jet, class F>
SOBOLEV_INLINE void sum_points(const Jet& jet, const T* coefficients, const GaussianPanel<T>& g, int i,
                               PointRange range, const T* exponent_bar, F&& done) {
  for (int k = 0; k < g.inputs; ++k) {
    Vec<T> centre{}, width{};
    for (int n = 0; n < range.count; ++n) {
      const int p = range.first + n * range.step;
      Vec<T> z[Jet::max_channels], bar[Jet::max_channels], back[Jet::max_channels];
      scaled_offsets<T>(jet, g, k, i, p, z);
      load_bar<T>(jet, g, i, p, exponent_bar, bar);
      jet_transposed_product<T>(jet, coefficients, z, bar, back);  // −z̄
      centre += back[0];
      for (int c = 0; c < jet.channels(); ++c) width += back[c] * z[c];
    }
    done(k, centre, width);
  }
}

/// Inputs that are coordinates, in place of an algebra.
template <class Jet_>
struct Coordinates {
  using Jet = Jet_;
};

/// The same of coordinates.
template <class T, class Jet, class F>
SOBOLEV_INLINE void sum_points(Coordinates<Jet>, const T* coefficients, const GaussianPanel<T>& g, int i,
                               PointRange range, const T* exponent_bar, F&& done) {
  constexpr int room = axes_room<Jet>;
  const AxisInputs<T, Jet> in(g);
  const AxisParameters<T, Jet> of(g, std::size_t(i));
  Vec<T> centre[room] = {}, width[room] = {}, bar[Jet::max_channels], dc, dw;
  for (int n = 0; n < range.count; ++n) {
    const AxisPoint<T, Jet> p(g, in, range.first + n * range.step, coefficients);
    load_bar<T>(Jet{}, g, i, p.point, exponent_bar, bar);
    Vec<T> second[room] = {};
    for_products<Jet>([&](int m, JetProductIndex product) __attribute__((always_inline)) {
      if (product.left == product.right) second[product.left - 1] += (T(2) * p.product[m]) * bar[product.out];
    });
    for_axes<Jet>([&](int a) __attribute__((always_inline)) {
      const Vec<T> t = of.sharpness[a] * (p.x[a] - of.centre[a]);
      axis_derivatives<T>(t, of.sharpness[a] * t, of.sharpness[a], of.square[a], bar[0], p.s[a] * bar[a + 1],
                          second[a], dc, dw);
      centre[a] += dc;
      width[a] += dw;
    });
  }
  for_axes<Jet>([&](int a) __attribute__((always_inline)) { done(g.axes.axis[a], centre[a], width[a]); });
  for_others<Jet>(
      g, [&](int o) __attribute__((always_inline)) {
        Vec<T> other_centre{}, other_width{};
        for (int n = 0; n < range.count; ++n) {
          const int point = range.first + n * range.step;
          load_bar<T>(Jet{}, g, i, point, exponent_bar, bar);
          const OtherInput<T, Jet> other(g, in, std::size_t(i), point, o);
          other_derivatives<T, Jet>(other, bar[0], bar[last_channel<Jet>], dc, dw);
          other_centre += dc;
          other_width += dw;
        }
        done(g.axes.other[o], other_centre, other_width);
      });
}

/// f(Coordinates<Jet>) where the inputs are such, else f(the algebra).
template <class T, class F>
SOBOLEV_INLINE void with_inputs(const detail::JetTableView<T>& table, const GaussianPanel<T>& g, F&& f) {
  if (!with_coordinates<T>(table, g.axes, [&](auto jet) { f(Coordinates<decltype(jet)>{}); }))
    with_jet<T>(table, [&](auto jet) { f(jet); });
}
}  // namespace

template <class T>
detail::GaussianAxes gaussian_axes(const detail::JetTableView<T>& table, const T* x, std::size_t panel,
                                   int width, int inputs, int points) {
  detail::GaussianAxes found{};
  with_jet<T>(table, [&](auto jet) {
    using Jet = decltype(jet);
    constexpr int axes = axes_of<Jet>(), last = last_channel<Jet>;
    if (axes < 0 || inputs > max_dimensions) return;
    int channel_of[max_dimensions] = {};
    for (int c = 1; c < jet.channels(); ++c)
      for (int k = 0; k < inputs; k += lanes<T>) {
        const T* from = x + std::size_t(k / width) * panel + std::size_t(k % width) +
                        std::size_t(c * points) * std::size_t(width);
        Bits<T> any{};
        for (int p = 0; p < points; ++p) any |= bits_of<T>(load<T>(from + p * width));
        T values[lanes<T>];
        store<T>(values, from_bits<T>(any & ~sign_bits<T>()));
        for (int n = 0; n < lanes<T> && k + n < inputs; ++n) {
          if (values[n] == T(0)) continue;
          if (channel_of[k + n] > 0) return;
          channel_of[k + n] = c;
        }
      }
    bool taken[max_dimensions + 1] = {};
    for (int k = 0; k < inputs; ++k) {
      const int c = channel_of[k];
      if (c > 0 && c <= axes) {
        if (taken[c]) return;
        taken[c] = true;
        found.axis[c - 1] = k;
      } else if (c == 0 || c == last) {
        found.other[found.others++] = k;
      } else {
        return;
      }
    }
    for (int c = 1; c <= axes; ++c)
      if (!taken[c]) return;
    found.coordinates = true;
  });
  return found;
}

template <class T>
void gaussian_forward_range(const detail::JetTableView<T>& table, const GaussianPanel<T>& g, T* y) {
  if (g.shear) return full_gaussian_forward_range<T>(table, g, y);
  const std::size_t channel = std::size_t(g.points) * std::size_t(g.width);
  const bool done = with_coordinates<T>(table, g.axes, [&](auto jet) {
    using Jet = decltype(jet);
    const AxisInputs<T, Jet> in(g);
    for (int i = 0; i < g.width; i += lanes<T>) {
      const AxisParameters<T, Jet> of(g, std::size_t(i));
      for (int p = 0; p < g.points; ++p) {
        const AxisPoint<T, Jet> at(g, in, p, table.coefficients);
        const AxisJet<T, Jet> z(g, in, of, std::size_t(i), at);
        const Vec<T> value = z.value();
        Vec<T> quotient[Jet::max_channels];
        for (int c = 0; c < Jet::max_channels; ++c)
          quotient[c] = Jet::others && c > 0 && c == last_channel<Jet> ? -z.drift : Vec<T>{};
        for_axes<Jet>([&](int a) __attribute__((always_inline)) { quotient[a + 1] = -at.s[a] * z.u[a]; });
        for_products<Jet>([&](int m, JetProductIndex product) __attribute__((always_inline)) {
          quotient[product.out] += at.product[m] * z.second(of, product);
        });
        T* to = y + std::size_t(p) * std::size_t(g.width) + std::size_t(i);
        repeat<Jet, Jet::max_channels>(
            Jet::max_channels, [&](int c) __attribute__((always_inline)) {
              store<T>(to + std::size_t(c) * channel, c == 0 ? value : value * quotient[c]);
            });
      }
    }
  });
  if (done) return;
  with_jet<T>(table, [&](auto jet) {
    using Jet = decltype(jet);
    for (int p = 0; p < g.points; ++p)
      for (int i = 0; i < g.width; i += lanes<T>) {
        Vec<T> z[Jet::max_channels], q[Jet::max_channels], out[Jet::max_channels];
        q[0] = Vec<T>{};
        for (int c = 1; c < jet.channels(); ++c) q[c] = Vec<T>{};
        for (int k = 0; k < g.inputs; ++k) {
          scaled_offsets<T>(jet, g, k, i, p, z);
          subtract_half_square<T>(jet, table.coefficients, z, q);
        }
        jet_gaussian<T>(jet, table.coefficients, q, out);
        for (int c = 0; c < jet.channels(); ++c)
          store<T>(y + std::size_t(c) * channel + std::size_t(p) * std::size_t(g.width) + std::size_t(i),
                   out[c]);
      }
  });
}

template <class T>
void gaussian_gradient_range(const detail::JetTableView<T>& table, const GaussianPanel<T>& g,
                             const T* exponent_bar, T* centre_bar, T* width_bar, T* shear_bar) {
  if (g.shear)
    return full_gaussian_gradient_range<T>(table, g, exponent_bar, centre_bar, width_bar, shear_bar);
  with_inputs<T>(table, g, [&](auto algebra) {
    for (int i = 0; i < g.width; i += lanes<T>)
      sum_points<T>(algebra, table.coefficients, g, i, {0, g.points, 1}, exponent_bar,
                    [&](int k, Vec<T> centre, Vec<T> width) {
                      const std::size_t at = std::size_t(k) * std::size_t(g.width) + std::size_t(i);
                      store<T>(centre_bar + at,
                               load<T>(centre_bar + at) + centre * load<T>(g.sharpness + at));
                      store<T>(width_bar + at, load<T>(width_bar + at) + width);
                    });
  });
}

template <class T>
void gaussian_rows_range(const detail::JetTableView<T>& table, const GaussianPanel<T>& g,
                         const T* exponent_bar, const detail::GaussianRows<T>& to) {
  if (g.shear) return full_gaussian_rows_range<T>(table, g, exponent_bar, to);
  with_inputs<T>(table, g, [&](auto algebra) {
    for (int p = 0; p < to.count; ++p) {
      const T scale = to.scale ? to.scale[p] : T(1);
      const std::size_t row = std::size_t(p) * to.stride;
      for (int i = 0; i < to.features; i += lanes<T>)
        sum_points<T>(algebra, table.coefficients, g, i, {p, to.copies, to.apart}, exponent_bar,
                      [&](int k, Vec<T> centre, Vec<T> width) {
                        const std::size_t from = std::size_t(k) * std::size_t(g.width) + std::size_t(i),
                                          at = row + std::size_t(k) * to.input_stride + std::size_t(i);
                        store_part<T>(to.centre + at, centre * load<T>(g.sharpness + from) * scale,
                                      to.features - i);
                        store_part<T>(to.width + at, width * scale, to.features - i);
                      });
    }
  });
}

#define SOBOLEV_INSTANTIATE(T)                                                                               \
  template detail::GaussianAxes gaussian_axes<T>(const detail::JetTableView<T>&, const T*, std::size_t, int, \
                                                 int, int);                                                  \
  template void gaussian_forward_range<T>(const detail::JetTableView<T>&, const GaussianPanel<T>&, T*);      \
  template void gaussian_gradient_range<T>(const detail::JetTableView<T>&, const GaussianPanel<T>&,          \
                                           const T*, T*, T*, T*);                                            \
  template void gaussian_rows_range<T>(const detail::JetTableView<T>&, const GaussianPanel<T>&, const T*,    \
                                       const detail::GaussianRows<T>&);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE

}  // namespace sobolev::SOBOLEV_TARGET
