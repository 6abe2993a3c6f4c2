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
/// n points, a multiple of the lanes; channel c at c · stride.
template <Activation activation, class T, class Jet>
__attribute__((noinline)) void forward_vectors(const Jet& jet, const T* coefficients, const T* z, T* y,
                                               std::size_t stride, std::size_t n) {
  for (std::size_t i = 0; i < n; i += lanes<T>) {
    Vec<T> in[Jet::max_channels], out[Jet::max_channels];
    for (int c = 0; c < jet.channels(); ++c) in[c] = load<T>(z + std::size_t(c) * stride + i);
    jet_activation<activation, T>(jet, coefficients, in, out);
    for (int c = 0; c < jet.channels(); ++c) store<T>(y + std::size_t(c) * stride + i, out[c]);
  }
}

/// given: y where slope_from_output, z for the others.
template <Activation activation, class T, class Jet>
__attribute__((noinline)) void backward_vectors(const Jet& jet, const T* coefficients, const T* given,
                                                const T* y_bar, T* z_bar, std::size_t stride, std::size_t n) {
  for (std::size_t i = 0; i < n; i += lanes<T>) {
    Vec<T> in[Jet::max_channels], slope[Jet::max_channels], bar[Jet::max_channels], out[Jet::max_channels];
    const auto load_channel = [&](int c) __attribute__((always_inline)) {
      in[c] = load<T>(given + std::size_t(c) * stride + i);
      bar[c] = load<T>(y_bar + std::size_t(c) * stride + i);
    };
    load_channel(0);  // there is always one, which compilers cannot know
    for (int c = 1; c < jet.channels(); ++c) load_channel(c);
    jet_slope<activation, T>(jet, coefficients, in, slope);
    jet_transposed_product<T>(jet, coefficients, slope, bar, out);
    for (int c = 0; c < jet.channels(); ++c) store<T>(z_bar + std::size_t(c) * stride + i, out[c]);
  }
}

/// The first `count` points of one vector, for those that are left at an end: the same instructions, and so
/// the same rounding, for every point.
template <class T, int max_channels>
struct PartOfVector {
  T values[max_channels * lanes<T>] = {};
  void read(const T* from, std::size_t stride, int channels, std::size_t count) {
    for (int c = 0; c < channels; ++c)
      for (std::size_t i = 0; i < count; ++i)
        values[std::size_t(c * lanes<T>) + i] = from[std::size_t(c) * stride + i];
  }
  void write(T* to, std::size_t stride, int channels, std::size_t count) const {
    for (int c = 0; c < channels; ++c)
      for (std::size_t i = 0; i < count; ++i)
        to[std::size_t(c) * stride + i] = values[std::size_t(c * lanes<T>) + i];
  }
};

template <Activation activation, class T>
void forward(const detail::JetTableView<T>& table, const T* z, T* y, std::size_t stride, std::size_t n) {
  with_jet<T>(table, [&](auto jet) {
    const std::size_t whole = n / lanes<T> * lanes<T>, rest = n - whole;
    forward_vectors<activation, T>(jet, table.coefficients, z, y, stride, whole);
    if (rest == 0) return;
    PartOfVector<T, decltype(jet)::max_channels> part;
    part.read(z + whole, stride, jet.channels(), rest);
    forward_vectors<activation, T>(jet, table.coefficients, part.values, part.values, lanes<T>, lanes<T>);
    part.write(y + whole, stride, jet.channels(), rest);
  });
}

template <Activation activation, class T>
void backward(const detail::JetTableView<T>& table, const T* z, const T* y, const T* y_bar, T* z_bar,
              std::size_t stride, std::size_t n) {
  const T* given = slope_from_output(activation) ? y : z;
  with_jet<T>(table, [&](auto jet) {
    const std::size_t whole = n / lanes<T> * lanes<T>, rest = n - whole;
    backward_vectors<activation, T>(jet, table.coefficients, given, y_bar, z_bar, stride, whole);
    if (rest == 0) return;
    PartOfVector<T, decltype(jet)::max_channels> part, bar;
    part.read(given + whole, stride, jet.channels(), rest);
    bar.read(y_bar + whole, stride, jet.channels(), rest);
    backward_vectors<activation, T>(jet, table.coefficients, part.values, bar.values, bar.values, lanes<T>,
                                    lanes<T>);
    bar.write(z_bar + whole, stride, jet.channels(), rest);
  });
}
}  // namespace

template <class T>
void activation_forward_range(Activation activation, const detail::JetTableView<T>& table, const T* z, T* y,
                              std::size_t stride, std::size_t n) {
  with_activation(activation, [&](auto sigma) { forward<sigma(), T>(table, z, y, stride, n); });
}

template <class T>
void activation_backward_range(Activation activation, const detail::JetTableView<T>& table, const T* z,
                               const T* y, const T* y_bar, T* z_bar, std::size_t stride, std::size_t n) {
  with_activation(activation,
                  [&](auto sigma) { backward<sigma(), T>(table, z, y, y_bar, z_bar, stride, n); });
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
  detail::check_activation_shapes("activation_forward", spec, z.shape(), y.shape());
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
  detail::check_activation_shapes("activation_backward", spec, z.shape(), y.shape());
  detail::check_activation_shapes("activation_backward", spec, z.shape(), y_bar.shape());
  detail::check_activation_shapes("activation_backward", spec, z.shape(), z_bar.shape());
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
