// SPDX-License-Identifier: Apache-2.0
#pragma once
// The library's part of linalg/ on a device; only in builds for CUDA (detail::have_libraries).
#include "kernels/core/cuda_libraries.hpp"
#include "sobolev/linalg/gemm.hpp"

namespace sobolev::detail {

// The contracts of gemm, syrk, cholesky and cholesky_solve, whose shapes were checked.
template <class T>
void gemm_cublas(const Cuda&, T alpha, View<const T, 3> a, View<const T, 3> b, T beta, View<T, 3> c,
                 const GemmOptions&);
template <class T>
void syrk_cublas(const Cuda&, View<const T, 2> a, View<T, 2> c);
template <class T>
bool cholesky_cusolver(const Cuda&, View<T, 2> a, View<T, 1> scratch);
template <class T>
std::size_t cholesky_cusolver_scratch(const Cuda&, std::size_t p);
template <class T>
void cholesky_solve_cusolver(const Cuda&, View<const T, 2> u, View<T, 1> b);

// Where the library is expected to be faster: modelled, not measured yet (docs/performance.md).
/// Tiles of 16² with two loads per multiply-add against cuBLAS; below this both are bound by the launch.
inline bool gemm_faster_by_library(double multiply_adds) { return multiply_adds >= 1 << 18; }
/// The kernel uses the FMA units, cuBLAS the matrix units in float64 (twice their peak).
inline bool syrk_faster_by_library(double multiply_adds) { return multiply_adds >= 1 << 24; }
/// P/64 diagonal blocks one after another, about 10 µs each, against cuSOLVER's first milliseconds.
inline bool cholesky_by_library(const Cuda& cuda, std::size_t p) {
  return p > 0 && by_library(cuda, p >= 3000);
}

}  // namespace sobolev::detail
