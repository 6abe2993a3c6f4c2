// SPDX-License-Identifier: Apache-2.0
// Factorised weights, W = diag(eˢ) V, and 1/σ = e^(−log σ). Bytes: 3·P·sizeof(T) for W, 3·P·sizeof(T) for a
// row: bound by the caches.
#include <algorithm>

#include "kernels/common/cuda.hpp"
#include "kernels/common/scalar.hpp"
#include "kernels/common/vector_math.hpp"
#include "kernels/network/network_factor_device.hpp"
#include "sobolev/core/copy.hpp"

namespace sobolev::detail {
namespace {
using target_cuda::vexp;
constexpr unsigned factor_threads = 128;

/// blockIdx.y: the layer. s stays as it is.
template <class T>
__global__ void factor_weights_kernel(const FactoredLayer* layers, T* parameters) {
  const FactoredLayer layer = layers[blockIdx.y];
  const int n = layer.fan_in * layer.fan_out;
  for (int k = int(blockIdx.x * blockDim.x + threadIdx.x); k < n; k += int(gridDim.x * blockDim.x)) {
    const int o = layer.output ? k / layer.fan_in : k % layer.fan_out;
    parameters[layer.weight + unsigned(k)] *= vexp<T>(parameters[layer.factor + unsigned(o)]);
  }
}

/// blockIdx.y: the instruction.
template <class T>
__global__ void sharpness_kernel(const LogWidths* widths, T* parameters) {
  const LogWidths here = widths[blockIdx.y];
  for (int k = int(blockIdx.x * blockDim.x + threadIdx.x); k < here.count; k += int(gridDim.x * blockDim.x))
    parameters[here.at + unsigned(k)] =
        vexp<T>(-detail::bounded_log_width(parameters[here.at + unsigned(k)]));
  T* a = parameters + here.at + unsigned(here.count);
  for (int k = int(blockIdx.x * blockDim.x + threadIdx.x); k < here.shears; k += int(gridDim.x * blockDim.x))
    a[k] = detail::bounded_shear(a[k]);
}

/// blockIdx.x: the row; blockIdx.y: the layer.
template <class T>
__global__ void factor_rows_kernel(const FactoredLayer* layers, const T* effective, std::size_t stride,
                                   T* rows) {
  const FactoredLayer layer = layers[blockIdx.y];
  T* row = rows + blockIdx.x * stride;
  for (int o = int(threadIdx.x); o < layer.fan_out; o += int(blockDim.x)) {
    const T factor = vexp<T>(effective[layer.factor + unsigned(o)]);
    T sum = T(0);
    for (int i = 0; i < layer.fan_in; ++i) {
      const std::size_t at =
          layer.weight + unsigned(layer.output ? o * layer.fan_in + i : i * layer.fan_out + o);
      sum += row[at] * effective[at];
      row[at] *= factor;
    }
    row[layer.factor + unsigned(o)] = sum;
  }
}

std::vector<FactoredLayer> factored_layers(const NetworkPlan& plan) {
  std::vector<FactoredLayer> layers;
  for (const NetworkStep& step : plan.steps)
    if (step.factor > 0)
      layers.push_back(
          {step.weight, step.factor, step.fan_in, step.fan_out, step.kind == Instruction::Kind::output});
  return layers;
}
std::vector<LogWidths> log_widths(const NetworkPlan& plan) {
  std::vector<LogWidths> all;
  for (const NetworkStep& step : plan.steps)
    if (step.kind == Instruction::Kind::gaussian)
      all.push_back({step.bias, step.fan_in * step.fan_out, step.shears * step.fan_out});
  return all;
}
}  // namespace

template <class T>
DeviceFactors<T>::DeviceFactors(const Cuda& cuda, const NetworkPlan& plan)
    : cuda_(cuda),
      parameters_(plan.parameters),
      count_(factored_layers(plan).size()),
      gaussians_(log_widths(plan).size()),
      layers_(cuda, count_),
      widths_(cuda, gaussians_),
      effective_(cuda, count_ + gaussians_ > 0 ? parameters_ : 0) {
  const std::vector<FactoredLayer> layers = factored_layers(plan);
  const std::vector<LogWidths> widths = log_widths(plan);
  if (count_ > 0)
    upload<FactoredLayer, 1>(cuda, View<const FactoredLayer, 1>(layers.data(), count_), layers_.view(count_));
  if (gaussians_ > 0)
    upload<LogWidths, 1>(cuda, View<const LogWidths, 1>(widths.data(), gaussians_), widths_.view(gaussians_));
}

template <class T>
const T* DeviceFactors<T>::effective(const T* parameters) const {
  if (count_ + gaussians_ == 0) return parameters;
  copy<T, 1>(cuda_, View<const T, 1>(parameters, parameters_), effective_.view(parameters_));
  if (count_ > 0)
    launch<factor_weights_kernel<T>>(cuda_, {{16, unsigned(count_)}, factor_threads}, layers_.data(),
                                     effective_.data());
  if (gaussians_ > 0)
    launch<sharpness_kernel<T>>(cuda_, {{16, unsigned(gaussians_)}, factor_threads}, widths_.data(),
                                effective_.data());
  return effective_.data();
}

template <class T>
void DeviceFactors<T>::pull_back(T* rows, std::size_t count, std::size_t stride) const {
  if (count_ == 0 || count == 0) return;
  launch<factor_rows_kernel<T>>(cuda_, {{unsigned(count), unsigned(count_)}, factor_threads}, layers_.data(),
                                static_cast<const T*>(effective_.data()), stride, rows);
}

template class DeviceFactors<float>;
template class DeviceFactors<double>;
}  // namespace sobolev::detail
