// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the kernels that contain a network share on the host's side: which shape to launch, how much memory a
// block needs, and the sum of the blocks' shares of the gradient.
#include <algorithm>
#include <type_traits>
#include <vector>

#include "kernels/jet/jet_device.hpp"
#include "kernels/network/network_block.hpp"

namespace sobolev::target_cuda {

/// Points of a tile with an unrolled algebra of as many channels; networks of at most 32 features have wider
/// tiles. The same whatever multiplies, so that features of tiles serve all.
constexpr int tile_points(int channels, bool narrow) {
  if (narrow) return channels >= 5 ? 32 : 64;
  return channels >= 5 ? 16 : channels >= 3 ? 32 : channels == 2 ? 48 : 64;
}
constexpr int narrow_width = 32;

/// At most 64 registers of sums: as many blocks as a shape says fit a multiprocessor without spills
/// (tools/ptxas_report.py).
template <class Jet, bool narrow>
using FmaShapeOf = FmaShape<Jet, float, narrow ? 2 : 8, tile_points(Jet::max_channels, narrow) / 16>;
template <class Jet>
using TensorShapeOf = MmaShape<Jet, float, 4, 2, tile_points(Jet::max_channels, false) / 16>;
template <class Jet, bool narrow,
          int warps = !narrow                  ? 4
                      : Jet::max_channels >= 5 ? 2
                                               : 1>
using DoubleShapeOf = MmaShape<Jet, double, warps, (narrow ? 4 : 8) / warps,
                               tile_points(Jet::max_channels, narrow) * warps / 64>;

/// f(FmaShape or MmaShape, DeviceJet) for a jet and a network.
template <class T, class F>
void with_block_shape(const detail::DeviceJetView<T>& table, int width, Products products, F&& f) {
  detail::with_device_jet<T>(table, [&](const auto& jet) {
    using Jet = std::remove_cvref_t<decltype(jet.algebra)>;
    const bool narrow = width <= narrow_width;
    if constexpr (!Jet::unrolled) {
      f(FmaShape < Jet, T, sizeof(T) == 4 ? 8 : 4, 1 > {}, jet);
    } else if constexpr (sizeof(T) == 4) {
      if (narrow)
        f(FmaShapeOf<Jet, true>{}, jet);
      else if (products == Products::ieee)
        f(FmaShapeOf<Jet, false>{}, jet);
      else
        f(TensorShapeOf<Jet>{}, jet);
    } else if (narrow) {
      f(DoubleShapeOf<Jet, true>{}, jet);
    } else {
      f(DoubleShapeOf<Jet, false>{}, jet);
    }
  });
}

/// The network with the layout of a block's slice, which has room for `rest` elements more; `memory` and
/// `gradients` are for the caller to set.
template <class T>
NetworkBlock<T> describe_block(const detail::NetworkPlan& plan, int channels, int points, Products products,
                               std::size_t rest) {
  NetworkBlock<T> m{};
  m.inputs = plan.slots[0].features;
  m.outputs = plan.outputs;
  m.points = points;
  m.step_count = int(plan.steps.size());
  m.products = products;
  m.parameter_count = plan.parameters;
  // Into the parameters and into the arrays of a slice: 32 bits are enough, and half the registers.
  require(plan.parameters < (std::size_t(1) << 31), "the network is too large for a device");
  const std::size_t R = std::size_t(channels) * std::size_t(points);
  const auto take = [&m](std::size_t n) {
    const std::size_t at = m.slice;
    m.slice += (n + 31) / 32 * 32;
    require(m.slice < (std::size_t(1) << 31), "the network is too large for a device's tile");
    return int(at);
  };
  std::vector<int> bars;
  for (int features : plan.adjoint_features) bars.push_back(take(std::size_t(features) * R));
  for (std::size_t s = 0; s < plan.slots.size(); ++s) {
    const detail::NetworkSlot& from = plan.slots[s];
    BlockSlot& slot = m.slots[s];
    slot.features = static_cast<unsigned short>(from.features);
    slot.activated = from.activated;
    slot.activation = from.activation;
    if (s == 0) continue;
    slot.y_at = take(std::size_t(from.features) * R);
    slot.z_at = from.activated && !slope_from_output(from.activation) ? take(std::size_t(from.features) * R)
                                                                      : slot.y_at;
    slot.bar_at = bars[std::size_t(from.adjoint)];
  }
  for (std::size_t k = 0; k < plan.steps.size(); ++k) {
    const detail::NetworkStep& from = plan.steps[k];
    BlockStep& step = m.steps[k];
    step = {int(from.weight),
            int(from.bias),
            static_cast<unsigned short>(from.fan_in),
            static_cast<unsigned short>(from.fan_out),
            static_cast<unsigned short>(from.out),
            {},
            from.adds,
            from.completes,
            from.shears > 0,
            from.kind};
    for (int i = 0; i < 3; ++i) step.in[i] = static_cast<unsigned char>(std::max(0, from.in[i]));
  }
  m.output_at = take(std::size_t(m.outputs) * R);
  m.output_bar_at = take(std::size_t(m.outputs) * R);
  m.rest_at = take(rest);
  return m;
}

/// Two blocks per multiprocessor hide each other's barriers; more would only take memory.
inline unsigned persistent_blocks(const Cuda& cuda, std::size_t tiles) {
  return unsigned(std::min(tiles, 2 * std::size_t(cuda.multiprocessors())));
}

namespace {
/// sum[i] = Σ_b shares[b · n + i], in the order of b.
template <class T>
__global__ void sum_shares_kernel(const T* shares, std::size_t count, View<T, 1> sum) {
  const std::size_t stride = std::size_t(gridDim.x) * blockDim.x;
  for (std::size_t i = std::size_t(blockIdx.x) * blockDim.x + threadIdx.x; i < sum.size(); i += stride) {
    T total = shares[i];
    for (std::size_t b = 1; b < count; ++b) total += shares[b * sum.size() + i];
    sum(i) = total;
  }
}
}  // namespace

}  // namespace sobolev::target_cuda
