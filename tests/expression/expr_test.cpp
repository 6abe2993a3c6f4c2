// SPDX-License-Identifier: Apache-2.0
// Interning, exact identities, derivatives (finite differences, closed forms), substitution.
#include "sobolev/expression/expr.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <thread>

#include "sobolev/core/error.hpp"
#include "sobolev/expression/tape.hpp"

namespace sobolev {
namespace {
using testing::HasSubstr;

const Expr x = coordinate("x"), t = coordinate("t"), u = unknown("u"), v = unknown("v");

double value(Expr e, double at_x, double at_t = 0.7) { return evaluate(e, {{x, at_x}, {t, at_t}}); }

TEST(Expr, EqualExpressionsAreTheSameNode) {
  EXPECT_EQ(sin(x * t) + u, sin(coordinate("x") * coordinate("t")) + unknown("u"));
  EXPECT_EQ(x + t, t + x);
  EXPECT_EQ(x * t, t * x);
  EXPECT_FALSE(x - t == t - x);
  EXPECT_FALSE(Expr(0.0) == Expr(-0.0));
  EXPECT_FALSE(coordinate("u") == u);
  EXPECT_EQ(Expr(), Expr(0.0));
}

TEST(Expr, ChildrenAreOlderThanParents) {
  const Expr e = exp(sin(x) / (t + u));
  EXPECT_LT(e->a->id, e->id);
  EXPECT_LT(e->a->a->id, e->a->id);
  EXPECT_LT(e->a->b->id, e->a->id);
}

TEST(Expr, ThreadsBuildTheSameNodes) {
  constexpr int threads = 4, terms = 200;
  std::vector<Expr> built(threads);
  std::vector<std::thread> pool;
  for (int k = 0; k < threads; ++k)
    pool.emplace_back([&built, k] {
      Expr e = coordinate("shared");
      for (int i = 1; i <= terms; ++i) e = sin(e) + Expr(double(i) + 0.125);
      built[std::size_t(k)] = e;
    });
  for (std::thread& thread : pool) thread.join();
  for (Expr e : built) EXPECT_EQ(e, built[0]);
}

TEST(Expr, FoldsExactIdentities) {
  const Expr zero = 0.0, one = 1.0;
  EXPECT_EQ(x + zero, x);
  EXPECT_EQ(zero + x, x);
  EXPECT_EQ(x - zero, x);
  EXPECT_EQ(zero - x, -x);
  EXPECT_EQ(x - x, zero);
  EXPECT_EQ(x + x, Expr(2.0) * x);
  EXPECT_EQ(x * zero, zero);
  EXPECT_EQ(zero / x, zero);
  EXPECT_EQ(one * x, x);
  EXPECT_EQ(Expr(-1.0) * x, -x);
  EXPECT_EQ(x / one, x);
  EXPECT_EQ(x / Expr(-1.0), -x);
  EXPECT_EQ(x / x, one);
  EXPECT_EQ(-(-x), x);
  EXPECT_EQ((-x) * (-t), x * t);
  EXPECT_EQ((-x) / (-t), x / t);
  EXPECT_EQ(x + (-t), x - t);
  EXPECT_EQ(x - (-t), x + t);
  EXPECT_EQ(-(x - t), t - x);
  EXPECT_EQ(pow(x, zero), one);
  EXPECT_EQ(pow(x, one), x);
  EXPECT_EQ(pow(x, Expr(0.5)), sqrt(x));
  EXPECT_EQ(pow(x, Expr(-1.0)), one / x);
  EXPECT_EQ(min(x, x), x);
  EXPECT_EQ(max(x, x), x);
}

TEST(Expr, FoldsConstantsAndWholePowers) {
  EXPECT_EQ(Expr(2.0) * (Expr(3.0) * x), Expr(6.0) * x);
  EXPECT_EQ((Expr(3.0) * x) * t, Expr(3.0) * (x * t));
  EXPECT_EQ((Expr(3.0) * x) * (Expr(2.0) * t), Expr(6.0) * (x * t));
  EXPECT_EQ(-(Expr(3.0) * x), Expr(-3.0) * x);
  EXPECT_EQ(x * x, pow(x, Expr(2.0)));
  EXPECT_EQ(x * x * x, pow(x, Expr(3.0)));
  EXPECT_EQ(pow(x, Expr(2.0)) * pow(x, Expr(5.0)), pow(x, Expr(7.0)));
  EXPECT_EQ(pow(pow(x, Expr(2.0)), Expr(3.0)), pow(x, Expr(6.0)));
  EXPECT_FALSE(pow(pow(x, Expr(2.0)), Expr(0.25)) == sqrt(x));  // |x|^(1/2), not x^(1/2)
  EXPECT_FALSE(pow(pow(x, Expr(1.5)), Expr(2.0)) == pow(x, Expr(3.0)));
  EXPECT_TRUE(sin(Expr(0.5)).is_constant(std::sin(0.5)));
  EXPECT_TRUE(pow(Expr(2.0), Expr(10.0)).is_constant(1024.0));
  EXPECT_TRUE(min(Expr(2.0), Expr(3.0)).is_constant(2.0));
  EXPECT_TRUE(heaviside(Expr(0.0)).is_constant(0.5));
  EXPECT_TRUE(sign(Expr(-3.0)).is_constant(-1.0));
}

TEST(Expr, FoldingNeverOverflowsAConstant) {
  const Expr large = Expr(1e200) * (Expr(1e200) * x), small = Expr(1e-200) * (Expr(1e-200) * x);
  EXPECT_DOUBLE_EQ(value(large, 1e-300), 1e100);
  EXPECT_DOUBLE_EQ(value(small, 1e300), 1e-100);
}

TEST(Expr, FieldsAreCanonical) {
  EXPECT_EQ(field("u", {{"x", 1}, {"t", 1}}), field("u", {{"t", 1}, {"x", 1}}));
  EXPECT_EQ(field("u", {{"x", 1}, {"x", 2}}), field("u", {{"x", 3}}));
  EXPECT_EQ(d(u, x, t, x), field("u", {{"t", 1}, {"x", 2}}));
  const Expr w = field("w", {}, {"x"});
  EXPECT_TRUE(d(w, t).is_constant(0));
  EXPECT_EQ(d(w, x), field("w", {{"x", 1}}, {"x"}));
  EXPECT_THROW(field("u", {{"x", 0}}), ArgumentError);
  EXPECT_THROW(field("u", {{"x", -1}}), ArgumentError);
}

TEST(Expr, LeavesDifferByWhatTheyStandFor) {
  const Expr k = unknown_constant("k");
  EXPECT_EQ(k, unknown_constant("k"));
  EXPECT_NE(k.node(), unknown("k").node());
  EXPECT_NE(k.node(), coordinate("k").node());
  EXPECT_TRUE(d(k, x).is_constant(0));
  EXPECT_EQ(d(k * u, x), k * d(u, x));
  EXPECT_EQ(to_string(k * u), "u*k");
  const Expr before = detail::leaf(Role::previous_window, "u", {{"t", 1}}, {"x"});
  EXPECT_EQ(d(before, x), detail::leaf(Role::previous_window, "u", {{"t", 1}, {"x", 1}}, {"x"}));
  EXPECT_TRUE(d(before, t).is_constant(0));
  EXPECT_TRUE(d(detail::leaf(Role::point_value, "x"), x).is_constant(0));
  EXPECT_THROW(unknown_constant(""), ArgumentError);
}

TEST(Derivative, ClosedForms) {
  const Expr one = 1.0, two = 2.0;
  EXPECT_EQ(d(pow(x, Expr(5.0)), x), Expr(5.0) * pow(x, Expr(4.0)));
  EXPECT_EQ(d(pow(x, Expr(5.0)), x, x, x, x, x), Expr(120.0));
  EXPECT_EQ(d(pow(x, Expr(5.0)), x, x, x, x, x, x), Expr(0.0));
  EXPECT_EQ(d(sin(two * x), x), two * cos(two * x));
  EXPECT_EQ(d(exp(x), x, x, x), exp(x));
  EXPECT_EQ(d(tanh(x), x), one - pow(tanh(x), two));
  EXPECT_EQ(d(log(x), x), one / x);
  EXPECT_EQ(d(x * t, x, t), one);
  EXPECT_EQ(d(u * u, x), two * u * d(u, x));
  EXPECT_EQ(differentiate(heaviside(x), "x"), Expr(0.0));
  EXPECT_EQ(differentiate(sign(x), "x"), Expr(0.0));
  EXPECT_EQ(d(t, x), Expr(0.0));
}

// The sixth derivative of sin(x) e^(2x) is Im((2 + i)^6 e^((2 + i) x)).
TEST(Derivative, SixthOrder) {
  const Expr e = d(sin(x) * exp(Expr(2.0) * x), x, x, x, x, x, x);
  for (double at : {-1.3, 0.0, 0.4, 2.0}) {
    const double want = std::pow(5.0, 3) * std::exp(2 * at) * std::sin(at + 6 * std::atan2(1.0, 2.0));
    EXPECT_NEAR(value(e, at), want, 1e-12 * std::pow(5.0, 3) * std::exp(2 * at));
  }
}

struct Sample {
  const char* name;
  Expr e;
  double low, high;  // where x may be
};
std::vector<Sample> samples() {
  const Expr one = 1.0;
  return {{"sum", x + t - Expr(3.0) * x, -2, 2},
          {"product", x * t * sin(x), -2, 2},
          {"quotient", (x + t) / (one + x * x), -2, 2},
          {"power", pow(x, Expr(2.5)), 0.2, 2},
          {"whole power", pow(x - one, Expr(-3.0)), 1.5, 3},
          {"exponent", pow(Expr(1.5), x), -2, 2},
          {"both", pow(x, x * t), 0.2, 2},
          {"sin", sin(x * x), -2, 2},
          {"cos", cos(x * t), -2, 2},
          {"tan", tan(x), -1.2, 1.2},
          {"asin", asin(x), -0.9, 0.9},
          {"acos", acos(x), -0.9, 0.9},
          {"atan", atan(x * t), -2, 2},
          {"sinh", sinh(x), -2, 2},
          {"cosh", cosh(x * t), -2, 2},
          {"tanh", tanh(x * t), -2, 2},
          {"exp", exp(-x * x), -2, 2},
          {"log", log(one + x * x), -2, 2},
          {"sqrt", sqrt(one + x * x), -2, 2},
          {"abs", abs(sin(x)), 0.2, 2},
          {"erf", erf(x), -2, 2},
          {"erfc", erfc(x * t), -2, 2},
          {"min", min(x * x, Expr(7.0) + x), -2, 2},
          {"max", max(x * x, Expr(-7.0) + x), -2, 2},
          {"piecewise", heaviside(x) * sin(x) + sign(x) * x, 0.1, 2},
          {"nested", exp(sin(tanh(x * t))) * pow(x, Expr(3.0)) / (one + x * x), -2, 2}};
}

// Fourth-order central differences; h balances truncation h^4 and rounding eps / h.
TEST(Derivative, AgreesWithFiniteDifferences) {
  const double h = 1e-3;
  for (const Sample& s : samples()) {
    const Expr first = differentiate(s.e, "x"), second = differentiate(first, "x");
    for (int i = 1; i < 12; ++i) {
      const double at = s.low + (s.high - s.low) * i / 12.0;
      const auto slope = [&](Expr e) {
        return (8 * (value(e, at + h) - value(e, at - h)) - (value(e, at + 2 * h) - value(e, at - 2 * h))) /
               (12 * h);
      };
      EXPECT_NEAR(value(first, at), slope(s.e), 2e-9 * (1 + std::abs(slope(s.e)))) << s.name << " at " << at;
      EXPECT_NEAR(value(second, at), slope(first), 2e-9 * (1 + std::abs(slope(first))))
          << s.name << " at " << at;
    }
  }
}

TEST(Derivative, MixedDerivativesCommute) {
  const Expr e = exp(x * t) * sin(x + t * t), a = d(e, x, x, t), b = d(e, t, x, x);
  for (double at : {-1.0, 0.3, 1.1})
    EXPECT_NEAR(value(a, at), value(b, at), 1e-13 * (1 + std::abs(value(a, at))));
}

TEST(Derivative, ANumberIsTheOrderInTheCoordinateBeforeIt) {
  EXPECT_EQ(d(u, x, 2), d(u, x, x));
  EXPECT_EQ(d(u * u, t, x, 3), d(u * u, t, x, x, x));
  EXPECT_EQ(d(u, x, 2, t, 1), d(u, x, x, t));
  EXPECT_EQ(d(u, x, 16)->derivative[0].second, 16);
}

template <class... By>
concept CanDifferentiate = requires(Expr e, By... by) {
  d(e, by...);
};
static_assert(CanDifferentiate<Expr, int> && !CanDifferentiate<int> && !CanDifferentiate<Expr, double> &&
              !CanDifferentiate<>);

TEST(Derivative, ByWhatIsNoCoordinateIsAnError) {
  const auto message = [](auto&& call) {
    try {
      call();
    } catch (const ArgumentError& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_THAT(message([&] { d(u, v); }), HasSubstr("v is not a coordinate"));
  EXPECT_THAT(message([&] { d(u, x * x); }), HasSubstr("x^2 is not a coordinate"));
  EXPECT_THAT(message([&] { d(u, Expr(2)); }), HasSubstr("2 is not a coordinate"));
  EXPECT_THAT(message([&] { d(u, x, 0); }), HasSubstr("the order 0 in x"));
  EXPECT_THAT(message([&] { d(u, x, 17); }), HasSubstr("the order 17 in x"));
  EXPECT_THAT(message([&] { d(u, x, 2, 2); }), HasSubstr("the order 2 follows another one"));
  EXPECT_THAT(message([] { coordinate(""); }), HasSubstr("the name is empty"));
  EXPECT_THAT(message([] { unknown(""); }), HasSubstr("unknown is empty"));
}

TEST(Derivative, OfAPowerIsFiniteAtZero) {
  EXPECT_EQ(value(d(pow(x, Expr(3.0)), x), 0.0), 0.0);
  EXPECT_EQ(value(d(pow(x, Expr(1.5)), x), 0.0), 0.0);
  EXPECT_EQ(value(d(x * x, x), 0.0), 0.0);
}

// Sharing keeps high derivatives small: without it each order would double the expression.
TEST(Derivative, HighOrdersStaySmall) {
  Expr e = exp(sin(tanh(x * t))) * pow(x, Expr(3.0)) / (Expr(1.0) + x * x);
  for (int order = 1; order <= 10; ++order) e = d(e, x);
  const Expr inputs[] = {t, x};
  EXPECT_LT(compile(std::span<const Expr>(&e, 1), inputs).registers(), 2000);
}

TEST(Derivative, PartialHoldsOtherLeavesFixed) {
  const Expr ux = d(u, x), e = u * ux + x * u;
  EXPECT_EQ(partial(e, u), ux + x);
  EXPECT_EQ(partial(e, ux), u);
  EXPECT_EQ(partial(e, x), u);
  EXPECT_EQ(partial(e, v), Expr(0.0));
}

TEST(Substitute, ReplacesLeavesAndNodes) {
  EXPECT_EQ(substitute(sin(x) + t, {{x, t}}), sin(t) + t);
  EXPECT_EQ(substitute(x + t, {{x, t}, {t, x}}), x + t);  // at once, not one after the other
  EXPECT_EQ(substitute(sin(x * t) + x, {{x * t, u}}), sin(u) + x);
  EXPECT_EQ(substitute(x, {{x, sin(x)}}), sin(x));
  EXPECT_EQ(substitute(x * t, {{t, Expr(0.0)}}), Expr(0.0));
}

TEST(Substitute, FieldsTakeTheirDerivativesAlong) {
  const Expr heat = d(u, t) - d(u, x, x);
  const Expr exact = exp(-t) * sin(x);
  EXPECT_NEAR(value(substitute_fields(heat, {{"u", exact}}), 0.8), 0.0, 1e-15);
  EXPECT_EQ(substitute_fields(d(u, x, x), {{"u", pow(x, Expr(3.0))}}), Expr(6.0) * x);
  EXPECT_EQ(substitute_fields(u + v, {{"u", x}}), x + v);
  const Expr known = detail::leaf(Role::known, "u"), raw = detail::leaf(Role::network_output, "u");
  EXPECT_EQ(substitute_fields(u * known + raw, {{"u", x}}),
            x * known + raw);  // other leaves of that name stay
  // A hard constraint: u stands for t·u afterwards.
  EXPECT_EQ(substitute_fields(d(u, t), {{"u", t * u}}), u + t * d(u, t));
}

TEST(Leaves, InOrderOfCreation) {
  const Expr ux = d(u, x), list[] = {v * ux + u, sin(t) * x + u};
  const std::vector<Expr> fields = fields_of(list), coordinates = coordinates_of(list);
  EXPECT_EQ(fields, (std::vector<Expr>{u, v, ux}));
  EXPECT_EQ(coordinates, (std::vector<Expr>{x, t}));
  EXPECT_TRUE(contains_fields(list[0]));
  EXPECT_FALSE(contains_fields(sin(x)));
}

TEST(Evaluate, NamesAMissingLeaf) {
  try {
    evaluate(x + d(u, t), {{x, 1.0}});
    FAIL() << "an unknown leaf was accepted";
  } catch (const ArgumentError& error) {
    EXPECT_THAT(error.what(), HasSubstr("u_t"));
  }
}
}  // namespace
}  // namespace sobolev
