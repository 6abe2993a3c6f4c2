// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "sobolev/expression/expr.hpp"

namespace sobolev {
namespace {
const Expr u = unknown("u"), v = unknown("v"), w = unknown("w"), x = coordinate("x");

Expr sum(const std::vector<Expr>& terms) {
  Expr s = 0.0;
  for (Expr t : terms) s = s + t;
  return s;
}

TEST(Summands, AreTheTermsOfSumsAndDifferences) {
  EXPECT_EQ(summands(u - v + sin(w)).size(), 3u);
  EXPECT_EQ(summands(u), std::vector<Expr>{u});
  EXPECT_EQ(summands(-(u - v)).size(), 2u);
}

TEST(Summands, ProductsAndQuotientsAreDistributed) {
  EXPECT_EQ(summands(x * (u + v)), (std::vector<Expr>{x * u, x * v}));
  EXPECT_EQ(summands((u - v) / x).size(), 2u);
  EXPECT_EQ(summands(2.0 * (x * (u + (v - w)))).size(), 3u);
}

TEST(Summands, AddUpToTheExpression) {
  const Expr e = 3.0 * (u * (v - 2.0 * w) - cos(x) / (1.0 + x * x)) - (w + u) / v;
  const std::vector<std::pair<Expr, double>> at{{u, 0.3}, {v, -1.7}, {w, 2.2}, {x, 0.9}};
  EXPECT_NEAR(evaluate(sum(summands(e)), at), evaluate(e, at), 1e-14);
}

TEST(Summands, StopAtTheirLimit) {
  Expr e = 0.0;
  for (int i = 0; i < 200; ++i) e = e + sin(double(i + 1) * x);
  const auto terms = summands(e, 10);
  EXPECT_LE(terms.size(), 10u);
  EXPECT_NEAR(evaluate(sum(terms), {{x, 0.4}}), evaluate(e, {{x, 0.4}}), 1e-12);
}
}  // namespace
}  // namespace sobolev
