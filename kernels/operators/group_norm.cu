// SPDX-License-Identifier: Apache-2.0
// y = σ(w ⊙ (x − μ)/√(v + ε) + b) of each sample's groups of channels, and its adjoint.
// A block sums one group of one sample in double, by a tree; values are computed point by point. Moves 3 N C
// numbers a sample forward (x twice), 5 backward: bound by bandwidth; 5 numbers of 4 bytes at 3.3 TB/s (H100)
// are 50 µs for 8 samples of 256² × 16.
#include "kernels/common/cuda.hpp"
#include "kernels/operators/field_activation_math.hpp"
#include "kernels/operators/group_norm_shapes.hpp"
#include "kernels/operators/slope_detail.hpp"
#include "sobolev/operators/group_norm.hpp"

namespace sobolev {
namespace {
using namespace target_cuda;
constexpr unsigned threads = 256;

/// The sum over the block's threads, for all of them.
template <class Shared>
__device__ double block_sum(double value, Shared& shared) {
  shared[threadIdx.x] = value;
  __syncthreads();
  for (unsigned n = threads / 2; n > 0; n /= 2) {
    if (threadIdx.x < n) shared[threadIdx.x] += shared[threadIdx.x + n];
    __syncthreads();
  }
  const double sum = shared[0];
  __syncthreads();
  return sum;
}

struct Groups {
  std::size_t points, channels, groups, weights;
  __device__ std::size_t width() const { return channels / groups; }
};

template <class T>
__device__ T weight_at(View<const T, 1> weight, const Groups& s, std::size_t n, std::size_t c) {
  return weight.size() == 0 ? T(1) : weight(s.weights > s.channels ? n * s.channels + c : c);
}

template <class T>
__global__ void norm_statistics_kernel(Groups s, View<const T, 3> x, View<double, 3> statistics) {
  SOBOLEV_SHARED(double, shared, threads);
  const std::size_t b = blockIdx.x / s.groups, g = blockIdx.x % s.groups, width = s.width();
  const double shift = double(x(b, 0, g * width));
  double sum = 0, square = 0;
  for (std::size_t i = threadIdx.x; i < s.points * width; i += threads) {
    const double d = double(x(b, i / width, g * width + i % width)) - shift;
    sum += d;
    square += d * d;
  }
  sum = block_sum(sum, shared);
  square = block_sum(square, shared);
  if (threadIdx.x > 0) return;
  const double count = double(s.points * width), mean = sum / count, variance = square / count - mean * mean;
  statistics(b, g, 0) = shift + mean;
  statistics(b, g, 1) = 1 / sqrt((variance > 0 ? variance : 0) + detail::group_norm_epsilon);
}

template <class T>
__global__ void norm_values_kernel(Groups s, FieldActivation activation, View<const T, 3> x,
                                   View<const T, 1> weight, View<const T, 1> bias,
                                   View<const double, 3> statistics, View<T, 3> y, View<T, 3> slope) {
  const std::size_t stride = std::size_t(gridDim.x) * blockDim.x;
  for (std::size_t i = std::size_t(blockIdx.x) * blockDim.x + threadIdx.x; i < y.size(); i += stride) {
    const std::size_t c = i % s.channels, n = i / s.channels % s.points, b = i / s.channels / s.points,
                      g = c / s.width();
    T value = (x.data()[i] - T(statistics(b, g, 0))) * T(statistics(b, g, 1));
    if (weight.size() > 0) value = weight_at(weight, s, n, c) * value + weight_at(bias, s, n, c);
    if (activation != FieldActivation::identity) {
      T derivative, result;
      if (activation == FieldActivation::gelu)
        activate<T, FieldActivation::gelu>(value, result, derivative);
      else
        activate<T, FieldActivation::tanh>(value, result, derivative);
      value = result;
      if (slope.size() > 0) slope.data()[i] = derivative;
    }
    y.data()[i] = value;
  }
}

/// means(b, g) : mean of w ȳ and of w ȳ x̂.
template <class T>
__global__ void norm_means_kernel(Groups s, View<const T, 3> x, View<const T, 1> weight,
                                  View<const double, 3> statistics, View<const T, 3> y_bar,
                                  View<double, 3> means) {
  SOBOLEV_SHARED(double, shared, threads);
  const std::size_t b = blockIdx.x / s.groups, g = blockIdx.x % s.groups, width = s.width();
  const T mean = T(statistics(b, g, 0)), scale = T(statistics(b, g, 1));
  double sum = 0, product = 0;
  for (std::size_t i = threadIdx.x; i < s.points * width; i += threads) {
    const std::size_t n = i / width, c = g * width + i % width;
    const double bar = double(weight_at(weight, s, n, c)) * double(y_bar(b, n, c));
    sum += bar;
    product += bar * double((x(b, n, c) - mean) * scale);
  }
  sum = block_sum(sum, shared);
  product = block_sum(product, shared);
  if (threadIdx.x > 0) return;
  means(b, g, 0) = sum / double(s.points * width);
  means(b, g, 1) = product / double(s.points * width);
}

template <class T>
__global__ void norm_adjoint_kernel(Groups s, View<const T, 3> x, View<const T, 1> weight,
                                    View<const double, 3> statistics, View<const double, 3> means,
                                    View<const T, 3> y_bar, View<T, 3> x_bar, bool add) {
  const std::size_t stride = std::size_t(gridDim.x) * blockDim.x;
  for (std::size_t i = std::size_t(blockIdx.x) * blockDim.x + threadIdx.x; i < x.size(); i += stride) {
    const std::size_t c = i % s.channels, n = i / s.channels % s.points, b = i / s.channels / s.points,
                      g = c / s.width();
    const T scale = T(statistics(b, g, 1)), normal = (x.data()[i] - T(statistics(b, g, 0))) * scale;
    const T value = scale * (weight_at(weight, s, n, c) * y_bar.data()[i] - T(means(b, g, 0)) -
                             normal * T(means(b, g, 1)));
    x_bar.data()[i] = add ? x_bar.data()[i] + value : value;
  }
}

/// A block for each weight where points share them, else a thread.
template <class T>
__global__ void norm_weights_kernel(Groups s, View<const T, 3> x, View<const double, 3> statistics,
                                    View<const T, 3> y_bar, View<T, 1> weight_bar, View<T, 1> bias_bar) {
  SOBOLEV_SHARED(double, shared, threads);
  const bool each = s.weights > s.channels;
  const std::size_t samples = x.extent(0),
                    first = each ? std::size_t(blockIdx.x) * threads + threadIdx.x : blockIdx.x;
  const std::size_t step = each ? std::size_t(gridDim.x) * threads : gridDim.x;
  for (std::size_t w = first; w < s.weights; w += step) {
    const std::size_t c = w % s.channels, n0 = w / s.channels, g = c / s.width();
    double product = 0, sum = 0;
    for (std::size_t b = 0; b < samples; ++b) {
      const T mean = T(statistics(b, g, 0)), scale = T(statistics(b, g, 1));
      for (std::size_t n = each ? n0 : threadIdx.x; n < (each ? n0 + 1 : s.points); n += threads) {
        const double bar = double(y_bar(b, n, c));
        product += bar * double((x(b, n, c) - mean) * scale);
        sum += bar;
      }
    }
    if (!each) {
      product = block_sum(product, shared);
      sum = block_sum(sum, shared);
      if (threadIdx.x > 0) continue;
    }
    weight_bar(w) += T(product);
    bias_bar(w) += T(sum);
  }
}
}  // namespace

template <class T>
void group_norm(const Cuda& cuda, FieldActivation activation, View<const T, 3> x, View<const T, 1> weight,
                View<const T, 1> bias, View<T, 3> y, View<double, 3> statistics, View<T, 3> slope) {
  const auto s = detail::group_norm_shape("group_norm", x.shape(), y.shape(), statistics.shape(),
                                          slope.shape(), weight.size(), bias.size());
  if (y.size() == 0) return;
  const Groups groups{s.points, s.channels, s.groups, s.weights};
  launch<norm_statistics_kernel<T>>(cuda, {unsigned(s.samples * s.groups), threads}, groups, x, statistics);
  launch<norm_values_kernel<T>>(cuda, {blocks_for(y.size(), threads), threads}, groups, activation, x, weight,
                                bias, View<const double, 3>(statistics), y, slope);
}

template <class T>
void group_norm_adjoint(const Cuda& cuda, View<const T, 3> x, View<const T, 1> weight,
                        View<const double, 3> statistics, View<const T, 3> slope, View<T, 3> y_bar,
                        View<T, 3> x_bar, bool add, View<T, 1> weight_bar, View<T, 1> bias_bar,
                        View<double, 1> workspace) {
  const auto s = detail::group_norm_adjoint_shape(x.shape(), y_bar.shape(), x_bar.shape(), statistics.shape(),
                                                  slope.shape(), weight.size(), weight_bar.size(),
                                                  bias_bar.size(), workspace.size());
  if (x.size() == 0) return;
  const Groups groups{s.points, s.channels, s.groups, s.weights};
  multiply_by_slope<T, 3>(cuda, slope, y_bar);
  const View<const T, 3> z_bar = y_bar;
  if (x_bar.size() > 0) {
    const View<double, 3> means(workspace.data(), s.samples, s.groups, 2);
    launch<norm_means_kernel<T>>(cuda, {unsigned(s.samples * s.groups), threads}, groups, x, weight,
                                 statistics, z_bar, means);
    launch<norm_adjoint_kernel<T>>(cuda, {blocks_for(x.size(), threads), threads}, groups, x, weight,
                                   statistics, View<const double, 3>(means), z_bar, x_bar, add);
  }
  if (s.weights == 0) return;
  const unsigned blocks = s.weights > s.channels ? blocks_for(s.weights, threads) : unsigned(s.weights);
  launch<norm_weights_kernel<T>>(cuda, {blocks, threads}, groups, x, statistics, z_bar, weight_bar, bias_bar);
}

#define SOBOLEV_INSTANTIATE(T)                                                                               \
  template void group_norm<T>(const Cuda&, FieldActivation, View<const T, 3>, View<const T, 1>,              \
                              View<const T, 1>, View<T, 3>, View<double, 3>, View<T, 3>);                    \
  template void group_norm_adjoint<T>(const Cuda&, View<const T, 3>, View<const T, 1>,                       \
                                      View<const double, 3>, View<const T, 3>, View<T, 3>, View<T, 3>, bool, \
                                      View<T, 1>, View<T, 1>, View<double, 1>);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE
}  // namespace sobolev
