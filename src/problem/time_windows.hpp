// SPDX-License-Identifier: Apache-2.0
#pragma once
// Time windows of a problem: where they lie, and whether their lengths can be chosen while training.
#include <string>
#include <utility>

#include "sobolev/problem/problem.hpp"

namespace sobolev::detail {

/// Start and end of window k. Of automatic ones that have not begun: all of time, so that what depends on
/// their form only can be built.
std::pair<double, double> window_range(const Problem& problem, int window);
/// Whether there may be more than one.
bool divided(const Problem& problem);

/// Why the lengths of windows cannot be chosen while training; empty: they can. The problem must evolve: a
/// coordinate of time, unknowns of order one or two in it, conditions at its start and at no other time.
std::string automatic_windows_obstacle(const Problem& problem);
/// The same for problems that do not ask for it: data that jumps or has a corner would be hard in any window.
std::string default_windows_obstacle(const Problem& problem);

}  // namespace sobolev::detail
