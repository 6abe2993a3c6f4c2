// SPDX-License-Identifier: Apache-2.0
#pragma once
// The points that a window is trained on.
#include <vector>

#include "window_model.hpp"

namespace sobolev::detail {

/// Points [N, D] of the equations (no condition) or of a condition in a window, in coordinate order. `stream`
/// numbers the group among those that are trained; `generation` counts the drawings. Windows have the same
/// points of space, so that the values of one are carried on to the next.
std::vector<double> training_points(const Problem& problem, const WindowModel& model,
                                    const Condition* condition, int group, long generation);

/// The same places from another sequence: `count` points, of those coordinates that a condition leaves free.
std::vector<double> fresh_points(const Problem& problem, const WindowModel& model, const Condition* condition,
                                 int group, int count);

}  // namespace sobolev::detail
