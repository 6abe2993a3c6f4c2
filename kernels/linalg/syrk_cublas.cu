// SPDX-License-Identifier: Apache-2.0
// C += AᵀA, upper triangle by rows, by cuBLAS: the lower one by columns of A′A′ᵀ with A′ = Aᵀ by columns.
#include "kernels/core/cuda_libraries_detail.hpp"
#include "kernels/linalg/linalg_library.hpp"

namespace sobolev::detail {

template <class T>
void syrk_cublas(const Cuda& cuda, View<const T, 2> a, View<T, 2> c) {
  const LibraryHandles& handles = library(cuda);
  const auto call = of_scalar<T>(handles.calls.cublasSsyrk_v2, handles.calls.cublasDsyrk_v2);
  const int rows = library_extent(a.extent(0), "syrk"), p = library_extent(a.extent(1), "syrk");
  const T one = T(1);
  library_check(
      call(handles.blas, CUBLAS_FILL_MODE_LOWER, CUBLAS_OP_N, p, rows, &one, a.data(), p, &one, c.data(), p),
      "cublasSyrk");
}

template void syrk_cublas<float>(const Cuda&, View<const float, 2>, View<float, 2>);
template void syrk_cublas<double>(const Cuda&, View<const double, 2>, View<double, 2>);
}  // namespace sobolev::detail
