// SPDX-License-Identifier: Apache-2.0
// A multilayer perceptron with its jets, forward and backward.       x : [K, inputs, N], y : [K, outputs, N]
// Persistent blocks of 256 threads take tiles of 16 to 128 points (mlp_block.hpp); a block's activations live
// in a slice of device memory that stays in the L2 cache, its share of the gradient in another; the shares
// are added in the order of the blocks. FLOPs: 2·N·K·Σ in·out forward, twice that again backward; bytes from
// memory: x, y and P: bound by the FMA units. Algebras without an unrolled kernel, and activations other than
// tanh, go through local memory.
#include <algorithm>
#include <type_traits>

#include "kernels/common/cuda.hpp"
#include "kernels/jet/jet_device.hpp"
#include "kernels/jet/mlp_block.hpp"
#include "kernels/jet/mlp_shapes.hpp"
#include "sobolev/jet/mlp.hpp"

namespace sobolev {
namespace {
using namespace target_cuda;

/// Features per thread and points per thread: at most 64 32-bit accumulators, and as many as fit.
template <class T>
constexpr int features_per_thread = sizeof(T) == 4 ? 8 : 4;
template <class Jet>
constexpr int points_per_thread = !Jet::unrolled           ? 1
                                  : Jet::max_channels >= 5 ? 1
                                                           : 8 / Jet::max_channels;

template <class Jet, class T, Activation activation>
using Shape = BlockShape<Jet, T, activation, features_per_thread<T>, points_per_thread<Jet>>;

template <class S>
__device__ void load_inputs(const MlpBlock<typename S::T>& m, int channels,
                            const View<const typename S::T, 3>& x, std::size_t first) {
  const std::size_t last = x.extent(2) - 1;
  const int R = channels * m.points, me = int(threadIdx.y * blockDim.x + threadIdx.x);
  for (int i = me; i < m.inputs * R; i += S::threads) {
    const int f = i / R, c = i % R / m.points, p = i % m.points;
    const std::size_t n = first + std::size_t(p);
    m.input[i] = x(c, f, n < last ? n : last);  // the padding repeats the last point
  }
}

/// body(first point) for every tile of this block, after the network's forward pass on it.
template <class S, class Jet, class F>
__device__ void for_tiles(const MlpBlock<typename S::T>& m, const Jet& jet,
                          const View<const typename S::T, 3>& x, F&& body) {
  const std::size_t points = std::size_t(m.points);
  for (std::size_t first = blockIdx.x * points; first < x.extent(2); first += gridDim.x * points) {
    load_inputs<S>(m, jet.algebra.channels(), x, first);
    block_forward<S>(m, jet.algebra, jet.coefficients());
    body(first);
  }
}

/// The slice of `scratch` and of `gradients` that belongs to this block.
template <class T>
__device__ void take_slice(MlpBlock<T>& m, int channels, bool keeps_z, T* scratch, std::size_t slice,
                           T* gradients, std::size_t parameters) {
  const std::size_t R = std::size_t(channels) * std::size_t(m.points), layer = std::size_t(m.width) * R;
  T* p = scratch + blockIdx.x * slice;
  const auto take = [&p](std::size_t n) {
    T* at = p;
    p += n;
    return at;
  };
  m.input = take(std::size_t(m.inputs) * R);
  m.y = take(std::size_t(m.depth) * layer);
  m.z = keeps_z ? take(std::size_t(m.depth) * layer) : m.y;
  m.bar[0] = take(layer);
  m.bar[1] = take(layer);
  m.output = take(std::size_t(m.outputs) * R);
  m.output_bar = take(std::size_t(m.outputs) * R);
  m.gradient = gradients + blockIdx.x * parameters;
}

template <class S>
__global__ void __launch_bounds__(256)
    mlp_forward_kernel(MlpBlock<typename S::T> m, detail::DeviceJet<typename S::Jet, typename S::T> jet,
                       View<const typename S::T, 3> x, View<typename S::T, 3> y, typename S::T* scratch,
                       std::size_t slice) {
  using T = typename S::T;
  const int channels = jet.algebra.channels(), R = channels * m.points;
  const int me = int(threadIdx.y * blockDim.x + threadIdx.x);
  take_slice<T>(m, channels, S::activation != Activation::tanh, scratch, slice, nullptr, 0);
  for_tiles<S>(m, jet, x, [&](std::size_t first) {
    for (int i = me; i < m.outputs * R; i += S::threads) {
      const std::size_t n = first + std::size_t(i % m.points);
      if (n < x.extent(2)) y(i % R / m.points, i / R, n) = m.output[i];
    }
  });
}

template <class S>
__global__ void __launch_bounds__(256)
    mlp_backward_kernel(MlpBlock<typename S::T> m, detail::DeviceJet<typename S::Jet, typename S::T> jet,
                        View<const typename S::T, 3> x, View<const typename S::T, 3> y_bar,
                        typename S::T* scratch, std::size_t slice, typename S::T* gradients,
                        std::size_t parameters) {
  using T = typename S::T;
  const int channels = jet.algebra.channels(), R = channels * m.points;
  const int me = int(threadIdx.y * blockDim.x + threadIdx.x);
  take_slice<T>(m, channels, S::activation != Activation::tanh, scratch, slice, gradients, parameters);
  for_tiles<S>(m, jet, x, [&](std::size_t first) {
    for (int i = me; i < m.outputs * R; i += S::threads) {
      const std::size_t n = first + std::size_t(i % m.points);
      m.output_bar[i] = n < x.extent(2) ? y_bar(i % R / m.points, i / R, n) : T(0);
    }
    block_backward<S>(m, jet.algebra, jet.coefficients());
  });
}

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

template <class T>
MlpBlock<T> describe(const MlpShape& shape, View<const T, 1> parameters, int points) {
  MlpBlock<T> m{};
  m.inputs = shape.inputs;
  m.outputs = shape.outputs;
  m.depth = shape.depth;
  m.width = shape.width;
  m.points = points;
  m.parameters = parameters.data();
  return m;
}

template <class T>
std::size_t slice_size(const MlpBlock<T>& m, int channels, bool keeps_z) {
  const std::size_t rows = std::size_t(m.inputs) + 2 * std::size_t(m.outputs) +
                           (std::size_t(keeps_z ? 2 : 1) * std::size_t(m.depth) + 2) * std::size_t(m.width);
  return rows * std::size_t(channels) * std::size_t(m.points);
}

/// f(BlockShape, DeviceJet) for an activation and a jet.
template <class T, class F>
void with_shape(const Cuda& cuda, Activation activation, const detail::JetTableView<T>& table, F&& f) {
  detail::JetTableView<T> chosen = table;
  if (activation != Activation::tanh) chosen.shape = detail::JetShape::general;
  detail::DeviceJetTable<T>(cuda, chosen).with([&](const auto& jet) {
    using Jet = std::remove_cvref_t<decltype(jet.algebra)>;
    if (activation == Activation::tanh) return f(Shape<Jet, T, Activation::tanh>{}, jet);
    if constexpr (!Jet::unrolled) {
      switch (activation) {
        case Activation::tanh: break;
        case Activation::sin: return f(Shape<Jet, T, Activation::sin>{}, jet);
        case Activation::gelu: return f(Shape<Jet, T, Activation::gelu>{}, jet);
        case Activation::swish: return f(Shape<Jet, T, Activation::swish>{}, jet);
        case Activation::softplus: return f(Shape<Jet, T, Activation::softplus>{}, jet);
      }
    }
  });
}

/// Two blocks per multiprocessor hide each other's barriers; more would only take memory.
unsigned persistent_blocks(const Cuda& cuda, std::size_t tiles) {
  return unsigned(std::min(tiles, 2 * std::size_t(cuda.multiprocessors())));
}
}  // namespace

template <class T>
void mlp_forward(const Cuda& cuda, const MlpShape& shape, const JetSpec& spec, View<const T, 1> parameters,
                 View<const T, 3> x, View<T, 3> y) {
  detail::check_mlp_shapes("mlp_forward", shape, spec, parameters.size(), x.shape(), y.shape());
  const std::size_t n = x.extent(2);
  if (n == 0) return;
  const detail::JetTable<T> table(spec);
  with_shape<T>(cuda, shape.activation, table.view(), [&](auto s, const auto& jet) {
    using S = decltype(s);
    const MlpBlock<T> m = describe<T>(shape, parameters, S::side * S::points);
    const std::size_t slice = slice_size(m, spec.channels(), S::activation != Activation::tanh);
    const unsigned blocks = persistent_blocks(cuda, (n + std::size_t(m.points) - 1) / std::size_t(m.points));
    const DeviceBuffer<T> scratch(cuda, slice * blocks);
    launch<mlp_forward_kernel<S>>(cuda, {blocks, {S::side, S::side}, S::shared_bytes}, m, jet, x, y,
                                  scratch.data(), slice);
  });
}

template <class T>
void mlp_backward(const Cuda& cuda, const MlpShape& shape, const JetSpec& spec, View<const T, 1> parameters,
                  View<const T, 3> x, View<const T, 3> y_bar, View<T, 1> gradient) {
  detail::check_mlp_shapes("mlp_backward", shape, spec, parameters.size(), x.shape(), y_bar.shape());
  require(gradient.size() == parameters.size(), "mlp_backward: the gradient's size is not the parameters'");
  const std::size_t n = x.extent(2), p = parameters.size();
  if (n == 0) return clear<T, 1>(cuda, gradient);
  const detail::JetTable<T> table(spec);
  with_shape<T>(cuda, shape.activation, table.view(), [&](auto s, const auto& jet) {
    using S = decltype(s);
    const MlpBlock<T> m = describe<T>(shape, parameters, S::side * S::points);
    const std::size_t slice = slice_size(m, spec.channels(), S::activation != Activation::tanh);
    const unsigned blocks = persistent_blocks(cuda, (n + std::size_t(m.points) - 1) / std::size_t(m.points));
    const DeviceBuffer<T> scratch(cuda, slice * blocks), shares(cuda, p * blocks);
    clear<T, 1>(cuda, shares.view(shares.size()));
    launch<mlp_backward_kernel<S>>(cuda, {blocks, {S::side, S::side}, S::shared_bytes}, m, jet, x, y_bar,
                                   scratch.data(), slice, shares.data(), p);
    launch<sum_shares_kernel<T>>(cuda, {blocks_for(p, 256), 256}, static_cast<const T*>(shares.data()),
                                 std::size_t(blocks), gradient);
  });
}

template void mlp_forward<float>(const Cuda&, const MlpShape&, const JetSpec&, View<const float, 1>,
                                 View<const float, 3>, View<float, 3>);
template void mlp_forward<double>(const Cuda&, const MlpShape&, const JetSpec&, View<const double, 1>,
                                  View<const double, 3>, View<double, 3>);
template void mlp_backward<float>(const Cuda&, const MlpShape&, const JetSpec&, View<const float, 1>,
                                  View<const float, 3>, View<const float, 3>, View<float, 1>);
template void mlp_backward<double>(const Cuda&, const MlpShape&, const JetSpec&, View<const double, 1>,
                                   View<const double, 3>, View<const double, 3>, View<double, 1>);
}  // namespace sobolev
