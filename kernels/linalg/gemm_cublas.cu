// SPDX-License-Identifier: Apache-2.0
// C = α A B + β C by cuBLAS, whose matrices are stored by columns: Cᵀ = α Bᵀ Aᵀ + β Cᵀ.
#include "kernels/core/cuda_libraries_detail.hpp"
#include "kernels/linalg/linalg_library.hpp"

namespace sobolev::detail {

template <class T>
void gemm_cublas(const Cuda& cuda, T alpha, View<const T, 3> a, View<const T, 3> b, T beta, View<T, 3> c,
                 const GemmOptions& options) {
  const LibraryHandles& handles = library(cuda);
  const auto call =
      of_scalar<T>(handles.calls.cublasSgemmStridedBatched, handles.calls.cublasDgemmStridedBatched);
  const auto op = [](bool transposed) { return transposed ? CUBLAS_OP_T : CUBLAS_OP_N; };
  const auto extent = [](std::size_t n) { return library_extent(n, "gemm"); };
  const int count = extent(c.extent(0)), m = extent(c.extent(1)), n = extent(c.extent(2)),
            k = extent(a.extent(options.transpose_a ? 1 : 2));
  const auto stride = [](std::size_t rows, std::size_t columns) {
    return static_cast<long long>(rows * columns);
  };
  const auto row = [](std::size_t elements) { return elements > 0 ? int(elements) : 1; };
  library_check(
      call(handles.blas, op(options.transpose_b), op(options.transpose_a), n, m, k, &alpha, b.data(),
           row(b.extent(2)), stride(b.extent(1), b.extent(2)), a.data(), row(a.extent(2)),
           stride(a.extent(1), a.extent(2)), &beta, c.data(), n, stride(c.extent(1), c.extent(2)), count),
      "cublasGemmStridedBatched");
}

template void gemm_cublas<float>(const Cuda&, float, View<const float, 3>, View<const float, 3>, float,
                                 View<float, 3>, const GemmOptions&);
template void gemm_cublas<double>(const Cuda&, double, View<const double, 3>, View<const double, 3>, double,
                                  View<double, 3>, const GemmOptions&);
}  // namespace sobolev::detail
