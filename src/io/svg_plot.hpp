// SPDX-License-Identifier: Apache-2.0
#pragma once
// Inline SVG for the report. Colours come from the page's style sheet (classes), so that the page can
// be light or dark.
#include <string>
#include <utility>
#include <vector>

namespace sobolev::detail {

struct PlotAxis {
  std::string label;
  double low = 0, high = 1;
  bool logarithmic = false;
};

/// A range that holds the finite (positive, where logarithmic) values, with some air.
PlotAxis fitted_axis(const std::string& label, const std::vector<std::vector<double>>& values,
                     bool logarithmic);

/// Tick positions and their texts, of which no two are equal: multiples of 1, 2 or 5, or powers of ten.
std::vector<std::pair<double, std::string>> ticks(const PlotAxis& axis, int about);
/// The width that the texts of an axis's ticks need at most, in pixels.
double label_width(const PlotAxis& axis, int about);

/// Short text of a number: "0.25", "1e-5".
std::string number_text(double value, int digits = 4);
std::string escaped(const std::string& text);

/// A drawing with axes around an inner box.
class Plot {
 public:
  Plot(int width, int height, PlotAxis x, PlotAxis y, double right_margin = 14);
  /// Makes the inner box that many times as high as it is wide, and the drawing as high as it then must be.
  void shape(double height_over_width);
  /// A curve; values that are not finite (or not positive, where logarithmic) interrupt it.
  void curve(const std::vector<double>& x, const std::vector<double>& y, const std::string& style_class);
  /// A dot on a curve's last value.
  void dot(double x, double y, const std::string& style_class);
  /// A line of the given style with a text, right of the box; one below the other.
  void legend(const std::string& text, const std::string& style_class);
  /// A PNG that fills the inner box.
  void image(const std::string& png);
  /// A vertical bar of colours right of the box, with the ticks of `scale`.
  void colour_bar(const std::vector<std::string>& colours, const PlotAxis& scale);
  /// The whole <svg> element; `description` is for screen readers.
  std::string finish(const std::string& description) const;

  double box_width() const { return box_width_; }
  double box_height() const { return box_height_; }

 private:
  double place_x(double value) const;
  double place_y(double value) const;

  int width_, height_;
  PlotAxis x_, y_;
  double left_, top_, box_width_, box_height_;
  int legend_entries_ = 0;
  std::string body_;
};

}  // namespace sobolev::detail
