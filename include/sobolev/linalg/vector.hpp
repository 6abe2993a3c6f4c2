// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sobolev/core/executor.hpp"
#include "sobolev/core/view.hpp"

namespace sobolev {

/// out = a·x + b·y, all of one size; out may be x or y. Error: eps (|a x| + |b y|).
template <class T>
void axpby(const Cpu&, T a, View<const T, 1> x, T b, View<const T, 1> y, View<T, 1> out);
template <class T>
void axpby(const Cuda&, T a, View<const T, 1> x, T b, View<const T, 1> y, View<T, 1> out);

/// Σ x y, both of one size, summed in float64 in a fixed order.
template <class T>
double dot(const Cpu&, View<const T, 1> x, View<const T, 1> y);
template <class T>
double dot(const Cuda&, View<const T, 1> x, View<const T, 1> y);

/// √(Σ x²), summed in float64 in a fixed order; not finite when an element is not.
template <class T>
double norm(const Cpu&, View<const T, 1> x);
template <class T>
double norm(const Cuda&, View<const T, 1> x);

}  // namespace sobolev
