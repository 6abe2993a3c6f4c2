// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sobolev/core/executor.hpp"
#include "sobolev/core/view.hpp"
#include "sobolev/jet/spec.hpp"

namespace sobolev {

enum class Activation { tanh, sin, gelu, swish, softplus, exponential };

/// Whether σ'(z) is known from y = σ(z): 1 − y², e^z.
constexpr bool slope_from_output(Activation activation) {
  return activation == Activation::tanh || activation == Activation::exponential;
}

/// y = σ(z) in the truncated Taylor algebra of the spec.      z, y : [K, N]
/// y_α = Σ_k σ^(k)(z_0)/k! · [(z − z_0)^k]_α. Aliasing z == y is allowed.
/// Error: 32 eps (1 + Σ |terms|), where σ^(k)(z_0)/k! counts as 1/8 at least: 1 − tanh² and its like keep
/// an absolute accuracy, not a relative one, far out.
/// gelu is z·Φ(z) with the exact normal distribution; swish z/(1 + e^−z); softplus log(1 + e^z).
/// Source: Griewank & Walther 2008, ch. 13; docs/jets.md.
template <class T>
void activation_forward(const Cpu&, Activation, const JetSpec&, View<const T, 2> z, View<T, 2> y);
template <class T>
void activation_forward(const Cuda&, Activation, const JetSpec&, View<const T, 2> z, View<T, 2> y);

/// The adjoint: z̄_β = Σ_{α ≥ β} ȳ_α [σ'(z)]_{α−β}.           z, y, y_bar, z_bar : [K, N]
/// y is what activation_forward gave; tanh and exponential read y alone, the others z alone. Aliasing y_bar
/// == z_bar is allowed.
template <class T>
void activation_backward(const Cpu&, Activation, const JetSpec&, View<const T, 2> z, View<const T, 2> y,
                         View<const T, 2> y_bar, View<T, 2> z_bar);
template <class T>
void activation_backward(const Cuda&, Activation, const JetSpec&, View<const T, 2> z, View<const T, 2> y,
                         View<const T, 2> y_bar, View<T, 2> z_bar);

}  // namespace sobolev
