// SPDX-License-Identifier: Apache-2.0
// C += AᵀA, upper triangle.                                              a : [N, P], c : [P, P]
// One block per tile of 64² (float64) or 128² (float32) elements of C, which sums all rows in order. FLOPs
// N·P² (products of the upper triangle); every block reads its two column strips of A, together P/tile times
// A, from the L2 cache: bound by the FMA units when N ≫ tile. Large products go to cuBLAS (syrk_cublas.cu).
#include "kernels/common/cuda.hpp"
#include "kernels/linalg/linalg_library.hpp"
#include "kernels/linalg/symmetric_shapes.hpp"
#include "kernels/linalg/syrk_block.hpp"
#include "sobolev/linalg/syrk.hpp"

namespace sobolev {
namespace {
template <class T>
__global__ void __launch_bounds__(256) syrk_kernel(View<const T, 2> a, View<T, 2> c) {
  constexpr std::size_t tile = target_cuda::SyrkBlock<T>::tile;
  if (blockIdx.x < blockIdx.y) return;
  target_cuda::syrk_tile<T, 1>(a.data(), a.extent(1), a.extent(0), a.extent(1), blockIdx.y * tile,
                               blockIdx.x * tile, c.data(), c.extent(1));
}
}  // namespace

template <class T>
void syrk(const Cuda& cuda, View<const T, 2> a, View<T, 2> c) {
  detail::check_syrk_shapes(a.shape(), c.shape());
  if (a.size() == 0) return;
  if constexpr (detail::have_libraries)
    if (detail::by_library(cuda, detail::syrk_faster_by_library(double(a.size()) * double(a.extent(1)))))
      return detail::syrk_cublas<T>(cuda, a, c);
  constexpr unsigned tile = target_cuda::SyrkBlock<T>::tile, side = target_cuda::SyrkBlock<T>::side;
  const unsigned n = unsigned((a.extent(1) + tile - 1) / tile);
  launch<syrk_kernel<T>>(cuda, {{n, n}, {side, side}}, a, c);
}
template void syrk<float>(const Cuda&, View<const float, 2>, View<float, 2>);
template void syrk<double>(const Cuda&, View<const double, 2>, View<double, 2>);
}  // namespace sobolev
