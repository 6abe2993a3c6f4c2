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
  std::vector<std::string> doubts;  // why the answer may be wrong, with remedies: shown first
  std::vector<std::string> notes;
  std::vector<std::pair<std::string, std::string>> results;  // shown large: name, value

  /// How well something holds: of left − right, in the problem's units.
  struct Residual {
    double rms = 0, largest = 0;
    double scale = 0;   // rms of the largest term
    std::string place;  // of the largest
  };
  /// An equation or a condition, as it was written.
  struct Statement {
    std::string name, where, text;  // where: "everywhere", "t = 0"
    std::optional<Residual> residual;
  };
  std::vector<Statement> statements;
  std::vector<std::pair<std::string, std::string>> settings;  // shown as a table

  struct Sample {
    double seconds = 0, loss = 0;
    std::optional<double> relative_l2;
  };
  std::vector<Sample> history;

  /// Values on a grid, flat in row-major order of the coordinates; axes ascending.
  std::vector<std::string> coordinates;
  std::vector<std::vector<double>> axes;
  int time = -1;  // which of the coordinates is time; −1: none
  std::map<std::string, std::vector<double>> prediction, reference;
  std::map<std::string, std::vector<double>> residual;  // equation -> |left − right|
  /// By unknown, estimated without a reference; NaN where nothing is known. `estimate_text`: what it is
  /// worth.
  std::map<std::string, std::vector<double>> estimated_error;
  std::string estimate_text;
  std::string fields_heading = "Solution";  // over the pictures of prediction
  std::string source;                       // the problem file

  /// Curves in one drawing.
  struct Curves {
    std::string caption, x, y;  // what the axes show
    bool logarithmic_x = false, logarithmic_y = false;
    struct Line {
      std::string name;
      std::vector<double> x, y;
    };
    std::vector<Line> lines;  // at most two
  };
  std::string curves_heading;
  std::vector<Curves> curves;
};

/// One self-contained HTML page: doubts; results; equations and conditions; solution, reference and |error|
/// of each unknown, |estimated error| of each and |residual| of each equation; other curves; loss and error
/// over seconds; settings; the problem file.
///
/// One coordinate: curves. Time and one space coordinate: a picture, and profiles at five times. Two space
/// coordinates: a picture. Time and more space coordinates: pictures at four times, coordinates beyond the
/// first two in the middle. Else pictures of slices through the middle. Two space coordinates are drawn to
/// one scale unless one range is more than three times the other. ArgumentError when values do not fill the
/// grid.
std::string html_report(const Report& report);

}  // namespace sobolev
