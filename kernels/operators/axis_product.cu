// SPDX-License-Identifier: Apache-2.0
// y(b, i, j) (+)= Σ_k D(i, k) x(b, k, j), a matrix along one axis.          x : [B, n, R], y : [B, m, R]
// Blocks of 16² results (tile_product_detail.hpp), of a field's i and j, or along the last axis, R = 1, of
// fields and their i. 2 B m n R FLOPs, zeros of D too, two loads from shared memory an FMA: bound by those.
#include <algorithm>

#include "kernels/common/cuda.hpp"
#include "kernels/operators/axis_product_shapes.hpp"
#include "kernels/operators/tile_product_detail.hpp"
#include "sobolev/operators/axis_product.hpp"

namespace sobolev {
template <class T>
void axis_product(const Cuda& cuda, View<const T, 2> matrix, View<const T, 2> turned, View<const T, 3> x,
                  View<T, 3> y, bool add) {
  detail::check_axis_product(matrix.shape(), turned.shape(), x.shape(), y.shape());
  if (y.size() == 0) return;
  const std::size_t batch = x.extent(0), n = x.extent(1), m = y.extent(1), inner = x.extent(2);
  const bool last = inner == 1;
  const std::size_t rows = last ? batch : m, columns = last ? m : inner, groups = last ? 1 : batch;
  const std::size_t across = (columns + detail::tile_side - 1) / detail::tile_side;
  require(across <= 65535, "axis_product: more than 2^20 points behind an axis on a device");
  const LaunchShape shape{
      {blocks_for(rows, detail::tile_side), unsigned(across), unsigned(std::min<std::size_t>(groups, 65535))},
      {detail::tile_side, detail::tile_side}};
  const View<const T, 1> none(nullptr, 0);
  using detail::Steps;
  if (last)
    launch<detail::strided_tiles_kernel<T>>(cuda, shape, x.data(), Steps{n, 1, 0, 0}, turned.data(),
                                            Steps{m, 1, 0, 0}, y.data(), Steps{m, 1, 0, 0}, none, rows,
                                            columns, n, std::size_t(1), groups, add);
  else
    launch<detail::strided_tiles_kernel<T>>(
        cuda, shape, matrix.data(), Steps{n, 1, 0, 0}, x.data(), Steps{inner, 1, 0, n * inner}, y.data(),
        Steps{inner, 1, 0, m * inner}, none, rows, columns, n, std::size_t(1), groups, add);
}

#define SOBOLEV_INSTANTIATE(T)                                                                     \
  template void axis_product<T>(const Cuda&, View<const T, 2>, View<const T, 2>, View<const T, 3>, \
                                View<T, 3>, bool);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE
}  // namespace sobolev
