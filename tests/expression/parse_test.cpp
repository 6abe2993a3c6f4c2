// SPDX-License-Identifier: Apache-2.0
// The grammar, error positions and suggestions, to_string as the inverse, and mutated texts.
#include "sobolev/expression/parse.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace sobolev {
namespace {
using testing::HasSubstr;

const ExpressionScope scope{{"t", "x"}, {"u", "v"}, {{"nu", 0.25}}};
const Expr x = coordinate("x"), t = coordinate("t"), u = unknown("u");

Expr parse(std::string_view text) { return parse_expression(text, scope); }
double number(std::string_view text) { return parse(text)->value; }

TEST(Parse, TreesAreThoseOfTheOperators) {
  EXPECT_EQ(parse("u_t - nu*u_xx + 5*u^3 - 5*u"),
            d(u, t) - Expr(0.25) * d(u, x, x) + Expr(5.0) * pow(u, Expr(3.0)) - Expr(5.0) * u);
  EXPECT_EQ(parse("x^2*cos(pi*x)"), pow(x, Expr(2.0)) * cos(Expr(3.14159265358979323846) * x));
  EXPECT_EQ(parse("max(x, t)/min(u, 1)"), max(x, t) / min(u, Expr(1.0)));
  EXPECT_EQ(parse("pow(x, t)"), pow(x, t));
  EXPECT_EQ(parse(" \t x\n+\r t "), x + t);
}

TEST(Parse, EveryFunction) {
  EXPECT_EQ(parse("sin(x)+cos(x)+tan(x)+asin(x)+acos(x)+atan(x)"),
            sin(x) + cos(x) + tan(x) + asin(x) + acos(x) + atan(x));
  EXPECT_EQ(parse("sinh(x)+cosh(x)+tanh(x)+exp(x)+log(x)+sqrt(x)"),
            sinh(x) + cosh(x) + tanh(x) + exp(x) + log(x) + sqrt(x));
  EXPECT_EQ(parse("abs(x)+sign(x)+erf(x)+erfc(x)+heaviside(x)"),
            abs(x) + sign(x) + erf(x) + erfc(x) + heaviside(x));
}

TEST(Parse, Precedence) {
  EXPECT_EQ(number("1 + 2*3"), 7);
  EXPECT_EQ(number("2*3^2"), 18);
  EXPECT_EQ(number("-2^2"), -4);
  EXPECT_EQ(number("(-2)^2"), 4);
  EXPECT_EQ(number("2^3^2"), 512);
  EXPECT_EQ(number("2**3**2"), 512);
  EXPECT_EQ(number("2^-2"), 0.25);
  EXPECT_EQ(number("8/4/2"), 1);
  EXPECT_EQ(number("8 - 4 - 2"), 2);
  EXPECT_EQ(number("6/2*3"), 9);
  EXPECT_EQ(number("--3"), 3);
  EXPECT_EQ(number("2*-3"), -6);
  EXPECT_EQ(number("+3 - +2"), 1);
  EXPECT_EQ(parse("-x*t"), -(x * t));
}

TEST(Parse, Numbers) {
  EXPECT_EQ(number("1e-4"), 1e-4);
  EXPECT_EQ(number("1.5E+2"), 150);
  EXPECT_EQ(number(".5"), 0.5);
  EXPECT_EQ(number("2."), 2);
  EXPECT_EQ(number("0.1"), 0.1);
  EXPECT_EQ(number("nu"), 0.25);
  EXPECT_EQ(number("e"), 2.71828182845904523536);
  EXPECT_EQ(parse_expression("pi", {{"x"}, {}, {{"pi", 3.0}}})->value, 3.0);  // a problem's own constant wins
}

TEST(Parse, Derivatives) {
  EXPECT_EQ(parse("u_xxt"), d(u, x, x, t));
  EXPECT_EQ(parse("d(u, x, x)"), parse("u_xx"));
  EXPECT_EQ(parse("d(u_x, t)"), parse("u_xt"));
  EXPECT_EQ(parse("d(u*x, x)"), u + x * d(u, x));
  EXPECT_EQ(parse("d(u, x, 2)"), parse("u_xx"));
  EXPECT_EQ(parse("d(u^2, x, 2 , t, 1)"), d(u * u, x, x, t));
  EXPECT_EQ(parse("d(d(u^2, x), t)"), d(u * u, x, t));
  const ExpressionScope mixed{{"x", "theta"}, {"u", "u_x"}, {}};
  EXPECT_EQ(parse_expression("d(u, theta)", mixed), differentiate(u, "theta"));
  EXPECT_EQ(parse_expression("u_xx", mixed), d(u, x, x));     // x is one letter, theta does not matter
  EXPECT_EQ(parse_expression("u_x", mixed), unknown("u_x"));  // a declared name wins
}

TEST(Parse, Equations) {
  using Sides = std::pair<Expr, Expr>;
  EXPECT_EQ(parse_equation("u_t = u_xx", scope), Sides(d(u, t), d(u, x, x)));
  EXPECT_EQ(parse_equation("u == x", scope), Sides(u, x));
  EXPECT_EQ(parse_equation("u - x", scope), Sides(u - x, Expr(0.0)));
}

struct Wrong {
  const char* text;
  std::size_t column;
  std::vector<const char*> says;
};
void expect_error(const Wrong& w, bool equation = false) {
  try {
    equation ? (void)parse_equation(w.text, scope) : (void)parse(w.text);
    FAIL() << "accepted: " << w.text;
  } catch (const ParseError& error) {
    EXPECT_EQ(error.position().column, w.column) << w.text << ": " << error.what();
    EXPECT_EQ(error.position().line, 1u) << w.text;
    for (const char* part : w.says) EXPECT_THAT(error.message(), HasSubstr(part)) << w.text;
  }
}

TEST(ParseError, SaysWhereAndWhat) {
  const Wrong wrong[] = {
      {"", 1, {"ends"}},
      {"   ", 4, {"ends"}},
      {"x + ", 5, {"ends"}},
      {"x + sine(x)", 5, {"unknown function 'sine'", "did you mean 'sin'?"}},
      {"tnah(x)", 1, {"did you mean 'tanh'?"}},
      {"1 + mu*u", 5, {"unknown name 'mu'", "did you mean 'nu'?"}},
      {"frequency", 1, {"unknown name 'frequency'", "known are pi, e, t, x, u, v, nu"}},
      {"sin(x, t)", 1, {"sin takes 1 argument, 2 given"}},
      {"2*min(x)", 3, {"min takes 2 arguments, 1 given"}},
      {"sin()", 1, {"sin takes 1 argument, 0 given"}},
      {"1 + sin", 5, {"parentheses", "sin(…)"}},
      {"u(1 - u)", 1, {"'u' is not a function", "u*(…)"}},
      {"x(1 - x)", 1, {"'x' is not a function", "x*(…)"}},
      {"u(x)", 1, {"at every point", "write u without"}},
      {"u_t - u(t, x)", 7, {"at every point", "write u without"}},
      {"2*u(0)", 3, {"cannot be taken at a place", "where = \"x = 0\"", "periodic = true"}},
      {"u(t, -1.5)", 1, {"cannot be taken at a place"}},
      {"u*(x < 0.5)", 6, {"'<' compares", "heaviside(b - a) for a < b"}},
      {"x >= 0.5", 3, {"'>' compares"}},
      {"x ≤ 1", 3, {"'≤' compares"}},
      {"i*u_t", 1, {"unknown name 'i'", "no complex numbers", "two unknowns"}},
      {"1 + inf", 5, {"numbers are finite"}},
      {"ln(x)", 1, {"the natural logarithm is log(…)"}},
      {"2*arctan(x)", 3, {"asin, acos and atan"}},
      {"if(x, 1, 2)", 1, {"there are no cases", "heaviside"}},
      {"laplacian(u)", 1, {"u_xx + u_yy"}},
      {"diff(u, x)", 1, {"d(u, x)"}},
      {"|x|", 1, {"abs(…)"}},
      {"u'", 2, {"a derivative is u_x"}},
      {"x² + 1", 2, {"write ^2"}},
      {"x − 1", 3, {"write '-'"}},
      {"(x t)", 4, {"'t'", "write '*'"}},
      {"(x, t)", 3, {"separates the arguments"}},
      {"sin(x = t)", 7, {"inside parentheses"}},
      {"(x + (t)", 1, {"never closed"}},
      {"x + sin(t", 8, {"sin is never closed"}},
      {"x + t)", 6, {"without a matching '('"}},
      {"x t", 3, {"'t'", "write '*'"}},
      {"2x", 2, {"'x'", "write '*'"}},
      {"x $ t", 3, {"'$'"}},
      {"x + * t", 5, {"'*' is not expected"}},
      {"x = t", 3, {"only allowed in equations"}},
      {"1/0", 1, {"division by zero in '1/0'"}},
      {"t + x/(1 - 1)", 5, {"division by zero"}},
      {"log(0)", 1, {"not a finite number"}},
      {"x*sqrt(-1)", 3, {"sqrt(-1)", "not a finite number"}},
      {"0^-1", 1, {"not a finite number"}},
      {"x + 10^400", 5, {"not a finite number"}},
      {"1e400", 1, {"too large or too small"}},
      {".", 1, {"not a number"}},
      {"u_", 1, {"missing after '_'"}},
      {"x*u_xy", 3, {"'y' is not a coordinate", "t, x"}},
      {"d(u)", 1, {"at least one coordinate"}},
      {"d(u, y)", 6, {"'y' is not a coordinate", "t, x"}},
      {"d(u, )", 6, {"not a coordinate"}},
      {"d(u, 2)", 6, {"'2' is not a coordinate"}},
      {"d(u, x, 2, 3)", 12, {"'3' is not a coordinate"}},
      {"d(u, x, 0)", 9, {"from 1 to 16", "d(u, x, 2)"}},
      {"d(u, x, 17)", 9, {"from 1 to 16"}},
      {"d(u, x, x, 16)", 12, {"from 1 to 16"}},
      {"d(u, x, 2.5)", 9, {"from 1 to 16"}},
      {"d(u, x, 2", 2, {"never closed"}},
      {"d(u, x", 2, {"never closed"}},
      {"u_xxxxxxxxxxxxxxxxx", 1, {"more than 16 derivatives"}},
      {"α + x", 1, {"'α' is not expected"}},
      {"x + β", 5, {"'β' is not expected"}},
      {"x + \x01", 5, {"'\\x01'"}},
  };
  for (const Wrong& w : wrong) expect_error(w);
}

TEST(ParseError, OfEquations) {
  const Wrong wrong[] = {{"u =", 4, {"ends"}},
                         {"= u", 1, {"'=' is not expected"}},
                         {"u = x = t", 7, {"a second '='"}},
                         {"u = x)", 6, {"without a matching '('"}},
                         {"u x", 3, {"write '*'"}}};
  for (const Wrong& w : wrong) expect_error(w, true);
}

TEST(ParseError, StartsAtThePositionOfTheText) {
  try {
    parse_expression("x +\n  bad", scope, {"heat.toml", 7, 12});
    FAIL();
  } catch (const ParseError& error) {
    EXPECT_EQ(error.position().line, 8u);
    EXPECT_EQ(error.position().column, 3u);
    EXPECT_THAT(error.what(), HasSubstr("heat.toml:8:3: "));
  }
  try {
    parse_expression("x + bad", scope, {"heat.toml", 7, 12});
    FAIL();
  } catch (const ParseError& error) {
    EXPECT_EQ(error.position().line, 7u);
    EXPECT_EQ(error.position().column, 16u);
  }
}

TEST(ParseError, ADerivativeThatWouldDropADelta) {
  ExpressionScope unit = scope;
  unit.ranges = {{"t", {0, 1}}, {"x", {0, 1}}};
  const auto refused = [&](const char* text, std::size_t column) {
    try {
      parse_expression(text, unit);
      ADD_FAILURE() << "accepted: " << text;
    } catch (const ParseError& error) {
      EXPECT_EQ(error.position().column, column) << text;
      EXPECT_THAT(error.message(), ::testing::AllOf(HasSubstr("delta function"), HasSubstr("tanh("))) << text;
    }
  };
  refused("u_t - d((1 + 99*heaviside(x - 0.5))*u_x, x)", 7);
  refused("d(abs(x - 0.5), x, x)", 1);
  refused("d(max(u, 0), x, x)", 1);
  refused("2*d(sign(u)*u_x^2, t)", 3);
  for (const char* text : {"heaviside(x - 0.5)*u_xx", "d(heaviside(t - 0.5)*u_x, x)", "d(max(u, 0), x)",
                           "d(heaviside(x - 2)*u_x, x)", "abs(u)*u_x", "d(abs(u)*u, x)"})
    EXPECT_NO_THROW(parse_expression(text, unit)) << text;
}

TEST(ParseError, LongTextsAreAbbreviated) {
  ExpressionScope many = scope;
  for (int i = 0; i < 1000; ++i) many.constants["k" + std::to_string(i)] = i;
  try {
    parse_expression("frequency", many);
    FAIL();
  } catch (const ParseError& error) {
    EXPECT_THAT(error.message(), HasSubstr("and 977 more"));
  }
  std::string sum = "1";
  for (int i = 0; i < 1000; ++i) sum += " + 1";
  try {
    parse_expression("(" + sum + ")/0", scope);
    FAIL();
  } catch (const ParseError& error) {
    EXPECT_LT(error.message().size(), 200u);
    EXPECT_THAT(error.message(), HasSubstr("division by zero"));
  }
}

TEST(ParseError, SubscriptOfALongCoordinate) {
  for (const char* text : {"u_theta", "u_t"}) {
    try {
      parse_expression(text, {{"x", "theta"}, {"u"}, {}});
      FAIL() << text;
    } catch (const ParseError& error) {
      EXPECT_THAT(error.message(), HasSubstr("write d(u, theta)")) << text;
    }
  }
}

std::string repeat(std::string_view piece, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += piece;
  return text;
}

TEST(ParseLimits, NestingOf200Levels) {
  EXPECT_EQ(parse(repeat("(", 200) + "x" + repeat(")", 200)), x);
  EXPECT_NO_THROW(parse(repeat("sin(", 200) + "x" + repeat(")", 200)));
  for (const std::string& text :
       {repeat("(", 201) + "x" + repeat(")", 201), repeat("-", 60000) + "x", repeat("+", 60000) + "x",
        repeat("x^", 20000) + "x", repeat("sin(", 16000), repeat("(", 65536), repeat("d(", 30000)}) {
    try {
      parse(text);
      FAIL() << text.substr(0, 20);
    } catch (const ParseError& error) {
      EXPECT_THAT(error.message(), HasSubstr("nested more than 200 levels"));
    }
  }
}

TEST(ParseLimits, DerivativesThatGrowWithoutEnd) {
  std::string e = "exp(sin(tanh(x*t)))*x^3/(1 + x^2)";
  EXPECT_NO_THROW(parse("d(" + e + repeat(", x", 16) + ")"));
  for (int i = 0; i < 8; ++i) e = "d(" + e + repeat(", x", 16) + ")";
  try {
    parse(e);
    FAIL();
  } catch (const ParseError& error) {
    EXPECT_THAT(error.message(), HasSubstr("operations, too many"));
  }
}

TEST(ParseLimits, LengthOf64KiB) {
  EXPECT_EQ(parse("x" + std::string(65535, ' ')), x);
  EXPECT_THROW(parse("x" + std::string(65536, ' ')), ParseError);
}

// A sum as long as a text may be is a chain of 13,000 nodes: nothing may recurse along it.
TEST(ParseLimits, LongSumsDoNotExhaustTheStack) {
  const Expr e = parse("x" + repeat("+x*t", 8000) + repeat("+sin(u)", 4500));
  const Expr slope = differentiate(e, "x");
  EXPECT_NEAR(evaluate(slope, {{t, 0.5}, {u, 0.0}, {d(u, x), 2.0}}), 1 + 8000 * 0.5 + 4500 * 2.0, 1e-8);
  EXPECT_EQ(fields_of(std::span<const Expr>(&e, 1)), std::vector<Expr>{u});
  EXPECT_NEAR(evaluate(substitute(e, {{u, t}}), {{t, 0.0}, {x, 1.5}}), 1.5, 1e-12);
  EXPECT_EQ(to_string(e).size(), 1 + 8000 * 6 + 4500 * 9u);
  const Expr shorter = parse("x" + repeat("+x*t", 3000) + repeat("-sin(u)", 3000));
  EXPECT_EQ(parse(to_string(shorter)), shorter);
}

const char* const corpus[] = {"u_t - nu*u_xx + 5*u^3 - 5*u",
                              "x^2*cos(pi*x) - t/(1 + x)",
                              "-(x + t)^2 - -x",
                              "x - (t - (u - v))",
                              "x/(t/(u/v)) + (x/t)/u",
                              "(x^2)^t + x^2^t + (-x)^3 + x^-t + 2^x",
                              "-2*x + (-2)^x + x*(-2) - (-2)",
                              "(-0.0)^x + 1e-300*x + 123456789.123*t",
                              "d(u*v_x, x, x) + d(sin(u), t)",
                              "min(x, max(t, abs(u))) + sign(v)*heaviside(x - 0.5)",
                              "erf(x)/erfc(t) + exp(-x^2) + log(1 + x^2) + sqrt(x)",
                              "asin(x) + acos(x)*atan(x)/tan(t) + sinh(x)*cosh(t) - tanh(u)",
                              "1/(1 + exp(-(x - t)/0.05))",
                              "x*(t*(u*(v*3)))*(2*x)",
                              "1e200*(1e200*x) + u_ttxx*v_xxxxxx"};

TEST(ToString, ParsesBackToTheSameNode) {
  for (const char* text : corpus) {
    const Expr e = parse(text);
    EXPECT_EQ(parse(to_string(e)), e) << text << "  ->  " << to_string(e);
  }
}

TEST(ToString, StopsWhereTheTextIsLongEnough) {
  EXPECT_EQ(to_string(parse("u_t - nu*u_xx"), 100), "u_t - 0.25*u_xx");
  EXPECT_EQ(to_string(parse("u_t - nu*u_xx"), 15), "u_t - 0.25*u_xx");
  EXPECT_EQ(to_string(parse("u_t - nu*u_xx"), 14), "u_t - 0.25*…");
  EXPECT_EQ(to_string(x + t, 2), "");
  // As a whole the text of the tenth derivative has some 10^9 bytes.
  const Expr tenth = parse("d(exp(sin(tanh(x*t)))*x^3/(1 + x^2)" + repeat(", x", 10) + ")");
  const std::string text = to_string(tenth, 1000);
  EXPECT_LE(text.size(), 1000u);
  EXPECT_TRUE(text.ends_with("…"));
}

TEST(ToString, ReadsLikeTheText) {
  EXPECT_EQ(to_string(parse("u_t - nu*u_xx")), "u_t - 0.25*u_xx");
  EXPECT_EQ(to_string(parse("d(u, x, t)")), "u_tx");
  EXPECT_EQ(to_string(differentiate(u, "space")), "d(u, space)");
  EXPECT_EQ(to_string(parse("x - (t - u)")), "x - (t - u)");
  EXPECT_EQ(to_string(parse("sin(x) + cos(t) + x")), "sin(x) + cos(t) + x");
  EXPECT_EQ(to_string(parse("5*u*u_x")), "5*u*u_x");
}

/// A random expression over the scope, built by the operators.
Expr random_expr(std::mt19937& random, int depth) {
  const auto pick = [&](int n) { return int(random() % unsigned(n)); };
  const Expr leaves[] = {
      x, t, u, d(u, x), d(u, x, t), unknown("v"), Expr(double(pick(9)) - 4), Expr(0.37 * (pick(9) - 4))};
  if (depth == 0) return leaves[pick(8)];
  const Expr a = random_expr(random, depth - 1);
  if (const int op = pick(12); op < 8) {
    const Expr b = random_expr(random, depth - 1);
    switch (op) {
      case 0: return a + b;
      case 1: return a - b;
      case 2: return a * b;
      case 3: return b.is_constant(0) ? a : a / b;
      case 4: return pow(a, Expr(double(pick(7) - 2)));
      case 5: return pow(a, b);
      case 6: return min(a, b);
      default: return max(a, b);
    }
  }
  const Op unary[] = {Op::negate,      Op::sine,     Op::cosine,     Op::hyperbolic_tangent,
                      Op::exponential, Op::absolute, Op::arctangent, Op::error_function};
  return apply(unary[pick(8)], a);
}

bool has_non_finite_constant(Expr e) {
  if (e.is_constant()) return !std::isfinite(e->value);
  return (e->a.node() && has_non_finite_constant(e->a)) || (e->b.node() && has_non_finite_constant(e->b));
}

TEST(ToString, RoundTripOfRandomExpressions) {
  std::mt19937 random(20240607);
  int checked = 0;
  for (int i = 0; i < 4000; ++i) {
    const Expr e = random_expr(random, 1 + i % 5);
    if (has_non_finite_constant(e)) continue;
    ASSERT_EQ(parse(to_string(e)), e) << to_string(e);
    ++checked;
  }
  EXPECT_GT(checked, 3000);
}

TEST(ParseFuzz, MutatedTextsParseOrThrowParseError) {
  const std::string alphabet = "xtuvnd_()+-*/^=,. 0123456789epi\n\t$#\x01\x80\xc3\xbc";
  std::mt19937 random(4711);
  int parsed = 0, rejected = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string text = corpus[random() % std::size(corpus)];
    for (unsigned edits = 1 + random() % 4; edits-- > 0 && !text.empty();) {
      const std::size_t at = random() % text.size();
      switch (random() % 5) {
        case 0: text.erase(at, 1 + random() % 3); break;
        case 1: text.insert(at, 1, alphabet[random() % alphabet.size()]); break;
        case 2: text[at] = alphabet[random() % alphabet.size()]; break;
        case 3: text.insert(at, text.substr(random() % text.size(), random() % 8)); break;
        default: text[at] = char(random() % 256);
      }
    }
    try {
      const Expr e = parse(text);
      ++parsed;
      if (!has_non_finite_constant(e)) {
        ASSERT_EQ(parse(to_string(e)), e) << text;
      }
    } catch (const ParseError& error) {
      ++rejected;
      ASSERT_GE(error.position().column, 1u);
      ASSERT_LE(error.position().column, text.size() + 1);
      ASSERT_FALSE(error.message().empty());
    }
  }
  EXPECT_GT(parsed, 1000);
  EXPECT_GT(rejected, 1000);
}
}  // namespace
}  // namespace sobolev
