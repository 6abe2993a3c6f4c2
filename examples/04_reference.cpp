// SPDX-License-Identifier: Apache-2.0
// u_t + u u_x + 0.022^2 u_xxx = 0 on [-1, 1], periodic, u(0, x) = cos(pi x): Zabusky and Kruskal's
// experiment. A problem read from text, and its reference solution by the library's spectral solver: no
// network involved.
#include <algorithm>
#include <cstdio>

#include "sobolev/data/reference.hpp"

int main() {
  using namespace sobolev;
  const Problem problem = Problem::from_string(R"toml(
    unknowns = ["u"]
    [coordinates]
    t = [0, 1]
    x = { range = [-1, 1], periodic = true }
    [constants]
    delta = 0.022
    [equations]
    korteweg_de_vries = "u_t + u*u_x + delta^2*u_xxx = 0"
    [conditions]
    initial = { where = "t = 0", equation = "u = cos(pi*x)" }
    [reference]
    solver = "etdrk4"
    grid = { t = 11, x = 256 }
  )toml");
  const Reference reference = make_reference(Cpu(), problem);
  const auto& u = reference.values.at("u");  // row-major [t, x]

  std::printf("%s, last change %.1e\n", reference.source.c_str(), reference.error_bound);
  for (std::size_t i = 0; i < reference.axes[0].size(); i += 2) {
    const auto row = u.begin() + std::ptrdiff_t(i * 256);
    double mass = 0, energy = 0;  // both are conserved
    for (auto v = row; v != row + 256; ++v) mass += *v / 128, energy += *v * *v / 128;
    std::printf("t = %.1f   max u = %7.4f   mass = %9.1e   energy = %.9f\n", reference.axes[0][i],
                *std::max_element(row, row + 256), mass, energy);
  }
}
// Expect: t = 1.0 .* energy = 1.000000000
