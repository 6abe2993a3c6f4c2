// SPDX-License-Identifier: Apache-2.0
#pragma once
// The calls of cuBLAS and cuSOLVER that are used, found when they are loaded, and their handles on a stream.
#include <limits>
#include <string>
#include <type_traits>

#include "sobolev/core/cuda.hpp"
#include "sobolev/core/error.hpp"
#if !SOBOLEV_CUDA_SIMULATED
#include <cublas_v2.h>
#include <cusolverDn.h>

namespace sobolev::detail {

#define SOBOLEV_CUBLAS_CALLS(f, library)                                                  \
  f(library, cublasCreate_v2) f(library, cublasDestroy_v2) f(library, cublasSetStream_v2) \
      f(library, cublasSetWorkspace_v2) f(library, cublasSgemmStridedBatched)             \
          f(library, cublasDgemmStridedBatched) f(library, cublasSsyrk_v2) f(library, cublasDsyrk_v2)
#define SOBOLEV_CUSOLVER_CALLS(f, library)                                                              \
  f(library, cusolverDnCreate) f(library, cusolverDnDestroy) f(library, cusolverDnSetStream)            \
      f(library, cusolverDnSpotrf) f(library, cusolverDnDpotrf) f(library, cusolverDnSpotrf_bufferSize) \
          f(library, cusolverDnDpotrf_bufferSize) f(library, cusolverDnSpotrs) f(library, cusolverDnDpotrs)

struct CudaLibraries {
#define SOBOLEV_MEMBER(library, name) decltype(&::name) name;
  SOBOLEV_CUBLAS_CALLS(SOBOLEV_MEMBER, )
  SOBOLEV_CUSOLVER_CALLS(SOBOLEV_MEMBER, )
#undef SOBOLEV_MEMBER
};

/// Of one executor: made by its first call of a library, and gone with its last copy.
struct LibraryHandles {
  const CudaLibraries& calls;
  cublasHandle_t blas = nullptr;
  cusolverDnHandle_t solver = nullptr;
  void* workspace = nullptr;

  explicit LibraryHandles(const Cuda&);
  ~LibraryHandles();
  LibraryHandles(const LibraryHandles&) = delete;

 private:
  LibraryHandles();  // none yet, so that those of a failed start are given back
};
const LibraryHandles& library(const Cuda&);

/// The call for T = float or double.
template <class T, class Single, class Double>
auto of_scalar(Single single, Double twice) {
  if constexpr (std::is_same_v<T, double>)
    return twice;
  else
    return single;
}
/// As the libraries take it; ArgumentError where it does not fit.
inline int library_extent(std::size_t n, const char* operation) {
  require(n <= std::size_t(std::numeric_limits<int>::max()),
          std::string(operation) + ": more than 2^31 rows or columns");
  return int(n);
}
/// DeviceError unless the status of a library's call is 0.
void library_check(int status, const char* what);

}  // namespace sobolev::detail
#endif
