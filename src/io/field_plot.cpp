// SPDX-License-Identifier: Apache-2.0
// Solution, reference and error of one unknown on the report's grid: curves, pictures or slices.
#include "src/io/field_plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "sobolev/io/png.hpp"
#include "src/io/svg_plot.hpp"

namespace sobolev::detail {
namespace {
constexpr int picture_width = 420, picture_height = 270, bar_margin = 78;
constexpr int pixels_x = 320, pixels_y = 240;

/// A plane of the grid: two coordinates run, the others stand still.
struct Slice {
  std::size_t horizontal, vertical;
  std::vector<std::size_t> at;  // index per coordinate
};

std::vector<Slice> slices_of(const Report& report) {
  std::vector<std::size_t> middle;
  for (const auto& axis : report.axes) middle.push_back(axis.size() / 2);
  std::vector<Slice> out;
  for (std::size_t a = 0; a < report.axes.size(); ++a)
    for (std::size_t b = a + 1; b < report.axes.size() && out.size() < 3; ++b) out.push_back({a, b, middle});
  return out;
}

std::string caption_of(const Report& report, const Slice& slice) {
  std::string out;
  for (std::size_t k = 0; k < report.axes.size(); ++k)
    if (k != slice.horizontal && k != slice.vertical)
      out += fmt::format(", {} = {}", report.coordinates[k], number_text(report.axes[k][slice.at[k]]));
  return out;
}

/// Where `x` stands between the points of an ascending axis: index and weight of the next point.
std::pair<std::size_t, double> bracket(const std::vector<double>& axis, double x) {
  if (axis.size() < 2) return {0, 0.0};
  const auto upper = std::upper_bound(axis.begin() + 1, axis.end() - 1, x);
  const std::size_t i = static_cast<std::size_t>(upper - axis.begin()) - 1;
  const double width = axis[i + 1] - axis[i];
  return {i, width > 0 ? std::clamp((x - axis[i]) / width, 0.0, 1.0) : 0.0};
}

double pixel_value(const std::vector<double>& axis, int pixel, int pixels) {
  return axis.front() + (axis.back() - axis.front()) * (pixel + 0.5) / pixels;
}

/// Values of a slice at the pixels, bilinear, first row on top.
std::vector<double> pixels_of(const Report& report, const std::vector<double>& values, const Slice& slice) {
  const auto& horizontal = report.axes[slice.horizontal];
  const auto& vertical = report.axes[slice.vertical];
  std::vector<std::size_t> stride(report.axes.size(), 1);
  for (std::size_t k = report.axes.size() - 1; k > 0; --k) stride[k - 1] = stride[k] * report.axes[k].size();
  std::size_t base = 0;
  for (std::size_t k = 0; k < stride.size(); ++k)
    if (k != slice.horizontal && k != slice.vertical) base += stride[k] * slice.at[k];
  const std::size_t next_x = horizontal.size() > 1 ? stride[slice.horizontal] : 0;
  const std::size_t next_y = vertical.size() > 1 ? stride[slice.vertical] : 0;
  std::vector<double> out;
  out.reserve(std::size_t{pixels_x} * pixels_y);
  for (int row = 0; row < pixels_y; ++row) {
    const auto [j, wy] = bracket(vertical, pixel_value(vertical, pixels_y - 1 - row, pixels_y));
    for (int column = 0; column < pixels_x; ++column) {
      const auto [i, wx] = bracket(horizontal, pixel_value(horizontal, column, pixels_x));
      const std::size_t at = base + i * stride[slice.horizontal] + j * stride[slice.vertical];
      out.push_back((1 - wy) * ((1 - wx) * values[at] + wx * values[at + next_x]) +
                    wy * ((1 - wx) * values[at + next_y] + wx * values[at + next_x + next_y]));
    }
  }
  return out;
}

std::vector<std::string> bar_colours(ColourMap map) {
  std::vector<std::string> out;
  for (std::size_t i = 1; i < 256; i += 4) {
    const Rgb c = palette(map)[i];
    out.push_back(fmt::format("#{:02x}{:02x}{:02x}", c.red, c.green, c.blue));
  }
  return out;
}

std::string picture(const Report& report, const Slice& slice, const std::vector<double>& values,
                    const PlotAxis& scale, ColourMap map, const std::string& description) {
  std::vector<std::uint8_t> indices;
  const auto scaled = [&](double v) { return scale.logarithmic ? std::log10(std::max(v, scale.low)) : v; };
  for (const double v : pixels_of(report, values, slice))
    indices.push_back(std::isfinite(v) ? palette_index(scaled(v), scaled(scale.low), scaled(scale.high))
                                       : std::uint8_t{0});
  const auto axis = [&](std::size_t k) {
    const auto& points = report.axes[k];
    const bool flat = points.front() == points.back();
    return PlotAxis{report.coordinates[k], points.front() - (flat ? 0.5 : 0),
                    points.back() + (flat ? 0.5 : 0), false};
  };
  Plot plot(picture_width, picture_height, axis(slice.horizontal), axis(slice.vertical), bar_margin);
  plot.image(encode_png(pixels_x, pixels_y, indices, palette(map)));
  plot.colour_bar(bar_colours(map), scale);
  return plot.finish(description);
}

/// Exactly the values' range.
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

/// From the largest error down to where only a twentieth of the points lie below; 2 to 6 decades.
PlotAxis error_scale(const std::vector<double>& error) {
  std::vector<double> positive;
  for (const double e : error)
    if (std::isfinite(e) && e > 0) positive.push_back(e);
  if (positive.empty()) return {"", 1e-16, 1e-14, true};
  std::sort(positive.begin(), positive.end());
  const double high = positive.back();
  const double low = std::clamp(positive[positive.size() / 20], high * 1e-6, high * 1e-2);
  return {"", low, high, true};
}

std::string curves(const Report& report, const std::string& unknown, const std::vector<double>& values,
                   const std::vector<double>* reference, const std::vector<double>& error) {
  const PlotAxis x = [&] {
    PlotAxis axis = fitted_axis(report.coordinates[0], {report.axes[0]}, false);
    if (report.axes[0].front() < report.axes[0].back()) {
      axis.low = report.axes[0].front();
      axis.high = report.axes[0].back();
    }
    return axis;
  }();
  Plot solution(picture_width + 120, picture_height, x,
                fitted_axis(unknown, {values, reference != nullptr ? *reference : values}, false));
  solution.curve(report.axes[0], values, "curve");
  if (reference != nullptr) solution.curve(report.axes[0], *reference, "curve dashed");
  std::string out = figure(
      escaped(unknown) + (reference != nullptr ? ": solution (line) and reference (dashes)" : ": solution"),
      solution.finish("solution " + unknown));
  if (reference != nullptr) {
    Plot plot(picture_width + 120, picture_height, x, fitted_axis("|error|", {error}, true));
    plot.curve(report.axes[0], error, "curve second");
    out += figure("|error| of " + escaped(unknown), plot.finish("error of " + unknown));
  }
  return out;
}
}  // namespace

std::string figure(const std::string& caption, const std::string& drawing) {
  return "<figure>\n" + drawing + "<figcaption>" + caption + "</figcaption></figure>\n";
}

std::string field_figures(const Report& report, const std::string& unknown) {
  const std::vector<double>& values = report.prediction.at(unknown);
  const auto found = report.reference.find(unknown);
  const std::vector<double>* reference = found == report.reference.end() ? nullptr : &found->second;
  std::vector<double> error;
  if (reference != nullptr)
    for (std::size_t i = 0; i < values.size(); ++i) error.push_back(std::abs(values[i] - (*reference)[i]));
  if (report.axes.size() == 1) return curves(report, unknown, values, reference, error);

  std::string out;
  const PlotAxis scale =
      value_scale(reference != nullptr ? std::vector{&values, reference} : std::vector{&values});
  for (const Slice& slice : slices_of(report)) {
    const std::string name = escaped(unknown), rest = escaped(caption_of(report, slice));
    out += figure(name + ": solution" + rest,
                  picture(report, slice, values, scale, ColourMap::sequential, "solution " + unknown));
    if (reference == nullptr) continue;
    out += figure(name + ": reference" + rest,
                  picture(report, slice, *reference, scale, ColourMap::sequential, "reference " + unknown));
    out += figure("|error| of " + name + rest,
                  picture(report, slice, error, error_scale(error), ColourMap::heat, "error of " + unknown));
  }
  return out;
}

}  // namespace sobolev::detail
