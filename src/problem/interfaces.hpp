// SPDX-License-Identifier: Apache-2.0
#pragma once
// A problem cut at planes y = c₁ < c₂ < … of one coordinate of space, where coefficients jump. Piece k,
// between c_k and c_{k+1}, has unknowns of its own, and all pieces lie on one reference coordinate η in [0,
// 1] that is folded like an accordion, so that what meets at a plane has the same η in both pieces:
//   y = c_k + (c_{k+1} − c_k) η in pieces 0, 2, …,   y = c_{k+1} − (c_{k+1} − c_k) η in pieces 1, 3, …
//   ∂_y = ±1/(c_{k+1} − c_k) ∂_η.
// The trained problem is a problem like any other: its equations are those of the pieces, and at η = 1, 0, 1,
// … stand conditions between the unknowns of two pieces.
//
// These follow from the equations in the sense of distributions. An equation Σ a ∂_y F + … = 0 whose
// remaining terms are bounded has no delta function at a plane: Σ a F is the same on both sides. F itself is
// bounded, so what its own outermost derivatives stand over is continuous, and so on: (k T_y)_y = s gives k
// T_y and T, (B w_yy)_yy = q gives (B w_yy)_y, B w_yy, w_y and w.
#include <optional>
#include <string>
#include <vector>

#include "sobolev/problem/problem.hpp"

namespace sobolev::detail {

/// What is the same on both sides of a plane.
struct InterfaceCondition {
  int place = 0;       // of the planes, from 0
  std::string name;    // of the trained condition: interface_1_T
  std::string source;  // the equation that it follows from
  Expr continuous;     // in the names of the problem
};

/// Of an equation or condition of the trained problem: what it is in the problem that was asked.
struct PieceOrigin {
  std::string name;
  int piece = 0;
};

class CutProblem {
 public:
  /// ArgumentError, or ParseError where positions are known, where the problem cannot be cut as it says.
  explicit CutProblem(const Problem& problem);

  /// The coordinate that is cut; empty: the problem is whole.
  const std::string& coordinate() const { return coordinate_; }
  /// Both ends of the range and the planes between them, rising.
  const std::vector<double>& edges() const { return edges_; }
  int pieces() const { return int(edges_.size()) - 1; }
  /// Of a place; a plane belongs to the piece below it.
  int piece_of(double y) const;
  double reference(int piece, double y) const;
  double place(int piece, double eta) const;
  /// The unknown of a piece: T_1, T_2, …
  static std::string piece_name(const std::string& unknown, int piece);
  /// An expression of the unknowns at places of a piece as one of the trained problem's.
  Expr in_piece(Expr e, int piece) const;
  /// ArgumentError where a derivative that was kept jumps at a place that is no plane.
  void check_kept(const std::string& key, Expr e) const;

  std::vector<InterfaceCondition> conditions() const;
  /// The problem that is trained, without defaults; it has no reference.
  Problem trained() const { return trained(nullptr, nullptr); }
  /// What its equations and conditions are in the problem that was asked, in their order.
  std::vector<PieceOrigin> equation_origins() const;
  std::vector<PieceOrigin> condition_origins() const;

 private:
  Problem trained(std::vector<PieceOrigin>* equations, std::vector<PieceOrigin>* conditions) const;
  void find_places();
  void check_places() const;
  void add_equations(Problem& out, std::vector<PieceOrigin>* origins) const;
  void add_conditions(Problem& out, std::vector<PieceOrigin>* origins) const;
  void set_network(Problem& out) const;
  const Problem* problem_;
  std::string coordinate_;
  std::vector<double> edges_;
};

/// The conditions between pieces at each of the planes.
std::vector<InterfaceCondition> interface_conditions(const Problem& problem, const CutProblem& cut);

/// Whether the domain is cut: [interfaces], or what d(…) differentiates jumps inside the domain.
bool is_cut(const Problem& problem);
/// The names of the pieces' unknowns where it is cut, else empty.
std::vector<std::string> piece_unknowns(const Problem& problem);
/// The problem with the planes and the defaults of what is trained filled in.
Problem cut_with_defaults(const Problem& problem);
/// Throws what CutProblem throws, and where options do not fit it.
void check_interfaces(const Problem& problem);
/// The same problem where no residual holds a kept derivative itself (Equation::kept).
Problem with_kept_apart(const Problem& problem);
/// The trained condition that stands for the problem's condition `index` (of several pieces the first), in
/// what trained_problem(problem) gives; null where no piece has it.
const Condition* trained_condition(const Problem& problem, const Problem& trained, std::size_t index);

}  // namespace sobolev::detail
