// SPDX-License-Identifier: Apache-2.0
#pragma once
// What kernels of networks read on a device in the place of some parameters, from an array like theirs: the
// weights W = diag(eˢ) V of a factorised network, whose derivatives are pulled back to V and s, and 1/σ of
// Gaussians in the place of log σ, by which those kernels differentiate themselves.
#include <vector>

#include "kernels/network/network_plan.hpp"
#include "sobolev/core/cuda.hpp"

namespace sobolev::detail {

struct FactoredLayer {
  std::size_t weight, factor;
  int fan_in, fan_out;
  bool output;  // V lies as [out, in]
};
struct LogWidths {
  std::size_t at;
  int count, shears;  // a follows log σ
};

template <class T>
class DeviceFactors {
 public:
  DeviceFactors(const Cuda&, const NetworkPlan&);
  /// The parameters with W in the places of V and 1/σ in those of log σ: themselves where there is neither.
  const T* effective(const T* parameters) const;
  /// Rows of derivatives by W, made with effective(parameters), become those by V and s. rows :
  /// [count][stride]
  void pull_back(T* rows, std::size_t count, std::size_t stride) const;

 private:
  Cuda cuda_;
  std::size_t parameters_, count_, gaussians_;
  DeviceBuffer<FactoredLayer> layers_;
  DeviceBuffer<LogWidths> widths_;
  DeviceBuffer<T> effective_;
};

}  // namespace sobolev::detail
