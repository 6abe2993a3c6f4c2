// SPDX-License-Identifier: Apache-2.0
// The lowest Fourier coefficients of real fields and back.        x : [B, N, C], v : [B, M, 2, C]
// One kernel an axis, the last axis first. A block takes 32 channels of a column along the axis; each of its
// four warps has four magnitudes |k| (or four points), whose frequencies k and −k share their sums; points
// pass through shared memory, the waves through the caches. Moves 4 N C + 8 M C bytes a sample for the last
// axis; 4 M FLOPs a byte of it: bandwidth bound for M ≤ 14 (H200, float32), as the modes of an operator are.
#include <algorithm>

#include "kernels/common/cuda.hpp"
#include "kernels/spectral/truncated_transform_plan.hpp"

namespace sobolev::detail {
namespace {
constexpr unsigned channel_lanes = 32, groups = 4, per_thread = 4, rows = 16;

/// The axis and where it is.
template <class T>
struct DeviceAxis {
  const T *cosine, *sine;  // [magnitudes][points]
  std::size_t points, magnitudes, inner, columns, channels;
  int low, high, resolved_low, resolved_high;
};

/// Where a column begins: [outer, n, inner, parts, C].
template <class T>
__device__ std::size_t column_at(const DeviceAxis<T>& a, std::size_t column, std::size_t along, int parts) {
  return (column / a.inner * along * a.inner + column % a.inner) * std::size_t(parts) * a.channels;
}

template <class T, bool real>
__global__ void axis_to_modes_kernel(DeviceAxis<T> a, View<const T, 1> x, View<T, 1> v) {
  constexpr int parts = real ? 1 : 2;
  SOBOLEV_SHARED(T, tile, rows * parts * channel_lanes);
  const std::size_t blocks = (a.channels + channel_lanes - 1) / channel_lanes;
  const std::size_t modes = std::size_t(a.high - a.low + 1);
  const unsigned lane = threadIdx.x, group = threadIdx.y;
  for (std::size_t unit = blockIdx.x; unit < a.columns * blocks; unit += gridDim.x) {
    const std::size_t column = unit / blocks, c = unit % blocks * channel_lanes + lane;
    const bool mine = c < a.channels;
    const T* from = x.data() + column_at(a, column, a.points, parts) + c;
    const std::size_t step = a.inner * parts * a.channels;
    const std::size_t first = (std::size_t(blockIdx.y) * groups + group) * per_thread;
    T p[per_thread][parts] = {}, q[per_thread][parts] = {};
    for (std::size_t j0 = 0; j0 < a.points; j0 += rows) {
      const unsigned count = unsigned(a.points - j0 < rows ? a.points - j0 : rows);
      for (unsigned j = group; j < count; j += groups)
        for (int s = 0; s < parts; ++s)
          tile[(j * parts + unsigned(s)) * channel_lanes + lane] =
              mine ? from[(j0 + j) * step + std::size_t(s) * a.channels] : T(0);
      __syncthreads();
#pragma unroll
      for (unsigned i = 0; i < per_thread; ++i) {
        if (first + i >= a.magnitudes) break;
        const T *cosine = a.cosine + (first + i) * a.points + j0,
                *sine = a.sine + (first + i) * a.points + j0;
        for (unsigned j = 0; j < count; ++j)
          for (int s = 0; s < parts; ++s) {
            const T value = tile[(j * parts + unsigned(s)) * channel_lanes + lane];
            p[i][s] += cosine[j] * value;
            q[i][s] += sine[j] * value;
          }
      }
      __syncthreads();
    }
    if (!mine) continue;
    T* to = v.data() + column_at(a, column, modes, 2) + c;
    const std::size_t modes_step = a.inner * 2 * a.channels;
#pragma unroll
    for (unsigned i = 0; i < per_thread; ++i) {
      const int m = int(first + i);
      if (first + i >= a.magnitudes) break;
      for (int sign = 1; sign >= -1; sign -= 2) {
        const int k = sign * m;
        if (k < a.resolved_low || k > a.resolved_high || (sign < 0 && m == 0)) continue;
        T* out = to + std::size_t(k - a.low) * modes_step;
        out[0] = real ? p[i][0] : p[i][0] + T(sign) * q[i][parts - 1];
        out[a.channels] = real ? -q[i][0] : p[i][parts - 1] - T(sign) * q[i][0];
      }
    }
  }
}

template <class T, bool real>
__global__ void axis_to_points_kernel(DeviceAxis<T> a, View<const T, 1> v, View<T, 1> x, bool add) {
  constexpr int parts = real ? 1 : 2;
  const std::size_t blocks = (a.channels + channel_lanes - 1) / channel_lanes;
  const std::size_t modes = std::size_t(a.high - a.low + 1);
  for (std::size_t unit = blockIdx.x; unit < a.columns * blocks; unit += gridDim.x) {
    const std::size_t column = unit / blocks, c = unit % blocks * channel_lanes + threadIdx.x;
    if (c >= a.channels) continue;
    const T* from = v.data() + column_at(a, column, modes, 2) + c;
    const std::size_t step = a.inner * 2 * a.channels;
    const std::size_t first = std::size_t(blockIdx.y) * groups * per_thread + threadIdx.y;
    T sum[per_thread][parts] = {};
    for (std::size_t m = 0; m < a.magnitudes; ++m) {
      T re = T(0), im = T(0), re2 = T(0), im2 = T(0);
      const int k = int(m);
      if (k >= a.resolved_low && k <= a.resolved_high) {
        re = from[std::size_t(k - a.low) * step];
        im = from[std::size_t(k - a.low) * step + a.channels];
      }
      if (!real && k > 0 && -k >= a.resolved_low && -k <= a.resolved_high) {
        re2 = from[std::size_t(-k - a.low) * step];
        im2 = from[std::size_t(-k - a.low) * step + a.channels];
      }
#pragma unroll
      for (unsigned i = 0; i < per_thread; ++i) {
        const std::size_t j = first + i * groups;
        if (j >= a.points) break;
        const T cosine = a.cosine[m * a.points + j], sine = a.sine[m * a.points + j];
        sum[i][0] += cosine * (re + re2) + sine * (im2 - im);
        if (!real) sum[i][parts - 1] += cosine * (im + im2) + sine * (re - re2);
      }
    }
    T* to = x.data() + column_at(a, column, a.points, parts) + c;
#pragma unroll
    for (unsigned i = 0; i < per_thread; ++i) {
      const std::size_t j = first + i * groups;
      if (j >= a.points) break;
      T* out = to + j * a.inner * parts * a.channels;
      out[0] = add ? out[0] + sum[i][0] : sum[i][0];
      if (!real) out[a.channels] = sum[i][parts - 1];
    }
  }
}

template <class T>
DeviceAxis<T> device_axis(const TransformPlan<T, Cuda>& plan, const AxisStage& stage, Transform which,
                          std::size_t batch, std::size_t channels) {
  const AxisShape& axis = plan.axes[stage.axis];
  const T* table = plan.tables.data() + plan.table_at[std::size_t(which)][stage.axis];
  return {table,
          table + axis.magnitudes * axis.points,
          axis.points,
          axis.magnitudes,
          stage.inner,
          batch * stage.outer * stage.inner,
          channels,
          axis.low,
          axis.high,
          axis.resolved_low,
          axis.resolved_high};
}

/// Numbers between two axes, twice, in the plan's memory.
template <class T>
std::array<T*, 2> between_axes(const Cuda& cuda, TransformPlan<T, Cuda>& plan, std::size_t batch,
                               std::size_t channels) {
  const std::size_t stage = batch * plan.stage_size * channels;
  if (plan.workspace.size() < 2 * stage) plan.workspace = zeros<T>(cuda, 2 * stage);
  return {plan.workspace.data(), plan.workspace.data() + stage};
}

template <class T>
LaunchShape shape_of(const DeviceAxis<T>& a, std::size_t along) {
  const std::size_t units = a.columns * ((a.channels + channel_lanes - 1) / channel_lanes);
  constexpr std::size_t each = groups * per_thread;
  return {{unsigned(std::min<std::size_t>(units, 1u << 20)),
           unsigned(std::max<std::size_t>(1, (along + each - 1) / each))},
          {channel_lanes, groups}};
}
}  // namespace

template <class T>
std::vector<T> pack_axis_table(const Cuda&, const AxisShape& axis, const std::vector<double>& weight, bool) {
  const AxisWaves waves = full_waves(axis, weight);
  std::vector<T> table;
  for (const auto* wave : {&waves.cosine, &waves.sine})
    for (const double value : *wave) table.push_back(T(value));
  return table;
}

template <class T>
void transform_to_modes(const Cuda& cuda, TransformPlan<T, Cuda>& plan, Transform which, View<const T, 3> x,
                        View<T, 4> v) {
  const std::size_t batch = x.extent(0), channels = x.extent(2);
  if (batch * channels == 0) return;
  const auto& stages = plan.stages;
  const auto between = between_axes(cuda, plan, batch, channels);
  View<const T, 1> from(x.data(), x.size());
  for (std::size_t s = 0; s < stages.size(); ++s) {
    const AxisShape& axis = plan.axes[stages[s].axis];
    const DeviceAxis<T> a = device_axis(plan, stages[s], which, batch, channels);
    const View<T, 1> to(s + 1 == stages.size() ? v.data() : between[s % 2],
                        batch * stages[s].outer * axis.modes() * stages[s].inner * 2 * channels);
    if (axis.resolved_low != axis.low || axis.resolved_high != axis.high) clear<T, 1>(cuda, to);
    if (stages[s].real)
      launch<axis_to_modes_kernel<T, true>>(cuda, shape_of(a, axis.magnitudes), a, from, to);
    else
      launch<axis_to_modes_kernel<T, false>>(cuda, shape_of(a, axis.magnitudes), a, from, to);
    from = to;
  }
}

template <class T>
void transform_to_points(const Cuda& cuda, TransformPlan<T, Cuda>& plan, Transform which, View<const T, 4> v,
                         View<T, 3> x, bool add) {
  const std::size_t batch = x.extent(0), channels = x.extent(2);
  if (batch * channels == 0) return;
  const auto& stages = plan.stages;
  const auto between = between_axes(cuda, plan, batch, channels);
  View<const T, 1> from(v.data(), v.size());
  for (std::size_t s = stages.size(); s-- > 0;) {
    const AxisShape& axis = plan.axes[stages[s].axis];
    const DeviceAxis<T> a = device_axis(plan, stages[s], which, batch, channels);
    const View<T, 1> to(
        s == 0 ? x.data() : between[s % 2],
        batch * stages[s].outer * axis.points * stages[s].inner * (s == 0 ? 1 : 2) * channels);
    if (stages[s].real)
      launch<axis_to_points_kernel<T, true>>(cuda, shape_of(a, axis.points), a, from, to, add);
    else
      launch<axis_to_points_kernel<T, false>>(cuda, shape_of(a, axis.points), a, from, to, false);
    from = to;
  }
}

#define SOBOLEV_INSTANTIATE(T)                                                                            \
  template std::vector<T> pack_axis_table<T>(const Cuda&, const AxisShape&, const std::vector<double>&,   \
                                             bool);                                                       \
  template void transform_to_modes<T>(const Cuda&, TransformPlan<T, Cuda>&, Transform, View<const T, 3>,  \
                                      View<T, 4>);                                                        \
  template void transform_to_points<T>(const Cuda&, TransformPlan<T, Cuda>&, Transform, View<const T, 4>, \
                                       View<T, 3>, bool);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE
}  // namespace sobolev::detail
