// SPDX-License-Identifier: Apache-2.0
// The gradient of a network's outputs point by point, on a tile: rows of a Jacobian, made layer by layer.
// FLOPs: 2·N·K·P for the rows and as many for the way back; bytes: N·P written.
#include "kernels/network/network_steps_detail.hpp"

namespace sobolev::SOBOLEV_TARGET {
namespace {
using Kind = Instruction::Kind;

/// Of which rows: `terms` rows of the tile, `points` apart, belong to a point; the first `copies` of them to
/// its values.
struct RowTerms {
  int count, copies, points, terms;
};

// Of a factorised weight: rows by W become those by V, and Σ_i ∂/∂W_oi W_oi those by s.
template <class T>
void output_rows(const TileSlots<T>& at, const StepLayout& step, const RowTerms& of, const T* packed,
                 const T* row_scale, T* rows, std::size_t stride) {
  const int width = at.net.width, hidden = step.fan_in;
  const T* y = at.y(step.in[0]);
  for (int p = 0; p < of.count; ++p) {
    const T scale = row_scale ? row_scale[p] : T(1);
    T* row = rows + std::size_t(p) * stride;
    for (int q = 0; q < step.fan_out; ++q) {
      const T* seed = at.tile.output_bar + (step.out + q) * at.tile.rows + p;
      T* to = row + step.weight + std::size_t(q) * std::size_t(hidden);
      Vec<T> total{};
      for (int i = 0; i < hidden; i += lanes<T>) {
        const T* from = y + std::size_t(i / width) * at.panel() + std::size_t(i % width);
        Vec<T> sum{};
        for (int t = 0; t < of.terms; ++t)
          sum += seed[t * of.points] * load<T>(from + std::size_t(t * of.points + p) * at.width());
        sum *= scale;
        if (step.factor > 0) {
          total += sum * load<T>(packed + step.packed + std::size_t(q) * at.slot(step.in[0]).padded +
                                 std::size_t(i));
          sum *= packed[step.packed_factor + std::size_t(q)];
        }
        store_part<T>(to + i, sum, hidden - i);
      }
      if (step.factor > 0) row[step.factor + std::size_t(q)] = sum_lanes<T>(total);
      T bias = 0;
      for (int s = 0; s < of.copies; ++s) bias += seed[s * of.points];
      row[step.bias + std::size_t(q)] = bias * scale;
    }
  }
}

template <class T>
void dense_rows(const TileSlots<T>& at, const StepLayout& step, const RowTerms& of, const T* packed,
                const T* row_scale, T* rows, std::size_t stride) {
  const int width = at.net.width, fan_in = step.fan_in, fan_out = step.fan_out;
  const std::size_t term = std::size_t(of.points) * at.width(), panel = at.panel();
  const T *in = at.y(step.in[0]), *bar = at.bar(step.out);
  for (int p = 0; p < of.count; ++p) {
    const Vec<T> scale = broadcast<T>(row_scale ? row_scale[p] : T(1));
    T* row = rows + std::size_t(p) * stride + step.weight;
    const std::size_t point = std::size_t(p) * at.width();
    for (int o = 0; o < fan_out; o += lanes<T>) {
      // Scaled z̄ of this vector of neurons for each term, then one row of the weight per input.
      const T* d = bar + std::size_t(o / width) * panel + point + std::size_t(o % width);
      const int room = fan_out - o;
      T* to = row + o;
      const bool factored = step.factor > 0;
      const T* w = packed + step.packed + std::size_t(o / width) * std::size_t(fan_in) * at.width() +
                   std::size_t(o % width);
      const Vec<T> factor = factored ? load<T>(packed + step.packed_factor + o) : broadcast<T>(T(1));
      Vec<T> total{};
      for (int i = 0; i < fan_in; ++i) {
        const T* a = in + std::size_t(i / width) * panel + point + std::size_t(i % width);
        Vec<T> sum{};
        for (int t = 0; t < of.terms; ++t)
          sum += a[std::size_t(t) * term] * load<T>(d + std::size_t(t) * term);
        sum *= scale;
        if (factored) {
          total += sum * load<T>(w + std::size_t(i) * at.width());
          sum *= factor;
        }
        store_part<T>(to + std::size_t(i) * std::size_t(fan_out), sum, room);
      }
      if (factored) store_part<T>(rows + std::size_t(p) * stride + step.factor + std::size_t(o), total, room);
      Vec<T> bias{};
      for (int s = 0; s < of.copies; ++s) bias += load<T>(d + std::size_t(s) * term);
      store_part<T>(to + std::size_t(fan_in) * std::size_t(fan_out), bias * scale, room);
    }
  }
}

template <class T>
void gaussian_rows(const TileSlots<T>& at, const detail::JetTableView<T>& jet, const StepLayout& step,
                   const RowTerms& of, const T* packed, const T* row_scale, T* rows, std::size_t stride) {
  const int width = at.net.width;
  const detail::GaussianPanel<T> first = gaussian_panels<T>(at, jet, step, packed);
  for (int q = 0; q < at.slot(step.out).panels; ++q) {
    const int left = step.fan_out - q * width, features = left < width ? left : width;
    gaussian_rows_range<T>(
        jet, panel_of<T>(first, q), at.bar(step.out) + std::size_t(q) * at.panel(),
        {of.count, of.copies, of.points, row_scale, features, stride, std::size_t(step.fan_out),
         rows + step.weight + std::size_t(q * width), rows + step.bias + std::size_t(q * width),
         rows + step.bias + std::size_t(step.fan_in * step.fan_out) + std::size_t(q * width)});
  }
}

template <class T>
void blend_rows(const TileSlots<T>& at, const StepLayout& step, const RowTerms& of, const T* row_scale,
                T* rows, std::size_t stride) {
  const T *z = at.y(step.in[0]), *x = at.y(step.in[1]), *bar = at.bar(step.out);
  for (int p = 0; p < of.count; ++p) {
    Vec<T> sum{};
    for (int q = 0; q < at.slot(step.out).panels; ++q)
      for (int t = 0; t < of.terms; ++t) {
        const std::size_t row = std::size_t(q) * at.panel() + std::size_t(t * of.points + p) * at.width();
        for (std::size_t i = row; i < row + at.width(); i += lanes<T>)
          sum += load<T>(bar + i) * (load<T>(z + i) - load<T>(x + i));
      }
    rows[std::size_t(p) * stride + step.weight] = sum_lanes<T>(sum) * (row_scale ? row_scale[p] : T(1));
  }
}
}  // namespace

template <class T>
void network_tile_jacobian(const NetworkView& net, const detail::JetTableView<T>& jet, const T* packed,
                           const NetworkTile<T>& tile, int count, int copies, const T* row_scale, T* rows,
                           std::size_t stride) {
  const TileSlots<T> at{net, tile};
  const RowTerms of{count, copies, tile.points / copies, jet.channels * copies};
  for (int k = 0; k < net.step_count; ++k)  // of which the forward pass has stored no derivatives
    if (net.steps[k].kind == Kind::gaussian)
      if (const detail::GaussianPanel<T> summed = summed_gaussians<T>(at, jet, packed, net.steps[k].out);
          summed.axes.coordinates)
        gaussian_forward<T>(at, jet, net.steps[k], summed);
  for (int k = net.step_count - 1; k >= 0; --k) {
    const StepLayout& step = net.steps[k];
    switch (step.kind) {
      case Kind::output: output_rows<T>(at, step, of, packed, row_scale, rows, stride); break;
      case Kind::dense: dense_rows<T>(at, step, of, packed, row_scale, rows, stride); break;
      case Kind::gaussian: gaussian_rows<T>(at, jet, step, of, packed, row_scale, rows, stride); break;
      case Kind::blend: blend_rows<T>(at, step, of, row_scale, rows, stride); break;
      case Kind::gate: break;
    }
    propagate_step<T>(at, jet, packed, step);
  }
}

template void network_tile_jacobian<float>(const NetworkView&, const detail::JetTableView<float>&,
                                           const float*, const NetworkTile<float>&, int, int, const float*,
                                           float*, std::size_t);
template void network_tile_jacobian<double>(const NetworkView&, const detail::JetTableView<double>&,
                                            const double*, const NetworkTile<double>&, int, int,
                                            const double*, double*, std::size_t);
}  // namespace sobolev::SOBOLEV_TARGET
