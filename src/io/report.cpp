// SPDX-License-Identifier: Apache-2.0
#include "sobolev/io/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sobolev/core/error.hpp"
#include "src/io/field_plot.hpp"
#include "src/io/svg_plot.hpp"

namespace sobolev {
namespace {
constexpr const char* style = R"css(
:root { color-scheme: light dark; --page: #fbfbfa; --card: #ffffff; --ink: #1d2129; --soft: #5d6470; --line: #d9dce1;
  --grid: #eceef1; --first: #2a5db0; --second: #b3402e; }
@media (prefers-color-scheme: dark) { :root { --page: #14161a; --card: #1c1f25; --ink: #e6e8ec; --soft: #9aa2ae;
  --line: #3a3f48; --grid: #2a2e35; --first: #7fb0ff; --second: #ff9a82; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
main { max-width: 1400px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { margin: 0; font-size: 30px; line-height: 1.2; }
h2 { margin: 40px 0 12px; font-size: 20px; }
.subtitle { margin: 6px 0 0; color: var(--soft); }
.results { display: flex; flex-wrap: wrap; gap: 12px; margin: 24px 0 0; padding: 0; }
.results div { flex: 1 1 150px; background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 12px 16px; }
.results dt { color: var(--soft); font-size: 14px; }
.results dd { margin: 0; font-size: 24px; font-variant-numeric: tabular-nums; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(380px, 100%), 1fr)); gap: 16px; }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 12px; }
figcaption { color: var(--soft); font-size: 14px; text-align: center; }
svg { display: block; width: 100%; height: auto; max-width: 640px; margin: 0 auto; }
svg text { fill: var(--soft); font-size: 12px; font-variant-numeric: tabular-nums; }
svg text.label { fill: var(--ink); font-size: 13px; }
.grid { stroke: var(--grid); fill: none; }
.axis { stroke: var(--soft); fill: none; }
.curve { stroke: var(--first); fill: none; stroke-width: 1.8; stroke-linejoin: round; }
.second { stroke: var(--second); }
.dashed { stroke: var(--second); stroke-dasharray: 6 5; }
table { border-collapse: collapse; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
td { padding: 6px 16px; border-bottom: 1px solid var(--grid); vertical-align: top; overflow-wrap: anywhere; }
td:first-child { color: var(--soft); white-space: nowrap; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 16px; overflow-x: auto;
  font: 13px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; }
summary { cursor: pointer; font-size: 20px; font-weight: 600; margin: 40px 0 12px; }
)css";

/// At most about `most` samples, the last of each group, so that the curve keeps its shape.
std::vector<Report::Sample> thinned(const std::vector<Report::Sample>& history, std::size_t most) {
  const std::size_t step = std::max<std::size_t>(1, history.size() / most);
  std::vector<Report::Sample> out;
  for (std::size_t i = 0; i < history.size(); i += step) {
    Report::Sample kept = history[std::min(i + step, history.size()) - 1];
    for (std::size_t k = i; k < std::min(i + step, history.size()); ++k)
      if (history[k].relative_l2) kept.relative_l2 = history[k].relative_l2;
    out.push_back(kept);
  }
  return out;
}

std::string training_figures(const std::vector<Report::Sample>& history) {
  std::vector<double> seconds, loss, error_seconds, error;
  for (const Report::Sample& sample : thinned(history, 1500)) {
    seconds.push_back(sample.seconds);
    loss.push_back(sample.loss);
    if (!sample.relative_l2) continue;
    error_seconds.push_back(sample.seconds);
    error.push_back(*sample.relative_l2);
  }
  const double last = seconds.empty() ? 1 : *std::max_element(seconds.begin(), seconds.end());
  const detail::PlotAxis time{"seconds", 0, last > 0 && std::isfinite(last) ? last : 1, false};
  detail::Plot plot(540, 270, time, detail::fitted_axis("loss", {loss}, true));
  plot.curve(seconds, loss, "curve");
  std::string out = detail::figure("Loss", plot.finish("loss over seconds"));
  if (!error.empty()) {
    detail::Plot errors(540, 270, time, detail::fitted_axis("relative L2 error", {error}, true));
    errors.curve(error_seconds, error, "curve second");
    out += detail::figure("Relative L2 error against the reference",
                          errors.finish("relative L2 error over seconds"));
  }
  return out;
}

void check(const Report& report) {
  require(
      report.coordinates.size() == report.axes.size(),
      fmt::format("html_report: {} coordinates but {} axes", report.coordinates.size(), report.axes.size()));
  std::size_t count = 1;
  for (const auto& axis : report.axes) count *= axis.size();
  for (const auto* fields : {&report.prediction, &report.reference})
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
                     detail::escaped(report.title), style);
  out += fmt::format("<h1>{}</h1>\n<p class=\"subtitle\">{}</p>\n", detail::escaped(report.title),
                     detail::escaped(report.subtitle));
  if (!report.results.empty()) {
    out += "<dl class=\"results\">\n";
    for (const auto& [name, value] : report.results)
      out +=
          fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", detail::escaped(name), detail::escaped(value));
    out += "</dl>\n";
  }
  if (!report.prediction.empty()) {
    out += "<h2>Solution</h2>\n";
    for (const auto& [unknown, values] : report.prediction)
      out += "<div class=\"figures\">\n" + detail::field_figures(report, unknown) + "</div>\n";
  }
  if (!report.history.empty())
    out += "<h2>Training</h2>\n<div class=\"figures\">\n" + training_figures(report.history) + "</div>\n";
  if (!report.settings.empty()) {
    out += "<h2>Settings</h2>\n<table>\n";
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
