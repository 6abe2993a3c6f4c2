// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sobolev/core/executor.hpp"
#include "sobolev/core/view.hpp"

namespace sobolev {

/// C += AᵀA, upper triangle (the lower one is not read or written).       a : [N, P], c : [P, P]
/// Error: 2 N eps Σ|a||a| per element. The order of summation does not depend on the threads.
/// On a device by a kernel or by cuBLAS: Cuda::with(Engine).
template <class T>
void syrk(const Cpu&, View<const T, 2> a, View<T, 2> c);
template <class T>
void syrk(const Cuda&, View<const T, 2> a, View<T, 2> c);

}  // namespace sobolev
