// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sobolev/core/executor.hpp"
#include "sobolev/core/view.hpp"
#include "sobolev/operators/channel_mix.hpp"

namespace sobolev {

/// Normalises the channels of each sample in groups side by side, over all of its points:
///   y = σ(w ⊙ (x − μ)/√(v + 1e-5) + b), μ and v the mean and the variance of a sample's group
/// One group is layer normalisation, as many as channels are instance normalisation.
///   x, y : [B, N, C]   w, b : [C], or [N C] with one for each point, or both empty
///   statistics : [B, groups, 2] gets μ and 1/√(v + 1e-5), slope : [B, N, C] or empty σ', both for the
///   adjoint
/// y may be the memory of x. Sums are taken in double. Error: 8 eps (|w| (1 + |x − μ|/√v) + |b|) before σ.
/// ArgumentError where shapes disagree.
/// Source: Wu & He 2018, "Group normalization".
template <class T>
void group_norm(const Cpu&, FieldActivation, View<const T, 3> x, View<const T, 1> weight,
                View<const T, 1> bias, View<T, 3> y, View<double, 3> statistics, View<T, 3> slope);
template <class T>
void group_norm(const Cuda&, FieldActivation, View<const T, 3> x, View<const T, 1> weight,
                View<const T, 1> bias, View<T, 3> y, View<double, 3> statistics, View<T, 3> slope);

/// Its adjoint, with x̂ = (x − μ)/√(v + 1e-5) and g = w ⊙ z̄; ȳ becomes z̄ = ȳ ⊙ slope in place (slope empty:
/// the identity).
///   x̄ (+)= (g − mean g − x̂ mean(g x̂))/√(v + 1e-5), means over a sample's group
///   w̄ += Σ z̄ x̂   b̄ += Σ z̄, over the samples, and the points where all of them share w
/// x_bar may be empty, weight_bar and bias_bar as w. workspace : group_norm_workspace numbers. The order of
/// all sums depends on the shapes alone.
template <class T>
void group_norm_adjoint(const Cpu&, View<const T, 3> x, View<const T, 1> weight,
                        View<const double, 3> statistics, View<const T, 3> slope, View<T, 3> y_bar,
                        View<T, 3> x_bar, bool add, View<T, 1> weight_bar, View<T, 1> bias_bar,
                        View<double, 1> workspace);
template <class T>
void group_norm_adjoint(const Cuda&, View<const T, 3> x, View<const T, 1> weight,
                        View<const double, 3> statistics, View<const T, 3> slope, View<T, 3> y_bar,
                        View<T, 3> x_bar, bool add, View<T, 1> weight_bar, View<T, 1> bias_bar,
                        View<double, 1> workspace);
std::size_t group_norm_workspace(std::size_t samples, std::size_t channels);

}  // namespace sobolev
