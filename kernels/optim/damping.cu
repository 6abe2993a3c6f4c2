// SPDX-License-Identifier: Apache-2.0
// The damped matrix of a Levenberg–Marquardt trial.      matrix : [P, P], diagonal : [P], out : [Q, Q]
// A block per row; the diagonal by one block. P²·sizeof(T) bytes: bandwidth bound (P = 2000 in float64: 32
// MB, 7 µs at 4.8 TB/s).
#include "kernels/common/block_reduce.hpp"
#include "kernels/common/cuda.hpp"
#include "kernels/optim/damping_shapes.hpp"
#include "sobolev/optim/damping.hpp"

namespace sobolev {
namespace {
constexpr unsigned diagonal_threads = 256;

template <class T>
__global__ void damping_diagonal_kernel(View<const T, 2> matrix, T floor, View<T, 1> diagonal) {
  SOBOLEV_SHARED(T, largest, diagonal_threads);
  const std::size_t p = diagonal.size();
  T own = T(0);
  for (std::size_t i = threadIdx.x; i < p; i += diagonal_threads)
    own = matrix(i, i) > own ? matrix(i, i) : own;
  largest[threadIdx.x] = own;
  block_reduce(largest, [](T a, T b) { return b > a ? b : a; });
  __syncthreads();
  const T least = floor * largest[0];
  for (std::size_t i = threadIdx.x; i < p; i += diagonal_threads)
    diagonal(i) = matrix(i, i) > least ? matrix(i, i) : least;
}

template <class T>
__global__ void damped_matrix_kernel(View<const T, 2> matrix, View<const T, 1> diagonal, T damping,
                                     View<T, 2> out) {
  const std::size_t p = diagonal.size(), n = out.extent(0), i = blockIdx.x;
  for (std::size_t j = i + threadIdx.x; j < n; j += blockDim.x) {
    const T g = i < p && j < p ? matrix(i, j) : T(0);
    out(i, j) = j > i ? g : i < p ? g + damping * diagonal(i) : T(1);
  }
}
}  // namespace

template <class T>
void damping_diagonal(const Cuda& cuda, View<const T, 2> matrix, T floor, View<T, 1> diagonal) {
  detail::check_damping_diagonal(matrix.shape(), diagonal.size());
  launch<damping_diagonal_kernel<T>>(cuda, {1, diagonal_threads}, matrix, floor, diagonal);
}
template <class T>
void damped_matrix(const Cuda& cuda, View<const T, 2> matrix, View<const T, 1> diagonal, T damping,
                   View<T, 2> out) {
  detail::check_damped_matrix(matrix.shape(), diagonal.size(), out.shape());
  if (out.size() == 0) return;
  launch<damped_matrix_kernel<T>>(cuda, {unsigned(out.extent(0)), 256}, matrix, diagonal, damping, out);
}
template void damping_diagonal<float>(const Cuda&, View<const float, 2>, float, View<float, 1>);
template void damping_diagonal<double>(const Cuda&, View<const double, 2>, double, View<double, 1>);
template void damped_matrix<float>(const Cuda&, View<const float, 2>, View<const float, 1>, float,
                                   View<float, 2>);
template void damped_matrix<double>(const Cuda&, View<const double, 2>, View<const double, 1>, double,
                                    View<double, 2>);
}  // namespace sobolev
