// SPDX-License-Identifier: Apache-2.0
// y = σ(z) and its adjoint in a truncated Taylor algebra.       z, y : [K, N]
// A SIMD vector of points at a time, all K channels in registers. Per point: one transcendental and
// about (order + 1)·K + 2·products FMAs; moves 2·K·N·sizeof(T) bytes forward, 3.5·K·N·sizeof(T) backward:
// bandwidth bound outside the caches, about 20 % above the cost of σ itself inside them.
#include "sobolev/jet/activation.hpp"

#include <type_traits>

#include "kernels/jet/activation_range.hpp"
#include "kernels/jet/jet_algebra_detail.hpp"

namespace sobolev::SOBOLEV_TARGET {
namespace {
/// n of a vector's elements, or all of them.
template <bool whole, class T>
SOBOLEV_INLINE Vec<T> load_some(const T* p, std::size_t n) {
  if constexpr (whole) return load<T>(p);
  T s[lanes<T>] = {};
  for (std::size_t i = 0; i < n; ++i) s[i] = p[i];
  return load<T>(s);
}
template <bool whole, class T>
SOBOLEV_INLINE void store_some(T* p, Vec<T> v, std::size_t n) {
  if constexpr (whole) return store<T>(p, v);
  T s[lanes<T>];
  store<T>(s, v);
  for (std::size_t i = 0; i < n; ++i) p[i] = s[i];
}
/// f(i, std::bool_constant<whole>): vector by vector, a last one in part.
template <class T, class F>
SOBOLEV_INLINE void for_vectors(std::size_t n, F&& f) {
  std::size_t i = 0;
  for (; i + lanes<T> <= n; i += lanes<T>) f(i, std::true_type{});
  if (i < n) f(i, std::false_type{});
}

template <Activation activation, class T>
void forward(const detail::JetTableView<T>& table, const T* z, T* y, std::size_t stride, std::size_t n) {
  with_jet<T>(table, [&](auto jet) {
    using Jet = decltype(jet);
    for_vectors<T>(
        n, [&](std::size_t i, auto whole) __attribute__((always_inline)) {
          Vec<T> in[Jet::max_channels], out[Jet::max_channels];
          for (int c = 0; c < jet.channels(); ++c)
            in[c] = load_some<whole>(z + std::size_t(c) * stride + i, n - i);
          jet_activation<activation, T>(jet, table.coefficients, in, out);
          for (int c = 0; c < jet.channels(); ++c)
            store_some<whole>(y + std::size_t(c) * stride + i, out[c], n - i);
        });
  });
}

template <Activation activation, class T>
void backward(const detail::JetTableView<T>& table, const T* z, const T* y, const T* y_bar, T* z_bar,
              std::size_t stride, std::size_t n) {
  const T* given = activation == Activation::tanh ? y : z;  // tanh' = 1 − y²
  with_jet<T>(table, [&](auto jet) {
    using Jet = decltype(jet);
    for_vectors<T>(
        n, [&](std::size_t i, auto whole) __attribute__((always_inline)) {
          Vec<T> in[Jet::max_channels], slope[Jet::max_channels], bar[Jet::max_channels], out[Jet::max_channels];
          const auto load_channel = [&](int c) __attribute__((always_inline)) {
            in[c] = load_some<whole>(given + std::size_t(c) * stride + i, n - i);
            bar[c] = load_some<whole>(y_bar + std::size_t(c) * stride + i, n - i);
          };
          load_channel(0);  // there is always one, which compilers cannot know
          for (int c = 1; c < jet.channels(); ++c) load_channel(c);
          if constexpr (activation == Activation::tanh)
            jet_tanh_slope<T>(jet, table.coefficients, in, slope);
          else
            jet_activation_slope<activation, T>(jet, table.coefficients, in, slope);
          jet_transposed_product<T>(jet, table.coefficients, slope, bar, out);
          for (int c = 0; c < jet.channels(); ++c)
            store_some<whole>(z_bar + std::size_t(c) * stride + i, out[c], n - i);
        });
  });
}
}  // namespace

template <class T>
void activation_forward_range(Activation activation, const detail::JetTableView<T>& table, const T* z, T* y,
                              std::size_t stride, std::size_t n) {
  switch (activation) {
    case Activation::tanh: return forward<Activation::tanh, T>(table, z, y, stride, n);
    case Activation::sin: return forward<Activation::sin, T>(table, z, y, stride, n);
    case Activation::gelu: return forward<Activation::gelu, T>(table, z, y, stride, n);
    case Activation::swish: return forward<Activation::swish, T>(table, z, y, stride, n);
    case Activation::softplus: return forward<Activation::softplus, T>(table, z, y, stride, n);
  }
}

template <class T>
void activation_backward_range(Activation activation, const detail::JetTableView<T>& table, const T* z,
                               const T* y, const T* y_bar, T* z_bar, std::size_t stride, std::size_t n) {
  switch (activation) {
    case Activation::tanh: return backward<Activation::tanh, T>(table, z, y, y_bar, z_bar, stride, n);
    case Activation::sin: return backward<Activation::sin, T>(table, z, y, y_bar, z_bar, stride, n);
    case Activation::gelu: return backward<Activation::gelu, T>(table, z, y, y_bar, z_bar, stride, n);
    case Activation::swish: return backward<Activation::swish, T>(table, z, y, y_bar, z_bar, stride, n);
    case Activation::softplus: return backward<Activation::softplus, T>(table, z, y, y_bar, z_bar, stride, n);
  }
}

template void activation_forward_range<float>(Activation, const detail::JetTableView<float>&, const float*,
                                              float*, std::size_t, std::size_t);
template void activation_forward_range<double>(Activation, const detail::JetTableView<double>&, const double*,
                                               double*, std::size_t, std::size_t);
template void activation_backward_range<float>(Activation, const detail::JetTableView<float>&, const float*,
                                               const float*, const float*, float*, std::size_t, std::size_t);
template void activation_backward_range<double>(Activation, const detail::JetTableView<double>&,
                                                const double*, const double*, const double*, double*,
                                                std::size_t, std::size_t);
}  // namespace sobolev::SOBOLEV_TARGET

#if SOBOLEV_DISPATCHER
#include "kernels/jet/activation_shapes.hpp"

namespace sobolev {
namespace {
constexpr std::size_t grain = 4096;  // points per task
}  // namespace

template <class T>
void activation_forward(const Cpu& cpu, Activation activation, const JetSpec& spec, View<const T, 2> z,
                        View<T, 2> y) {
  detail::check_activation_shapes<T>("activation_forward", spec, z, y);
  const detail::JetTable<T> table(spec);
  const detail::JetTableView<T> view = table.view();
  const std::size_t n = z.extent(1);
#pragma omp parallel for num_threads(cpu.threads()) schedule(static)
  for (std::size_t i = 0; i < n; i += grain)
    SOBOLEV_CALL(activation_forward_range<T>, activation, view, z.data() + i, y.data() + i, n,
                 n - i < grain ? n - i : grain);
}

template <class T>
void activation_backward(const Cpu& cpu, Activation activation, const JetSpec& spec, View<const T, 2> z,
                         View<const T, 2> y, View<const T, 2> y_bar, View<T, 2> z_bar) {
  detail::check_activation_shapes<T>("activation_backward", spec, z, y);
  detail::check_activation_shapes<T>("activation_backward", spec, z, y_bar);
  detail::check_activation_shapes<T>("activation_backward", spec, z, z_bar);
  const detail::JetTable<T> table(spec);
  const detail::JetTableView<T> view = table.view();
  const std::size_t n = z.extent(1);
#pragma omp parallel for num_threads(cpu.threads()) schedule(static)
  for (std::size_t i = 0; i < n; i += grain)
    SOBOLEV_CALL(activation_backward_range<T>, activation, view, z.data() + i, y.data() + i, y_bar.data() + i,
                 z_bar.data() + i, n, n - i < grain ? n - i : grain);
}

template void activation_forward<float>(const Cpu&, Activation, const JetSpec&, View<const float, 2>,
                                        View<float, 2>);
template void activation_forward<double>(const Cpu&, Activation, const JetSpec&, View<const double, 2>,
                                         View<double, 2>);
template void activation_backward<float>(const Cpu&, Activation, const JetSpec&, View<const float, 2>,
                                         View<const float, 2>, View<const float, 2>, View<float, 2>);
template void activation_backward<double>(const Cpu&, Activation, const JetSpec&, View<const double, 2>,
                                          View<const double, 2>, View<const double, 2>, View<double, 2>);
}  // namespace sobolev
#endif
