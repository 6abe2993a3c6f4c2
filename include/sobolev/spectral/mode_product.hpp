// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sobolev/core/executor.hpp"
#include "sobolev/core/view.hpp"

namespace sobolev {

/// Complex products of channels, mode by mode; an axis of 2 holds real and imaginary parts.
///   w(b, k, o) = Σ_c v(b, k, c) r(k, c, o)        v : [B, M, 2, C], r : [M, 2, C, O], w : [B, M, 2, O]
/// Error: 4 eps C Σ_c |v||r| per element. Outputs must not overlap inputs. ArgumentError where shapes
/// disagree.
template <class T>
void mode_product(const Cpu&, View<const T, 4> v, View<const T, 4> r, View<T, 4> w);
template <class T>
void mode_product(const Cuda&, View<const T, 4> v, View<const T, 4> r, View<T, 4> w);

/// v̄(b, k, c) = Σ_o w̄(b, k, o) conj r(k, c, o).
template <class T>
void mode_product_input_adjoint(const Cpu&, View<const T, 4> w_bar, View<const T, 4> r, View<T, 4> v_bar);
template <class T>
void mode_product_input_adjoint(const Cuda&, View<const T, 4> w_bar, View<const T, 4> r, View<T, 4> v_bar);

/// r̄(k, c, o) += Σ_b conj v(b, k, c) w̄(b, k, o), b in order.
template <class T>
void mode_product_weight_adjoint(const Cpu&, View<const T, 4> v, View<const T, 4> w_bar, View<T, 4> r_bar);
template <class T>
void mode_product_weight_adjoint(const Cuda&, View<const T, 4> v, View<const T, 4> w_bar, View<T, 4> r_bar);

}  // namespace sobolev
