// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sobolev/core/executor.hpp"
#include "sobolev/core/view.hpp"

namespace sobolev {

/// y(n, c) = w(c) x(n, c) + b(c), soft gating and normalisation.      x, y : [N, C], w : [C], b : [C] or
/// empty y may be the memory of x. Error: 2 eps (|w x| + |b|). ArgumentError where shapes disagree.
template <class T>
void channel_scale(const Cpu&, View<const T, 2> x, View<const T, 1> weight, View<const T, 1> bias,
                   View<T, 2> y);
template <class T>
void channel_scale(const Cuda&, View<const T, 2> x, View<const T, 1> weight, View<const T, 1> bias,
                   View<T, 2> y);

/// Its adjoint: x̄ (+)= w ⊙ ȳ unless x_bar is empty, w̄ += Σ_n x ⊙ ȳ, b̄ += Σ_n ȳ unless empty.
/// workspace : channel_scale_workspace numbers. The order of all sums depends on the shapes alone.
template <class T>
void channel_scale_adjoint(const Cpu&, View<const T, 2> x, View<const T, 1> weight, View<const T, 2> y_bar,
                           View<T, 2> x_bar, bool add, View<T, 1> weight_bar, View<T, 1> bias_bar,
                           View<T, 1> workspace);
template <class T>
void channel_scale_adjoint(const Cuda&, View<const T, 2> x, View<const T, 1> weight, View<const T, 2> y_bar,
                           View<T, 2> x_bar, bool add, View<T, 1> weight_bar, View<T, 1> bias_bar,
                           View<T, 1> workspace);
std::size_t channel_scale_workspace(std::size_t points, std::size_t channels);

}  // namespace sobolev
