// SPDX-License-Identifier: Apache-2.0
// C = α A B + β C by cuBLAS, whose matrices are stored by columns: Cᵀ = α Bᵀ Aᵀ + β Cᵀ.
#include <limits>
#include <type_traits>

#include "kernels/core/cuda_libraries_detail.hpp"
#include "kernels/linalg/linalg_library.hpp"

namespace sobolev::detail {

template <class T>
void gemm_cublas(const Cuda& cuda, T alpha, View<const T, 3> a, View<const T, 3> b, T beta, View<T, 3> c,
                 const GemmOptions& options) {
  const LibraryHandles& handles = library(cuda);
  const auto call = [&] {
    if constexpr (std::is_same_v<T, double>)
      return handles.calls.cublasDgemmStridedBatched;
    else
      return handles.calls.cublasSgemmStridedBatched;
  }();
  const auto op = [](bool transposed) { return transposed ? CUBLAS_OP_T : CUBLAS_OP_N; };
  const std::size_t m = c.extent(1), n = c.extent(2), k = a.extent(options.transpose_a ? 1 : 2);
  for (const std::size_t extent : {c.extent(0), m, n, k})
    require(extent <= std::size_t(std::numeric_limits<int>::max()), "gemm: more than 2^31 rows or columns");
  const auto stride = [](std::size_t rows, std::size_t columns) {
    return static_cast<long long>(rows * columns);
  };
  const auto row = [](std::size_t elements) { return elements > 0 ? int(elements) : 1; };
  library_check(
      call(handles.blas, op(options.transpose_b), op(options.transpose_a), int(n), int(m), int(k), &alpha,
           b.data(), row(b.extent(2)), stride(b.extent(1), b.extent(2)), a.data(), row(a.extent(2)),
           stride(a.extent(1), a.extent(2)), &beta, c.data(), int(n), stride(m, n), int(c.extent(0))),
      "cublasGemmStridedBatched");
}

template void gemm_cublas<float>(const Cuda&, float, View<const float, 3>, View<const float, 3>, float,
                                 View<float, 3>, const GemmOptions&);
template void gemm_cublas<double>(const Cuda&, double, View<const double, 3>, View<const double, 3>, double,
                                  View<double, 3>, const GemmOptions&);
}  // namespace sobolev::detail
