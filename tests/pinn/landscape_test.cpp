// SPDX-License-Identifier: Apache-2.0
#include "sobolev/pinn/landscape.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "src/pinn/state.hpp"
#include "tests/io/temporary_folder.hpp"

namespace sobolev {
namespace {
using ::testing::HasSubstr;
using testing::message_of;

const Solution& heat() {
  static const Solution s =
      solve(Cpu(), Problem::from_file(find_problem("heat"), {"network.width=8", "training.points.sobol=200",
                                                             "training.stop={ iterations = 20 }"}));
  return s;
}

TEST(Landscape, IsTheLossOfTheTraining) {
  LandscapeOptions options;
  options.points = 5;
  options.range = 0.1;
  options.spectrum = {20, 2, 0};
  const Landscape l = landscape(Cpu(), heat(), options);
  EXPECT_NEAR(l.loss_here, heat().loss(), 1e-9 * heat().loss());
  EXPECT_EQ(l.axis, (std::vector<double>{-0.1, -0.05, 0, 0.05, 0.1}));
  ASSERT_EQ(l.loss.size(), 25u);
  EXPECT_EQ(l.loss[12], l.loss_here) << "the middle";
  for (std::size_t i = 0; i < 25; ++i) EXPECT_GE(l.loss[i], l.loss_here) << "a minimum, nearly";
  EXPECT_GT(l.spectrum.largest, 0);
  EXPECT_GT(l.spectrum.smallest, -1e-5 * l.spectrum.largest);
}

// Along a direction d the loss is L + ½ h² dᵀHd: between the extreme eigenvalues times |d|², where filters
// have the size of the network's, two directions together |d|² = |θ|².
TEST(Landscape, DirectionsAreAsLongAsTheFilters) {
  LandscapeOptions options;
  options.points = 3;
  options.range = 1e-4;
  const Landscape l = landscape(Cpu(), heat(), options);
  double size = 0;
  for (double v : heat().state().parameters.back()) size += v * v;
  const double curvature = (l.loss[1] + l.loss[7] - 2 * l.loss_here) / (1e-4 * 1e-4);  // (±h, 0)
  EXPECT_GT(curvature, 0);
  EXPECT_LT(curvature, l.spectrum.largest * size);
}

TEST(Landscape, SaysWhatItCannotLookAt) {
  EXPECT_THAT(message_of<ArgumentError>([] { landscape(Cpu(), Solution()); }),
              HasSubstr("the solution is empty"));
  LandscapeOptions options;
  options.window = 3;
  EXPECT_THAT(message_of<ArgumentError>([&] { landscape(Cpu(), heat(), options); }),
              HasSubstr("there is no window 3; the solution has 1"));
}

TEST(Landscape, OfAnEarlierWindow) {
  const Solution s =
      solve(Cpu(),
            Problem::from_file(find_problem("heat"),
                               {"network.width=8", "training.points.sobol=200", "training.windows=2",
                                "training.phase=[{ optimizer = \"levenberg_marquardt\", iterations = 5 }]"}));
  LandscapeOptions options;
  options.points = 3;
  options.window = 0;
  options.spectrum = {4, 1, 0};
  const double first = landscape(Cpu(), s, options).loss_here;
  options.window = -1;
  EXPECT_NEAR(landscape(Cpu(), s, options).loss_here, s.loss(), 1e-9 * s.loss());
  EXPECT_NE(first, s.loss());
}
}  // namespace
}  // namespace sobolev
