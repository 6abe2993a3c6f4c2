// SPDX-License-Identifier: Apache-2.0
#pragma once
// Lengths of time windows, chosen while training as an integrator chooses its step. docs/windows.md.
#include <vector>

namespace sobolev::detail {

/// What decides is the residual on fresh points, over its largest term, after 60, 100 and 150 iterations of
/// Levenberg–Marquardt. All of time is tried first; where that falls short, shorter first windows are, as
/// long as the residual after 60 iterations falls with them and the rest of the budget has room for about 100
/// iterations of each. Later windows begin with the length that was found; one that is much worse is
/// shortened, after one that is much better the next is longer.
class WindowLengths {
 public:
  /// What is left, and what an iteration costs, both in seconds or in iterations; infinite: no limit.
  struct Budget {
    double left, iteration;
    bool stalled = false;  // nothing got better any more, with most of the run left
  };
  enum class Verdict {
    go_on,
    again,        // another length, from the window's start
    back_to_kept  // the same with all of time, which was tried first, and its parameters
  };

  /// Of a problem whose time is this long.
  explicit WindowLengths(double time) : time_(time), length_(time) {}

  /// The end of the window that begins here. The rest of time is divided evenly.
  double end(double start, double last) const;
  /// Whether this iteration is one after which `look` wants the residual; `over`: the last of the first
  /// phase.
  bool due(long iteration, bool over) const;
  /// `rest`: of time, from the start of the window on.
  Verdict look(long iteration, bool over, double residual, double rest, Budget budget);
  /// The window has been looked at as often as is wanted: from then on its share of the budget may end it.
  bool judged() const { return judged_; }
  /// The window is done, and has used this share of what it might have.
  void accepted(double used);
  /// Its parameters are wanted again if no shorter window is better: those of the first attempt.
  bool first_attempt() const { return searching_ && best_length_ == 0; }

  /// For checkpoints: numbers() of one object makes another the same.
  std::vector<double> numbers() const;
  /// False where these are no such numbers.
  bool set_numbers(const std::vector<double>& numbers);

 private:
  double iterations_each(double length, double rest, Budget budget) const;
  bool affordable(double length, double rest, Budget budget) const;
  Verdict search(double residual, double rest, Budget budget);

  double time_, length_;
  bool searching_ = true;                       // for the length of the first window
  bool judged_ = false;                         // this window is to be trained to its end
  double first_ = 0;                            // residual at the first look at this window
  double best_length_ = 0, best_residual_ = 0;  // of the search
  double reference_ = 0;                        // residual that windows have at the first look
  double before_ = 0, shrunk_ = 1;  // residual of the window before one that was made shorter, by this factor
  bool no_shorter_ = false;         // that did not pay
  int misses_ = 0, shortened_ = 0, hold_ = 0;  // of the search, of this window, before lengths grow again
};

}  // namespace sobolev::detail
