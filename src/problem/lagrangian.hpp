// SPDX-License-Identifier: Apache-2.0
#pragma once
// The Lagrangian form of a problem. Labels X are the places where characteristics begin: x(X, t₀) = X and
// x_t = v. The displacement ξ = x − X is an unknown more for each coordinate that moves, so that the form is
// a problem like any other, whose coordinates are labels. With F = ∂x/∂X the chain rule gives
//   ∂_x = F⁻ᵀ ∂_X,   ∂_t|x = ∂_t|X − ξ_t·∂_x,
// in one dimension u_x = u_X / x_X and u_xx = u_XX / x_X² − u_X x_XX / x_X³, and an equation
// u_t + v·∇u + … = 0 becomes ∂_t u|X + … = 0. docs/lagrangian.md.
#include <string>
#include <vector>

#include "sobolev/problem/problem.hpp"

namespace sobolev::detail {

/// The unknown that says how far labels have moved in this coordinate.
std::string displacement_name(const std::string& coordinate);

class LagrangianForm {
 public:
  /// Of a problem with lagrangian. ArgumentError, or ParseError where positions are known, where it has no
  /// such form: no time, no velocity, characteristics that cross a boundary with a condition.
  explicit LagrangianForm(const Problem& problem);

  /// The coordinates that move: indices.
  const std::vector<int>& moving() const { return moving_; }
  /// Of a coordinate, at places.
  Expr velocity(int coordinate) const { return velocity_[std::size_t(coordinate)]; }
  /// The problem that is trained. Its coordinates are labels; it has no reference.
  Problem label_problem() const;
  /// An expression of the unknowns at places as one of the label problem's, by the chain rule.
  Expr at_labels(Expr e) const;
  /// ∂x/∂X of the moving coordinates: [row][column].
  std::vector<std::vector<Expr>> deformation() const;
  /// Its determinant.
  Expr determinant() const { return determinant_; }

 private:
  bool moves(int coordinate) const;
  Expr position(int coordinate) const;
  Expr space_derivative(Expr e, int coordinate, bool by_label) const;
  Expr time_derivative(Expr e) const;
  Expr derivative(const std::string& unknown, const Derivative& orders, bool by_label) const;
  Expr replaced(Expr e, const std::vector<std::pair<Expr, Expr>>& first, bool by_label) const;
  Expr transported(Expr residual) const;
  void read_velocity();
  void check_periodic(const std::string& key, Expr e) const;
  void check_walls() const;
  const Problem* problem_;
  int time_;
  std::vector<Expr> velocity_;  // by coordinate; at places
  std::vector<int> moving_;
  Expr determinant_;
};

/// What is trained for a problem with defaults: itself, its label problem, or that of its pieces.
Problem trained_problem(const Problem& problem);
/// Throws what LagrangianForm throws, and where options do not fit it.
void check_lagrangian(const Problem& problem);

}  // namespace sobolev::detail
