// SPDX-License-Identifier: Apache-2.0
// The gates of a modified MLP.
// Per point 2 products of jets forward (one, of z and a − b), 2 transposed ones backward: about 4·K +
// 2·products FMAs and 4·K·sizeof(T) bytes forward, 7·K·sizeof(T) backward, in cache: bound by loads and
// stores. Source: Wang, Teng & Perdikaris 2021, "Understanding and mitigating gradient flow pathologies".
#include "kernels/jet/jet_algebra_detail.hpp"
#include "kernels/network/network_gate_range.hpp"

namespace sobolev::SOBOLEV_TARGET {

template <class T>
void gate_forward_range(const detail::JetTableView<T>& table, const T* z, const T* a, const T* b, T* y,
                        std::size_t stride, std::size_t n) {
  with_jet<T>(table, [&](auto jet) {
    using Jet = decltype(jet);
    for (std::size_t i = 0; i < n; i += lanes<T>) {
      Vec<T> gate[Jet::max_channels], base[Jet::max_channels], difference[Jet::max_channels],
          product[Jet::max_channels];
      const auto load_channel = [&](int c) __attribute__((always_inline)) {
        const std::size_t at = std::size_t(c) * stride + i;
        gate[c] = load<T>(z + at);
        base[c] = load<T>(b + at);
        difference[c] = load<T>(a + at) - base[c];
      };
      load_channel(0);  // there is always one, which compilers cannot know
      for (int c = 1; c < jet.channels(); ++c) load_channel(c);
      jet_product<T>(jet, table.coefficients, gate, difference, product);
      for (int c = 0; c < jet.channels(); ++c)
        store<T>(y + std::size_t(c) * stride + i, base[c] + product[c]);
    }
  });
}

template <class T>
void gate_backward_range(const detail::JetTableView<T>& table, const T* z, const T* a, const T* b,
                         const T* y_bar, T* z_bar, T* a_bar, T* b_bar, unsigned adds, std::size_t stride,
                         std::size_t n) {
  with_jet<T>(table, [&](auto jet) {
    using Jet = decltype(jet);
    const auto give = [&](T* to, unsigned bit, Vec<T> share) {
      if (to != nullptr) store<T>(to, (adds >> bit & 1) != 0 ? load<T>(to) + share : share);
    };
    for (std::size_t i = 0; i < n; i += lanes<T>) {
      Vec<T> gate[Jet::max_channels], difference[Jet::max_channels], bar[Jet::max_channels],
          to_gate[Jet::max_channels], to_a[Jet::max_channels];
      const auto load_channel = [&](int c) __attribute__((always_inline)) {
        const std::size_t at = std::size_t(c) * stride + i;
        gate[c] = load<T>(z + at);
        difference[c] = load<T>(a + at) - load<T>(b + at);
        bar[c] = load<T>(y_bar + at);
      };
      load_channel(0);
      for (int c = 1; c < jet.channels(); ++c) load_channel(c);
      jet_transposed_product<T>(jet, table.coefficients, difference, bar, to_gate);
      jet_transposed_product<T>(jet, table.coefficients, gate, bar, to_a);
      for (int c = 0; c < jet.channels(); ++c) {
        const std::size_t at = std::size_t(c) * stride + i;
        give(z_bar == nullptr ? nullptr : z_bar + at, 0, to_gate[c]);
        give(a_bar == nullptr ? nullptr : a_bar + at, 1, to_a[c]);
        give(b_bar == nullptr ? nullptr : b_bar + at, 2, bar[c] - to_a[c]);
      }
    }
  });
}

#define SOBOLEV_INSTANTIATE(T)                                                                          \
  template void gate_forward_range<T>(const detail::JetTableView<T>&, const T*, const T*, const T*, T*, \
                                      std::size_t, std::size_t);                                        \
  template void gate_backward_range<T>(const detail::JetTableView<T>&, const T*, const T*, const T*,    \
                                       const T*, T*, T*, T*, unsigned, std::size_t, std::size_t);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE

}  // namespace sobolev::SOBOLEV_TARGET
