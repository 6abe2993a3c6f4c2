// SPDX-License-Identifier: Apache-2.0
#pragma once
// Where Gaussians begin that are placed on a lattice.
#include <cstddef>
#include <vector>

#include "sobolev/problem/problem.hpp"

namespace sobolev::detail {

/// Cells of equal size, as nearly as their whole numbers allow, with a centre in the middle of each: so the
/// lattice goes on beyond the end of a periodic coordinate and in the mirror of a symmetric one, of which it
/// takes the half above 0. Other ends of a range have `margin` cells more outside of them. Lengths are of the
/// network's inputs.
struct GaussianLattice {
  struct Axis {
    double first, step;  // of the coordinate
    int count;
  };
  std::vector<Axis> axes;  // by coordinate; none where there is no room for a single cell and its margins
  double spacing = 0;      // of the inputs: geometric mean of the cells' edges
  /// The product of their counts.
  std::size_t size() const;
  /// Centre i of [size()], coordinates of the first axis varying slowest.
  void point(std::size_t i, double* x) const;
};

/// The lattice with the most centres, up to options.gaussians.count.
GaussianLattice gaussian_lattice(const std::vector<CoordinateRange>& ranges, const NetworkOptions& options);

}  // namespace sobolev::detail
