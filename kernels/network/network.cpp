// SPDX-License-Identifier: Apache-2.0
// A network with its jets, forward and backward, tile by tile.
//                                                       x : [K, inputs, N], y : [K, outputs, N]
// Threads take tiles of 24 to 96 points; a tile's rows are channel · point, its columns features.
// FLOPs: 2·N·K·Σ in·out forward, twice that again backward; bytes from memory: only x and y, so the
// FMA units are the limit: 92–98 % of their peak in the products alone, about 90 % with activations.
#include "kernels/network/network_steps_detail.hpp"

namespace sobolev::SOBOLEV_TARGET {
using detail::tile_granule_points;
namespace {
using Kind = Instruction::Kind;

/// One output on all rows: out[r] = Σ_i y[r][i] w[i] (+ bias on rows < bias_rows).
template <class T>
void output_forward(const TileSlots<T>& at, int slot, const T* w, T bias, T* out) {
  const T* y = at.y(slot);
  for (int r = 0; r < at.tile.rows; ++r) {
    Vec<T> sum{};
    for (int q = 0; q < at.slot(slot).panels; ++q) {
      const T* row = y + (std::size_t(q) * at.rows() + std::size_t(r)) * at.width();
      for (int i = 0; i < at.net.width; i += lanes<T>)
        sum += load<T>(row + i) * load<T>(w + q * at.net.width + i);
    }
    out[r] = sum_lanes<T>(sum) + (r < at.tile.points ? bias : T(0));
  }
}

/// d_w[i] += Σ_r out_bar[r] y[r][i] for one output and panel.
template <class T>
void output_gradient(const TileSlots<T>& at, const T* seed, const T* y, T* d_w) {
  for (int i = 0; i < at.net.width; i += lanes<T>) {
    Vec<T> even{}, odd{};  // rows are a multiple of 2
    for (int r = 0; r < at.tile.rows; r += 2) {
      even += seed[r] * load<T>(y + std::size_t(r) * at.width() + i);
      odd += seed[r + 1] * load<T>(y + std::size_t(r + 1) * at.width() + i);
    }
    store<T>(d_w + i, load<T>(d_w + i) + (even + odd));
  }
}

template <int nv, class T>
void forward_step(const TileSlots<T>& at, const detail::JetTableView<T>& jet, const T* packed,
                  const StepLayout& step) {
  const std::size_t panel = at.panel(), channel = at.channel();
  const int x = step.in[0];
  switch (step.kind) {
    case Kind::dense:
      for (int q = 0; q < at.slot(step.out).panels; ++q) {
        const std::size_t begin = std::size_t(q) * panel;
        panel_product<T, nv>(at.y(x), panel, at.tile.rows, step.fan_in,
                             packed + step.packed + std::size_t(q) * std::size_t(step.fan_in) * at.width(),
                             packed + step.packed_bias + q * at.net.width, at.tile.points,
                             at.z(step.out) + begin);
        activation_forward_range<T>(step.activation, jet, at.z(step.out) + begin, at.y(step.out) + begin,
                                    channel, channel);
      }
      return;
    case Kind::gaussian:
      if (!summed_gaussians<T>(at, jet, packed, step.out).axes.coordinates)
        gaussian_forward<T>(at, jet, step, gaussian_panels<T>(at, jet, step, packed));
      return;
    case Kind::gate:
      for (int q = 0; q < at.slot(step.out).panels; ++q) {
        const std::size_t begin = std::size_t(q) * panel;
        gate_forward_range<T>(jet, at.y(x) + begin, at.y(step.in[1]) + begin, at.y(step.in[2]) + begin,
                              at.y(step.out) + begin, channel, channel);
      }
      return;
    case Kind::blend: {
      const T alpha = packed[step.packed];
      const T *z = at.y(x), *other = at.y(step.in[1]);
      T* y = at.y(step.out);
      for (std::size_t i = 0; i < panel * std::size_t(at.slot(step.out).panels); i += lanes<T>)
        store<T>(y + i, alpha * load<T>(z + i) + (T(1) - alpha) * load<T>(other + i));
      return;
    }
    case Kind::output:
      if (const detail::GaussianPanel<T> summed = summed_gaussians<T>(at, jet, packed, x);
          summed.axes.coordinates) {
        gaussian_sum_forward_range<T>(jet, summed, at.slot(x).panels, packed + step.packed,
                                      packed[step.packed_bias], at.y(x),
                                      at.tile.output + step.out * at.tile.rows);
        return;
      }
      for (int q = 0; q < step.fan_out; ++q)
        output_forward<T>(at, x, packed + step.packed + std::size_t(q) * at.slot(x).padded,
                          packed[step.packed_bias + std::size_t(q)],
                          at.tile.output + (step.out + q) * at.tile.rows);
      return;
  }
}

/// The gradient of a step's own parameters.
template <int nv, class T>
void step_gradient(const TileSlots<T>& at, const detail::JetTableView<T>& jet, const T* packed,
                   const StepLayout& step, T* accumulator) {
  const std::size_t panel = at.panel(), width = at.width();
  const int x = step.in[0], points = at.tile.points;
  T* d_w = accumulator + step.gradient;
  T* d_bias = accumulator + step.gradient_bias;
  switch (step.kind) {
    case Kind::output:
      for (int q = 0; q < step.fan_out; ++q) {
        const T* seed = at.tile.output_bar + (step.out + q) * at.tile.rows;
        for (int j = 0; j < at.slot(x).panels; ++j)
          output_gradient<T>(at, seed, at.y(x) + std::size_t(j) * panel,
                             d_w + std::size_t(q) * at.slot(x).padded + std::size_t(j) * width);
        T sum = 0;
        for (int p = 0; p < points; ++p) sum += seed[p];
        d_bias[q] += sum;
      }
      return;
    case Kind::dense:
      for (int q = 0; q < at.slot(step.out).panels; ++q) {
        const T* d = at.bar(step.out) + std::size_t(q) * panel;
        panel_outer<T, nv>(at.y(x), panel, d, at.tile.rows, step.fan_in, d_w, width);
        d_w += at.slot(x).padded * width;
        for (int i = 0; i < at.net.width; i += lanes<T>) {
          Vec<T> sum{};
          for (int p = 0; p < points; ++p) sum += load<T>(d + std::size_t(p) * width + i);
          T* b = d_bias + q * at.net.width + i;
          store<T>(b, load<T>(b) + sum);
        }
      }
      return;
    case Kind::gaussian: {
      const detail::GaussianPanel<T> first = gaussian_panels<T>(at, jet, step, packed);
      for (int q = 0; q < at.slot(step.out).panels; ++q) {
        const std::size_t begin = std::size_t(q) * std::size_t(step.fan_in) * width;
        gaussian_gradient_range<T>(
            jet, panel_of<T>(first, q), at.bar(step.out) + std::size_t(q) * panel, d_w + begin,
            d_bias + begin,
            accumulator + step.gradient_shear + std::size_t(q) * std::size_t(step.shears) * width);
      }
      return;
    }
    case Kind::blend: {
      const T *z = at.y(x), *other = at.y(step.in[1]), *bar = at.bar(step.out);
      Vec<T> sum{};
      for (std::size_t i = 0; i < panel * std::size_t(at.slot(step.out).panels); i += lanes<T>)
        sum += load<T>(bar + i) * (load<T>(z + i) - load<T>(other + i));
      d_w[0] += sum_lanes<T>(sum);
      return;
    }
    case Kind::gate: return;
  }
}

/// The gradient of an output that sums Gaussians and of these. Says whether the step is one of the two.
template <class T>
bool summed_gradient(const TileSlots<T>& at, const detail::JetTableView<T>& jet, const T* packed,
                     const StepLayout& step, T* accumulator) {
  const bool output = step.kind == Kind::output;
  if (!output && step.kind != Kind::gaussian) return false;
  const int slot = output ? step.in[0] : step.out;
  const detail::GaussianPanel<T> summed = summed_gaussians<T>(at, jet, packed, slot);
  if (!summed.axes.coordinates) return false;
  if (!output) return true;  // the output's turn came before
  int from = 0;
  while (at.net.steps[from].kind != Kind::gaussian || at.net.steps[from].out != slot) ++from;
  const StepLayout& gaussians = at.net.steps[from];
  const T* seed = at.tile.output_bar + step.out * at.tile.rows;
  gaussian_sum_gradient_range<T>(jet, summed, at.slot(slot).panels, packed + step.packed, at.y(slot), seed,
                                 accumulator + step.gradient, accumulator + gaussians.gradient,
                                 accumulator + gaussians.gradient_bias);
  T sum = 0;
  for (int p = 0; p < at.tile.points; ++p) sum += seed[p];
  accumulator[step.gradient_bias] += sum;
  return true;
}
}  // namespace

template <class T>
int network_lanes() {
  return lanes<T>;
}

template <class T>
std::size_t network_tile_size(const NetworkView& net, int channels, int points) {
  const std::size_t rows = std::size_t(channels) * std::size_t(points);
  return whole_lines<T>(rows * net.input_columns) + rows * (net.columns + net.scratch_columns) +
         2 * whole_lines<T>(rows * std::size_t(net.outputs));
}

template <class T>
NetworkTile<T> network_tile(const NetworkView& net, int channels, int points, T* memory) {
  NetworkTile<T> tile{};
  tile.points = points;
  tile.rows = channels * points;
  const std::size_t rows = std::size_t(tile.rows);
  const auto take = [&](std::size_t n) {
    T* p = memory;
    memory += n;
    return p;
  };
  tile.input = take(whole_lines<T>(rows * net.input_columns));
  tile.slots = take(rows * net.columns);
  tile.scratch = take(rows * net.scratch_columns);
  tile.output = take(whole_lines<T>(rows * std::size_t(net.outputs)));
  tile.output_bar = take(whole_lines<T>(rows * std::size_t(net.outputs)));
  return tile;
}

template <class T>
int network_tile_points(const NetworkView& net, int channels) {
  constexpr std::size_t budget = 320 * 1024;
  int points = tile_granule_points;
  while (points < 4 * tile_granule_points &&
         network_tile_size<T>(net, channels, points + tile_granule_points) * sizeof(T) <= budget)
    points += tile_granule_points;
  return points;
}

template <class T>
void network_tile_forward(const NetworkView& net, const detail::JetTableView<T>& jet, const T* packed,
                          const NetworkTile<T>& tile) {
  const TileSlots<T> at{net, tile};
  with_vectors(net.vectors, [&](auto nv) {
    for (int i = 0; i < net.step_count; ++i) forward_step<nv(), T>(at, jet, packed, net.steps[i]);
  });
}

template <class T>
void network_tile_backward(const NetworkView& net, const detail::JetTableView<T>& jet, const T* packed,
                           const NetworkTile<T>& tile, T* accumulator) {
  const TileSlots<T> at{net, tile};
  with_vectors(net.vectors, [&](auto nv) {
    for (int i = net.step_count - 1; i >= 0; --i) {
      if (summed_gradient<T>(at, jet, packed, net.steps[i], accumulator)) continue;
      step_gradient<nv(), T>(at, jet, packed, net.steps[i], accumulator);
      propagate_step<T>(at, jet, packed, net.steps[i]);
    }
  });
}

#define SOBOLEV_INSTANTIATE(T)                                                                         \
  template int network_lanes<T>();                                                                     \
  template std::size_t network_tile_size<T>(const NetworkView&, int, int);                             \
  template NetworkTile<T> network_tile<T>(const NetworkView&, int, int, T*);                           \
  template int network_tile_points<T>(const NetworkView&, int);                                        \
  template void network_tile_forward<T>(const NetworkView&, const detail::JetTableView<T>&, const T*,  \
                                        const NetworkTile<T>&);                                        \
  template void network_tile_backward<T>(const NetworkView&, const detail::JetTableView<T>&, const T*, \
                                         const NetworkTile<T>&, T*);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE

}  // namespace sobolev::SOBOLEV_TARGET
