// SPDX-License-Identifier: Apache-2.0
#pragma once
// Which initial data is built into the network's output, and what is worth saying about a problem's data.
#include <string>
#include <vector>

#include "sobolev/problem/problem.hpp"

namespace sobolev::detail {

/// The order of the highest pure time derivative of an unknown in the equations; 0 without time.
int time_order(const Problem& problem, const std::string& unknown);

/// The explicit initial data of an unknown: u = f(x) where time begins and, for order two, u_t = g(x).
struct InitialData {
  const Condition* value = nullptr;
  const Condition* slope = nullptr;
  bool built_in = false;
  /// Why data is not built in unless network.hard_initial says so: it jumps, has a corner or disagrees with
  /// boundary data. Built in, it would stay in the output for all times, and no smooth network takes it away.
  std::string doubt;
};
InitialData initial_data(const Problem& problem, const std::string& unknown);

/// Sentences for the user: data that disagrees at a corner of the domain, and initial data that is not built
/// in although it is explicit, with the reason.
std::vector<std::string> problem_notes(const Problem& problem);

}  // namespace sobolev::detail
