// SPDX-License-Identifier: Apache-2.0
#pragma once
// Black box multigrid (Dendy 1982) for symmetric positive definite operators of five or nine points on a
// rectangle, zero outside of it.
#include <array>
#include <cstddef>
#include <vector>

namespace sobolev::detail {

/// A symmetric operator: of each point the diagonal and the couplings to four of its eight neighbours, which
/// have the others. Arrays have a border of zeros around the n0 × n1 points, so that no neighbour needs a
/// question.
struct NinePoint {
  std::size_t n0 = 0, n1 = 0;
  bool five = false;  // no diagonal neighbours
  std::vector<double> centre, east, north, north_east,
      north_west;  // (i, j) to (i, j+1), (i+1, j), (i+1, j±1)

  NinePoint() = default;
  NinePoint(std::size_t rows, std::size_t columns, bool five_point);
  std::size_t stride() const { return n1 + 2; }
  std::size_t size() const { return (n0 + 2) * stride(); }
  std::size_t at(std::size_t i, std::size_t j) const { return (i + 1) * stride() + j + 1; }
  /// y = A x; both with borders, the border of x zero.
  void multiply(const double* x, double* y) const;
};

class BlackBoxMultigrid {
 public:
  /// Room for operators on n0 × n1 points.
  BlackBoxMultigrid(std::size_t n0, std::size_t n1);
  /// Of the finest level, to be filled before prepare().
  NinePoint& finest() { return levels_.front().a; }
  const NinePoint& finest() const { return levels_.front().a; }
  /// Interpolations and coarse operators for finest().
  void prepare();
  /// z = B r, one V-cycle: B is symmetric and positive definite.
  void cycle(const double* r, double* z);
  std::size_t levels() const { return levels_.size(); }

 private:
  struct Level {
    NinePoint a;
    std::vector<double> inverse_diagonal;
    /// Of each point the weights of the coarse points below left, below right, above left, above right; a
    /// point between two uses the first two, or the first and the third; one on a coarse point has 1.
    std::vector<std::array<double, 4>> weights;
    std::vector<double> u, f;  // of coarse levels
    std::vector<double> residual;
  };
  void find_weights(Level& level) const;
  static void multiply_coarse(const Level& fine, NinePoint& coarse);
  void cycle(std::size_t l, const double* f, double* u);
  void factor_coarsest();
  void solve_coarsest(const double* f, double* u) const;

  std::vector<Level> levels_;
  std::vector<double> factor_;  // of the coarsest operator, dense, lower Cholesky
};

}  // namespace sobolev::detail
