// SPDX-License-Identifier: Apache-2.0
// A multilayer perceptron with its jets, forward and backward, tile by tile.
//                                                       x : [K, inputs, N], y : [K, outputs, N]
// Threads take tiles of 24 to 96 points; a tile's rows are channel · point, its columns features.
// FLOPs: 2·N·K·Σ in·out forward, twice that again backward; bytes from memory: only x and y, so the
// FMA units are the limit: 92–98 % of their peak in the products alone, about 90 % with activations.
#include "kernels/jet/activation_range.hpp"
#include "kernels/jet/mlp_tile.hpp"
#include "kernels/linalg/panel_product_detail.hpp"

namespace sobolev::SOBOLEV_TARGET {
using detail::MlpGeometry;
using detail::MlpTile;
using detail::tile_granule_points;
namespace {

/// f(std::integral_constant<int, vectors>).
template <class F>
SOBOLEV_INLINE void with_vectors(int vectors, F&& f) {
  switch (vectors) {
    case 1: return f(std::integral_constant<int, 1>{});
    case 2: return f(std::integral_constant<int, 2>{});
    default: return f(std::integral_constant<int, 3>{});
  }
}

/// The adjoint of tanh reads y alone: there z is overwritten by it, and the tile has room for more points.
template <class T>
SOBOLEV_INLINE bool keeps_z(const MlpGeometry<T>& g) {
  return g.activation != Activation::tanh;
}

/// One output of the last layer on all rows: out[r] = Σ_i y[r][i] w[i] (+ bias on rows < bias_rows).
template <class T>
void output_forward(const MlpGeometry<T>& g, const T* y, int rows, const T* w, T bias, int bias_rows,
                    T* out) {
  for (int r = 0; r < rows; ++r) {
    Vec<T> sum{};
    for (int q = 0; q < g.hidden_panels; ++q) {
      const T* row = y + (std::size_t(q) * std::size_t(rows) + std::size_t(r)) * std::size_t(g.width);
      for (int i = 0; i < g.width; i += lanes<T>) sum += load<T>(row + i) * load<T>(w + q * g.width + i);
    }
    out[r] = sum_lanes<T>(sum) + (r < bias_rows ? bias : T(0));
  }
}

/// bar[r][i] = Σ_q out_bar[q][r] w[q][i] on one panel.
template <class T>
void output_backward(const MlpGeometry<T>& g, const MlpTile<T>& tile, int panel, const T* w, T* bar) {
  for (int r = 0; r < tile.rows; ++r) {
    T* row = bar + std::size_t(r) * std::size_t(g.width);
    for (int i = 0; i < g.width; i += lanes<T>) {
      Vec<T> sum{};
      for (int q = 0; q < g.outputs; ++q)
        sum += tile.output_bar[q * tile.rows + r] *
               load<T>(w + std::size_t(q) * g.padded() + std::size_t(panel * g.width + i));
      store<T>(row + i, sum);
    }
  }
}

/// d_w[i] += Σ_r out_bar[r] y[r][i] for one output and panel.
template <class T>
void output_gradient(const MlpGeometry<T>& g, const MlpTile<T>& tile, int q, const T* y, T* d_w) {
  const T* seed = tile.output_bar + q * tile.rows;
  for (int i = 0; i < g.width; i += lanes<T>) {
    Vec<T> even{}, odd{};  // rows are a multiple of 2
    for (int r = 0; r < tile.rows; r += 2) {
      even += seed[r] * load<T>(y + std::size_t(r) * std::size_t(g.width) + i);
      odd += seed[r + 1] * load<T>(y + std::size_t(r + 1) * std::size_t(g.width) + i);
    }
    store<T>(d_w + i, load<T>(d_w + i) + (even + odd));
  }
}

/// z̄ of the last hidden layer into bar[0].
template <class T>
void seed_last_layer(const MlpGeometry<T>& g, const detail::JetTableView<T>& jet, const T* packed,
                     const MlpTile<T>& tile) {
  const std::size_t panel = std::size_t(tile.rows) * std::size_t(g.width);
  const std::size_t channel = std::size_t(tile.points) * std::size_t(g.width);
  const T* z = tile.layer(tile.z, g, g.depth - 1);
  const T* y = tile.layer(tile.y, g, g.depth - 1);
  const T* w = packed + g.layer_offset(g.depth);
  for (int q = 0; q < g.hidden_panels; ++q) {
    T* bar = tile.bar[0] + std::size_t(q) * panel;
    output_backward<T>(g, tile, q, w, bar);
    activation_backward_range<T>(g.activation, jet, z + std::size_t(q) * panel, y + std::size_t(q) * panel,
                                 bar, bar, channel, channel);
  }
}

/// z̄ of layer l − 1 into `to` from z̄ of layer l in `from`.
template <int nv, class T>
void backward_layer(const MlpGeometry<T>& g, const detail::JetTableView<T>& jet, const T* packed,
                    const MlpTile<T>& tile, int l, const T* from, T* to) {
  const std::size_t panel = std::size_t(tile.rows) * std::size_t(g.width);
  const std::size_t channel = std::size_t(tile.points) * std::size_t(g.width);
  const T* z = tile.layer(tile.z, g, l - 1);
  const T* y = tile.layer(tile.y, g, l - 1);
  const T* transposed = packed + g.transpose_offset(l);
  for (int q = 0; q < g.hidden_panels; ++q) {
    T* bar = to + std::size_t(q) * panel;
    panel_product<T, nv>(from, panel, tile.rows, g.hidden,
                         transposed + std::size_t(q) * std::size_t(g.hidden) * std::size_t(g.width), nullptr,
                         0, bar);
    activation_backward_range<T>(g.activation, jet, z + std::size_t(q) * panel, y + std::size_t(q) * panel,
                                 bar, bar, channel, channel);
  }
}
}  // namespace

template <class T>
MlpGeometry<T> mlp_geometry(const MlpShape& shape) {
  MlpGeometry<T> g{};
  g.inputs = shape.inputs;
  g.outputs = shape.outputs;
  g.depth = shape.depth;
  g.hidden = shape.width;
  g.activation = shape.activation;
  const int vectors = (g.hidden + lanes<T> - 1) / lanes<T>;
  // Least padding first; 2 and 3 vectors fill the registers better than 1.
  int best = 0;
  double best_cost = 0;
  for (int nv : {2, 3, 1}) {
    const double cost = double((vectors + nv - 1) / nv * nv) * (nv == 1 ? 1.2 : 1.0);
    if (best == 0 || cost < best_cost) {
      best = nv;
      best_cost = cost;
    }
  }
  g.vectors = best;
  g.width = best * lanes<T>;
  g.hidden_panels = (g.hidden + g.width - 1) / g.width;
  g.input_panels = (g.inputs + g.width - 1) / g.width;
  return g;
}

template <class T>
std::size_t mlp_tile_size(const MlpGeometry<T>& g, int channels, int points) {
  const std::size_t rows = std::size_t(channels) * std::size_t(points);
  return whole_lines<T>(rows * std::size_t(g.input_panels * g.width)) +
         whole_lines<T>(rows * g.padded()) * ((keeps_z(g) ? 2 : 1) * std::size_t(g.depth) + 2) +
         2 * whole_lines<T>(rows * std::size_t(g.outputs));
}

template <class T>
MlpTile<T> mlp_tile(const MlpGeometry<T>& g, int channels, int points, T* memory) {
  MlpTile<T> tile{};
  tile.points = points;
  tile.rows = channels * points;
  const std::size_t rows = std::size_t(tile.rows), layer = whole_lines<T>(rows * g.padded());
  const auto take = [&](std::size_t n) {
    T* p = memory;
    memory += n;
    return p;
  };
  tile.input = take(whole_lines<T>(rows * std::size_t(g.input_panels * g.width)));
  tile.y = take(layer * std::size_t(g.depth));
  tile.z = keeps_z(g) ? take(layer * std::size_t(g.depth)) : tile.y;
  tile.bar[0] = take(layer);
  tile.bar[1] = take(layer);
  tile.output = take(whole_lines<T>(rows * std::size_t(g.outputs)));
  tile.output_bar = take(whole_lines<T>(rows * std::size_t(g.outputs)));
  return tile;
}

template <class T>
int mlp_tile_points(const MlpGeometry<T>& g, int channels) {
  constexpr std::size_t budget = 320 * 1024;
  int points = tile_granule_points;
  while (points < 4 * tile_granule_points &&
         mlp_tile_size<T>(g, channels, points + tile_granule_points) * sizeof(T) <= budget)
    points += tile_granule_points;
  return points;
}

template <class T>
void mlp_pack(const MlpGeometry<T>& g, const MlpShape& shape, const T* parameters, T* packed) {
  const int width = g.width, hidden = g.hidden;
  for (int l = 0; l < g.depth; ++l) {
    const int in = g.fan_in(l);
    const T* w = parameters + shape.weight_offset(l);
    const T* b = w + std::size_t(in) * std::size_t(hidden);
    T* forward = packed + g.layer_offset(l);
    for (int q = 0; q < g.hidden_panels; ++q)
      for (int i = 0; i < in; ++i)
        for (int o = 0; o < width; ++o) {
          const int column = q * width + o;
          *forward++ = column < hidden ? w[std::size_t(i) * std::size_t(hidden) + std::size_t(column)] : T(0);
        }
    T* bias = packed + g.bias_offset(l);
    for (int o = 0; o < int(g.padded()); ++o) bias[o] = o < hidden ? b[o] : T(0);
    if (l == 0) continue;
    T* transposed = packed + g.transpose_offset(l);
    for (int q = 0; q < g.hidden_panels; ++q)
      for (int o = 0; o < hidden; ++o)
        for (int i = 0; i < width; ++i) {
          const int row = q * width + i;
          *transposed++ = row < hidden ? w[std::size_t(row) * std::size_t(hidden) + std::size_t(o)] : T(0);
        }
  }
  const T* w = parameters + shape.weight_offset(g.depth);
  T* out = packed + g.layer_offset(g.depth);
  for (int q = 0; q < g.outputs; ++q)
    for (int i = 0; i < int(g.padded()); ++i)
      *out++ = i < hidden ? w[std::size_t(q) * std::size_t(hidden) + std::size_t(i)] : T(0);
  for (int q = 0; q < g.outputs; ++q)
    *out++ = w[std::size_t(g.outputs) * std::size_t(hidden) + std::size_t(q)];
}

template <class T>
void mlp_sum_accumulators(const T* accumulators, int count, std::size_t size, std::size_t begin,
                          std::size_t end, T* sum) {
  for (std::size_t i = begin; i < end; i += lanes<T>) {  // begin and end are multiples of 64 bytes
    Vec<T> total = load<T>(accumulators + i);
    for (int a = 1; a < count; ++a) total += load<T>(accumulators + std::size_t(a) * size + i);
    store<T>(sum + i, total);
  }
}

template <class T>
void mlp_unpack_gradient(const MlpGeometry<T>& g, const MlpShape& shape, const T* accumulator, T* gradient) {
  const std::size_t width = std::size_t(g.width);
  for (int l = 0; l < g.depth; ++l) {
    const T* packed = accumulator + g.gradient_offset(l);
    const std::size_t panel = std::size_t(g.panels_in(l)) * width * width;
    T* w = gradient + shape.weight_offset(l);
    const int in = g.fan_in(l);
    for (int i = 0; i < in; ++i)
      for (int o = 0; o < g.hidden; ++o)
        *w++ = packed[std::size_t(o / g.width) * panel + std::size_t(i) * width + std::size_t(o % g.width)];
    const T* bias = packed + g.padded() * std::size_t(g.panels_in(l)) * width;
    for (int o = 0; o < g.hidden; ++o) *w++ = bias[o];
  }
  const T* out = accumulator + g.gradient_offset(g.depth);
  T* w = gradient + shape.weight_offset(g.depth);
  for (int q = 0; q < g.outputs; ++q)
    for (int i = 0; i < g.hidden; ++i) *w++ = out[std::size_t(q) * g.padded() + std::size_t(i)];
  for (int q = 0; q < g.outputs; ++q) *w++ = out[std::size_t(g.outputs) * g.padded() + std::size_t(q)];
}

template <class T>
void mlp_tile_forward(const MlpGeometry<T>& g, const detail::JetTableView<T>& jet, const T* packed,
                      const MlpTile<T>& tile) {
  with_vectors(g.vectors, [&](auto nv) {
    const std::size_t panel = std::size_t(tile.rows) * std::size_t(g.width);
    const std::size_t channel = std::size_t(tile.points) * std::size_t(g.width);
    const T* in = tile.input;
    for (int l = 0; l < g.depth; ++l) {
      T* z = tile.layer(tile.z, g, l);
      T* y = tile.layer(tile.y, g, l);
      const T* w = packed + g.layer_offset(l);
      const T* bias = packed + g.bias_offset(l);
      const int k = g.fan_in(l);
      for (int q = 0; q < g.hidden_panels; ++q) {
        const std::size_t at = std::size_t(q) * panel;
        panel_product<T, nv()>(in, panel, tile.rows, k,
                               w + std::size_t(q) * std::size_t(k) * std::size_t(g.width), bias + q * g.width,
                               tile.points, z + at);
        activation_forward_range<T>(g.activation, jet, z + at, y + at, channel, channel);
      }
      in = y;
    }
    const T* w = packed + g.layer_offset(g.depth);
    for (int q = 0; q < g.outputs; ++q)
      output_forward<T>(g, in, tile.rows, w + std::size_t(q) * g.padded(),
                        w[std::size_t(g.outputs) * g.padded() + std::size_t(q)], tile.points,
                        tile.output + q * tile.rows);
  });
}

template <class T>
void mlp_tile_backward(const MlpGeometry<T>& g, const detail::JetTableView<T>& jet, const T* packed,
                       const MlpTile<T>& tile, T* accumulator) {
  with_vectors(g.vectors, [&](auto nv) {
    const std::size_t panel = std::size_t(tile.rows) * std::size_t(g.width);
    T* out = accumulator + g.gradient_offset(g.depth);
    const T* last = tile.layer(tile.y, g, g.depth - 1);
    for (int q = 0; q < g.outputs; ++q) {
      for (int j = 0; j < g.hidden_panels; ++j)
        output_gradient<T>(g, tile, q, last + std::size_t(j) * panel,
                           out + std::size_t(q) * g.padded() + std::size_t(j * g.width));
      T sum = 0;
      for (int p = 0; p < tile.points; ++p) sum += tile.output_bar[q * tile.rows + p];
      out[std::size_t(g.outputs) * g.padded() + std::size_t(q)] += sum;
    }
    seed_last_layer<T>(g, jet, packed, tile);
    T* bar = tile.bar[0];
    T* next = tile.bar[1];
    for (int l = g.depth - 1; l >= 0; --l) {
      T* d_w = accumulator + g.gradient_offset(l);
      T* d_bias = d_w + g.padded() * std::size_t(g.panels_in(l)) * std::size_t(g.width);
      const T* in = l == 0 ? tile.input : tile.layer(tile.y, g, l - 1);
      for (int q = 0; q < g.hidden_panels; ++q) {
        const T* d = bar + std::size_t(q) * panel;
        panel_outer<T, nv()>(in, panel, d, tile.rows, g.fan_in(l), d_w, std::size_t(g.width));
        d_w += std::size_t(g.panels_in(l)) * std::size_t(g.width) * std::size_t(g.width);
        for (int i = 0; i < g.width; i += lanes<T>) {
          Vec<T> sum{};
          for (int p = 0; p < tile.points; ++p) sum += load<T>(d + std::size_t(p) * std::size_t(g.width) + i);
          T* b = d_bias + q * g.width + i;
          store<T>(b, load<T>(b) + sum);
        }
      }
      if (l > 0) backward_layer<nv()>(g, jet, packed, tile, l, bar, next);
      T* swap = bar;
      bar = next;
      next = swap;
    }
  });
}

template <class T>
void mlp_tile_jacobian(const MlpGeometry<T>& g, const detail::JetTableView<T>& jet, const MlpShape& shape,
                       const T* packed, const MlpTile<T>& tile, int count, int copies, const T* row_scale,
                       T* rows, std::size_t stride) {
  const std::size_t width = std::size_t(g.width), panel = std::size_t(tile.rows) * width;
  const int points = tile.points / copies;
  const int terms = jet.channels * copies;  // rows of the tile that belong to one point
  // Output layer.
  const T* last = tile.layer(tile.y, g, g.depth - 1);
  for (int p = 0; p < count; ++p) {
    const T scale = row_scale ? row_scale[p] : T(1);
    T* row = rows + std::size_t(p) * stride + shape.weight_offset(g.depth);
    for (int q = 0; q < g.outputs; ++q) {
      const T* seed = tile.output_bar + q * tile.rows + p;
      for (int j = 0; j < g.hidden_panels; ++j)
        for (int i = 0; i < g.width && j * g.width + i < g.hidden; i += lanes<T>) {
          Vec<T> sum{};
          for (int t = 0; t < terms; ++t)
            sum += seed[t * points] *
                   load<T>(last + std::size_t(j) * panel + std::size_t(t * points + p) * width + i);
          sum *= scale;
          T* to = row + q * g.hidden + j * g.width + i;
          const int room = g.hidden - j * g.width - i;
          if (room >= lanes<T>)
            store<T>(to, sum);
          else
            __builtin_memcpy(to, &sum, std::size_t(room) * sizeof(T));
        }
      T bias = 0;
      for (int s = 0; s < copies; ++s) bias += seed[s * points];
      row[g.outputs * g.hidden + q] = bias * scale;
    }
  }
  seed_last_layer<T>(g, jet, packed, tile);
  T* bar = tile.bar[0];
  T* next = tile.bar[1];
  for (int l = g.depth - 1; l >= 0; --l) {
    const T* in = l == 0 ? tile.input : tile.layer(tile.y, g, l - 1);
    const int fan_in = g.fan_in(l);
    for (int p = 0; p < count; ++p) {
      const Vec<T> scale = broadcast<T>(row_scale ? row_scale[p] : T(1));
      T* row = rows + std::size_t(p) * stride + shape.weight_offset(l);
      for (int q = 0; q < g.hidden_panels; ++q)
        for (int v = 0; v < g.width && q * g.width + v < g.hidden; v += lanes<T>) {
          // Scaled z̄ of this vector of neurons for each term, then one row of the weight per input.
          const T* d = bar + std::size_t(q) * panel + std::size_t(p) * width + v;
          const std::size_t step = std::size_t(points) * width;
          const int room = g.hidden - q * g.width - v;
          T* to = row + q * g.width + v;
          const auto write = [&](T* at, Vec<T> value) {
            if (room >= lanes<T>)
              store<T>(at, value);
            else
              __builtin_memcpy(at, &value, std::size_t(room) * sizeof(T));
          };
          for (int i = 0; i < fan_in; ++i) {
            const T* a =
                in + std::size_t(i / g.width) * panel + std::size_t(p) * width + std::size_t(i % g.width);
            Vec<T> sum{};
            for (int t = 0; t < terms; ++t)
              sum += a[std::size_t(t) * step] * load<T>(d + std::size_t(t) * step);
            write(to + std::size_t(i) * std::size_t(g.hidden), sum * scale);
          }
          Vec<T> bias{};
          for (int s = 0; s < copies; ++s) bias += load<T>(d + std::size_t(s) * step);
          write(to + std::size_t(fan_in) * std::size_t(g.hidden), bias * scale);
        }
    }
    if (l > 0)
      with_vectors(g.vectors, [&](auto nv) { backward_layer<nv()>(g, jet, packed, tile, l, bar, next); });
    T* swap = bar;
    bar = next;
    next = swap;
  }
}

#define SOBOLEV_INSTANTIATE(T)                                                                               \
  template MlpGeometry<T> mlp_geometry<T>(const MlpShape&);                                                  \
  template std::size_t mlp_tile_size<T>(const MlpGeometry<T>&, int, int);                                    \
  template MlpTile<T> mlp_tile<T>(const MlpGeometry<T>&, int, int, T*);                                      \
  template int mlp_tile_points<T>(const MlpGeometry<T>&, int);                                               \
  template void mlp_pack<T>(const MlpGeometry<T>&, const MlpShape&, const T*, T*);                           \
  template void mlp_sum_accumulators<T>(const T*, int, std::size_t, std::size_t, std::size_t, T*);           \
  template void mlp_unpack_gradient<T>(const MlpGeometry<T>&, const MlpShape&, const T*, T*);                \
  template void mlp_tile_forward<T>(const MlpGeometry<T>&, const detail::JetTableView<T>&, const T*,         \
                                    const MlpTile<T>&);                                                      \
  template void mlp_tile_backward<T>(const MlpGeometry<T>&, const detail::JetTableView<T>&, const T*,        \
                                     const MlpTile<T>&, T*);                                                 \
  template void mlp_tile_jacobian<T>(const MlpGeometry<T>&, const detail::JetTableView<T>&, const MlpShape&, \
                                     const T*, const MlpTile<T>&, int, int, const T*, T*, std::size_t);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE

}  // namespace sobolev::SOBOLEV_TARGET
