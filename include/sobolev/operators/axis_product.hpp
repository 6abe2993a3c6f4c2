// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sobolev/core/executor.hpp"
#include "sobolev/core/view.hpp"

namespace sobolev {

/// A matrix along one axis of fields, as differences and interpolations are:
///   y(b, i, j) (+)= Σ_k D(i, k) x(b, k, j)          x : [B, n, R], D : [m, n], y : [B, m, R]
/// R counts the points behind the axis. turned : [n, m] is the transpose of D; with the two exchanged this is
/// the adjoint. On the CPU terms outside of the first and the last number of a row of D that is not 0 cost
/// nothing where R > 1. Error: 2 eps (n + 1) (Σ_k |D||x| + |y|). Outputs must not overlap inputs.
/// ArgumentError where shapes disagree.
template <class T>
void axis_product(const Cpu&, View<const T, 2> matrix, View<const T, 2> turned, View<const T, 3> x,
                  View<T, 3> y, bool add = false);
template <class T>
void axis_product(const Cuda&, View<const T, 2> matrix, View<const T, 2> turned, View<const T, 3> x,
                  View<T, 3> y, bool add = false);

}  // namespace sobolev
