// SPDX-License-Identifier: Apache-2.0
// y(b, p, o) = Σ_k β(b, o, k) τ(t, p, o, k) + c(o), and its adjoint.     β : [B, O K], τ : [B or 1, P, O K]
// All three products are strided matrix products of 16² results a block (tile_product_detail.hpp), a block
// row for each output and, where τ is not shared, for each sample; c̄ is a block's sum for each output. 2 B P
// O K FLOPs forward, 4 B P O K backward, two loads from shared memory an FMA: bound by those where τ is
// shared, else by the B P O K numbers of τ and τ̄.
#include <algorithm>

#include "kernels/common/cuda.hpp"
#include "kernels/operators/basis_product_shapes.hpp"
#include "kernels/operators/tile_product_detail.hpp"
#include "sobolev/operators/basis_product.hpp"

namespace sobolev {
namespace {
constexpr unsigned side = detail::tile_side, sum_threads = 256;

/// One block for each output: sums[o] += Σ y_bar(·, o).
template <class T>
__global__ void basis_bias_kernel(View<const T, 3> y_bar, View<T, 1> sums) {
  SOBOLEV_SHARED(T, part, sum_threads);
  const std::size_t outputs = y_bar.extent(2), o = blockIdx.x, n = y_bar.size() / outputs;
  T sum = T(0);
  for (std::size_t i = threadIdx.x; i < n; i += sum_threads) sum += y_bar.data()[i * outputs + o];
  part[threadIdx.x] = sum;
  for (unsigned half = sum_threads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.x < half) part[threadIdx.x] += part[threadIdx.x + half];
  }
  if (threadIdx.x == 0) sums(o) += part[0];
}

LaunchShape tiles(std::size_t rows, std::size_t columns, std::size_t groups) {
  const std::size_t across = (columns + side - 1) / side;
  require(across <= 65535, "basis_product: more than 2^20 samples or basis functions on a device");
  return {{blocks_for(rows, side), unsigned(across), unsigned(std::min<std::size_t>(groups, 65535))},
          {side, side}};
}
}  // namespace

template <class T>
void basis_product(const Cuda& cuda, View<const T, 2> branch, View<const T, 3> trunk, View<const T, 1> bias,
                   View<T, 3> y) {
  const auto s =
      detail::basis_product_shape("basis_product", branch.shape(), trunk.shape(), bias.size(), y.shape());
  if (y.size() == 0) return;
  const std::size_t row = s.outputs * s.basis, field = s.points * s.outputs, samples = s.shared ? s.batch : 1,
                    groups = s.shared ? 1 : s.batch;
  launch<detail::strided_tiles_kernel<T>>(cuda, tiles(s.points, samples, s.outputs * groups), trunk.data(),
                                          detail::Steps{row, 1, s.basis, s.points * row}, branch.data(),
                                          detail::Steps{1, row, s.basis, row}, y.data(),
                                          detail::Steps{s.outputs, field, 1, field}, bias, s.points, samples,
                                          s.basis, s.outputs, groups, false);
}

template <class T>
void basis_product_adjoint(const Cuda& cuda, View<const T, 2> branch, View<const T, 3> trunk,
                           View<const T, 3> y_bar, View<T, 2> branch_bar, bool add_branch,
                           View<T, 3> trunk_bar, bool add_trunk, View<T, 1> bias_bar) {
  const auto s = detail::basis_product_adjoint_shape(branch.shape(), trunk.shape(), y_bar.shape(),
                                                     branch_bar.shape(), trunk_bar.shape(), bias_bar.size());
  const std::size_t row = s.outputs * s.basis, field = s.points * s.outputs, samples = s.shared ? s.batch : 1,
                    groups = s.shared ? 1 : s.batch;
  const View<const T, 1> none(nullptr, 0);
  if (branch_bar.size() > 0)
    launch<detail::strided_tiles_kernel<T>>(cuda, tiles(samples, s.basis, s.outputs * groups), y_bar.data(),
                                            detail::Steps{field, s.outputs, 1, field}, trunk.data(),
                                            detail::Steps{row, 1, s.basis, s.points * row}, branch_bar.data(),
                                            detail::Steps{row, 1, s.basis, row}, none, samples, s.basis,
                                            s.points, s.outputs, groups, add_branch);
  if (trunk_bar.size() > 0)
    launch<detail::strided_tiles_kernel<T>>(cuda, tiles(s.points, s.basis, s.outputs * groups), y_bar.data(),
                                            detail::Steps{s.outputs, field, 1, field}, branch.data(),
                                            detail::Steps{row, 1, s.basis, row}, trunk_bar.data(),
                                            detail::Steps{row, 1, s.basis, s.points * row}, none, s.points,
                                            s.basis, samples, s.outputs, groups, add_trunk);
  if (bias_bar.size() > 0 && y_bar.size() > 0)
    launch<basis_bias_kernel<T>>(cuda, {unsigned(s.outputs), sum_threads}, y_bar, bias_bar);
}

#define SOBOLEV_INSTANTIATE(T)                                                                              \
  template void basis_product<T>(const Cuda&, View<const T, 2>, View<const T, 3>, View<const T, 1>,         \
                                 View<T, 3>);                                                               \
  template void basis_product_adjoint<T>(const Cuda&, View<const T, 2>, View<const T, 3>, View<const T, 3>, \
                                         View<T, 2>, bool, View<T, 3>, bool, View<T, 1>);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE
}  // namespace sobolev
