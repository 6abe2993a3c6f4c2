// SPDX-License-Identifier: Apache-2.0
// y = σ(z) and its adjoint in a truncated Taylor algebra.                              z, y : [K, N]
// One thread per point, its K channels in local memory, so that one kernel serves all algebras: solvers have
// their activations inside the network's kernels (network_block.hpp), unrolled. Moves 2·K·N·sizeof(T) bytes
// forward, 3·K·N·sizeof(T) backward, and as many again through the caches.
#include <type_traits>

#include "kernels/common/cuda.hpp"
#include "kernels/jet/activation_shapes.hpp"
#include "kernels/jet/jet_device.hpp"
#include "sobolev/jet/activation.hpp"

namespace sobolev {
namespace {
using namespace target_cuda;
constexpr unsigned block_threads = 128;

template <Activation activation, class Jet, class T>
__global__ void activation_forward_kernel(detail::DeviceJet<Jet, T> jet, View<const T, 2> z, View<T, 2> y) {
  const std::size_t stride = std::size_t(gridDim.x) * blockDim.x;
  for (std::size_t p = std::size_t(blockIdx.x) * blockDim.x + threadIdx.x; p < z.extent(1); p += stride) {
    T in[Jet::max_channels], out[Jet::max_channels];
    for (int c = 0; c < jet.algebra.channels(); ++c) in[c] = z(c, p);
    jet_activation<activation, T>(jet.algebra, jet.coefficients(), in, out);
    for (int c = 0; c < jet.algebra.channels(); ++c) y(c, p) = out[c];
  }
}

/// given: y where slope_from_output, z for the others.
template <Activation activation, class Jet, class T>
__global__ void activation_backward_kernel(detail::DeviceJet<Jet, T> jet, View<const T, 2> given,
                                           View<const T, 2> y_bar, View<T, 2> z_bar) {
  const std::size_t stride = std::size_t(gridDim.x) * blockDim.x;
  for (std::size_t p = std::size_t(blockIdx.x) * blockDim.x + threadIdx.x; p < given.extent(1); p += stride) {
    T in[Jet::max_channels], slope[Jet::max_channels], bar[Jet::max_channels], out[Jet::max_channels];
    for (int c = 0; c < jet.algebra.channels(); ++c) {
      in[c] = given(c, p);
      bar[c] = y_bar(c, p);
    }
    jet_slope<activation, T>(jet.algebra, jet.coefficients(), in, slope);
    jet_transposed_product<T>(jet.algebra, jet.coefficients(), slope, bar, out);
    for (int c = 0; c < jet.algebra.channels(); ++c) z_bar(c, p) = out[c];
  }
}
}  // namespace

template <class T>
void activation_forward(const Cuda& cuda, Activation activation, const JetSpec& spec, View<const T, 2> z,
                        View<T, 2> y) {
  detail::check_activation_shapes("activation_forward", spec, z.shape(), y.shape());
  if (z.extent(1) == 0) return;
  const detail::JetTable<T> table(spec);
  const detail::DeviceJetTable<T> device_table(cuda, table.view());
  detail::with_general_jet<T>(device_table.view(), [&](const auto& jet) {
    with_activation(activation, [&](auto sigma) {
      using Jet = std::remove_cvref_t<decltype(jet.algebra)>;
      launch<activation_forward_kernel<decltype(sigma)::value, Jet, T>>(
          cuda, {blocks_for(z.extent(1), block_threads), block_threads}, jet, z, y);
    });
  });
}

template <class T>
void activation_backward(const Cuda& cuda, Activation activation, const JetSpec& spec, View<const T, 2> z,
                         View<const T, 2> y, View<const T, 2> y_bar, View<T, 2> z_bar) {
  detail::check_activation_shapes("activation_backward", spec, z.shape(), y.shape());
  detail::check_activation_shapes("activation_backward", spec, z.shape(), y_bar.shape());
  detail::check_activation_shapes("activation_backward", spec, z.shape(), z_bar.shape());
  if (z.extent(1) == 0) return;
  const detail::JetTable<T> table(spec);
  const detail::DeviceJetTable<T> device_table(cuda, table.view());
  detail::with_general_jet<T>(device_table.view(), [&](const auto& jet) {
    with_activation(activation, [&](auto sigma) {
      using Jet = std::remove_cvref_t<decltype(jet.algebra)>;
      launch<activation_backward_kernel<decltype(sigma)::value, Jet, T>>(
          cuda, {blocks_for(z.extent(1), block_threads), block_threads}, jet,
          slope_from_output(activation) ? y : z, y_bar, z_bar);
    });
  });
}

template void activation_forward<float>(const Cuda&, Activation, const JetSpec&, View<const float, 2>,
                                        View<float, 2>);
template void activation_forward<double>(const Cuda&, Activation, const JetSpec&, View<const double, 2>,
                                         View<double, 2>);
template void activation_backward<float>(const Cuda&, Activation, const JetSpec&, View<const float, 2>,
                                         View<const float, 2>, View<const float, 2>, View<float, 2>);
template void activation_backward<double>(const Cuda&, Activation, const JetSpec&, View<const double, 2>,
                                          View<const double, 2>, View<const double, 2>, View<double, 2>);
}  // namespace sobolev
