// SPDX-License-Identifier: Apache-2.0
// Complex products of channels, mode by mode, and their adjoints.   v : [B, M, 2, C], r : [M, 2, C, O], w :
// [B, M, 2, O] A block of 16 × 16 threads per mode and tile of 16² outputs; both factors pass through shared
// memory, 16 terms at a time, summed in order. 8 B M C O FLOPs; moves 2 M C O (1 + B/16) + 2 B M (C + O)
// numbers: bound by the weights' bytes for batches up to some 16.
#include "kernels/common/cuda.hpp"
#include "kernels/spectral/mode_product_shapes.hpp"
#include "sobolev/spectral/mode_product.hpp"

namespace sobolev {
namespace {
constexpr unsigned side = 16;

/// A complex matrix of a mode: element (i, j) at i·row + j·column, its imaginary part at + imaginary.
template <class T>
struct Matrix {
  T* data;
  std::size_t mode, row, column, imaginary;
};

/// out(i, j) (+)= Σ_t a(i, t) b(t, j); a or b conjugate.
template <class T, bool conjugate_left, bool conjugate_right, bool add>
__global__ void mode_product_kernel(Matrix<const T> a, Matrix<const T> b, Matrix<T> out, std::size_t rows,
                                    std::size_t terms, std::size_t columns) {
  SOBOLEV_SHARED(T, left, 2 * side * side);
  SOBOLEV_SHARED(T, right, 2 * side * side);
  const unsigned x = threadIdx.x, y = threadIdx.y;
  const std::size_t k = blockIdx.x, i = std::size_t(blockIdx.y) * side + y,
                    j = std::size_t(blockIdx.z) * side + x;
  T re = T(0), im = T(0);
  for (std::size_t t0 = 0; t0 < terms; t0 += side) {
    const std::size_t ta = t0 + x, tb = t0 + y;
    for (unsigned part = 0; part < 2; ++part) {
      left[part * side * side + y * side + x] =
          i < rows && ta < terms ? a.data[k * a.mode + i * a.row + ta * a.column + part * a.imaginary] : T(0);
      right[part * side * side + y * side + x] =
          j < columns && tb < terms ? b.data[k * b.mode + tb * b.row + j * b.column + part * b.imaginary]
                                    : T(0);
    }
    __syncthreads();
    for (unsigned t = 0; t < side; ++t) {
      const T a_re = left[y * side + t], b_re = right[t * side + x];
      const T a_im = (conjugate_left ? T(-1) : T(1)) * left[side * side + y * side + t],
              b_im = (conjugate_right ? T(-1) : T(1)) * right[side * side + t * side + x];
      re += a_re * b_re - a_im * b_im;
      im += a_re * b_im + a_im * b_re;
    }
    __syncthreads();
  }
  if (i < rows && j < columns) {
    T* to = out.data + k * out.mode + i * out.row + j * out.column;
    to[0] = add ? to[0] + re : re;
    to[out.imaginary] = add ? to[out.imaginary] + im : im;
  }
}

/// Of coefficients [B, M, 2, C].
template <class T>
Matrix<T> coefficients(View<T, 4> v) {
  const std::size_t mode = 2 * v.extent(3);
  return {v.data(), mode, v.extent(1) * mode, 1, v.extent(3)};
}
/// Of weights [M, 2, C, O].
template <class T>
Matrix<T> weights(View<T, 4> r) {
  const std::size_t size = r.extent(2) * r.extent(3);
  return {r.data(), 2 * size, r.extent(3), 1, size};
}
template <class T>
Matrix<T> turned(Matrix<T> a) {
  return {a.data, a.mode, a.column, a.row, a.imaginary};
}

template <auto kernel, class... A>
void start(const Cuda& cuda, std::size_t modes, std::size_t rows, std::size_t terms, std::size_t columns,
           const A&... matrices) {
  if (modes * rows * columns == 0) return;
  const auto tiles = [](std::size_t n) { return unsigned((n + side - 1) / side); };
  require(tiles(rows) <= 65535 && tiles(columns) <= 65535, "mode_product: more than 2^20 rows on a device");
  launch<kernel>(cuda, {{unsigned(modes), tiles(rows), tiles(columns)}, {side, side}}, matrices..., rows,
                 terms, columns);
}
}  // namespace

template <class T>
void mode_product(const Cuda& cuda, View<const T, 4> v, View<const T, 4> r, View<T, 4> w) {
  const auto s = detail::mode_product_shape("mode_product", v.shape(), r.shape(), w.shape());
  start<mode_product_kernel<T, false, false, false>>(cuda, s.modes, s.batch, s.inputs, s.outputs,
                                                     coefficients(v), weights(r), coefficients(w));
}

template <class T>
void mode_product_input_adjoint(const Cuda& cuda, View<const T, 4> w_bar, View<const T, 4> r,
                                View<T, 4> v_bar) {
  const auto s =
      detail::mode_product_shape("mode_product_input_adjoint", v_bar.shape(), r.shape(), w_bar.shape());
  start<mode_product_kernel<T, false, true, false>>(cuda, s.modes, s.batch, s.outputs, s.inputs,
                                                    coefficients(w_bar), turned(weights(r)),
                                                    coefficients(v_bar));
}

template <class T>
void mode_product_weight_adjoint(const Cuda& cuda, View<const T, 4> v, View<const T, 4> w_bar,
                                 View<T, 4> r_bar) {
  const auto s =
      detail::mode_product_shape("mode_product_weight_adjoint", v.shape(), r_bar.shape(), w_bar.shape());
  start<mode_product_kernel<T, true, false, true>>(cuda, s.modes, s.inputs, s.batch, s.outputs,
                                                   turned(coefficients(v)), coefficients(w_bar),
                                                   weights(r_bar));
}

#define SOBOLEV_INSTANTIATE(T)                                                                              \
  template void mode_product<T>(const Cuda&, View<const T, 4>, View<const T, 4>, View<T, 4>);               \
  template void mode_product_input_adjoint<T>(const Cuda&, View<const T, 4>, View<const T, 4>, View<T, 4>); \
  template void mode_product_weight_adjoint<T>(const Cuda&, View<const T, 4>, View<const T, 4>, View<T, 4>);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE
}  // namespace sobolev
