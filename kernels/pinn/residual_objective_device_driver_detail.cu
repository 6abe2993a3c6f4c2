// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <limits>

#include "kernels/pinn/residual_objective_device_driver_detail.hpp"
#include "sobolev/linalg/syrk.hpp"

namespace sobolev::detail {
namespace {
constexpr std::size_t features_budget = 64u << 20;  // bytes of features kept between passes, per group
constexpr std::size_t rows_budget = 64u << 20;      // bytes of Jacobian rows at a time
constexpr std::size_t row_granule = 32;             // elements: rows start at whole lines

std::size_t row_stride(std::size_t parameters) {
  return (parameters + 1 + row_granule - 1) / row_granule * row_granule;
}
std::vector<std::uint32_t> narrow(const std::vector<std::size_t>& wide) {
  return std::vector<std::uint32_t>(wide.begin(), wide.end());
}
}  // namespace

template <class T>
CudaGroup<T>::CudaGroup(const Cuda& cuda, ResidualGroup s, const Features& f,
                        const std::vector<Symmetry>& symmetry)
    : spec(std::move(s)),
      jet(spec.jet),
      device_jet(cuda, jet.view()),
      tape(cuda, spec.tape),
      fields(cuda),
      weights(spec.weights),
      device_weights(cuda),
      ones(cuda),
      x(cuda),
      external(cuda),
      point_weight(cuda),
      kept_features(cuda),
      offsets{0, 0},
      tiles(cuda),
      slice_tiles(cuda),
      slice_points(cuda),
      slice_weight(cuda),
      tile_loss(cuda),
      tile_unit(cuda) {
  for (const MirroredCopy& copy : mirrored_copies(symmetry)) {
    features.push_back(
        std::make_unique<DeviceFeatureTable<T>>(cuda, FeatureTable<T>(f, spec.jet, copy.mirror)));
    parity.push_back(T(copy.parity));
  }
  fields.assign(field_indices<T>(spec));
  device_weights.assign(std::vector<T>(weights.begin(), weights.end()));
  ones.assign(std::vector<T>(weights.size(), T(1)));
}

template <class T>
DeviceGroupView<T> CudaGroup<T>::view(bool slice_weights, bool unit_weights) const {
  DeviceGroupView<T> v{};
  ResidualView<T>& common = v;
  common = {int(features.size()),
            fields.data(),
            int(fields.size()),
            spec.externals,
            features[0]->view().coordinates,
            int(spec.tape.outputs.size()),
            tape.view(),
            points,
            x.data(),
            external.data(),
            point_weight.data(),
            unit_weights ? ones.data() : device_weights.data()};
  std::copy(parity.begin(), parity.end(), v.parity);
  v.tiles = tiles.data();
  v.slice_weight = slice_weights && causal && weighted ? slice_weight.data() : nullptr;
  return v;
}

template <class T>
DeviceFeatures<T> CudaGroup<T>::feature_views() const {
  DeviceFeatures<T> views{};
  for (std::size_t c = 0; c < features.size(); ++c) views.of_copy[c] = features[c]->view();
  return views;
}

template <class T>
ResidualObjectiveOn<T, Cuda>::ResidualObjectiveOn(const Cuda& on, Network n, const Features& f,
                                                  std::vector<Symmetry> s)
    : cuda(on),
      network(std::move(n)),
      features(f),
      symmetry(std::move(s)),
      plan(network),
      factors(cuda, plan),
      memory(cuda),
      batch_features(cuda),
      features_scratch(cuda),
      shares(cuda),
      rows(cuda),
      products(cuda),
      total(cuda),
      norms(cuda) {
  check_network(network, features);
  mirrored_copies(symmetry);  // checks them
  total.resize(1);
}

template <class T>
int ResidualObjectiveOn<T, Cuda>::add_group(ResidualGroup group) {
  check_group(group, network, int(features.coordinates().size()));
  groups.push_back(std::make_unique<CudaGroup<T>>(cuda, std::move(group), features, symmetry));
  size_memory(*groups.back());
  return int(groups.size()) - 1;
}

template <class T>
void ResidualObjectiveOn<T, Cuda>::set_points(int group, View<const double, 2> x,
                                              View<const double, 2> externals,
                                              View<const double, 1> point_weights) {
  CudaGroup<T>& g = at(group);
  const std::size_t n = x.extent(0), d = x.extent(1), e = std::size_t(g.spec.externals);
  check_points(x.shape(), externals.shape(), point_weights.size(), features.coordinates().size(), e);
  require(n < std::numeric_limits<std::uint32_t>::max(),
          "residual objective: more than 2^32 points on a device");
  std::vector<T> columns(n * d);
  copy_columns(x, columns.data());
  g.x.assign(columns);
  g.external.assign(std::vector<T>(externals.data(), externals.data() + n * e));
  g.point_weight.assign(std::vector<T>(point_weights.data(), point_weights.data() + point_weights.size()));
  g.points = n;
  g.causal = g.weighted = false;
  g.offsets = {0, n};
  cut_tiles(g);
}

template <class T>
void ResidualObjectiveOn<T, Cuda>::set_weights(int group, const std::vector<double>& weights) {
  CudaGroup<T>& g = at(group);
  check_weights(weights.size(), g.weights.size());
  g.weights = weights;
  g.device_weights.assign(std::vector<T>(weights.begin(), weights.end()));
}

template <class T>
void ResidualObjectiveOn<T, Cuda>::set_causal(int group, std::vector<std::size_t> offsets, double epsilon) {
  CudaGroup<T>& g = at(group);
  check_causal(offsets, epsilon, g.points);
  const bool moved = g.offsets != offsets;
  g.offsets = std::move(offsets);
  g.epsilon = epsilon;
  g.causal = true;
  g.slice_weight.resize(std::size_t(g.slices()));
  if (!moved) return;
  g.weighted = false;
  cut_tiles(g);
}

template <class T>
DeviceNetwork<T> ResidualObjectiveOn<T, Cuda>::on_group(const CudaGroup<T>& g, const T* parameters,
                                                        Products products) const {
  return {&plan, g.device_jet.view(), parameters, products};
}

/// The tiles of all slices in order. Their features are made by the next pass.
template <class T>
void ResidualObjectiveOn<T, Cuda>::cut_tiles(CudaGroup<T>& g) {
  const DeviceNetwork<T> net = on_group(g, nullptr);
  const std::size_t size = std::size_t(device_tile_points<T>(net, g.view(false)));
  std::vector<std::size_t> first_tiles;
  g.host_tiles.clear();
  for (int s = 0; s < g.slices(); ++s) {
    first_tiles.push_back(g.host_tiles.size());
    for (std::size_t n = g.offsets[std::size_t(s)], end = g.offsets[std::size_t(s) + 1]; n < end; n += size)
      g.host_tiles.push_back({std::uint32_t(n), std::uint32_t(std::min(size, end - n)), std::uint32_t(s)});
  }
  const std::size_t tiles = g.host_tiles.size();
  first_tiles.push_back(tiles);
  g.tiles.assign(g.host_tiles);
  g.slice_tiles.assign(narrow(first_tiles));
  g.slice_points.assign(narrow(g.offsets));
  g.tile_loss.resize(tiles);
  g.tile_unit.resize(tiles);
  const std::size_t elements = device_tile_features<T>(net, g.view(false));
  const bool keep = tiles * elements * sizeof(T) <= features_budget;
  g.kept_features.resize(keep ? tiles * elements : 0);
  g.features_due = keep && tiles > 0;
  if (!keep) batch_features.resize(std::max(batch_features.size(), features_budget / sizeof(T)));
}

template <class T>
const T* ResidualObjectiveOn<T, Cuda>::enter(View<const T, 1> parameters) {
  check_parameters(parameters.size(), network.parameters());
  for (auto& g : groups)
    if (std::exchange(g->features_due, false))
      device_features<T>(cuda, on_group(*g, nullptr), g->view(false), g->feature_views(), 0,
                         g->host_tiles.size(), g->kept_features.data(), features_scratch.data());
  return factors.effective(parameters.data());
}

template <class T>
void ResidualObjectiveOn<T, Cuda>::size_memory(CudaGroup<T>& g) {
  const DeviceGroupView<T> view = g.view(false);
  memory.resize(std::max(memory.size(), device_residual_memory<T>(cuda, on_group(g, nullptr), view)));
  features_scratch.resize(
      std::max(features_scratch.size(), device_features_memory<T>(cuda, g.feature_views(), view.copies)));
}

template <class T>
std::size_t ResidualObjectiveOn<T, Cuda>::scratch_bytes() const {
  std::size_t n = memory.bytes() + batch_features.bytes() + features_scratch.bytes() + shares.bytes() +
                  rows.bytes() + products.bytes() + norms.bytes();
  for (const auto& g : groups) n += g->kept_features.bytes() + g->tile_loss.bytes() + g->tile_unit.bytes();
  return n;
}

template <class T>
template <class Body>
void ResidualObjectiveOn<T, Cuda>::for_batches(const CudaGroup<T>& g, const DeviceNetwork<T>& net,
                                               std::size_t first, std::size_t last, std::size_t most,
                                               Body&& body) {
  const DeviceGroupView<T> view = g.view(false);
  const std::size_t elements = device_tile_features<T>(net, view);
  const bool kept = g.kept_features.size() > 0;
  if (!kept) most = std::min(most, std::max<std::size_t>(1, batch_features.size() / elements));
  for (; first < last; first += most) {
    const std::size_t count = std::min(most, last - first);
    if (!kept)
      device_features<T>(cuda, net, view, g.feature_views(), first, count, batch_features.data(),
                         features_scratch.data());
    body(TileBatch<T>{std::uint32_t(first), std::uint32_t(count),
                      kept ? g.kept_features.data() + first * elements : batch_features.data()});
  }
}

template <class T>
void ResidualObjectiveOn<T, Cuda>::forward(const CudaGroup<T>& g, const DeviceNetwork<T>& net,
                                           const DeviceGroupView<T>& view,
                                           const ResidualResults<T>& results) {
  for_batches(g, net, 0, g.host_tiles.size(), g.host_tiles.size(), [&](const TileBatch<T>& batch) {
    device_residual<T>(cuda, net, view, batch, results, {memory.data(), memory.size()});
  });
}

template <class T>
bool ResidualObjectiveOn<T, Cuda>::weigh_slices(CudaGroup<T>& g, const DeviceNetwork<T>& net) {
  if (!g.causal || (held && g.weighted)) return false;
  ResidualResults<T> results{};
  results.tile_loss = g.tile_loss.data();
  results.tile_unit = g.tile_unit.data();
  forward(g, net, g.view(false), results);
  device_causal_weights(cuda, g.slices(), g.slice_tiles.data(), g.slice_points.data(), g.tile_unit.data(),
                        g.epsilon, double(std::numeric_limits<T>::epsilon()) * 1e-10, g.slice_weight.data());
  g.weighted = true;
  return true;
}

template <class T>
void ResidualObjectiveOn<T, Cuda>::clear_shares() {
  shares.resize(network.parameters() * std::size_t(device_residual_blocks(cuda)));
  clear<T, 1>(cuda, shares.view());
}

template <class T>
void ResidualObjectiveOn<T, Cuda>::sum_shares(View<T, 1> gradient) {
  check_parameters(gradient.size(), network.parameters());
  device_sum_shares<T>(cuda, shares.data(), device_residual_blocks(cuda), gradient);
  factors.pull_back(gradient.data(), 1, 0);
}

template <class T>
void ResidualObjectiveOn<T, Cuda>::size_rows(std::size_t elements) {
  if (elements <= rows.size()) return;
  rows.resize(elements);
  clear<T, 1>(cuda, rows.view());  // what is behind column P stays zero
}

template <class T>
void ResidualObjectiveOn<T, Cuda>::add_loss(const CudaGroup<T>& g, double* sum) {
  device_loss(cuda, g.host_tiles.size(), g.tiles.data(), g.tile_loss.data(), g.view(true).slice_weight,
              &g != groups.front().get(), sum);
}

template <class T>
double ResidualObjectiveOn<T, Cuda>::loss(View<const T, 1> parameters) {
  const T* theta = enter(parameters);
  for (auto& g : groups) {
    const DeviceNetwork<T> net = on_group(*g, theta);
    if (!weigh_slices(*g, net)) {
      ResidualResults<T> results{};
      results.tile_loss = g->tile_loss.data();
      forward(*g, net, g->view(true), results);
    }
    add_loss(*g, total.data());
  }
  return groups.empty() ? 0.0 : total.fetch()[0];
}

template <class T>
void ResidualObjectiveOn<T, Cuda>::loss_gradient(View<const T, 1> parameters, View<T, 1> gradient,
                                                 View<double, 1> loss) {
  const T* theta = enter(parameters);
  if (groups.empty()) clear<double, 1>(cuda, loss);
  clear_shares();
  for (auto& g : groups) {
    const DeviceNetwork<T> net = on_group(*g, theta, cuda.products());
    weigh_slices(*g, net);
    ResidualResults<T> results{};
    results.tile_loss = g->tile_loss.data();
    results.shares = shares.data();
    forward(*g, net, g->view(true), results);
    add_loss(*g, loss.data());
  }
  sum_shares(gradient);
}

template <class T>
double ResidualObjectiveOn<T, Cuda>::loss_gradient(View<const T, 1> parameters, View<T, 1> gradient) {
  loss_gradient(parameters, gradient, total.view());
  return total.fetch()[0];
}

template <class T>
void ResidualObjectiveOn<T, Cuda>::residuals(int group, View<const T, 1> parameters, View<T, 2> r) {
  CudaGroup<T>& g = at(group);
  check_residuals(r.shape(), g.weights.size(), g.points);
  const T* theta = enter(parameters);
  ResidualResults<T> results{};
  results.residuals = r.data();
  forward(g, on_group(g, theta), g.view(false), results);
}

template <class T>
void ResidualObjectiveOn<T, Cuda>::pull_back(View<const T, 1> parameters,
                                             const std::vector<View<const T, 2>>& seeds,
                                             View<T, 1> gradient) {
  require(seeds.size() == groups.size(), "residual objective: seeds are needed for each group");
  const T* theta = enter(parameters);
  clear_shares();
  for (std::size_t i = 0; i < seeds.size(); ++i) {
    const CudaGroup<T>& g = *groups[i];
    check_residuals(seeds[i].shape(), g.weights.size(), g.points);
    ResidualResults<T> results{};
    results.seeds = seeds[i].data();
    results.shares = shares.data();
    forward(g, on_group(g, theta), g.view(false), results);
  }
  sum_shares(gradient);
}

template <class T>
void ResidualObjectiveOn<T, Cuda>::weigh(int group, View<T, 2> r) {
  const CudaGroup<T>& g = at(group);
  check_residuals(r.shape(), g.weights.size(), g.points);
  if (g.points > 0) device_weigh<T>(cuda, g.view(true), g.slices(), g.slice_points.data(), r);
}

template <class T>
std::vector<std::vector<double>> ResidualObjectiveOn<T, Cuda>::row_norms(View<const T, 1> parameters) {
  const T* theta = enter(parameters);
  const std::size_t stride = row_stride(network.parameters());
  std::vector<std::vector<double>> all;
  for (const auto& group : groups) {
    const CudaGroup<T>& g = *group;
    const DeviceNetwork<T> net = on_group(g, theta);
    const DeviceGroupView<T> view = g.view(false, true);
    const std::size_t residuals = g.weights.size();
    std::vector<double> sum(residuals, 0.0);
    const std::size_t tile = std::size_t(device_tile_points<T>(net, view)) * residuals;
    const std::size_t most = std::max<std::size_t>(1, rows_budget / sizeof(T) / stride / tile);
    for_batches(g, net, 0, g.host_tiles.size(), most, [&](const TileBatch<T>& batch) {
      const PointTile *begin = &g.host_tiles[batch.first], *end = begin + batch.count;
      const std::size_t points = end[-1].first + end[-1].count - begin->first;
      size_rows(batch.count * tile * stride);
      norms.resize(points * residuals);
      device_jacobian<T>(cuda, net, view, batch, rows.data(), stride, {memory.data(), memory.size()});
      factors.pull_back(rows.data(), points * residuals, stride);
      device_row_norms<T>(cuda, rows.data(), points * residuals, stride, network.parameters(), norms.data());
      const std::vector<double> squares = norms.fetch();
      std::size_t row = 0;
      for (const PointTile* t = begin; t != end; ++t)
        for (double& s : sum)
          for (std::uint32_t n = 0; n < t->count; ++n) s += squares[row++];
    });
    for (double& s : sum) s /= double(std::max<std::size_t>(1, g.points));
    all.push_back(std::move(sum));
  }
  return all;
}

template <class T>
double ResidualObjectiveOn<T, Cuda>::normal_equations(View<const T, 1> parameters, View<T, 2> matrix,
                                                      View<T, 1> gradient, View<T, 1> r) {
  const std::size_t p = network.parameters(), stride = row_stride(p);
  const T* theta = enter(parameters);
  check_normal_equations(matrix.shape(), gradient.size(), p);
  // The residual is one more column of the Jacobian: its products are Jᵀr and rᵀr.
  products.resize(stride * stride);
  clear<T, 1>(cuda, products.view());
  T* r_of_group = r.size() > 0 ? r.data() : nullptr;
  for (const auto& group : groups) {
    CudaGroup<T>& g = *group;
    const DeviceNetwork<T> net = on_group(g, theta);
    weigh_slices(g, net);
    if (r_of_group != nullptr && g.points > 0) {  // a pass of its own
      ResidualResults<T> results{};
      results.residuals = r_of_group;
      forward(g, net, g.view(false), results);
      r_of_group += g.weights.size() * g.points;
    }
    const DeviceGroupView<T> view = g.view(true);
    std::size_t alive = g.host_tiles.size();  // tiles before the slices that vanished
    if (view.slice_weight != nullptr) {
      const std::vector<double> weights = g.slice_weight.fetch();
      alive = std::size_t(std::find_if(g.host_tiles.begin(), g.host_tiles.end(),
                                       [&](const PointTile& t) { return weights[t.slice] == 0; }) -
                          g.host_tiles.begin());
    }
    const std::size_t tile = std::size_t(device_tile_points<T>(net, view)) * g.weights.size();
    const std::size_t most = std::max<std::size_t>(1, rows_budget / sizeof(T) / stride / tile);
    for_batches(g, net, 0, alive, most, [&](const TileBatch<T>& batch) {
      const PointTile *begin = &g.host_tiles[batch.first], *last = begin + batch.count - 1;
      const std::size_t count = (last->first + last->count - begin->first) * g.weights.size();
      size_rows(batch.count * tile * stride);
      device_jacobian<T>(cuda, net, view, batch, rows.data(), stride, {memory.data(), memory.size()});
      factors.pull_back(rows.data(), count, stride);
      syrk<T>(cuda, View<const T, 2>(rows.data(), count, stride),
              View<T, 2>(products.data(), stride, stride));
    });
  }
  device_unpack_normal_equations<T>(cuda, products.data(), stride, matrix, gradient, total.data());
  return total.fetch()[0];
}

template <class T>
double ResidualObjectiveOn<T, Cuda>::last_causal_weight(int group) const {
  const CudaGroup<T>& g = at(group);
  return g.causal && g.weighted ? g.slice_weight.fetch().back() : 1.0;
}

template <class T>
int ResidualObjectiveOn<T, Cuda>::evaluated_slices(int group) const {
  const CudaGroup<T>& g = at(group);
  if (!g.causal || !g.weighted) return g.slices();
  const std::vector<double> weights = g.slice_weight.fetch();
  return int(std::count_if(weights.begin(), weights.end(), [](double w) { return w > 0; }));
}

template struct ResidualObjectiveOn<float, Cuda>;
template struct ResidualObjectiveOn<double, Cuda>;
}  // namespace sobolev::detail

namespace sobolev {
template class ResidualObjective<float, Cuda>;
template class ResidualObjective<double, Cuda>;
}  // namespace sobolev
