// SPDX-License-Identifier: Apache-2.0
#pragma once
// A problem's equations and conditions on a box, solved by least-squares collocation: each unknown is a sum
// of products of Chebyshev polynomials (trigonometric ones along periodic coordinates), and Gauss–Newton
// minimises
//   Σ (w r)²,   r the residuals at tensor-product points, w = 1 / (size of a Jacobian row · √points),
// through the normal equations, columns scaled to one. They lose no accuracy that is wanted here: each
// iteration works with the residual itself.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "collocation_basis.hpp"
#include "sobolev/core/executor.hpp"
#include "sobolev/expression/tape.hpp"
#include "sobolev/problem/problem.hpp"

namespace sobolev::detail {

/// What does not depend on the box: residuals compiled with their derivatives by all that is sought.
class CollocationEquations {
 public:
  /// `problem` has concrete options and outlives this.
  explicit CollocationEquations(const Problem& problem);
  struct Field {  // a derivative of an unknown
    std::size_t unknown = 0;
    std::vector<int> orders;  // by coordinate
  };
  struct Group {
    const Condition* condition = nullptr;  // null: the equations
    std::vector<Field> fields;
    std::vector<std::size_t> constants;  // of the problem's unknown constants
    std::size_t residuals = 0;
    std::vector<double> weights;  // by residual
    /// Inputs: coordinates, fields, constants. Outputs of each residual: itself, its derivatives by fields,
    /// then by constants.
    Tape tape;
  };
  const Problem& problem() const { return *problem_; }
  const std::vector<Group>& groups() const { return groups_; }
  /// Every leaf is a coordinate, an unknown or an unknown constant.
  bool supported() const { return supported_; }

 private:
  void add(const Condition* condition, const std::vector<Expr>& residuals);
  const Problem* problem_;
  std::vector<Group> groups_;
  bool supported_ = true;
};

/// One box: a solution of it, by its coefficients.
class CollocationBox {
 public:
  /// A basis for each coordinate. Conditions at places outside of the box do not count.
  CollocationBox(const CollocationEquations& equations, std::vector<AxisBasis> axes);
  /// The box begins where `before` ends in coordinate `time`: each unknown goes on with as many derivatives,
  /// from 0, as `orders` says.
  void go_on_from(const CollocationBox& before, int time, const std::vector<int>& orders);

  std::size_t columns() const { return coefficients.size(); }
  /// Of the normal equations of one iteration, multiplications and additions.
  double work() const;
  /// Coefficients of the functions with these values at the tensor product of the nodes, by unknown.
  void interpolate(const std::vector<std::vector<double>>& values);
  /// Points of the tensor product of the nodes. [N, D]
  std::vector<double> node_points() const;

  struct Result {
    bool converged = false;
    double rms = 0;  // of the weighted residuals: 1 is as large as the terms may be
    int iterations = 0;
  };
  /// From the coefficients as they are.
  Result solve(const Cpu&, int most_iterations);
  /// Σ (w r)² of a group's residuals at points [N, D].
  double squares_at(const Cpu&, const CollocationEquations::Group& group,
                    const std::vector<double>& points) const;
  /// An unknown's derivative at a point.
  double value(std::size_t unknown, const std::vector<int>& orders, const double* point) const;
  /// Of an unknown: the last two coefficients along a coordinate beside the largest one.
  double tail(std::size_t unknown, int axis) const;
  const std::vector<AxisBasis>& axes() const { return axes_; }

  /// By unknown [product of counts, last coordinate fastest], then the unknown constants.
  std::vector<double> coefficients;

 private:
  struct Rows {  // of a group, or of what goes on from the box before
    const CollocationEquations::Group* group;
    std::vector<std::vector<double>> places;               // by coordinate
    std::vector<std::vector<std::vector<double>>> tables;  // by coordinate and order
    std::vector<double> wanted;                            // without a group: values
    CollocationEquations::Field field;
    double weight = 1;
    std::size_t points() const;
  };
  void add_tables(Rows& rows) const;
  void basis_at(const Rows& rows, const std::vector<int>& orders, std::size_t point, double* out) const;
  std::size_t row_count() const;
  /// Outputs of a group's tape at points [N, D], [outputs, N]; field_value(field, point): of the unknowns.
  template <class FieldValue>
  std::vector<double> outputs_at(const Cpu&, const CollocationEquations::Group& group,
                                 const std::vector<double>& points, FieldValue&& field_value) const;
  /// Weighted residuals and, unless it is null, their Jacobian [rows, columns].
  void residuals(const Cpu&, std::vector<double>& r, double* jacobian) const;
  const CollocationEquations* equations_;
  std::vector<AxisBasis> axes_;
  std::size_t functions_ = 1;
  std::vector<Rows> rows_;
};

}  // namespace sobolev::detail
