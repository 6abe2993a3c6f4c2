// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

namespace sobolev::test {

/// The lowest eigenvalue of −u″, π², and its function with slope 1 at the start; sections that come after.
inline std::string eigenvalue_with(const std::string& more) {
  return R"toml(unknowns = ["u"]
[coordinates]
x = [0, 1]
[constants]
lambda = { initial = 9 }
[equations]
eigen = "u_xx + lambda*u = 0"
[conditions]
left = { where = "x = 0", equation = "u = 0" }
right = { where = "x = 1", equation = "u = 0" }
slope = { where = "x = 0", equation = "u_x = 1" }
)toml" + more;
}

}  // namespace sobolev::test
