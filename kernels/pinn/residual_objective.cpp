// SPDX-License-Identifier: Apache-2.0
// The residual objective on one tile. See residual_objective_driver_detail.hpp for the passes over all tiles.
#include "kernels/common/simd.hpp"
#include "kernels/expression/tape_tile.hpp"
#include "kernels/pinn/residual_tile.hpp"

namespace sobolev::SOBOLEV_TARGET {
using detail::NetworkTile;
using detail::NetworkView;
using detail::ResidualTile;
using detail::tile_granule_points;
namespace {
template <class T>
std::size_t scratch_size(const detail::GroupView<T>& g, int points) {
  std::size_t n = 0;
  for (int s = 0; s < g.copies; ++s) {
    const std::size_t m = features_scratch_size<T>(g.features[s], points);
    n = m > n ? m : n;
  }
  return whole_lines<T>(n) + whole_lines<T>(std::size_t(g.coordinates) * std::size_t(whole_lines<T>(points)));
}

/// Seeds the residuals' adjoints, runs the tape backwards and spreads the fields' adjoints.
template <class T>
void outputs_bar(const detail::GroupView<T>& g, const NetworkView& network, const ResidualTile<T>& t) {
  tape_reverse_tile<T>(g.tape, t.registers, t.adjoints, t.stride, t.points);
  const NetworkTile<T>& net = t.network;
  for (int i = 0; i < network.outputs * net.rows; ++i) net.output_bar[i] = 0;
  for (int f = 0; f < g.field_count; ++f) {
    const detail::FieldIndex<T>& field = g.fields[f];
    const T* bar = t.adjoints + std::size_t(g.coordinates + g.externals + f) * std::size_t(t.stride);
    for (int s = 0; s < g.copies; ++s) {
      T* out = net.output_bar + field.output * net.rows + field.channel * net.points + s * t.points;
      const T scale = field.scale * g.parity[s];
      for (int p = 0; p < t.points; ++p) out[p] += scale * bar[p];
    }
  }
}

template <class T>
void clear_adjoints(const detail::GroupView<T>& g, const ResidualTile<T>& t) {
  __builtin_memset(t.adjoints, 0, std::size_t(g.tape.registers()) * std::size_t(t.stride) * sizeof(T));
}
}  // namespace

template <class T>
int residual_tile_points(const NetworkView& network, const detail::GroupView<T>& g) {
  int points = network_tile_points<T>(network, g.jet.channels);
  while (points % g.copies != 0) points += tile_granule_points;
  return points / g.copies;
}

template <class T>
std::size_t residual_tile_size(const NetworkView& network, const detail::GroupView<T>& g) {
  const int points = residual_tile_points<T>(network, g);
  return network_tile_size<T>(network, g.jet.channels, points * g.copies) +
         2 * std::size_t(g.tape.registers()) * std::size_t(whole_lines<T>(points)) +
         scratch_size<T>(g, points);
}

template <class T>
ResidualTile<T> residual_tile(const NetworkView& network, const detail::GroupView<T>& g, T* memory) {
  ResidualTile<T> t{};
  t.points = residual_tile_points<T>(network, g);
  t.stride = whole_lines<T>(t.points);
  t.network = network_tile<T>(network, g.jet.channels, t.points * g.copies, memory);
  memory += network_tile_size<T>(network, g.jet.channels, t.points * g.copies);
  t.registers = memory;
  memory += std::size_t(g.tape.registers()) * std::size_t(t.stride);
  t.adjoints = memory;
  memory += std::size_t(g.tape.registers()) * std::size_t(t.stride);
  t.scratch = memory;
  return t;
}

template <class T>
std::size_t residual_features_size(const NetworkView& network, const detail::GroupView<T>& g) {
  return whole_lines<T>(std::size_t(g.jet.channels * residual_tile_points<T>(network, g) * g.copies) *
                        network.input_columns);
}

template <class T>
void residual_features(const detail::GroupView<T>& g, const NetworkView& network, const ResidualTile<T>& t,
                       std::size_t first, int count) {
  const NetworkTile<T>& net = t.network;
  __builtin_memset(net.input, 0, std::size_t(net.rows) * network.input_columns * sizeof(T));
  T* columns = t.scratch;
  for (int d = 0; d < g.coordinates; ++d)
    for (int p = 0; p < t.stride; ++p)
      columns[d * t.stride + p] =
          g.x[std::size_t(d) * g.points + first + std::size_t(p < count ? p : count - 1)];
  T* scratch = columns + whole_lines<T>(std::size_t(g.coordinates) * std::size_t(t.stride));
  for (int s = 0; s < g.copies; ++s)
    features_tile<T>(g.features[s], columns, std::size_t(t.stride), t.points,
                     net.input + std::size_t(s * t.points) * std::size_t(network.width), network.width,
                     std::size_t(net.rows) * std::size_t(network.width), net.points, network.width, scratch);
}

template <class T>
void residual_forward(const detail::GroupView<T>& g, const NetworkView& network, const T* packed,
                      const ResidualTile<T>& t, const T* input, std::size_t first, int count) {
  NetworkTile<T> net = t.network;
  net.input = const_cast<T*>(input);
  network_tile_forward<T>(network, g.jet, packed, net);
  const auto column = [&](const T* source, int row) {
    T* to = t.registers + std::size_t(row) * std::size_t(t.stride);
    for (int p = 0; p < t.stride; ++p) to[p] = source[first + std::size_t(p < count ? p : count - 1)];
  };
  for (int d = 0; d < g.coordinates; ++d) column(g.x + std::size_t(d) * g.points, d);
  for (int e = 0; e < g.externals; ++e) column(g.external + std::size_t(e) * g.points, g.coordinates + e);
  for (int f = 0; f < g.field_count; ++f) {
    const detail::FieldIndex<T>& field = g.fields[f];
    T* to = t.registers + std::size_t(g.coordinates + g.externals + f) * std::size_t(t.stride);
    const T* from = net.output + field.output * net.rows + field.channel * net.points;
    for (int p = 0; p < t.points; ++p) {
      T sum = 0;
      for (int s = 0; s < g.copies; ++s) sum += g.parity[s] * from[s * t.points + p];
      to[p] = field.scale * sum;
    }
    for (int p = t.points; p < t.stride; ++p) to[p] = to[t.points - 1];
  }
  tape_forward_tile<T>(g.tape, t.registers, t.stride, t.points);
}

template <class T>
double residual_loss(const detail::GroupView<T>& g, const ResidualTile<T>& t, std::size_t first, int count,
                     bool unit) {
  double loss = 0;
  for (int e = 0; e < g.residuals; ++e) {
    const T* r = t.registers + std::size_t(g.tape.outputs[e]) * std::size_t(t.stride);
    double sum = 0;
    for (int p = 0; p < count; ++p)
      sum += double(r[p]) * double(r[p]) *
             (g.point_weight ? double(g.point_weight[first + std::size_t(p)]) : 1.0);
    loss += unit ? sum : sum * double(g.weight[e]);
  }
  return loss;
}

template <class T>
void residual_store(const detail::GroupView<T>& g, const ResidualTile<T>& t, std::size_t first, int count,
                    T* r, std::size_t r_stride) {
  for (int e = 0; e < g.residuals; ++e) {
    const T* from = t.registers + std::size_t(g.tape.outputs[e]) * std::size_t(t.stride);
    for (int p = 0; p < count; ++p) r[std::size_t(e) * r_stride + first + std::size_t(p)] = from[p];
  }
}

template <class T>
void residual_backward(const detail::GroupView<T>& g, const NetworkView& network, const T* packed,
                       const ResidualTile<T>& t, const T* input, std::size_t first, int count, T factor,
                       const T* seeds, std::size_t seed_stride, T* accumulator) {
  clear_adjoints<T>(g, t);
  for (int e = 0; e < g.residuals; ++e) {
    const std::size_t row = std::size_t(g.tape.outputs[e]) * std::size_t(t.stride);
    for (int p = 0; p < count; ++p) {
      const std::size_t n = first + std::size_t(p);
      const T weight = g.weight[e] * (g.point_weight ? g.point_weight[n] : T(1));
      t.adjoints[row + std::size_t(p)] += seeds ? seeds[std::size_t(e) * seed_stride + n]
                                                : 2 * factor * weight * t.registers[row + std::size_t(p)];
    }
  }
  outputs_bar<T>(g, network, t);
  NetworkTile<T> net = t.network;
  net.input = const_cast<T*>(input);
  network_tile_backward<T>(network, g.jet, packed, net, accumulator);
}

template <class T>
void residual_jacobian(const detail::GroupView<T>& g, const NetworkView& network, const T* packed,
                       const ResidualTile<T>& t, const T* input, std::size_t first, int count, T factor,
                       T* rows, std::size_t stride, T* values) {
  NetworkTile<T> net = t.network;
  net.input = const_cast<T*>(input);
  T scale[4 * 32 * tile_granule_points];
  for (int e = 0; e < g.residuals; ++e) {
    clear_adjoints<T>(g, t);
    const std::size_t row = std::size_t(g.tape.outputs[e]) * std::size_t(t.stride);
    for (int p = 0; p < count; ++p) {
      t.adjoints[row + std::size_t(p)] = 1;
      const T weight = g.weight[e] * (g.point_weight ? g.point_weight[first + std::size_t(p)] : T(1));
      scale[p] = square_root(factor * weight);
      values[e * count + p] = scale[p] * t.registers[row + std::size_t(p)];
    }
    outputs_bar<T>(g, network, t);
    network_tile_jacobian<T>(network, g.jet, packed, net, count, g.copies, scale,
                             rows + std::size_t(e * count) * stride, stride);
  }
}

#define SOBOLEV_INSTANTIATE(T)                                                                               \
  template int residual_tile_points<T>(const NetworkView&, const detail::GroupView<T>&);                     \
  template std::size_t residual_tile_size<T>(const NetworkView&, const detail::GroupView<T>&);               \
  template ResidualTile<T> residual_tile<T>(const NetworkView&, const detail::GroupView<T>&, T*);            \
  template std::size_t residual_features_size<T>(const NetworkView&, const detail::GroupView<T>&);           \
  template void residual_features<T>(const detail::GroupView<T>&, const NetworkView&,                        \
                                     const ResidualTile<T>&, std::size_t, int);                              \
  template void residual_forward<T>(const detail::GroupView<T>&, const NetworkView&, const T*,               \
                                    const ResidualTile<T>&, const T*, std::size_t, int);                     \
  template double residual_loss<T>(const detail::GroupView<T>&, const ResidualTile<T>&, std::size_t, int,    \
                                   bool);                                                                    \
  template void residual_store<T>(const detail::GroupView<T>&, const ResidualTile<T>&, std::size_t, int, T*, \
                                  std::size_t);                                                              \
  template void residual_backward<T>(const detail::GroupView<T>&, const NetworkView&, const T*,              \
                                     const ResidualTile<T>&, const T*, std::size_t, int, T, const T*,        \
                                     std::size_t, T*);                                                       \
  template void residual_jacobian<T>(const detail::GroupView<T>&, const NetworkView&, const T*,              \
                                     const ResidualTile<T>&, const T*, std::size_t, int, T, T*, std::size_t, \
                                     T*);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE
}  // namespace sobolev::SOBOLEV_TARGET
