// SPDX-License-Identifier: Apache-2.0
// −Δu = f on 63 × 63 points by a network: a multigrid cycle of convolutions whose weights are the textbook's
// stencils is the textbook's solver. With more channels and weights that are learned it is a layer of MgNO.
#include <cmath>
#include <cstdio>
#include <vector>

#include "sobolev/operators/field_network.hpp"

using namespace sobolev;

int main() {
  const std::size_t n = 63, levels = 6;
  MultigridOptions options;
  options.channels = 1;
  options.smoothing.assign(levels, {1, 1});
  options.restriction_padding = 0;  // 63 → 31 → … → 1 inner points
  options.prolongation_width = 3;
  options.restrict_residual = true;
  FieldNetwork network(2, 1);
  multigrid(network, 0, options, FieldActivation::identity, "cycle");

  // Its weights, 3 × 3 each: A has the sign turned, S damps high frequencies, P is bilinear, Q its transpose.
  std::vector<double> theta(network.parameters());
  for (const auto& array : network.arrays()) {
    const int level = std::stoi(array.name.substr(array.name.find("level.") + 6));
    const double h = std::ldexp(1.0, level) / double(n + 1);
    double middle = 0.25, side = 0.125, corner = 0.0625;  // Q
    if (array.name.ends_with(".A.weight")) middle = -4 / h / h, side = 1 / h / h, corner = 0;
    if (array.name.ends_with(".S.weight"))
      middle = 0.289 * h * h, side = 0.0657 * h * h, corner = 0.0197 * h * h;
    if (array.name.ends_with(".prolong.weight")) middle = 1, side = 0.5, corner = 0.25;
    for (int i = 0; i < 9; ++i)
      theta[array.offset + std::size_t(i)] = i == 4 ? middle : i % 2 == 1 ? side : corner;
  }

  // u ← u + cycle(f − A u), f = 1.
  PlannedFieldNetwork<double> cycle(Cpu(), network, {n, n}, 1, PlannedFieldNetwork<double>::Use::inference);
  std::vector<double> u((n + 2) * (n + 2)), r(n * n);
  double first = 0, last = 0;
  for (int k = 0; k <= 10; ++k) {
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < n; ++j) {
        const double* p = u.data() + (i + 1) * (n + 2) + j + 1;
        const double h2 = 1 / double((n + 1) * (n + 1));
        r[i * n + j] = 1 + (p[-1] + p[1] + *(p - (n + 2)) + p[n + 2] - 4 * p[0]) / h2;
        sum += r[i * n + j] * r[i * n + j];
      }
    last = std::sqrt(sum);
    if (k == 0) first = last;
    const auto du = cycle.forward(View<const double, 1>(theta.data(), theta.size()),
                                  View<const double, 3>(r.data(), 1, n * n, 1));
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < n; ++j) u[(i + 1) * (n + 2) + j + 1] += du.data()[i * n + j];
  }
  std::printf("u in the middle %.4f, residual after ten cycles %s 1e-7 of the first\n",
              u[(n / 2 + 1) * (n + 2) + n / 2 + 1], last < 1e-7 * first ? "below" : "above");
}
// Expect: u in the middle 0.0737, residual after ten cycles below 1e-7 of the first
