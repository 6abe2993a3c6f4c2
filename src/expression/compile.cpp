// SPDX-License-Identifier: Apache-2.0
// From the expression graph to a straight-line tape: each node once, constants folded into operands.
#include <bit>
#include <cmath>
#include <map>
#include <tuple>
#include <unordered_map>

#include "operations.hpp"
#include "sobolev/core/error.hpp"
#include "sobolev/expression/tape.hpp"

namespace sobolev {
namespace {
class Compiler {
 public:
  explicit Compiler(std::span<const Expr> inputs) {
    tape_.inputs = std::int32_t(inputs.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) done_.emplace(inputs[i].node(), std::int32_t(i));
  }

  Tape run(std::span<const Expr> outputs) {
    const auto enter = [&](Expr e) { return !done_.contains(e.node()); };
    for (Expr e : detail::operands_first(outputs, enter)) {
      if (e.is_constant() || done_.contains(e.node()))
        continue;  // constants are placed where they are needed
      if (detail::is_leaf(e)) throw ArgumentError("compile: " + to_string(e) + " is not among the inputs");
      const std::int32_t r = instruction(e);
      done_.emplace(e.node(), r);
    }
    for (Expr e : outputs) tape_.outputs.push_back(place(e));
    return std::move(tape_);
  }

 private:
  std::int32_t emit(TapeOp op, std::int32_t a = -1, std::int32_t b = -1, double c = 0) {
    // Powers by multiplication can meet again: share them. By bits, for -0 and NaN are constants too.
    const auto key = std::make_tuple(op, a, b, std::bit_cast<std::uint64_t>(c));
    if (const auto it = emitted_.find(key); it != emitted_.end()) return it->second;
    tape_.instructions.push_back({op, a, b, c});
    return emitted_[key] = tape_.registers() - 1;
  }

  /// The register of a node whose operands are placed.
  std::int32_t place(Expr e) {
    const auto it = done_.find(e.node());
    return it != done_.end() ? it->second : emit(TapeOp::constant, -1, -1, e->value);
  }

  std::int32_t instruction(Expr e) {
    const Expr a = e->a, b = e->b;
    switch (e->op) {
      case Op::add:
        return a.is_constant()   ? emit(TapeOp::add_constant, place(b), -1, a->value)
               : b.is_constant() ? emit(TapeOp::add_constant, place(a), -1, b->value)
                                 : binary(TapeOp::add, a, b);
      case Op::subtract:
        return a.is_constant()   ? emit(TapeOp::subtract_from_constant, place(b), -1, a->value)
               : b.is_constant() ? emit(TapeOp::add_constant, place(a), -1, -b->value)
                                 : binary(TapeOp::subtract, a, b);
      case Op::multiply:
        return a.is_constant()   ? emit(TapeOp::multiply_constant, place(b), -1, a->value)
               : b.is_constant() ? emit(TapeOp::multiply_constant, place(a), -1, b->value)
                                 : binary(TapeOp::multiply, a, b);
      case Op::divide:
        // x / c as x · (1/c) only where 1/c is exact.
        if (b.is_constant() && has_exact_inverse(b->value))
          return emit(TapeOp::multiply_constant, place(a), -1, 1 / b->value);
        return a.is_constant() ? emit(TapeOp::divide_constant_by, place(b), -1, a->value)
                               : binary(TapeOp::divide, a, b);
      case Op::power: return b.is_constant() ? power(place(a), b->value) : binary(TapeOp::power, a, b);
      case Op::minimum: return binary(TapeOp::minimum, a, b);
      case Op::maximum: return binary(TapeOp::maximum, a, b);
      default: return emit(unary(e->op), place(a));
    }
  }

  static bool has_exact_inverse(double c) {
    int exponent = 0;
    return std::abs(std::frexp(c, &exponent)) == 0.5 && std::isnormal(c) && std::isnormal(1 / c);
  }

  std::int32_t binary(TapeOp op, Expr a, Expr b) {
    const std::int32_t left = place(a);
    return emit(op, left, place(b));
  }

  /// Integer powers up to 16 by multiplication: n - 1 of them err by at most (n - 1)/2 eps, less than the
  /// 8 eps that are promised. x^-n is
  /// 1/x^n: only results within a factor 4 of the ends of the range suffer.
  std::int32_t power(std::int32_t a, double exponent) {
    const double n = std::abs(exponent);
    if (n > 16 || n != std::floor(n) || n == 0) return emit(TapeOp::power_constant, a, -1, exponent);
    const std::int32_t r = positive_power(a, int(n));
    return exponent > 0 ? r : emit(TapeOp::divide_constant_by, r, -1, 1.0);
  }
  std::int32_t positive_power(std::int32_t a, int n) {
    if (n == 1) return a;
    if (n == 2) return emit(TapeOp::square, a);
    if (n == 3) return emit(TapeOp::cube, a);
    const std::int32_t half = positive_power(a, n / 2), even = emit(TapeOp::square, half);
    return n % 2 == 0 ? even : emit(TapeOp::multiply, even, a);
  }

  static TapeOp unary(Op op) {
    switch (op) {
      case Op::negate: return TapeOp::negate;
      case Op::sine: return TapeOp::sine;
      case Op::cosine: return TapeOp::cosine;
      case Op::tangent: return TapeOp::tangent;
      case Op::arcsine: return TapeOp::arcsine;
      case Op::arccosine: return TapeOp::arccosine;
      case Op::arctangent: return TapeOp::arctangent;
      case Op::hyperbolic_sine: return TapeOp::hyperbolic_sine;
      case Op::hyperbolic_cosine: return TapeOp::hyperbolic_cosine;
      case Op::hyperbolic_tangent: return TapeOp::hyperbolic_tangent;
      case Op::exponential: return TapeOp::exponential;
      case Op::logarithm: return TapeOp::logarithm;
      case Op::square_root: return TapeOp::square_root;
      case Op::absolute: return TapeOp::absolute;
      case Op::sign: return TapeOp::sign;
      case Op::error_function: return TapeOp::error_function;
      case Op::complementary_error_function: return TapeOp::complementary_error_function;
      case Op::heaviside: return TapeOp::heaviside;
      default: break;
    }
    ensure(false, "an operation without an instruction");
    return TapeOp::constant;
  }

  Tape tape_;
  std::unordered_map<const ExprNode*, std::int32_t> done_;
  std::map<std::tuple<TapeOp, std::int32_t, std::int32_t, std::uint64_t>, std::int32_t> emitted_;
};
}  // namespace

Tape compile(std::span<const Expr> outputs, std::span<const Expr> inputs) {
  return Compiler(inputs).run(outputs);
}

}  // namespace sobolev
