// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sobolev/core/executor.hpp"
#include "sobolev/core/view.hpp"

namespace sobolev {

/// Of fields, point by point: z, or GELU(z) = z Φ(z), Φ(z) = (1 + erf(z/√2))/2 (Hendrycks & Gimpel 2016,
/// exact), or tanh(z).
enum class FieldActivation { identity, gelu, tanh };

/// y = σ(x W + b + a), the 1 × 1 convolution of neural operators: the channels of each point, [N, C], become
/// O others.
///   x : [N, C]   W : [C, O]   b : [O] or empty   a, y : [N, O], a or empty
/// slope : [N, O] gets σ'(x W + b + a), for the adjoint; it may be empty, and is not needed of the identity.
/// y may be the memory of a. Error: 4 eps (C Σ|x||W| + |b| + |a|) before σ, to which GELU and tanh add 4 eps
/// (1 + |z|). ArgumentError where shapes disagree.
template <class T>
void channel_mix(const Cpu&, FieldActivation, View<const T, 2> x, View<const T, 2> weight,
                 View<const T, 1> bias, View<const T, 2> added, View<T, 2> y, View<T, 2> slope);
template <class T>
void channel_mix(const Cuda&, FieldActivation, View<const T, 2> x, View<const T, 2> weight,
                 View<const T, 1> bias, View<const T, 2> added, View<T, 2> y, View<T, 2> slope);

/// Its adjoint. y_bar : [N, O], ȳ becomes z̄ = ȳ ⊙ slope in place, which is ā as well (slope empty: the
/// identity).
///   x̄ (+)= z̄ Wᵀ unless x_bar is empty   W̄ += xᵀ z̄   b̄ += Σ_n z̄ unless bias_bar is empty
/// workspace: channel_mix_workspace numbers. The order of all sums depends on the shapes alone.
template <class T>
void channel_mix_adjoint(const Cpu&, View<const T, 2> x, View<const T, 2> weight, View<const T, 2> slope,
                         View<T, 2> y_bar, View<T, 2> x_bar, bool add, View<T, 2> weight_bar,
                         View<T, 1> bias_bar, View<T, 1> workspace);
template <class T>
void channel_mix_adjoint(const Cuda&, View<const T, 2> x, View<const T, 2> weight, View<const T, 2> slope,
                         View<T, 2> y_bar, View<T, 2> x_bar, bool add, View<T, 2> weight_bar,
                         View<T, 1> bias_bar, View<T, 1> workspace);
std::size_t channel_mix_workspace(std::size_t points, std::size_t inputs, std::size_t outputs);

}  // namespace sobolev
