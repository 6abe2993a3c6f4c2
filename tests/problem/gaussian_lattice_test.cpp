// SPDX-License-Identifier: Apache-2.0
#include "src/problem/gaussian_lattice.hpp"

#include <gmock/gmock.h>

#include <algorithm>

#include "sobolev/core/error.hpp"
#include "src/problem/defaults.hpp"
#include "tests/io/temporary_folder.hpp"

namespace sobolev {
namespace {
using detail::gaussian_lattice;
using detail::GaussianLattice;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;

std::vector<double> along(const GaussianLattice& lattice, std::size_t axis) {
  std::vector<double> all;
  for (int i = 0; i < lattice.axes[axis].count; ++i)
    all.push_back(lattice.axes[axis].first + lattice.axes[axis].step * i);
  return all;
}
NetworkOptions options(int count, int margin = 0) {
  NetworkOptions n;
  n.gaussians = {count, 0, Placement::lattice, margin};
  return n;
}

TEST(GaussianLattice, HasACentreInEachCellAndMarginsOutside) {
  const GaussianLattice lattice = gaussian_lattice({{"x", 0, 2}, {"y", -10, 10}}, options(17, 1));
  // Both are [−1, 1] to the network: two cells each, and one more at each end.
  EXPECT_EQ(lattice.size(), 16u);
  EXPECT_EQ(lattice.spacing, 1);
  EXPECT_THAT(along(lattice, 0), ElementsAre(-0.5, 0.5, 1.5, 2.5));
  EXPECT_THAT(along(lattice, 1), ElementsAre(-15, -5, 5, 15));
  double x[2];
  lattice.point(7, x);
  EXPECT_EQ(x[0], 0.5);
  EXPECT_EQ(x[1], 15);
}

TEST(GaussianLattice, GoesOnInAMirrorAndAroundACircle) {
  NetworkOptions n = options(18, 1);
  n.symmetry = {{"x", -1}};
  const GaussianLattice half = gaussian_lattice({{"x", -3, 3}, {"y", 0, 1}}, n);
  // 1 × 2 in the inputs: cells of ½, whose mirror images are on the same lattice.
  EXPECT_EQ(half.size(), 18u);
  EXPECT_THAT(along(half, 0), ElementsAre(0.75, 2.25, 3.75));
  EXPECT_THAT(along(half, 1), ElementsAre(-0.125, 0.125, 0.375, 0.625, 0.875, 1.125));

  const GaussianLattice circle = gaussian_lattice({{"x", 0, 1, true}}, options(5, 3));
  EXPECT_THAT(along(circle, 0),
              ElementsAre(DoubleNear(0.1, 1e-15), DoubleNear(0.3, 1e-15), DoubleNear(0.5, 1e-15),
                          DoubleNear(0.7, 1e-15), DoubleNear(0.9, 1e-15)));
  n.gaussians = {5, 0, Placement::lattice, 3};
  EXPECT_THAT(along(gaussian_lattice({{"x", -1, 1, true}}, n), 0).front(), DoubleNear(0.1, 1e-15));
}

// Of all lattices with equal cells the one that leaves the fewest Gaussians over.
TEST(GaussianLattice, TakesAsManyAsFit) {
  for (int count : {1, 2, 3, 7, 25, 99, 1000, 4096}) {
    const std::size_t plane = gaussian_lattice({{"x", 0, 1}, {"y", 0, 1}}, options(count)).size();
    EXPECT_LE(plane, std::size_t(count));
    const auto side = std::size_t(std::sqrt(double(count)) + 1e-9);
    EXPECT_EQ(plane, side * side) << count;
    EXPECT_EQ(gaussian_lattice({{"x", 0, 1}}, options(count)).size(), std::size_t(count));
  }
  EXPECT_EQ(gaussian_lattice({{"x", 0, 1}, {"y", 0, 1}}, options(8, 1)).size(), 0u);
}

TEST(GaussianLattice, GivesItsWidthAndSaysWhereThereIsNoRoom) {
  const auto chosen = [](const std::string& gaussians) {
    return detail::with_defaults(
        Problem::from_file(find_problem("gaussian_helmholtz"), {"network.gaussians=" + gaussians}));
  };
  const Problem p = chosen("{ count = 120, placement = \"lattice\" }");
  EXPECT_DOUBLE_EQ(p.network.gaussians.width, 1.3 * 0.2);
  EXPECT_EQ(chosen("{ count = 120, placement = \"lattice\", width = 0.7 }").network.gaussians.width, 0.7);
  EXPECT_THAT(message_of<ParseError>([&] { chosen("{ count = 48, placement = \"lattice\", margin = 3 }"); }),
              HasSubstr("no room in 48 Gaussians"));
}

// In problems with time hidden layers read the Gaussians unless the file says that outputs do.
TEST(GaussianDefaults, ALayerWhereTimeRuns) {
  const auto chosen = [](const char* name, std::vector<std::string> overrides) {
    overrides.emplace_back("network.kind=gaussian");
    return detail::with_defaults(Problem::from_file(find_problem(name), overrides)).network;
  };
  const NetworkOptions layered = chosen("heat", {});
  EXPECT_EQ(layered.depth, 1);
  EXPECT_EQ(layered.width, 16);
  EXPECT_EQ(layered.gaussians.count, 40);
  EXPECT_EQ(layered.gaussians.width, 0.6);
  const NetworkOptions direct = chosen("heat", {"network.gaussians.direct=true"});
  EXPECT_EQ(direct.depth, 0);
  EXPECT_EQ(direct.gaussians.count, 100);
  const NetworkOptions steady = chosen("poisson_2d", {});
  EXPECT_EQ(steady.depth, 0);
  EXPECT_EQ(steady.gaussians.count, 100);
  EXPECT_EQ(chosen("heat", {"network.depth=3", "network.gaussians.count=9"}).depth, 3);
}

TEST(GaussianDefaults, SayWhereAFullCovarianceHasTooManyInputs) {
  EXPECT_THAT(message_of<ParseError>([] {
                detail::with_defaults(Problem::from_file(
                    find_problem("gaussian_helmholtz"),
                    {"network.gaussians.covariance=full", "network.fourier={ frequencies = 4 }"}));
              }),
              HasSubstr("\"full\" of 10 inputs"));
}
}  // namespace
}  // namespace sobolev
