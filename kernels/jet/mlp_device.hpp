// SPDX-License-Identifier: Apache-2.0
#pragma once
// What the kernels that contain a network share on the host's side: which shape to launch, how much memory a
// block needs, and the sum of the blocks' shares of the gradient.
#include <algorithm>
#include <type_traits>

#include "kernels/jet/jet_device.hpp"
#include "kernels/jet/mlp_block.hpp"

namespace sobolev::target_cuda {

/// Features per thread and points per thread: at most 64 32-bit accumulators, and as many as fit.
template <class T>
constexpr int features_per_thread = sizeof(T) == 4 ? 8 : 4;
template <class Jet>
constexpr int points_per_thread = !Jet::unrolled           ? 1
                                  : Jet::max_channels >= 5 ? 1
                                                           : 8 / Jet::max_channels;

template <class Jet, class T>
using MlpBlockShape = BlockShape<Jet, T, features_per_thread<T>, points_per_thread<Jet>>;

/// f(BlockShape, DeviceJet) for a jet.
template <class T, class F>
void with_block_shape(const detail::DeviceJetView<T>& table, F&& f) {
  detail::with_device_jet<T>(table, [&](const auto& jet) {
    f(MlpBlockShape<std::remove_cvref_t<decltype(jet.algebra)>, T>{}, jet);
  });
}

template <class T>
MlpBlock<T> describe_block(const MlpShape& shape, const T* parameters, int points) {
  MlpBlock<T> m{};
  m.inputs = shape.inputs;
  m.outputs = shape.outputs;
  m.depth = shape.depth;
  m.width = shape.width;
  m.points = points;
  m.activation = shape.activation;
  m.parameters = parameters;
  return m;
}

/// Elements that a block needs for a tile, without its inputs.
template <class T>
std::size_t block_elements(const MlpBlock<T>& m, int channels) {
  const std::size_t kept = m.activation == Activation::tanh ? 1 : 2;
  const std::size_t rows =
      2 * std::size_t(m.outputs) + (kept * std::size_t(m.depth) + 2) * std::size_t(m.width);
  return rows * std::size_t(channels) * std::size_t(m.points);
}

/// Gives a block its memory; returns where that ends.
template <class T>
__device__ T* take_block_memory(MlpBlock<T>& m, int channels, T* memory) {
  const std::size_t R = std::size_t(channels) * std::size_t(m.points), layer = std::size_t(m.width) * R;
  const auto take = [&memory](std::size_t n) {
    T* at = memory;
    memory += n;
    return at;
  };
  m.y = take(std::size_t(m.depth) * layer);
  m.z = m.activation == Activation::tanh ? m.y : take(std::size_t(m.depth) * layer);
  m.bar[0] = take(layer);
  m.bar[1] = take(layer);
  m.output = take(std::size_t(m.outputs) * R);
  m.output_bar = take(std::size_t(m.outputs) * R);
  return memory;
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
