// SPDX-License-Identifier: Apache-2.0
// y = σ(z) and its adjoint in a truncated Taylor algebra.       z, y : [K, N]
// A SIMD vector of points at a time, all K channels in registers. Per point: one transcendental and
// about (order + 1)·K + 2·products FMAs; moves 2·K·N·sizeof(T) bytes forward, 3.5·K·N·sizeof(T) backward:
// bandwidth bound outside the caches, about 20 % above the cost of σ itself inside them.
#include "sobolev/jet/activation.hpp"

#include "kernels/jet/activation_range.hpp"
#include "kernels/jet/jet_algebra_detail.hpp"

namespace sobolev::SOBOLEV_TARGET {
namespace {
template <class T>
SOBOLEV_INLINE Vec<T> load_some(const T* p, std::size_t n) {
  if (n >= std::size_t(lanes<T>)) return load<T>(p);
  T s[lanes<T>] = {};
  for (std::size_t i = 0; i < n; ++i) s[i] = p[i];
  return load<T>(s);
}
template <class T>
SOBOLEV_INLINE void store_some(T* p, Vec<T> v, std::size_t n) {
  if (n >= std::size_t(lanes<T>)) return store<T>(p, v);
  T s[lanes<T>];
  store<T>(s, v);
  for (std::size_t i = 0; i < n; ++i) p[i] = s[i];
}

template <Activation activation, class T>
void forward(const detail::JetTableView<T>& table, const T* z, T* y, std::size_t stride, std::size_t n) {
  with_jet<T>(table, [&](auto jet) {
    using Jet = decltype(jet);
    for (std::size_t i = 0; i < n; i += lanes<T>) {
      Vec<T> in[Jet::max_channels], out[Jet::max_channels];
      for (int c = 0; c < jet.channels(); ++c) in[c] = load_some<T>(z + std::size_t(c) * stride + i, n - i);
      jet_activation<activation, T>(jet, table.coefficients, in, out);
      for (int c = 0; c < jet.channels(); ++c) store_some<T>(y + std::size_t(c) * stride + i, out[c], n - i);
    }
  });
}

template <Activation activation, class T>
void backward(const detail::JetTableView<T>& table, const T* z, const T* y, const T* y_bar, T* z_bar,
              std::size_t stride, std::size_t n) {
  with_jet<T>(table, [&](auto jet) {
    using Jet = decltype(jet);
    for (std::size_t i = 0; i < n; i += lanes<T>) {
      Vec<T> in[Jet::max_channels], bar[Jet::max_channels], out[Jet::max_channels];
      for (int c = 0; c < jet.channels(); ++c) {
        in[c] = load_some<T>(z + std::size_t(c) * stride + i, n - i);
        bar[c] = load_some<T>(y_bar + std::size_t(c) * stride + i, n - i);
      }
      jet_activation_adjoint<activation, T>(jet, table.coefficients, in, load_some<T>(y + i, n - i), bar,
                                            out);
      for (int c = 0; c < jet.channels(); ++c)
        store_some<T>(z_bar + std::size_t(c) * stride + i, out[c], n - i);
    }
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
#include <fmt/format.h>

#include "sobolev/core/error.hpp"

namespace sobolev {
namespace {
constexpr std::size_t grain = 4096;  // points per task
template <class T>
void check_shape(const char* name, const JetSpec& spec, View<const T, 2> z, View<const T, 2> other) {
  require(z.extent(0) == std::size_t(spec.channels()) && other.shape() == z.shape(),
          fmt::format("{}: arrays are [{}, {}] and [{}, {}] but the jet has {} channels", name, z.extent(0),
                      z.extent(1), other.extent(0), other.extent(1), spec.channels()));
}
}  // namespace

template <class T>
void activation_forward(const Cpu& cpu, Activation activation, const JetSpec& spec, View<const T, 2> z,
                        View<T, 2> y) {
  check_shape<T>("activation_forward", spec, z, y);
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
  check_shape<T>("activation_backward", spec, z, y);
  check_shape<T>("activation_backward", spec, y_bar, z_bar);
  require(z.shape() == y_bar.shape(), "activation_backward: z and y_bar differ in shape");
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
