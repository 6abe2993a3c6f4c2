// SPDX-License-Identifier: Apache-2.0
#pragma once
// ȳ ⊙= σ' on a device, as every adjoint of a layer with an activation begins.
#include "kernels/common/cuda.hpp"

namespace sobolev {
namespace {
template <class T>
__global__ void slope_kernel(View<const T, 1> slope, View<T, 1> y_bar) {
  const std::size_t stride = std::size_t(gridDim.x) * blockDim.x;
  for (std::size_t i = std::size_t(blockIdx.x) * blockDim.x + threadIdx.x; i < y_bar.size(); i += stride)
    y_bar(i) *= slope(i);
}

/// An empty slope is that of the identity.
template <class T, int R>
void multiply_by_slope(const Cuda& cuda, View<const T, R> slope, View<T, R> y_bar) {
  constexpr unsigned threads = 256;
  if (slope.size() == 0) return;
  launch<slope_kernel<T>>(cuda, {blocks_for(y_bar.size(), threads), threads},
                          View<const T, 1>(slope.data(), slope.size()),
                          View<T, 1>(y_bar.data(), y_bar.size()));
}
}  // namespace
}  // namespace sobolev
