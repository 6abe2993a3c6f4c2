// SPDX-License-Identifier: Apache-2.0
// The jets of the features: coordinates, Fourier modes, expressions.      x : [N, D], y : [K, F, N]
// One thread per point, grid-stride; neighbouring threads write neighbouring points. Writes K·F·N·sizeof(T)
// bytes after they were cleared, so twice: bandwidth bound. The sine and cosine of the phase are taken in
// float64 (see features_math.hpp).
#include <algorithm>

#include "kernels/common/cuda.hpp"
#include "kernels/expression/tape_math.hpp"
#include "kernels/network/features_device.hpp"
#include "kernels/network/features_math.hpp"
#include "kernels/network/features_shapes.hpp"
#include "sobolev/network/features.hpp"

namespace sobolev {
namespace {
constexpr unsigned block_threads = 128;

/// y(channel, feature, point) for plain_features.
template <class T>
struct OnePoint {
  View<T, 3> y;
  std::size_t point;
  SOBOLEV_INLINE T& operator()(int feature, int channel, int) const { return y(channel, feature, point); }
};

/// scratch : [registers of the tape, threads].
template <class T>
__global__ void feature_jets_kernel(detail::FeatureView<T> view, View<const T, 2> x, View<T, 3> y,
                                    T* scratch) {
  const std::size_t first = std::size_t(blockIdx.x) * blockDim.x + threadIdx.x;
  const std::size_t stride = std::size_t(gridDim.x) * blockDim.x;
  T* registers = scratch + first;
  for (std::size_t p = first; p < x.extent(0); p += stride) {
    target_cuda::plain_features<T>(view, &x(p, 0), 1, 1, OnePoint<T>{y, p});
    if (view.expression_count == 0) continue;
    for (int d = 0; d < view.coordinates; ++d) registers[std::size_t(d) * stride] = x(p, d);
    target_cuda::tape_forward_tile<T>(view.tape, registers, int(stride), 1);
    for (int i = 0; i < view.expression_count; ++i)
      for (int k = 0; k < view.channels; ++k)
        y(k, view.expression_features[i], p) =
            registers[std::size_t(view.tape.outputs[i * view.channels + k]) * stride];
  }
}
}  // namespace

template <class T>
void feature_jets(const Cuda& cuda, const Features& features, const JetSpec& spec, View<const T, 2> x,
                  unsigned mirror, View<T, 3> y) {
  detail::check_feature_shapes(features, spec, x.shape(), y.shape());
  if (x.extent(0) == 0) return;
  const detail::FeatureTable<T> host(features, spec, mirror);
  const detail::DeviceFeatureTable<T> table(cuda, host);
  const unsigned blocks =
      std::min(blocks_for(x.extent(0), block_threads), unsigned(cuda.multiprocessors()) * 8);
  const std::size_t registers =
      table.view().expression_count > 0 ? std::size_t(table.view().tape.registers()) : 0;
  const DeviceBuffer<T> scratch(cuda, registers * blocks * block_threads);
  clear<T, 3>(cuda, y);
  launch<feature_jets_kernel<T>>(cuda, {blocks, block_threads}, table.view(), x, y, scratch.data());
}

template void feature_jets<float>(const Cuda&, const Features&, const JetSpec&, View<const float, 2>,
                                  unsigned, View<float, 3>);
template void feature_jets<double>(const Cuda&, const Features&, const JetSpec&, View<const double, 2>,
                                   unsigned, View<double, 3>);
}  // namespace sobolev
