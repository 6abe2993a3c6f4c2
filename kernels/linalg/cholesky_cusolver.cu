// SPDX-License-Identifier: Apache-2.0
// A = UᵀU and the solution of UᵀUx = b by cuSOLVER: by columns, where U is the lower triangle L of A = LLᵀ.
#include "kernels/core/cuda_libraries_detail.hpp"
#include "kernels/linalg/linalg_library.hpp"

namespace sobolev::detail {
template <class T>
std::size_t cholesky_cusolver_scratch(const Cuda& cuda, std::size_t p) {
  const LibraryHandles& handles = library(cuda);
  const auto call =
      of_scalar<T>(handles.calls.cusolverDnSpotrf_bufferSize, handles.calls.cusolverDnDpotrf_bufferSize);
  const int n = library_extent(p, "cholesky");
  int elements = 0;
  library_check(call(handles.solver, CUBLAS_FILL_MODE_LOWER, n, nullptr, n, &elements),
                "cusolverDnPotrf_bufferSize");
  return std::size_t(elements);
}

template <class T>
bool cholesky_cusolver(const Cuda& cuda, View<T, 2> a, View<T, 1> scratch) {
  const LibraryHandles& handles = library(cuda);
  const auto call = of_scalar<T>(handles.calls.cusolverDnSpotrf, handles.calls.cusolverDnDpotrf);
  int* const answer = static_cast<int*>(cuda.scalar());
  const int p = library_extent(a.extent(0), "cholesky");
  library_check(call(handles.solver, CUBLAS_FILL_MODE_LOWER, p, a.data(), p, scratch.data(),
                     int(scratch.size()), answer),
                "cusolverDnPotrf");
  int minor = 0;  // the first one that is not positive
  download<int, 1>(cuda, View<const int, 1>(answer, 1), View<int, 1>(&minor, 1));
  return minor == 0;
}

template <class T>
void cholesky_solve_cusolver(const Cuda& cuda, View<const T, 2> u, View<T, 1> b) {
  const LibraryHandles& handles = library(cuda);
  const auto call = of_scalar<T>(handles.calls.cusolverDnSpotrs, handles.calls.cusolverDnDpotrs);
  const int p = library_extent(u.extent(0), "cholesky_solve");
  library_check(call(handles.solver, CUBLAS_FILL_MODE_LOWER, p, 1, u.data(), p, b.data(), p,
                     static_cast<int*>(cuda.scalar())),
                "cusolverDnPotrs");
}

template std::size_t cholesky_cusolver_scratch<float>(const Cuda&, std::size_t);
template std::size_t cholesky_cusolver_scratch<double>(const Cuda&, std::size_t);
template bool cholesky_cusolver<float>(const Cuda&, View<float, 2>, View<float, 1>);
template bool cholesky_cusolver<double>(const Cuda&, View<double, 2>, View<double, 1>);
template void cholesky_solve_cusolver<float>(const Cuda&, View<const float, 2>, View<float, 1>);
template void cholesky_solve_cusolver<double>(const Cuda&, View<const double, 2>, View<double, 1>);
}  // namespace sobolev::detail
