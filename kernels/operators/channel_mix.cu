// SPDX-License-Identifier: Apache-2.0
// y = σ(x W + b + a), point by point, and its adjoint.             x : [N, C], W : [C, O], y : [N, O]
// Tiles of 16² outputs by 16 × 16 threads, 16 terms at a time through shared memory, σ and its slope from the
// register that holds the sum. The weights' adjoint sums parts of the points side by side, and the parts in
// order. 2 N C O FLOPs forward, 4 N C O backward, two loads from shared memory an FMA: bound by those; bytes
// as on the CPU.
#include <algorithm>

#include "kernels/common/cuda.hpp"
#include "kernels/operators/channel_mix_shapes.hpp"
#include "kernels/operators/field_activation_math.hpp"
#include "kernels/operators/slope_detail.hpp"
#include "kernels/operators/tile_product_detail.hpp"
#include "sobolev/operators/channel_mix.hpp"

namespace sobolev {
namespace {
using namespace target_cuda;
constexpr unsigned side = detail::tile_side;
using detail::tile_product;

template <class T, FieldActivation activation>
__global__ void channel_mix_kernel(View<const T, 2> x, View<const T, 2> weight, View<const T, 1> bias,
                                   View<const T, 2> added, View<T, 2> y, View<T, 2> slope) {
  SOBOLEV_SHARED(T, left, side * side);
  SOBOLEV_SHARED(T, right, side * side);
  const std::size_t n = x.extent(0), inputs = x.extent(1), outputs = y.extent(1);
  const std::size_t o = std::size_t(blockIdx.y) * side + threadIdx.x;
  for (std::size_t p0 = std::size_t(blockIdx.x) * side; p0 < n; p0 += std::size_t(gridDim.x) * side) {
    const std::size_t p = p0 + threadIdx.y;
    T z = tile_product<T>(x.data(), inputs, 1, n, weight.data(), outputs, 1, outputs, 0, inputs, p, o, left,
                          right);
    if (p >= n || o >= outputs) continue;
    if (bias.size() > 0) z += bias(o);
    if (added.size() > 0) z += added(p, o);
    if constexpr (activation != FieldActivation::identity) {
      T value, derivative;
      activate<T, activation>(z, value, derivative);
      y(p, o) = value;
      if (slope.size() > 0) slope(p, o) = derivative;
    } else {
      y(p, o) = z;
    }
  }
}

template <class T>
__global__ void input_adjoint_kernel(View<const T, 2> z_bar, View<const T, 2> weight, View<T, 2> x_bar,
                                     bool add) {
  SOBOLEV_SHARED(T, left, side * side);
  SOBOLEV_SHARED(T, right, side * side);
  const std::size_t n = z_bar.extent(0), inputs = x_bar.extent(1), outputs = z_bar.extent(1);
  const std::size_t c = std::size_t(blockIdx.y) * side + threadIdx.x;
  for (std::size_t p0 = std::size_t(blockIdx.x) * side; p0 < n; p0 += std::size_t(gridDim.x) * side) {
    const std::size_t p = p0 + threadIdx.y;
    const T sum = tile_product<T>(z_bar.data(), outputs, 1, n, weight.data(), 1, outputs, inputs, 0, outputs,
                                  p, c, left, right);
    if (p < n && c < inputs) x_bar(p, c) = add ? x_bar(p, c) + sum : sum;
  }
}

/// blockIdx.x: the part of the points. parts : [parts, inputs + 1, outputs], the last row Σ z̄.
template <class T>
__global__ void weight_adjoint_kernel(View<const T, 2> x, View<const T, 2> z_bar, std::size_t points,
                                      View<T, 3> parts) {
  SOBOLEV_SHARED(T, left, side * side);
  SOBOLEV_SHARED(T, right, side * side);
  const std::size_t n = x.extent(0), inputs = x.extent(1), outputs = z_bar.extent(1);
  const std::size_t first = std::size_t(blockIdx.x) * points, last = first + points < n ? first + points : n;
  const std::size_t c = std::size_t(blockIdx.y) * side + threadIdx.y,
                    o = std::size_t(blockIdx.z) * side + threadIdx.x;
  const T sum = tile_product<T>(x.data(), 1, inputs, inputs, z_bar.data(), outputs, 1, outputs, first, last,
                                c, o, left, right);
  if (c < inputs && o < outputs) parts(blockIdx.x, c, o) = sum;
  if (blockIdx.y == 0 && threadIdx.y == 0 && o < outputs) {
    T total = T(0);
    for (std::size_t p = first; p < last; ++p) total += z_bar(p, o);
    parts(blockIdx.x, inputs, o) = total;
  }
}

template <class T>
__global__ void add_parts_kernel(View<const T, 3> parts, View<T, 2> weight_bar, View<T, 1> bias_bar) {
  const std::size_t inputs = weight_bar.extent(0), outputs = weight_bar.extent(1),
                    all = (inputs + 1) * outputs;
  const std::size_t stride = std::size_t(gridDim.x) * blockDim.x;
  for (std::size_t i = std::size_t(blockIdx.x) * blockDim.x + threadIdx.x; i < all; i += stride) {
    const std::size_t c = i / outputs, o = i % outputs;
    if (c == inputs && bias_bar.size() == 0) continue;
    T sum = c < inputs ? weight_bar(c, o) : bias_bar(o);
    for (std::size_t part = 0; part < parts.extent(0); ++part) sum += parts(part, c, o);
    if (c < inputs)
      weight_bar(c, o) = sum;
    else
      bias_bar(o) = sum;
  }
}

LaunchShape tiles(std::size_t points, std::size_t columns) {
  const unsigned across = unsigned((columns + side - 1) / side);
  require(across <= 65535, "channel_mix: more than 2^20 channels on a device");
  return {{blocks_for(points, side), across}, {side, side}};
}
}  // namespace

template <class T>
void channel_mix(const Cuda& cuda, FieldActivation activation, View<const T, 2> x, View<const T, 2> weight,
                 View<const T, 1> bias, View<const T, 2> added, View<T, 2> y, View<T, 2> slope) {
  const auto s = detail::channel_mix_shape("channel_mix", x.shape(), weight.shape(), bias.size(),
                                           added.shape(), y.shape(), slope.shape());
  if (y.size() == 0) return;
  const auto run = [&](auto which) {
    launch<channel_mix_kernel<T, decltype(which)::value>>(cuda, tiles(s.points, s.outputs), x, weight, bias,
                                                          added, y, slope);
  };
  using std::integral_constant;
  switch (activation) {
    case FieldActivation::identity:
      return run(integral_constant<FieldActivation, FieldActivation::identity>{});
    case FieldActivation::gelu: return run(integral_constant<FieldActivation, FieldActivation::gelu>{});
    case FieldActivation::tanh: return run(integral_constant<FieldActivation, FieldActivation::tanh>{});
  }
}

template <class T>
void channel_mix_adjoint(const Cuda& cuda, View<const T, 2> x, View<const T, 2> weight,
                         View<const T, 2> slope, View<T, 2> y_bar, View<T, 2> x_bar, bool add,
                         View<T, 2> weight_bar, View<T, 1> bias_bar, View<T, 1> workspace) {
  const auto s =
      detail::channel_mix_adjoint_shape(x.shape(), weight.shape(), slope.shape(), y_bar.shape(),
                                        x_bar.shape(), weight_bar.shape(), bias_bar.size(), workspace.size());
  if (y_bar.size() == 0) return;
  constexpr unsigned threads = 256;
  multiply_by_slope<T, 2>(cuda, slope, y_bar);
  const View<const T, 2> z_bar = y_bar;
  if (x_bar.size() > 0)
    launch<input_adjoint_kernel<T>>(cuda, tiles(s.points, s.inputs), z_bar, weight, x_bar, add);
  const detail::Shards shards = detail::shards_of(s.points);
  const View<T, 3> parts(workspace.data(), shards.count, s.inputs + 1, s.outputs);
  const auto count = [](std::size_t n) { return unsigned(std::max<std::size_t>(1, (n + side - 1) / side)); };
  launch<weight_adjoint_kernel<T>>(
      cuda, {{unsigned(shards.count), count(s.inputs), count(s.outputs)}, {side, side}}, x, z_bar,
      shards.points, parts);
  launch<add_parts_kernel<T>>(cuda, {blocks_for((s.inputs + 1) * s.outputs, threads), threads},
                              View<const T, 3>(parts), weight_bar, bias_bar);
}

#define SOBOLEV_INSTANTIATE(T)                                                                            \
  template void channel_mix<T>(const Cuda&, FieldActivation, View<const T, 2>, View<const T, 2>,          \
                               View<const T, 1>, View<const T, 2>, View<T, 2>, View<T, 2>);               \
  template void channel_mix_adjoint<T>(const Cuda&, View<const T, 2>, View<const T, 2>, View<const T, 2>, \
                                       View<T, 2>, View<T, 2>, bool, View<T, 2>, View<T, 1>, View<T, 1>);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE
}  // namespace sobolev
