// SPDX-License-Identifier: Apache-2.0
#include "src/io/grid_slice.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "src/io/svg_plot.hpp"

namespace sobolev::detail {
namespace {
constexpr std::size_t most_planes = 3, picture_times = 4;
constexpr double most_elongated = 3;

std::vector<std::size_t> strides_of(const Report& report) {
  std::vector<std::size_t> stride(report.axes.size(), 1);
  for (std::size_t k = report.axes.size() - 1; k > 0; --k) stride[k - 1] = stride[k] * report.axes[k].size();
  return stride;
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
}  // namespace

std::vector<std::size_t> spread_indices(std::size_t size, std::size_t count) {
  std::vector<std::size_t> out;
  for (std::size_t k = 0; k < count && size > 0; ++k) {
    const std::size_t i = ((size - 1) * 2 * k + count - 1) / (2 * (count - 1));  // rounded
    if (out.empty() || out.back() != i) out.push_back(i);
  }
  return out;
}

std::vector<Slice> slices_of(const Report& report) {
  std::vector<std::size_t> middle, space;
  const std::size_t time = report.time < 0 ? report.axes.size() : static_cast<std::size_t>(report.time);
  for (std::size_t k = 0; k < report.axes.size(); ++k) {
    middle.push_back(report.axes[k].size() / 2);
    if (k != time) space.push_back(k);
  }
  std::vector<Slice> out;
  if (space.size() < report.axes.size() && space.size() == 1) {
    out.push_back({time, space[0], middle});
  } else if (space.size() < report.axes.size()) {
    for (const std::size_t i : spread_indices(report.axes[time].size(), picture_times)) {
      middle[time] = i;
      out.push_back({space[0], space[1], middle});
    }
  } else {
    for (std::size_t a = 0; a < space.size(); ++a)
      for (std::size_t b = a + 1; b < space.size() && out.size() < most_planes; ++b)
        out.push_back({a, b, middle});
  }
  return out;
}

std::string caption_of(const Report& report, const Slice& slice) {
  std::string out;
  for (std::size_t k = 0; k < report.axes.size(); ++k)
    if (k != slice.horizontal && k != slice.vertical)
      out += fmt::format(", {} = {}", report.coordinates[k], number_text(report.axes[k][slice.at[k]]));
  return out;
}

double height_over_width(const Report& report, const Slice& slice, double otherwise) {
  const int time = report.time;
  if (static_cast<int>(slice.horizontal) == time || static_cast<int>(slice.vertical) == time)
    return otherwise;
  const auto &x = report.axes[slice.horizontal], &y = report.axes[slice.vertical];
  const double width = x.back() - x.front(), height = y.back() - y.front();
  const bool similar =
      width > 0 && height > 0 && height <= most_elongated * width && width <= most_elongated * height;
  return similar ? height / width : otherwise;
}

std::vector<double> pixels_of(const Report& report, const std::vector<double>& values, const Slice& slice,
                              int columns, int rows) {
  const auto& horizontal = report.axes[slice.horizontal];
  const auto& vertical = report.axes[slice.vertical];
  const std::vector<std::size_t> stride = strides_of(report);
  std::size_t base = 0;
  for (std::size_t k = 0; k < stride.size(); ++k)
    if (k != slice.horizontal && k != slice.vertical) base += stride[k] * slice.at[k];
  const std::size_t next_x = horizontal.size() > 1 ? stride[slice.horizontal] : 0;
  const std::size_t next_y = vertical.size() > 1 ? stride[slice.vertical] : 0;
  std::vector<double> out;
  out.reserve(static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows));
  for (int row = 0; row < rows; ++row) {
    const auto [j, wy] = bracket(vertical, pixel_value(vertical, rows - 1 - row, rows));
    for (int column = 0; column < columns; ++column) {
      const auto [i, wx] = bracket(horizontal, pixel_value(horizontal, column, columns));
      const std::size_t at = base + i * stride[slice.horizontal] + j * stride[slice.vertical];
      out.push_back((1 - wy) * ((1 - wx) * values[at] + wx * values[at + next_x]) +
                    wy * ((1 - wx) * values[at + next_y] + wx * values[at + next_x + next_y]));
    }
  }
  return out;
}

std::vector<double> line_of(const Report& report, const std::vector<double>& values, std::size_t along,
                            const std::vector<std::size_t>& at) {
  const std::vector<std::size_t> stride = strides_of(report);
  std::size_t base = 0;
  for (std::size_t k = 0; k < stride.size(); ++k)
    if (k != along) base += stride[k] * at[k];
  std::vector<double> out;
  for (std::size_t i = 0; i < report.axes[along].size(); ++i) out.push_back(values[base + i * stride[along]]);
  return out;
}

}  // namespace sobolev::detail
