// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "sobolev/core/executor.hpp"
#include "sobolev/optim/objective.hpp"

namespace sobolev {

/// Minimises L(θ) = Σ w r(θ)² over the parameters θ_S, S = `which`, with the others as they are, where r is
/// affine in θ_S: the weights of a network's outputs in a linear equation. Where it is not, one step of
/// Gauss–Newton, which is taken back unless it lowers the loss. Says whether it was taken.
/// JᵀWJ from the normal equations of all parameters where these are at most 8 |S|, and no more than 8192;
/// else columns of J by central differences with the step 1, which are exact up to r quadratic in θ_S. Then
/// (JᵀWJ + λI) δ = −JᵀWr by Cholesky in float64, λ = damping · the largest diagonal element. A small damping
/// finds large weights of either sign, from which gradients go on slowly.
/// Cost: one pass of the normal equations, memory P² elements; else 2 |S| + 3 passes and 2 |S| M elements.
/// Source: Wang, Li, Chen & Perdikaris 2024, "PirateNets", physics-informed initialisation.
template <class T, class E>
bool least_squares_start(const E&, LeastSquares<T, E>& objective, View<T, 1> parameters,
                         const std::vector<std::size_t>& which, double damping = 1e-2);

}  // namespace sobolev
