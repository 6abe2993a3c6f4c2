// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdio>
#include <numbers>

#include "sobolev/data/reference.hpp"

// The heat equation, written with operators; its reference at t = 1 against exp(-pi^2/10).
int main() {
  using namespace sobolev;
  const Expr u = unknown("u"), t = coordinate("t"), x = coordinate("x");
  Problem problem;
  problem.unknowns = {"u"};
  problem.add_coordinate("t", 0, 1).add_coordinate("x", 0, 2, true);
  problem.add_equation("heat", d(u, t) - 0.1 * d(u, x, x));
  problem.add_condition("initial", {{"t", 0}}, u - cos(std::numbers::pi * x));
  problem.reference.solver = "etdrk4";
  problem.reference.grid = {{"t", 2}, {"x", 4}};
  const Reference reference = make_reference(Cpu(), problem);
  const double got = reference.values.at("u")[4], want = std::exp(-0.1 * std::numbers::pi * std::numbers::pi);
  std::printf("u(1, 0) = %.12f\n", got);
  return std::abs(got - want) < 1e-12 ? 0 : 1;
}
