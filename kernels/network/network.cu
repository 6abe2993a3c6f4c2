// SPDX-License-Identifier: Apache-2.0
// A network with its jets, forward and backward.       x : [K, inputs, N], y : [K, outputs, N]
// Persistent blocks of 256 threads take tiles of 16 to 64 points (network_block.hpp); a block's activations
// live in a slice of device memory that stays in the L2 cache, its share of the gradient in another; the
// shares are added in the order of the blocks. FLOPs: 2·N·K·Σ in·out forward, twice that again backward;
// bytes from memory: x, y and P: bound by the FMA units. Algebras without an unrolled kernel go through local
// memory.
#include <cstdint>
#include <limits>

#include "kernels/common/cuda.hpp"
#include "kernels/network/network_adjoint_block.hpp"
#include "kernels/network/network_device.hpp"
#include "kernels/network/network_factor_device.hpp"
#include "kernels/network/network_shapes.hpp"

namespace sobolev {
namespace {
using namespace target_cuda;

/// The features of a tile : [inputs][R] from x. The padding repeats the last point.
template <class T>
__device__ SOBOLEV_OUT_OF_LINE void load_features(const NetworkBlock<T>& m, const View<const T, 3>& x, int R,
                                                  unsigned tile) {
  const std::size_t first = std::size_t(tile) * unsigned(m.points), last = x.extent(2) - 1;
  T* to = m.rest();
  for (int i = thread_of_block(); i < m.inputs * R; i += int(blockDim.x * blockDim.y)) {
    const std::size_t n = first + unsigned(i % m.points);
    to[i] = x(i % R / m.points, i / R, n < last ? n : last);
  }
}

/// The outputs of a tile to y or, on the way to a gradient, their adjoints from y_bar.
template <class T>
__device__ SOBOLEV_OUT_OF_LINE void exchange_outputs(const NetworkBlock<T>& m, const View<T, 3>& y,
                                                     const View<const T, 3>& y_bar, int R, unsigned tile) {
  const std::size_t first = std::size_t(tile) * unsigned(m.points);
  for (int i = thread_of_block(); i < m.outputs * R; i += int(blockDim.x * blockDim.y)) {
    const int q = i / R, c = i % R / m.points;
    const std::size_t n = first + unsigned(i % m.points);
    if (m.gradients != nullptr)
      m.output_bar()[i] = n < y_bar.extent(2) ? y_bar(c, q, n) : T(0);
    else if (n < y.extent(2))
      y(c, q, n) = m.output()[i];
  }
}

/// y, or from y_bar the block's share of the gradient.
template <class S>
__global__ void __launch_bounds__(256, S::blocks)
    network_kernel(SOBOLEV_CONSTANT NetworkBlock<typename S::T> m,
                   SOBOLEV_CONSTANT detail::DeviceJet<typename S::Jet, typename S::T> jet,
                   const unsigned tiles, SOBOLEV_CONSTANT View<const typename S::T, 3> x,
                   SOBOLEV_CONSTANT View<typename S::T, 3> y,
                   SOBOLEV_CONSTANT View<const typename S::T, 3> y_bar) {
  const int R = tile_columns<S>(m, jet.algebra);
  for (unsigned tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
    load_features(m, x, R, tile);
    const auto input = [&] { return static_cast<const typename S::T*>(m.rest()); };
    block_forward<S>(m, jet.algebra, jet.coefficients(), input);
    exchange_outputs(m, y, y_bar, R, tile);
    if (m.gradients != nullptr) block_backward<S>(m, jet.algebra, jet.coefficients(), input);
  }
}

/// One of y and gradient is null.
template <class T>
void run(const Cuda& cuda, const Network& network, const JetSpec& spec, View<const T, 1> parameters,
         View<const T, 3> x, View<T, 3> y, View<const T, 3> y_bar, View<T, 1> gradient) {
  const std::size_t n = x.extent(2), p = gradient.size();
  require(n < std::numeric_limits<std::uint32_t>::max(), "network: more than 2^32 points on a device");
  const detail::JetTable<T> table(spec);
  const detail::DeviceJetTable<T> device_table(cuda, table.view());
  const detail::NetworkPlan plan(network);
  const detail::DeviceFactors<T> factors(cuda, plan);
  const T* weights = factors.effective(parameters.data());
  with_block_shape<T>(device_table.view(), plan.width, cuda.products(), [&](auto s, const auto& jet) {
    using S = decltype(s);
    const std::size_t points = S::tile_points, tiles = (n + points - 1) / points;
    NetworkBlock<T> m =
        describe_block<T>(plan, spec.channels(), int(points), cuda.products(),
                          std::size_t(network.inputs()) * std::size_t(spec.channels()) * points);
    const unsigned blocks = persistent_blocks(cuda, tiles);
    const DeviceBuffer<T> memory(cuda, m.slice * blocks), shares(cuda, p * blocks);
    m.parameters = weights;
    m.memory = memory.data();
    m.gradients = shares.data();
    if (p > 0) clear<T, 1>(cuda, shares.view(shares.size()));
    launch<network_kernel<S>>(cuda, {blocks, {S::side, S::side}, S::shared_bytes}, m, jet, unsigned(tiles), x,
                              y, y_bar);
    if (p == 0) return;
    launch<sum_shares_kernel<T>>(cuda, {blocks_for(p, 256), 256}, static_cast<const T*>(shares.data()),
                                 std::size_t(blocks), gradient);
    factors.pull_back(gradient.data(), 1, 0);
  });
}
}  // namespace

template <class T>
void network_forward(const Cuda& cuda, const Network& network, const JetSpec& spec,
                     View<const T, 1> parameters, View<const T, 3> x, View<T, 3> y) {
  detail::check_network_shapes("network_forward", network, spec, parameters.size(), x.shape(), y.shape());
  if (x.extent(2) > 0) run<T>(cuda, network, spec, parameters, x, y, {}, {});
}

template <class T>
void network_backward(const Cuda& cuda, const Network& network, const JetSpec& spec,
                      View<const T, 1> parameters, View<const T, 3> x, View<const T, 3> y_bar,
                      View<T, 1> gradient) {
  detail::check_network_shapes("network_backward", network, spec, parameters.size(), x.shape(),
                               y_bar.shape());
  require(gradient.size() == parameters.size(),
          "network_backward: the gradient's size is not the parameters'");
  if (x.extent(2) == 0) return clear<T, 1>(cuda, gradient);
  run<T>(cuda, network, spec, parameters, x, {}, y_bar, gradient);
}

template void network_forward<float>(const Cuda&, const Network&, const JetSpec&, View<const float, 1>,
                                     View<const float, 3>, View<float, 3>);
template void network_forward<double>(const Cuda&, const Network&, const JetSpec&, View<const double, 1>,
                                      View<const double, 3>, View<double, 3>);
template void network_backward<float>(const Cuda&, const Network&, const JetSpec&, View<const float, 1>,
                                      View<const float, 3>, View<const float, 3>, View<float, 1>);
template void network_backward<double>(const Cuda&, const Network&, const JetSpec&, View<const double, 1>,
                                       View<const double, 3>, View<const double, 3>, View<double, 1>);
}  // namespace sobolev
