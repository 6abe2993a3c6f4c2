// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sobolev/core/executor.hpp"
#include "sobolev/core/view.hpp"

namespace sobolev {

/// The scale of Levenberg–Marquardt's damping: d_i = max(G_ii, floor · max_j G_jj).
/// matrix : [P, P], of which the diagonal is read; diagonal : [P]. Source: Moré 1978.
template <class T>
void damping_diagonal(const Cpu&, View<const T, 2> matrix, T floor, View<T, 1> diagonal);
template <class T>
void damping_diagonal(const Cuda&, View<const T, 2> matrix, T floor, View<T, 1> diagonal);

/// The upper triangle of G + λ diag(d) into out : [Q, Q], Q ≥ P; beyond P the identity, so that its factor
/// solves the system of order P. The lower triangle of out is not written.   matrix : [P, P], diagonal : [P]
template <class T>
void damped_matrix(const Cpu&, View<const T, 2> matrix, View<const T, 1> diagonal, T damping, View<T, 2> out);
template <class T>
void damped_matrix(const Cuda&, View<const T, 2> matrix, View<const T, 1> diagonal, T damping,
                   View<T, 2> out);

}  // namespace sobolev
