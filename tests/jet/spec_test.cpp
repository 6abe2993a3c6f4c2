// SPDX-License-Identifier: Apache-2.0
#include "sobolev/jet/spec.hpp"

#include <gmock/gmock.h>

#include "sobolev/core/error.hpp"
#include "tests/jet/polynomials.hpp"

namespace sobolev {
namespace {

using test::orders;

JetSpec closure(int dimensions, std::vector<MultiIndex> needed) {
  return JetSpec::closure(dimensions, needed);
}

template <class F>
std::string message(F&& f) {
  try {
    f();
  } catch (const ArgumentError& e) {
    return e.what();
  }
  return "no error";
}

TEST(MultiIndex, Arithmetic) {
  const MultiIndex a = orders({2, 1}), b = orders({0, 3});
  EXPECT_EQ(a.total(), 3);
  EXPECT_EQ(a.factorial(), 2);
  EXPECT_EQ(b.factorial(), 6);
  EXPECT_EQ(a + b, orders({2, 4}));
  EXPECT_EQ((a + b) - b, a);
  EXPECT_TRUE(orders({1, 1}).divides(a));
  EXPECT_FALSE(b.divides(a));
  EXPECT_TRUE(MultiIndex{}.divides(b));
}

TEST(JetSpec, ClosesDownwardAndOrdersByTotalOrder) {
  const JetSpec heat = closure(2, {orders({1, 0}), orders({0, 2})});
  ASSERT_EQ(heat.channels(), 4);
  EXPECT_EQ(heat.channel_of(MultiIndex{}), 0);
  EXPECT_EQ(heat.channel_of(orders({0, 2})), 3);
  EXPECT_GT(heat.channel_of(orders({0, 1})), 0);
  EXPECT_EQ(heat.channel_of(orders({2, 0})), -1);
  EXPECT_EQ(heat.order(), 2);
  EXPECT_EQ(heat.scale(3), 2) << "a channel holds the Taylor coefficient";
  EXPECT_EQ(closure(2, {orders({2, 2})}).channels(), 9);
  EXPECT_EQ(closure(2, {orders({1, 0}), orders({0, 4})}).channels(), 6);
  EXPECT_EQ(closure(3, {}).channels(), 1);
  for (const auto& [name, spec] : test::jet_specs())
    for (int k = 1; k < spec.channels(); ++k) {
      if (spec.collapsed(k) || spec.collapsed(k - 1)) continue;
      EXPECT_GE(spec.terms(k)[0].alpha.total(), spec.terms(k - 1)[0].alpha.total()) << name;
    }
}

TEST(JetSpec, CollapsesMaximalDerivativesIntoOneChannel) {
  const MultiIndex t = orders({1, 0}), x = orders({0, 1}), xx = orders({0, 2});
  const JetSpec heat = closure(2, {t, xx});
  const std::vector<JetTerm> combination{{t, 1}, {xx, -0.5}};
  const JetSpec collapsed = heat.collapse(combination);
  EXPECT_EQ(collapsed.channels(), 3);
  EXPECT_TRUE(collapsed.collapsed(2));
  EXPECT_EQ(collapsed.scale(2), 1);
  EXPECT_EQ(collapsed.order(), 2);
  EXPECT_EQ(collapsed.channel_of(t), -1);
  EXPECT_TRUE(heat.maximal(xx));
  EXPECT_FALSE(heat.maximal(x));
  std::vector<MultiIndex> needed;
  std::vector<JetTerm> laplacian;
  for (int d = 0; d < 5; ++d) {
    MultiIndex dd;
    dd.order[std::size_t(d)] = 2;
    needed.push_back(dd);
    laplacian.push_back({dd, 1});
  }
  EXPECT_EQ(closure(5, needed).collapse(laplacian).channels(), 5 + 2);
}

TEST(JetSpec, ProductsAreThoseOfPolynomials) {
  for (const test::NamedSpec& named : test::jet_specs()) {
    const JetSpec& spec = named.spec;
    const auto a = test::random_polynomial<double>(spec, 1), b = test::random_polynomial<double>(spec, 2);
    const auto want = test::multiply(a, b);
    const auto of = [&](const test::Polynomial& p, int k) { return test::channel(spec, k, p); };
    for (int k = 0; k < spec.channels(); ++k) {
      test::Real got = k == 0 ? of(a, 0) * of(b, 0) : of(a, k) * of(b, 0) + of(a, 0) * of(b, k);
      for (const JetProduct& p : spec.products())
        if (p.out == k) got += test::Real(p.coefficient) * of(a, p.left) * of(b, p.right);
      EXPECT_NEAR(double(got), double(of(want, k)), 1e-13) << named.name << " channel " << k;
    }
  }
}

TEST(JetSpec, ErrorsCarryValuesAndLimits) {
  EXPECT_EQ(message([] { closure(9, {}); }), "jets: 9 coordinates; 1 to 8 are possible");
  EXPECT_THAT(message([] { closure(2, {orders({5, 4})}); }), testing::HasSubstr("order 9; at most order 8"));
  EXPECT_THAT(message([] {
                closure(4, {orders({2, 2, 2, 2})});
              }),
              testing::HasSubstr("81 derivatives at once; at most 64"));
  const MultiIndex t = orders({1, 0}), x = orders({0, 1}), xx = orders({0, 2});
  const JetSpec heat = closure(2, {t, xx});
  const auto collapse = [&](std::vector<JetTerm> terms) { return message([&] { heat.collapse(terms); }); };
  EXPECT_THAT(collapse({{xx, 1}}), testing::HasSubstr("at least two"));
  EXPECT_THAT(collapse({{xx, 1}, {x, 1}}), testing::HasSubstr("only maximal derivatives"));
  EXPECT_THAT(collapse({{xx, 1}, {orders({2, 0}), 1}}), testing::HasSubstr("only maximal derivatives"));
  EXPECT_THAT(collapse({{xx, 1}, {MultiIndex{}, 1}}), testing::HasSubstr("only maximal derivatives"));
}

}  // namespace
}  // namespace sobolev
