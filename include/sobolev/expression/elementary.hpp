// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sobolev/core/executor.hpp"
#include "sobolev/core/view.hpp"
#include "sobolev/expression/expr.hpp"

namespace sobolev {

/// y = f(x), elementwise, f a unary operation (negate … heaviside).      x, y : [N]
/// Error in units of the last place, for every argument, on every instruction set:
///   exact      negate, abs, sign, heaviside (0 → ½, NaN → ½); sqrt is correctly rounded
///   1.5        exp, log, erf
///   2          sinh, cosh
///   2.5        sin, cos
///   3          asin, acos, atan
///   4.5        tan, tanh, erfc
/// Zeros keep their sign where f is odd, infinities and NaN give what the C library gives, and results
/// are rounded to subnormal numbers. x == y is allowed. ArgumentError for an operation that is not unary.
template <class T>
void elementary(const Cpu&, Op f, View<const T, 1> x, View<T, 1> y);
/// By CUDA's functions: at most 5 units in the last place.
template <class T>
void elementary(const Cuda&, Op f, View<const T, 1> x, View<T, 1> y);

}  // namespace sobolev
