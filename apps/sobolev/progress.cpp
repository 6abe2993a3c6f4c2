// SPDX-License-Identifier: Apache-2.0
#include "apps/sobolev/progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "apps/sobolev/console.hpp"

namespace sobolev::app {
namespace {
constexpr std::chrono::seconds between_lines{5};

std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/// In the order in which they stand; the lower the rank, the longer a part is kept.
struct Part {
  int rank;
  std::string text;
};

void add_bar(std::vector<Part>& parts, double share) {
  const double fraction = std::clamp(share, 0.0, 1.0);
  constexpr int bar_width = 20;
  const int filled = static_cast<int>(std::lround(bar_width * fraction));
  parts.push_back({7, fmt::format("[{:#<{}}{:.<{}}]", "", filled, "", bar_width - filled)});
  parts.push_back({2, fmt::format("{:3.0f} %", 100 * fraction)});
}

void add_times(std::vector<Part>& parts, double seconds, double fraction) {
  parts.push_back({6, duration_text(seconds)});
  if (fraction > 0.01 && fraction < 1)
    parts.push_back({3, "about " + duration_text(seconds * (1 - fraction) / fraction) + " left"});
}

/// What has room.
std::string joined(std::vector<Part> parts, std::size_t width) {
  const auto line = [&] {
    std::string out;
    for (const Part& part : parts) out += (out.empty() ? "" : "  ") + part.text;
    return out;
  };
  while (line().size() > width && !parts.empty())
    parts.erase(std::max_element(parts.begin(), parts.end(),
                                 [](const Part& a, const Part& b) { return a.rank < b.rank; }));
  return line();
}
}  // namespace

std::string duration_text(double seconds) {
  if (!std::isfinite(seconds)) return "?";
  if (seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const long whole = std::lround(seconds);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

std::string rate_text(double per_second) {
  if (per_second >= 1e6) return fmt::format("{:.3g} M", per_second / 1e6);
  if (per_second >= 1e3) return fmt::format("{:.3g} k", per_second / 1e3);
  return fmt::format("{:.3g}", per_second);
}

ProgressPrinter::ProgressPrinter(bool quiet) : quiet_(quiet), terminal_(::isatty(STDERR_FILENO) == 1) {}

std::string progress_line(const Progress& progress, std::size_t width, bool with_bar) {
  const HistoryRow& row = progress.row;
  std::vector<Part> parts;
  if (with_bar) add_bar(parts, progress.fraction);
  if (progress.windows > 1)
    parts.push_back({5, fmt::format("window {}/{}", row.window + 1, progress.windows)});
  parts.push_back({4, fmt::format("iteration {}", row.iteration)});
  parts.push_back({0, fmt::format("loss {:.2e}", row.loss)});
  if (row.relative_l2) parts.push_back({1, fmt::format("error {:.2e}", *row.relative_l2)});
  parts.push_back({8, rate_text(progress.points_per_second) + " points/s"});
  add_times(parts, row.seconds, progress.fraction);
  return joined(std::move(parts), width);
}

std::string samples_line(std::size_t done, std::size_t all, double seconds, std::size_t width,
                         bool with_bar) {
  const double fraction = double(done) / double(all);
  std::vector<Part> parts;
  if (with_bar) add_bar(parts, fraction);
  parts.push_back({0, fmt::format("{}/{} samples", done, all)});
  add_times(parts, seconds, fraction);
  return joined(std::move(parts), width);
}

std::string estimate_line(double fraction, double seconds, std::size_t width, bool with_bar) {
  std::vector<Part> parts;
  if (with_bar) add_bar(parts, fraction);
  parts.push_back({0, "estimating the error"});
  add_times(parts, seconds, fraction);
  return joined(std::move(parts), width);
}

template <class Line>
void ProgressPrinter::put(const Line& line) {
  if (quiet_) return;
  const auto now = std::chrono::steady_clock::now();
  if (!terminal_) {
    if (last_.time_since_epoch().count() != 0 && now - last_ < between_lines) return;
    last_ = now;
    print_error("{}\n", line(std::string::npos, false));
    return;
  }
  // One column is left free: a terminal may wrap a line that fills it.
  print_error("\r{}\x1b[K", line(terminal_width() - 1, true));
  open_line_ = true;
}

void ProgressPrinter::show(const Progress& progress) {
  put([&](std::size_t width, bool bar) { return progress_line(progress, width, bar); });
}

void ProgressPrinter::show_samples(std::size_t done, std::size_t all, double seconds) {
  put([&](std::size_t width, bool bar) { return samples_line(done, all, seconds, width, bar); });
}

void ProgressPrinter::show_estimate(double fraction, double seconds) {
  put([&](std::size_t width, bool bar) { return estimate_line(fraction, seconds, width, bar); });
}

void ProgressPrinter::finish() {
  if (open_line_) print_error("\n");
  open_line_ = false;
}

}  // namespace sobolev::app
