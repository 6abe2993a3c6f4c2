// SPDX-License-Identifier: Apache-2.0
// The network's jets over all tiles of points, by threads.
#if SOBOLEV_DISPATCHER
#include <omp.h>

#include <algorithm>

#include "kernels/network/network_shapes.hpp"
#include "kernels/network/network_tile.hpp"
#include "kernels/network/planned_network_detail.hpp"
#include "sobolev/core/buffer.hpp"
#include "sobolev/network/network.hpp"

namespace sobolev {
namespace {
constexpr std::size_t chunks = 8;  // of tiles, each with its own gradient accumulator, added in order

}  // namespace

template <class T>
struct detail::PlannedNetworkOn<T, Cpu> {
  Cpu cpu;
  Network network;
  JetSpec spec;
  JetTable<T> table;
  NetworkLayout<T> layout;
  NetworkView view;
  int points;             // of a tile
  std::size_t tile_size;  // of a thread
  Buffer<T> packed, tiles, accumulators;

  PlannedNetworkOn(const Cpu& on, const Network& n, const JetSpec& s, std::size_t, bool gradients)
      : cpu(on), network(n), spec(s), table(s), layout(n), view(layout.view()), packed(view.packed_size) {
    points = SOBOLEV_CALL(network_tile_points<T>, view, spec.channels());
    tile_size = SOBOLEV_CALL(network_tile_size<T>, view, spec.channels(), points);
    tiles = Buffer<T>(tile_size * std::size_t(cpu.threads()));
    if (gradients) accumulators = Buffer<T>(chunks * view.gradient_size);
  }

  NetworkTile<T> tile() {
    return SOBOLEV_CALL(network_tile<T>, view, spec.channels(), points,
                        tiles.data() + tile_size * std::size_t(omp_get_thread_num()));
  }
  /// Points first … of x : [K, inputs, N] into the tile; the padding repeats the last one.
  void load(const NetworkTile<T>& tile, View<const T, 3> x, std::size_t first, std::size_t count) const {
    const std::size_t width = std::size_t(view.width), n = x.extent(2);
    for (std::size_t k = 0; k < x.extent(0); ++k)
      for (std::size_t f = 0; f < x.extent(1); ++f) {
        T* to =
            tile.input + (f / width * std::size_t(tile.rows) + k * std::size_t(points)) * width + f % width;
        const T* from = x.data() + (k * x.extent(1) + f) * n + first;
        for (std::size_t p = 0; p < std::size_t(points); ++p) to[p * width] = from[std::min(p, count - 1)];
      }
  }

  void forward(View<const T, 1> parameters, View<const T, 3> x, View<T, 3> y) {
    check_network_shapes("network_forward", network, spec, parameters.size(), x.shape(), y.shape());
    SOBOLEV_CALL(network_pack<T>, view, parameters.data(), packed.data());
    const JetTableView<T> jet = table.view();
    const std::size_t n = x.extent(2), step = std::size_t(points);
#pragma omp parallel for num_threads(cpu.threads()) schedule(static)
    for (std::size_t first = 0; first < n; first += step) {
      const NetworkTile<T> t = tile();
      const std::size_t count = std::min(step, n - first);
      load(t, x, first, count);
      SOBOLEV_CALL(network_tile_forward<T>, view, jet, packed.data(), t);
      for (std::size_t k = 0; k < y.extent(0); ++k)
        for (std::size_t q = 0; q < y.extent(1); ++q)
          std::copy_n(t.output + q * std::size_t(t.rows) + k * step, count,
                      y.data() + (k * y.extent(1) + q) * n + first);
    }
  }

  void backward(View<const T, 1> parameters, View<const T, 3> x, View<const T, 3> y_bar,
                View<T, 1> gradient) {
    check_network_shapes("network_backward", network, spec, parameters.size(), x.shape(), y_bar.shape());
    require(gradient.size() == parameters.size(),
            "network_backward: the gradient's size is not the parameters'");
    SOBOLEV_CALL(network_pack<T>, view, parameters.data(), packed.data());
    const JetTableView<T> jet = table.view();
    const std::size_t n = x.extent(2), step = std::size_t(points), count_of_tiles = (n + step - 1) / step,
                      size = view.gradient_size;
#pragma omp parallel for num_threads(cpu.threads()) schedule(dynamic, 1)
    for (std::size_t c = 0; c < chunks; ++c) {
      const NetworkTile<T> t = tile();
      std::fill_n(accumulators.data() + c * size, size, T(0));
      for (std::size_t i = c * count_of_tiles / chunks; i < (c + 1) * count_of_tiles / chunks; ++i) {
        const std::size_t first = i * step, count = std::min(step, n - first);
        load(t, x, first, count);
        SOBOLEV_CALL(network_tile_forward<T>, view, jet, packed.data(), t);
        for (std::size_t k = 0; k < y_bar.extent(0); ++k)
          for (std::size_t q = 0; q < y_bar.extent(1); ++q) {
            T* to = t.output_bar + q * std::size_t(t.rows) + k * step;
            std::copy_n(y_bar.data() + (k * y_bar.extent(1) + q) * n + first, count, to);
            std::fill(to + count, to + step, T(0));
          }
        SOBOLEV_CALL(network_tile_backward<T>, view, jet, packed.data(), t, accumulators.data() + c * size);
      }
    }
    SOBOLEV_CALL(network_sum_accumulators<T>, accumulators.data(), int(chunks), size, std::size_t(0), size,
                 accumulators.data());
    SOBOLEV_CALL(network_unpack_gradient<T>, view, packed.data(), accumulators.data(), gradient.data());
  }

  std::size_t scratch_bytes() const {
    return (packed.size() + tiles.size() + accumulators.size()) * sizeof(T);
  }
};

template <class T>
void network_forward(const Cpu& cpu, const Network& network, const JetSpec& spec, View<const T, 1> parameters,
                     View<const T, 3> x, View<T, 3> y) {
  detail::PlannedNetworkOn<T, Cpu>(cpu, network, spec, x.extent(2), false).forward(parameters, x, y);
}

template <class T>
void network_backward(const Cpu& cpu, const Network& network, const JetSpec& spec,
                      View<const T, 1> parameters, View<const T, 3> x, View<const T, 3> y_bar,
                      View<T, 1> gradient) {
  detail::PlannedNetworkOn<T, Cpu>(cpu, network, spec, x.extent(2), true)
      .backward(parameters, x, y_bar, gradient);
}

SOBOLEV_INSTANTIATE(float, Cpu)
SOBOLEV_INSTANTIATE(double, Cpu)
#undef SOBOLEV_INSTANTIATE
}  // namespace sobolev
#endif
