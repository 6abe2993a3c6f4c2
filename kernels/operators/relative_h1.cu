// SPDX-License-Identifier: Apache-2.0
// The parts of the relative H1 error and its gradient.            f : [B, n1, n2, n3, C], channels fastest
// Squares: a block of 256 threads per sample, in float64; fields, gradients and factors: a thread per number,
// grid-stride. A difference reads two numbers more an axis, of lines that neighbours read as well: the
// squares move N C numbers a sample, residual and gradient 2 to 3 N C: bandwidth bound, the squares for
// batches of at least as many samples as multiprocessors.
#include <cmath>

#include "kernels/common/block_reduce.hpp"
#include "kernels/common/cuda.hpp"
#include "kernels/operators/relative_h1_parts.hpp"
#include "sobolev/operators/relative_h1.hpp"

namespace sobolev::detail {
namespace {
constexpr unsigned threads = 256;

/// Point i of axis a: its number, points and distance in memory.
struct Along {
  std::size_t i, n, step;
};
__device__ Along along(const H1Axes& axes, int a, std::size_t point, std::size_t channels) {
  if (a == 2) return {point % axes.grid[2], axes.grid[2], channels};
  if (a == 1) return {point / axes.grid[2] % axes.grid[1], axes.grid[1], axes.grid[2] * channels};
  return {point / axes.grid[2] / axes.grid[1], axes.grid[0], axes.grid[1] * axes.grid[2] * channels};
}

template <class T>
__global__ void residual_kernel(View<const T, 3> y, View<const T, 1> scale, View<const T, 1> offset,
                                View<const T, 3> target, View<T, 3> e) {
  const std::size_t count = y.size(), stride = std::size_t(gridDim.x) * blockDim.x;
  for (std::size_t i = std::size_t(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += stride) {
    T value = y.data()[i];
    if (scale.size() > 0) value = scale(i % y.extent(2)) * value + offset(i % y.extent(2));
    e.data()[i] = value - target.data()[i];
  }
}

/// blockIdx.x: the sample.
template <class T>
__global__ void squares_kernel(View<const T, 3> f, H1Axes axes, View<double, 1> squares) {
  SOBOLEV_SHARED(double, sums, threads);
  const std::size_t channels = f.extent(2), size = f.extent(1) * channels;
  const T* const field = f.data() + blockIdx.x * size;
  double sum = 0;
  for (std::size_t i = threadIdx.x; i < size; i += threads) {
    const double own = double(field[i]);
    sum += own * own;
#pragma unroll
    for (int a = 0; a < 3; ++a) {
      if (!(axes.inverse[std::size_t(a)] > 0)) continue;
      const Along at = along(axes, a, i / channels, channels);
      const H1Difference d = h1_difference(at.i, at.n, axes.periodic);
      const std::size_t first = i - at.i * at.step;
      const double e = double(T(d.share * axes.inverse[std::size_t(a)]) *
                              (field[first + d.up * at.step] - field[first + d.down * at.step]));
      sum += e * e;
    }
  }
  sums[threadIdx.x] = sum;
  block_sum(sums);
  if (threadIdx.x == 0) squares(blockIdx.x) = sums[0];
}

template <class T>
__global__ void gradient_kernel(View<const T, 3> f, H1Axes axes, View<T, 3> g) {
  const std::size_t count = f.size(), stride = std::size_t(gridDim.x) * blockDim.x, channels = f.extent(2);
  for (std::size_t i = std::size_t(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += stride) {
    T sum = f.data()[i];
#pragma unroll
    for (int a = 0; a < 3; ++a) {
      const double inverse = axes.inverse[std::size_t(a)];
      if (!(inverse > 0)) continue;
      const Along at = along(axes, a, i / channels % f.extent(1), channels);
      const T* const line = f.data() + i - at.i * at.step;
      // D^T D f at this point: of the differences j that have it as their upper or lower point.
      for (int m = -1; m <= 1; ++m) {
        const bool below = m < 0 && at.i == 0, above = m > 0 && at.i + 1 == at.n;
        if ((below || above) && !axes.periodic) continue;
        const std::size_t j = below ? at.n - 1 : above ? 0 : at.i + std::size_t(m);
        if (m != 0 && j == at.i) continue;
        const H1Difference d = h1_difference(j, at.n, axes.periodic);
        if (d.up == d.down || (d.up != at.i && d.down != at.i)) continue;
        const T w = T(d.share * inverse * d.share * inverse);
        const T difference = line[d.up * at.step] - line[d.down * at.step];
        sum += d.up == at.i ? w * difference : -w * difference;
      }
    }
    g.data()[i] = sum;
  }
}

/// blockIdx.x: the sample.
template <class T>
__global__ void mode_squares_kernel(View<T, 4> v, View<const T, 1> weight, View<double, 1> squares) {
  SOBOLEV_SHARED(double, sums, threads);
  const std::size_t part = 2 * v.extent(3), size = v.extent(0) / squares.size() * v.extent(1) * part;
  T* const mine = v.data() + blockIdx.x * size;
  double sum = 0;
  for (std::size_t i = threadIdx.x; i < size; i += threads) {
    const T value = mine[i], weighed = weight(i / part % v.extent(1)) * value;
    sum += double(weighed) * double(value);
    mine[i] = weighed;
  }
  sums[threadIdx.x] = sum;
  block_sum(sums);
  if (threadIdx.x == 0) squares(blockIdx.x) += sums[0];
}

__global__ void finish_kernel(View<const double, 1> squares, View<double, 1> errors, View<double, 1> loss,
                              View<double, 1> factors) {
  const std::size_t batch = errors.size();
  double sum = 0;
  for (std::size_t b = 0; b < batch; ++b) {
    const double error = std::sqrt(squares(b)),
                 norm = squares(batch + b) > 0 ? std::sqrt(squares(batch + b)) : 1;
    errors(b) = error / norm;
    factors(b) = error > 0 ? 1 / (error * norm * double(batch)) : 0;
    sum += errors(b);
  }
  if (loss.size() > 0) loss(0) = sum / double(batch);
}

template <class T>
__global__ void scale_kernel(View<const double, 1> factors, View<const T, 1> scale, View<T, 3> g) {
  const std::size_t count = g.size(), stride = std::size_t(gridDim.x) * blockDim.x;
  const std::size_t size = g.extent(1) * g.extent(2);
  for (std::size_t i = std::size_t(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += stride) {
    const T factor = T(factors(i / size));
    g.data()[i] *= scale.size() > 0 ? factor * scale(i % g.extent(2)) : factor;
  }
}
}  // namespace

template <class T>
void h1_residual(const Cuda& cuda, View<const T, 3> y, View<const T, 1> scale, View<const T, 1> offset,
                 View<const T, 3> target, View<T, 3> e) {
  if (y.size() == 0) return;
  launch<residual_kernel<T>>(cuda, {blocks_for(y.size(), threads), threads}, y, scale, offset, target, e);
}
template <class T>
void h1_squares(const Cuda& cuda, View<const T, 3> f, const H1Axes& axes, View<double, 1> squares) {
  if (f.size() == 0) return;
  launch<squares_kernel<T>>(cuda, {unsigned(f.extent(0)), threads}, f, axes, squares);
}
template <class T>
void h1_gradient(const Cuda& cuda, View<const T, 3> f, const H1Axes& axes, View<T, 3> g) {
  if (f.size() == 0) return;
  launch<gradient_kernel<T>>(cuda, {blocks_for(f.size(), threads), threads}, f, axes, g);
}
template <class T>
void h1_mode_squares(const Cuda& cuda, View<T, 4> v, View<const T, 1> weight, View<double, 1> squares) {
  if (v.size() == 0) return;
  launch<mode_squares_kernel<T>>(cuda, {unsigned(squares.size()), threads}, v, weight, squares);
}
void h1_finish(const Cuda& cuda, View<const double, 1> squares, View<double, 1> errors, View<double, 1> loss,
               View<double, 1> factors) {
  if (errors.size() == 0) return;
  launch<finish_kernel>(cuda, {1, 1}, squares, errors, loss, factors);
}
template <class T>
void h1_scale(const Cuda& cuda, View<const double, 1> factors, View<const T, 1> scale, View<T, 3> g) {
  if (g.size() == 0) return;
  launch<scale_kernel<T>>(cuda, {blocks_for(g.size(), threads), threads}, factors, scale, g);
}

#define SOBOLEV_INSTANTIATE(T)                                                                    \
  template void h1_residual<T>(const Cuda&, View<const T, 3>, View<const T, 1>, View<const T, 1>, \
                               View<const T, 3>, View<T, 3>);                                     \
  template void h1_squares<T>(const Cuda&, View<const T, 3>, const H1Axes&, View<double, 1>);     \
  template void h1_gradient<T>(const Cuda&, View<const T, 3>, const H1Axes&, View<T, 3>);         \
  template void h1_mode_squares<T>(const Cuda&, View<T, 4>, View<const T, 1>, View<double, 1>);   \
  template void h1_scale<T>(const Cuda&, View<const double, 1>, View<const T, 1>, View<T, 3>);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE
}  // namespace sobolev::detail
