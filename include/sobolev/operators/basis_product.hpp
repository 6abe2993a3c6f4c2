// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sobolev/core/executor.hpp"
#include "sobolev/core/view.hpp"

namespace sobolev {

/// Fields as sums of basis functions, what a DeepONet makes of its branch β and its trunk τ, for O outputs of
/// K functions each:
///   y(b, p, o) = Σ_k β(b, o K + k) τ(t, p, o K + k) + c(o),   t = b, or 0 where τ is the same for all
///   samples
/// β : [B, O K], τ : [B or 1, P, O K], c : [O] or empty, y : [B, P, O].
/// Error: 2 eps (K Σ_k |β||τ| + |c|). ArgumentError where shapes disagree.
/// Source: Lu, Jin et al. 2021, "Learning nonlinear operators via DeepONet", eq. 2; several outputs by parts
/// of both networks' outputs: Lu et al. 2022, "A comprehensive and fair comparison", 3.1.6.
template <class T>
void basis_product(const Cpu&, View<const T, 2> branch, View<const T, 3> trunk, View<const T, 1> bias,
                   View<T, 3> y);
template <class T>
void basis_product(const Cuda&, View<const T, 2> branch, View<const T, 3> trunk, View<const T, 1> bias,
                   View<T, 3> y);

/// Its adjoint: β̄ (+)= Σ_p ȳ τ, τ̄ (+)= ȳ β, summed over the samples that share τ, each unless it is empty,
/// and c̄ += Σ_{b,p} ȳ unless it is empty. The order of all sums depends on the shapes alone.
template <class T>
void basis_product_adjoint(const Cpu&, View<const T, 2> branch, View<const T, 3> trunk,
                           View<const T, 3> y_bar, View<T, 2> branch_bar, bool add_branch,
                           View<T, 3> trunk_bar, bool add_trunk, View<T, 1> bias_bar);
template <class T>
void basis_product_adjoint(const Cuda&, View<const T, 2> branch, View<const T, 3> trunk,
                           View<const T, 3> y_bar, View<T, 2> branch_bar, bool add_branch,
                           View<T, 3> trunk_bar, bool add_trunk, View<T, 1> bias_bar);

}  // namespace sobolev
