// SPDX-License-Identifier: Apache-2.0
#pragma once
// Composition y = σ(z) and its adjoint in a truncated Taylor algebra, on one SIMD vector per channel.
// With P_k = (z − z_0)^k and s_k = σ^(k)(z_0)/k!:   y = Σ s_k P_k,   d = σ'(z) = Σ (k+1) s_{k+1} P_k,
// z̄_β = Σ_{α ≥ β} ȳ_α d_{α−β}; for tanh d = 1 − y·y. One source serves the general algebra (loops over
// tables) and the common ones (tables known to the compiler, everything unrolled into registers).
#include <type_traits>
#include <utility>

#include "kernels/common/simd.hpp"
#include "kernels/common/vector_math.hpp"
#include "kernels/jet/jet_table.hpp"
#include "sobolev/jet/activation.hpp"

namespace sobolev::SOBOLEV_TARGET {

using detail::JetProductIndex;
using detail::JetShape;

/// Tables read at run time.
template <class T>
struct GeneralJet {
  static constexpr bool unrolled = false;
  static constexpr int max_channels = max_jet_channels, max_order = max_jet_order;
  const JetProductIndex* products;
  const std::int8_t* reach_of;
  int channel_count, order_, product_count_;
  SOBOLEV_INLINE int channels() const { return channel_count; }
  SOBOLEV_INLINE int order() const { return order_; }
  SOBOLEV_INLINE int product_count() const { return product_count_; }
  SOBOLEV_INLINE JetProductIndex product(int i) const { return products[i]; }
  SOBOLEV_INLINE int reach(int channel) const { return reach_of[channel]; }
};

/// Tables known to the compiler.
template <JetShape shape>
struct ShapeTables;
#define SOBOLEV_JET_SHAPE(name, k, ord, count, ...)                               \
  template <>                                                                     \
  struct ShapeTables<JetShape::name> {                                            \
    static constexpr int channels = k, order = ord, product_count = count;        \
    static constexpr JetProductIndex products[count ? count : 1] = {__VA_ARGS__}; \
  };
SOBOLEV_JET_SHAPE(value, 1, 0, 0, {0, 0, 0})
SOBOLEV_JET_SHAPE(first_1, 2, 1, 0, {0, 0, 0})
SOBOLEV_JET_SHAPE(first_2, 3, 1, 0, {0, 0, 0})
SOBOLEV_JET_SHAPE(second_1, 3, 2, 1, {2, 1, 1})
SOBOLEV_JET_SHAPE(second_1_first, 4, 2, 1, {3, 2, 2})
SOBOLEV_JET_SHAPE(second_2, 4, 2, 2, {3, 1, 1}, {3, 2, 2})
SOBOLEV_JET_SHAPE(mixed_2, 4, 2, 2, {3, 1, 2}, {3, 2, 1})
SOBOLEV_JET_SHAPE(diagonal_2, 5, 2, 2, {3, 1, 1}, {4, 2, 2})
SOBOLEV_JET_SHAPE(third_1, 4, 3, 3, {2, 1, 1}, {3, 1, 2}, {3, 2, 1})
SOBOLEV_JET_SHAPE(fourth_1, 5, 4, 6, {2, 1, 1}, {3, 1, 2}, {3, 2, 1}, {4, 1, 3}, {4, 2, 2}, {4, 3, 1})
SOBOLEV_JET_SHAPE(second_3, 5, 2, 3, {4, 1, 1}, {4, 2, 2}, {4, 3, 3})
#undef SOBOLEV_JET_SHAPE

template <class Tables_>
struct UnrolledTables {
  using Tables = Tables_;
  static constexpr bool unrolled = true;
  static constexpr int max_channels = Tables::channels, max_order = Tables::order;
  static constexpr int channels() { return Tables::channels; }
  static constexpr int order() { return Tables::order; }
  static constexpr int product_count() { return Tables::product_count; }
  static constexpr JetProductIndex product(int i) { return Tables::products[i]; }
  static constexpr int reach(int channel) { return reach_table.of[channel]; }

 private:
  struct Reach {
    int of[max_channels] = {};
    constexpr Reach() {
      for (int c = 1; c < max_channels; ++c) of[c] = 1;
      // Products name earlier channels only, so one sweep settles them.
      for (int i = 0; i < Tables::product_count; ++i) {
        const JetProductIndex p = Tables::products[i];
        const int sum = of[p.left] + of[p.right], most = sum < max_order ? sum : max_order;
        if (most > of[p.out]) of[p.out] = most;
      }
    }
  };
  static constexpr Reach reach_table{};
};
template <JetShape shape>
using UnrolledJet = UnrolledTables<ShapeTables<shape>>;

template <class Jet>
constexpr int jet_product_bound_of() {
  if constexpr (Jet::unrolled) return Jet::product_count();
  return 0;
}
template <class Jet>
inline constexpr int jet_product_bound = jet_product_bound_of<Jet>();

/// f(0), …, f(n − 1): a loop, or its unrolling where the count is known.
template <class Jet, int known, class F>
SOBOLEV_INLINE void repeat(int n, F&& f) {
  if constexpr (Jet::unrolled) {
    [&]<int... i>(std::integer_sequence<int, i...>) __attribute__((always_inline)) { (f(i), ...); }
    (std::make_integer_sequence<int, known>{});
    (void)n;
  } else {
    for (int i = 0; i < n; ++i) f(i);
  }
}

/// s[0 … n]: Taylor coefficients of σ at z0.
template <Activation activation, class T>
SOBOLEV_INLINE void activation_taylor(Vec<T> z0, int n, Vec<T>* s) {
  if constexpr (activation == Activation::tanh) {
    s[0] = vtanh<T>(z0);
    if (n >= 1) s[1] = T(1) - s[0] * s[0];
    if (n >= 2) s[2] = -s[0] * s[1];
    // (k + 1) s_{k+1} = −Σ_{i+j=k} s_i s_j for k ≥ 1, from y' = 1 − y².
    for (int k = 2; k < n; ++k) {
      Vec<T> sum{};
      for (int i = 0; i <= k; ++i) sum += s[i] * s[k - i];
      s[k + 1] = sum * T(-1.0 / (k + 1));
    }
  } else if constexpr (activation == Activation::exponential) {
    s[0] = vexp<T>(z0);
    for (int k = 1; k <= n; ++k) s[k] = s[k - 1] * T(1.0 / k);
  } else if constexpr (activation == Activation::sin) {
    Vec<T> sine, cosine;
    vsincos<T>(z0, sine, cosine);
    double inverse_factorial = 1;
    for (int k = 0; k <= n; ++k) {
      if (k > 0) inverse_factorial /= k;
      const Vec<T> base = k % 2 == 0 ? sine : cosine;
      s[k] = base * T(k % 4 < 2 ? inverse_factorial : -inverse_factorial);
    }
  } else if constexpr (activation == Activation::gelu) {
    // Φ' = φ, φ' = −zφ; s = coefficients of z Φ(z).
    Vec<T> cumulative[max_jet_order + 3], density[max_jet_order + 3];
    cumulative[0] = T(0.5) * verfc<T>(z0 * T(-0.70710678118654752440));
    density[0] = vexp<T>(z0 * z0 * T(-0.5)) * T(0.39894228040143267794);
    for (int k = 0; k < n; ++k) {
      density[k + 1] = (z0 * density[k] + (k > 0 ? density[k - 1] : Vec<T>{})) * T(-1.0 / (k + 1));
      cumulative[k + 1] = density[k] * T(1.0 / (k + 1));
    }
    for (int k = 0; k <= n; ++k) s[k] = z0 * cumulative[k] + (k > 0 ? cumulative[k - 1] : Vec<T>{});
  } else {
    // The logistic function g: g' = g − g².
    Vec<T> g[max_jet_order + 3];
    g[0] = T(0.5) + T(0.5) * vtanh<T>(z0 * T(0.5));
    for (int k = 0; k < n; ++k) {
      Vec<T> sum{};
      for (int i = 0; i <= k; ++i) sum += g[i] * g[k - i];
      g[k + 1] = (g[k] - sum) * T(1.0 / (k + 1));
    }
    if constexpr (activation == Activation::swish) {
      for (int k = 0; k <= n; ++k) s[k] = z0 * g[k] + (k > 0 ? g[k - 1] : Vec<T>{});
    } else {
      // softplus = max(z, 0) + log(1 + e^−|z|)
      const Vec<T> magnitude = select<T>(z0 < Vec<T>{}, -z0, z0);
      s[0] = select<T>(z0 < Vec<T>{}, Vec<T>{}, z0) + vlog<T>(T(1) + vexp<T>(-magnitude));
      for (int k = 0; k < n; ++k) s[k + 1] = g[k] * T(1.0 / (k + 1));
    }
  }
}

/// P_k = (z − z_0)^k for k = 1 … order: power[k][channel].
template <class T, class Jet>
SOBOLEV_INLINE void jet_powers(const Jet& jet, const T* coefficients, const Vec<T>* z,
                               Vec<T> (*power)[Jet::max_channels]) {
  repeat<Jet, Jet::max_channels>(
      jet.channels(), [&](int c) __attribute__((always_inline)) {
        power[1][c] = z[c];
        for (int k = 2; k <= jet.reach(c); ++k) power[k][c] = Vec<T>{};
      });
  repeat<Jet, (Jet::max_order > 1 ? Jet::max_order - 1 : 0)>(
      jet.order() - 1, [&](int k_) __attribute__((always_inline)) {
        const int k = k_ + 2;
        repeat<Jet, jet_product_bound<Jet>>(
            jet.product_count(), [&](int i) __attribute__((always_inline)) {
              const JetProductIndex p = jet.product(i);
              if (jet.reach(p.out) >= k && jet.reach(p.left) >= k - 1)
                power[k][p.out] += coefficients[i] * power[k - 1][p.left] * z[p.right];
            });
      });
}

/// y = Σ_k s_k (z − z_0)^k. z may be y.
template <class T, class Jet>
SOBOLEV_INLINE void jet_composition(const Jet& jet, const T* coefficients, const Vec<T>* s, const Vec<T>* z,
                                    Vec<T>* y) {
  Vec<T> power[Jet::max_order + 2][Jet::max_channels];
  jet_powers<T>(jet, coefficients, z, power);
  y[0] = s[0];
  repeat<Jet, Jet::max_channels>(
      jet.channels(), [&](int c) __attribute__((always_inline)) {
        if (c == 0) return;
        Vec<T> sum = s[1] * power[1][c];
        for (int k = 2; k <= jet.reach(c); ++k) sum += s[k] * power[k][c];
        y[c] = sum;
      });
}

/// y = σ(z). z may be y.
template <Activation activation, class T, class Jet>
SOBOLEV_INLINE void jet_activation(const Jet& jet, const T* coefficients, const Vec<T>* z, Vec<T>* y) {
  Vec<T> s[Jet::max_order + 2] = {};
  activation_taylor<activation, T>(z[0], jet.order(), s);
  jet_composition<T>(jet, coefficients, s, z, y);
}

/// Gaussians below e^gaussian_end are 0: 8.8e-27 in float32, 2.7e-261 in float64. What remains may be
/// multiplied by small weights and adjoints and stays a normal number; others take many times as long.
template <class T>
inline constexpr T gaussian_end = sizeof(T) == 4 ? T(-60) : T(-600);

/// e^q of an exponent q ≤ 0, or 0 below gaussian_end.
template <class T>
SOBOLEV_INLINE Vec<T> gaussian_value(Vec<T> q) {
  return select<T>(q < gaussian_end<T>, Vec<T>{}, vexp_normal<T>(q));
}

/// The jet of e^q, cut off as gaussian_value is.
template <class T, class Jet>
SOBOLEV_INLINE void jet_gaussian(const Jet& jet, const T* coefficients, const Vec<T>* q, Vec<T>* y) {
  Vec<T> s[Jet::max_order + 2] = {};
  s[0] = gaussian_value<T>(q[0]);
  for (int k = 1; k <= jet.order(); ++k) s[k] = s[k - 1] * T(1.0 / k);
  jet_composition<T>(jet, coefficients, s, q, y);
}

/// The jet of σ'(z).
template <Activation activation, class T, class Jet>
SOBOLEV_INLINE void jet_activation_slope(const Jet& jet, const T* coefficients, const Vec<T>* z,
                                         Vec<T>* slope) {
  Vec<T> s[Jet::max_order + 3] = {};
  activation_taylor<activation, T>(z[0], jet.order() + 1, s);
  Vec<T> power[Jet::max_order + 2][Jet::max_channels];
  jet_powers<T>(jet, coefficients, z, power);
  slope[0] = s[1];
  repeat<Jet, Jet::max_channels>(
      jet.channels(), [&](int c) __attribute__((always_inline)) {
        if (c == 0) return;
        Vec<T> sum = T(2) * s[2] * power[1][c];
        for (int k = 2; k <= jet.reach(c); ++k) sum += T(k + 1) * s[k + 1] * power[k][c];
        slope[c] = sum;
      });
}

/// The jet of tanh'(z) = 1 − y·y from that of y = tanh(z).
template <class T, class Jet>
SOBOLEV_INLINE void jet_tanh_slope(const Jet& jet, const T* coefficients, const Vec<T>* y, Vec<T>* slope) {
  slope[0] = T(1) - y[0] * y[0];
  const Vec<T> twice = T(-2) * y[0];
  repeat<Jet, Jet::max_channels>(
      jet.channels(), [&](int c) __attribute__((always_inline)) {
        if (c > 0) slope[c] = twice * y[c];
      });
  repeat<Jet, jet_product_bound<Jet>>(
      jet.product_count(), [&](int i) __attribute__((always_inline)) {
        const JetProductIndex p = jet.product(i);
        slope[p.out] -= coefficients[i] * y[p.left] * y[p.right];
      });
}

/// The jet of σ'(z) from what an adjoint is given: y where slope_from_output, else z.
template <Activation activation, class T, class Jet>
SOBOLEV_INLINE void jet_slope(const Jet& jet, const T* coefficients, const Vec<T>* given, Vec<T>* slope) {
  if constexpr (activation == Activation::tanh) {
    jet_tanh_slope<T>(jet, coefficients, given, slope);
  } else if constexpr (activation == Activation::exponential) {
    slope[0] = given[0];  // there is always one, which compilers cannot know
    for (int c = 1; c < jet.channels(); ++c) slope[c] = given[c];
  } else {
    jet_activation_slope<activation, T>(jet, coefficients, given, slope);
  }
}

/// The jet of a·b; `product` is neither of them.
template <class T, class Jet>
SOBOLEV_INLINE void jet_product(const Jet& jet, const T* coefficients, const Vec<T>* a, const Vec<T>* b,
                                Vec<T>* product) {
  product[0] = a[0] * b[0];
  repeat<Jet, Jet::max_channels>(
      jet.channels(), [&](int c) __attribute__((always_inline)) {
        if (c > 0) product[c] = a[c] * b[0] + a[0] * b[c];
      });
  repeat<Jet, jet_product_bound<Jet>>(
      jet.product_count(), [&](int i) __attribute__((always_inline)) {
        const JetProductIndex p = jet.product(i);
        product[p.out] += coefficients[i] * a[p.left] * b[p.right];
      });
}

/// q −= ½ z·z.
template <class T, class Jet>
SOBOLEV_INLINE void subtract_half_square(const Jet& jet, const T* coefficients, const Vec<T>* z, Vec<T>* q) {
  const Vec<T> half = T(0.5) * z[0];
  q[0] -= half * z[0];
  repeat<Jet, Jet::max_channels>(
      jet.channels(), [&](int c) __attribute__((always_inline)) {
        if (c > 0) q[c] -= z[0] * z[c];
      });
  repeat<Jet, jet_product_bound<Jet>>(
      jet.product_count(), [&](int i) __attribute__((always_inline)) {
        const JetProductIndex p = jet.product(i);
        q[p.out] -= (T(0.5) * coefficients[i]) * z[p.left] * z[p.right];
      });
}

/// z̄ from ȳ and the jet of σ'(z): z̄_β = Σ_{α ≥ β} ȳ_α slope_{α−β}.
template <class T, class Jet>
SOBOLEV_INLINE void jet_transposed_product(const Jet& jet, const T* coefficients, const Vec<T>* slope,
                                           const Vec<T>* y_bar, Vec<T>* z_bar) {
  Vec<T> value_bar = y_bar[0] * slope[0];
  repeat<Jet, Jet::max_channels>(
      jet.channels(), [&](int c) __attribute__((always_inline)) {
        if (c == 0) return;
        value_bar += y_bar[c] * slope[c];
        z_bar[c] = y_bar[c] * slope[0];
      });
  z_bar[0] = value_bar;
  repeat<Jet, jet_product_bound<Jet>>(
      jet.product_count(), [&](int i) __attribute__((always_inline)) {
        const JetProductIndex p = jet.product(i);
        z_bar[p.right] += coefficients[i] * y_bar[p.out] * slope[p.left];
      });
}

/// f(std::integral_constant<Activation, …>).
template <class F>
SOBOLEV_INLINE void with_activation(Activation activation, F&& f) {
  switch (activation) {
    case Activation::tanh: return f(std::integral_constant<Activation, Activation::tanh>{});
    case Activation::sin: return f(std::integral_constant<Activation, Activation::sin>{});
    case Activation::gelu: return f(std::integral_constant<Activation, Activation::gelu>{});
    case Activation::swish: return f(std::integral_constant<Activation, Activation::swish>{});
    case Activation::softplus: return f(std::integral_constant<Activation, Activation::softplus>{});
    case Activation::exponential: return f(std::integral_constant<Activation, Activation::exponential>{});
  }
}

/// Calls f with the algebra of the table: an unrolled one where there is one.
template <class T, class F>
SOBOLEV_INLINE void with_jet(const detail::JetTableView<T>& table, F&& f) {
  switch (table.shape) {
    case JetShape::value: return f(UnrolledJet<JetShape::value>{});
    case JetShape::first_1: return f(UnrolledJet<JetShape::first_1>{});
    case JetShape::first_2: return f(UnrolledJet<JetShape::first_2>{});
    case JetShape::second_1: return f(UnrolledJet<JetShape::second_1>{});
    case JetShape::second_1_first: return f(UnrolledJet<JetShape::second_1_first>{});
    case JetShape::second_2: return f(UnrolledJet<JetShape::second_2>{});
    case JetShape::mixed_2: return f(UnrolledJet<JetShape::mixed_2>{});
    case JetShape::diagonal_2: return f(UnrolledJet<JetShape::diagonal_2>{});
    case JetShape::third_1: return f(UnrolledJet<JetShape::third_1>{});
    case JetShape::fourth_1: return f(UnrolledJet<JetShape::fourth_1>{});
    case JetShape::second_3: return f(UnrolledJet<JetShape::second_3>{});
    case JetShape::general: break;
  }
  f(GeneralJet<T>{table.products, table.reach, table.channels, table.order, table.product_count});
}

}  // namespace sobolev::SOBOLEV_TARGET
