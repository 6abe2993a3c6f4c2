// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>

#include "sobolev/core/view.hpp"

namespace sobolev {

/// Where the values of a square grid of S × S points on [0, 1]² stand.
enum class GridPoints {
  cells,  // centres of cells: x_i = (i + ½)/S
  nodes,  // with the boundary: x_i = i/(S − 1)
};

/// What a face between two points takes for the coefficient.
enum class FaceMean {
  arithmetic,  // (a + b)/2
  harmonic,    // 2 a b/(a + b): the flux through two halves of a cell is exact
};

/// −∇·(a ∇u) = f on the unit square, u = 0 on its boundary, by finite volumes with five points: for each cell
/// Σ_faces T (u_P − u_N) = h² f with T = mean(a_P, a_N); with `cells` a face on the boundary has T = 2 a_P,
/// half a cell away. Second order for a smooth a with either mean; across jumps that lie on faces second
/// order with the harmonic mean, else first order.
///
/// The equations are solved by conjugate gradients, preconditioned with one V-cycle of black box multigrid:
/// interpolation that is read off the operator, so that it bends at a jump, coarse operators PᵀAP with nine
/// points, one sweep of Gauss–Seidel before and the same backwards behind. Any S.
/// Source: Dendy, Black box multigrid, J. Comput. Phys. 48 (1982); Trottenberg, Oosterlee & Schüller,
/// Multigrid (2001), section 7.7.
class DarcySolver {
 public:
  /// ArgumentError unless points is from 3 to 16384.
  explicit DarcySolver(std::size_t points, GridPoints where = GridPoints::cells,
                       FaceMean mean = FaceMean::arithmetic);
  ~DarcySolver();
  DarcySolver(DarcySolver&&) noexcept;

  /// Until ‖h² f − A u‖ ≤ tolerance ‖h² f‖, as the iteration carries that along. Returns the iterations.
  /// ArgumentError for a coefficient that is not positive and finite or a tolerance outside of [1e-14, 0.1];
  /// an Error when 200 iterations are not enough. a, f, u : [S, S]
  int solve(View<const double, 2> a, View<const double, 2> f, View<double, 2> u, double tolerance = 1e-11);

  /// About what a solver for so many points takes, in bytes.
  static std::size_t memory(std::size_t points);

  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace sobolev
