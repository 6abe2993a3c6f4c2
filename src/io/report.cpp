// SPDX-License-Identifier: Apache-2.0
#include "sobolev/io/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sobolev/core/error.hpp"
#include "src/io/field_plot.hpp"
#include "src/io/report_style.hpp"
#include "src/io/svg_plot.hpp"

namespace sobolev {
namespace {
/// At most about `most` samples of those that have a value, the last always among them: a curve keeps its
/// shape and its end.
struct Series {
  std::vector<double> seconds, values;
};
template <class Value>
Series series_of(const std::vector<Report::Sample>& history, const Value& value) {
  constexpr std::size_t most = 1500;
  Series all, kept;
  for (const Report::Sample& sample : history)
    if (const std::optional<double> v = value(sample)) {
      all.seconds.push_back(sample.seconds);
      all.values.push_back(*v);
    }
  const std::size_t n = all.seconds.size(), step = n / most + 1;
  for (std::size_t i = 0; i < n; ++i)
    if ((n - 1 - i) % step == 0) {
      kept.seconds.push_back(all.seconds[i]);
      kept.values.push_back(all.values[i]);
    }
  return kept;
}

std::string training_figures(const Report& report) {
  const Series loss = series_of(report.history, [](const auto& s) { return std::optional<double>(s.loss); });
  const Series error = series_of(report.history, [](const auto& s) { return s.relative_l2; });
  double last = 0;
  for (const Report::Sample& sample : report.history) last = std::max(last, sample.seconds);
  const detail::PlotAxis time{"seconds", 0, last > 0 && std::isfinite(last) ? last : 1, false};
  const auto drawing = [&](const Series& series, const std::string& label, const std::string& style) {
    detail::Plot plot(540, 270, time, detail::fitted_axis(label, {series.values}, true));
    plot.curve(series.seconds, series.values, "curve" + style);
    plot.dot(series.seconds.back(), series.values.back(), "end" + style);
    return plot.finish(label + " over seconds");
  };
  std::string out = detail::figure("Loss", drawing(loss, "loss", ""));
  if (!error.seconds.empty())
    out += detail::figure(report.prediction.size() > 1
                              ? "Relative L2 error against the reference, of the unknown with the largest"
                              : "Relative L2 error against the reference",
                          drawing(error, "relative L2 error", " second"));
  return out;
}

std::string curve_figures(const std::vector<Report::Curves>& all) {
  std::string out;
  for (const Report::Curves& c : all) {
    std::vector<std::vector<double>> x, y;
    std::string names;
    for (const Report::Curves::Line& line : c.lines) {
      x.push_back(line.x);
      y.push_back(line.y);
    }
    detail::Plot plot(540, 270, detail::fitted_axis(c.x, x, c.logarithmic_x),
                      detail::fitted_axis(c.y, y, c.logarithmic_y));
    for (std::size_t i = 0; i < c.lines.size(); ++i) {
      plot.curve(c.lines[i].x, c.lines[i].y, i == 0 ? "curve" : "curve second");
      names += (i == 0 ? "" : ", ") + c.lines[i].name;
    }
    out += detail::figure(detail::escaped(c.caption), plot.finish(c.caption + ": " + names));
  }
  return out;
}

std::string doubt_section(const std::vector<std::string>& doubts) {
  if (doubts.empty()) return "";
  std::string out = "<section class=\"doubts\">\n<h2>This answer is doubtful</h2>\n<ul>\n";
  for (const std::string& doubt : doubts) out += "<li>" + detail::escaped(doubt) + "</li>\n";
  return out + "</ul>\n</section>\n";
}

std::string residual_number(double value) { return value == 0 ? "0" : fmt::format("{:.2e}", value); }

/// Lines break at the commas of "x = 0.1, y = 0.2" only.
std::string unbroken(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i)
    out += text[i] == ' ' && (i == 0 || text[i - 1] != ',') ? "&nbsp;" : std::string(1, text[i]);
  return out;
}

std::string statement_table(const std::vector<Report::Statement>& statements) {
  const bool measured =
      std::any_of(statements.begin(), statements.end(), [](const auto& s) { return s.residual.has_value(); });
  std::string out =
      "<h2>Equations and conditions</h2>\n<div class=\"scroll\"><table>\n"
      "<tr><th>name</th><th>holds</th><th>as written</th>";
  if (measured) out += "<th>residual: rms</th><th>largest</th><th>at</th><th>rms of its largest term</th>";
  out += "</tr>\n";
  for (const Report::Statement& s : statements) {
    out += fmt::format("<tr><td>{}</td><td>{}</td><td><code>{}</code></td>", detail::escaped(s.name),
                       detail::escaped(s.where), detail::escaped(s.text));
    if (s.residual)
      out += fmt::format(
          "<td class=\"number\">{}</td><td class=\"number\">{}</td><td>{}</td>"
          "<td class=\"number\">{}</td>",
          residual_number(s.residual->rms), residual_number(s.residual->largest),
          unbroken(detail::escaped(s.residual->place)), residual_number(s.residual->scale));
    else if (measured)
      out += "<td></td><td></td><td></td><td></td>";
    out += "</tr>\n";
  }
  out += "</table></div>\n";
  if (measured)
    out +=
        "<p class=\"subtitle\">Residuals are left − right in the problem's own units, on points the "
        "network was not trained on.</p>\n";
  return out;
}

void check(const Report& report) {
  require(
      report.coordinates.size() == report.axes.size(),
      fmt::format("html_report: {} coordinates but {} axes", report.coordinates.size(), report.axes.size()));
  std::size_t count = 1;
  for (const auto& axis : report.axes) count *= axis.size();
  require(report.time < static_cast<int>(report.axes.size()),
          fmt::format("html_report: coordinate {} is said to be time; there are {}", report.time,
                      report.axes.size()));
  for (const auto* fields :
       {&report.prediction, &report.reference, &report.residual, &report.estimated_error})
    for (const auto& [name, values] : *fields)
      require(!report.axes.empty() && count > 0 && values.size() == count,
              fmt::format("html_report: {} has {} values, the grid {} points", name, values.size(), count));
}
}  // namespace

std::string html_report(const Report& report) {
  check(report);
  std::string out = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
  out += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  out += fmt::format("<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n",
                     detail::escaped(report.title), detail::report_style);
  out += fmt::format("<h1>{}</h1>\n<p class=\"subtitle\">{}</p>\n", detail::escaped(report.title),
                     detail::escaped(report.subtitle));
  out += doubt_section(report.doubts);
  if (!report.results.empty()) {
    out += "<dl class=\"results\">\n";
    for (const auto& [name, value] : report.results)
      out +=
          fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", detail::escaped(name), detail::escaped(value));
    out += "</dl>\n";
  }
  if (!report.notes.empty()) {
    out += "<ul class=\"notes\">\n";
    for (const std::string& note : report.notes) out += "<li>" + detail::escaped(note) + "</li>\n";
    out += "</ul>\n";
  }
  if (!report.statements.empty()) out += statement_table(report.statements);
  if (!report.prediction.empty())
    out += "<h2>" + detail::escaped(report.fields_heading) + "</h2>\n" + detail::solution_figures(report);
  if (!report.estimated_error.empty() || !report.estimate_text.empty()) {
    out += "<h2>Estimated error</h2>\n" + detail::estimated_error_figures(report);
    if (!report.estimate_text.empty())
      out += "<p class=\"subtitle\">" + detail::escaped(report.estimate_text) + "</p>\n";
  }
  if (!report.residual.empty()) out += "<h2>Residuals</h2>\n" + detail::residual_figures(report);
  if (!report.curves.empty())
    out += "<h2>" + detail::escaped(report.curves_heading) + "</h2>\n" +
           detail::row_of("curves", curve_figures(report.curves));
  if (!report.history.empty())
    out += "<h2>Training</h2>\n" + detail::row_of("curves", training_figures(report));
  if (!report.settings.empty()) {
    out += "<h2>Settings</h2>\n<table class=\"settings\">\n";
    for (const auto& [name, value] : report.settings)
      out += fmt::format("<tr><td>{}</td><td>{}</td></tr>\n", detail::escaped(name), detail::escaped(value));
    out += "</table>\n";
  }
  if (!report.source.empty())
    out += "<details><summary>Problem file</summary>\n<pre>" + detail::escaped(report.source) +
           "</pre></details>\n";
  return out + "</main>\n</body>\n</html>\n";
}

}  // namespace sobolev
