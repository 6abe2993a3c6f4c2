// SPDX-License-Identifier: Apache-2.0
// Whether conditions can be all that determines a solution, by counting.
#include "src/problem/condition_count.hpp"

#include <gtest/gtest.h>

namespace sobolev {
namespace {
// Made when they are needed: leaves are ordered by their creation, and other tests of this program see that.
struct Leaves {
  Expr u = unknown("u"), v = unknown("v"), t = coordinate("t"), x = coordinate("x");
};

Problem evolution(Expr residual) {
  const Expr u = unknown("u");
  Problem p;
  p.unknowns = {"u"};
  p.add_coordinate("t", 0, 1).add_coordinate("x", 0, 2);
  p.add_equation("evolution", residual);
  p.add_condition("start", {{"t", 0}}, u);
  return p;
}

TEST(ConditionCount, AnEndOfHeatIsOpenUntilBothHaveConditions) {
  const auto [u, v, t, x] = Leaves();
  Problem p = evolution(d(u, t) - d(u, x, 2));
  EXPECT_TRUE(detail::an_end_is_open(p));
  p.add_condition("left", {{"x", 0}}, u);
  EXPECT_TRUE(detail::an_end_is_open(p));
  p.add_condition("right", {{"x", 2}}, d(u, x));
  EXPECT_FALSE(detail::an_end_is_open(p));
  p.coordinates[1].periodic = true;
  p.conditions.resize(1);
  EXPECT_FALSE(detail::an_end_is_open(p));
}

TEST(ConditionCount, DerivativesOfAllUnknownsCount) {
  const auto [u, v, t, x] = Leaves();
  Problem p = evolution(d(u, t) - d(v, x));  // a wave of first order
  p.unknowns.push_back("v");
  p.add_equation("other", d(v, t) - d(u, x));
  p.add_condition("left", {{"x", 0}}, u);
  EXPECT_TRUE(detail::an_end_is_open(p));
  p.add_condition("right", {{"x", 2}}, v);
  EXPECT_FALSE(detail::an_end_is_open(p));
  EXPECT_FALSE(detail::an_end_is_open(evolution(d(u, t) + u)));
}

TEST(ConditionCount, AnOutputMayHoldWhatIsNotWritten) {
  const auto [u, v, t, x] = Leaves();
  Problem p = evolution(d(u, t) - d(u, x, 2));
  EXPECT_FALSE(detail::form_may_hold_conditions(p));
  p.network.output.emplace("u", t * x * (2 - x) * u);
  EXPECT_TRUE(detail::form_may_hold_conditions(p));
  p.add_condition("left", {{"x", 0}}, u).add_condition("right", {{"x", 2}}, u);
  EXPECT_FALSE(detail::form_may_hold_conditions(p));
  p.conditions.pop_back();
  p.network.output.clear();
  p.network.symmetry.emplace("x", -1);
  EXPECT_TRUE(detail::form_may_hold_conditions(p));
}

}  // namespace
}  // namespace sobolev
