// SPDX-License-Identifier: Apache-2.0
#pragma once
// The fused step on a device: its groups and memory there, and the order of the kernels. Memory is taken when
// groups and points are given; passes take none.
#include <memory>
#include <vector>

#include "kernels/network/features_device.hpp"
#include "kernels/network/network_factor_device.hpp"
#include "kernels/pinn/residual_device.hpp"
#include "kernels/pinn/residual_objective_detail.hpp"

namespace sobolev::detail {

/// A host array's copy on the device; grows when it must.
template <class S>
class DeviceArray {
 public:
  explicit DeviceArray(const Cuda& cuda) : cuda_(cuda), memory_(cuda, 0) {}
  void resize(std::size_t n) {
    if (n > memory_.size()) {
      memory_ = DeviceBuffer<S>(cuda_, 0);  // the old one goes first
      memory_ = DeviceBuffer<S>(cuda_, n);
    }
    size_ = n;
  }
  void assign(const std::vector<S>& host) {
    resize(host.size());
    if (size_ > 0) upload<S, 1>(cuda_, View<const S, 1>(host.data(), size_), memory_.view(size_));
  }
  std::vector<S> fetch() const {
    std::vector<S> host(size_);
    if (size_ > 0)
      download<S, 1>(cuda_, View<const S, 1>(memory_.data(), size_), View<S, 1>(host.data(), size_));
    return host;
  }
  S* data() const { return size_ > 0 ? memory_.data() : nullptr; }
  std::size_t size() const { return size_; }
  std::size_t bytes() const { return memory_.size() * sizeof(S); }
  View<S, 1> view() const { return memory_.view(size_); }

 private:
  Cuda cuda_;
  DeviceBuffer<S> memory_;
  std::size_t size_ = 0;
};

template <class T>
struct CudaGroup {
  ResidualGroup spec;
  JetTable<T> jet;
  DeviceJetTable<T> device_jet;
  std::vector<std::unique_ptr<DeviceFeatureTable<T>>> features;  // one per mirrored copy
  std::vector<T> parity;
  DeviceTape tape;
  DeviceArray<FieldIndex<T>> fields;
  std::vector<double> weights;
  DeviceArray<T> device_weights, ones, x, external, point_weight, kept_features;
  std::size_t points = 0;

  std::vector<std::size_t> offsets;  // of slices; {0, N} without causal weights
  double epsilon = 0;
  bool causal = false, weighted = false;  // weighted: slice_weight holds those of the last pass
  bool features_due = false;              // those kept are not yet of these points
  std::vector<PointTile> host_tiles;
  DeviceArray<PointTile> tiles;
  DeviceArray<std::uint32_t> slice_tiles, slice_points;
  DeviceArray<double> slice_weight, tile_loss, tile_unit;

  CudaGroup(const Cuda& cuda, ResidualGroup s, const Features& f, const std::vector<Symmetry>& symmetry);
  int slices() const { return int(offsets.size()) - 1; }
  /// slice weights are left out unless they are asked for; weights 1 in place of those of the residuals.
  DeviceGroupView<T> view(bool slice_weights, bool unit_weights = false) const;
  DeviceFeatures<T> feature_views() const;
};

template <class T>
struct ResidualObjectiveOn<T, Cuda> {
  Cuda cuda;
  Network network;
  Features features;
  std::vector<Symmetry> symmetry;
  NetworkPlan plan;
  DeviceFactors<T> factors;
  std::vector<std::unique_ptr<CudaGroup<T>>> groups;
  bool held = false;
  DeviceArray<T> memory, batch_features, features_scratch, shares, rows, products;
  DeviceArray<double> total, norms;

  ResidualObjectiveOn(const Cuda& on, Network n, const Features& f, std::vector<Symmetry> s);
  const Cuda& executor() const { return cuda; }
  CudaGroup<T>& at(int g) const {
    check_group_index(g, groups.size());
    return *groups[std::size_t(g)];
  }

  int add_group(ResidualGroup group);
  void set_points(int group, View<const double, 2> x, View<const double, 2> externals,
                  View<const double, 1> point_weights);
  void set_weights(int group, const std::vector<double>& weights);
  void set_causal(int group, std::vector<std::size_t> offsets, double epsilon);
  std::size_t scratch_bytes() const;
  double loss(View<const T, 1> parameters);
  double loss_gradient(View<const T, 1> parameters, View<T, 1> gradient);
  void loss_gradient(View<const T, 1> parameters, View<T, 1> gradient, View<double, 1> loss);
  void residuals(int group, View<const T, 1> parameters, View<T, 2> r);
  void pull_back(View<const T, 1> parameters, const std::vector<View<const T, 2>>& seeds,
                 View<T, 1> gradient);
  void weigh(int group, View<T, 2> r);
  std::vector<std::vector<double>> row_norms(View<const T, 1> parameters);
  double normal_equations(View<const T, 1> parameters, View<T, 2> matrix, View<T, 1> gradient, View<T, 1> r);
  double last_causal_weight(int group) const;
  int evaluated_slices(int group) const;

 private:
  DeviceNetwork<T> on_group(const CudaGroup<T>& g, const T* parameters,
                            Products products = Products::ieee) const;
  void cut_tiles(CudaGroup<T>& g);
  /// What every pass begins with; the effective parameters.
  const T* enter(View<const T, 1> parameters);
  void size_memory(CudaGroup<T>& g);
  /// body(TileBatch) over tiles first … last − 1 of a group, in batches of at most `most` tiles, with their
  /// features in place.
  template <class Body>
  void for_batches(const CudaGroup<T>& g, const DeviceNetwork<T>& net, std::size_t first, std::size_t last,
                   std::size_t most, Body&& body);
  void forward(const CudaGroup<T>& g, const DeviceNetwork<T>& net, const DeviceGroupView<T>& view,
               const ResidualResults<T>& results);
  /// Makes a causal group's slice weights those of the parameters, unless they are held; true when the pass
  /// left the losses of all tiles behind.
  bool weigh_slices(CudaGroup<T>& g, const DeviceNetwork<T>& net);
  void clear_shares();
  void sum_shares(View<T, 1> gradient);
  void size_rows(std::size_t elements);
  /// The tiles' losses of a group, added to those of the groups before it in sum[0].
  void add_loss(const CudaGroup<T>& g, double* sum);
};

}  // namespace sobolev::detail
