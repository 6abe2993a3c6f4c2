// SPDX-License-Identifier: Apache-2.0
#pragma once
// The fused step on the CPU: passes over all tiles. Work is cut into a number of chunks that depends on the
// network only; each chunk is done by one thread, in order, and chunks are added in order.
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernels/common/threads.hpp"
#include "kernels/linalg/symmetric_detail.hpp"
#include "kernels/pinn/residual_objective_detail.hpp"
#include "kernels/pinn/residual_tile.hpp"
#include "sobolev/core/buffer.hpp"

namespace sobolev::detail {
inline constexpr std::size_t features_budget = 24u << 20;  // bytes of features kept between passes, per group

template <class T>
struct Group {
  ResidualGroup spec;
  JetTable<T> jet;
  std::vector<FeatureTable<T>> features;  // one per mirrored copy
  std::vector<FeatureView<T>> feature_views;
  std::vector<T> parity;
  std::vector<FieldIndex<T>> fields;
  std::vector<T> weights;
  Buffer<T> x, external, point_weight, kept_features;
  std::size_t points = 0;
  std::vector<std::size_t> offsets;  // of slices; {0, N} without causal weights
  double epsilon = 0;
  bool causal = false;
  bool features_due = false;  // those kept are not yet of these points
  std::vector<double> slice_weights;
  int evaluated = 0;

  Group(ResidualGroup s, const Features& f, const std::vector<Symmetry>& symmetry)
      : spec(std::move(s)), jet(spec.jet) {
    for (const MirroredCopy& copy : mirrored_copies(symmetry)) {
      features.emplace_back(f, spec.jet, copy.mirror);
      parity.push_back(T(copy.parity));
    }
    for (const auto& table : features) feature_views.push_back(table.view());
    fields = field_indices<T>(spec);
    for (double w : spec.weights) weights.push_back(T(w));
  }

  GroupView<T> view(const T* use_weights) const {
    return {{int(parity.size()), fields.data(), int(fields.size()), spec.externals,
             feature_views[0].coordinates, int(spec.tape.outputs.size()), TapeView(spec.tape), points,
             x.data(), external.data(), point_weight.empty() ? nullptr : point_weight.data(), use_weights},
            jet.view(),
            feature_views.data(),
            parity.data()};
  }
  GroupView<T> view() const { return view(weights.data()); }
};

/// A run of tiles: points [first, last) of one slice, cut into tiles of `size`.
struct TileRange {
  std::size_t first, last, size;
  std::size_t tiles() const { return (last - first + size - 1) / size; }
  std::size_t begin(std::size_t i) const { return first + i * size; }
  int count(std::size_t i) const { return int(std::min(size, last - begin(i))); }
};

template <class T>
struct ResidualObjectiveOn<T, Cpu> {
  Cpu cpu;
  Network network;
  Features features;
  std::vector<Symmetry> symmetry;
  NetworkLayout<T> layout;
  NetworkView net;
  std::vector<Group<T>> groups;
  std::size_t chunks = 1;
  bool held = false;
  Buffer<T> packed, accumulators, tiles;
  std::size_t tile_elements = 0;
  std::vector<double> chunk_loss, chunk_unit;  // of a slice; unit: with weights 1
  std::unique_ptr<SymmetricUpdate<T>> update;
  Buffer<T> matrix, rows, values;

  ResidualObjectiveOn(const Cpu& c, Network n, const Features& f, std::vector<Symmetry> s)
      : cpu(c),
        network(std::move(n)),
        features(f),
        symmetry(std::move(s)),
        layout(network),
        net(layout.view()) {
    check_network(network, features);
    packed = Buffer<T>(net.packed_size);
    const std::size_t bytes = net.gradient_size * sizeof(T);
    chunks = std::clamp<std::size_t>((16u << 20) / bytes, 2, 16);
    accumulators = Buffer<T>(chunks * net.gradient_size);
    chunk_loss.resize(chunks);
    chunk_unit.resize(chunks);
  }

  const Cpu& executor() const { return cpu; }
  Group<T>& at(int g) {
    check_group_index(g, groups.size());
    return groups[std::size_t(g)];
  }
  const Group<T>& at(int g) const {
    check_group_index(g, groups.size());
    return groups[std::size_t(g)];
  }

  /// What every pass begins with.
  void enter(View<const T, 1> parameters) {
    check_parameters(parameters.size(), network.parameters());
    for (auto& g : groups)
      if (std::exchange(g.features_due, false)) keep_features(g);
    SOBOLEV_CALL(network_pack<T>, net, parameters.data(), packed.data());
  }

  /// Every thread's tile buffers are large enough for all groups.
  void size_tiles() {
    std::size_t n = 0;
    for (const auto& g : groups) n = std::max(n, SOBOLEV_CALL(residual_tile_size<T>, net, g.view()));
    n = (n + 63) / 64 * 64;
    if (n > tile_elements) {
      tile_elements = n;
      tiles = Buffer<T>(n * std::size_t(cpu.threads()));
    }
  }
  ResidualTile<T> tile(const GroupView<T>& view) {
    return SOBOLEV_CALL(residual_tile<T>, net, view,
                        tiles.data() + tile_elements * std::size_t(omp_get_thread_num()));
  }

  TileRange range(const Group<T>& g, const GroupView<T>& view, std::size_t slice) const {
    return {g.offsets[slice], g.offsets[slice + 1],
            std::size_t(SOBOLEV_CALL(residual_tile_points<T>, net, view))};
  }
  /// Number of the first tile of a slice among the kept features.
  std::size_t first_tile(const Group<T>& g, const GroupView<T>& view, std::size_t slice) const {
    std::size_t n = 0;
    for (std::size_t s = 0; s < slice; ++s) n += range(g, view, s).tiles();
    return n;
  }

  void keep_features(Group<T>& g) {
    const auto view = g.view();
    const std::size_t size = SOBOLEV_CALL(residual_features_size<T>, net, view);
    const std::size_t slices = g.offsets.size() - 1, tiles_total = first_tile(g, view, slices);
    if (tiles_total * size * sizeof(T) > features_budget) {
      g.kept_features = Buffer<T>();
      return;
    }
    if (g.kept_features.size() != tiles_total * size) g.kept_features = Buffer<T>(tiles_total * size);
    std::size_t number = 0;
    for (std::size_t s = 0; s < slices; ++s) {
      const TileRange r = range(g, view, s);
#pragma omp parallel for num_threads(cpu.threads()) schedule(static)
      for (std::size_t i = 0; i < r.tiles(); ++i) {
        ResidualTile<T> t = tile(view);
        t.network.input = g.kept_features.data() + (number + i) * size;
        SOBOLEV_CALL(residual_features<T>, view, net, t, r.begin(i), r.count(i));
      }
      number += r.tiles();
    }
  }

  /// The features of a tile: kept ones, or made in the tile's own buffer.
  const T* input(const Group<T>& g, const GroupView<T>& view, const ResidualTile<T>& t, std::size_t number,
                 std::size_t first, int count) const {
    if (!g.kept_features.empty())
      return g.kept_features.data() + number * SOBOLEV_CALL(residual_features_size<T>, net, view);
    SOBOLEV_CALL(residual_features<T>, view, net, t, first, count);
    return t.network.input;
  }

  void clear_accumulators() {
    const std::size_t size = net.gradient_size;
    const int threads = detail::threads_for(cpu, double(chunks * size));
#pragma omp parallel for num_threads(threads) schedule(static)
    for (std::size_t c = 0; c < chunks; ++c) std::fill_n(accumulators.data() + c * size, size, T(0));
  }
  void reduce(View<T, 1> gradient) {
    check_parameters(gradient.size(), network.parameters());
    const std::size_t size = net.gradient_size, part = 4096;
    const int threads = detail::threads_for(cpu, double(chunks * size));
#pragma omp parallel for num_threads(threads) schedule(static)
    for (std::size_t i = 0; i < size; i += part)
      SOBOLEV_CALL(network_sum_accumulators<T>, accumulators.data(), int(chunks), size, i,
                   std::min(size, i + part), accumulators.data());
    SOBOLEV_CALL(network_unpack_gradient<T>, net, packed.data(), accumulators.data(), gradient.data());
  }

  /// Threads for `points` of a group: operations of a forward pass, the least that is done with them.
  int pass_threads(const GroupView<T>& view, std::size_t points) const {
    return detail::threads_for(cpu, 2.0 * double(view.jet.channels) * double(network.parameters()) *
                                        double(view.copies) * double(points));
  }

  /// Runs body(chunk, tile buffers, number of the tile, first point, count) over a slice, chunk by chunk.
  template <class Body>
  void for_tiles(const Group<T>& g, const GroupView<T>& view, std::size_t slice, Body&& body) {
    const TileRange r = range(g, view, slice);
    const std::size_t n = r.tiles(), base = first_tile(g, view, slice);
    const int threads = pass_threads(view, r.last - r.first);
#pragma omp parallel num_threads(threads)
    {
      const ResidualTile<T> t = tile(view);
#pragma omp for schedule(dynamic, 1)
      for (std::size_t c = 0; c < chunks; ++c)
        for (std::size_t i = c * n / chunks; i < (c + 1) * n / chunks; ++i)
          body(c, t, base + i, r.begin(i), r.count(i));
    }
  }

  /// One pass over a group: forward, loss, and where `gradient` the way back. Returns Σ w v r².
  double pass(Group<T>& g, bool gradient) {
    const auto view = g.view();
    if (g.points == 0) return 0;
    const std::size_t slices = g.offsets.size() - 1;
    const bool fresh = g.causal && !held;
    if (fresh || g.slice_weights.size() != slices) g.slice_weights.assign(slices, 1.0);
    const double negligible = double(std::numeric_limits<T>::epsilon()) * 1e-10;
    double loss = 0, exponent = 0;
    g.evaluated = 0;
    for (std::size_t s = 0; s < slices; ++s) {
      if (fresh) g.slice_weights[s] = std::exp(-g.epsilon * exponent);
      const double weight = g.slice_weights[s];
      if (weight < negligible) {
        std::fill(g.slice_weights.begin() + std::ptrdiff_t(s), g.slice_weights.end(), 0.0);
        break;
      }
      std::fill(chunk_loss.begin(), chunk_loss.end(), 0.0);
      std::fill(chunk_unit.begin(), chunk_unit.end(), 0.0);
      for_tiles(
          g, view, s,
          [&](std::size_t c, const ResidualTile<T>& t, std::size_t number, std::size_t first, int count) {
            const T* in = input(g, view, t, number, first, count);
            SOBOLEV_CALL(residual_forward<T>, view, net, packed.data(), t, in, first, count);
            chunk_loss[c] += SOBOLEV_CALL(residual_loss<T>, view, t, first, count, false);
            if (g.causal) chunk_unit[c] += SOBOLEV_CALL(residual_loss<T>, view, t, first, count, true);
            if (gradient)
              SOBOLEV_CALL(residual_backward<T>, view, net, packed.data(), t, in, first, count, T(weight),
                           static_cast<const T*>(nullptr), std::size_t(0),
                           accumulators.data() + c * net.gradient_size);
          });
      ++g.evaluated;
      loss += weight * std::accumulate(chunk_loss.begin(), chunk_loss.end(), 0.0);
      exponent += std::accumulate(chunk_unit.begin(), chunk_unit.end(), 0.0) /
                  double(std::max<std::size_t>(1, g.offsets[s + 1] - g.offsets[s]));
    }
    return loss;
  }

  /// Rows of the Jacobian of all groups one after another in blocks of about SymmetricUpdate::block_rows,
  /// with their weighted residuals in `values`: all threads call consume(rows) for each. residuals_out : [M]
  /// gets the residuals themselves, unless it is null.
  template <class Body>
  void for_jacobian_blocks(std::size_t stride, T* residuals_out, Body&& consume) {
    std::size_t filled = 0;
    const auto flush = [&] {
      const int threads = detail::threads_for(cpu, double(filled) * double(stride) * double(stride));
#pragma omp parallel num_threads(threads)
      consume(filled);
      filled = 0;
    };
    T* r_of_group = residuals_out;
    for (const auto& g : groups) {
      if (g.points == 0) continue;
      const auto view = g.view();
      const std::size_t per_point = std::size_t(view.residuals);
      T* const here = r_of_group;
      if (residuals_out != nullptr) r_of_group += per_point * g.points;
      const std::size_t size = std::size_t(SOBOLEV_CALL(residual_tile_points<T>, net, view));
      const std::size_t capacity = std::max(SymmetricUpdate<T>::block_rows, size * per_point);
      if (values.size() < capacity) {
        if (filled > 0) flush();
        rows = Buffer<T>(capacity * stride);
        values = Buffer<T>(capacity);
      }
      for (std::size_t s = 0; s + 1 < g.offsets.size(); ++s) {
        const T factor = T(g.slice_weights.size() > s ? g.slice_weights[s] : 1.0);
        if (factor == T(0)) continue;
        const TileRange r = range(g, view, s);
        const std::size_t base = first_tile(g, view, s);
        for (std::size_t b = 0, end = 0; b < r.tiles(); b = end) {
          if (filled + size * per_point > capacity) flush();
          end = std::min(r.tiles(), b + (capacity - filled) / (size * per_point));
          const std::size_t total = (std::min(r.last, r.begin(end)) - r.begin(b)) * per_point;
          const bool full = filled + total + size * per_point > capacity;
          const double work = double(total) * 16 + (full ? double(filled + total) * double(stride) : 0.0);
          const int threads = detail::threads_for(cpu, work * double(stride));
#pragma omp parallel num_threads(threads)
          {
            const ResidualTile<T> t = tile(view);
#pragma omp for schedule(dynamic, 1)
            for (std::size_t i = b; i < end; ++i) {
              const std::size_t row = filled + (r.begin(i) - r.begin(b)) * per_point;
              const T* in = input(g, view, t, base + i, r.begin(i), r.count(i));
              SOBOLEV_CALL(residual_forward<T>, view, net, packed.data(), t, in, r.begin(i), r.count(i));
              if (here != nullptr)
                SOBOLEV_CALL(residual_store<T>, view, t, r.begin(i), r.count(i), here, g.points);
              SOBOLEV_CALL(residual_jacobian<T>, view, net, packed.data(), t, in, r.begin(i), r.count(i),
                           factor, rows.data() + row * stride, stride, values.data() + row);
            }
            if (full) consume(filled + total);
          }
          filled = full ? 0 : filled + total;
        }
      }
    }
    if (filled > 0) flush();
  }

  int add_group(ResidualGroup group);
  void set_points(int group, View<const double, 2> x, View<const double, 2> externals,
                  View<const double, 1> point_weights);
  void set_weights(int group, const std::vector<double>& weights);
  void set_causal(int group, std::vector<std::size_t> offsets, double epsilon);
  std::size_t scratch_bytes() const;
  double loss(View<const T, 1> parameters);
  double loss_gradient(View<const T, 1> parameters, View<T, 1> gradient);
  void loss_gradient(View<const T, 1> parameters, View<T, 1> gradient, View<double, 1> loss) {
    loss(0) = loss_gradient(parameters, gradient);
  }
  void residuals(int group, View<const T, 1> parameters, View<T, 2> r);
  void pull_back(View<const T, 1> parameters, const std::vector<View<const T, 2>>& seeds,
                 View<T, 1> gradient);
  void weigh(int group, View<T, 2> r);
  std::vector<std::vector<double>> row_norms(View<const T, 1> parameters);
  double normal_equations(View<const T, 1> parameters, View<T, 2> matrix, View<T, 1> gradient, View<T, 1> r);
  double last_causal_weight(int group) const {
    const auto& weights = at(group).slice_weights;
    return weights.empty() ? 1.0 : weights.back();
  }
  int evaluated_slices(int group) const { return at(group).evaluated; }
};

}  // namespace sobolev::detail
