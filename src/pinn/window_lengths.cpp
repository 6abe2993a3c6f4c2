// SPDX-License-Identifier: Apache-2.0
#include "window_lengths.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace sobolev::detail {
namespace {
// Measured on the problems of docs/accuracy.md (docs/windows.md): where one window is best the residual is
// below 0.1 after 60 iterations, 1e-2 after 100, 2e-3 after 150; where it fails it never is.
struct Look {
  long iteration;
  double residual;
};
constexpr std::array<Look, 3> looks{{{60, 0.1}, {100, 1e-2}, {150, 2e-3}}};
constexpr double most_residual = 1e300, least_residual = 1e-300;
constexpr double failed = 0.1;
constexpr double hopeless = 0.3;  // a quarter of the length then, not a half
// Residual of half the length over that of the whole, to go on; where each window still has all its
// iterations.
constexpr double better = 0.25, better_in_plenty = 0.7;
constexpr double small_enough = 2e-5;       // no shorter window is tried
constexpr double fair = 1e-3, poor = 0.05;  // one attempt in vain ends the search below, two end it below
constexpr double share = 0.6;               // of the budget that first looks at all windows may take
constexpr double most_windows = 4096, most_without_limit = 64;
constexpr double much_worse = 8, much_better = 0.25;  // than the reference
constexpr int most_shortened = 3, hold_growth = 4;
constexpr double unused = 0.6;  // of a window's share of the budget: more windows are possible
constexpr double pays = 0.7;    // residual of a shorter window over that of the one before, to go on
}  // namespace

double WindowLengths::end(double start, double last) const {
  const double count = std::ceil((last - start) / length_ - 0.2);
  return count <= 1 ? last : start + (last - start) / count;
}

bool WindowLengths::due(long iteration, bool over) const {
  if (over && first_attempt()) return true;
  if (judged_) return false;
  return over ||
         std::any_of(looks.begin(), looks.end(), [&](const Look& l) { return l.iteration == iteration; });
}

double WindowLengths::iterations_each(double length, double rest, Budget budget) const {
  const double count = std::ceil(rest / length);
  if (std::isinf(budget.left)) return count <= most_without_limit ? budget.left : 0;
  return count <= most_windows ? budget.left / (count * budget.iteration) : 0;
}

bool WindowLengths::affordable(double length, double rest, Budget budget) const {
  return share * iterations_each(length, rest, budget) >= double(looks[0].iteration);
}

WindowLengths::Verdict WindowLengths::look(long iteration, bool over, double residual, double rest,
                                           Budget budget) {
  residual = residual >= 0 ? std::min(residual, most_residual) : most_residual;  // NaN
  if (iteration <= looks[0].iteration || first_ == 0) first_ = std::max(residual, least_residual);
  if (first_attempt()) {
    const bool last = over || iteration >= looks.back().iteration;
    double limit = looks.back().residual;
    for (const Look& l : looks)
      if (l.iteration == iteration && !over) limit = l.residual;
    if (over && budget.stalled) limit = small_enough;
    if (residual <= limit) {
      judged_ = last;
      return Verdict::go_on;
    }
    best_length_ = length_;
    best_residual_ = first_;
    judged_ = !affordable(length_ / 2, rest, budget);
    searching_ = !judged_;
    if (judged_) return Verdict::go_on;
    length_ /= first_ > hopeless ? 4 : 2;
    return Verdict::again;
  }
  if (searching_) return search(residual, rest, budget);
  judged_ = true;
  const double limit = std::max(much_worse * reference_, fair / 10);
  if (residual <= limit || shortened_ >= most_shortened) return Verdict::go_on;
  // What failed is of no use to later windows, even if time is over before they are all done.
  if (residual < failed && !affordable(length_ / 2, rest, budget)) return Verdict::go_on;
  judged_ = false;
  ++shortened_;
  hold_ = hold_growth;
  length_ /= 2;
  first_ = 0;
  return Verdict::again;
}

WindowLengths::Verdict WindowLengths::search(double residual, double rest, Budget budget) {
  const bool plenty = iterations_each(length_, rest, budget) >= double(looks.back().iteration);
  misses_ = residual < (plenty ? better_in_plenty : better) * best_residual_ ? 0 : misses_ + 1;
  if (residual < best_residual_) {
    best_length_ = length_;
    best_residual_ = residual;
  }
  const bool settled = residual <= small_enough || !affordable(length_ / 2, rest, budget) ||
                       (misses_ >= 1 && best_residual_ <= fair) || (misses_ >= 2 && best_residual_ <= poor);
  if (!settled) {
    length_ /= residual > hopeless ? 4 : 2;
    first_ = 0;
    return Verdict::again;
  }
  searching_ = false;
  judged_ = true;
  reference_ = best_residual_;
  if (best_length_ == length_) return Verdict::go_on;
  length_ = best_length_;
  first_ = best_residual_;
  return length_ == time_ ? Verdict::back_to_kept : Verdict::again;
}

void WindowLengths::accepted(double used) {
  searching_ = false;
  if (reference_ == 0) reference_ = first_;
  if (before_ > 0 && first_ > pays * before_) {
    // The shorter one was not better.
    length_ /= shrunk_;
    no_shorter_ = true;
  }
  before_ = 0;
  if (hold_ > 0) --hold_;
  if (used < unused && !no_shorter_ && first_ > small_enough / 10) {
    shrunk_ = std::max(0.5, used / unused);
    length_ *= shrunk_;
    before_ = first_;
  } else if (used >= 1 && hold_ == 0 && first_ < much_better * reference_) {
    length_ = std::min(time_, 1.5 * length_);
  }
  judged_ = false;
  first_ = 0;
  shortened_ = 0;
}

std::vector<double> WindowLengths::numbers() const {
  return {length_,
          double(searching_),
          double(judged_),
          first_,
          best_length_,
          best_residual_,
          reference_,
          double(misses_),
          double(shortened_),
          double(hold_),
          before_,
          shrunk_,
          double(no_shorter_)};
}

bool WindowLengths::set_numbers(const std::vector<double>& n) {
  if (n.size() != numbers().size() || !(n[0] > 0) ||
      std::any_of(n.begin(), n.end(), [](double v) { return !(v >= 0 && v <= most_residual); }))
    return false;
  length_ = std::min(n[0], time_);
  searching_ = n[1] != 0;
  judged_ = n[2] != 0;
  first_ = n[3];
  best_length_ = n[4];
  best_residual_ = n[5];
  reference_ = n[6];
  misses_ = int(std::min(n[7], 1e6));
  shortened_ = int(std::min(n[8], 1e6));
  hold_ = int(std::min(n[9], 1e6));
  before_ = n[10];
  shrunk_ = n[11];
  no_shorter_ = n[12] != 0;
  return true;
}

}  // namespace sobolev::detail
