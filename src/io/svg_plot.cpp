// SPDX-License-Identifier: Apache-2.0
#include "src/io/svg_plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "src/io/base64.hpp"

namespace sobolev::detail {
namespace {
constexpr double left_margin = 62, top_margin = 10, bottom_margin = 42;
constexpr double most_height = 340;      // of the box
constexpr double character_width = 7.2;  // of a digit, about, in the style sheet's size
constexpr int most_label = 30;           // characters along an axis
constexpr int ticks_wanted = 5;

double fraction(const PlotAxis& axis, double value) {
  return axis.logarithmic
             ? (std::log10(value) - std::log10(axis.low)) / (std::log10(axis.high) - std::log10(axis.low))
             : (value - axis.low) / (axis.high - axis.low);
}

bool drawable(const PlotAxis& axis, double value) {
  return std::isfinite(value) && (!axis.logarithmic || value > 0);
}

/// With as many digits as tell ticks apart that are `step` from each other.
std::string tick_text(double value, double step) {
  if (value == 0) return "0";
  constexpr int longest_fixed = 5;  // digits before the point; beyond, a power of ten is shorter
  const int first = static_cast<int>(std::floor(std::log10(std::abs(value)) + 1e-9));
  const int last = static_cast<int>(std::floor(std::log10(step) + 1e-9));
  const int digits = std::clamp(first - last + 1, 1, 15);
  return number_text(value, first < longest_fixed ? std::max(digits, first + 1) : digits);
}

/// A label that the axis has room for: texts of the user's may be long.
std::string shortened(const std::string& text) {
  std::size_t end = 0;
  for (int characters = 0; end < text.size(); ++end)  // whole UTF-8 characters
    if ((text[end] & 0xC0) != 0x80 && characters++ == most_label) return text.substr(0, end) + "…";
  return text;
}
}  // namespace

std::string number_text(double value, int digits) {
  if (value == 0) return "0";
  std::string out = fmt::format("{:.{}g}", value, digits);
  if (const std::size_t e = out.find('e'); e != std::string::npos) {  // 1e-05 -> 1e-5, 1e+06 -> 1e6
    const int exponent = std::stoi(out.substr(e + 1));
    out = fmt::format("{}e{}", out.substr(0, e), exponent);
  }
  return out;
}

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

PlotAxis fitted_axis(const std::string& label, const std::vector<std::vector<double>>& values,
                     bool logarithmic) {
  PlotAxis axis{label, std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
                logarithmic};
  for (const auto& list : values)
    for (const double v : list)
      if (drawable(axis, v)) {
        axis.low = std::min(axis.low, v);
        axis.high = std::max(axis.high, v);
      }
  if (!(axis.low <= axis.high)) return {label, logarithmic ? 0.1 : 0, 1, logarithmic};
  if (logarithmic) {
    axis.low = std::pow(10, std::floor(std::log10(axis.low) - 1e-9));
    axis.high = std::pow(10, std::ceil(std::log10(axis.high) + 1e-9));
  } else {
    const double air =
        axis.high > axis.low ? 0.04 * (axis.high - axis.low) : std::max(std::abs(axis.low), 1.0) * 0.1;
    axis.low -= air;
    axis.high += air;
  }
  return axis;
}

std::vector<std::pair<double, std::string>> ticks(const PlotAxis& axis, int about) {
  std::vector<std::pair<double, std::string>> out;
  if (axis.logarithmic) {
    const int low = static_cast<int>(std::ceil(std::log10(axis.low) - 1e-9));
    const int high = static_cast<int>(std::floor(std::log10(axis.high) + 1e-9));
    if (high - low < 2) {  // too few powers of ten for a scale: 2 and 5 times them too
      for (int k = low - 1; k <= high; ++k)
        for (const double digit : {1.0, 2.0, 5.0})
          if (const double value = digit * std::pow(10, k);
              value >= axis.low * (1 - 1e-9) && value <= axis.high * (1 + 1e-9))
            out.emplace_back(value, k < -2 ? fmt::format("{:g}e{}", digit, k) : number_text(value));
      return out;
    }
    const int step = std::max(1, (high - low + about - 1) / about);
    for (int k = low; k <= high; k += step)
      out.emplace_back(std::pow(10, k), k == 0 ? "1" : fmt::format("1e{}", k));
    return out;
  }
  const double raw = (axis.high - axis.low) / about;
  const double power = std::pow(10, std::floor(std::log10(raw)));
  const double step = (raw / power < 1.5 ? 1 : raw / power < 3.5 ? 2 : raw / power < 7.5 ? 5 : 10) * power;
  const double first = std::ceil(axis.low / step - 1e-9);
  for (int k = 0; k < 4 * about; ++k) {
    const double value = (first + k) * step;
    if (value > axis.high + 1e-9 * step) break;
    out.emplace_back(value, tick_text(std::abs(value) < 1e-9 * step ? 0 : value, step));
  }
  return out;
}

double label_width(const PlotAxis& axis, int about) {
  std::size_t longest = 0;
  for (const auto& tick : ticks(axis, about)) longest = std::max(longest, tick.second.size());
  return character_width * static_cast<double>(longest);
}

Plot::Plot(int width, int height, PlotAxis x, PlotAxis y, double right_margin)
    : width_(width),
      height_(height),
      x_(std::move(x)),
      y_(std::move(y)),
      left_(std::max(left_margin, 32 + label_width(y_, ticks_wanted))),
      top_(top_margin),
      box_width_(width - left_ - right_margin),
      box_height_(height - top_margin - bottom_margin) {}

void Plot::shape(double height_over_width) {
  const double whole = box_width_;
  box_height_ = std::min(box_width_ * height_over_width, most_height);
  box_width_ = box_height_ / height_over_width;
  left_ += (whole - box_width_) / 2;
  height_ = static_cast<int>(std::lround(box_height_ + top_margin + bottom_margin));
}

double Plot::place_x(double value) const { return left_ + box_width_ * fraction(x_, value); }
double Plot::place_y(double value) const { return top_ + box_height_ * (1 - fraction(y_, value)); }

void Plot::curve(const std::vector<double>& x, const std::vector<double>& y, const std::string& style_class) {
  std::string path;
  bool pen_down = false;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const bool visible = drawable(x_, x[i]) && drawable(y_, y[i]);
    if (visible) path += fmt::format("{}{:.1f} {:.1f}", pen_down ? "L" : "M", place_x(x[i]), place_y(y[i]));
    pen_down = visible;
  }
  body_ += fmt::format("<path class=\"{}\" d=\"{}\"/>\n", style_class, path);
}

void Plot::dot(double x, double y, const std::string& style_class) {
  if (drawable(x_, x) && drawable(y_, y))
    body_ += fmt::format("<circle class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.5\"/>\n", style_class,
                         place_x(x), place_y(y));
}

void Plot::legend(const std::string& text, const std::string& style_class) {
  const double x = left_ + box_width_ + 14, y = top_ + 14 + 20 * legend_entries_++;
  body_ +=
      fmt::format("<path class=\"{}\" d=\"M{:.1f} {:.1f}h18\"/><text x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
                  style_class, x, y - 4, x + 24, y, escaped(text));
}

void Plot::image(const std::string& png) {
  body_ += fmt::format(
      "<image x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" preserveAspectRatio=\"none\" "
      "href=\"data:image/png;base64,{}\"/>\n",
      left_, top_, box_width_, box_height_, base64(png));
}

void Plot::colour_bar(const std::vector<std::string>& colours, const PlotAxis& scale) {
  const double at = left_ + box_width_ + 14, width = 12;
  const double step = box_height_ / static_cast<double>(colours.size());
  for (std::size_t i = 0; i < colours.size(); ++i)  // half a pixel of overlap hides the seams
    body_ += fmt::format("<rect x=\"{:.1f}\" y=\"{:.2f}\" width=\"{}\" height=\"{:.2f}\" fill=\"{}\"/>", at,
                         top_ + box_height_ - step * static_cast<double>(i + 1), width,
                         i == 0 ? step : step + 0.5, colours[i]);
  body_ += '\n';
  for (const auto& [value, text] : ticks(scale, ticks_wanted)) {
    const double y = top_ + box_height_ * (1 - fraction(scale, value));
    body_ += fmt::format(
        "<path class=\"axis\" d=\"M{0:.1f} {1:.1f}h4\"/><text x=\"{2:.1f}\" y=\"{3:.1f}\">{4}</text>\n",
        at + width, y, at + width + 7, y + 4, text);
  }
}

std::string Plot::finish(const std::string& description) const {
  std::string out = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n", width_,
                                height_, escaped(description));
  const double bottom = top_ + box_height_, right = left_ + box_width_;
  std::string grid, labels;
  int across = ticks_wanted;  // fewer where their texts would run into each other
  while (across > 2 && (label_width(x_, across) + 8) * double(ticks(x_, across).size()) > box_width_)
    --across;
  for (const auto& [value, text] : ticks(x_, across)) {
    const double x = place_x(value);
    grid += fmt::format("<path class=\"grid\" d=\"M{:.1f} {:.1f}V{:.1f}\"/>", x, top_, bottom);
    labels += fmt::format(
        "<path class=\"axis\" d=\"M{0:.1f} {1:.1f}v4\"/><text x=\"{0:.1f}\" y=\"{2:.1f}\" "
        "text-anchor=\"middle\">{3}"
        "</text>\n",
        x, bottom, bottom + 17, text);
  }
  for (const auto& [value, text] : ticks(y_, ticks_wanted)) {
    const double y = place_y(value);
    grid += fmt::format("<path class=\"grid\" d=\"M{:.1f} {:.1f}H{:.1f}\"/>", left_, y, right);
    labels += fmt::format(
        "<path class=\"axis\" d=\"M{:.1f} {:.1f}h-4\"/><text x=\"{:.1f}\" y=\"{:.1f}\" "
        "text-anchor=\"end\">{}</text>\n",
        left_, y, left_ - 7, y + 4, text);
  }
  out += grid + "\n" + body_ + labels;
  out += fmt::format("<rect class=\"axis\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>\n",
                     left_, top_, box_width_, box_height_);
  out += fmt::format("<text class=\"label\" x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                     left_ + box_width_ / 2, height_ - 6, escaped(shortened(x_.label)));
  out += fmt::format(
      "<text class=\"label\" transform=\"translate(14 {:.1f}) rotate(-90)\" "
      "text-anchor=\"middle\">{}</text>\n</svg>\n",
      top_ + box_height_ / 2, escaped(shortened(y_.label)));
  return out;
}

}  // namespace sobolev::detail
