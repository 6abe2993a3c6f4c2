// SPDX-License-Identifier: Apache-2.0
// y = w ⊙ x + b, channel by channel, and its adjoint.                       x, y : [N, C], w, b : [C]
// One thread per number; in the adjoint one per channel and part of the points, the parts added in order by
// another kernel. Moves 2 N C numbers forward, 5 N C (with add 6) backward: bandwidth bound.
#include "kernels/common/cuda.hpp"
#include "kernels/operators/channel_mix_shapes.hpp"
#include "kernels/operators/channel_scale_shapes.hpp"
#include "sobolev/operators/channel_scale.hpp"

namespace sobolev {
namespace {
constexpr unsigned threads = 256;

template <class T>
__global__ void channel_scale_kernel(View<const T, 2> x, View<const T, 1> weight, View<const T, 1> bias,
                                     View<T, 2> y, bool add) {
  const std::size_t stride = std::size_t(gridDim.x) * blockDim.x;
  for (std::size_t i = std::size_t(blockIdx.x) * blockDim.x + threadIdx.x; i < x.size(); i += stride) {
    const std::size_t c = i % x.extent(1);
    const T value = weight(c) * x.data()[i] + (bias.size() > 0 ? bias(c) : T(0));
    y.data()[i] = add ? y.data()[i] + value : value;
  }
}

/// parts : [parts, 2, C].
template <class T>
__global__ void scale_sums_kernel(View<const T, 2> x, View<const T, 2> y_bar, std::size_t points,
                                  View<T, 3> parts) {
  const std::size_t c = std::size_t(blockIdx.y) * blockDim.x + threadIdx.x;
  if (c >= x.extent(1)) return;
  const std::size_t first = blockIdx.x * points,
                    last = first + points < x.extent(0) ? first + points : x.extent(0);
  T products = T(0), total = T(0);
  for (std::size_t p = first; p < last; ++p) {
    products += x(p, c) * y_bar(p, c);
    total += y_bar(p, c);
  }
  parts(blockIdx.x, 0, c) = products;
  parts(blockIdx.x, 1, c) = total;
}

template <class T>
__global__ void add_sums_kernel(View<const T, 3> parts, View<T, 1> weight_bar, View<T, 1> bias_bar) {
  const std::size_t c = std::size_t(blockIdx.x) * blockDim.x + threadIdx.x;
  if (c >= weight_bar.size()) return;
  for (std::size_t part = 0; part < parts.extent(0); ++part) {
    weight_bar(c) += parts(part, 0, c);
    if (bias_bar.size() > 0) bias_bar(c) += parts(part, 1, c);
  }
}
}  // namespace

template <class T>
void channel_scale(const Cuda& cuda, View<const T, 2> x, View<const T, 1> weight, View<const T, 1> bias,
                   View<T, 2> y) {
  detail::check_channel_scale("channel_scale", x.shape(), weight.size(), bias.size(), y.shape());
  if (x.size() == 0) return;
  launch<channel_scale_kernel<T>>(cuda, {blocks_for(x.size(), threads), threads}, x, weight, bias, y, false);
}

template <class T>
void channel_scale_adjoint(const Cuda& cuda, View<const T, 2> x, View<const T, 1> weight,
                           View<const T, 2> y_bar, View<T, 2> x_bar, bool add, View<T, 1> weight_bar,
                           View<T, 1> bias_bar, View<T, 1> workspace) {
  detail::check_channel_scale_adjoint(x.shape(), weight.size(), y_bar.shape(), x_bar.shape(),
                                      weight_bar.size(), bias_bar.size(), workspace.size());
  const std::size_t n = x.extent(0), channels = x.extent(1);
  if (x.size() == 0) return;
  if (x_bar.size() > 0)
    launch<channel_scale_kernel<T>>(cuda, {blocks_for(x.size(), threads), threads}, y_bar, weight,
                                    View<const T, 1>(nullptr, 0), x_bar, add);
  const detail::Shards shards = detail::shards_of(n);
  const View<T, 3> parts(workspace.data(), shards.count, 2, channels);
  const unsigned across = unsigned((channels + threads - 1) / threads);
  launch<scale_sums_kernel<T>>(cuda, {{unsigned(shards.count), across}, threads}, x, y_bar, shards.points,
                               parts);
  launch<add_sums_kernel<T>>(cuda, {across, threads}, View<const T, 3>(parts), weight_bar, bias_bar);
}

#define SOBOLEV_INSTANTIATE(T)                                                                              \
  template void channel_scale<T>(const Cuda&, View<const T, 2>, View<const T, 1>, View<const T, 1>,         \
                                 View<T, 2>);                                                               \
  template void channel_scale_adjoint<T>(const Cuda&, View<const T, 2>, View<const T, 1>, View<const T, 2>, \
                                         View<T, 2>, bool, View<T, 1>, View<T, 1>, View<T, 1>);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE
}  // namespace sobolev
