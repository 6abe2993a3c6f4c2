// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sobolev/core/executor.hpp"
#include "sobolev/core/view.hpp"

namespace sobolev {

/// A = UᵀU in place: the upper triangle of a becomes U; the lower one is not read, and parts of it may be
/// overwritten. On the CPU it needs a copy of A unless P is a multiple of 48. On a device it waits for the
/// answer, and is done by kernels or by cuSOLVER: Cuda::with(Engine).
/// Returns false when A is not numerically positive definite (a is then spoilt).    a : [P, P]
/// Backward error: 2 P eps |A|. Source: Golub & Van Loan 2013, section 4.2.
template <class T>
bool cholesky(const Cpu&, View<T, 2> a);
template <class T>
bool cholesky(const Cuda&, View<T, 2> a);
/// The same with the caller's memory, [cholesky_scratch], in place of its own: it takes none.
template <class T>
bool cholesky(const Cpu&, View<T, 2> a, View<T, 1> scratch);
template <class T>
bool cholesky(const Cuda&, View<T, 2> a, View<T, 1> scratch);
/// Elements for a matrix of p rows; on a device only cuSOLVER needs any.
template <class T>
std::size_t cholesky_scratch(const Cpu&, std::size_t p);
template <class T>
std::size_t cholesky_scratch(const Cuda&, std::size_t p);

/// Solves UᵀU x = b in place.                                             u : [P, P], b : [P]
template <class T>
void cholesky_solve(const Cpu&, View<const T, 2> u, View<T, 1> b);
template <class T>
void cholesky_solve(const Cuda&, View<const T, 2> u, View<T, 1> b);

}  // namespace sobolev
