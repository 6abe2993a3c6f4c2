// SPDX-License-Identifier: Apache-2.0
#pragma once
// The weights W = diag(eˢ) V of a factorised network on a device: kernels of networks read W from an array
// like the parameters', and what they make of it is pulled back to V and s.
#include <vector>

#include "kernels/network/network_plan.hpp"
#include "sobolev/core/cuda.hpp"

namespace sobolev::detail {

struct FactoredLayer {
  std::size_t weight, factor;
  int fan_in, fan_out;
  bool output;  // V lies as [out, in]
};

template <class T>
class DeviceFactors {
 public:
  DeviceFactors(const Cuda&, const NetworkPlan&);
  /// The parameters with W in the places of V: themselves where nothing is factorised.
  const T* effective(const T* parameters) const;
  /// Rows of derivatives by W, made with effective(parameters), become those by V and s. rows :
  /// [count][stride]
  void pull_back(T* rows, std::size_t count, std::size_t stride) const;

 private:
  Cuda cuda_;
  std::size_t parameters_, count_;
  DeviceBuffer<FactoredLayer> layers_;
  DeviceBuffer<T> effective_;
};

}  // namespace sobolev::detail
