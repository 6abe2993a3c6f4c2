// SPDX-License-Identifier: Apache-2.0
#pragma once
// Whether the conditions that a problem writes down can be all that determines its solution.
#include "sobolev/problem/problem.hpp"

namespace sobolev::detail {

/// Whether a coordinate of space, at its ends and inside, has fewer conditions than the highest derivatives
/// of the unknowns along it add up to: heat with one end left open. By counting alone: enough need not be the
/// right ones.
bool an_end_is_open(const Problem& problem);

/// Whether network.output or symmetry may stand for conditions that are not written: there is something of
/// the kind, and an end of a range (but the end of time) has no condition.
bool form_may_hold_conditions(const Problem& problem);

}  // namespace sobolev::detail
