// SPDX-License-Identifier: Apache-2.0
#pragma once
// Functions of one coordinate on [low, high] that solutions of the collocation are made of.
#include <vector>

namespace sobolev::detail {

/// Chebyshev polynomials T_0 … T_{count−1} of the coordinate moved to [−1, 1], or where it is periodic
/// 1, cos θ, sin θ, cos 2θ, … of the angle.
class AxisBasis {
 public:
  /// A periodic one has an odd count: one more where it is even.
  AxisBasis(double low, double high, bool periodic, int count);
  int count() const { return count_; }
  double low() const { return low_; }
  double high() const { return high_; }
  /// Points to collocate at, about 3/2 count: zeros of a Chebyshev polynomial, or evenly spaced.
  const std::vector<double>& nodes() const { return nodes_; }
  /// Derivatives of an order of all functions at points, by the recurrence
  /// T_{n+1}⁽ʳ⁾ = 2x T_n⁽ʳ⁾ + 2r T_n⁽ʳ⁻¹⁾ − T_{n−1}⁽ʳ⁾. [points, count]
  std::vector<double> table(const std::vector<double>& points, int order) const;
  /// Coefficients of the function with these values at the nodes: discrete orthogonality. [count, nodes]
  std::vector<double> projection() const;

 private:
  double low_, high_;
  bool periodic_;
  int count_;
  std::vector<double> nodes_;
};

}  // namespace sobolev::detail
