// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sobolev/core/executor.hpp"
#include "sobolev/core/view.hpp"

namespace sobolev {

/// A = UᵀU in place: the upper triangle of a becomes U; the lower one is not read, and parts of it may be
/// overwritten. On the CPU it needs a copy of A unless P is a multiple of 48; on a device none, and it waits
/// for the answer.
/// Returns false when A is not numerically positive definite (a is then spoilt).    a : [P, P]
/// Backward error: 2 P eps |A|. Source: Golub & Van Loan 2013, section 4.2.
template <class T>
bool cholesky(const Cpu&, View<T, 2> a);
template <class T>
bool cholesky(const Cuda&, View<T, 2> a);

/// Solves UᵀU x = b in place.                                             u : [P, P], b : [P]
template <class T>
void cholesky_solve(const Cpu&, View<const T, 2> u, View<T, 1> b);
template <class T>
void cholesky_solve(const Cuda&, View<const T, 2> u, View<T, 1> b);

}  // namespace sobolev
