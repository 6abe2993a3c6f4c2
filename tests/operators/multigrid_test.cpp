// SPDX-License-Identifier: Apache-2.0
// A cycle whose weights are the stencils of a textbook is the textbook's solver.
#include <algorithm>
#include <cmath>
#include <map>

#include "sobolev/operators/field_network.hpp"
#include "tests/support.hpp"

namespace sobolev {
namespace {
/// −Δu = f on n² inner points of the unit square, u = 0 around them. A' = −A; the smoother is the 3 × 3
/// stencil c0, c1 beside, c2 across that damps the high frequencies of the 5-point Laplacian most, to 0.16.
FieldNetwork poisson_cycle(std::size_t n, const std::vector<std::pair<int, int>>& smoothing, int visits,
                           std::vector<double>& theta) {
  FieldNetwork network(2, 1);
  MultigridOptions o;
  o.channels = 1;
  o.smoothing = smoothing;
  o.visits = visits;
  o.restriction_padding = 0;
  o.prolongation_width = 3;
  o.restrict_residual = true;
  multigrid(network, 0, o, FieldActivation::identity, "cycle");
  theta.assign(network.parameters(), 0);
  const auto stencil = [](double middle, double side, double corner) {
    return std::vector<double>{corner, side, corner, side, middle, side, corner, side, corner};
  };
  for (const auto& array : network.arrays()) {
    const auto ends_with = [&](const std::string& what) { return array.name.ends_with(what + ".weight"); };
    const std::size_t level = std::stoul(array.name.substr(array.name.find("level.") + 6));
    const double h = std::ldexp(1.0, int(level)) / double(n + 1);
    const std::vector<double> values = ends_with(".A") ? stencil(-4 / h / h, 1 / h / h, 0)
                                       : ends_with(".S")
                                           ? stencil(0.289 * h * h, 0.0657 * h * h, 0.0197 * h * h)
                                       : ends_with(".prolong")    ? stencil(1, 0.5, 0.25)
                                       : ends_with(".restrict_f") ? stencil(0.25, 0.125, 0.0625)
                                                                  : std::vector<double>{};
    EXPECT_EQ(values.size(), 9u) << array.name;
    std::copy(values.begin(), values.end(), theta.begin() + std::ptrdiff_t(array.offset));
  }
  return network;
}

/// The factor by which a cycle shrinks the residual, over its last five of ten.
double factor(std::size_t n, int visits) {
  std::vector<std::pair<int, int>> smoothing;
  for (std::size_t m = n; m >= 3; m = (m - 1) / 2) smoothing.emplace_back(1, 1);
  smoothing.emplace_back(8, 0);
  std::vector<double> theta;
  const FieldNetwork network = poisson_cycle(n, smoothing, visits, theta);
  PlannedFieldNetwork<double> cycle(Cpu(2), network, {n, n}, 1, PlannedFieldNetwork<double>::Use::inference);
  const Philox random(5, 1);
  std::vector<double> f(n * n), u(n * n), r(n * n), sizes;
  for (std::size_t i = 0; i < f.size(); ++i) f[i] = random.normal(i);
  const double h = 1 / double(n + 1);
  for (int k = 0; k < 11; ++k) {
    double size = 0;
    const auto at = [&](std::size_t i, std::size_t j) {  // counted from the boundary on
      return i == 0 || j == 0 || i > n || j > n ? 0.0 : u[(i - 1) * n + j - 1];
    };
    for (std::size_t i = 1; i <= n; ++i)
      for (std::size_t j = 1; j <= n; ++j) {
        const double laplacian = at(i - 1, j) + at(i + 1, j) + at(i, j - 1) + at(i, j + 1) - 4 * at(i, j);
        double& residual = r[(i - 1) * n + j - 1];
        residual = f[(i - 1) * n + j - 1] + laplacian / h / h;
        size += residual * residual;
      }
    sizes.push_back(std::sqrt(size));
    const auto correction = cycle.forward(View<const double, 1>(theta.data(), theta.size()),
                                          View<const double, 3>(r.data(), 1, n * n, 1));
    for (std::size_t i = 0; i < u.size(); ++i) u[i] += correction.data()[i];
  }
  return std::pow(sizes[10] / sizes[5], 1.0 / 5);
}

TEST(Multigrid, ConvergesAsInTheTextbookOnAnyGrid) {
  for (const std::size_t n : {7u, 15u, 31u, 63u, 127u}) EXPECT_LT(factor(n, 1), 0.15) << "V cycle, n = " << n;
  EXPECT_LT(factor(63, 2), 0.15) << "W cycle";
}

TEST(Multigrid, RefusesImpossibleCycles) {
  const auto with = [](const auto& change) {
    MultigridOptions o;
    change(o);
    FieldNetwork network(2, 1);
    multigrid(network, 0, o, FieldActivation::identity, "cycle");
  };
  EXPECT_NO_THROW(with([](MultigridOptions&) {}));
  EXPECT_THROW(with([](MultigridOptions& o) { o.smoothing = {}; }), ArgumentError);
  EXPECT_THROW(with([](MultigridOptions& o) { o.smoothing[0] = {0, 1}; }), ArgumentError);
  EXPECT_THROW(with([](MultigridOptions& o) { o.smoothing[2] = {1, -1}; }), ArgumentError);
  EXPECT_THROW(with([](MultigridOptions& o) { o.visits = 3; }), ArgumentError);
  MgnoOptions uneven;
  uneven.inputs = 2;
  uneven.residual = true;
  EXPECT_THROW(mgno(uneven), ArgumentError);
}
}  // namespace
}  // namespace sobolev
