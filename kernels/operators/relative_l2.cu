// SPDX-License-Identifier: Apache-2.0
// The relative L2 error of each sample and the gradient of their mean.            y, target : [B, N, C]
// A block of 256 threads per sample sums in float64, then writes the gradient. Reads 4 N C numbers and writes
// N C: bandwidth bound, for batches of at least as many samples as multiprocessors.
#include <cmath>

#include "kernels/common/block_reduce.hpp"
#include "kernels/common/cuda.hpp"
#include "kernels/operators/relative_l2_shapes.hpp"
#include "sobolev/operators/relative_l2.hpp"

namespace sobolev {
namespace {
constexpr unsigned threads = 256;

template <class T>
__device__ T difference(const View<const T, 3>& y, const View<const T, 1>& scale,
                        const View<const T, 1>& offset, const View<const T, 3>& target, std::size_t i) {
  const T value = y.data()[i];
  if (scale.size() == 0) return value - target.data()[i];
  const std::size_t c = i % y.extent(2);
  return scale(c) * value + offset(c) - target.data()[i];
}

/// blockIdx.x: the sample.
template <class T>
__global__ void relative_l2_kernel(View<const T, 3> y, View<const T, 1> scale, View<const T, 1> offset,
                                   View<const T, 3> target, View<double, 1> errors, View<T, 3> y_bar) {
  SOBOLEV_SHARED(double, error_sums, threads);
  SOBOLEV_SHARED(double, norm_sums, threads);
  const std::size_t size = y.extent(1) * y.extent(2), first = blockIdx.x * size;
  double error = 0, norm = 0;
  for (std::size_t i = threadIdx.x; i < size; i += threads) {
    const double e = double(difference(y, scale, offset, target, first + i)),
                 t = double(target.data()[first + i]);
    error += e * e;
    norm += t * t;
  }
  error_sums[threadIdx.x] = error;
  norm_sums[threadIdx.x] = norm;
  block_sum(error_sums);
  block_sum(norm_sums);
  __syncthreads();
  error = std::sqrt(double(error_sums[0]));
  norm = norm_sums[0] > 0 ? std::sqrt(double(norm_sums[0])) : 1;
  if (threadIdx.x == 0) errors(blockIdx.x) = error / norm;
  if (y_bar.size() == 0) return;
  const T factor = error > 0 ? T(1 / (error * norm * double(y.extent(0)))) : T(0);
  for (std::size_t i = threadIdx.x; i < size; i += threads) {
    const T s = scale.size() > 0 ? scale((first + i) % y.extent(2)) : T(1);
    y_bar.data()[first + i] = factor * s * difference(y, scale, offset, target, first + i);
  }
}

__global__ void mean_kernel(View<const double, 1> errors, View<double, 1> loss) {
  double sum = 0;
  for (std::size_t b = 0; b < errors.size(); ++b) sum += errors(b);
  loss(0) = sum / double(errors.size());
}
}  // namespace

template <class T>
void relative_l2(const Cuda& cuda, View<const T, 3> y, View<const T, 1> scale, View<const T, 1> offset,
                 View<const T, 3> target, View<double, 1> errors, View<double, 1> loss, View<T, 3> y_bar) {
  detail::check_relative_l2(y.shape(), scale.size(), offset.size(), target.shape(), errors.size(),
                            y_bar.shape());
  const unsigned batch = unsigned(y.extent(0));
  if (batch == 0) {
    if (loss.size() > 0) clear<double, 1>(cuda, loss);
    return;
  }
  launch<relative_l2_kernel<T>>(cuda, {batch, threads}, y, scale, offset, target, errors, y_bar);
  if (loss.size() > 0) launch<mean_kernel>(cuda, {1, 1}, View<const double, 1>(errors), loss);
}
#define SOBOLEV_INSTANTIATE(T)                                                                    \
  template void relative_l2<T>(const Cuda&, View<const T, 3>, View<const T, 1>, View<const T, 1>, \
                               View<const T, 3>, View<double, 1>, View<double, 1>, View<T, 3>);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE
}  // namespace sobolev
