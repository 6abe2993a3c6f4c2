// SPDX-License-Identifier: Apache-2.0
#include "sobolev/problem/problem.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>
#include <cstdlib>
#include <ctime>

#include "tests/io/mutate.hpp"
#include "tests/io/temporary_folder.hpp"
#include "tests/problem/bad_problems.hpp"

namespace sobolev {
namespace {
using testing::good_problem;
using ::testing::HasSubstr;
using testing::message_of;
using ::testing::Pair;
using testing::TemporaryFolder;
using ::testing::UnorderedElementsAre;
using testing::write_text;

/// A file that uses every key.
const std::string full_problem = R"toml(# A comment
title = "Wave — all keys"
unknowns = ["u", "v"]

[coordinates]
t = [0, "2*pi"]
x = { range = ["-L", "L"], periodic = true }
y = [-1, 1]

[constants]
c = 2
L = "c*sqrt(4)"
half = "L/8"

[equations]
second = "v_t - c^2*u_xx = d(u, y, y)"
first = "u_t - v"

[conditions]
initial = { where = "t = 0", equation = "u = sin(pi*x/L)" }
edge = { where = "t = pi, y = min(-half*2, 0)", equation = "u_y = 0", weight = "1/c" }

[network]
kind = "mlp"
depth = 3
width = 1e1
activation = "swish"
periodic_modes = 5
normalize = false
hard_initial = false
first_layer_scale = 3
output = { u = "t*u + v", v = "v" }
features = ["tanh(y/0.05)", "x*y"]
symmetry = { y = "odd", x = "even" }

[training]
precision = "float32"
seed = 7
points = { latin_hypercube = 5000, condition_points = 99, resample_every = 10, adapt_every = 0, dense = [{ y = 0.0, width = "half/10", fraction = 0.3 }] }
causal = { slices = 12, epsilon = [1, 10], stop_above = 0.9 }
windows = 4
stop = { seconds = 60, loss = 1e-12, iterations = 1e4, relative_l2 = 1e-6 }

[[training.phase]]
optimizer = "adam"
iterations = 1000
learning_rate = 2e-3
decay = { factor = 0.8, every = 100 }

[[training.phase]]
seconds = 2.5
geodesic = false
stall = { factor = 0.9, iterations = 7 }

[reference]
grid = { t = 11, x = 20, y = 3 }
exact = { u = "sin(t)*x", v = "cos(t)*x" }
)toml";

void expect_full(const Problem& p) {
  EXPECT_EQ(p.title, "Wave — all keys");
  EXPECT_THAT(p.unknowns, ::testing::ElementsAre("u", "v"));
  ASSERT_EQ(p.coordinates.size(), 3u);
  EXPECT_EQ(p.coordinates[0].name, "t");
  EXPECT_DOUBLE_EQ(p.coordinates[0].high, 2 * std::acos(-1.0));
  EXPECT_EQ(p.coordinates[1].name, "x");
  EXPECT_EQ(p.coordinates[1].low, -4);
  EXPECT_TRUE(p.coordinates[1].periodic);
  EXPECT_FALSE(p.coordinates[2].periodic);
  EXPECT_THAT(p.constants, UnorderedElementsAre(Pair("c", 2), Pair("L", 4), Pair("half", 0.5)));
  const Expr u = unknown("u"), v = unknown("v"), t = coordinate("t"), x = coordinate("x"),
             y = coordinate("y");
  ASSERT_EQ(p.equations.size(), 2u);
  EXPECT_EQ(p.equations[0].name, "second");
  EXPECT_EQ(p.equations[0].residual, d(v, t) - Expr(4.0) * d(u, x, x) - d(u, y, y));
  EXPECT_EQ(p.equations[1].name, "first");
  EXPECT_EQ(p.equations[1].residual, d(u, t) - v);
  ASSERT_EQ(p.conditions.size(), 2u);
  EXPECT_EQ(p.conditions[0].name, "initial");
  EXPECT_FALSE(p.conditions[0].weight);
  EXPECT_EQ(p.conditions[1].where,
            (std::vector<std::pair<std::string, double>>{{"t", std::acos(-1.0)}, {"y", -1}}));
  EXPECT_EQ(p.conditions[1].left, d(u, y));
  EXPECT_EQ(p.conditions[1].right, Expr(0.0));
  EXPECT_EQ(p.conditions[1].weight, 0.5);
  const NetworkOptions& n = p.network;
  EXPECT_EQ(n.depth, 3);
  EXPECT_EQ(n.width, 10);
  EXPECT_EQ(n.activation, Activation::swish);
  EXPECT_EQ(n.periodic_modes, 5);
  EXPECT_FALSE(n.normalize);
  EXPECT_EQ(n.hard_initial, false);
  EXPECT_EQ(n.first_layer_scale, 3);
  EXPECT_EQ(n.output.at("u"), t * u + v);
  ASSERT_EQ(n.features.size(), 2u);
  EXPECT_EQ(n.features[1], x * y);
  EXPECT_THAT(n.symmetry, UnorderedElementsAre(Pair("x", 1), Pair("y", -1)));
  const TrainingOptions& r = p.training;
  EXPECT_EQ(r.precision, Precision::float32);
  EXPECT_EQ(r.seed, 7u);
  EXPECT_EQ(r.points.sampling, Sampling::latin_hypercube);
  EXPECT_EQ(r.points.count, 5000);
  EXPECT_EQ(r.points.condition_count, 99);
  EXPECT_EQ(r.points.resample_every, 10);
  EXPECT_EQ(r.points.adapt_every, 0);
  ASSERT_EQ(r.points.dense.size(), 1u);
  EXPECT_EQ(r.points.dense[0].coordinate, "y");
  EXPECT_EQ(r.points.dense[0].width, 0.05);
  EXPECT_EQ(r.points.dense[0].fraction, 0.3);
  EXPECT_EQ(r.causal.slices, 12);
  EXPECT_EQ(r.causal.epsilon, (std::vector<double>{1, 10}));
  EXPECT_EQ(r.causal.stop_above, 0.9);
  EXPECT_EQ(r.windows, 4);
  EXPECT_EQ(r.stop.seconds, 60);
  EXPECT_EQ(r.stop.loss, 1e-12);
  EXPECT_EQ(r.stop.iterations, 10000);
  EXPECT_EQ(r.stop.relative_l2, 1e-6);
  ASSERT_EQ(r.phases.size(), 2u);
  EXPECT_EQ(r.phases[0].optimizer, OptimizerKind::adam);
  EXPECT_EQ(r.phases[0].iterations, 1000);
  EXPECT_EQ(r.phases[0].learning_rate, 2e-3);
  EXPECT_EQ(r.phases[0].decay_factor, 0.8);
  EXPECT_EQ(r.phases[0].decay_every, 100);
  EXPECT_EQ(r.phases[1].optimizer, OptimizerKind::levenberg_marquardt);
  EXPECT_EQ(r.phases[1].seconds, 2.5);
  EXPECT_FALSE(r.phases[1].geodesic);
  EXPECT_EQ(r.phases[1].stall_factor, 0.9);
  EXPECT_EQ(r.phases[1].stall_iterations, 7);
  EXPECT_THAT(p.reference.grid, UnorderedElementsAre(Pair("t", 11), Pair("x", 20), Pair("y", 3)));
  EXPECT_EQ(p.reference.exact.at("u"), sin(t) * x);
  EXPECT_TRUE(p.reference.given());
  EXPECT_EQ(p.time(), 0);
}

TEST(Problem, ReadsEveryKey) {
  const Problem problem = Problem::from_string(full_problem, "folder/wave.toml");
  expect_full(problem);
  EXPECT_EQ(problem.name, "wave");
  EXPECT_EQ(problem.source, full_problem);
}

TEST(Problem, TheSmallestFileHasDefaults) {
  const Problem p = Problem::from_string(
      "unknowns = [\"u\"]\n[coordinates]\nx = [0, 1]\n[equations]\na = \"u_xx = 1\"\n"
      "[conditions]\nb = { where = \"x = 0\", equation = \"u = 0\" }\n");
  EXPECT_EQ(p.network.width, 0);
  EXPECT_EQ(p.training.points.sampling, Sampling::automatic);
  EXPECT_TRUE(p.training.phases.empty());
  EXPECT_FALSE(p.reference.given());
  EXPECT_EQ(p.time(), -1);
  EXPECT_EQ(p.name, "<text>");
}

TEST(Problem, OverridesBecomePartOfTheSource) {
  const Problem p = Problem::from_string(
      full_problem, "wave.toml",
      {"training.points.sobol=64", "training.precision=float64", "constants.c=1+1",
       "equations.third=u_xx - v", "training.phase.1.seconds=9", "reference.file=/data/u.npz",
       "title=\"A \\\"b\\\"\\n\\u0001é\"", "training.causal.epsilon=[2.5]"});
  EXPECT_EQ(p.training.points.sampling, Sampling::sobol);
  EXPECT_EQ(p.training.points.count, 64);
  EXPECT_EQ(p.training.points.condition_count, 99) << "the other keys stay";
  EXPECT_EQ(p.training.precision, Precision::float64);
  EXPECT_EQ(p.training.phases[1].seconds, 9);
  EXPECT_TRUE(p.reference.exact.empty());
  EXPECT_EQ(p.reference.file, "/data/u.npz");
  EXPECT_EQ(p.title, "A \"b\"\n\x01é");
  const Problem again = Problem::from_string(p.source, "wave.toml");
  EXPECT_EQ(again.source, p.source);
  EXPECT_EQ(again.title, p.title);
  EXPECT_EQ(again.training.causal.epsilon, std::vector<double>{2.5});
  EXPECT_EQ(again.training.phases[0].learning_rate, 2e-3);
  ASSERT_EQ(again.equations.size(), p.equations.size());
  for (std::size_t i = 0; i < p.equations.size(); ++i) {
    EXPECT_EQ(again.equations[i].name, p.equations[i].name) << "the order stays";
    EXPECT_EQ(again.equations[i].residual, p.equations[i].residual);
  }
}

TEST(Problem, WrittenSourceMeansTheSame) {
  const Problem p = Problem::from_string(full_problem, "wave.toml", {"training.seed=7"});
  EXPECT_NE(p.source, full_problem);
  expect_full(p);
  expect_full(Problem::from_string(p.source, "wave.toml"));
}

TEST(Problem, OverrideErrorsNameTheOption) {
  const auto message = [](const std::string& assignment) {
    return message_of<ParseError>([&] { Problem::from_string(good_problem, "heat.toml", {assignment}); });
  };
  for (const char* assignment :
       {"training.windows=-2", "training.windws=2", "training.windows=many", "width", "=3", "a..b=1",
        "training.windows.deep=1", "network.features=[1", "equations.heat=u_t - u_zz",
        "training.phase.0.iterations=3", "coordinates.x=[1, 0]", "title=\"a\"\nseed=1"})
    EXPECT_THAT(message(assignment), ::testing::StartsWith(std::string("--set ") + assignment + ": "))
        << assignment;
  EXPECT_THAT(message("training.windws=2"), HasSubstr("did you mean windows?"));
  EXPECT_THAT(message("training.windows=many"),
              HasSubstr("training.windows is \"many\"; use a whole number, a list of ends, or \"auto\""));
  const std::string phases = good_problem + "[[training.phase]]\n[[training.phase]]\n";
  EXPECT_THAT(
      message_of<ParseError>([&] { Problem::from_string(phases, "a", {"training.phase.2.iterations=3"}); }),
      HasSubstr("training.phase is a list of 2; give an index from 0 to 1"));
}

TEST(Problem, EveryMistakePointsAtItsPlace) {
  Problem::from_string(good_problem, "heat.toml");
  for (const testing::BadProblem& bad : testing::bad_problems) {
    SCOPED_TRACE(bad.name);
    const testing::MarkedText marked = testing::text_of(bad);
    try {
      Problem::from_string(marked.text, "heat.toml");
      ADD_FAILURE() << "no error";
    } catch (const ParseError& error) {
      EXPECT_EQ(error.position().file, "heat.toml");
      EXPECT_EQ(error.position().line, marked.line) << error.what();
      EXPECT_EQ(error.position().column, marked.column) << error.what();
      EXPECT_THAT(error.what(), HasSubstr(bad.message));
    }
  }
}

TEST(Problem, ReadsEndsOfWindows) {
  const std::string evolving =
      "unknowns = [\"u\"]\n[coordinates]\nt = [0, 2]\n[equations]\na = \"u_t = -u\"\n[conditions]\n"
      "start = { where = \"t = 0\", equation = \"u = 1\" }\n[training]\n";
  const auto read = [&](const std::string& more) { return Problem::from_string(evolving + more + "\n"); };
  EXPECT_EQ(read("windows = [0.5, \"3/2\", 2]").training.window_ends, (std::vector<double>{0.5, 1.5, 2}));
  EXPECT_EQ(read("windows = [0.5, 1, 2]").training.windows, 3);
  EXPECT_EQ(read("windows = \"auto\"").training.windows, automatic_windows);
  EXPECT_EQ(read("seed = 1").training.windows, 0);
  const auto message = [&](const std::string& more) { return message_of<ParseError>([&] { read(more); }); };
  EXPECT_THAT(message("windows = [0.5, 0.4, 2]"), HasSubstr("windows end at 0.4 after 0.5"));
  EXPECT_THAT(message("windows = [0.5, 1]"), HasSubstr("the last window ends at 1, and t at 2"));
  EXPECT_THAT(message("windows = []"), HasSubstr("training.windows is empty"));
  EXPECT_THAT(message("windows = true"), HasSubstr("a whole number, a list of ends, or \"auto\""));
}

TEST(Problem, SaysWhyLengthsOfWindowsCannotBeChosen) {
  const std::string equations = "unknowns = [\"u\"]\n[coordinates]\nt = [0, 2]\n";
  const auto message = [&](const std::string& more) {
    return message_of<ParseError>(
        [&] { Problem::from_string(equations + more + "\n[training]\nwindows = \"auto\"\n"); });
  };
  const std::string first = "[equations]\na = \"u_t = -u\"\n", second = "[equations]\na = \"u_tt = -u\"\n",
                    start = "[conditions]\nstart = { where = \"t = 0\", equation = \"u = 1\" }\n",
                    end = "end = { where = \"t = 2\", equation = \"u = 1\" }\n";
  EXPECT_THAT(message(first + start + end), HasSubstr("the condition end holds at t = 2, after the start"));
  EXPECT_THAT(message(second + start), HasSubstr("order 2 in time in u, which needs as many conditions"));
  EXPECT_THAT(message("[equations]\na = \"u = t\"\n" + start), HasSubstr("derivatives of order 0 by t"));
  EXPECT_THAT(message(first + start + "[network]\noutput = { u = \"1 + t*u^2\" }"),
              HasSubstr("has not the form B + A*u"));
  EXPECT_THAT(message(first + start + "[[training.phase]]\noptimizer = \"adam\"\niterations = 5"),
              HasSubstr("first phase is not levenberg_marquardt"));
}

TEST(Problem, NeedsTimeForWindowsAndCausalWeights) {
  const std::string steady =
      "unknowns = [\"u\"]\n[coordinates]\nx = [0, 1]\n[equations]\na = \"u_xx = 1\"\n[network]\noutput = { u "
      "= \"x*u\" }\n";
  EXPECT_NO_THROW(Problem::from_string(steady));
  EXPECT_THAT(message_of<ParseError>([&] { Problem::from_string(steady + "[training]\nwindows = 2\n"); }),
              HasSubstr("no coordinate is named t"));
  EXPECT_THAT(
      message_of<ParseError>([&] { Problem::from_string(steady + "[training]\ncausal = { slices = 4 }\n"); }),
      HasSubstr("no coordinate is named t"));
  EXPECT_THAT(message_of<ParseError>(
                  [&] { Problem::from_string(steady + "[training]\nstop = { relative_l2 = 1e-3 }\n"); }),
              HasSubstr("needs a reference"));
}

TEST(Problem, WithoutConditionsTheOutputMustFixTheSolution) {
  const std::string text = "unknowns = [\"u\"]\n[coordinates]\nx = [0, 1]\n[equations]\na = \"u_xx = 1\"\n";
  EXPECT_THAT(message_of<ParseError>([&] { Problem::from_string(text, "f"); }),
              AllOf(HasSubstr("f:4:"), HasSubstr("there is no condition")));
  const std::string periodic =
      "unknowns = [\"u\"]\n[coordinates]\nx = { range = [0, 1], periodic = true }\n"
      "[equations]\na = \"u - u_xx = cos(2*pi*x)\"\n";
  EXPECT_NO_THROW(Problem::from_string(periodic)) << "a wholly periodic problem needs none";
}

TEST(Problem, APointMayBeFixedInAPeriodicProblem) {
  const std::string gauge =
      "unknowns = [\"u\"]\n[coordinates]\nx = { range = [0, 1], periodic = true }\n"
      "[equations]\na = \"u_xx = cos(2*pi*x)\"\n[conditions]\n"
      "gauge = { where = \"x = 0\", equation = \"u = 0\" }\n";
  EXPECT_NO_THROW(Problem::from_string(gauge));
}

TEST(Problem, FromFileKeepsTheReferenceFilesPlace) {
  const TemporaryFolder folder;
  const std::string text = good_problem.substr(0, good_problem.find("exact")) + "file = \"data/u.npz\"\n";
  write_text(folder / "heat.toml", text);
  const Problem p = Problem::from_file(folder / "heat.toml");
  EXPECT_EQ(p.reference.file, folder / "data/u.npz");
  EXPECT_EQ(Problem::from_string(p.source, "elsewhere/heat.toml").reference.file, folder / "data/u.npz");
  EXPECT_EQ(Problem::from_file(folder / "heat.toml", {"reference.file=v.npz"}).reference.file,
            std::filesystem::current_path() / "v.npz");
}

TEST(Problem, UnreadableFilesAreFileErrors) {
  const TemporaryFolder folder;
  EXPECT_THAT(message_of<FileError>([&] { Problem::from_file(folder / "none.toml"); }),
              AllOf(HasSubstr("none.toml"), HasSubstr("No such file")));
  EXPECT_THAT(message_of<FileError>([&] { Problem::from_file(folder.path()); }), HasSubstr("is a folder"));
  EXPECT_THAT(message_of<ParseError>([&] { Problem::from_file("/dev/zero"); }), HasSubstr("at most"));
  write_text(folder / "binary.toml", std::string("unknowns = [\"u\"]\0", 17));
  EXPECT_THAT(message_of<ParseError>([&] { Problem::from_file(folder / "binary.toml"); }),
              AllOf(HasSubstr("binary.toml:1:17: "), HasSubstr("byte 16 of the file is zero")));
}

TEST(Problem, AssembledInCppIsCheckedToo) {
  const Expr u = unknown("u"), t = coordinate("t"), x = coordinate("x");
  const auto heat = [&] {
    Problem p;
    p.title = "heat";
    p.unknowns = {"u"};
    p.add_coordinate("t", 0, 1).add_coordinate("x", -1, 1, true).add_equation("heat", d(u, t) - d(u, x, x));
    p.add_condition("initial", {{"t", 0}}, u - cos(Expr(std::acos(-1.0)) * x), 2.0);
    return p;
  };
  EXPECT_NO_THROW(heat().validate());
  const auto message = [&](auto change) {
    Problem p = heat();
    change(p);
    return message_of<ArgumentError>([&] { p.validate(); });
  };
  EXPECT_THAT(message([](Problem& p) { p.coordinates[0].high = 0; }),
              HasSubstr("the range [0, 0] of t is empty"));
  EXPECT_THAT(message([](Problem& p) { p.coordinates[0].high = NAN; }), HasSubstr("the range [0, nan] of t"));
  EXPECT_THAT(message([](Problem& p) { p.training.windows = -2; }), HasSubstr("training.windows is -2"));
  EXPECT_THAT(message([](Problem& p) { p.unknowns.push_back("v"); }), HasSubstr("unknown v"));
  EXPECT_THAT(message([&](Problem& p) { p.add_equation("other", unknown("w")); }),
              HasSubstr("w, which is not an unknown"));
  EXPECT_THAT(message([&](Problem& p) { p.add_equation("other", u * coordinate("z")); }),
              HasSubstr("z, which is not a coordinate"));
  EXPECT_THAT(message([&](Problem& p) { p.add_equation("heat", u); }),
              HasSubstr("two equations are named heat"));
  EXPECT_THAT(message([&](Problem& p) {
                p.add_condition("initial", {{"t", 0}}, u);
              }),
              HasSubstr("two conditions"));
  EXPECT_THAT(message([&](Problem& p) { p.add_condition("nowhere", {}, u); }),
              HasSubstr("fixes no coordinate"));
  EXPECT_THAT(message([&](Problem& p) {
                p.add_condition("far", {{"t", 7}}, u);
              }),
              HasSubstr("outside the range"));
  EXPECT_THAT(message([](Problem& p) { p.conditions.clear(); }), HasSubstr("no condition"));
  EXPECT_THAT(message([](Problem& p) { p.training.points.count = -1; }), HasSubstr("is -1"));
  EXPECT_THAT(message([](Problem& p) { p.network.symmetry["x"] = 2; }), HasSubstr("network.symmetry"));
  EXPECT_THAT(message([&](Problem& p) { p.network.output["u"] = abs(x) + t * u; }),
              AllOf(HasSubstr("network.output.u is differentiated to u_xx"), HasSubstr("delta function")));
}

TEST(Problem, LongAndStrangeOptionsAreRefusedShortly) {
  const auto message = [](const std::string& assignment) {
    return message_of<ParseError>([&] { Problem::from_string(good_problem, "f", {assignment}); });
  };
  std::string path = "a";
  for (int i = 0; i < 50000; ++i) path += ".a";
  EXPECT_THAT(message(path + "=1"), HasSubstr("a key of more than 16 parts"));
  EXPECT_LT(message(path + "=1").size(), 400u);
  EXPECT_THAT(message("title=\"W\xE4rme\""), AllOf(HasSubstr("--set title=\"W…: "), HasSubstr("UTF-8")));
  EXPECT_THAT(message("title=" + std::string(1, '\0')), HasSubstr("byte 6 is not text"));
}

TEST(Problem, SeedsAreExactUpToTheLargestDouble) {
  EXPECT_EQ(Problem::from_string(good_problem, "f", {"training.seed=1e15"}).training.seed, 1000000000000000u);
  EXPECT_EQ(Problem::from_string(good_problem, "f", {"training.seed=9223372036854775807"}).training.seed,
            9223372036854775807u);
}

// Linear in their number; a quadratic reader takes minutes for these.
TEST(Problem, ManyConstantsEquationsAndConditionsAreReadAtOnce) {
  std::string constants = "\n[constants]\n", equations, conditions;
  for (int i = 0; i < 40000; ++i) constants += fmt::format("c{} = \"{} + nu\"\n", i, i);
  std::string text = good_problem;
  text.insert(text.find("nu = 0.1\n") + 9, constants.substr(13));
  for (int i = 0; i < 5000; ++i) equations += fmt::format("e{} = \"u_t = {}*u\"\n", i, i);
  text.insert(text.find("\n[conditions]"), equations);
  for (int i = 0; i < 5000; ++i)
    conditions +=
        fmt::format("p{} = {{ where = \"t = {}, x = 0.5\", equation = \"u = {}\" }}\n", i, i / 5000.0, i);
  text.insert(text.find("\n[network]"), conditions);
  const std::clock_t start = std::clock();
  const Problem problem = Problem::from_string(text);
  EXPECT_LT(std::clock() - start, 30 * CLOCKS_PER_SEC);
  EXPECT_EQ(problem.constants.at("c39999"), 39999.1);
  EXPECT_EQ(problem.equations.size(), 5001u);
}

TEST(Problem, DerivativesOfAllEquationsMustFitTogether) {
  const std::string text =
      "unknowns = [\"u\"]\n[coordinates]\nt = [0, 1]\nx = [0, 1]\ny = [0, 1]\n[equations]\n"
      "a = \"u_ttttxxyy = 0\"\nb = \"u_ttxxxxyy = 0\"\nc = \"u_ttxxyyyy = 0\"\n"
      "[conditions]\ni = { where = \"x = 0\", equation = \"u = 0\" }\n";
  EXPECT_THAT(message_of<ParseError>([&] { Problem::from_string(text, "f"); }),
              AllOf(HasSubstr("f:6:1: "), HasSubstr("cannot be carried together")));
}

TEST(Problem, TheSpectralSolverIsRefusedAtThePlaceThatItDoesNotCover) {
  const std::string text =
      "unknowns = [\"u\"]\n[coordinates]\nt = [0, 1]\nx = { range = [0, 1], periodic = true }\n[equations]\n"
      "wave = \"u_tt = u_xx\"\n[conditions]\ni = { where = \"t = 0\", equation = \"u = 0\" }\n"
      "[reference]\nsolver = \"etdrk4\"\n";
  EXPECT_THAT(message_of<ParseError>([&] { Problem::from_string(text, "f"); }),
              AllOf(HasSubstr("f:6:1: etdrk4: "), HasSubstr("first order")));
  std::string first = text;
  first.replace(first.find("u_tt = u_xx"), 11, "u_t = u_xx").replace(first.find("u = 0"), 5, "u_x = 0");
  EXPECT_THAT(message_of<ParseError>([&] { Problem::from_string(first, "f"); }),
              AllOf(HasSubstr("f:10:10: etdrk4: "), HasSubstr("no initial value of u")));
}

TEST(Problem, DamagedFilesAreParseErrorsNotCrashes) {
  std::mt19937_64 random(3);
  int accepted = 0;
  for (int i = 0; i < 3000; ++i) {
    const std::string text =
        testing::mutate(i % 2 == 0 ? full_problem : good_problem, random, "=[]{}\"'.,#\n-+*/^()019eux_\\");
    try {
      Problem::from_string(text);
      ++accepted;
    } catch (const ParseError&) {
    }
  }
  EXPECT_GT(accepted, 0);
  EXPECT_LT(accepted, 2500);
}

TEST(Problem, DamagedOverridesAreParseErrors) {
  std::mt19937_64 random(4);
  for (int i = 0; i < 500; ++i) {
    const std::string assignment =
        testing::mutate("training.phase.0.decay={ factor = 0.9 }", random, "=[]{}\"'.,\n019\\");
    try {
      Problem::from_string(full_problem, "f", {assignment});
    } catch (const ParseError&) {
    }
  }
}

TEST(Zoo, EveryProblemReadsAndHasAName) {
  const auto problems = zoo();
  ASSERT_FALSE(problems.empty());
  for (const auto& [name, path] : problems) {
    const Problem problem = Problem::from_file(path);
    EXPECT_EQ(problem.name, name);
    EXPECT_FALSE(problem.title.empty()) << path;
    EXPECT_EQ(find_problem(name), path);
    EXPECT_EQ(find_problem(path.string()), path);
  }
}

TEST(Zoo, NamesWhatIsNear) {
  EXPECT_THAT(message_of<FileError>([] { find_problem("bugers"); }), HasSubstr("did you mean burgers?"));
  EXPECT_THAT(message_of<FileError>([] { find_problem("none/heat.toml"); }),
              HasSubstr("none/heat.toml: no such file"));
}

TEST(Zoo, AFolderOfOnesOwnComesFirst) {
  const TemporaryFolder folder;
  write_text(folder / "heat.toml", good_problem);
  ::setenv("SOBOLEV_PROBLEMS", folder.path().c_str(), 1);
  const auto own = find_problem("heat");
  ::setenv("SOBOLEV_PROBLEMS", (folder / "none").c_str(), 1);
  const std::string message = message_of<FileError>([] { zoo(); });
  ::unsetenv("SOBOLEV_PROBLEMS");
  EXPECT_EQ(own, folder / "heat.toml");
  EXPECT_THAT(message, HasSubstr("no such folder"));
  EXPECT_NE(find_problem("heat"), own);
}
}  // namespace
}  // namespace sobolev
