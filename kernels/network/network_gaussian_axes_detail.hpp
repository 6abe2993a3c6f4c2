// SPDX-License-Identifier: Apache-2.0
#pragma once
// Gaussians whose inputs are coordinates: the jet of each has a value x and one derivative s. With t = ρ (x −
// μ) and u = ρ t of each input, a channel of input a's first derivative and a channel m with products of
// coefficients c_i have
//   y = exp(−½ Σ t²),   y_a/y = −s_a u_a,   y_m/y = Σ_i ½ c_i s_l s_r (u_l u_r − [l = r] ρ_l²) − Σ_o s_o u_o,
// the last sum over the inputs o whose derivative is in channel m itself, as a collapsed one may have some.
// That is for values, first and second derivatives and sums of them. s is a factor of what a point multiplies
// with.
#include "kernels/jet/jet_algebra_detail.hpp"
#include "kernels/network/network_gaussian_range.hpp"

namespace sobolev::SOBOLEV_TARGET {

/// The number of channels that hold a first derivative each, 1 … axes, the others being products; −1 where
/// the algebra goes beyond second derivatives or is not known to the compiler.
template <class Jet>
constexpr int axes_of() {
  if constexpr (Jet::unrolled) {
    if (Jet::max_order > 2) return -1;
    int axes = Jet::max_channels - 1;
    for (int i = 0; i < Jet::product_count(); ++i)
      if (Jet::product(i).out <= axes) axes = Jet::product(i).out - 1;
    return axes;
  }
  return -1;
}

/// The channel where inputs besides the axes may have their derivative, 0: they have none.
template <class Jet>
inline constexpr int last_channel = Jet::max_channels - 1 > axes_of<Jet>() ? Jet::max_channels - 1 : 0;

template <class Jet>
inline constexpr int axes_room = axes_of<Jet>() > 0 ? axes_of<Jet>() : 1;

/// f(a) for the axes, and f(i, product) for the products, unrolled.
template <class Jet, class F>
SOBOLEV_INLINE void for_axes(F&& f) {
  repeat<Jet, axes_of<Jet>()>(axes_of<Jet>(), f);
}
template <class Jet, class F>
SOBOLEV_INLINE void for_products(F&& f) {
  repeat<Jet, jet_product_bound<Jet>>(
      Jet::product_count(), [&](int i) __attribute__((always_inline)) { f(i, Jet::product(i)); });
}

/// An algebra of inputs that are coordinates, with or without other inputs than the axes.
template <class Jet, bool others_>
struct CoordinateJet : Jet {
  static constexpr bool others = others_;
};

/// f(CoordinateJet) where the formulas are those of the algebra and the inputs. Says whether it was called.
template <class T, class F>
SOBOLEV_INLINE bool with_coordinates(const detail::JetTableView<T>& table, const detail::GaussianAxes& axes,
                                     F&& f) {
  if (!axes.coordinates) return false;
  with_jet<T>(table, [&](auto jet) {
    using Jet = decltype(jet);
    if constexpr (axes_of<Jet>() > 0)
      if (axes.others == 0) return f(CoordinateJet<Jet, false>{});
    if constexpr (axes_of<Jet>() >= 0) f(CoordinateJet<Jet, true>{});
  });
  return true;
}

/// f(o) for the other inputs.
template <class Jet, class T, class F>
SOBOLEV_INLINE void for_others(const detail::GaussianPanel<T>& g, F&& f) {
  if constexpr (Jet::others) {
    // Unrolled and peeled the loop would fill the registers.
#pragma GCC unroll 1
    for (int o = 0; o < g.axes.others; ++o) f(o);
  }
}

/// Input k at the first point of the tile.
template <class T>
SOBOLEV_INLINE const T* input_of(const detail::GaussianPanel<T>& g, int k) {
  return g.x + std::size_t(k / g.width) * g.panel + std::size_t(k % g.width);
}

/// x and s of a tile's points: element p · width.
template <class T, class Jet>
struct AxisInputs {
  const T *x[axes_room<Jet>], *s[axes_room<Jet>];
  const T *other_x[max_dimensions], *other_s[max_dimensions];
  explicit AxisInputs(const detail::GaussianPanel<T>& g) {
    const std::size_t channel = std::size_t(g.points) * std::size_t(g.width);
    for (int a = 0; a < axes_of<Jet>(); ++a) {
      x[a] = input_of(g, g.axes.axis[a]);
      s[a] = x[a] + std::size_t(a + 1) * channel;
    }
    for (int o = 0; Jet::others && o < g.axes.others; ++o) {
      other_x[o] = input_of(g, g.axes.other[o]);
      other_s[o] = other_x[o] + std::size_t(last_channel<Jet>) * channel;
    }
  }
};

/// μ, ρ and ρ² of the axes for the lanes from `at` on, at + k · width for input k.
template <class T, class Jet>
struct AxisParameters {
  Vec<T> centre[axes_room<Jet>], sharpness[axes_room<Jet>], square[axes_room<Jet>];
  SOBOLEV_INLINE AxisParameters(const detail::GaussianPanel<T>& g, std::size_t at) {
    for_axes<Jet>([&](int a) __attribute__((always_inline)) {
      const std::size_t from = at + std::size_t(g.axes.axis[a]) * std::size_t(g.width);
      centre[a] = load<T>(g.centre + from);
      sharpness[a] = load<T>(g.sharpness + from);
      square[a] = sharpness[a] * sharpness[a];
    });
  }
};

/// x and s of the axes at a point of the tile, and ½ c_i s_l s_r of the products.
template <class T, class Jet>
struct AxisPoint {
  int point;
  T x[axes_room<Jet>], s[axes_room<Jet>], product[jet_product_bound<Jet> + 1];
  AxisPoint() = default;
  SOBOLEV_INLINE AxisPoint(const detail::GaussianPanel<T>& g, const AxisInputs<T, Jet>& in, int p,
                           const T* coefficients)
      : point(p) {
    const std::size_t at = std::size_t(p) * std::size_t(g.width);
    for_axes<Jet>([&](int a) __attribute__((always_inline)) {
      x[a] = in.x[a][at];
      s[a] = in.s[a][at];
    });
    for_products<Jet>([&](int i, JetProductIndex of) __attribute__((always_inline)) {
      product[i] = T(0.5) * coefficients[i] * s[of.left - 1] * s[of.right - 1];
    });
  }
};

/// t, u, s and ρ of input `other[o]`.
template <class T, class Jet>
struct OtherInput {
  Vec<T> t, u, sharpness;
  T s;
  SOBOLEV_INLINE OtherInput(const detail::GaussianPanel<T>& g, const AxisInputs<T, Jet>& in, std::size_t at,
                            int point, int o) {
    const std::size_t p = std::size_t(point) * std::size_t(g.width),
                      from = at + std::size_t(g.axes.other[o]) * std::size_t(g.width);
    sharpness = load<T>(g.sharpness + from);
    t = sharpness * (in.other_x[o][p] - load<T>(g.centre + from));
    u = sharpness * t;
    s = last_channel<Jet> > 0 ? in.other_s[o][p] : T(0);
  }
};

/// t and u of the axes, Σ t² and Σ_o s_o u_o at a point; parameters from `at` on.
template <class T, class Jet>
struct AxisJet {
  Vec<T> t[axes_room<Jet>], u[axes_room<Jet>], square{}, drift{};

  SOBOLEV_INLINE AxisJet(const detail::GaussianPanel<T>& g, const AxisInputs<T, Jet>& in,
                         const AxisParameters<T, Jet>& of, std::size_t at, const AxisPoint<T, Jet>& p) {
    for_axes<Jet>([&](int a) __attribute__((always_inline)) {
      t[a] = of.sharpness[a] * (p.x[a] - of.centre[a]);
      u[a] = of.sharpness[a] * t[a];
      square += t[a] * t[a];
    });
    for_others<Jet>(
        g, [&](int o) __attribute__((always_inline)) {
          const OtherInput<T, Jet> other(g, in, at, p.point, o);
          square += other.t * other.t;
          drift += other.s * other.u;
        });
  }
  /// y.
  SOBOLEV_INLINE Vec<T> value() const { return gaussian_value<T>(T(-0.5) * square); }
  /// u_l u_r − [l = r] ρ_l² of a product.
  SOBOLEV_INLINE Vec<T> second(const AxisParameters<T, Jet>& of, JetProductIndex p) const {
    const Vec<T> both = u[p.left - 1] * u[p.right - 1];
    return p.left == p.right ? both - of.square[p.left - 1] : both;
  }
};

/// What an input gives to the derivatives by μ/ρ and by log σ, from t, u, ρ and ρ² and the adjoints of the
/// exponent, of −u and of −½ ρ².
template <class T>
SOBOLEV_INLINE void axis_derivatives(Vec<T> t, Vec<T> u, Vec<T> sharpness, Vec<T> square, Vec<T> value_bar,
                                     Vec<T> first_bar, Vec<T> second_bar, Vec<T>& centre, Vec<T>& width) {
  centre = t * value_bar + sharpness * first_bar;
  width = t * centre + (u * first_bar + square * second_bar);
}
/// Of another input than the axes.
template <class T, class Jet>
SOBOLEV_INLINE void other_derivatives(const OtherInput<T, Jet>& other, Vec<T> value_bar, Vec<T> last_bar,
                                      Vec<T>& centre, Vec<T>& width) {
  const Vec<T> first_bar = other.s * last_bar;
  centre = other.t * value_bar + other.sharpness * first_bar;
  width = other.t * centre + other.u * first_bar;
}

}  // namespace sobolev::SOBOLEV_TARGET
