// SPDX-License-Identifier: Apache-2.0
// Solution, reference and error of the unknowns on the report's grid, and the residuals: curves, pictures
// and profiles.
#include "src/io/field_plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "src/io/picture.hpp"

namespace sobolev::detail {
namespace {
constexpr int curve_width = 540, curve_height = 270;
constexpr double legend_width = 110;
constexpr std::size_t profile_times = 5;  // as many as the style sheet has colours for

/// How many of so many pictures stand side by side: no row should be left with one alone.
std::string columns_for(std::size_t pictures) { return pictures == 3 || pictures > 4 ? "three" : "two"; }

/// What is shown of one unknown.
struct Field {
  std::string name;
  const std::vector<double>* values;
  const std::vector<double>* reference;  // null: none
  std::vector<double> error;             // |values − reference|
};

std::vector<Field> fields_of(const Report& report) {
  std::vector<Field> out;
  for (const auto& [name, values] : report.prediction) {
    const auto found = report.reference.find(name);
    Field field{name, &values, found == report.reference.end() ? nullptr : &found->second, {}};
    if (field.reference != nullptr)
      for (std::size_t i = 0; i < values.size(); ++i)
        field.error.push_back(std::abs(values[i] - (*field.reference)[i]));
    out.push_back(std::move(field));
  }
  return out;
}

/// The range of coordinate k, widened where it is a single point.
PlotAxis axis_of(const Report& report, std::size_t k) {
  PlotAxis axis = fitted_axis(report.coordinates[k], {report.axes[k]}, false);
  if (report.axes[k].front() < report.axes[k].back()) {
    axis.low = report.axes[k].front();
    axis.high = report.axes[k].back();
  }
  return axis;
}

std::string curve_figure(const Report& report, const Field& field) {
  Plot plot(
      curve_width, curve_height, axis_of(report, 0),
      fitted_axis(field.name, {*field.values, field.reference ? *field.reference : *field.values}, false));
  plot.curve(report.axes[0], *field.values, "curve");
  if (field.reference != nullptr) plot.curve(report.axes[0], *field.reference, "curve dashed");
  return figure(escaped(field.name) +
                    (field.reference != nullptr ? ": solution (line) and reference (dashes)" : ": solution"),
                plot.finish("solution " + field.name));
}

std::string magnitude_curve(const Report& report, const std::string& name, const std::vector<double>& values,
                            const std::string& caption) {
  Plot plot(curve_width, curve_height, axis_of(report, 0), fitted_axis(name, {values}, true));
  plot.curve(report.axes[0], values, "curve second");
  return figure(escaped(caption), plot.finish(caption));
}

/// Curves over space at several times, each in a colour of its own; `behind`, where given, as bands under
/// them.
std::string profiles(const Report& report, const Slice& slice, const std::vector<double>& values,
                     const std::vector<double>* behind, const std::string& label, bool logarithmic,
                     const std::string& caption) {
  const std::size_t time = slice.horizontal, space = slice.vertical;
  std::vector<std::vector<double>> lines, bands;
  std::vector<std::size_t> at = slice.at;
  const std::vector<std::size_t> moments = spread_indices(report.axes[time].size(), profile_times);
  for (const std::size_t i : moments) {
    at[time] = i;
    lines.push_back(line_of(report, values, space, at));
    if (behind != nullptr) bands.push_back(line_of(report, *behind, space, at));
  }
  std::vector<std::vector<double>> all = lines;
  all.insert(all.end(), bands.begin(), bands.end());
  Plot plot(curve_width, curve_height, axis_of(report, space), fitted_axis(label, all, logarithmic),
            legend_width);
  for (std::size_t k = 0; k < bands.size(); ++k)
    plot.curve(report.axes[space], bands[k], fmt::format("curve band moment{}", k));
  for (std::size_t k = 0; k < lines.size(); ++k) {
    plot.curve(report.axes[space], lines[k], fmt::format("curve moment{}", k));
    plot.legend(fmt::format("{} = {}", report.coordinates[time], number_text(report.axes[time][moments[k]])),
                fmt::format("curve moment{}", k));
  }
  return figure(escaped(caption), plot.finish(caption));
}

bool time_and_space(const Report& report) { return report.axes.size() == 2 && report.time >= 0; }

/// Solution, reference and |error| beside each other for each slice, with the same colours for the same
/// values at all of them.
std::string compared(const Report& report, const Field& field) {
  std::string out;
  const PlotAxis scale = value_scale({field.values, field.reference}), errors = magnitude_scale(field.error);
  const double margin = std::max(bar_width(scale), bar_width(errors));
  for (const Slice& slice : slices_of(report)) {
    const std::string name = escaped(field.name), rest = escaped(caption_of(report, slice));
    std::string panels =
        figure(name + ": solution" + rest, picture(report, slice, *field.values, scale, ColourMap::sequential,
                                                   margin, "solution " + field.name));
    panels += figure(name + ": reference" + rest,
                     picture(report, slice, *field.reference, scale, ColourMap::sequential, margin,
                             "reference " + field.name));
    panels += figure("|error| of " + name + rest, picture(report, slice, field.error, errors, ColourMap::heat,
                                                          margin, "error of " + field.name));
    out += row_of("compared", panels);
  }
  if (!time_and_space(report)) return out;
  const Slice slice = slices_of(report).front();
  return out + row_of("curves", profiles(report, slice, *field.values, field.reference, field.name, false,
                                         field.name + ": solution (lines) and reference (bands)") +
                                    profiles(report, slice, field.error, nullptr, "|error|", true,
                                             "|error| of " + field.name));
}

std::string alone(const Report& report, const Field& field) {
  std::string out;
  const PlotAxis scale = value_scale({field.values});
  for (const Slice& slice : slices_of(report)) {
    out += figure(escaped(field.name) + (report.fields_heading == "Solution" ? ": solution" : "") +
                      escaped(caption_of(report, slice)),
                  picture(report, slice, *field.values, scale, ColourMap::sequential, bar_width(scale),
                          "solution " + field.name));
    if (time_and_space(report))
      out += profiles(report, slice, *field.values, nullptr, field.name, false, field.name + ": solution");
  }
  return out;
}
/// |values| of each field of a map, in the colours of magnitudes.
std::string magnitude_figures(const Report& report, const std::map<std::string, std::vector<double>>& fields,
                              const std::string& what) {
  std::string figures;
  for (const auto& [name, given] : fields) {
    std::vector<double> values = given;
    for (double& v : values) v = std::abs(v);
    const std::string caption = what + " of " + name;
    if (report.axes.size() == 1) {
      figures += magnitude_curve(report, what, values, caption);
      continue;
    }
    const PlotAxis scale = magnitude_scale(values);
    for (const Slice& slice : slices_of(report))
      figures += figure(escaped(caption) + escaped(caption_of(report, slice)),
                        picture(report, slice, values, scale, ColourMap::heat, bar_width(scale), caption));
  }
  return row_of(report.axes.size() > 1 ? columns_for(fields.size() * slices_of(report).size()) : "curves",
                figures);
}
}  // namespace

std::string figure(const std::string& caption, const std::string& drawing) {
  return "<figure>\n" + drawing + "<figcaption>" + caption + "</figcaption></figure>\n";
}

std::string row_of(const std::string& how_many, const std::string& figures) {
  return figures.empty() ? "" : "<div class=\"figures " + how_many + "\">\n" + figures + "</div>\n";
}

std::string solution_figures(const Report& report) {
  std::string out, together;  // what has no reference shares rows
  std::size_t alone_count = 0;
  for (const Field& field : fields_of(report)) {
    if (report.axes.size() == 1 && field.reference != nullptr)
      out += row_of("curves", curve_figure(report, field) + magnitude_curve(report, "|error|", field.error,
                                                                            "|error| of " + field.name));
    else if (report.axes.size() == 1)
      together += curve_figure(report, field);
    else if (field.reference != nullptr)
      out += compared(report, field);
    else
      together += alone(report, field), ++alone_count;
  }
  const bool pictures = report.axes.size() > 1 && !time_and_space(report);
  return out + row_of(pictures ? columns_for(alone_count * slices_of(report).size()) : "curves", together);
}

std::string residual_figures(const Report& report) {
  return magnitude_figures(report, report.residual, "|residual|");
}

std::string estimated_error_figures(const Report& report) {
  return magnitude_figures(report, report.estimated_error, "|estimated error|");
}

}  // namespace sobolev::detail
