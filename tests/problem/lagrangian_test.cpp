// SPDX-License-Identifier: Apache-2.0
// The chain rule of the Lagrangian form against functions whose derivatives by place are known, and which
// problems have such a form.
#include "src/problem/lagrangian.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "src/problem/problem_checks.hpp"
#include "tests/io/temporary_folder.hpp"

namespace sobolev {
namespace {
using detail::LagrangianForm;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;

const Expr u = unknown("u"), v = unknown("v"), t = coordinate("t"), x = coordinate("x"), y = coordinate("y");

Problem plane(std::map<std::string, Expr> velocity) {
  Problem p;
  p.unknowns = {"u"};
  p.add_coordinate("t", 0, 1).add_coordinate("x", -1, 1).add_coordinate("y", -1, 1);
  p.add_equation("transport", d(u, t) + d(u, x) + d(u, y) - 0.1 * d(u, x, 2));
  p.add_condition("initial", {{"t", 0}}, u - sin(x) * cos(y));
  p.lagrangian.emplace().velocity = std::move(velocity);
  return p;
}

/// With displacements ξ, η of labels and w a function of places, u(X, Y, t) = w(X + ξ, Y + η, t): the form's
/// derivative of u must be that of w.
void check_chain_rule(const Problem& p, const std::vector<Expr>& derivatives) {
  const Expr xi = 0.3 * t * sin(x + 0.4 * y) + 0.1 * t * t, eta = 0.2 * t * cos(x * y) - 0.25 * t * y;
  const Expr w = sin(2 * x - y) * exp(-0.5 * t * x) + x * y * y * t;
  const LagrangianForm form(p);
  const bool moves_y = form.moving().size() == 2;
  const std::vector<std::pair<Expr, Expr>> places = {{x, x + xi}, {y, moves_y ? y + eta : y}};
  const std::map<std::string, Expr> functions = {
      {"u", substitute(w, places)}, {"displacement_x", xi}, {"displacement_y", eta}};
  for (const Expr derivative : derivatives) {
    const Expr got = substitute_fields(form.at_labels(derivative), functions);
    const Expr want = substitute(substitute_fields(derivative, {{"u", w}}), places);
    for (double label : {-0.8, 0.1, 0.6}) {
      const std::vector<std::pair<Expr, double>> at = {{t, 0.7}, {x, label}, {y, 0.3 - label}};
      const double expected = evaluate(want, at);
      EXPECT_NEAR(evaluate(got, at), expected, 1e-11 * (1 + std::abs(expected))) << to_string(derivative);
    }
  }
}

const std::vector<Expr> derivatives_of_u = {
    u,          d(u, x),         d(u, y),    d(u, t),       d(u, x, 2),        d(u, x, y),
    d(u, y, 2), d(u, x, 3),      d(u, t, x), d(u, t, t, x), x* u + y* d(u, x), d(u, t) + u* d(u, x),
    d(u, t, 2), d(u, x, x, y, y)};

TEST(LagrangianForm, ChainRuleWithOneCoordinateThatMoves) {
  check_chain_rule(plane({{"x", 1 + u}}), derivatives_of_u);
}
TEST(LagrangianForm, ChainRuleWithTwo) { check_chain_rule(plane({{"x", -y}, {"y", x}}), derivatives_of_u); }

TEST(LagrangianForm, TheDeterminantHasAFloor) {
  Problem p = plane({{"x", u}});
  p.lagrangian->floor = 0.5;
  const LagrangianForm form(p);
  // x_X = 0.1: u_x = u_X / 0.5.
  const Expr slope = substitute_fields(form.at_labels(d(u, x)), {{"u", 3 * x}, {"displacement_x", -0.9 * x}});
  EXPECT_NEAR(evaluate(slope, {{x, 0.3}, {t, 0.1}, {y, 0}}), 6, 1e-12);
  const Expr curvature =
      substitute_fields(form.at_labels(d(u, x, 2)), {{"u", x * x}, {"displacement_x", -0.9 * x}});
  EXPECT_NEAR(evaluate(curvature, {{x, 0.3}, {t, 0.1}, {y, 0}}), 8, 1e-12);
}

/// u_t + …, read from a text with periodic x.
Problem line(const std::string& equation, const std::string& rest = "[lagrangian]\n",
             const std::string& range = "{ range = [0, \"2*pi\"], periodic = true }") {
  return Problem::from_string(
      "unknowns = [\"u\"]\n[coordinates]\nt = [0, 1]\nx = " + range + "\n[equations]\nmain = \"" + equation +
          "\"\n[conditions]\ninitial = { where = \"t = 0\", equation = \"u = sin(x)\" }\n" + rest,
      "line.toml");
}
std::string residual_of(const Problem& p) {
  return to_string(LagrangianForm(p).label_problem().equations[0].residual);
}

TEST(LagrangianForm, ReadsTheVelocityOffTheEquation) {
  const auto velocity = [](const Problem& p) { return LagrangianForm(p).velocity(1); };
  EXPECT_EQ(velocity(line("u_t + 3*u_x = 0")), Expr(3.0));
  EXPECT_EQ(velocity(line("u_t + u*u_x = 0.1*u_xx")), u);
  EXPECT_EQ(evaluate(velocity(line("u_t + d(u^2/2, x) = 0")), {{u, 0.7}}), 0.7);
  EXPECT_EQ(velocity(line("2*u_t + 3*u_x = u")), Expr(1.5));
  EXPECT_EQ(velocity(line("u_t = -cos(x)*u_x")), cos(x));
}

TEST(LagrangianForm, AnEquationOfTransportKeepsWhatIsNotTransport) {
  EXPECT_EQ(residual_of(line("u_t + 3*u_x = 0")), "u_t");
  EXPECT_EQ(residual_of(line("2*u_t + 3*u_x = u")), "2*u_t - u");
  EXPECT_EQ(residual_of(line("u_t + u*u_x = sin(x)")), "u_t - sin(x + displacement_x)");
  EXPECT_EQ(residual_of(line("u_t + u*u_x = 0.1*u_xx", "[lagrangian]\nderivatives = \"label\"\n")),
            "u_t - 0.1*u_xx");
  // Another velocity than that of the equation: what is left of u_x stays.
  EXPECT_EQ(residual_of(
                line("u_t + 3*u_x = 0", "[lagrangian]\nvelocity = { x = \"1\" }\nderivatives = \"label\"\n")),
            "u_t - u_x + 3*u_x");
}

TEST(LagrangianForm, HasDisplacementsBesideTheUnknowns) {
  const Problem p = line("u_t + u*u_x = 0.1*u_xx"), labels = LagrangianForm(p).label_problem();
  EXPECT_THAT(labels.unknowns, ElementsAre("u", "displacement_x"));
  ASSERT_EQ(labels.equations.size(), 2u);
  EXPECT_EQ(to_string(labels.equations[1].residual), "displacement_x_t - u");
  ASSERT_EQ(labels.conditions.size(), 2u);
  EXPECT_EQ(labels.conditions[0].right, p.conditions[0].right) << "x = X where time begins";
  EXPECT_EQ(to_string(labels.conditions[1].left), "displacement_x");
  EXPECT_FALSE(labels.lagrangian || labels.reference.given());
}

TEST(LagrangianForm, WallsWithoutFlowKeepTheirLabels) {
  const std::string walls =
      "left = { where = \"x = -1\", equation = \"u = 0\" }\nright = { where = \"x = 1\", equation = \"u = "
      "0\" }\n";
  const Problem p = line("u_t + u*u_x = 0.1*u_xx", walls + "[lagrangian]\n", "[-1, 1]");
  const Problem labels = LagrangianForm(p).label_problem();
  ASSERT_EQ(labels.conditions.size(), 6u);
  EXPECT_EQ(to_string(labels.conditions[4].left), "displacement_x");
  EXPECT_EQ(labels.conditions[4].where, (std::vector<std::pair<std::string, double>>{{"x", -1}}));
  EXPECT_THAT(message_of<ParseError>(
                  [&] { line("u_t + (1 + u)*u_x = 0.1*u_xx", walls + "[lagrangian]\n", "[-1, 1]"); }),
              AllOf(HasSubstr("line.toml:9"), HasSubstr("characteristics cross it: the velocity there is 1"),
                    HasSubstr("lagrangian.labels.x")));
  EXPECT_THAT(message_of<ParseError>([&] {
                line("u_t + u*u_x = 0.1*u_xx", walls + "[lagrangian]\nlabels = { x = [-2, 1] }\n", "[-1, 1]");
              }),
              HasSubstr("where labels pass by"));
}

TEST(LagrangianForm, ProblemsWithoutOneAreRefused) {
  const auto message = [](auto&&... text) { return message_of<ParseError>([&] { line(text...); }); };
  EXPECT_THAT(message("u_t = u_xx"), AllOf(HasSubstr("line.toml:9:1"), HasSubstr("no velocity to follow")));
  EXPECT_THAT(message("u_t + u_x = x"),
              AllOf(HasSubstr("equations.main contains x in a way that is not periodic"),
                    HasSubstr("2*pi*x/6.28319")));
  EXPECT_THAT(message("u_t + u_x^2 = 0"), HasSubstr("no velocity"));
  EXPECT_THAT(message("u_t + u_x = 0", "[lagrangian]\nvelocity = { x = \"u_x\" }\n"),
              HasSubstr("contains a derivative"));
  EXPECT_THAT(message("u_t + u_x = 0", "[lagrangian]\nvelocity = { t = \"1\" }\n"),
              HasSubstr("not a coordinate of space"));
  EXPECT_THAT(message("u_t + u_x = 0", "[lagrangian]\nlabels = { x = [0, 9] }\n"),
              HasSubstr("x is periodic"));
  EXPECT_THAT(message("u_t + u_x = 0", "[lagrangian]\nlabels = { x = [0, 1] }\n", "[-1, 1]"),
              HasSubstr("it must contain the range [-1, 1]"));
  EXPECT_THAT(message("u_t + u_x = 0", "[lagrangian]\n[network]\nsymmetry = { x = \"odd\" }\n", "[-1, 1]"),
              HasSubstr("network.symmetry"));
  EXPECT_THAT(message("u_t + u_x = 0", "[lagrangian]\n[network.displacement_y]\nwidth = 3\n"),
              HasSubstr("displacement_y"));
  EXPECT_THAT(message("u_t + u_x = 0", "[network.displacement_x]\nwidth = 3\n"), HasSubstr("displacement_x"))
      << "without [lagrangian]";
  EXPECT_THAT(message_of<ParseError>([] {
                Problem::from_string(
                    "unknowns = [\"u\"]\n[coordinates]\ny = [0, 1]\nx = [0, 1]\n[equations]\n"
                    "main = \"u_y + u_x = 0\"\n[conditions]\nleft = { where = \"x = 0\", "
                    "equation = \"u = 0\" }\n[lagrangian]\n");
              }),
              HasSubstr("no coordinate is named t"));
}
}  // namespace
}  // namespace sobolev
