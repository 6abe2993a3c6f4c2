// SPDX-License-Identifier: Apache-2.0
// Feature jets against symbolic derivatives, evaluated one point at a time in double.
#include "sobolev/network/features.hpp"

#include <numbers>

#include "tests/support.hpp"

namespace sobolev {
namespace {
template <class B>
class FeatureJets : public test::OnBackEnd<B> {};
TYPED_TEST_SUITE(FeatureJets, test::BackEnds, test::BackEndNames);

MultiIndex index(int t, int x) {
  MultiIndex a;
  a.order[0] = std::uint8_t(t);
  a.order[1] = std::uint8_t(x);
  return a;
}

TYPED_TEST(FeatureJets, AreTheDerivativesOfTheFeatures) {
  using T = typename TypeParam::Scalar;
  const Expr t = coordinate("t"), x = coordinate("x");
  Features features({"t", "x"});
  features.linear(0, 2.0, -1.0).periodic(1, 3, 2.0).expression(tanh(x / Expr(0.5)) * t).linear(1, 1.0, 0.0);
  const double omega = std::numbers::pi;
  std::vector<Expr> expressions{Expr(2.0) * t - Expr(1.0)};
  for (int k = 1; k <= 3; ++k) {
    expressions.push_back(cos(Expr(k * omega) * x));
    expressions.push_back(sin(Expr(k * omega) * x));
  }
  expressions.push_back(tanh(x / Expr(0.5)) * t);
  expressions.push_back(x);
  ASSERT_EQ(features.inputs(), int(expressions.size()));

  const MultiIndex needed[] = {index(1, 0), index(0, 4), index(1, 1)};
  JetSpec spec = JetSpec::closure(2, needed);
  const JetTerm combination[] = {{index(0, 4), 0.5}, {index(1, 1), -2.0}};
  for (const JetSpec& s : {spec, spec.collapse(combination)})
    for (unsigned mirror : {0u, 2u})
      for (std::size_t n : {0, 1, 31, 65, 257}) {
        const std::size_t k = std::size_t(s.channels()), f = expressions.size();
        test::Guarded<TypeParam> points(n * 2, 3, 0.5), y(k * f * n, 4);
        feature_jets<T>(test::executor<typename TypeParam::Executor>(), features, s, points.cview(n, 2),
                        mirror, y.view(k, f, n));
        for (std::size_t j = 0; j < k; ++j)
          for (std::size_t i = 0; i < f; ++i) {
            Expr want = 0.0;
            for (const JetTerm& term : s.terms(int(j))) {
              Expr e = mirror ? substitute(expressions[i], {{x, -x}}) : expressions[i];
              for (int o = 0; o < term.alpha.order[0]; ++o) e = differentiate(e, "t");
              for (int o = 0; o < term.alpha.order[1]; ++o) e = differentiate(e, "x");
              want = want + Expr(term.coefficient / s.scale(int(j))) * e;
            }
            for (std::size_t p = 0; p < n; p += 5) {
              const double v = evaluate(want, {{t, double(points[2 * p])}, {x, double(points[2 * p + 1])}});
              test::expect_near<T>(y[(j * f + i) * n + p], v, 16 * std::pow(3 * omega, s.order()),
                                   "feature " + std::to_string(i));
            }
          }
      }
}

TEST(Features, RefuseWhatTheyCannotBe) {
  Features features({"t", "x"});
  EXPECT_THROW(features.linear(2, 1, 0), ArgumentError);
  EXPECT_THROW(features.periodic(0, 0, 1), ArgumentError);
  EXPECT_THROW(features.expression(unknown("u")), ArgumentError);
}
}  // namespace
}  // namespace sobolev
