// SPDX-License-Identifier: Apache-2.0
// Numbers that are found together with the solution.
#include <filesystem>

#include "sobolev/pinn/solve.hpp"
#include "src/pinn/window_model.hpp"
#include "tests/support.hpp"

namespace sobolev {
namespace {
/// u = exp(−0.3 π² t) sin(πx) solves u_t = k u_xx with k = 0.3, which its values at x = 0.5 tell.
std::string heat(double initial, const std::string& more) {
  return "unknowns = [\"u\"]\n[coordinates]\nt = [0, 1]\nx = [0, 1]\n[constants]\nk = { initial = " +
         std::to_string(initial) +
         " }\n[equations]\nheat = \"u_t = k*u_xx\"\n[conditions]\n"
         "initial = { where = \"t = 0\", equation = \"u = sin(pi*x)\" }\n"
         "left = { where = \"x = 0\", equation = \"u = 0\" }\nright = { where = \"x = 1\", equation = \"u = "
         "0\" }\n"
         "probe = { where = \"x = 0.5\", equation = \"u = exp(-0.3*pi^2*t)\" }\n" +
         more;
}
const std::string exact = "[reference]\nexact = { u = \"exp(-0.3*pi^2*t)*sin(pi*x)\" }\n";
const std::string small =
    "[network]\ndepth = 2\nwidth = 14\n[training]\npoints = { sobol = 400, condition_points = 60 }\n";

TEST(UnknownConstants, AreFoundWithTheSolution) {
  for (const double initial : {1.0, -0.02, 0.0}) {
    const Problem p = Problem::from_string(heat(initial, small + "stop.iterations = 60\n" + exact));
    const Solution s = solve(Cpu(2), p);
    EXPECT_NEAR(s.constants().at("k"), 0.3, 1e-5) << "from " << initial;
    EXPECT_LT(s.relative_l2().at("u"), 1e-4);
    // It has its value at every point, and no derivatives.
    const double x[] = {0.3, 0.7, 0.9, 0.1};
    const auto values =
        s.evaluate(Cpu(1), View<const double, 2>(x, 2, 2),
                   std::vector<std::string>{"k", "d(k*t, t)", "d(k, x)", "u_t - k*u_xx", "heat"});
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(values[0][i], s.constants().at("k"));
      EXPECT_EQ(values[1][i], values[0][i]);
      EXPECT_EQ(values[2][i], 0);
      EXPECT_NEAR(values[3][i], values[4][i], 1e-14);
    }
  }
}

TEST(UnknownConstants, SeveralOfThemInEquationsConditionsAndTheOutput) {
  // u'' + w u = 0, u(0) = a, u'(0) = 0 and data: u = 2 cos(3x).
  Problem p;
  p.unknowns = {"u"};
  const Expr x = coordinate("x"), u = unknown("u"), w = unknown_constant("w"), a = unknown_constant("a");
  p.add_coordinate("x", 0, 1).add_unknown_constant("w", 5).add_unknown_constant("a", 1);
  p.add_equation("oscillator", d(u, x, 2) + w * u);
  p.add_condition("slope", {{"x", 0}}, d(u, x));
  for (const double at : {0.25, 0.5, 1.0})
    p.add_condition("u" + std::to_string(at), {{"x", at}}, u - 2 * cos(Expr(3 * at)));
  p.network.output["u"] = a + x * u;
  p.network.depth = 2;
  p.network.width = 10;
  p.training.points = {Sampling::sobol, {}, 100, {}, {}, {}};
  p.training.stop.iterations = 100;
  const Solution s = solve(Cpu(2), p);
  EXPECT_NEAR(s.constants().at("w"), 9, 1e-4);
  EXPECT_NEAR(s.constants().at("a"), 2, 1e-4);

  const auto file = std::filesystem::temp_directory_path() / "sobolev_unknown_constants.safetensors";
  s.save(file);
  EXPECT_EQ(Solution::load(file).constants(), s.constants());
  std::filesystem::remove(file);
}

TEST(UnknownConstants, WhatCannotBeFoundIsRefused) {
  const auto message = [](const std::string& text) -> std::string {
    try {
      Problem::from_string(text).validate();
    } catch (const ArgumentError& error) {
      return error.what();
    } catch (const ParseError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(message(heat(1, "")), "");
  EXPECT_NE(message(heat(1, "[training]\nwindows = 2\n")).find("the constant k is to be found"),
            std::string::npos);
  EXPECT_NE(message(heat(1, "[network]\nsymmetry = { x = \"odd\" }\n")).find("odd in x"), std::string::npos);
  EXPECT_NE(message(heat(1, "[network]\nfeatures = [\"k*x\"]\n")), "");
  EXPECT_NE(message(heat(1, "[reference]\nexact = { u = \"k*x\" }\n")), "");
  EXPECT_NE(message(heat(1, "[reference]\nsolver = \"etdrk4\"\n")), "");
  Problem unknown_to_it = Problem::from_string(heat(1, ""));
  unknown_to_it.add_equation("more", unknown_constant("q") * unknown("u"));
  EXPECT_THROW(unknown_to_it.validate(), Error);
}

template <class B>
class UnknownConstantsOn : public test::OnBackEnd<B> {};
TYPED_TEST_SUITE(UnknownConstantsOn, test::DoubleBackEnds, test::BackEndNames);

TYPED_TEST(UnknownConstantsOn, AreAColumnOfTheJacobian) {
  using E = typename TypeParam::Executor;
  const E& on = test::executor<E>();
  const Problem p =
      Problem::from_string(heat(0.7, "[network]\ndepth = 1\nwidth = 6\nhard_initial = false\n"));
  const detail::WindowModel model(p, 0);
  const Network network = model.network();
  ResidualObjective<double, E> objective(on, network, model.features());
  objective.add_group(model.compile("heat", {p.equations[0].residual, p.conditions[3].left}).group);
  const std::size_t n = 40, size = network.parameters(), at = size - 1;
  test::Guarded<double> x(2 * n, 1, 0.3), theta(size, 2, 0.5);
  objective.set_points(0, View<const double, 2>(x.cview(2 * n).data(), n, 2));
  theta[at] = 1.3;  // k = 0.7 · 1.3
  const auto residuals = [&](double change) {
    test::Guarded<TypeParam> moved(size), r(2 * n);
    for (std::size_t i = 0; i < size; ++i) moved[i] = theta[i];
    moved[at] += change;
    objective.residuals(0, moved.cview(size), r.view(2, n));
    std::vector<double> values;
    for (std::size_t i = 0; i < 2 * n; ++i) values.push_back(r[i]);
    return values;
  };
  const double h = 1e-5;
  const std::vector<double> here = residuals(0), above = residuals(h), below = residuals(-h);
  test::Guarded<TypeParam> given(size), matrix(size * size), gradient(size);
  for (std::size_t i = 0; i < size; ++i) given[i] = theta[i];
  objective.normal_equations(given.cview(size), matrix.view(size, size), gradient.view(size));
  double square = 0, product = 0;
  for (std::size_t i = 0; i < 2 * n; ++i) {
    const double slope = (above[i] - below[i]) / (2 * h);
    square += slope * slope;
    product += slope * here[i];
  }
  EXPECT_GT(square, 1e-3);
  EXPECT_NEAR(matrix[at * size + at], square, 1e-6 * square);
  EXPECT_NEAR(gradient[at], product, 1e-6 * (std::abs(product) + square));
}

#if SOBOLEV_HAS_CUDA
TEST(UnknownConstantsCuda, AreThoseOfTheCpu) {
  if (Cuda::count() == 0) GTEST_SKIP() << "no CUDA device";
  for (const char* optimizer : {"levenberg_marquardt", "adam"}) {
    const Problem p = Problem::from_string(
        heat(1,
             "[network]\ndepth = 1\nwidth = 8\n[training]\npoints = { sobol = 60, condition_points = 10 }\n"
             "stop.iterations = 4\nphase = [{ optimizer = \"" +
                 std::string(optimizer) + "\" }]\n"));
    const double want = solve(Cpu(2), p).constants().at("k");
    EXPECT_NE(want, 1);
    EXPECT_NEAR(solve(Cuda(0), p).constants().at("k"), want, 1e-8 * std::abs(want)) << optimizer;
  }
}
#endif
}  // namespace
}  // namespace sobolev
