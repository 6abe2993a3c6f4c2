// SPDX-License-Identifier: Apache-2.0
#pragma once
// A plane of the grid as a picture with axes and a bar of colours.
#include <string>
#include <vector>

#include "sobolev/io/png.hpp"
#include "sobolev/io/report.hpp"
#include "src/io/grid_slice.hpp"
#include "src/io/svg_plot.hpp"

namespace sobolev::detail {

/// Exactly the values' range.
PlotAxis value_scale(const std::vector<const std::vector<double>*>& fields);

/// Of |error| or |residual|, logarithmic: from the largest down to where only a twentieth of the points lie
/// below; 2 to 6 decades.
PlotAxis magnitude_scale(const std::vector<double>& magnitudes);

/// An <svg>. `bar_margin`: room for the bar and its numbers, at least bar_width(scale); pictures side by side
/// share it, so that their boxes agree.
std::string picture(const Report& report, const Slice& slice, const std::vector<double>& values,
                    const PlotAxis& scale, ColourMap map, double bar_margin, const std::string& description);
double bar_width(const PlotAxis& scale);

}  // namespace sobolev::detail
