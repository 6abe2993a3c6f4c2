// SPDX-License-Identifier: Apache-2.0
// A multilayer perceptron with its jets, forward and backward.       x : [K, inputs, N], y : [K, outputs, N]
// Persistent blocks of 256 threads take tiles of 16 to 64 points (mlp_block.hpp); a block's activations live
// in a slice of device memory that stays in the L2 cache, its share of the gradient in another; the shares
// are added in the order of the blocks. FLOPs: 2·N·K·Σ in·out forward, twice that again backward; bytes from
// memory: x, y and P: bound by the FMA units. Algebras without an unrolled kernel go through local memory.
#include "kernels/common/cuda.hpp"
#include "kernels/jet/mlp_device.hpp"
#include "kernels/jet/mlp_shapes.hpp"
#include "sobolev/jet/mlp.hpp"

namespace sobolev {
namespace {
using namespace target_cuda;

/// y, or from y_bar the block's share of the gradient.
template <class S>
__global__ void __launch_bounds__(256, 2)
    mlp_kernel(SOBOLEV_CONSTANT MlpBlock<typename S::T> m,
               SOBOLEV_CONSTANT detail::DeviceJet<typename S::Jet, typename S::T> jet,
               SOBOLEV_CONSTANT View<const typename S::T, 3> x, SOBOLEV_CONSTANT View<typename S::T, 3> y,
               SOBOLEV_CONSTANT View<const typename S::T, 3> y_bar) {
  using T = typename S::T;
  const int R = jet.algebra.channels() * m.points, me = int(threadIdx.y * blockDim.x + threadIdx.x);
  const std::size_t points = std::size_t(m.points), last = x.extent(2) - 1;
  for (std::size_t first = blockIdx.x * points; first <= last; first += gridDim.x * points) {
    T* input = m.rest();
    for (int i = me; i < m.inputs * R; i += S::threads) {
      const std::size_t n = first + std::size_t(i % m.points);
      input[i] = x(i % R / m.points, i / R, n < last ? n : last);  // the padding repeats the last point
    }
    block_forward<S>(m, jet.algebra, jet.coefficients(), input);
    for (int i = me; i < m.outputs * R; i += S::threads) {
      const int q = i / R, c = i % R / m.points;
      const std::size_t n = first + std::size_t(i % m.points);
      if (m.gradients == nullptr) {
        if (n <= last) y(c, q, n) = m.output()[i];
      } else {
        m.output_bar()[i] = n <= last ? y_bar(c, q, n) : T(0);
      }
    }
    if (m.gradients != nullptr)
      block_backward<S>(m, jet.algebra, jet.coefficients(), [&] { return m.rest(); });
  }
}

/// One of y and gradient is null.
template <class T>
void run(const Cuda& cuda, const MlpShape& shape, const JetSpec& spec, View<const T, 1> parameters,
         View<const T, 3> x, View<T, 3> y, View<const T, 3> y_bar, View<T, 1> gradient) {
  const std::size_t n = x.extent(2), p = gradient.size();
  const detail::JetTable<T> table(spec);
  const detail::DeviceJetTable<T> device_table(cuda, table.view());
  with_block_shape<T>(device_table.view(), [&](auto s, const auto& jet) {
    using S = decltype(s);
    const std::size_t points = S::side * S::points;
    MlpBlock<T> m = describe_block<T>(shape, spec.channels(), int(points),
                                      std::size_t(shape.inputs) * std::size_t(spec.channels()) * points);
    const unsigned blocks = persistent_blocks(cuda, (n + points - 1) / points);
    const DeviceBuffer<T> memory(cuda, m.slice * blocks), shares(cuda, p * blocks);
    m.parameters = parameters.data();
    m.memory = memory.data();
    m.gradients = shares.data();
    if (p > 0) clear<T, 1>(cuda, shares.view(shares.size()));
    launch<mlp_kernel<S>>(cuda, {blocks, {S::side, S::side}, S::shared_bytes}, m, jet, x, y, y_bar);
    if (p > 0)
      launch<sum_shares_kernel<T>>(cuda, {blocks_for(p, 256), 256}, static_cast<const T*>(shares.data()),
                                   std::size_t(blocks), gradient);
  });
}
}  // namespace

template <class T>
void mlp_forward(const Cuda& cuda, const MlpShape& shape, const JetSpec& spec, View<const T, 1> parameters,
                 View<const T, 3> x, View<T, 3> y) {
  detail::check_mlp_shapes("mlp_forward", shape, spec, parameters.size(), x.shape(), y.shape());
  if (x.extent(2) > 0) run<T>(cuda, shape, spec, parameters, x, y, {}, {});
}

template <class T>
void mlp_backward(const Cuda& cuda, const MlpShape& shape, const JetSpec& spec, View<const T, 1> parameters,
                  View<const T, 3> x, View<const T, 3> y_bar, View<T, 1> gradient) {
  detail::check_mlp_shapes("mlp_backward", shape, spec, parameters.size(), x.shape(), y_bar.shape());
  require(gradient.size() == parameters.size(), "mlp_backward: the gradient's size is not the parameters'");
  if (x.extent(2) == 0) return clear<T, 1>(cuda, gradient);
  run<T>(cuda, shape, spec, parameters, x, {}, y_bar, gradient);
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
