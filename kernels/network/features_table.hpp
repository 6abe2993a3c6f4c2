// SPDX-License-Identifier: Apache-2.0
#pragma once
// Features and a JetSpec in the form that the kernels read.
#include <cstdint>
#include <vector>

#include "kernels/expression/tape_view.hpp"
#include "sobolev/network/features.hpp"

namespace sobolev::detail {

template <class T>
struct LinearFeature {
  int feature, coordinate;
  T scale, shift;
};
template <class T>
struct PeriodicFeature {
  int feature, coordinate, modes;
  T omega;
};
/// Channel += coefficient · ∂^order by this coordinate (other derivatives of one-coordinate features vanish).
template <class T>
struct PureDerivative {
  int channel, coordinate, order;
  T coefficient;
};

template <class T>
struct FeatureView {
  int inputs, coordinates, channels;
  int linear_count, periodic_count, derivative_count, expression_count;
  const LinearFeature<T>* linear;
  const PeriodicFeature<T>* periodic;
  const PureDerivative<T>* derivatives;
  const int* expression_features;  // which inputs they are
  TapeView tape;                   // outputs [expression][channel]
};

template <class T>
class FeatureTable {
 public:
  /// mirror: a bit per coordinate that is negated first.
  FeatureTable(const Features& features, const JetSpec& spec, unsigned mirror);
  FeatureView<T> view() const;
  const Tape& tape() const { return tape_; }

 private:
  int inputs_, coordinates_, channels_;
  std::vector<LinearFeature<T>> linear_;
  std::vector<PeriodicFeature<T>> periodic_;
  std::vector<PureDerivative<T>> derivatives_;
  std::vector<int> expression_features_;
  Tape tape_;
};

}  // namespace sobolev::detail
