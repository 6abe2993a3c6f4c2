// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "kernels/expression/tape_device.hpp"
#include "kernels/network/features_table.hpp"
#include "sobolev/core/cuda.hpp"

namespace sobolev::detail {

/// A FeatureTable in device memory.
template <class T>
class DeviceFeatureTable {
 public:
  DeviceFeatureTable(const Cuda& cuda, const FeatureTable<T>& table)
      : view_(table.view()),
        tape_(cuda, table.tape()),
        linear_(copy(cuda, view_.linear, view_.linear_count)),
        periodic_(copy(cuda, view_.periodic, view_.periodic_count)),
        derivatives_(copy(cuda, view_.derivatives, view_.derivative_count)),
        expression_features_(copy(cuda, view_.expression_features, view_.expression_count)) {
    view_.linear = linear_.data();
    view_.periodic = periodic_.data();
    view_.derivatives = derivatives_.data();
    view_.expression_features = expression_features_.data();
    view_.tape = tape_.view();
  }
  const FeatureView<T>& view() const { return view_; }

 private:
  template <class S>
  static DeviceBuffer<S> copy(const Cuda& cuda, const S* from, int count) {
    DeviceBuffer<S> to(cuda, std::size_t(count));
    upload<S, 1>(cuda, View<const S, 1>(from, count), to.view(count));
    return to;
  }
  FeatureView<T> view_;
  DeviceTape tape_;
  DeviceBuffer<LinearFeature<T>> linear_;
  DeviceBuffer<PeriodicFeature<T>> periodic_;
  DeviceBuffer<PureDerivative<T>> derivatives_;
  DeviceBuffer<int> expression_features_;
};

}  // namespace sobolev::detail
