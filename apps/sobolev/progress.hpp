// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <string>

#include "sobolev/pinn/solve.hpp"

namespace sobolev::app {

/// Progress on stderr: a line that is overwritten on a terminal, a plain line every few seconds
/// otherwise.
class ProgressPrinter {
 public:
  explicit ProgressPrinter(bool quiet);
  void show(const Progress& progress);
  /// Of so many samples after so many seconds.
  void show_samples(std::size_t done, std::size_t all, double seconds);
  /// Of an estimate of the error.
  void show_estimate(double fraction, double seconds);
  /// Ends the overwritten line, so that what follows begins on a line of its own.
  void finish();

 private:
  /// line(width, with_bar), where it is time for one.
  template <class Line>
  void put(const Line& line);

  bool quiet_, terminal_;
  bool open_line_ = false;
  std::chrono::steady_clock::time_point last_{};
};

/// Where a run stands, in at most `width` characters: where there is no room for everything whole parts are
/// left out, the loss last.
std::string progress_line(const Progress& progress, std::size_t width, bool with_bar);
/// "[#####...............]  25 %  250/1000 samples  12 s  about 36 s left", or less of it.
std::string samples_line(std::size_t done, std::size_t all, double seconds, std::size_t width, bool with_bar);
/// "[#####...............]  25 %  estimating the error  12 s  about 36 s left", or less of it.
std::string estimate_line(double fraction, double seconds, std::size_t width, bool with_bar);
/// "3.2 s", "5 min 10 s", "2 h 5 min".
std::string duration_text(double seconds);
/// "850", "12.3 k", "4.56 M".
std::string rate_text(double per_second);

}  // namespace sobolev::app
