// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sobolev/core/executor.hpp"
#include "sobolev/core/view.hpp"

namespace sobolev {

/// The relative L2 error of each sample, over its points and channels, and the gradient of their mean:
///   e_b = ‖s ⊙ y_b + m − t_b‖ / ‖t_b‖,   ȳ = ∂(1/B Σ_b e_b)/∂y
/// y, target : [B, N, C], s, m : [C] or empty (1 and 0), errors : [B], loss : [1] or empty gets the mean,
/// y_bar : [B, N, C] or empty. Where t_b = 0 its norm counts as 1; where y_b is t_b to the bit, ȳ_b is 0.
/// Error: 4 eps (1 + e_b) ‖s y_b + m‖/‖t_b‖, sums in float64 in an order that the shapes give.
/// ArgumentError where shapes disagree.
template <class T>
void relative_l2(const Cpu&, View<const T, 3> y, View<const T, 1> scale, View<const T, 1> offset,
                 View<const T, 3> target, View<double, 1> errors, View<double, 1> loss, View<T, 3> y_bar);
template <class T>
void relative_l2(const Cuda&, View<const T, 3> y, View<const T, 1> scale, View<const T, 1> offset,
                 View<const T, 3> target, View<double, 1> errors, View<double, 1> loss, View<T, 3> y_bar);

}  // namespace sobolev
