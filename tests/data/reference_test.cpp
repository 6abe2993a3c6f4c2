// SPDX-License-Identifier: Apache-2.0
#include "sobolev/data/reference.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "sobolev/core/error.hpp"
#include "sobolev/io/npy.hpp"
#include "tests/data/problems.hpp"

namespace sobolev {
namespace {

using sobolev::testing::evolution;
using ::testing::AllOf;
using ::testing::HasSubstr;

Problem heat(const std::string& exact) {
  auto p = evolution({{"t", 0, 1, false}, {"x", 0, 2, true}}, {"u_t = 0.1*u_xx"}, {{"u", "cos(pi*x)"}});
  if (!exact.empty()) p.reference.exact["u"] = parse_expression(exact, {{"t", "x"}, {"u"}, {}});
  p.reference.grid = {{"t", 5}, {"x", 8}};
  return p;
}

std::string refusal(const Problem& p) {
  try {
    make_reference(Cpu(), p);
  } catch (const ArgumentError& e) {
    return e.what();
  } catch (const FileError& e) {
    return std::string("file: ") + e.what();
  }
  return "no error";
}

TEST(Reference, EvaluatesExactExpressionsOnTheGrid) {
  const auto r = make_reference(Cpu(), heat("exp(-0.1*pi^2*t)*cos(pi*x)"));
  EXPECT_EQ(r.source, "exact");
  EXPECT_EQ(r.error_bound, 0);
  ASSERT_EQ(r.axes[0], (std::vector<double>{0, 0.25, 0.5, 0.75, 1}));  // an ordinary coordinate: both ends
  ASSERT_EQ(r.axes[1].size(), 8u);  // a periodic one: without the upper end
  EXPECT_EQ(r.axes[1].back(), 1.75);
  for (std::size_t i = 0; i < 5; ++i)
    for (std::size_t j = 0; j < 8; ++j)
      EXPECT_NEAR(r.values.at("u")[i * 8 + j],
                  std::exp(-0.1 * M_PI * M_PI * r.axes[0][i]) * std::cos(M_PI * r.axes[1][j]), 1e-15);
}

TEST(Reference, UnknownsMayBeLeftOutOfExact) {
  auto p = heat("x*t");
  p.unknowns = {"v", "u"};
  const auto r = make_reference(Cpu(), p);
  EXPECT_EQ(r.values.size(), 1u);
  EXPECT_EQ(r.values.at("u").back(), 1.75);
}

TEST(Reference, SolverAndExactExpressionAgree) {
  auto p = heat("");
  p.reference.solver = "etdrk4";
  const auto solved = make_reference(Cpu(), p),
             exact = make_reference(Cpu(), heat("exp(-0.1*pi^2*t)*cos(pi*x)"));
  for (std::size_t i = 0; i < 40; ++i) EXPECT_NEAR(solved.values.at("u")[i], exact.values.at("u")[i], 1e-13);
  EXPECT_THAT(solved.source, HasSubstr("etdrk4"));
}

TEST(Reference, DefaultGridIsAffordableInEveryDimension) {
  auto p = heat("cos(pi*x)");
  p.reference.grid.clear();
  const auto r = make_reference(Cpu(), p);
  EXPECT_EQ(r.axes[0].size(), 101u);
  EXPECT_EQ(r.axes[1].size(), 128u);
  p.coordinates.push_back({"y", 0, 1, false});
  p.coordinates.push_back({"z", 0, 1, false});
  p.coordinates.push_back({"w", 0, 1, false});
  EXPECT_LE(make_reference(Cpu(), p).values.at("u").size(), 1u << 21);
}

TEST(Reference, ReadsAFile) {
  const auto path = std::filesystem::temp_directory_path() / "sobolev_reference_test.npz";
  const std::vector<double> values{1, 2, 3, 4, 5, 6};
  write_npz(path, {{"t", {{2}, {0, 1}}}, {"x", {{3}, {0, 0.5, 1.25}}}, {"u", {{2, 3}, values}}});
  auto p = heat("");
  p.reference.file = path;
  const auto r = make_reference(Cpu(), p);
  EXPECT_EQ(r.axes[1], (std::vector<double>{0, 0.5, 1.25}));
  EXPECT_EQ(r.values.at("u"), values);
  EXPECT_THAT(r.source, HasSubstr("sobolev_reference_test.npz"));

  write_npz(path, {{"t", {{2}, {0, 1}}}, {"u", {{2, 3}, values}}});
  EXPECT_THAT(refusal(p), AllOf(HasSubstr("no array x"), HasSubstr("t, u")));
  write_npz(path, {{"t", {{2}, {0, 1}}}, {"x", {{3}, {0, 1, 2}}}, {"u", {{3, 2}, values}}});
  EXPECT_THAT(refusal(p), AllOf(HasSubstr("[3, 2]"), HasSubstr("[2, 3]")));
  write_npz(path, {{"t", {{2}, {0, 1}}}, {"x", {{3}, {0, 1, 2.5}}}, {"u", {{2, 3}, values}}});
  EXPECT_THAT(refusal(p), HasSubstr("x[2] = 2.5"));
  write_npz(path, {{"t", {{2}, {1, 0}}}, {"x", {{3}, {0, 1, 2}}}, {"u", {{2, 3}, values}}});
  EXPECT_THAT(refusal(p), HasSubstr("ascend"));
  write_npz(path, {{"t", {{2}, {0, 1}}}, {"x", {{3}, {0, 1, 2}}}, {"u", {{2, 3}, {1, 2, 3, 4, NAN, 6}}}});
  EXPECT_THAT(refusal(p), HasSubstr("contains nan"));
  std::filesystem::remove(path);
  EXPECT_THAT(refusal(p), HasSubstr("file: "));
}

TEST(Reference, SaysWhatIsMissing) {
  EXPECT_THAT(refusal(heat("")), HasSubstr("gives none"));
  EXPECT_THAT(refusal(heat("u + x")), HasSubstr("contains an unknown"));
  EXPECT_THAT(refusal(heat("log(x - 1)")), AllOf(HasSubstr("finite"), HasSubstr("t = 0, x = 0")));
  auto p = heat("x");
  p.unknowns = {"v", "w"};
  EXPECT_THAT(refusal(p), HasSubstr("gives none of the unknowns v, w"));
  p = heat("");
  p.reference.solver = "spectral";
  EXPECT_THAT(refusal(p), HasSubstr("no solver \"spectral\""));
  p = heat("x");
  p.reference.grid["x"] = 0;
  EXPECT_THAT(refusal(p), HasSubstr("0 points in x"));
}

}  // namespace
}  // namespace sobolev
