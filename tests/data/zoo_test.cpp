// SPDX-License-Identifier: Apache-2.0
// The problems that ship with the library: they read, cite their source, and their parts agree.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iterator>

#include "sobolev/core/random.hpp"
#include "sobolev/data/reference.hpp"
#include "sobolev/problem/problem.hpp"

namespace sobolev {
namespace {

/// The largest |e| over random points of the domain with some coordinates fixed; unknowns that are left take
/// random values.
double largest(const Problem& p, Expr e, const std::vector<std::pair<std::string, double>>& fixed = {}) {
  const Philox random(5, 0);
  double worst = 0;
  for (std::uint64_t i = 0, draw = 0; i < 200; ++i) {
    std::vector<std::pair<Expr, double>> leaves;
    for (const auto& c : p.coordinates) {
      double value = c.low + (c.high - c.low) * random.uniform(draw++);
      for (const auto& [name, at] : fixed)
        if (name == c.name) value = at;
      leaves.emplace_back(coordinate(c.name), value);
    }
    for (Expr leaf : fields_of(std::vector<Expr>{e}))
      leaves.emplace_back(leaf, 2 * random.uniform(draw++) - 1);
    const double value = std::abs(evaluate(e, leaves));
    worst = std::isnan(value) ? INFINITY : std::max(worst, value);
  }
  return worst;
}

class Zoo : public ::testing::TestWithParam<std::string> {
 protected:
  Problem problem() const { return Problem::from_file(find_problem(GetParam())); }
};

TEST_P(Zoo, ReadsAndCitesItsSource) {
  const Problem p = problem();
  p.validate();
  EXPECT_FALSE(p.title.empty());
  EXPECT_TRUE(p.reference.given());
  // p.source has no comments where the path of a reference was put into it.
  std::ifstream file(find_problem(GetParam()));
  const std::string text(std::istreambuf_iterator<char>(file), {});
  EXPECT_THAT(text, ::testing::HasSubstr("# Source: "));
}

void exact_solution_satisfies_equations_and_conditions(const Problem& p) {
  for (const auto& equation : p.equations)
    EXPECT_LT(largest(p, substitute_fields(equation.residual, p.reference.exact)), 1e-9) << equation.name;
  for (const auto& c : p.conditions)
    EXPECT_LT(largest(p, substitute_fields(c.left - c.right, p.reference.exact), c.where), 1e-11) << c.name;
}

void solver_settles_and_starts_from_the_condition(const Problem& p) {
  const Reference r = make_reference(Cpu(), p);
  EXPECT_LE(r.error_bound, 1e-8);
  for (const auto& c : p.conditions) {
    if (c.where != std::vector<std::pair<std::string, double>>{{"t", 0.0}}) continue;
    for (std::size_t j = 0; j < r.axes[1].size(); ++j)
      EXPECT_NEAR(r.values.at("u")[j], evaluate(c.right, {{coordinate("x"), r.axes[1][j]}}), 1e-12);
  }
}

/// Time first, then two coordinates of space; inside, for data may disagree with the boundary.
void file_starts_from_the_condition(const Problem& p) {
  const Reference r = make_reference(Cpu(), p);
  ASSERT_EQ(r.axes.size(), 3u);
  const std::size_t n = r.axes[1].size(), m = r.axes[2].size();
  for (const auto& c : p.conditions) {
    if (c.where != std::vector<std::pair<std::string, double>>{{"t", 0.0}}) continue;
    for (std::size_t i = 1; i + 1 < n; ++i)
      for (std::size_t j = 1; j + 1 < m; ++j)
        EXPECT_NEAR(r.values.at("u")[i * m + j],
                    evaluate(c.right, {{coordinate(p.coordinates[1].name), r.axes[1][i]},
                                       {coordinate(p.coordinates[2].name), r.axes[2][j]}}),
                    1e-7);
  }
}

/// The lid-driven cavity: no flow through the walls, and the extrema of the velocities on the centre lines by
/// differences of fourth order. Source: Botella & Peyret 1998, "Benchmark spectral results on the lid-driven
/// cavity flow".
void cavity_is_as_published(const Problem& p) {
  const Reference r = make_reference(Cpu(), p);
  ASSERT_EQ(r.axes.size(), 2u);
  const std::size_t n = r.axes[0].size(), middle = (n - 1) / 2;
  ASSERT_EQ(r.axes[1].size(), n);
  const std::vector<double>& psi = r.values.at("psi");
  const double h = r.axes[0][1] - r.axes[0][0];
  double u_least = 0, v_least = 0, v_most = 0;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t at : {i, i * n, (n - 1) * n + i, i * n + n - 1}) EXPECT_EQ(psi[at], 0);
    if (i < 2 || i + 2 >= n) continue;
    const auto slope = [&](std::size_t at, std::size_t step) {
      return (8 * (psi[at + step] - psi[at - step]) - (psi[at + 2 * step] - psi[at - 2 * step])) / (12 * h);
    };
    const double u = slope(middle * n + i, 1), v = -slope(i * n + middle, n);
    u_least = std::min(u_least, u);
    v_least = std::min(v_least, v);
    v_most = std::max(v_most, v);
  }
  EXPECT_NEAR(u_least, -0.2140424, 3e-4);  // the grid need not have a point at the extremum
  EXPECT_NEAR(v_most, 0.1795728, 3e-4);
  EXPECT_NEAR(v_least, -0.2538030, 3e-4);
}

TEST_P(Zoo, ReferenceSolvesTheProblem) {
  const Problem p = problem();
  if (!p.reference.exact.empty())
    exact_solution_satisfies_equations_and_conditions(p);
  else if (GetParam().starts_with("gaussian_cavity"))
    cavity_is_as_published(p);
  else if (!p.reference.file.empty())
    file_starts_from_the_condition(p);
  else
    solver_settles_and_starts_from_the_condition(p);
}

// Without a transform the network's output is the unknown, and nothing is promised.
TEST_P(Zoo, OutputTransformSatisfiesTheConditions) {
  const Problem p = problem();
  for (const auto& c : p.conditions) {
    const double residual = largest(p, substitute_fields(c.left - c.right, p.network.output), c.where);
    if (p.network.output.empty())
      EXPECT_GT(residual, 1e-3) << c.name;
    else
      EXPECT_LT(residual, 1e-7) << c.name;
  }
}

std::vector<std::string> names() {
  std::vector<std::string> out;
  for (const auto& [name, path] : zoo()) out.push_back(name);
  return out;
}
INSTANTIATE_TEST_SUITE_P(Problems, Zoo, ::testing::ValuesIn(names()),
                         [](const auto& info) { return info.param; });

TEST(ZooList, HasThePublishedBenchmarks) {
  EXPECT_THAT(names(),
              ::testing::IsSupersetOf({"allen_cahn", "burgers", "convection", "heat", "helmholtz_2d", "kdv",
                                       "klein_gordon", "kuramoto_sivashinsky", "poisson_2d", "wave"}));
}

}  // namespace
}  // namespace sobolev
