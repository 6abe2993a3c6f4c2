// SPDX-License-Identifier: Apache-2.0
#pragma once
// The parts of the fused step between and around the network, by one block on one tile. A tile has
// `real` points and copies · real columns per channel: column s · real + p is copy s of point p. Thread p of
// the block owns point p: its column of the tape's registers (stride: real) and its columns of the outputs.
#include "kernels/common/cuda.hpp"
#include "kernels/expression/tape_math.hpp"
#include "kernels/network/network_adjoint_block.hpp"
#include "kernels/pinn/residual_device.hpp"

namespace sobolev::target_cuda {
using detail::DeviceGroupView;
using detail::FieldIndex;
using detail::PointTile;

/// Row pitch of the adjoints that layer_rows stages, 32 features at a time.
inline constexpr int row_stage_pitch = 33;

/// The tape's registers after block_forward. Needs no barrier before or after: threads keep to their columns.
template <class S>
__device__ void tile_residuals(const DeviceGroupView<typename S::T>& g, const NetworkBlock<typename S::T>& m,
                               int channels, const PointTile& tile, typename S::T* registers) {
  using T = typename S::T;
  const int real = m.points / g.copies, R = channels * m.points, p = thread_of_block();
  if (p >= real) return;
  const std::size_t n = tile.first + (unsigned(p) < tile.count ? unsigned(p) : tile.count - 1);
  T* to = registers + p;
  for (int d = 0; d < g.coordinates; ++d, to += real) *to = g.x[std::size_t(d) * g.points + n];
  for (int e = 0; e < g.externals; ++e, to += real) *to = g.external[std::size_t(e) * g.points + n];
  for (int f = 0; f < g.field_count; ++f, to += real) {
    const FieldIndex<T> field = g.fields[f];
    const T* from = m.output() + field.output * R + field.channel * m.points + p;
    T sum = T(0);
    for (int s = 0; s < g.copies; ++s) sum += g.parity[s] * from[s * real];
    *to = field.scale * sum;
  }
  tape_forward_tile<T>(g.tape, registers + p, real, 1);
}

template <class S>
__device__ void store_residuals(const DeviceGroupView<typename S::T>& g, const PointTile& tile, int points,
                                const typename S::T* registers, typename S::T* r) {
  const int real = points / g.copies, p = thread_of_block();
  if (unsigned(p) >= tile.count) return;
  for (int e = 0; e < g.residuals; ++e)
    r[std::size_t(e) * g.points + tile.first + unsigned(p)] = registers[g.tape.outputs[e] * real + p];
}

/// Σ_e w_e Σ_n v_n r² to *weighted and, unless null, the same with w_e = 1 to *unit. Ends with a barrier.
template <class S>
__device__ void tile_loss(const DeviceGroupView<typename S::T>& g, const PointTile& tile, int points,
                          const typename S::T* registers, double* weighted, double* unit) {
  SOBOLEV_SHARED(double, sums, 16);
  const int real = points / g.copies, p = thread_of_block();
  double with_weights = 0, without = 0;
  if (unsigned(p) < tile.count) {
    const double v = g.point_weight == nullptr ? 1.0 : double(g.point_weight[tile.first + unsigned(p)]);
    for (int e = 0; e < g.residuals; ++e) {
      const double r = double(registers[g.tape.outputs[e] * real + p]);
      with_weights += double(g.weight[e]) * (r * r * v);
      without += r * r * v;
    }
  }
  for (unsigned by = 16; by > 0; by /= 2) {
    with_weights += __shfl_down_sync(0xffffffffu, with_weights, by);
    without += __shfl_down_sync(0xffffffffu, without, by);
  }
  if (p % 32 == 0) {
    sums[p / 32] = with_weights;
    sums[8 + p / 32] = without;
  }
  __syncthreads();
  if (p == 0) {
    double total = 0, total_unit = 0;
    for (int w = 0; w < S::threads / 32; ++w) {
      total += sums[w];
      total_unit += sums[8 + w];
    }
    *weighted = total;
    if (unit != nullptr) *unit = total_unit;
  }
  __syncthreads();
}

template <class S>
__device__ void clear_adjoints(const DeviceGroupView<typename S::T>& g, int real, int p,
                               typename S::T* adjoints) {
  for (int r = 0; r < g.tape.registers(); ++r) adjoints[r * real + p] = typename S::T(0);
}

/// The residuals' adjoints: those of factor · Σ w_e v_n r², or `seeds` : [E, N].
template <class S>
__device__ void seed_residuals(const DeviceGroupView<typename S::T>& g, const PointTile& tile, int points,
                               typename S::T factor, const typename S::T* seeds,
                               const typename S::T* registers, typename S::T* adjoints) {
  using T = typename S::T;
  const int real = points / g.copies, p = thread_of_block();
  if (p >= real) return;
  clear_adjoints<S>(g, real, p, adjoints);
  if (unsigned(p) >= tile.count) return;
  const std::size_t n = tile.first + unsigned(p);
  const T v = g.point_weight == nullptr ? T(1) : g.point_weight[n];
  for (int e = 0; e < g.residuals; ++e) {
    const int at = g.tape.outputs[e] * real + p;
    adjoints[at] += seeds != nullptr ? seeds[std::size_t(e) * g.points + n]
                                     : 2 * factor * (g.weight[e] * v) * registers[at];
  }
}

/// Adjoint 1 of residual e at the tile's first `count` points.
template <class S>
__device__ void unit_seed(const DeviceGroupView<typename S::T>& g, int points, int e, int count,
                          typename S::T* adjoints) {
  const int real = points / g.copies, p = thread_of_block();
  if (p >= real) return;
  clear_adjoints<S>(g, real, p, adjoints);
  if (p < count) adjoints[g.tape.outputs[e] * real + p] = typename S::T(1);
}

/// m.output_bar from the residuals' adjoints: back through the tape and the fields.
template <class S>
__device__ void tile_output_bar(const DeviceGroupView<typename S::T>& g, const NetworkBlock<typename S::T>& m,
                                int channels, const typename S::T* registers, typename S::T* adjoints) {
  using T = typename S::T;
  const int real = m.points / g.copies, p = thread_of_block(), R = channels * m.points;
  if (p >= real) return;
  tape_reverse_tile<T>(g.tape, registers + p, adjoints + p, real, 1);
  for (int row = 0; row < m.outputs * channels; ++row)
    for (int s = 0; s < g.copies; ++s) m.output_bar()[row * m.points + s * real + p] = T(0);
  const T* bar = adjoints + std::size_t(g.coordinates + g.externals) * std::size_t(real) + p;
  for (int f = 0; f < g.field_count; ++f, bar += real) {
    const FieldIndex<T> field = g.fields[f];
    T* out = m.output_bar() + field.output * R + field.channel * m.points + p;
    for (int s = 0; s < g.copies; ++s) out[s * real] += field.scale * g.parity[s] * *bar;
  }
}

/// The part of `count` Jacobian rows that belongs to an output.
template <class S, class Scale>
__device__ void output_rows(const DeviceGroupView<typename S::T>& g, const NetworkBlock<typename S::T>& m,
                            int R, int step, const typename S::T* in, int count, const Scale& scale,
                            typename S::T* rows, std::size_t stride) {
  using T = typename S::T;
  const int real = m.points / g.copies, width = m.steps[step].fan_in, outputs = m.steps[step].fan_out;
  for (int i = thread_of_block(); i < count * outputs * (width + 1); i += S::threads) {
    const int feature = i % (width + 1), q = i / (width + 1) % outputs, n = i / (width + 1) / outputs;
    const T* seed = m.output_bar() + (m.steps[step].out + q) * R + n;
    T sum = T(0);
    if (feature < width) {
      const T* row = in + std::size_t(feature) * std::size_t(R) + n;
      for (int column = 0; column < R; column += real) sum += seed[column] * row[column];
    } else {
      for (int s = 0; s < g.copies; ++s) sum += seed[s * real];
    }
    const int at = feature < width ? m.steps[step].weight + q * width + feature : m.steps[step].bias + q;
    rows[std::size_t(n) * stride + unsigned(at)] = scale(n) * sum;
  }
}

/// The part of a dense layer. A warp takes 32 neighbouring columns of a row. Begins with a barrier, ends with
/// one.
template <class S, class Scale>
__device__ void dense_rows(const DeviceGroupView<typename S::T>& g, const NetworkBlock<typename S::T>& m,
                           int channels, int step, const typename S::T* in, const typename S::T* bar,
                           int count, const Scale& scale, typename S::T* rows, std::size_t stride) {
  using T = typename S::T;
  T* stage = dynamic_shared<T>();  // [R][32 features]
  const int real = m.points / g.copies, R = channels * m.points;
  const int fan_in = m.steps[step].fan_in, width = m.steps[step].fan_out;
  const int me = thread_of_block(), lane = me % 32;
  for (int o0 = 0; o0 < width; o0 += 32) {
    __syncthreads();
    for (int i = me; i < 32 * R; i += S::threads) {
      const int o = o0 + i / R;
      stage[i % R * row_stage_pitch + i / R] =
          o < width ? bar[std::size_t(o) * std::size_t(R) + std::size_t(i % R)] : T(0);
    }
    __syncthreads();
    if (o0 + lane >= width) continue;
    for (int item = me / 32; item < (fan_in + 1) * count; item += S::threads / 32) {
      const int i = item / count, n = item % count;
      T sum = T(0);
      if (i < fan_in) {
        const T* left = in + std::size_t(i) * std::size_t(R) + n;
        for (int column = 0; column < R; column += real)
          sum += left[column] * stage[(column + n) * row_stage_pitch + lane];
      } else {
        for (int s = 0; s < g.copies; ++s) sum += stage[(s * real + n) * row_stage_pitch + lane];
      }
      const int at = (i < fan_in ? m.steps[step].weight + i * width : m.steps[step].bias) + o0 + lane;
      rows[std::size_t(n) * stride + unsigned(at)] = scale(n) * sum;
    }
  }
  __syncthreads();
}

/// The part of a blend: α. A warp takes a point.
template <class S, class Scale>
__device__ SOBOLEV_OUT_OF_LINE void blend_rows(const DeviceGroupView<typename S::T>& g,
                                               const NetworkBlock<typename S::T>& m, int R, int step,
                                               const typename S::T* z, const typename S::T* x, int count,
                                               const Scale& scale, typename S::T* rows, std::size_t stride) {
  using T = typename S::T;
  const int real = m.points / g.copies, me = thread_of_block();
  const T* bar = m.bar(m.steps[step].out);
  for (int n = me / 32; n < count; n += S::threads / 32) {
    T sum = T(0);
    for (int o = me % 32; o < m.steps[step].fan_out; o += 32)
      for (int at = o * R + n; at < (o + 1) * R; at += real) sum += bar[at] * (z[at] - x[at]);
    for (unsigned by = 16; by > 0; by /= 2) sum += __shfl_down_sync(0xffffffffu, sum, by);
    if (me % 32 == 0) rows[std::size_t(n) * stride + unsigned(m.steps[step].weight)] = scale(n) * sum;
  }
  __syncthreads();
}

/// The part of Gaussians. A warp takes neighbouring Gaussians of a row.
template <class S, class Scale>
__device__ SOBOLEV_OUT_OF_LINE void gaussian_rows(const DeviceGroupView<typename S::T>& g,
                                                  const NetworkBlock<typename S::T>& m,
                                                  const typename S::Jet& jet,
                                                  const typename S::T* coefficients, int step,
                                                  const typename S::T* input, int count, const Scale& scale,
                                                  typename S::T* rows, std::size_t stride) {
  using T = typename S::T;
  const int real = m.points / g.copies, features = m.steps[step].fan_out,
            all = m.steps[step].fan_in * features;
  for (int item = thread_of_block(); item < all * count; item += S::threads) {
    const int i = item % all, n = item / all;
    T centre = T(0), width = T(0);
    for (int s = 0; s < g.copies; ++s)
      add_gaussian_point<S>(m, jet, coefficients, step, input, i / features, i % features, s * real + n,
                            centre, width);
    T* row = rows + std::size_t(n) * stride;
    row[m.steps[step].weight + i] = scale(n) * centre * m.parameters[m.steps[step].bias + i];
    row[m.steps[step].bias + i] = scale(n) * width;
  }
  __syncthreads();
}

/// The part of Gaussians of full covariance.
template <class S, class Scale>
__device__ SOBOLEV_OUT_OF_LINE void full_gaussian_rows(
    const DeviceGroupView<typename S::T>& g, const NetworkBlock<typename S::T>& m, const typename S::Jet& jet,
    const typename S::T* coefficients, int step, const typename S::T* input, int count, const Scale& scale,
    typename S::T* rows, std::size_t stride) {
  using T = typename S::T;
  const int real = m.points / g.copies, all = full_gaussian_items(m, step);
  for (int item = thread_of_block(); item < all * count; item += S::threads) {
    const int i = item % all, n = item / all;
    T sum = T(0);
    for (int s = 0; s < g.copies; ++s)
      sum += full_gaussian_point<S>(m, jet, coefficients, step, input, i, s * real + n);
    rows[std::size_t(n) * stride + m.steps[step].weight + i] = scale(n) * sum;
  }
  __syncthreads();
}

/// The part of any step.
template <class S, class Input, class Scale>
__device__ void step_rows(const DeviceGroupView<typename S::T>& g, const NetworkBlock<typename S::T>& m,
                          const typename S::Jet& jet, const typename S::T* coefficients, int step,
                          const Input& input, int count, const Scale& scale, typename S::T* rows,
                          std::size_t stride) {
  const int channels = jet.channels(), R = channels * m.points;
  const auto in = [&](int i) { return slot_values(m, m.steps[step].in[i], input); };
  switch (m.steps[step].kind) {
    case Kind::dense:
      return dense_rows<S>(g, m, channels, step, in(0), m.bar(m.steps[step].out), count, scale, rows, stride);
    case Kind::output: return output_rows<S>(g, m, R, step, in(0), count, scale, rows, stride);
    case Kind::blend: return blend_rows<S>(g, m, R, step, in(0), in(1), count, scale, rows, stride);
    case Kind::gaussian:
      return m.steps[step].full
                 ? full_gaussian_rows<S>(g, m, jet, coefficients, step, in(0), count, scale, rows, stride)
                 : gaussian_rows<S>(g, m, jet, coefficients, step, in(0), count, scale, rows, stride);
    case Kind::gate: return;
  }
}

}  // namespace sobolev::target_cuda
