// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <vector>

namespace sobolev::detail {

/// An axis of a grid: `points` from low to high, the last of them at high, or one step before it on a
/// periodic axis.
struct GridAxis {
  std::size_t points = 1;
  double low = 0, high = 1;
  bool periodic = false;
  double step() const {
    const std::size_t steps = periodic || points < 2 ? points : points - 1;
    return (high - low) / double(steps);
  }
};

/// The matrix [points, points] that makes the values of a function's derivative of some order, 1 … 8, of
/// those of the function, both at the axis' points. Periodic: of the trigonometric interpolation, exact for
/// the frequencies below half the points (of an even number the highest one counts in even derivatives only).
/// Else finite differences of the given accuracy, 2 or 4: symmetric inside, on windows that are moved into
/// the grid at its ends and a point longer there for even derivatives (Fornberg 1988, "Generation of finite
/// difference formulas on arbitrarily spaced grids"). ArgumentError where the axis has too few points.
std::vector<double> differentiation_matrix(const GridAxis& axis, int derivative, int accuracy);

/// Weights w of Σ_k w_k f(x_k) ≈ f^(derivative)(at), exact for polynomials of degree below the points'.
std::vector<double> difference_weights(const std::vector<double>& x, double at, int derivative);

}  // namespace sobolev::detail
