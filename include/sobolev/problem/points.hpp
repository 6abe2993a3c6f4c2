// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <vector>

#include "sobolev/problem/problem.hpp"

namespace sobolev {

/// N points in the box of the given ranges, row-major [N, D].
///   grid: tensor product; an ordinary coordinate includes both ends, a periodic one leaves out the
///         upper end, a grid of one point is the middle; the first of `ranges` varies slowest. N is the
///         product.
///   uniform, latin_hypercube: Philox(seed, stream).
///   sobol: Joe & Kuo 2008 direction numbers (up to 8 dimensions) with a random digital shift
///          from Philox(seed, stream), skipping no points. `automatic` is sobol.
/// A share `fraction` of the points of each DenseRegion, a consecutive block, has that coordinate spread
/// over [centre − width, centre + width] cut to the range instead (not for grids); a region in a
/// coordinate that is not among `ranges` has no effect. Throws ArgumentError.
struct PointRequest {
  std::vector<CoordinateRange> ranges;
  Sampling sampling = Sampling::sobol;
  std::vector<int> grid;  // per coordinate, for Sampling::grid
  int count = 0;
  std::vector<DenseRegion> dense;
  std::uint64_t seed = 0, stream = 0;
};
std::vector<double> sample_points(const PointRequest& request);

}  // namespace sobolev
