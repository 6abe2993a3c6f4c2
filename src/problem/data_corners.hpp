// SPDX-License-Identifier: Apache-2.0
#pragma once
// Places where two conditions give an unknown different values.
#include <string>
#include <vector>

#include "sobolev/problem/problem.hpp"

namespace sobolev::detail {

struct DataCorner {
  const Condition* first;
  const Condition* second;
  std::string place;  // "t = 0, x = 1"
  double first_value = 0, second_value = 0;
  double relative = 0;  // the difference over the largest value that any condition gives the unknown
};

/// Conditions that give an unknown a value (u = f, in any linear form) in places that meet, where the values
/// differ by more than 1e-6 of the largest; decided at the ends and at sampled points of what is free there.
std::vector<DataCorner> data_corners(const Problem& problem, const std::string& unknown);

}  // namespace sobolev::detail
