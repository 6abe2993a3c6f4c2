// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sobolev/core/executor.hpp"
#include "sobolev/core/view.hpp"

namespace sobolev {

struct GemmOptions {
  bool transpose_a = false, transpose_b = false;  // a is [K, M], b is [N, K]
};

/// C = α A B + β C; with β = 0 what C holds does not matter.            a : [M, K], b : [K, N], c : [M, N]
/// C must not overlap A or B. ArgumentError unless the shapes agree.
/// Error: 2 eps (K |α| Σ|a||b| + |β c|) per element. The order of summation does not depend on the threads.
/// On a device by a kernel or by cuBLAS: Cuda::with(Engine).
template <class T>
void gemm(const Cpu&, T alpha, View<const T, 2> a, View<const T, 2> b, T beta, View<T, 2> c,
          const GemmOptions& options = {});
template <class T>
void gemm(const Cuda&, T alpha, View<const T, 2> a, View<const T, 2> b, T beta, View<T, 2> c,
          const GemmOptions& options = {});

/// The same for each of B products.                            a : [B, M, K], b : [B, K, N], c : [B, M, N]
template <class T>
void gemm(const Cpu&, T alpha, View<const T, 3> a, View<const T, 3> b, T beta, View<T, 3> c,
          const GemmOptions& options = {});
template <class T>
void gemm(const Cuda&, T alpha, View<const T, 3> a, View<const T, 3> b, T beta, View<T, 3> c,
          const GemmOptions& options = {});

}  // namespace sobolev
