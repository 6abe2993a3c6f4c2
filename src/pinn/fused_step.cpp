// SPDX-License-Identifier: Apache-2.0
// The passes of the fused step over all tiles. Work is cut into a number of chunks that depends on the
// network only; each chunk is done by one thread, in order, and chunks are added in order.
#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernels/linalg/symmetric_detail.hpp"
#include "kernels/pinn/step_tile.hpp"
#include "sobolev/core/buffer.hpp"
#include "sobolev/pinn/step.hpp"

namespace sobolev {
namespace {
constexpr std::size_t features_budget = 24u << 20;  // bytes of features kept between passes, per group

template <class T>
struct Group {
  ResidualGroup spec;
  detail::JetTable<T> jet;
  std::vector<detail::FeatureTable<T>> features;  // one per mirrored copy
  std::vector<detail::FeatureView<T>> feature_views;
  std::vector<T> parity;
  std::vector<detail::FieldIndex<T>> fields;
  std::vector<T> weights;
  Buffer<T> x, external, point_weight, kept_features;
  std::size_t points = 0;
  std::vector<std::size_t> offsets;  // of slices; {0, N} without causal weights
  double epsilon = 0;
  bool causal = false;
  std::vector<double> slice_weights;
  int evaluated = 0;

  Group(ResidualGroup s, const Features& f, const std::vector<Symmetry>& symmetry)
      : spec(std::move(s)), jet(spec.jet) {
    const unsigned copies = 1u << symmetry.size();
    for (unsigned c = 0; c < copies; ++c) {
      unsigned mirror = 0;
      double sign = 1.0 / copies;
      for (std::size_t i = 0; i < symmetry.size(); ++i)
        if (c >> i & 1u) {
          mirror |= 1u << symmetry[i].coordinate;
          sign *= symmetry[i].sign;
        }
      features.emplace_back(f, spec.jet, mirror);
      parity.push_back(T(sign));
    }
    for (const auto& table : features) feature_views.push_back(table.view());
    for (const FieldInput& field : spec.fields)
      fields.push_back({field.output, field.channel, T(field.scale)});
    for (double w : spec.weights) weights.push_back(T(w));
  }

  detail::GroupView<T> view(const T* use_weights) const {
    return {jet.view(),
            feature_views.data(),
            parity.data(),
            int(parity.size()),
            fields.data(),
            int(fields.size()),
            spec.externals,
            feature_views[0].coordinates,
            int(spec.tape.outputs.size()),
            detail::TapeView(spec.tape),
            points,
            x.data(),
            external.data(),
            point_weight.empty() ? nullptr : point_weight.data(),
            use_weights};
  }
  detail::GroupView<T> view() const { return view(weights.data()); }
};

/// A run of tiles: points [first, last) of one slice, cut into tiles of `size`.
struct TileRange {
  std::size_t first, last, size;
  std::size_t tiles() const { return (last - first + size - 1) / size; }
  std::size_t begin(std::size_t i) const { return first + i * size; }
  int count(std::size_t i) const { return int(std::min(size, last - begin(i))); }
};
}  // namespace

template <class T>
struct FusedStep<T>::Impl {
  Cpu cpu;
  MlpShape mlp;
  Features features;
  std::vector<Symmetry> symmetry;
  detail::MlpGeometry<T> geometry;
  std::vector<Group<T>> groups;
  std::size_t chunks = 1;
  bool held = false;
  Buffer<T> packed, accumulators, tiles;
  std::size_t tile_elements = 0;
  std::vector<double> chunk_loss;
  std::unique_ptr<detail::SymmetricUpdate<T>> update;
  Buffer<T> matrix, rows, values;

  Impl(const Cpu& c, MlpShape shape, const Features& f, std::vector<Symmetry> s)
      : cpu(c), mlp(shape), features(f), symmetry(std::move(s)) {
    mlp.inputs = features.inputs();
    mlp.validate();
    require(symmetry.size() <= 3, "fused step: symmetry in at most three coordinates");
    geometry = SOBOLEV_CALL(mlp_geometry<T>, mlp);
    packed = Buffer<T>(geometry.packed_size());
    const std::size_t bytes = geometry.gradient_size() * sizeof(T);
    chunks = std::clamp<std::size_t>((16u << 20) / bytes, 2, 16);
    accumulators = Buffer<T>(chunks * geometry.gradient_size());
    chunk_loss.resize(chunks);
  }

  Group<T>& at(int g) {
    require(g >= 0 && g < int(groups.size()), fmt::format("fused step: no group {}", g));
    return groups[std::size_t(g)];
  }

  void pack(View<const T, 1> parameters) {
    require(parameters.size() == mlp.parameters(),
            fmt::format("fused step: {} parameters given, the network has {}", parameters.size(), mlp.parameters()));
    SOBOLEV_CALL(mlp_pack<T>, geometry, mlp, parameters.data(), packed.data());
  }

  /// Every thread's tile buffers are large enough for all groups.
  void size_tiles() {
    std::size_t n = 0;
    for (const auto& g : groups) n = std::max(n, SOBOLEV_CALL(step_tile_size<T>, geometry, g.view()));
    n = (n + 63) / 64 * 64;
    if (n > tile_elements) {
      tile_elements = n;
      tiles = Buffer<T>(n * std::size_t(cpu.threads()));
    }
  }
  detail::StepTile<T> tile(const detail::GroupView<T>& view) {
    return SOBOLEV_CALL(step_tile<T>, geometry, view, tiles.data() + tile_elements * std::size_t(omp_get_thread_num()));
  }

  TileRange range(const Group<T>& g, const detail::GroupView<T>& view, std::size_t slice) const {
    return {g.offsets[slice], g.offsets[slice + 1], std::size_t(SOBOLEV_CALL(step_tile_points<T>, geometry, view))};
  }
  /// Number of the first tile of a slice among the kept features.
  std::size_t first_tile(const Group<T>& g, const detail::GroupView<T>& view, std::size_t slice) const {
    std::size_t n = 0;
    for (std::size_t s = 0; s < slice; ++s) n += range(g, view, s).tiles();
    return n;
  }

  void keep_features(Group<T>& g) {
    const auto view = g.view();
    const std::size_t size = SOBOLEV_CALL(step_features_size<T>, geometry, view);
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
        detail::StepTile<T> t = tile(view);
        t.network.input = g.kept_features.data() + (number + i) * size;
        SOBOLEV_CALL(step_features<T>, view, geometry, t, r.begin(i), r.count(i));
      }
      number += r.tiles();
    }
  }

  /// The features of a tile: kept ones, or made in the tile's own buffer.
  const T* input(const Group<T>& g, const detail::GroupView<T>& view, const detail::StepTile<T>& t,
                 std::size_t number, std::size_t first, int count) const {
    if (!g.kept_features.empty())
      return g.kept_features.data() + number * SOBOLEV_CALL(step_features_size<T>, geometry, view);
    SOBOLEV_CALL(step_features<T>, view, geometry, t, first, count);
    return t.network.input;
  }

  void clear_accumulators() {
    const std::size_t size = geometry.gradient_size();
#pragma omp parallel for num_threads(cpu.threads()) schedule(static)
    for (std::size_t c = 0; c < chunks; ++c)
      std::fill_n(accumulators.data() + c * size, size, T(0));
  }
  void reduce(View<T, 1> gradient) {
    require(gradient.size() == mlp.parameters(), "fused step: the gradient's size is not the parameters'");
    const std::size_t size = geometry.gradient_size(), part = 4096;
#pragma omp parallel for num_threads(cpu.threads()) schedule(static)
    for (std::size_t i = 0; i < size; i += part)
      SOBOLEV_CALL(mlp_sum_accumulators<T>, accumulators.data(), int(chunks), size, i, std::min(size, i + part),
                   accumulators.data());
    SOBOLEV_CALL(mlp_unpack_gradient<T>, geometry, mlp, accumulators.data(), gradient.data());
  }

  /// Runs body(chunk, tile buffers, number of the tile, first point, count) over a slice, chunk by chunk.
  template <class Body>
  void for_tiles(const Group<T>& g, const detail::GroupView<T>& view, std::size_t slice, Body&& body) {
    const TileRange r = range(g, view, slice);
    const std::size_t n = r.tiles(), base = first_tile(g, view, slice);
#pragma omp parallel num_threads(cpu.threads())
    {
      const detail::StepTile<T> t = tile(view);
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
    std::vector<double> unit(chunks);
    for (std::size_t s = 0; s < slices; ++s) {
      if (fresh) g.slice_weights[s] = std::exp(-g.epsilon * exponent);
      const double weight = g.slice_weights[s];
      if (weight < negligible) {
        std::fill(g.slice_weights.begin() + std::ptrdiff_t(s), g.slice_weights.end(), 0.0);
        break;
      }
      std::fill(chunk_loss.begin(), chunk_loss.end(), 0.0);
      std::fill(unit.begin(), unit.end(), 0.0);
      for_tiles(g, view, s, [&](std::size_t c, const detail::StepTile<T>& t, std::size_t number, std::size_t first, int count) {
        const T* in = input(g, view, t, number, first, count);
        SOBOLEV_CALL(step_forward<T>, view, geometry, packed.data(), t, in, first, count);
        chunk_loss[c] += SOBOLEV_CALL(step_loss<T>, view, t, first, count, false);
        if (g.causal) unit[c] += SOBOLEV_CALL(step_loss<T>, view, t, first, count, true);
        if (gradient)
          SOBOLEV_CALL(step_backward<T>, view, geometry, packed.data(), t, in, first, count, T(weight),
                       static_cast<const T*>(nullptr), std::size_t(0),
                       accumulators.data() + c * geometry.gradient_size());
      });
      ++g.evaluated;
      loss += weight * std::accumulate(chunk_loss.begin(), chunk_loss.end(), 0.0);
      exponent += std::accumulate(unit.begin(), unit.end(), 0.0) / double(std::max<std::size_t>(1, g.offsets[s + 1] - g.offsets[s]));
    }
    return loss;
  }

  template <class Body>
  void for_jacobian_blocks(Group<T>& g, const detail::GroupView<T>& view, std::size_t stride, Body&& consume) {
    const std::size_t per_point = std::size_t(view.residuals);
    const std::size_t size = std::size_t(SOBOLEV_CALL(step_tile_points<T>, geometry, view));
    const std::size_t tiles_per_block = std::max<std::size_t>(1, 768 / (size * per_point));
    const std::size_t capacity = tiles_per_block * size * per_point;
    if (rows.size() < capacity * stride) rows = Buffer<T>(capacity * stride);
    if (values.size() < capacity) values = Buffer<T>(capacity);
    for (std::size_t s = 0; s + 1 < g.offsets.size(); ++s) {
      const T factor = T(g.slice_weights.size() > s ? g.slice_weights[s] : 1.0);
      if (factor == T(0)) continue;
      const TileRange r = range(g, view, s);
      const std::size_t base = first_tile(g, view, s);
      for (std::size_t b = 0; b < r.tiles(); b += tiles_per_block) {
        const std::size_t end = std::min(r.tiles(), b + tiles_per_block);
        const std::size_t total = (std::min(r.last, r.begin(end)) - r.begin(b)) * per_point;
#pragma omp parallel num_threads(cpu.threads())
        {
          const detail::StepTile<T> t = tile(view);
#pragma omp for schedule(dynamic, 1)
          for (std::size_t i = b; i < end; ++i) {
            const std::size_t row = (r.begin(i) - r.begin(b)) * per_point;
            const T* in = input(g, view, t, base + i, r.begin(i), r.count(i));
            SOBOLEV_CALL(step_forward<T>, view, geometry, packed.data(), t, in, r.begin(i), r.count(i));
            SOBOLEV_CALL(step_jacobian<T>, view, geometry, mlp, packed.data(), t, in, r.begin(i), r.count(i),
                         factor, rows.data() + row * stride, stride, values.data() + row);
          }
          consume(total);
        }
      }
    }
  }
};

template <class T>
FusedStep<T>::FusedStep(const Cpu& cpu, MlpShape mlp, const Features& features, std::vector<Symmetry> symmetry)
    : impl_(std::make_unique<Impl>(cpu, mlp, features, std::move(symmetry))) {}
template <class T>
FusedStep<T>::FusedStep(FusedStep&&) noexcept = default;
template <class T>
FusedStep<T>& FusedStep<T>::operator=(FusedStep&&) noexcept = default;
template <class T>
FusedStep<T>::~FusedStep() = default;

template <class T>
int FusedStep<T>::add_group(ResidualGroup group) {
  Impl& m = *impl_;
  const int dimensions = int(m.features.coordinates().size());
  require(group.tape.inputs == dimensions + group.externals + int(group.fields.size()),
          fmt::format("fused step: the tape has {} inputs; {} coordinates, {} external values and {} fields make {}",
                      group.tape.inputs, dimensions, group.externals, group.fields.size(),
                      dimensions + group.externals + int(group.fields.size())));
  require(group.weights.size() == group.tape.outputs.size(), "fused step: one weight per residual is needed");
  for (const FieldInput& f : group.fields)
    require(f.output >= 0 && f.output < m.mlp.outputs && f.channel >= 0 && f.channel < group.jet.channels(),
            fmt::format("fused step: no channel {} of output {}", f.channel, f.output));
  m.groups.emplace_back(std::move(group), m.features, m.symmetry);
  m.groups.back().offsets = {0, 0};
  m.size_tiles();
  return int(m.groups.size()) - 1;
}

template <class T>
void FusedStep<T>::set_points(int group, View<const double, 2> x, View<const double, 2> externals,
                              View<const double, 1> point_weights) {
  Impl& m = *impl_;
  Group<T>& g = m.at(group);
  const std::size_t n = x.extent(0), d = x.extent(1), e = std::size_t(g.spec.externals);
  require(d == m.features.coordinates().size(),
          fmt::format("fused step: points are [{}, {}] but there are {} coordinates", n, d, m.features.coordinates().size()));
  require(e == 0 || (externals.extent(0) == e && externals.extent(1) == n), "fused step: external values must be [externals, N]");
  require(point_weights.size() == 0 || point_weights.size() == n, "fused step: point weights must be [N]");
  if (g.x.size() != n * d) g.x = Buffer<T>(n * d);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < d; ++j) g.x[j * n + i] = T(x.data()[i * d + j]);
  if (g.external.size() != n * e) g.external = Buffer<T>(n * e);
  for (std::size_t i = 0; i < n * e; ++i) g.external[i] = T(externals.data()[i]);
  g.point_weight = Buffer<T>(point_weights.size());
  for (std::size_t i = 0; i < point_weights.size(); ++i) g.point_weight[i] = T(point_weights.data()[i]);
  g.points = n;
  g.causal = false;
  g.offsets = {0, n};
  g.slice_weights.clear();
  if (n > 0) m.keep_features(g);
}

template <class T>
void FusedStep<T>::set_weights(int group, const std::vector<double>& weights) {
  Group<T>& g = impl_->at(group);
  require(weights.size() == g.weights.size(), "fused step: one weight per residual is needed");
  for (std::size_t e = 0; e < weights.size(); ++e) g.weights[e] = T(weights[e]);
}

template <class T>
void FusedStep<T>::set_causal(int group, std::vector<std::size_t> offsets, double epsilon) {
  Group<T>& g = impl_->at(group);
  require(offsets.size() >= 2 && offsets.front() == 0 && offsets.back() == g.points &&
              std::is_sorted(offsets.begin(), offsets.end()),
          "fused step: slice offsets must rise from 0 to the number of points");
  require(epsilon >= 0 && std::isfinite(epsilon), fmt::format("fused step: causal epsilon is {}; it must be >= 0", epsilon));
  const bool moved = g.offsets != offsets;
  g.offsets = std::move(offsets);
  g.epsilon = epsilon;
  g.causal = true;
  if (moved) {
    g.slice_weights.clear();
    impl_->keep_features(g);
  }
}

template <class T>
const MlpShape& FusedStep<T>::mlp() const {
  return impl_->mlp;
}
template <class T>
int FusedStep<T>::groups() const {
  return int(impl_->groups.size());
}
template <class T>
std::size_t FusedStep<T>::points(int group) const {
  return impl_->at(group).points;
}
template <class T>
int FusedStep<T>::residuals(int group) const {
  return int(impl_->at(group).weights.size());
}

template <class T>
std::size_t FusedStep<T>::scratch_bytes() const {
  const Impl& m = *impl_;
  std::size_t n = m.packed.size() + m.accumulators.size() + m.tiles.size() + m.matrix.size() + m.rows.size() + m.values.size();
  for (const auto& g : m.groups) n += g.kept_features.size();
  return n * sizeof(T) + (m.update ? m.update->bytes() : 0);
}

template <class T>
double FusedStep<T>::loss(View<const T, 1> parameters) {
  impl_->pack(parameters);
  double loss = 0;
  for (auto& g : impl_->groups) loss += impl_->pass(g, false);
  return loss;
}

template <class T>
double FusedStep<T>::loss_gradient(View<const T, 1> parameters, View<T, 1> gradient) {
  Impl& m = *impl_;
  m.pack(parameters);
  m.clear_accumulators();
  double loss = 0;
  for (auto& g : m.groups) loss += m.pass(g, true);
  m.reduce(gradient);
  return loss;
}

template <class T>
void FusedStep<T>::evaluate(int group, View<const T, 1> parameters, View<T, 2> r) {
  Impl& m = *impl_;
  Group<T>& g = m.at(group);
  require(r.extent(0) == g.weights.size() && r.extent(1) == g.points, "fused step: r must be [residuals, points]");
  m.pack(parameters);
  const auto view = g.view();
  for (std::size_t s = 0; s + 1 < g.offsets.size(); ++s)
    m.for_tiles(g, view, s, [&](std::size_t, const detail::StepTile<T>& t, std::size_t number, std::size_t first, int count) {
      const T* in = m.input(g, view, t, number, first, count);
      SOBOLEV_CALL(step_forward<T>, view, m.geometry, m.packed.data(), t, in, first, count);
      SOBOLEV_CALL(step_store<T>, view, t, first, count, r.data(), g.points);
    });
}

template <class T>
void FusedStep<T>::pull_back(View<const T, 1> parameters, const std::vector<View<const T, 2>>& seeds, View<T, 1> gradient) {
  Impl& m = *impl_;
  require(seeds.size() == m.groups.size(), "fused step: seeds are needed for each group");
  m.pack(parameters);
  m.clear_accumulators();
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    Group<T>& g = m.groups[i];
    require(seeds[i].extent(0) == g.weights.size() && seeds[i].extent(1) == g.points, "fused step: seeds must be [residuals, points]");
    const auto view = g.view();
    for (std::size_t s = 0; s + 1 < g.offsets.size(); ++s)
      m.for_tiles(g, view, s, [&](std::size_t c, const detail::StepTile<T>& t, std::size_t number, std::size_t first, int count) {
        const T* in = m.input(g, view, t, number, first, count);
        SOBOLEV_CALL(step_forward<T>, view, m.geometry, m.packed.data(), t, in, first, count);
        SOBOLEV_CALL(step_backward<T>, view, m.geometry, m.packed.data(), t, in, first, count, T(1), seeds[i].data(),
                     g.points, m.accumulators.data() + c * m.geometry.gradient_size());
      });
  }
  m.reduce(gradient);
}

template <class T>
void FusedStep<T>::weigh(int group, View<T, 2> r) {
  Group<T>& g = impl_->at(group);
  require(r.extent(0) == g.weights.size() && r.extent(1) == g.points, "fused step: r must be [residuals, points]");
  for (std::size_t e = 0; e < g.weights.size(); ++e)
    for (std::size_t s = 0; s + 1 < g.offsets.size(); ++s) {
      const T slice = T(g.slice_weights.size() > s ? g.slice_weights[s] : 1.0);
      for (std::size_t n = g.offsets[s]; n < g.offsets[s + 1]; ++n)
        r.data()[e * g.points + n] *= g.weights[e] * slice * (g.point_weight.empty() ? T(1) : g.point_weight[n]);
    }
}

template <class T>
std::vector<std::vector<double>> FusedStep<T>::row_norms(View<const T, 1> parameters) {
  Impl& m = *impl_;
  m.pack(parameters);
  const std::size_t p = m.mlp.parameters(), stride = (p + 1 + 63) / 64 * 64;
  std::vector<std::vector<double>> norms;
  for (auto& g : m.groups) {
    const std::vector<T> ones(g.weights.size(), T(1));
    const auto view = g.view(ones.data());
    const std::size_t per_point = g.weights.size();
    const std::size_t size = std::size_t(SOBOLEV_CALL(step_tile_points<T>, m.geometry, view));
    std::vector<double> sum(per_point, 0.0);
    Buffer<T> rows(size * per_point * stride), values(size * per_point);
#pragma omp parallel num_threads(1)  // one small pass at the start of a run
    {
      const detail::StepTile<T> t = m.tile(view);
      const TileRange r{0, g.points, size};
      for (std::size_t i = 0; i < r.tiles(); ++i) {
        SOBOLEV_CALL(step_features<T>, view, m.geometry, t, r.begin(i), r.count(i));
        SOBOLEV_CALL(step_forward<T>, view, m.geometry, m.packed.data(), t, t.network.input, r.begin(i), r.count(i));
        SOBOLEV_CALL(step_jacobian<T>, view, m.geometry, m.mlp, m.packed.data(), t, t.network.input, r.begin(i),
                     r.count(i), T(1), rows.data(), stride, values.data());
        for (std::size_t row = 0; row < per_point * std::size_t(r.count(i)); ++row)
          for (std::size_t j = 0; j < p; ++j) {
            const double v = double(rows[row * stride + j]);
            sum[row / std::size_t(r.count(i))] += v * v;
          }
      }
    }
    for (double& v : sum) v /= double(std::max<std::size_t>(1, g.points));
    norms.push_back(std::move(sum));
  }
  return norms;
}

template <class T>
double FusedStep<T>::normal_equations(View<const T, 1> parameters, View<T, 2> matrix, View<T, 1> gradient) {
  Impl& m = *impl_;
  const std::size_t p = m.mlp.parameters();
  require(matrix.extent(0) == p && matrix.extent(1) == p && gradient.size() == p,
          fmt::format("normal equations: the matrix must be [{}, {}] and the gradient [{}]", p, p, p));
  m.pack(parameters);
  for (auto& g : m.groups)
    if (g.causal && !m.held) m.pass(g, false);
  // The residual is one more column of the Jacobian: its products are Jᵀr and rᵀr.
  if (!m.update) m.update = std::make_unique<detail::SymmetricUpdate<T>>(p + 1);
  if (m.matrix.size() != m.update->size()) m.matrix = Buffer<T>(m.update->size());
  std::fill(m.matrix.begin(), m.matrix.end(), T(0));
  const std::size_t stride = (p + 1 + 63) / 64 * 64;
  constexpr std::size_t block = detail::SymmetricUpdate<T>::block_rows;
  for (auto& g : m.groups) {
    if (g.points == 0) continue;
    const auto view = g.view();
    m.for_jacobian_blocks(g, view, stride, [&](std::size_t total) {
#pragma omp for schedule(static)
      for (std::size_t row = 0; row < total; ++row) m.rows[row * stride + p] = m.values[row];
      for (std::size_t first = 0; first < total; first += block)
        m.update->add(m.rows.data() + first * stride, stride, int(std::min(block, total - first)), m.matrix.data());
    });
  }
  const std::size_t ld = m.update->ld();
#pragma omp parallel for num_threads(m.cpu.threads()) schedule(static)
  for (std::size_t i = 0; i < p; ++i) {
    gradient.data()[i] = m.matrix[i * ld + p];
    for (std::size_t j = 0; j < p; ++j)
      matrix.data()[i * p + j] = i <= j ? m.matrix[i * ld + j] : m.matrix[j * ld + i];
  }
  return double(m.matrix[p * ld + p]);
}

template <class T>
void FusedStep<T>::hold_causal_weights(bool held) {
  impl_->held = held;
}
template <class T>
double FusedStep<T>::last_causal_weight(int group) const {
  const auto& weights = impl_->at(group).slice_weights;
  return weights.empty() ? 1.0 : weights.back();
}
template <class T>
int FusedStep<T>::evaluated_slices(int group) const {
  return impl_->at(group).evaluated;
}

template class FusedStep<float>;
template class FusedStep<double>;

}  // namespace sobolev
