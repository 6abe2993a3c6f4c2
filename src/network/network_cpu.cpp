// SPDX-License-Identifier: Apache-2.0
// The network's jets over all tiles of points, by threads.
#include <omp.h>

#include <algorithm>

#include "kernels/network/network_shapes.hpp"
#include "kernels/network/network_tile.hpp"
#include "sobolev/core/buffer.hpp"
#include "sobolev/network/network.hpp"

namespace sobolev {
namespace {
constexpr std::size_t chunks = 8;  // of tiles, each with its own gradient accumulator, added in order

/// The network's packed weights and every thread's tile.
template <class T>
struct Tiles {
  detail::JetTable<T> table;
  detail::NetworkLayout<T> layout;
  detail::NetworkView view;
  Buffer<T> packed, memory;
  std::size_t tile_size;
  int points;

  Tiles(const Cpu& cpu, const Network& network, const JetSpec& spec, View<const T, 1> parameters)
      : table(spec), layout(network), view(layout.view()), packed(view.packed_size) {
    SOBOLEV_CALL(network_pack<T>, view, parameters.data(), packed.data());
    points = SOBOLEV_CALL(network_tile_points<T>, view, spec.channels());
    tile_size = SOBOLEV_CALL(network_tile_size<T>, view, spec.channels(), points);
    memory = Buffer<T>(tile_size * std::size_t(cpu.threads()));
  }
  detail::NetworkTile<T> tile(int channels) {
    return SOBOLEV_CALL(network_tile<T>, view, channels, points,
                        memory.data() + tile_size * std::size_t(omp_get_thread_num()));
  }
  /// Points first … of x : [K, inputs, N] into the tile; the padding repeats the last one.
  void load(const detail::NetworkTile<T>& tile, View<const T, 3> x, std::size_t first,
            std::size_t count) const {
    const std::size_t width = std::size_t(view.width), n = x.extent(2);
    for (std::size_t k = 0; k < x.extent(0); ++k)
      for (std::size_t f = 0; f < x.extent(1); ++f) {
        T* to =
            tile.input + (f / width * std::size_t(tile.rows) + k * std::size_t(points)) * width + f % width;
        const T* from = x.data() + (k * x.extent(1) + f) * n + first;
        for (std::size_t p = 0; p < std::size_t(points); ++p) to[p * width] = from[std::min(p, count - 1)];
      }
  }
};

}  // namespace

template <class T>
void network_forward(const Cpu& cpu, const Network& network, const JetSpec& spec, View<const T, 1> parameters,
                     View<const T, 3> x, View<T, 3> y) {
  detail::check_network_shapes("network_forward", network, spec, parameters.size(), x.shape(), y.shape());
  Tiles<T> tiles(cpu, network, spec, parameters);
  const detail::JetTableView<T> jet = tiles.table.view();
  const std::size_t n = x.extent(2), step = std::size_t(tiles.points);
#pragma omp parallel for num_threads(cpu.threads()) schedule(static)
  for (std::size_t first = 0; first < n; first += step) {
    const detail::NetworkTile<T> tile = tiles.tile(spec.channels());
    const std::size_t count = std::min(step, n - first);
    tiles.load(tile, x, first, count);
    SOBOLEV_CALL(network_tile_forward<T>, tiles.view, jet, tiles.packed.data(), tile);
    for (std::size_t k = 0; k < y.extent(0); ++k)
      for (std::size_t q = 0; q < y.extent(1); ++q)
        std::copy_n(tile.output + q * std::size_t(tile.rows) + k * step, count,
                    y.data() + (k * y.extent(1) + q) * n + first);
  }
}

template <class T>
void network_backward(const Cpu& cpu, const Network& network, const JetSpec& spec,
                      View<const T, 1> parameters, View<const T, 3> x, View<const T, 3> y_bar,
                      View<T, 1> gradient) {
  detail::check_network_shapes("network_backward", network, spec, parameters.size(), x.shape(),
                               y_bar.shape());
  require(gradient.size() == parameters.size(),
          "network_backward: the gradient's size is not the parameters'");
  Tiles<T> tiles(cpu, network, spec, parameters);
  const detail::JetTableView<T> jet = tiles.table.view();
  const std::size_t n = x.extent(2), step = std::size_t(tiles.points), count_of_tiles = (n + step - 1) / step,
                    size = tiles.view.gradient_size;
  Buffer<T> accumulators(chunks * size);
#pragma omp parallel for num_threads(cpu.threads()) schedule(dynamic, 1)
  for (std::size_t c = 0; c < chunks; ++c) {
    const detail::NetworkTile<T> tile = tiles.tile(spec.channels());
    for (std::size_t i = c * count_of_tiles / chunks; i < (c + 1) * count_of_tiles / chunks; ++i) {
      const std::size_t first = i * step, count = std::min(step, n - first);
      tiles.load(tile, x, first, count);
      SOBOLEV_CALL(network_tile_forward<T>, tiles.view, jet, tiles.packed.data(), tile);
      for (std::size_t k = 0; k < y_bar.extent(0); ++k)
        for (std::size_t q = 0; q < y_bar.extent(1); ++q) {
          T* to = tile.output_bar + q * std::size_t(tile.rows) + k * step;
          std::copy_n(y_bar.data() + (k * y_bar.extent(1) + q) * n + first, count, to);
          std::fill(to + count, to + step, T(0));
        }
      SOBOLEV_CALL(network_tile_backward<T>, tiles.view, jet, tiles.packed.data(), tile,
                   accumulators.data() + c * size);
    }
  }
  SOBOLEV_CALL(network_sum_accumulators<T>, accumulators.data(), int(chunks), size, std::size_t(0), size,
               accumulators.data());
  SOBOLEV_CALL(network_unpack_gradient<T>, tiles.view, tiles.packed.data(), accumulators.data(),
               gradient.data());
}

template void network_forward<float>(const Cpu&, const Network&, const JetSpec&, View<const float, 1>,
                                     View<const float, 3>, View<float, 3>);
template void network_forward<double>(const Cpu&, const Network&, const JetSpec&, View<const double, 1>,
                                      View<const double, 3>, View<double, 3>);
template void network_backward<float>(const Cpu&, const Network&, const JetSpec&, View<const float, 1>,
                                      View<const float, 3>, View<const float, 3>, View<float, 1>);
template void network_backward<double>(const Cpu&, const Network&, const JetSpec&, View<const double, 1>,
                                       View<const double, 3>, View<const double, 3>, View<double, 1>);
}  // namespace sobolev
