// SPDX-License-Identifier: Apache-2.0
// C = α A B + β C.                                             a : [M, K], b : [K, N], c : [M, N]
// A block of 16 × 16 threads per tile of 16² elements and product of the batch, which sums K in order. FLOPs
// 2·M·N·K; 2 loads from shared memory per FMA, so bound by those: plain, for small products. Larger ones go
// to cuBLAS (gemm_cublas.cu).
#include "kernels/common/cuda.hpp"
#include "kernels/linalg/gemm_shapes.hpp"
#include "kernels/linalg/linalg_library.hpp"
#include "sobolev/linalg/gemm.hpp"

namespace sobolev {
namespace {
constexpr unsigned gemm_side = 16;

/// blockIdx.z: the product of the batch.
template <class T>
__global__ void gemm_kernel(T alpha, View<const T, 3> a, View<const T, 3> b, T beta, View<T, 3> c,
                            bool transpose_a, bool transpose_b) {
  SOBOLEV_SHARED(T, left, gemm_side * gemm_side);
  SOBOLEV_SHARED(T, right, gemm_side * gemm_side);
  const std::size_t n = blockIdx.z, terms = a.extent(transpose_a ? 1 : 2);
  const unsigned x = threadIdx.x, y = threadIdx.y;
  const std::size_t i = std::size_t(blockIdx.y) * gemm_side + y, j = std::size_t(blockIdx.x) * gemm_side + x;
  T sum = T(0);
  for (std::size_t k0 = 0; k0 < terms; k0 += gemm_side) {
    const std::size_t ka = k0 + x, kb = k0 + y;
    left[y * gemm_side + x] =
        i < c.extent(1) && ka < terms ? (transpose_a ? a(n, ka, i) : a(n, i, ka)) : T(0);
    right[y * gemm_side + x] =
        j < c.extent(2) && kb < terms ? (transpose_b ? b(n, j, kb) : b(n, kb, j)) : T(0);
    __syncthreads();
    for (unsigned k = 0; k < gemm_side; ++k) sum += left[y * gemm_side + k] * right[k * gemm_side + x];
    __syncthreads();
  }
  if (i < c.extent(1) && j < c.extent(2))
    c(n, i, j) = beta == T(0) ? alpha * sum : alpha * sum + beta * c(n, i, j);
}
}  // namespace

template <class T>
void gemm(const Cuda& cuda, T alpha, View<const T, 3> a, View<const T, 3> b, T beta, View<T, 3> c,
          const GemmOptions& options) {
  detail::check_gemm_batch(a.extent(0), b.extent(0), c.extent(0));
  detail::check_gemm_shapes({a.extent(1), a.extent(2)}, {b.extent(1), b.extent(2)},
                            {c.extent(1), c.extent(2)}, options.transpose_a, options.transpose_b);
  if (c.size() == 0) return;
  if constexpr (detail::have_libraries)
    if (detail::by_library(cuda, detail::gemm_faster_by_library(
                                     double(c.size()) * double(a.extent(options.transpose_a ? 1 : 2)))))
      return detail::gemm_cublas<T>(cuda, alpha, a, b, beta, c, options);
  require(c.extent(0) <= 65535, "gemm: more than 65535 products by a device's kernel");
  const auto tiles = [](std::size_t n) { return unsigned((n + gemm_side - 1) / gemm_side); };
  require(tiles(c.extent(1)) <= 65535, "gemm: more than 2^20 rows by a device's kernel");
  launch<gemm_kernel<T>>(
      cuda, {{tiles(c.extent(2)), tiles(c.extent(1)), unsigned(c.extent(0))}, {gemm_side, gemm_side}}, alpha,
      a, b, beta, c, options.transpose_a, options.transpose_b);
}

template <class T>
void gemm(const Cuda& cuda, T alpha, View<const T, 2> a, View<const T, 2> b, T beta, View<T, 2> c,
          const GemmOptions& options) {
  gemm<T>(cuda, alpha, View<const T, 3>(a.data(), 1, a.extent(0), a.extent(1)),
          View<const T, 3>(b.data(), 1, b.extent(0), b.extent(1)), beta,
          View<T, 3>(c.data(), 1, c.extent(0), c.extent(1)), options);
}

#define SOBOLEV_INSTANTIATE(T)                                                             \
  template void gemm<T>(const Cuda&, T, View<const T, 2>, View<const T, 2>, T, View<T, 2>, \
                        const GemmOptions&);                                               \
  template void gemm<T>(const Cuda&, T, View<const T, 3>, View<const T, 3>, T, View<T, 3>, \
                        const GemmOptions&);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE
}  // namespace sobolev
