// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sobolev {

/// What a report shows. Everything but the title may be empty.
struct Report {
  std::string title, subtitle;
  std::vector<std::pair<std::string, std::string>> results;   // shown large: name, value
  std::vector<std::pair<std::string, std::string>> settings;  // shown as a table
  struct Sample {
    double seconds = 0, loss = 0;
    std::optional<double> relative_l2;
  };
  std::vector<Sample> history;
  /// Values on a grid, flat in row-major order of the coordinates; axes ascending.
  std::vector<std::string> coordinates;
  std::vector<std::vector<double>> axes;
  std::map<std::string, std::vector<double>> prediction, reference;
  std::string source;  // the problem file
};

/// One self-contained HTML page: results; solution, reference and |error| of each unknown (one
/// coordinate: curves; two: pictures; more: pictures of slices through the middle); loss and error
/// over seconds; settings; the problem file. ArgumentError when values do not fill the grid.
std::string html_report(const Report& report);

}  // namespace sobolev
