// SPDX-License-Identifier: Apache-2.0
// Problems cut where coefficients jump: where, the chain rule in the pieces, what is continuous across a
// plane.
#include "src/problem/interfaces.hpp"

#include <gmock/gmock.h>

#include <array>
#include <cmath>

#include "sobolev/expression/jumps.hpp"
#include "src/problem/defaults.hpp"
#include "src/problem/lagrangian.hpp"
#include "tests/io/temporary_folder.hpp"

namespace sobolev {
namespace {
using detail::CutProblem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::message_of;

const Expr T = unknown("T"), x = coordinate("x"), y = coordinate("y");

/// Of x and y in [0, 1] and, where an equation says so, t.
Problem problem_of(const std::vector<std::string>& unknowns, const std::vector<std::string>& equations,
                   const std::string& more = "") {
  std::string names, lines;
  bool in_time = false;
  for (const std::string& u : unknowns) names += (names.empty() ? "\"" : ", \"") + u + "\"";
  for (std::size_t i = 0; i < equations.size(); ++i) {
    lines += "e" + std::to_string(i + 1) + " = \"" + equations[i] + "\"\n";
    in_time = in_time || equations[i].find("_t") != std::string::npos;
  }
  return Problem::from_string("unknowns = [" + names + "]\n[coordinates]\n" +
                                  (in_time ? "t = [0, 1]\n" : "") + "x = [0, 1]\ny = [0, 1]\n[equations]\n" +
                                  lines + "[conditions]\nlow = { where = \"y = 0\", equation = \"" +
                                  unknowns[0] + " = x\" }\n" + more,
                              "layers.toml");
}
Problem heat(const std::string& k, const std::string& more = "") {
  return problem_of({"T"}, {"d((" + k + ")*T_x, x) + d((" + k + ")*T_y, y) = 0"}, more);
}
const std::string step = "1 + 99*heaviside(y - 0.5)";

/// Whether these, and in this order, are continuous at the first plane.
void expect_continuous(const Problem& p, const std::vector<std::string>& want) {
  ExpressionScope scope = p.scope();
  scope.cuttable = {"y"};
  std::vector<Expr> expected, got;
  std::string text;
  for (const std::string& w : want) expected.push_back(parse_expression(w, scope));
  for (const detail::InterfaceCondition& c : CutProblem(p).conditions())
    if (c.place == 0) {
      got.push_back(c.continuous);
      text += to_string(c.continuous) + "; ";
    }
  EXPECT_EQ(got.size(), expected.size()) << text;
  for (std::size_t i = 0; i < std::min(got.size(), expected.size()); ++i)
    EXPECT_TRUE(got[i] == expected[i] || got[i] == -expected[i]) << text << want[i];
}

TEST(Interfaces, AreFoundWhereADivergenceMeetsAJump) {
  EXPECT_THAT(CutProblem(heat(step)).edges(), ElementsAre(0, 0.5, 1));
  EXPECT_THAT(CutProblem(heat("1 + heaviside(y - 0.3)*heaviside(0.7 - y)")).edges(),
              ElementsAre(0, 0.3, 0.7, 1));
  EXPECT_THAT(CutProblem(heat("2 - sign(0.1 - 0.5*y)")).edges(), ElementsAre(0, 0.2, 1));
  EXPECT_THAT(CutProblem(heat("1 + heaviside(0.2 - abs(y - 0.5))")).edges(),
              ElementsAre(0, ::testing::DoubleNear(0.3, 1e-15), ::testing::DoubleNear(0.7, 1e-15), 1));
  EXPECT_THAT(CutProblem(heat("1 + (y - 0.25)/abs(y - 0.25) + 2")).edges(), ElementsAre(0, 0.25, 1));
  for (const char* whole : {"1 + heaviside(y - 2)", "1 + abs(y - 0.5)", "exp(y)", "1 + max(y - 0.5, 0)"})
    EXPECT_FALSE(detail::is_cut(heat(whole))) << whole;
  // Given places join those that are found.
  EXPECT_THAT(CutProblem(heat(step, "[interfaces]\ny = [0.75, 0.5]\n")).edges(),
              ElementsAre(0, 0.5, 0.75, 1));
  EXPECT_THAT(CutProblem(heat("1", "[interfaces]\ny = 0.25\n")).edges(), ElementsAre(0, 0.25, 1));
}

TEST(Interfaces, PlacesHaveAReferenceFoldedLikeAnAccordion) {
  const Problem p = heat("1 + heaviside(y - 0.25)*heaviside(0.75 - y)");
  const CutProblem cut(p);
  EXPECT_EQ(cut.piece_of(0.25), 0) << "a plane belongs to the piece below it";
  EXPECT_EQ(cut.piece_of(std::nextafter(0.25, 1)), 1);
  EXPECT_EQ(cut.piece_of(1), 2);
  EXPECT_EQ(cut.reference(0, 0.25), 1);
  EXPECT_EQ(cut.reference(1, 0.25), 1);
  EXPECT_EQ(cut.reference(1, 0.75), 0);
  EXPECT_EQ(cut.reference(2, 0.75), 0);
  for (int k = 0; k < 3; ++k) EXPECT_NEAR(cut.reference(k, cut.place(k, 0.3)), 0.3, 1e-15);
}

// With T a function w of places, a piece's unknown is w of the place of its reference.
TEST(Interfaces, ChainRuleInThePieces) {
  const Problem p = heat("1 + heaviside(y - 0.25)*heaviside(0.75 - y)");
  const CutProblem cut(p);
  const Expr w = sin(2 * x - y) * exp(-0.5 * y) + x * y * y;
  const Expr k = 1 + heaviside(y - 0.25) * heaviside(0.75 - y);
  for (int piece = 0; piece < 3; ++piece) {
    const double low = cut.edges()[std::size_t(piece)], high = cut.edges()[std::size_t(piece) + 1];
    const Expr place = piece % 2 == 0 ? low + (high - low) * y : high - (high - low) * y;
    const std::map<std::string, Expr> pieces{
        {CutProblem::piece_name("T", piece), substitute(w, {{y, place}})}};
    for (const Expr e : {T, d(T, y), d(T, x), d(T, y, 2), d(T, x, y), d(T, y, 3), y * d(T, y) + x,
                         k * d(T, y), d(k * d(T, y), y), min(y, 0.25) * T, d(T, x, 2) * heaviside(x - 0.5)}) {
      const Expr got = substitute_fields(cut.in_piece(e, piece), pieces);
      const Expr want = substitute_fields(expanded(e), {{"T", w}});
      for (double eta : {0.1, 0.5, 0.9}) {
        const double expected = evaluate(want, {{x, 0.3}, {y, cut.place(piece, eta)}});
        EXPECT_NEAR(evaluate(got, {{x, 0.3}, {y, eta}}), expected, 1e-11 * (1 + std::abs(expected)))
            << to_string(e) << " in piece " << piece;
      }
    }
  }
}

TEST(Interfaces, ConditionsFollowFromTheEquations) {
  const auto of = [](const std::vector<std::string>& unknowns, const std::vector<std::string>& equations,
                     const std::vector<std::string>& want, const std::string& more = "") {
    SCOPED_TRACE(equations[0]);
    expect_continuous(problem_of(unknowns, equations, more), want);
  };
  const std::string k = "(" + step + ")", cut = "[interfaces]\ny = 0.5\n";
  expect_continuous(heat(step), {"T", k + "*T_y"});
  // The right side, a factor that jumps too, and what flows along.
  of({"T"}, {"T_t = d(" + k + "*T_y, y)"}, {"T", k + "*T_y"});
  of({"T"}, {"T_t = 1/(2 + sign(y - 0.5))*d(" + k + "*T_y, y)"}, {"T", k + "*T_y"});
  of({"T"}, {"T_t + 3*T_y = d(" + k + "*T_y, y)"}, {"T", k + "*T_y"});
  of({"T"}, {"d(" + k + "*(T_y - 2*T), y) = 0"}, {"T", k + "*(T_y - 2*T)"});
  of({"T"}, {"d(" + k + "*T_y, y) - d((2 - sign(y - 0.5))*T, y) = 0"},
     {"T", k + "*T_y - (2 - sign(y - 0.5))*T"});
  of({"T"}, {"T_t + d(" + k + "*T, y) = 0"}, {k + "*T"});
  // Without a divergence: a source or a coefficient that jumps.
  of({"T"}, {"T_xx + T_yy = heaviside(y - 0.5)"}, {"T", "T_y"}, cut);
  of({"T"}, {"T_t = " + k + "*T_yy"}, {"T", "T_y"}, cut);
  of({"T"}, {"d(T, y, y, y, y) = heaviside(y - 0.5)"}, {"T", "T_y", "T_yy", "T_yyy"}, cut);
  // A beam: deflection, slope, moment and shear force.
  of({"w"}, {"d(" + k + "*w_yy, y, y) = 1"}, {"w", "w_y", k + "*w_yy", "d(" + k + "*w_yy, y)"});
  // The flux as an unknown.
  of({"T", "q"}, {"q = " + k + "*T_y", "q_y + d(" + k + "*T_x, x) = 0"}, {"T", "q"}, cut);
  // Elasticity in the plane: displacements and tractions.
  of({"u", "v"},
     {"d(" + k + "*(2*u_x + v_y), x) + d(" + k + "*(u_y + v_x), y) = 0",
      "d(" + k + "*(u_y + v_x), x) + d(" + k + "*(u_x + 2*v_y), y) = 0"},
     {"u", "v", k + "*(u_y + v_x)", k + "*(u_x + 2*v_y)"});
  // Stokes' flow of two fluids: the pressure jumps with the normal stress of the viscosity.
  of({"u", "v", "p"},
     {"d(" + k + "*2*u_x, x) + d(" + k + "*(u_y + v_x), y) - p_x = 0",
      "d(" + k + "*(u_y + v_x), x) + d(" + k + "*2*v_y, y) - p_y = 0", "u_x + v_y = 0"},
     {"u", "v", k + "*(u_y + v_x)", k + "*2*v_y - p"});
}

TEST(Interfaces, TheTrainedProblemJoinsThePieces) {
  const Problem p = heat(step,
                         "inner = { where = \"y = 0.75\", equation = \"T_y = 1\" }\n"
                         "side = { where = \"x = 0\", equation = \"heaviside(y - 0.5)*(T - 1) = 0\" }\n"
                         "at = { where = \"x = 1, y = 0.5\", equation = \"T_x = 2\" }\n"
                         "top = { where = \"y = 1\", equation = \"T = y + x\", weight = 3 }\n");
  const Problem trained = CutProblem(p).trained();
  EXPECT_THAT(trained.unknowns, ElementsAre("T_1", "T_2"));
  EXPECT_EQ(trained.coordinates[1], (CoordinateRange{"y", 0, 1}));
  ASSERT_EQ(trained.equations.size(), 2u);
  EXPECT_EQ(trained.equations[0].residual, d(unknown("T_1"), x, 2) + 4 * d(unknown("T_1"), y, 2));
  std::vector<std::string> conditions;
  for (const Condition& c : trained.conditions) {
    std::string where;
    for (const auto& [name, value] : c.where) where += name + "=" + std::to_string(value).substr(0, 3) + " ";
    conditions.push_back(c.name + " at " + where + to_string(c.left) + " = " + to_string(c.right));
  }
  EXPECT_THAT(conditions, ElementsAre("low at y=0.0 T_1 = x", "inner at y=0.5 -2*T_2_y = 1",
                                      "side_2 at x=0.0 T_2 - 1 = 0", "at at x=1.0 y=1.0 T_1_x = 2",
                                      "top at y=0.0 T_2 = 1 - 0.5*y + x", "interface_1_T at y=1.0 T_1 = T_2",
                                      "interface_1_e1 at y=1.0 2*T_1_y = -200*T_2_y"));
  EXPECT_EQ(trained.conditions[4].weight, 3);
  EXPECT_FALSE(trained.reference.given());
}

TEST(Interfaces, OptionsOfANetworkGoToThePieces) {
  const Problem p = heat(step,
                         "[network]\nscale = { T = 5, T_2 = 7 }\noffset = { T = 1 }\n"
                         "[network.T_1]\nwidth = 9\n"
                         "[training]\npoints.dense = [{ y = 0.6, width = 0.1, fraction = 0.2 }]\n");
  const Problem chosen = detail::with_defaults(p), trained = detail::trained_problem(chosen);
  EXPECT_EQ(trained.network.scale, (std::map<std::string, double>{{"T_1", 5}, {"T_2", 7}}));
  EXPECT_EQ(trained.network.offset, (std::map<std::string, double>{{"T_1", 1}, {"T_2", 1}}));
  EXPECT_EQ(trained.network.own.at("T_1").width, 9);
  EXPECT_NEAR(trained.training.points.dense[0].centre, 0.8, 1e-15);
  EXPECT_NEAR(trained.training.points.dense[0].width, 0.2, 1e-15);
  EXPECT_EQ(chosen.training.points.dense, p.training.points.dense);
  EXPECT_EQ(detail::with_defaults(chosen), chosen) << "the defaults stay as they are";
  EXPECT_THAT(chosen.interfaces.at("y"), ElementsAre(0.5));
  EXPECT_EQ(trained.training.points.count, chosen.training.points.count);
  EXPECT_EQ(trained.network.width, chosen.network.width);
  const Problem output = heat(step, "[network]\noutput = { T = \"min(y, 0.5)*T\" }\n");
  const Problem pieces = CutProblem(output).trained();
  EXPECT_EQ(to_string(pieces.network.output.at("T_1")), "0.5*y*T_1");
  EXPECT_EQ(to_string(pieces.network.output.at("T_2")), "0.5*T_2");
}

TEST(Interfaces, AreWrittenAndReadAgain) {
  for (const Problem& p : {heat(step), heat(step, "[interfaces]\ny = [0.5, 0.75]\n"),
                           problem_of({"w"}, {"d((" + step + ")*w_yy, y, y) = 1"})}) {
    const Problem again = Problem::from_string(p.to_toml(), "again.toml");
    EXPECT_EQ(again, p) << p.to_toml();
    EXPECT_TRUE(detail::is_cut(again));
  }
  EXPECT_FALSE(heat(step) == heat("1 + 98*heaviside(y - 0.5)"));
  EXPECT_FALSE(heat(step) == heat(step, "[interfaces]\ny = 0.5\n"));
}

TEST(Interfaces, OfProblemsAssembledInCpp) {
  Problem p;
  p.unknowns = {"T"};
  const Expr k = 1 + 99 * heaviside(y - 0.5);
  p.add_coordinate("x", 0, 1).add_coordinate("y", 0, 1);
  p.add_equation("heat", d(k * d(T, x), x) + d(k * d(T, y), y));
  p.add_condition("low", {{"y", 0}}, T);
  p.validate();
  expect_continuous(p, {"T", "(1 + 99*heaviside(y - 0.5))*T_y"});
  EXPECT_EQ(p.equations[0].residual, k * d(T, x, 2) + k * d(T, y, 2));
  p.interfaces["y"] = {0.75};
  EXPECT_THAT(CutProblem(p).edges(), ElementsAre(0, 0.5, 0.75, 1));
  EXPECT_EQ(Problem::from_string(p.to_toml()), p);
  // An equation put there by hand, and a jump that lies outside.
  p.interfaces.clear();
  p.equations[0] = {"heat", d(k * d(T, y), y), {}};
  p.validate();
  expect_continuous(detail::with_defaults(p), {"T", "(1 + 99*heaviside(y - 0.5))*T_y"});
  p.equations[0] = {"heat", d((1 + heaviside(y - 7)) * d(T, y), y), {}};
  p.validate();
  EXPECT_FALSE(detail::is_cut(p));
  p.add_condition("side", {{"x", 0}}, d(k * T, y));
  EXPECT_THAT(message_of<ArgumentError>([&] { p.validate(); }), HasSubstr("jumps at y = 0.5"));
}

TEST(Interfaces, WhatCannotBeCutIsRefused) {
  const auto refusal = [](const auto& make) { return message_of<ParseError>(make); };
  const auto with = [&](const std::string& more) { return refusal([&] { heat(step, more); }); };
  EXPECT_THAT(with("[interfaces]\ny = 2\n"),
              AllOf(HasSubstr("interfaces.y is 2"), HasSubstr("inside of the range [0, 1] of y")));
  EXPECT_THAT(with("[interfaces]\ny = 1\n"), HasSubstr("inside of the range"));
  EXPECT_THAT(with("[interfaces]\ny = []\n"), HasSubstr("interfaces.y"));
  EXPECT_THAT(with("[interfaces]\nz = 0.5\n"), HasSubstr("unknown key z"));
  EXPECT_THAT(with("[interfaces]\nx = 0.5\n"), HasSubstr("along x and along y"));
  EXPECT_THAT(with("[network]\nsymmetry = { y = \"even\" }\n"), HasSubstr("symmetry"));
  EXPECT_THAT(with("[network]\nfeatures = [\"sin(y)\"]\n"), HasSubstr("network.features.0 contains y"));
  EXPECT_THAT(with("[network.T_3]\nwidth = 3\n"), HasSubstr("T_3"));
  EXPECT_THAT(refusal([] { problem_of({"T"}, {"T_t = T_yy"}, "[interfaces]\nt = 0.5\n"); }),
              HasSubstr("interfaces.t: t is time"));
  EXPECT_THAT(refusal([] { problem_of({"T"}, {"T_t + T_x = d((" + step + ")*T_y, y)"}, "[lagrangian]\n"); }),
              HasSubstr("the domain is cut along y"));
  EXPECT_THAT(refusal([] {
                problem_of({"T", "T_1"}, {"d((" + step + ")*T_y, y) = 0", "T_1 = T"});
              }),
              HasSubstr("T_1 is the name of an unknown in a piece"));
  EXPECT_THAT(refusal([] {
                problem_of({"T"}, {"heaviside(y - 0.5) = T_y*heaviside(0.5 - y)"}, "[interfaces]\ny = 0.5\n");
              }),
              HasSubstr("without an unknown"));
  // Places that are no planes: slanted, curved, of an unknown; two coordinates; time.
  for (const char* k : {"heaviside(y - x)", "heaviside((x - 0.5)^2 + (y - 0.5)^2 - 0.04)", "heaviside(T)",
                        "heaviside(y - 0.5)*heaviside(y - x)"})
    EXPECT_THAT(refusal([&] { heat(std::string("1 + ") + k); }),
                AllOf(HasSubstr("layers.toml:6:"), HasSubstr("delta function"), HasSubstr("smooth it")))
        << k;
  EXPECT_THAT(refusal([] { heat("1 + heaviside(y - 0.5)*heaviside(x - 0.5)"); }),
              HasSubstr("planes of one coordinate"));
  EXPECT_THAT(refusal([] { problem_of({"T"}, {"d((1 + heaviside(t - 0.5))*T, t) = T_t"}); }),
              HasSubstr("delta function"));
}

TEST(Interfaces, PeriodicCoordinatesAreNotCut) {
  const std::string text = R"(unknowns = ["u"]
[coordinates]
x = { range = [0, 1], periodic = true }
[equations]
wave = "EQUATION"
[interfaces]
)";
  const auto refusal = [&](std::string equation, const std::string& more) {
    std::string changed = text;
    changed.replace(changed.find("EQUATION"), 8, equation);
    return message_of<ParseError>([&] { Problem::from_string(changed + more); });
  };
  EXPECT_THAT(refusal("u_xx = u", "x = 0.5\n"), HasSubstr("x is periodic"));
  EXPECT_THAT(refusal("d((1 + heaviside(x - 0.5))*u_x, x) = u", ""), HasSubstr("delta function"));
}
}  // namespace
}  // namespace sobolev
