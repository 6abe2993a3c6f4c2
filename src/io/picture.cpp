// SPDX-License-Identifier: Apache-2.0
#include "src/io/picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace sobolev::detail {
namespace {
constexpr int width = 420, height = 270, columns = 320;
constexpr double usual_shape = 0.78;  // height over width of a box that is not drawn to scale

std::vector<std::string> bar_colours(ColourMap map) {
  std::vector<std::string> out;
  for (std::size_t i = 1; i < 256; i += 4) {
    const Rgb c = palette(map)[i];
    out.push_back(fmt::format("#{:02x}{:02x}{:02x}", c.red, c.green, c.blue));
  }
  return out;
}

PlotAxis range_of(const Report& report, std::size_t k) {
  const auto& points = report.axes[k];
  const double air = points.front() == points.back() ? 0.5 : 0;
  return {report.coordinates[k], points.front() - air, points.back() + air, false};
}
}  // namespace

PlotAxis value_scale(const std::vector<const std::vector<double>*>& fields) {
  PlotAxis scale{"", INFINITY, -INFINITY, false};
  for (const auto* field : fields)
    for (const double v : *field)
      if (std::isfinite(v)) {
        scale.low = std::min(scale.low, v);
        scale.high = std::max(scale.high, v);
      }
  if (!(scale.low < scale.high)) {
    const double centre = std::isfinite(scale.low) ? scale.low : 0;
    scale.low = centre - 0.5;
    scale.high = centre + 0.5;
  }
  return scale;
}

PlotAxis magnitude_scale(const std::vector<double>& magnitudes) {
  std::vector<double> positive;
  for (const double e : magnitudes)
    if (std::isfinite(e) && e > 0) positive.push_back(e);
  if (positive.empty()) return {"", 1e-16, 1e-14, true};
  std::sort(positive.begin(), positive.end());
  const double high = positive.back();
  const double low = std::clamp(positive[positive.size() / 20], high * 1e-6, high * 1e-2);
  return {"", low, high, true};
}

double bar_width(const PlotAxis& scale) { return 36 + label_width(scale, 5); }

std::string picture(const Report& report, const Slice& slice, const std::vector<double>& values,
                    const PlotAxis& scale, ColourMap map, double bar_margin, const std::string& description) {
  const double shape = height_over_width(report, slice, usual_shape);
  const int rows = static_cast<int>(std::lround(columns * shape));
  std::vector<std::uint8_t> indices;
  const auto scaled = [&](double v) { return scale.logarithmic ? std::log10(std::max(v, scale.low)) : v; };
  for (const double v : pixels_of(report, values, slice, columns, rows))
    indices.push_back(std::isfinite(v) ? palette_index(scaled(v), scaled(scale.low), scaled(scale.high))
                                       : std::uint8_t{0});
  Plot plot(width, height, range_of(report, slice.horizontal), range_of(report, slice.vertical), bar_margin);
  plot.shape(shape);
  plot.image(encode_png(columns, rows, indices, palette(map)));
  plot.colour_bar(bar_colours(map), scale);
  return plot.finish(description);
}

}  // namespace sobolev::detail
