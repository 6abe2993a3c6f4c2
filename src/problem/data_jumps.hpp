// SPDX-License-Identifier: Apache-2.0
#pragma once
// Points of conditions whose data jumps. Between the two points beside a jump the data is not known, and the
// error is about the root of their distance: so points gather there.
#include <vector>

#include "sobolev/problem/problem.hpp"

namespace sobolev::detail {

/// Where e jumps on the line through `point` along the coordinate, between its ends; found to rounding. Jumps
/// of less than a hundredth of the largest |e| on the line, and pairs closer than 1/256 of it, are not seen.
std::vector<double> jumps_on_line(const Problem& problem, Expr e, const std::vector<double>& point,
                                  int coordinate);

/// Moves every second point of a condition to a jump of its data, if there is one on a line through it: to
/// distances from 1/600 to 1/10 of the range on both sides, evenly in their logarithm.  points : [N, D]
void gather_at_jumps(const Problem& problem, const Condition& condition,
                     const std::vector<CoordinateRange>& ranges, unsigned long stream,
                     std::vector<double>& points);

}  // namespace sobolev::detail
