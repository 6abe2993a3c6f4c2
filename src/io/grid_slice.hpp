// SPDX-License-Identifier: Apache-2.0
#pragma once
// Planes and lines of the report's grid.
#include <string>
#include <utility>
#include <vector>

#include "sobolev/io/report.hpp"

namespace sobolev::detail {

/// A plane of the grid: two coordinates run, the others stand still.
struct Slice {
  std::size_t horizontal, vertical;
  std::vector<std::size_t> at;  // index per coordinate
};

/// What a report on two or more coordinates shows: the plane of time and space, of two space coordinates (at
/// several times), or planes through the middle.
std::vector<Slice> slices_of(const Report& report);

/// ", t = 0.5": where the others stand.
std::string caption_of(const Report& report, const Slice& slice);

/// Height over width of the slice's box: 1 unit of one coordinate as long as 1 of the other where both are
/// space and their ranges are within a factor of three, else `otherwise`.
double height_over_width(const Report& report, const Slice& slice, double otherwise);

/// Values of a slice at columns × rows pixels, bilinear, first row on top.
std::vector<double> pixels_of(const Report& report, const std::vector<double>& values, const Slice& slice,
                              int columns, int rows);

/// Values along coordinate `along`, the others at the given indices.
std::vector<double> line_of(const Report& report, const std::vector<double>& values, std::size_t along,
                            const std::vector<std::size_t>& at);

/// About `count` indices spread over 0 … size − 1, both ends included.
std::vector<std::size_t> spread_indices(std::size_t size, std::size_t count);

}  // namespace sobolev::detail
