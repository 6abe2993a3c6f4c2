// SPDX-License-Identifier: Apache-2.0
#include "apps/sobolev/progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "apps/sobolev/console.hpp"

namespace sobolev::app {
namespace {
constexpr std::chrono::seconds between_lines{5};

std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 100;
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

ProgressPrinter::ProgressPrinter(bool quiet, int windows)
    : quiet_(quiet), terminal_(::isatty(STDERR_FILENO) == 1), windows_(windows) {}

std::string ProgressPrinter::line(const Progress& progress) const {
  const HistoryRow& row = progress.row;
  std::string out;
  if (windows_ > 1) out += fmt::format("window {}/{}  ", row.window + 1, windows_);
  out += fmt::format("iteration {}  loss {:.2e}", row.iteration, row.loss);
  if (row.relative_l2) out += fmt::format("  error {:.2e}", *row.relative_l2);
  out += fmt::format("  {} points/s  {}", rate_text(progress.points_per_second), duration_text(row.seconds));
  if (progress.fraction > 0.01 && progress.fraction < 1)
    out += fmt::format("  about {} left",
                       duration_text(row.seconds * (1 - progress.fraction) / progress.fraction));
  return out;
}

void ProgressPrinter::show(const Progress& progress) {
  if (quiet_) return;
  const auto now = std::chrono::steady_clock::now();
  if (!terminal_) {
    if (last_.time_since_epoch().count() != 0 && now - last_ < between_lines) return;
    last_ = now;
    print_error("{}\n", line(progress));
    return;
  }
  constexpr int bar_width = 20;
  const int filled = static_cast<int>(std::lround(bar_width * std::clamp(progress.fraction, 0.0, 1.0)));
  std::string text = fmt::format("[{:#<{}}{:.<{}}] {:3.0f} %  {}", "", filled, "", bar_width - filled,
                                 100 * std::clamp(progress.fraction, 0.0, 1.0), line(progress));
  text.resize(std::min(text.size(), terminal_width() - 1));  // a wrapped line could not be overwritten
  print_error("\r{}\x1b[K", text);
  open_line_ = true;
}

void ProgressPrinter::finish() {
  if (open_line_) print_error("\n");
  open_line_ = false;
}

}  // namespace sobolev::app
