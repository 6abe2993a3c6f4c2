// SPDX-License-Identifier: Apache-2.0
// C += AᵀA, upper triangle by rows, by cuBLAS: the lower one by columns of A′A′ᵀ with A′ = Aᵀ by columns.
#include <limits>
#include <type_traits>

#include "kernels/core/cuda_libraries_detail.hpp"
#include "kernels/linalg/linalg_library.hpp"

namespace sobolev::detail {

template <class T>
void syrk_cublas(const Cuda& cuda, View<const T, 2> a, View<T, 2> c) {
  const LibraryHandles& handles = library(cuda);
  const auto call = [&] {
    if constexpr (std::is_same_v<T, double>)
      return handles.calls.cublasDsyrk_v2;
    else
      return handles.calls.cublasSsyrk_v2;
  }();
  for (const std::size_t extent : {a.extent(0), a.extent(1)})
    require(extent <= std::size_t(std::numeric_limits<int>::max()), "syrk: more than 2^31 rows or columns");
  const int p = int(a.extent(1));
  const T one = T(1);
  library_check(call(handles.blas, CUBLAS_FILL_MODE_LOWER, CUBLAS_OP_N, p, int(a.extent(0)), &one, a.data(),
                     p, &one, c.data(), p),
                "cublasSyrk");
}

template void syrk_cublas<float>(const Cuda&, View<const float, 2>, View<float, 2>);
template void syrk_cublas<double>(const Cuda&, View<const double, 2>, View<double, 2>);
}  // namespace sobolev::detail
