// SPDX-License-Identifier: Apache-2.0
// Sums, products and norms of vectors.                                          all arrays : [N]
// One thread per element, grid-stride; dot and norm by one block, so that their order is fixed. 3·N·sizeof(T)
// bytes for axpby: bandwidth bound, launch bound below a million elements, as dot and norm are.
#include <cmath>

#include "kernels/common/block_reduce.hpp"
#include "kernels/common/cuda.hpp"
#include "kernels/linalg/vector_shapes.hpp"
#include "sobolev/linalg/vector.hpp"

namespace sobolev {
namespace {
constexpr unsigned dot_threads = 256;

template <class T>
__global__ void axpby_kernel(T a, View<const T, 1> x, T b, View<const T, 1> y, View<T, 1> out) {
  const std::size_t stride = std::size_t(gridDim.x) * blockDim.x;
  for (std::size_t i = std::size_t(blockIdx.x) * blockDim.x + threadIdx.x; i < out.size(); i += stride)
    out(i) = a * x(i) + b * y(i);
}

template <class T>
__global__ void dot_kernel(View<const T, 1> x, View<const T, 1> y, double* sum) {
  SOBOLEV_SHARED(double, sums, dot_threads);
  double own = 0;
  for (std::size_t i = threadIdx.x; i < x.size(); i += dot_threads) own += double(x(i)) * double(y(i));
  sums[threadIdx.x] = own;
  block_sum(sums);
  if (threadIdx.x == 0) *sum = sums[0];
}
}  // namespace

template <class T>
void axpby(const Cuda& cuda, T a, View<const T, 1> x, T b, View<const T, 1> y, View<T, 1> out) {
  detail::check_axpby(x.size(), y.size(), out.size());
  if (out.size() == 0) return;
  launch<axpby_kernel<T>>(cuda, {blocks_for(out.size(), 256), 256}, a, x, b, y, out);
}
template <class T>
double dot(const Cuda& cuda, View<const T, 1> x, View<const T, 1> y) {
  detail::check_dot(x.size(), y.size());
  double sum = 0;
  if (x.size() == 0) return sum;
  double* const result = static_cast<double*>(cuda.scalar());
  launch<dot_kernel<T>>(cuda, {1, dot_threads}, x, y, result);
  download<double, 1>(cuda, View<const double, 1>(result, 1), View<double, 1>(&sum, 1));
  return sum;
}
template <class T>
double norm(const Cuda& cuda, View<const T, 1> x) {
  return std::sqrt(dot<T>(cuda, x, x));
}
template void axpby<float>(const Cuda&, float, View<const float, 1>, float, View<const float, 1>,
                           View<float, 1>);
template void axpby<double>(const Cuda&, double, View<const double, 1>, double, View<const double, 1>,
                            View<double, 1>);
template double dot<float>(const Cuda&, View<const float, 1>, View<const float, 1>);
template double dot<double>(const Cuda&, View<const double, 1>, View<const double, 1>);
template double norm<float>(const Cuda&, View<const float, 1>);
template double norm<double>(const Cuda&, View<const double, 1>);
}  // namespace sobolev
