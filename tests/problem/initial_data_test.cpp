// SPDX-License-Identifier: Apache-2.0
// Which initial data is built into the output by itself, and what is said of data that does not agree.
#include "src/problem/initial_data.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "src/problem/data_corners.hpp"
#include "src/problem/defaults.hpp"
#include "tests/io/temporary_folder.hpp"

namespace sobolev {
namespace {
using detail::initial_data;
using detail::problem_notes;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::message_of;

/// u_t = u_xx (or another equation) on [0, 1]^2 with the initial data, values at the ends and network keys.
std::string text_of(const std::string& start, const std::string& network = "",
                    const std::string& equation = "u_t = u_xx", const std::string& boundary = "") {
  return fmt::format(
      "unknowns = [\"u\"]\n[coordinates]\nt = [0, 1]\nx = [0, 1]\n[equations]\nheat = \"{}\"\n[conditions]\n"
      "start = {{ where = \"t = 0\", equation = \"u = {}\" }}\n{}\n[network]\n{}\n",
      equation, start, boundary, network);
}
Problem problem_of(const std::string& start, const std::string& network = "",
                   const std::string& equation = "u_t = u_xx", const std::string& boundary = "") {
  return Problem::from_string(text_of(start, network, equation, boundary), "f");
}
Problem periodic(const std::string& start) {
  std::string text = text_of(start);
  text.replace(text.find("x = [0, 1]"), 10, "x = { range = [-1, 1], periodic = true }");
  return Problem::from_string(text, "f");
}

TEST(InitialData, IsBuiltInWhereItIsSmooth) {
  for (const char* start : {"sin(pi*x)", "x^2", "abs(x)", "max(x, -1)", "heaviside(x + 1)", "abs(x - 0.5)^3",
                            "exp(-100*(x - 0.5)^2)"}) {
    const Problem problem = problem_of(start);
    EXPECT_TRUE(initial_data(problem, "u").built_in) << start;
    EXPECT_THAT(problem_notes(problem), IsEmpty()) << start;
  }
}

TEST(InitialData, IsNotBuiltInWhereItJumpsOrHasACorner) {
  for (const auto& [start, reason] : std::vector<std::pair<const char*, const char*>>{
           {"heaviside(0.3 - x)", "its value jumps inside the domain (heaviside(0.3 - x) jumps at x = 0.3)"},
           {"2 + sign(x - 0.7)", "its value jumps"},
           {"abs(x - 0.5)", "its slope jumps"},
           {"min(x, 1 - x)", "its slope jumps"},
           {"max(0, 1 - 4*abs(x - 0.5))", "its slope jumps"}}) {
    const Problem problem = problem_of(start);
    EXPECT_FALSE(initial_data(problem, "u").built_in) << start;
    EXPECT_THAT(problem_notes(problem),
                ElementsAre(AllOf(HasSubstr("is not built into the output"), HasSubstr(reason))));
  }
}

TEST(InitialData, MustBeAsSmoothAsTheEquationNeeds) {
  EXPECT_TRUE(initial_data(problem_of("abs(x - 0.5)^3"), "u").built_in);
  const Problem beam = problem_of("abs(x - 0.5)^3", "", "u_t = -u_xxxx");
  EXPECT_FALSE(initial_data(beam, "u").built_in);
  EXPECT_THAT(problem_notes(beam), ElementsAre(HasSubstr("its derivative of order 3 jumps")));
}

TEST(InitialData, OfAPeriodicCoordinateMustCloseSmoothly) {
  EXPECT_TRUE(initial_data(periodic("cos(pi*x)"), "u").built_in);
  EXPECT_TRUE(initial_data(periodic("exp(-50*x^2)"), "u").built_in);
  EXPECT_THAT(problem_notes(periodic("x^2*cos(pi*x)")),
              ElementsAre(HasSubstr("its slope differs at the two ends of x, which is periodic")));
  EXPECT_THAT(problem_notes(periodic("x")), ElementsAre(HasSubstr("its value differs at the two ends of x")));
}

TEST(InitialData, TheFileHasTheLastWord) {
  const Problem kept = problem_of("min(x, 1 - x)", "hard_initial = true", "u_t + u_x = 0");
  EXPECT_TRUE(initial_data(kept, "u").built_in);
  EXPECT_THAT(problem_notes(kept), ElementsAre(AllOf(HasSubstr("as network.hard_initial = true says"),
                                                     HasSubstr("its slope jumps"))));
  const Problem soft = problem_of("min(x, 1 - x)", "hard_initial = false");
  EXPECT_FALSE(initial_data(soft, "u").built_in);
  EXPECT_THAT(problem_notes(soft), IsEmpty());
  EXPECT_FALSE(initial_data(problem_of("sin(pi*x)", "hard_initial = false"), "u").built_in);
}

TEST(InitialData, BuiltInMustNotLoseADelta) {
  EXPECT_THAT(message_of<ParseError>([] { problem_of("min(x, 1 - x)", "hard_initial = true"); }),
              AllOf(HasSubstr("f:11:16: network.hard_initial is differentiated to u_xx in equation heat"),
                    HasSubstr("delta function")));
}

TEST(InitialData, ThatDisagreesWithABoundaryIsSaidAndNotBuiltIn) {
  const std::string ends =
      "left = { where = \"x = 0\", equation = \"2*u - 140 = 0\" }\n"
      "right = { where = \"x = 1\", equation = \"u = 50 + 0*t\" }\n";
  const Problem rod = problem_of("50", "", "u_t = u_xx", ends);
  EXPECT_FALSE(initial_data(rod, "u").built_in);
  EXPECT_THAT(problem_notes(rod),
              ElementsAre(AllOf(HasSubstr("start and left disagree at t = 0, x = 0"), HasSubstr("u is 50"),
                                HasSubstr("and 70 by the other")),
                          HasSubstr("because it disagrees with the condition left at t = 0, x = 0")));
  EXPECT_TRUE(initial_data(problem_of("50", "hard_initial = true", "u_t = u_xx", ends), "u").built_in);
}

TEST(InitialData, ASlightDisagreementIsOnlySaid) {
  const Problem p =
      problem_of("cos(x)", "", "u_t = u_xx", "left = { where = \"x = 0\", equation = \"u = 1.0001\" }\n");
  EXPECT_TRUE(initial_data(p, "u").built_in);
  EXPECT_THAT(problem_notes(p), ElementsAre(HasSubstr("start and left disagree at t = 0, x = 0")));
}

TEST(DataCorners, AreFoundBetweenAnyConditionsThatMeet) {
  const std::string text =
      "unknowns = [\"u\", \"v\"]\n[coordinates]\nx = [0, 1]\ny = [0, 1]\n[equations]\na = \"u_xx + u_yy = "
      "v\"\n"
      "b = \"v_xx = u\"\n[conditions]\n"
      "left = { where = \"x = 0\", equation = \"u = 0\" }\n"
      "slope = { where = \"x = 1\", equation = \"u_x = 3\" }\n"
      "other = { where = \"x = 1\", equation = \"v = 5\" }\n"
      "bottom = { where = \"y = 0\", equation = \"u = sin(pi*x)\" }\n"
      "lid = { where = \"y = 1\", equation = \"u = 1\" }\n"
      "point = { where = \"x = 0.25, y = 1\", equation = \"u = 2\" }\n"
      "inside = { where = \"x = 0.25, y = 0.5\", equation = \"u = 7\" }\n";
  const Problem problem = Problem::from_string(text, "f");
  const auto corners = detail::data_corners(problem, "u");
  ASSERT_EQ(corners.size(), 2u);
  EXPECT_EQ(corners[0].first->name + corners[0].second->name, "leftlid");
  EXPECT_EQ(corners[0].place, "x = 0, y = 1");
  EXPECT_EQ(corners[1].first->name + corners[1].second->name, "lidpoint");
  EXPECT_EQ(corners[1].second_value, 2);
  EXPECT_THAT(detail::data_corners(problem, "v"), IsEmpty());
}

TEST(InitialData, TheProblemsOfTheZooKeepTheirs) {
  for (const auto& [name, path] : zoo()) {
    const Problem problem = Problem::from_file(path);
    if (name.starts_with("gaussian_diffusion"))  // as published: bumps that do not vanish on the boundary
      EXPECT_THAT(problem_notes(problem), Contains(HasSubstr("the conditions initial and left disagree")));
    else if (name == "layered_medium")
      EXPECT_THAT(problem_notes(problem), ElementsAre(HasSubstr("the domain is cut at y = -0.2, 0.2")));
    else
      EXPECT_THAT(problem_notes(problem), IsEmpty()) << name;
  }
}
}  // namespace
}  // namespace sobolev
