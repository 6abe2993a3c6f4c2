// SPDX-License-Identifier: Apache-2.0
// A network with its jets, forward and backward.       x : [K, inputs, N], y : [K, outputs, N]
// Persistent blocks of 256 threads take tiles of 16 to 64 points (network_block.hpp); a block's activations
// live in a slice of device memory that stays in the L2 cache, its share of the gradient in another; the
// shares are added in the order of the blocks. FLOPs: 2·N·K·Σ in·out forward, twice that again backward;
// bytes from memory: x, y and P: bound by the FMA units. Algebras without an unrolled kernel go through local
// memory.
#include <algorithm>
#include <cstdint>
#include <limits>

#include "kernels/common/cuda.hpp"
#include "kernels/network/network_adjoint_block.hpp"
#include "kernels/network/network_device.hpp"
#include "kernels/network/network_factor_device.hpp"
#include "kernels/network/planned_network_detail.hpp"

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

}  // namespace

template <class T>
struct detail::PlannedNetworkOn<T, Cuda> {
  Cuda cuda;
  Network network;
  JetSpec spec;
  JetTable<T> host_table;
  DeviceJetTable<T> table;
  NetworkPlan plan;
  DeviceFactors<T> factors;
  NetworkBlock<T> block;
  unsigned blocks;
  DeviceBuffer<T> memory, shares;

  PlannedNetworkOn(const Cuda& on, const Network& n, const JetSpec& s, std::size_t points, bool gradients)
      : cuda(on),
        network(n),
        spec(s),
        host_table(s),
        table(on, host_table.view()),
        plan(n),
        factors(on, plan),
        memory(on, 0),
        shares(on, 0) {
    with_shape([&](auto shape, const auto&) {
      const std::size_t tile = decltype(shape)::tile_points;
      block = describe_block<T>(plan, spec.channels(), int(tile), cuda.products(),
                                std::size_t(network.inputs()) * std::size_t(spec.channels()) * tile);
      blocks = persistent_blocks(
          cuda, points == 0 ? std::numeric_limits<std::size_t>::max() : (points + tile - 1) / tile);
    });
    memory = DeviceBuffer<T>(cuda, block.slice * blocks);
    if (gradients) shares = DeviceBuffer<T>(cuda, plan.parameters * blocks);
    block.memory = memory.data();
  }

  template <class F>
  void with_shape(F&& f) {
    with_block_shape<T>(table.view(), plan.width, cuda.products(), f);
  }
  /// `gradients` are the shares, or null on the way forward.
  void run(View<const T, 1> parameters, View<const T, 3> x, View<T, 3> y, View<const T, 3> y_bar,
           T* gradients) {
    const std::size_t n = x.extent(2);
    require(n < std::numeric_limits<std::uint32_t>::max(), "network: more than 2^32 points on a device");
    block.parameters = factors.effective(parameters.data());
    block.gradients = gradients;
    with_shape([&](auto shape, const auto& jet) {
      using S = decltype(shape);
      const std::size_t tiles = (n + S::tile_points - 1) / S::tile_points;
      launch<network_kernel<S>>(
          cuda, {unsigned(std::min<std::size_t>(blocks, tiles)), {S::side, S::side}, S::shared_bytes}, block,
          jet, unsigned(tiles), x, y, y_bar);
    });
  }

  void forward(View<const T, 1> parameters, View<const T, 3> x, View<T, 3> y) {
    check_network_shapes("network_forward", network, spec, parameters.size(), x.shape(), y.shape());
    if (x.extent(2) > 0) run(parameters, x, y, {}, nullptr);
  }
  void backward(View<const T, 1> parameters, View<const T, 3> x, View<const T, 3> y_bar,
                View<T, 1> gradient) {
    check_network_shapes("network_backward", network, spec, parameters.size(), x.shape(), y_bar.shape());
    require(gradient.size() == parameters.size(),
            "network_backward: the gradient's size is not the parameters'");
    if (x.extent(2) == 0) return clear<T, 1>(cuda, gradient);
    clear<T, 1>(cuda, shares.view(shares.size()));
    run(parameters, x, {}, y_bar, shares.data());
    launch<sum_shares_kernel<T>>(cuda, {blocks_for(gradient.size(), 256), 256},
                                 static_cast<const T*>(shares.data()), std::size_t(blocks), gradient);
    factors.pull_back(gradient.data(), 1, 0);
  }
  std::size_t scratch_bytes() const { return (memory.size() + shares.size()) * sizeof(T); }
};

template <class T>
void network_forward(const Cuda& cuda, const Network& network, const JetSpec& spec,
                     View<const T, 1> parameters, View<const T, 3> x, View<T, 3> y) {
  detail::PlannedNetworkOn<T, Cuda>(cuda, network, spec, std::max<std::size_t>(1, x.extent(2)), false)
      .forward(parameters, x, y);
}

template <class T>
void network_backward(const Cuda& cuda, const Network& network, const JetSpec& spec,
                      View<const T, 1> parameters, View<const T, 3> x, View<const T, 3> y_bar,
                      View<T, 1> gradient) {
  detail::PlannedNetworkOn<T, Cuda>(cuda, network, spec, std::max<std::size_t>(1, x.extent(2)), true)
      .backward(parameters, x, y_bar, gradient);
}

SOBOLEV_INSTANTIATE(float, Cuda)
SOBOLEV_INSTANTIATE(double, Cuda)
#undef SOBOLEV_INSTANTIATE
}  // namespace sobolev
