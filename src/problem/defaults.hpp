// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "sobolev/problem/problem.hpp"

namespace sobolev::detail {
/// The problem with every option that was left open chosen (docs/defaults.md).
Problem with_defaults(const Problem& problem);
/// Levenberg–Marquardt keeps four P × P matrices; beyond this many parameters Adam is the default.
inline constexpr std::size_t levenberg_marquardt_limit = 4000;
/// Weights of conditions beside 1 for the equations: where all are scaled automatically, and of a condition
/// without a weight where another one has one.
inline constexpr double condition_weight = 10, unscaled_condition = 100;
}  // namespace sobolev::detail
