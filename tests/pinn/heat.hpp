// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

namespace sobolev::test {

/// The problem that most trainings of the tests solve, and the text of its sections network, training, …
inline std::string heat_with(const std::string& more) {
  return R"toml(unknowns = ["u"]
[coordinates]
t = [0, 1]
x = [0, 1]
[equations]
heat = "u_t - 0.1*u_xx = 0"
[conditions]
initial = { where = "t = 0", equation = "u = sin(pi*x)" }
left = { where = "x = 0", equation = "u = 0" }
right = { where = "x = 1", equation = "u = 0" }
)toml" + more;
}

}  // namespace sobolev::test
