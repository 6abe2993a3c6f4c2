// SPDX-License-Identifier: Apache-2.0
// Gaussian features: all channels of a point from one exponential. With q = −½ Σ_k z_k², y = e^q, and from ȳ
// the adjoint q̄ = y ⊛ ȳ (the transposed product, activation_range.hpp):  z̄_k = −z_k ⊛ q̄,  μ̄_k = −ρ_k z̄_k0
// (the value channel),  ∂/∂log width_k = −Σ_c z̄_kc z_kc.  Nothing of size points × Gaussians is stored beyond
// a tile's y and q̄: z is made anew on the way back. Per point and Gaussian of d inputs: d·(2·K + products)
// FMAs and one exponential forward, 2·d·(2·K + products) backward; x is read as scalars, μ and ρ from the
// first-level cache: bound by the FMA units. Source: Kang, Oh, Hong & Park 2025, "PIG: Physics-informed
// Gaussians as adaptive parametric mesh representations".
#include "kernels/jet/jet_algebra_detail.hpp"
#include "kernels/network/network_gaussian_range.hpp"

namespace sobolev::SOBOLEV_TARGET {
namespace {
using detail::GaussianPanel;

/// z of input k for the lanes from i on, at row `point` of each channel.
template <class T, class Jet>
SOBOLEV_INLINE void scaled_offsets(const Jet& jet, const GaussianPanel<T>& g, int k, int i, int point,
                                   Vec<T>* z) {
  const std::size_t width = std::size_t(g.width), at = std::size_t(k) * width + std::size_t(i);
  const T* x =
      g.x + std::size_t(k / g.width) * g.panel + std::size_t(point) * width + std::size_t(k % g.width);
  const Vec<T> rho = load<T>(g.sharpness + at);
  z[0] = rho * (broadcast<T>(x[0]) - load<T>(g.centre + at));
  repeat<Jet, Jet::max_channels>(
      jet.channels(), [&](int c) __attribute__((always_inline)) {
        if (c > 0) z[c] = rho * x[std::size_t(c) * std::size_t(g.points) * width];
      });
}

/// Adds what a point gives to the derivatives by μ_k and log width_k.
template <class T, class Jet>
SOBOLEV_INLINE void add_point(const Jet& jet, const T* coefficients, const GaussianPanel<T>& g, int k, int i,
                              int point, const T* exponent_bar, Vec<T>& centre, Vec<T>& width) {
  Vec<T> z[Jet::max_channels], bar[Jet::max_channels], back[Jet::max_channels];
  scaled_offsets<T>(jet, g, k, i, point, z);
  const T* from = exponent_bar + std::size_t(point) * std::size_t(g.width) + std::size_t(i);
  const auto load_channel = [&](int c) __attribute__((always_inline)) {
    bar[c] = load<T>(from + std::size_t(c) * std::size_t(g.points) * std::size_t(g.width));
  };
  load_channel(0);  // there is always one, which compilers cannot know
  for (int c = 1; c < jet.channels(); ++c) load_channel(c);
  jet_transposed_product<T>(jet, coefficients, z, bar, back);  // −z̄
  centre += back[0];
  for (int c = 0; c < jet.channels(); ++c) width += back[c] * z[c];
}
}  // namespace

template <class T>
void gaussian_forward_range(const detail::JetTableView<T>& table, const GaussianPanel<T>& g, T* y) {
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
          store<T>(y + std::size_t(c * g.points + p) * std::size_t(g.width) + std::size_t(i), out[c]);
      }
  });
}

template <class T>
void gaussian_gradient_range(const detail::JetTableView<T>& table, const GaussianPanel<T>& g,
                             const T* exponent_bar, T* centre_bar, T* width_bar) {
  with_jet<T>(table, [&](auto jet) {
    for (int k = 0; k < g.inputs; ++k)
      for (int i = 0; i < g.width; i += lanes<T>) {
        Vec<T> centre{}, width{};
        for (int p = 0; p < g.points; ++p)
          add_point<T>(jet, table.coefficients, g, k, i, p, exponent_bar, centre, width);
        const std::size_t at = std::size_t(k) * std::size_t(g.width) + std::size_t(i);
        store<T>(centre_bar + at, load<T>(centre_bar + at) + centre * load<T>(g.sharpness + at));
        store<T>(width_bar + at, load<T>(width_bar + at) + width);
      }
  });
}

template <class T>
void gaussian_row_range(const detail::JetTableView<T>& table, const GaussianPanel<T>& g,
                        const T* exponent_bar, int point, int copies, int apart, T scale, int features,
                        std::size_t stride, T* centre_row, T* width_row) {
  with_jet<T>(table, [&](auto jet) {
    for (int k = 0; k < g.inputs; ++k)
      for (int i = 0; i < features; i += lanes<T>) {
        Vec<T> centre{}, width{};
        for (int s = 0; s < copies; ++s)
          add_point<T>(jet, table.coefficients, g, k, i, point + s * apart, exponent_bar, centre, width);
        const std::size_t from = std::size_t(k) * std::size_t(g.width) + std::size_t(i),
                          to = std::size_t(k) * stride + std::size_t(i);
        store_part<T>(centre_row + to, centre * load<T>(g.sharpness + from) * scale, features - i);
        store_part<T>(width_row + to, width * scale, features - i);
      }
  });
}

#define SOBOLEV_INSTANTIATE(T)                                                                           \
  template void gaussian_forward_range<T>(const detail::JetTableView<T>&, const GaussianPanel<T>&, T*);  \
  template void gaussian_gradient_range<T>(const detail::JetTableView<T>&, const GaussianPanel<T>&,      \
                                           const T*, T*, T*);                                            \
  template void gaussian_row_range<T>(const detail::JetTableView<T>&, const GaussianPanel<T>&, const T*, \
                                      int, int, int, T, int, std::size_t, T*, T*);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE

}  // namespace sobolev::SOBOLEV_TARGET
