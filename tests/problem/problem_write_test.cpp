// SPDX-License-Identifier: Apache-2.0
// Problem::to_toml: what is written is read as the same problem.
#include <gmock/gmock.h>

#include <cmath>
#include <numbers>

#include "sobolev/problem/problem.hpp"
#include "src/problem/defaults.hpp"
#include "src/problem/problem_checks.hpp"
#include "tests/io/temporary_folder.hpp"

namespace sobolev {
namespace {
using ::testing::HasSubstr;
using testing::message_of;

const Expr u = unknown("u"), v = unknown("v"), t = coordinate("t"), x = coordinate("x"),
           long_name = coordinate("depth");

/// Every option away from its default, and numbers that have no short decimal form.
Problem assembled() {
  Problem p;
  p.title = "A \"title\"\nwith \\ and é";
  p.unknowns = {"u", "v"};
  p.add_coordinate("t", -0.1, 1.0 / 3).add_coordinate("x", -std::numbers::pi, std::numbers::pi, true);
  p.add_coordinate("depth", -1e-7, 1e-7);
  p.constants = {{"nu", 0.1 + 0.2}, {"k", -1e-300}};
  p.add_equation("first", d(u, t) - (0.1 + 0.2) * d(u, x, 2) + pow(u, Expr(1.5)) * d(v, long_name, 2));
  p.add_equation("second", d(v, t, 2) - min(u, -v) / (1 + exp(-x)) + heaviside(x) - (-1e-300) * u);
  p.add_condition("start", {{"t", -0.1}}, u - erfc(sin(x)) + 2e-17);
  p.add_condition("corner", {{"t", -0.1}, {"depth", -1e-7}}, d(v, t) - cos(x), 1.0 / 7);
  p.conditions.push_back({"sides", {{"depth", 1e-7}}, u, -v, {}, {}});

  NetworkOptions& n = p.network;
  n.kind = NetworkKind(network_kinds.size() - 1);
  n.depth = 3;
  n.width = 17;
  n.activation = Activation::softplus;
  n.periodic_modes = 4;
  n.normalize = false;
  n.hard_initial = false;
  n.first_layer_scale = std::numbers::e;
  n.initialization = Initialization::siren;
  n.output_start = OutputStart::least_squares;
  n.weight_factorization = {1.0 / 3, 0.2};
  n.fourier = {12, {0.5, 1.0 / 3}};
  n.gaussians = {77, 0.3, Placement::lattice, 2};
  n.output_damping = 1e-9;
  n.shared_layers = 2;
  n.own = {{"v", {NetworkKind::mlp, 1, 9, Activation::sin}}, {"u", {{}, 2, {}, {}}}};
  n.scale = {{"v", 1.0 / 3}};
  n.offset = {{"v", -0.7}};
  n.output = {{"u", sin(x) + t * u}};
  n.features = {tanh(x / 0.05), x * long_name};
  n.symmetry = {{"x", 1}, {"depth", -1}};

  TrainingOptions& training = p.training;
  training.precision = Precision::float32;
  training.products = Products::bf16x3;
  training.seed = 9223372036854775807ul;
  training.points = {
      Sampling::latin_hypercube, {}, 321, 45, 6, {{"x", 0.1, 0.2, 0.3}, {"t", 0, 0.1, 0.05}}, 0};
  training.causal = {7, {0.1, 1e3}, 0.9};
  training.windows = 2;
  training.window_ends = {0.1, 1.0 / 3};
  training.stop = {1.5, 1e-9, 1e-5, 1234567890123};
  PhaseOptions adam{OptimizerKind::adam, 100, 2.5, 3e-4, 0.5, 77, 900, 0, 0.3, 25, 1e4, 1.0 / 3};
  PhaseOptions cycle{OptimizerKind::adam, 100};
  cycle.one_cycle = 800;
  adam.stall_factor = 0.9;
  adam.precision = Precision::float32;
  PhaseOptions levenberg_marquardt{OptimizerKind::levenberg_marquardt, 50, 0.5};
  levenberg_marquardt.geodesic = false;
  levenberg_marquardt.stall_iterations = 3;
  PhaseOptions lbfgs{OptimizerKind::lbfgs, 70};
  lbfgs.memory = 7;
  training.phases = {adam, levenberg_marquardt, lbfgs, cycle, {}};
  p.reference.exact = {{"u", cos(x) * exp(-t / 3)}};
  p.reference.grid = {{"t", 3}, {"x", 4}, {"depth", 5}};
  return p;
}

Problem again(const Problem& p) { return Problem::from_string(p.to_toml(), "again.toml"); }

TEST(ToToml, EveryOptionOfAProblemAssembledInCpp) {
  const Problem p = assembled();
  const Problem read = again(p);
  EXPECT_EQ(read.title, p.title);
  EXPECT_EQ(read.constants, p.constants);
  EXPECT_EQ(read.equations, p.equations);
  EXPECT_EQ(read.conditions, p.conditions);
  EXPECT_EQ(read.network, p.network);
  EXPECT_EQ(read.training.points, p.training.points);
  EXPECT_EQ(read.training.phases, p.training.phases);
  EXPECT_EQ(read.reference, p.reference);
  EXPECT_TRUE(read == p) << p.to_toml();
  EXPECT_EQ(read.to_toml(), p.to_toml());
}

TEST(ToToml, GaussiansWithoutLayers) {
  Problem p = assembled();
  p.network.depth = 0;
  p.network.fourier = {};
  p.network.gaussians.covariance = Covariance::full;
  p.network.gaussians.direct = true;
  EXPECT_TRUE(again(p) == p) << p.to_toml();
}

// An option that assembled() leaves at its default could be forgotten in silence: a new member of these
// structs stops this from compiling, and belongs into assembled() and to_toml() as well.
TEST(ToToml, AssembledHasNoDefaults) {
  const Problem p = assembled(), standard;
  const auto& [kind, depth, width, activation, modes, normalize, hard, first, initialization, start, damping,
               fourier, gaussians, factorization, scale, offset, output, features, symmetry, own,
               shared_layers] = p.network;
  const NetworkOptions n;
  EXPECT_TRUE(kind == NetworkKind(network_kinds.size() - 1) && depth != n.depth && width != n.width &&
              activation != n.activation && modes != n.periodic_modes && normalize != n.normalize &&
              hard != n.hard_initial && first != n.first_layer_scale && initialization != n.initialization &&
              start != n.output_start && damping != n.output_damping && fourier.frequencies > 0 &&
              gaussians != n.gaussians && factorization && !scale.empty() && !offset.empty() &&
              !output.empty() && !features.empty() && !symmetry.empty() && own.size() == 2 &&
              shared_layers > 0);
  const auto& [gaussian_count, gaussian_width, placement, margin, covariance, direct] = gaussians;
  EXPECT_TRUE(gaussian_count > 0 && gaussian_width > 0 && placement != n.gaussians.placement && margin > 0);
  EXPECT_TRUE(covariance == n.gaussians.covariance && !direct)
      << "not beside so many inputs and a depth: below";
  EXPECT_FALSE(p.lagrangian) << "its checks are below";
  const auto& [precision, products, seed, points, causal, windows, ends, stop, phases] = p.training;
  const TrainingOptions s;
  EXPECT_TRUE(precision != s.precision && products != s.products && seed != s.seed && !(causal == s.causal) &&
              windows != s.windows && !ends.empty() && !phases.empty());
  const auto& [sampling, grid, count, condition_count, resample, dense, adapt] = points;
  EXPECT_TRUE(sampling != Sampling::automatic && grid.empty() && count && condition_count && resample &&
              !dense.empty() && adapt);
  const auto& [seconds, loss, relative_l2, iterations] = stop;
  EXPECT_TRUE(seconds > 0 && loss > 0 && relative_l2 > 0 && iterations > 0);
  const auto& [optimizer, most, time, rate, decay, every, cosine, one_cycle, pct_start, div, final_div,
               weight_decay, geodesic, memory, stall, stall_iterations, phase_precision] = phases[0];
  EXPECT_TRUE(optimizer == OptimizerKind::adam && most > 0 && time > 0 && rate != 1e-3 && decay != 0.9 &&
              every != 5000 && cosine > 0 && one_cycle == 0 && pct_start != 0.2 && div != 2 &&
              final_div != 100 && weight_decay > 0 && geodesic && memory == 20 && stall != 0.98 &&
              stall_iterations == 0 && phase_precision);
  const auto& [axes, exact, solver, file] = p.reference;
  EXPECT_TRUE(!axes.empty() && !exact.empty() && solver.empty() && file.empty());
}

// As above: with a new member this does not compile.
TEST(ToToml, LagrangianForm) {
  Problem p = assembled();
  p.network.symmetry.clear();
  p.network.own["displacement_depth"] = {NetworkKind::mlp, 1, 9, Activation::sin};
  p.network.scale["displacement_depth"] = 1.0 / 3;
  p.lagrangian = {{{"depth", u + 0.1}}, {}, LagrangianDerivatives::label, 1e-7, LabelSearch::newton};
  p.conditions.resize(1);
  EXPECT_TRUE(again(p) == p) << p.to_toml();
  p.lagrangian = {{{"depth", u + 0.1}},
                  {{"depth", {-1e-6, 2e-7}}},
                  LagrangianDerivatives::position,
                  0.1,
                  LabelSearch::linear};
  p.network.own.erase("displacement_depth");
  p.network.scale.erase("displacement_depth");
  EXPECT_TRUE(again(p) == p) << p.to_toml();
  const auto& [velocity, labels, derivatives, floor, search] = *p.lagrangian;
  const LagrangianOptions standard;
  EXPECT_TRUE(!velocity.empty() && !labels.empty() && floor != standard.floor && search != standard.search);
}

TEST(ToToml, AnotherCoordinateIsTime) {
  Problem p;
  p.unknowns = {"u"};
  p.add_coordinate("x", 0, 2).add_coordinate("t", 0, 1, true);
  p.time_coordinate = "x";
  EXPECT_EQ(p.time(), 0);
  p.add_equation("diffusion", d(unknown("u"), coordinate("x")) - d(unknown("u"), coordinate("t"), 2));
  p.add_condition("inflow", {{"x", 0}}, unknown("u") - sin(2 * M_PI * coordinate("t")));
  const Problem read = Problem::from_string(p.to_toml());
  EXPECT_TRUE(read == p);
  EXPECT_EQ(read.time_coordinate, "x");
  EXPECT_EQ(detail::with_defaults(read).training.windows, automatic_windows);
  p.time_coordinate = "t";
  EXPECT_EQ(p.time(), -1);
  EXPECT_FALSE(read == p);
  p.time_coordinate = "y";
  EXPECT_THROW(p.validate(), ArgumentError);
}

TEST(ToToml, OtherPointsAndReferences) {
  Problem p = assembled();
  p.training.points = {Sampling::grid, {{"t", 3}, {"x", 4}, {"depth", 5}}, 0, 0, 0, {}};
  p.reference.exact.clear();
  p.reference.file = "/data/reference.npz";
  EXPECT_TRUE(again(p) == p) << p.to_toml();
  p.training.points = {Sampling::uniform, {}, 12, 0, 0, {}};
  EXPECT_TRUE(again(p) == p) << p.to_toml();

  // What a file has no way to leave open is written out: here the default number of points.
  p.training.points = {Sampling::uniform, {}, 0, 0, 0, {}};
  EXPECT_EQ(again(p).training.points,
            (PointOptions{Sampling::uniform, {}, detail::with_defaults(p).training.points.count, 0, 0, {}}));
  p.training.points = {Sampling::automatic, {}, 99, 0, 0, {}};
  EXPECT_EQ(again(p).training.points, (PointOptions{Sampling::sobol, {}, 99, 0, 0, {}}));
  p.reference = {};
  p.reference.file = "relative.npz";
  p.training.stop.relative_l2 = 0;
  EXPECT_EQ(again(p).reference.file, std::filesystem::current_path() / "relative.npz");
}

TEST(ToToml, UnknownConstants) {
  Problem p;
  p.unknowns = {"u"};
  p.add_coordinate("x", 0, 1).add_unknown_constant("k", 1.0 / 3).add_unknown_constant("z", -2);
  p.add_equation("first", unknown_constant("k") * d(u, x, 2) - unknown_constant("z"));
  p.add_condition("left", {{"x", 0}}, u - 1);
  EXPECT_EQ(again(p).unknown_constants, p.unknown_constants);
  EXPECT_TRUE(again(p) == p) << p.to_toml();
}

TEST(ToToml, TheWholeZoo) {
  ASSERT_GE(zoo().size(), 12u);
  for (const auto& [name, path] : zoo()) {
    const Problem p = Problem::from_file(path);
    EXPECT_TRUE(again(p) == p) << p.to_toml();
  }
}

TEST(ToToml, ProblemsOfTheTests) {
  std::size_t count = 0;
  for (const char* folder : {"unseen", "cases"})
    for (const auto& entry : std::filesystem::directory_iterator(
             std::filesystem::path(SOBOLEV_SOURCE_DIR "/tests/pinn") / folder)) {
      if (entry.path().extension() != ".toml" || entry.path().stem() == "tenth_derivative") continue;
      Problem p;
      try {
        p = Problem::from_file(entry.path());
      } catch (const ParseError&) {
        continue;  // some cases are there to be refused
      }
      EXPECT_TRUE(again(p) == p) << entry.path() << "\n" << p.to_toml();
      ++count;
    }
  EXPECT_GE(count, 15u);
}

TEST(ToToml, WhatCannotBeWrittenIsAnErrorAtOnce) {
  Problem p = assembled();
  p.training.windows = -2;
  EXPECT_THAT(message_of<ArgumentError>([&] { p.to_toml(); }), HasSubstr("training.windows is -2"));
  p = assembled();
  p.training.seed = 1ul << 63;
  EXPECT_THAT(message_of<ArgumentError>([&] { p.to_toml(); }),
              HasSubstr("training.seed is 9223372036854775808"));
  p = assembled();
  p.equations[0].residual = u - Expr(INFINITY) * x;
  EXPECT_THAT(message_of<ArgumentError>([&] { p.to_toml(); }), HasSubstr("cannot be written"));
  // Sixty doublings: 2^60 characters, were it written out.
  Expr e = u;
  for (int i = 0; i < 60; ++i) e = sin(e) * cos(e);
  p.equations[0].residual = e;
  EXPECT_THAT(message_of<ArgumentError>([&] { p.to_toml(); }), HasSubstr("equations.first is too large"));
}

TEST(ToToml, WritesAutomaticWindows) {
  Problem p = Problem::from_file(find_problem("heat"));
  p.training.windows = automatic_windows;
  EXPECT_THAT(p.to_toml(), HasSubstr("windows = \"auto\""));
  EXPECT_TRUE(Problem::from_string(p.to_toml()) == p);
}

TEST(SourceOf, IsTheTextUnlessItWasChanged) {
  Problem p = Problem::from_file(find_problem("heat"));
  EXPECT_EQ(detail::source_of(p), p.source);
  EXPECT_NE(p.source, p.to_toml()) << "it has comments";
  p.training.windows = 3;
  const std::string changed = detail::source_of(p);
  EXPECT_NE(changed, p.source);
  EXPECT_TRUE(Problem::from_string(changed) == p);
  p.equations[0].residual = u - Expr(INFINITY) * x;
  EXPECT_EQ(detail::source_of(p), "");
}
}  // namespace
}  // namespace sobolev
