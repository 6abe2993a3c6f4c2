// SPDX-License-Identifier: Apache-2.0
#pragma once
// The points that a window is trained on.
#include <functional>
#include <vector>

#include "window_model.hpp"

namespace sobolev::detail {

/// Points [N, D] of the equations (no condition) or of a condition in a window, in coordinate order. `stream`
/// numbers the group among those that are trained; `generation` counts the drawings. Windows have the same
/// points of space, so that the values of one are carried on to the next.
std::vector<double> training_points(const Problem& problem, const WindowModel& model,
                                    const Condition* condition, int group, long generation);

/// Further points of the equations, half as many as those of training_points, where their loss is large
/// between the points. `gathered`: those that are there already; `losses`: Σ (weighted residual)² at points;
/// `number` tells one gathering from another. The losses at as many fresh points are compared with those at
/// the points: unless their root mean square is three times as large, nothing is to be gained, and the result
/// is empty. Else the points are drawn, with probabilities in proportion to the root of the loss, from the
/// fresh ones and, twice, from others around the worst so far at a quarter of the distance. Source:
/// residual-based adaptive refinement and distribution (Wu, Zhu, Tan, Kartha & Lu 2023), k = 1.
std::vector<double> gathered_points(
    const Problem& problem, const WindowModel& model, long number, const std::vector<double>& gathered,
    const std::function<std::vector<double>(const std::vector<double>& points)>& losses);

/// The same places from another sequence: `count` points, of those coordinates that a condition leaves free.
std::vector<double> fresh_points(const Problem& problem, const WindowModel& model, const Condition* condition,
                                 int group, int count);

}  // namespace sobolev::detail
