// SPDX-License-Identifier: Apache-2.0
// u_t = 0.4 u_xx on [0, 1], u(0, x) = sin(pi x), u(t, 0) = u(t, 1) = 0; u = exp(-0.4 pi^2 t) sin(pi x).
// A problem put together in C++, solved with the library's defaults, and asked for values and derivatives.
#include <cmath>
#include <cstdio>
#include <numbers>

#include "sobolev/pinn/solve.hpp"

using namespace sobolev;

int main() {
  const Expr u = unknown("u"), t = coordinate("t"), x = coordinate("x");
  const double pi = std::numbers::pi;

  Problem heat;
  heat.unknowns = {"u"};
  heat.add_coordinate("t", 0, 1).add_coordinate("x", 0, 1);
  heat.add_equation("diffusion", d(u, t) - 0.4 * d(u, x, x));
  heat.add_condition("initial", {{"t", 0}}, u - sin(pi * x));
  heat.add_condition("left", {{"x", 0}}, u).add_condition("right", {{"x", 1}}, u);
  heat.reference.exact["u"] = exp(-0.4 * pi * pi * t) * sin(pi * x);
  heat.training.stop.relative_l2 = 1e-3;

  const Solution solution = solve(Cpu(), heat);
  const double points[] = {0.5, 0.25};  // one point: t, x
  const auto values = solution.evaluate(Cpu(), View<const double, 2>(points, 1, 2), {u, d(u, x)});

  const double exact = std::exp(-0.2 * pi * pi) * std::sin(0.25 * pi);
  std::printf("u(0.5, 0.25) = %.6f, exact %.6f; u_x = %.6f\n", values[0][0], exact, values[1][0]);
  std::printf("relative L2 error %s 1e-3 after %ld iterations\n",
              solution.relative_l2().at("u") <= 1e-3 ? "below" : "above", solution.iterations());
}
// Expect: relative L2 error below 1e-3
