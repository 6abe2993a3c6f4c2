// SPDX-License-Identifier: Apache-2.0
// Which derivatives would drop a delta function, and which cannot.
#include "sobolev/expression/jumps.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "sobolev/core/error.hpp"
#include "sobolev/expression/parse.hpp"

namespace sobolev {
namespace {
using ::testing::AllOf;
using ::testing::HasSubstr;

const CoordinateBox unit{{"t", {0, 1}}, {"x", {0, 1}}, {"y", {0, 1}}};
const ExpressionScope scope{{"t", "x", "y"}, {"u", "T"}, {}};
const Expr x = coordinate("x"), y = coordinate("y"), u = unknown("u");

Expr parse(const std::string& text) { return parse_expression(text, scope); }
/// Whether the derivative of the text by the coordinate would drop a delta on the unit box.
bool drops(const std::string& text, const std::string& by) {
  return find_jump(parse(text), unit, by).has_value();
}

TEST(Jumps, AreFoundWhereADeltaWouldBeDropped) {
  for (const char* text :
       {"heaviside(x - 0.5)", "sign(x - 0.3)", "(1 + 99*heaviside(x - 0.5))*T_x", "2 - heaviside(0.25 - x)",
        "heaviside(x - y)", "heaviside((x - 0.5)^2 + (y - 0.5)^2 - 0.04)*u", "heaviside(u)", "sign(u_x)*u",
        "heaviside(u - 300)", "u_x/abs(u_x)", "(x - 0.5)/abs(x - 0.5)", "exp(sign(sin(7*x)))",
        "1e-6*heaviside(x - 0.5) + 2*x", "heaviside(0.001 - abs(x - 0.37))",
        "sign(min(x - 0.25, 0) + max(x - 0.75, 0))"})
    EXPECT_TRUE(drops(text, "x")) << text;
}

TEST(Jumps, AreNotFoundWhereNoneMatters) {
  for (const char* text : {"sin(x)",
                           "heaviside(y - 0.5)*x",
                           "heaviside(t - 0.5)*u_x",
                           "heaviside(x + 0.1)",
                           "sign(x - 1.5)*u",
                           "heaviside(x)",
                           "heaviside(x - 1)",
                           "x*sign(x - 2)",
                           "(x - 0.5)*heaviside(x - 0.5)",
                           "max(u, 0)",
                           "abs(u)*u_x",
                           "abs(u_x)^(-0.5)*u_x",
                           "u/(1 + abs(x - 0.5))",
                           "abs(x - 0.5)",
                           "min(x, 1 - x)",
                           "(x - 0.5)^3*sign(x - 0.5)",
                           "u*heaviside(u)",
                           "heaviside((x - 0.5)^2)",
                           "heaviside(x - 0.5) + heaviside(0.5 - x)",
                           "sign(x - 0.5)^2",
                           "erf((1 - abs(x - 0.5))/1e-6)",
                           "heaviside(2 + sin(9*x*y))"})
    EXPECT_FALSE(drops(text, "x")) << text;
}

TEST(Jumps, OfRepeatedDerivatives) {
  EXPECT_FALSE(find_jump(parse("abs(x - 0.5)"), unit, "x"));
  const auto jump = find_jump(differentiate(parse("abs(x - 0.5)"), "x"), unit, "x");
  ASSERT_TRUE(jump);
  ASSERT_EQ(jump->place.size(), 1u);
  EXPECT_NEAR(jump->place[0].second, 0.5, 1e-12);
  EXPECT_EQ(jump->below, -1);
  EXPECT_EQ(jump->above, 1);
  EXPECT_EQ(to_string(*jump), "sign(x - 0.5) jumps at x = 0.5");
  // The sixth power outlives two derivatives, the second one only the first.
  EXPECT_FALSE(find_jump(differentiate(parse("x^6*abs(x - 0.5)*(x - 0.5)^2"), "x"), unit, "x"));
  EXPECT_TRUE(find_jump(differentiate(parse("max(u, 0)"), "x"), unit, "x"));
}

TEST(Jumps, StayInTheBoxOfACondition) {
  CoordinateBox edge = unit;
  edge["x"] = {1, 1};
  EXPECT_FALSE(find_jump(parse("heaviside(x - 0.5)*u"), edge, "x"));
  edge["x"] = {0.5, 0.5};
  EXPECT_TRUE(find_jump(parse("heaviside(x - 0.5)*u"), edge, "x"));
}

TEST(Jumps, WithoutABoxEveryPlaceCounts) {
  EXPECT_TRUE(find_jump(heaviside(x - Expr(7.0))));
  EXPECT_FALSE(find_jump(heaviside(x * x + Expr(1.0))));
}

TEST(Jumps, DerivativesByDKeepThoseAtPlacesOfTheCoordinate) {
  const Expr flux = heaviside(y - Expr(0.5)) * d(u, y), kept = d(flux, y);
  EXPECT_EQ(kept, kept_derivative(flux, "y"));
  // Factors stand in the order of their creation.
  EXPECT_THAT(to_string(2 * kept),
              ::testing::AnyOf("2*d(heaviside(y - 0.5)*u_y, y)", "2*d(u_y*heaviside(y - 0.5), y)"));
  EXPECT_EQ(expanded(x * kept + u), x * (heaviside(y - Expr(0.5)) * d(u, y, 2)) + u);
  EXPECT_EQ(d(kept, x), kept_derivative(heaviside(y - Expr(0.5)) * d(u, y, x), "y"));
  EXPECT_THAT(kept_derivatives(d(x * d(flux, y, 2), y)).size(), 3u);
  EXPECT_EQ(substitute_fields(kept, {{"u", x * y}}), kept_derivative(heaviside(y - Expr(0.5)) * x, "y"));
  EXPECT_EQ(substitute(kept, {{u, x}}), kept);
  EXPECT_THROW(evaluate(kept, {{x, 0.0}, {y, 0.0}}), ArgumentError);
  ExpressionScope cuttable = scope;
  cuttable.ranges = unit;
  EXPECT_THROW(parse_expression("d(heaviside(y - 0.5)*u_y, y)", cuttable), ParseError);
  cuttable.cuttable = {"y"};
  EXPECT_EQ(parse_expression("d(heaviside(y - 0.5)*u_y, y)", cuttable), kept);
  EXPECT_EQ(parse_expression(to_string(kept), cuttable), kept);
  EXPECT_THROW(parse_expression("d(heaviside(x - 0.5)*u_x, x)", cuttable), ParseError);
  EXPECT_THROW(parse_expression("d(heaviside(y - 0.5)*heaviside(y - x)*u_y, y)", cuttable), ParseError);
}

TEST(Jumps, PlacesAndWhatHoldsBetweenThem) {
  const Expr e = parse("heaviside(y - 0.25)*T + sign(x - 0.5) + max(y - 0.75, 0)");
  EXPECT_THAT(jump_places(e, "y", 0, 1), ::testing::ElementsAre(0.25));
  EXPECT_THAT(jump_places(parse("sign(sin(20*y))"), "y", 0.1, 0.9).size(), 5u);
  EXPECT_THAT(jump_places(parse("heaviside(y - x)"), "y", 0, 1), ::testing::IsEmpty());
  EXPECT_EQ(between(e, "y", 0.25, 0.75), parse("T + sign(x - 0.5)"));
  EXPECT_EQ(between(e, "y", 0, 0.25), parse("sign(x - 0.5)"));
  EXPECT_EQ(between(e, "y", 0.5, 1), parse("T + sign(x - 0.5) + max(y - 0.75, 0)"));
  EXPECT_EQ(between(parse("abs(y - 0.5)*min(y, 0.5)"), "y", 0.5, 1), parse("(y - 0.5)*0.5"));
}

TEST(Jumps, DerivativesByDRefuseOthers) {
  EXPECT_EQ(d(max(u, Expr(0.0)), x), differentiate(max(u, Expr(0.0)), "x"));
  std::string message;
  try {
    differentiate_without_deltas(heaviside(y - Expr(0.5)) * d(u, y), "y");
  } catch (const ArgumentError& error) {
    message = error.what();
  }
  EXPECT_THAT(message, AllOf(HasSubstr("heaviside(y - 0.5) jumps at y = 0.5"), HasSubstr("by y"),
                             HasSubstr("tanh((y - 0.5)/width)"), HasSubstr("q_y = 0")));
  EXPECT_THROW(d(heaviside(y - x), y), ArgumentError);
  EXPECT_THROW(d(sign(u), y), ArgumentError);
}

TEST(Jumps, PiecewiseFunctionsAreKnown) {
  for (const char* text : {"abs(x)", "2*sign(u)", "heaviside(x)", "min(x, y)", "max(x, u) + 1"})
    EXPECT_TRUE(piecewise(parse(text))) << text;
  EXPECT_FALSE(piecewise(parse("sin(x)*u_x^2")));
}
}  // namespace
}  // namespace sobolev
