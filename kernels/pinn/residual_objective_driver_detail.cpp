// SPDX-License-Identifier: Apache-2.0
// The calls of a residual objective on the CPU.
#if SOBOLEV_DISPATCHER
#include "kernels/pinn/residual_objective_driver_detail.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace sobolev::detail {
namespace {
constexpr std::size_t row_norm_points = 4096;  // about so many tell the scale of a residual's rows
}

template <class T>
int ResidualObjectiveOn<T, Cpu>::add_group(ResidualGroup group) {
  ResidualObjectiveOn& m = *this;
  check_group(group, m.network, int(m.features.coordinates().size()));
  m.groups.emplace_back(std::move(group), m.features, m.symmetry);
  m.groups.back().offsets = {0, 0};
  m.size_tiles();
  return int(m.groups.size()) - 1;
}

template <class T>
void ResidualObjectiveOn<T, Cpu>::set_points(int group, View<const double, 2> x,
                                             View<const double, 2> externals,
                                             View<const double, 1> point_weights) {
  ResidualObjectiveOn& m = *this;
  Group<T>& g = m.at(group);
  const std::size_t n = x.extent(0), d = x.extent(1), e = std::size_t(g.spec.externals);
  check_points(x.shape(), externals.shape(), point_weights.size(), m.features.coordinates().size(), e);
  if (g.x.size() != n * d) g.x = Buffer<T>(n * d);
  copy_columns(x, g.x.data());
  if (g.external.size() != n * e) g.external = Buffer<T>(n * e);
  for (std::size_t i = 0; i < n * e; ++i) g.external[i] = T(externals.data()[i]);
  g.point_weight = Buffer<T>(point_weights.size());
  for (std::size_t i = 0; i < point_weights.size(); ++i) g.point_weight[i] = T(point_weights.data()[i]);
  g.points = n;
  g.causal = false;
  g.offsets = {0, n};
  g.slice_weights.clear();
  g.features_due = true;
}

template <class T>
void ResidualObjectiveOn<T, Cpu>::set_weights(int group, const std::vector<double>& weights) {
  Group<T>& g = at(group);
  check_weights(weights.size(), g.weights.size());
  for (std::size_t e = 0; e < weights.size(); ++e) g.weights[e] = T(weights[e]);
}

template <class T>
void ResidualObjectiveOn<T, Cpu>::set_causal(int group, std::vector<std::size_t> offsets, double epsilon) {
  Group<T>& g = at(group);
  check_causal(offsets, epsilon, g.points);
  const bool moved = g.offsets != offsets;
  g.offsets = std::move(offsets);
  g.epsilon = epsilon;
  g.causal = true;
  if (moved) {
    g.slice_weights.clear();
    g.features_due = true;
  }
}

template <class T>
std::size_t ResidualObjectiveOn<T, Cpu>::scratch_bytes() const {
  const ResidualObjectiveOn& m = *this;
  std::size_t n = m.packed.size() + m.accumulators.size() + m.tiles.size() + m.matrix.size() + m.rows.size() +
                  m.values.size();
  for (const auto& g : m.groups) n += g.kept_features.size();
  return n * sizeof(T) + (m.update ? m.update->bytes() : 0);
}

template <class T>
double ResidualObjectiveOn<T, Cpu>::loss(View<const T, 1> parameters) {
  enter(parameters);
  double loss = 0;
  for (auto& g : groups) loss += pass(g, false);
  return loss;
}

template <class T>
double ResidualObjectiveOn<T, Cpu>::loss_gradient(View<const T, 1> parameters, View<T, 1> gradient) {
  ResidualObjectiveOn& m = *this;
  m.enter(parameters);
  m.clear_accumulators();
  double loss = 0;
  for (auto& g : m.groups) loss += m.pass(g, true);
  m.reduce(gradient);
  return loss;
}

template <class T>
void ResidualObjectiveOn<T, Cpu>::residuals(int group, View<const T, 1> parameters, View<T, 2> r) {
  ResidualObjectiveOn& m = *this;
  Group<T>& g = m.at(group);
  check_residuals(r.shape(), g.weights.size(), g.points);
  m.enter(parameters);
  const auto view = g.view();
  for (std::size_t s = 0; s + 1 < g.offsets.size(); ++s)
    m.for_tiles(g, view, s,
                [&](std::size_t, const ResidualTile<T>& t, std::size_t number, std::size_t first, int count) {
                  const T* in = m.input(g, view, t, number, first, count);
                  SOBOLEV_CALL(residual_forward<T>, view, m.net, m.packed.data(), t, in, first, count);
                  SOBOLEV_CALL(residual_store<T>, view, t, first, count, r.data(), g.points);
                });
}

template <class T>
void ResidualObjectiveOn<T, Cpu>::pull_back(View<const T, 1> parameters,
                                            const std::vector<View<const T, 2>>& seeds, View<T, 1> gradient) {
  ResidualObjectiveOn& m = *this;
  require(seeds.size() == m.groups.size(), "residual objective: seeds are needed for each group");
  m.enter(parameters);
  m.clear_accumulators();
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    Group<T>& g = m.groups[i];
    check_residuals(seeds[i].shape(), g.weights.size(), g.points);
    const auto view = g.view();
    for (std::size_t s = 0; s + 1 < g.offsets.size(); ++s)
      m.for_tiles(
          g, view, s,
          [&](std::size_t c, const ResidualTile<T>& t, std::size_t number, std::size_t first, int count) {
            const T* in = m.input(g, view, t, number, first, count);
            SOBOLEV_CALL(residual_forward<T>, view, m.net, m.packed.data(), t, in, first, count);
            SOBOLEV_CALL(residual_backward<T>, view, m.net, m.packed.data(), t, in, first, count, T(1),
                         seeds[i].data(), g.points, m.accumulators.data() + c * m.net.gradient_size);
          });
  }
  m.reduce(gradient);
}

template <class T>
void ResidualObjectiveOn<T, Cpu>::weigh(int group, View<T, 2> r) {
  Group<T>& g = at(group);
  check_residuals(r.shape(), g.weights.size(), g.points);
  for (std::size_t e = 0; e < g.weights.size(); ++e)
    for (std::size_t s = 0; s + 1 < g.offsets.size(); ++s) {
      const T slice = T(g.slice_weights.size() > s ? g.slice_weights[s] : 1.0);
      for (std::size_t n = g.offsets[s]; n < g.offsets[s + 1]; ++n)
        r.data()[e * g.points + n] *=
            g.weights[e] * slice * (g.point_weight.empty() ? T(1) : g.point_weight[n]);
    }
}

template <class T>
std::vector<std::vector<double>> ResidualObjectiveOn<T, Cpu>::row_norms(View<const T, 1> parameters) {
  ResidualObjectiveOn& m = *this;
  m.enter(parameters);
  const std::size_t p = m.network.parameters(), stride = (p + 1 + 63) / 64 * 64;
  std::vector<std::vector<double>> norms;
  for (auto& g : m.groups) {
    const std::vector<T> ones(g.weights.size(), T(1));
    const auto view = g.view(ones.data());
    const std::size_t per_point = g.weights.size();
    const std::size_t size = std::size_t(SOBOLEV_CALL(residual_tile_points<T>, m.net, view));
    // Tiles all over the set, one of each `every` at a place of its own (points of a grid repeat); each
    // thread its rows, sums in the order of the tiles.
    const TileRange r{0, g.points, size};
    const std::size_t every = std::max<std::size_t>(1, g.points / row_norm_points),
                      used = (r.tiles() + every - 1) / every;
    std::vector<double> sums(used * per_point, 0.0);
    const auto tile_of = [&](std::size_t i) {
      return std::min(i * every + std::size_t(std::uint32_t(i) * 2654435769u >> 8) % every, r.tiles() - 1);
    };
    std::size_t points = 0;
    for (std::size_t i = 0; i < used; ++i) points += std::size_t(r.count(tile_of(i)));
    const int threads = threads_for(m.cpu, double(points * per_point) * double(p) * 16);
#pragma omp parallel num_threads(threads)
    {
      const ResidualTile<T> t = m.tile(view);
      Buffer<T> rows(size * per_point * stride), values(size * per_point);
#pragma omp for schedule(dynamic, 1)
      for (std::size_t i = 0; i < used; ++i) {
        const std::size_t first = r.begin(tile_of(i)), count = std::size_t(r.count(tile_of(i)));
        SOBOLEV_CALL(residual_features<T>, view, m.net, t, first, int(count));
        SOBOLEV_CALL(residual_forward<T>, view, m.net, m.packed.data(), t, t.network.input, first,
                     int(count));
        SOBOLEV_CALL(residual_jacobian<T>, view, m.net, m.packed.data(), t, t.network.input, first,
                     int(count), T(1), rows.data(), stride, values.data());
        for (std::size_t row = 0; row < per_point * count; ++row)
          for (std::size_t j = 0; j < p; ++j) {
            const double v = double(rows[row * stride + j]);
            sums[i * per_point + row / count] += v * v;
          }
      }
    }
    std::vector<double> sum(per_point, 0.0);
    for (std::size_t i = 0; i < sums.size(); ++i) sum[i % per_point] += sums[i];
    for (double& v : sum) v /= double(std::max<std::size_t>(1, points));
    norms.push_back(std::move(sum));
  }
  return norms;
}

template <class T>
double ResidualObjectiveOn<T, Cpu>::normal_equations(View<const T, 1> parameters, View<T, 2> matrix,
                                                     View<T, 1> gradient, View<T, 1> r) {
  ResidualObjectiveOn& m = *this;
  const std::size_t p = m.network.parameters();
  check_normal_equations(matrix.shape(), gradient.size(), p);
  m.enter(parameters);
  for (auto& g : m.groups)
    if (g.causal && !m.held) m.pass(g, false);
  // The residual is one more column of the Jacobian: its products are Jᵀr and rᵀr.
  if (!m.update) m.update = std::make_unique<SymmetricUpdate<T>>(p + 1);
  const std::size_t stride = (p + 1 + 63) / 64 * 64, ld = (p + 8) / 8 * 8;
  if (m.matrix.size() != (p + 1) * ld) m.matrix = Buffer<T>((p + 1) * ld);
  std::fill(m.matrix.begin(), m.matrix.end(), T(0));
  constexpr std::size_t block = SymmetricUpdate<T>::block_rows;
  std::fill(r.begin(), r.end(), T(0));
  m.for_jacobian_blocks(stride, r.size() > 0 ? r.data() : nullptr, [&](std::size_t total) {
#pragma omp for schedule(static)
    for (std::size_t row = 0; row < total; ++row) m.rows[row * stride + p] = m.values[row];
    for (std::size_t first = 0; first < total; first += block)
      m.update->add(m.rows.data() + first * stride, stride, int(std::min(block, total - first)),
                    m.matrix.data(), ld);
  });
  const int threads = threads_for(m.cpu, double(p) * double(p));
#pragma omp parallel for num_threads(threads) schedule(static)
  for (std::size_t i = 0; i < p; ++i) {
    gradient.data()[i] = m.matrix[i * ld + p];
    std::copy(m.matrix.data() + i * ld + i, m.matrix.data() + i * ld + p, matrix.data() + i * p + i);
  }
  return double(m.matrix[p * ld + p]);
}

template struct ResidualObjectiveOn<float, Cpu>;
template struct ResidualObjectiveOn<double, Cpu>;
}  // namespace sobolev::detail

namespace sobolev {
template class ResidualObjective<float>;
template class ResidualObjective<double>;
}  // namespace sobolev
#endif
