// SPDX-License-Identifier: Apache-2.0
// Networks of Gaussians at their limits: finite results, or a doubt that names the remedy.
#include <gmock/gmock.h>

#include <atomic>
#include <cmath>

#include "sobolev/pinn/solve.hpp"
#include "src/pinn/state.hpp"
#include "tests/io/temporary_folder.hpp"

namespace sobolev {
namespace {
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

Problem helmholtz(const std::string& gaussians, int iterations) {
  return Problem::from_file(
      find_problem("gaussian_helmholtz"),
      {"network.gaussians=" + gaussians, "training.points.sobol=300", "constants.a=3.14159",
       "training.stop={ iterations = " + std::to_string(iterations) + " }",
       "reference.grid={ x = 9, y = 9 }"});
}

/// Values and first and second derivatives all over the domain.
void expect_finite(const Solution& s) {
  std::vector<double> at;
  for (double x = -1; x <= 1; x += 0.25)
    for (double y = -1; y <= 1; y += 0.25) at.insert(at.end(), {x, y});
  const auto values = s.evaluate(Cpu(), View<const double, 2>(at.data(), at.size() / 2, 2),
                                 std::vector<std::string>{"u", "u_x", "u_yy", "helmholtz"});
  for (const auto& v : values)
    for (double y : v) ASSERT_TRUE(std::isfinite(y));
  EXPECT_TRUE(std::isfinite(s.loss()));
}

TEST(GaussianLimits, SoNarrowThatTheyAreNowhere) {
  const Solution s = solve(Cpu(), helmholtz("{ count = 30, width = 1e-8 }", 4));
  expect_finite(s);
  EXPECT_THAT(s.assessment().doubts, Contains(HasSubstr("train longer")));
}

TEST(GaussianLimits, SoWideThatTheyAreConstant) {
  const Solution s = solve(Cpu(), helmholtz("{ count = 30, width = 1e8 }", 4));
  expect_finite(s);
  EXPECT_THAT(s.assessment().doubts, Not(::testing::IsEmpty()));
}

/// One iteration, the parameters changed, and on from there.
template <class Change>
Solution changed(const Change& change) {
  std::atomic<bool> stop{false};
  SolveOptions options;
  options.stop = &stop;
  options.progress_seconds = 0;
  options.on_progress = [&](const Progress&) { stop = true; };
  Solution s = solve(Cpu(), helmholtz("{ count = 20, width = 0.5 }", 12), options);
  const Network network = detail::network_of(s.state().trained);
  for (const Instruction& i : network.instructions())
    if (i.kind == Instruction::Kind::gaussian) change(i, s.state().parameters.back());
  return resume(Cpu(), std::move(s));
}

TEST(GaussianLimits, AllInOnePlace) {
  const Solution s = changed([](const Instruction& i, std::vector<double>& theta) {
    for (std::size_t k = 0; k < 40; ++k) theta[i.weight + k] = 0.1;  // μ
    for (std::size_t k = 0; k < 40; ++k) theta[i.bias + k] = 0;      // log σ
  });
  expect_finite(s);
  EXPECT_EQ(s.iterations(), 12);
}

TEST(GaussianLimits, FarOutsideTheDomain) {
  const Solution s = changed([](const Instruction& i, std::vector<double>& theta) {
    for (std::size_t k = 0; k < 10; ++k) theta[i.weight + k] = 1e6;
    theta[i.bias] = -300;  // σ = e^−300
    theta[i.bias + 1] = 300;
  });
  expect_finite(s);
  EXPECT_EQ(s.iterations(), 12);
}

Problem on_a_lattice(const std::string& gaussians, const std::vector<std::string>& more) {
  std::vector<std::string> overrides{"network.gaussians=" + gaussians,   "network.output_start=least_squares",
                                     "network.output_damping=1e-12",     "training.points.sobol=500",
                                     "constants.a=3.14159265358979",     "training.stop={ iterations = 1 }",
                                     "reference.grid={ x = 17, y = 17 }"};
  overrides.insert(overrides.end(), more.begin(), more.end());
  return Problem::from_file(find_problem("gaussian_helmholtz"), overrides);
}

// The weights alone, then one step: neighbours outside of the walls make the difference.
TEST(GaussianLattices, SolveALinearProblemAtOnce) {
  const Solution with =
                     solve(Cpu(), on_a_lattice("{ count = 100, placement = \"lattice\", margin = 2 }", {})),
                 without = solve(Cpu(), on_a_lattice("{ count = 100, placement = \"lattice\" }", {}));
  EXPECT_LT(with.relative_l2().at("u"), 2e-3);
  EXPECT_GT(without.relative_l2().at("u"), 5 * with.relative_l2().at("u"));
}

TEST(GaussianLattices, NameAFeatureThatHasNoValueInTheMargin) {
  EXPECT_THAT(
      testing::message_of<ArgumentError>([&] {
        solve(Cpu(), on_a_lattice("{ count = 100, placement = \"lattice\", margin = 1 }",
                                  {"network.features=[\"sqrt(1 - y^2)\"]"}));
      }),
      HasSubstr("input 2 of the network is no finite number where Gaussian 0 would begin, x = -1.125, "
                "y = -1.125"));
}
}  // namespace
}  // namespace sobolev
