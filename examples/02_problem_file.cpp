// SPDX-License-Identifier: Apache-2.0
// Example 02: u_t + c u_x = 0 from a problem file, with two keys overridden, solved and evaluated.
//
// A problem file holds everything that a problem is; what it leaves out has a default. Overrides have the
// form of the command's --set. The solution is a function: it can be asked for any expression of the
// unknowns and their derivatives at any points, here the residual of the equation itself.
//
// Expect: relative L2 error below 1e-3, residual below 1e-1
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "sobolev/pinn/solve.hpp"

using namespace sobolev;

int main() {
  const Problem problem = Problem::from_file(
      "problems/convection.toml", {"constants.speed=2", "training.windows=2",
                                   "training.phase=[{optimizer=\"levenberg_marquardt\", iterations=60}]"});
  const Cpu cpu;
  const Solution solution = solve(cpu, problem);

  const double points[] = {0.25, 1.0, 0.75, 2.0};  // rows: t, x
  const auto values = solution.evaluate(cpu, View<const double, 2>(points, 2, 2),
                                        std::vector<std::string>{"u", "u_xx", "transport"});
  for (int i = 0; i < 2; ++i)
    std::printf("t = %.2f, x = %.2f: u = %.6f, u_xx = %.6f, residual %.1e\n", points[2 * i],
                points[2 * i + 1], values[0][std::size_t(i)], values[1][std::size_t(i)],
                values[2][std::size_t(i)]);

  const double error = solution.relative_l2().at("u");
  const double residual = std::max(std::abs(values[2][0]), std::abs(values[2][1]));
  std::printf("relative L2 error %s 1e-3, residual %s 1e-1\n", error < 1e-3 ? "below" : "above",
              residual < 1e-1 ? "below" : "above");
}
