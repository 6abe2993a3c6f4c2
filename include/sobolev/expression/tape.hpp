// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "sobolev/core/executor.hpp"
#include "sobolev/core/view.hpp"
#include "sobolev/expression/expr.hpp"

namespace sobolev {

/// What an instruction does with registers a, b and the constant c. Beyond the operations of Expr:
/// forms with a constant and small powers.
// clang-format off
enum class TapeOp : std::uint8_t {
  constant,                                  // c
  add, subtract, multiply, divide, power, minimum, maximum,
  add_constant, subtract_from_constant, multiply_constant, divide_constant_by,  // a+c, c-a, a*c, c/a
  power_constant,                            // a^c, any real c
  square, cube,
  negate, sine, cosine, tangent, arcsine, arccosine, arctangent,
  hyperbolic_sine, hyperbolic_cosine, hyperbolic_tangent, exponential, logarithm, square_root,
  absolute, sign, error_function, complementary_error_function, heaviside,
};
// clang-format on

struct TapeInstruction {
  TapeOp op;
  std::int32_t a = -1, b = -1;  // registers read
  double c = 0;
};

/// A straight-line program over registers. Registers 0 … inputs−1 are the inputs; instruction i
/// writes register inputs + i (single assignment, so the reverse sweep needs no tape of values).
struct Tape {
  std::int32_t inputs = 0;
  std::vector<TapeInstruction> instructions;
  std::vector<std::int32_t> outputs;  // the registers that hold the results
  std::int32_t registers() const { return inputs + std::int32_t(instructions.size()); }
};

/// Compiles expressions whose leaves are among `inputs` (ArgumentError names one that is not).
/// Common subexpressions are computed once; dead code does not appear.
Tape compile(std::span<const Expr> outputs, std::span<const Expr> inputs);

/// y_o(n) = output o at point n.              x : [inputs, N], y : [outputs, N]
/// Error: at most 5 eps relative per operation (elementary.hpp), 8 eps for power.
template <class T>
void tape_forward(const Cpu&, const Tape&, View<const T, 2> x, View<T, 2> y);
template <class T>
void tape_forward(const Cuda&, const Tape&, View<const T, 2> x, View<T, 2> y);

/// Forward and reverse: y as above and x̄_i(n) = Σ_o ȳ_o(n) ∂y_o/∂x_i at point n.
/// x : [inputs, N], y_bar : [outputs, N], y : [outputs, N], x_bar : [inputs, N]
template <class T>
void tape_reverse(const Cpu&, const Tape&, View<const T, 2> x, View<const T, 2> y_bar, View<T, 2> y,
                  View<T, 2> x_bar);
template <class T>
void tape_reverse(const Cuda&, const Tape&, View<const T, 2> x, View<const T, 2> y_bar, View<T, 2> y,
                  View<T, 2> x_bar);

}  // namespace sobolev
