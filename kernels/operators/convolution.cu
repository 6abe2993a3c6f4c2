// SPDX-License-Identifier: Apache-2.0
// y = σ(b + a + Σ_k x̃ W_k) of fields with channels last, and its adjoint.
// Lanes hold outputs, a thread has eight points of a row side by side, so that a weight is read once for
// eight products; tables say which point each tap reads. The adjoint by x is the same kernel with tables and
// weights turned. W̄: tiles of 16² channels × outputs, parts of the points side by side and added in order. 2
// N' w^d C O FLOPs forward, 4 N' w^d C O backward, nine loads from the caches for eight FMAs: bound by those,
// about a third of the FMA peak at best; (N C + N' O) numbers moved forward. Predicted, not measured, for an
// H100: 32 channels, 64², batch 16: 1.2 GFLOP in 60 µs forward.
#include <algorithm>

#include "kernels/common/cuda.hpp"
#include "kernels/operators/convolution_plan.hpp"
#include "kernels/operators/field_activation_math.hpp"
#include "kernels/operators/slope_detail.hpp"

namespace sobolev::detail {
namespace {
using namespace target_cuda;
constexpr unsigned output_lanes = 32, warps = 8, side = 16;
constexpr int along = 8;  // points of a thread

/// Three axes; table: [axis][point][tap][copy] of points that are read, −1 for none.
struct DeviceGather {
  std::size_t rows0, rows1, row, read1, read2;  // points that are computed, by axis, and that are read
  int taps0, taps1, taps2;
  int copies0, copies1, copies2;
  std::size_t table1, table2;  // where the axes' tables begin
};

template <class T>
struct DeviceEpilogue {
  View<const T, 1> bias, added;
  View<T, 1> slope;
  FieldActivation activation;
  bool add;
};

template <class T>
__global__ void gather_kernel(DeviceGather g, View<const int, 1> table, View<const T, 3> x,
                              View<const T, 3> weight, DeviceEpilogue<T> epilogue, View<T, 3> y) {
  const std::size_t channels = x.extent(2), outputs = y.extent(2);
  const std::size_t pieces = (g.row + along - 1) / along;
  const std::size_t units = y.extent(0) * g.rows0 * g.rows1 * pieces;
  const std::size_t o = std::size_t(blockIdx.y) * output_lanes + threadIdx.x;
  if (o >= outputs) return;
  for (std::size_t unit = std::size_t(blockIdx.x) * warps + threadIdx.y; unit < units;
       unit += std::size_t(gridDim.x) * warps) {
    const std::size_t first = unit % pieces * along, line = unit / pieces;
    const std::size_t q1 = line % g.rows1, q0 = line / g.rows1 % g.rows0, b = line / g.rows1 / g.rows0;
    const T* const field = x.data() + b * x.extent(1) * channels;
    T sum[along] = {};
    for (int i0 = 0; i0 < g.taps0 * g.copies0; ++i0) {
      const int s0 = table(q0 * std::size_t(g.taps0 * g.copies0) + std::size_t(i0));
      if (s0 < 0) continue;
      for (int i1 = 0; i1 < g.taps1 * g.copies1; ++i1) {
        const int s1 = table(g.table1 + q1 * std::size_t(g.taps1 * g.copies1) + std::size_t(i1));
        if (s1 < 0) continue;
        const std::size_t read = (std::size_t(s0) * g.read1 + std::size_t(s1)) * g.read2;
        const std::size_t tap = std::size_t(i0 / g.copies0 * g.taps1 + i1 / g.copies1) * std::size_t(g.taps2);
        for (int i2 = 0; i2 < g.taps2 * g.copies2; ++i2) {
          const T* source[along];
          bool any = false;
#pragma unroll
          for (int p = 0; p < along; ++p) {
            const std::size_t q2 = first + std::size_t(p);
            const int s2 =
                q2 < g.row ? table(g.table2 + q2 * std::size_t(g.taps2 * g.copies2) + std::size_t(i2)) : -1;
            source[p] = s2 < 0 ? nullptr : field + (read + std::size_t(s2)) * channels;
            any = any || s2 >= 0;
          }
          if (!any) continue;
          const T* w = weight.data() + (tap + std::size_t(i2 / g.copies2)) * channels * outputs + o;
          for (std::size_t c = 0; c < channels; ++c, w += outputs) {
            const T factor = *w;
#pragma unroll
            for (int p = 0; p < along; ++p) sum[p] += factor * (source[p] == nullptr ? T(0) : source[p][c]);
          }
        }
      }
    }
#pragma unroll
    for (int p = 0; p < along; ++p) {
      const std::size_t q2 = first + std::size_t(p);
      if (q2 >= g.row) break;
      const std::size_t at = (line * g.row + q2) * outputs + o;
      T z = sum[p];
      if (epilogue.bias.size() > 0) z += epilogue.bias(o);
      if (epilogue.added.size() > 0) z += epilogue.added(at);
      if (epilogue.add) z += y.data()[at];
      if (epilogue.activation != FieldActivation::identity) {
        T value, slope;
        if (epilogue.activation == FieldActivation::gelu)
          activate<T, FieldActivation::gelu>(z, value, slope);
        else
          activate<T, FieldActivation::tanh>(z, value, slope);
        y.data()[at] = value;
        if (epilogue.slope.size() > 0) epilogue.slope(at) = slope;
      } else {
        y.data()[at] = z;
      }
    }
  }
}

/// [taps, C, O] to [taps, O, C].
template <class T>
__global__ void turn_kernel(View<const T, 3> weight, View<T, 3> turned) {
  const std::size_t c = weight.extent(1), o = weight.extent(2), stride = std::size_t(gridDim.x) * blockDim.x;
  for (std::size_t i = std::size_t(blockIdx.x) * blockDim.x + threadIdx.x; i < weight.size(); i += stride)
    turned(i / (c * o), i % o, i / o % c) = weight.data()[i];
}

/// blockIdx.x: the part of the points of all samples. sums : [parts, taps C + 1, O], the last row Σ z̄.
template <class T>
__global__ void weight_sums_kernel(DeviceGather g, View<const int, 1> table, View<const T, 3> x,
                                   View<const T, 3> z_bar, std::size_t each, View<T, 3> sums) {
  SOBOLEV_SHARED(T, left, side * side);
  SOBOLEV_SHARED(T, right, side * side);
  const std::size_t channels = x.extent(2), outputs = z_bar.extent(2), points = z_bar.extent(1);
  const std::size_t all = z_bar.extent(0) * points, first = std::size_t(blockIdx.x) * each;
  const std::size_t last = first + each < all ? first + each : all;
  const std::size_t tiles = (channels + side - 1) / side;
  const std::size_t tap = blockIdx.y / tiles, c0 = blockIdx.y % tiles * side;
  const std::size_t k2 = tap % std::size_t(g.taps2), k1 = tap / std::size_t(g.taps2) % std::size_t(g.taps1),
                    k0 = tap / std::size_t(g.taps2 * g.taps1);
  const unsigned tx = threadIdx.x, ty = threadIdx.y;
  const std::size_t o = std::size_t(blockIdx.z) * side + tx;
  T sum = T(0);
  for (std::size_t t0 = first; t0 < last; t0 += side) {
    const std::size_t t = t0 + ty;
    T value = T(0);
    if (t < last && c0 + tx < channels) {
      const std::size_t q = t % points, q2 = q % g.row, q1 = q / g.row % g.rows1, q0 = q / g.row / g.rows1;
      const int s0 = table(q0 * std::size_t(g.taps0) + k0),
                s1 = table(g.table1 + q1 * std::size_t(g.taps1) + k1),
                s2 = table(g.table2 + q2 * std::size_t(g.taps2) + k2);
      if (s0 >= 0 && s1 >= 0 && s2 >= 0)
        value =
            x(t / points, (std::size_t(s0) * g.read1 + std::size_t(s1)) * g.read2 + std::size_t(s2), c0 + tx);
    }
    left[ty * side + tx] = value;
    right[ty * side + tx] = t < last && o < outputs ? z_bar.data()[t * outputs + o] : T(0);
    __syncthreads();
    for (unsigned k = 0; k < side; ++k) sum += left[k * side + ty] * right[k * side + tx];
    __syncthreads();
  }
  if (c0 + ty < channels && o < outputs) sums(blockIdx.x, tap * channels + c0 + ty, o) = sum;
  if (blockIdx.y == 0 && ty == 0 && o < outputs) {
    T total = T(0);
    for (std::size_t t = first; t < last; ++t) total += z_bar.data()[t * outputs + o];
    sums(blockIdx.x, sums.extent(1) - 1, o) = total;
  }
}

template <class T>
__global__ void add_sums_kernel(View<const T, 3> sums, View<T, 1> weight_bar, View<T, 1> bias_bar) {
  const std::size_t stride = std::size_t(gridDim.x) * blockDim.x, all = sums.extent(1) * sums.extent(2);
  for (std::size_t i = std::size_t(blockIdx.x) * blockDim.x + threadIdx.x; i < all; i += stride) {
    const bool of_weight = i < weight_bar.size();
    if (!of_weight && bias_bar.size() == 0) continue;
    T sum = of_weight ? weight_bar(i) : bias_bar(i - weight_bar.size());
    for (std::size_t part = 0; part < sums.extent(0); ++part) sum += sums.data()[part * all + i];
    if (of_weight)
      weight_bar(i) = sum;
    else
      bias_bar(i - weight_bar.size()) = sum;
  }
}

/// Points by axis of three.
Extents<3> three(const std::vector<std::size_t>& grid) {
  Extents<3> out{1, 1, 1};
  std::copy(grid.begin(), grid.end(), out.begin() + std::ptrdiff_t(3 - grid.size()));
  return out;
}

DeviceGather device_gather(const Gather& g, const std::vector<std::size_t>& computed,
                           const std::vector<std::size_t>& read, std::size_t width) {
  const Extents<3> to = three(computed), from = three(read);
  const std::size_t missing = 3 - computed.size();
  const auto taps = [&](std::size_t axis) { return axis < missing ? 1 : int(width); };
  DeviceGather d{};
  d.rows0 = to[0];
  d.rows1 = to[1];
  d.row = to[2];
  d.read1 = from[1];
  d.read2 = from[2];
  d.taps0 = taps(0);
  d.taps1 = taps(1);
  d.taps2 = taps(2);
  d.copies0 = int(g.device_copies[0]);
  d.copies1 = int(g.device_copies[1]);
  d.copies2 = int(g.device_copies[2]);
  d.table1 = d.rows0 * std::size_t(d.taps0 * d.copies0);
  d.table2 = d.table1 + d.rows1 * std::size_t(d.taps1 * d.copies1);
  return d;
}

template <class T>
void gather(const Cuda& cuda, const DeviceGather& g, View<const int, 1> table, View<const T, 3> x,
            View<const T, 3> weight, const DeviceEpilogue<T>& epilogue, View<T, 3> y) {
  const std::size_t units = y.extent(0) * g.rows0 * g.rows1 * ((g.row + along - 1) / along);
  const unsigned across = unsigned((y.extent(2) + output_lanes - 1) / output_lanes);
  launch<gather_kernel<T>>(cuda, {{blocks_for(units, warps), across}, {output_lanes, warps}}, g, table, x,
                           weight, epilogue, y);
}
}  // namespace

template <class T>
std::size_t convolution_workspace(const Cuda&, const ConvolutionPlan<T, Cuda>& plan) {
  const std::size_t weights = plan.taps * plan.inputs * plan.outputs;
  return weights + convolution_parts * (weights + plan.outputs);
}

template <class T>
void convolve(const Cuda& cuda, ConvolutionPlan<T, Cuda>& plan, FieldActivation activation,
              View<const T, 3> x, View<const T, 1> weight, View<const T, 1> bias, View<const T, 3> added,
              View<T, 3> y, View<T, 3> slope) {
  const DeviceGather g = device_gather(plan.forward, plan.output_grid, plan.grid, plan.options.width);
  const DeviceEpilogue<T> epilogue{bias, View<const T, 1>(added.data(), added.size()),
                                   View<T, 1>(slope.data(), slope.size()), activation, false};
  gather<T>(cuda, g, View<const int, 1>(plan.tables.data(), plan.forward.device_points.size()), x,
            View<const T, 3>(weight.data(), plan.taps, plan.inputs, plan.outputs), epilogue, y);
}

template <class T>
void convolve_adjoint(const Cuda& cuda, ConvolutionPlan<T, Cuda>& plan, View<const T, 3> x,
                      View<const T, 1> weight, View<const T, 3> slope, View<T, 3> y_bar, View<T, 3> x_bar,
                      bool add, View<T, 1> weight_bar, View<T, 1> bias_bar) {
  constexpr unsigned threads = 256;
  multiply_by_slope<T, 3>(cuda, slope, y_bar);
  const std::size_t all = y_bar.extent(0) * y_bar.extent(1), size = weight.size();
  const std::size_t each = (all + convolution_parts - 1) / convolution_parts, parts = (all + each - 1) / each;
  const View<const int, 1> forward(plan.tables.data(), plan.forward.device_points.size());
  const View<T, 3> sums(plan.workspace.data() + size, parts, plan.taps * plan.inputs + 1, plan.outputs);
  const auto tiles = [](std::size_t n) { return (n + side - 1) / side; };
  launch<weight_sums_kernel<T>>(
      cuda,
      {{unsigned(parts), unsigned(plan.taps * tiles(plan.inputs)), unsigned(tiles(plan.outputs))},
       {side, side}},
      device_gather(plan.forward, plan.output_grid, plan.grid, plan.options.width), forward, x,
      View<const T, 3>(y_bar), each, sums);
  launch<add_sums_kernel<T>>(cuda, {blocks_for(size + plan.outputs, threads), threads},
                             View<const T, 3>(sums), weight_bar, bias_bar);
  if (x_bar.size() == 0) return;
  const View<T, 3> turned(plan.workspace.data(), plan.taps, plan.outputs, plan.inputs);
  launch<turn_kernel<T>>(cuda, {blocks_for(size, threads), threads},
                         View<const T, 3>(weight.data(), plan.taps, plan.inputs, plan.outputs), turned);
  const View<const T, 1> none(nullptr, 0);
  gather<T>(cuda, device_gather(plan.adjoint, plan.grid, plan.output_grid, plan.options.width),
            View<const int, 1>(plan.tables.data() + forward.size(), plan.adjoint.device_points.size()),
            View<const T, 3>(y_bar), View<const T, 3>(turned),
            {none, none, View<T, 1>(nullptr, 0), FieldActivation::identity, add}, x_bar);
}

#define SOBOLEV_INSTANTIATE(T)                                                                             \
  template std::size_t convolution_workspace<T>(const Cuda&, const ConvolutionPlan<T, Cuda>&);             \
  template void convolve<T>(const Cuda&, ConvolutionPlan<T, Cuda>&, FieldActivation, View<const T, 3>,     \
                            View<const T, 1>, View<const T, 1>, View<const T, 3>, View<T, 3>, View<T, 3>); \
  template void convolve_adjoint<T>(const Cuda&, ConvolutionPlan<T, Cuda>&, View<const T, 3>,              \
                                    View<const T, 1>, View<const T, 3>, View<T, 3>, View<T, 3>, bool,      \
                                    View<T, 1>, View<T, 1>);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE
}  // namespace sobolev::detail
