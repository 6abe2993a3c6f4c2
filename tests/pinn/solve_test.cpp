// SPDX-License-Identifier: Apache-2.0
// Training as a user sees it: solutions, the same bits whatever interrupts them, derivatives by evaluate.
#include "sobolev/pinn/solve.hpp"

#include <filesystem>

#include "sobolev/io/safetensors.hpp"
#include "src/pinn/state.hpp"
#include "tests/pinn/heat.hpp"
#include "tests/support.hpp"

namespace sobolev {
namespace {
const std::string heat = test::heat_with(R"toml([reference]
grid = { t = 21, x = 41 }
exact = { u = "exp(-0.1*pi^2*t)*sin(pi*x)" }
)toml");

TEST(Solve, ReachesASmoothSolutionWithDefaults) {
  const Problem p = Problem::from_string(heat, "heat.toml", {"training.stop.iterations=60"});
  const Solution s = solve(Cpu(2), p);
  EXPECT_TRUE(s.finished());
  EXPECT_LT(s.relative_l2().at("u"), 1e-4);
  EXPECT_EQ(s.iterations(), 60);
  EXPECT_EQ(s.history().size(), 60u);
  EXPECT_LT(s.history().back().loss, s.history().front().loss);
  const Solution::Table table = s.table(Cpu(1));
  EXPECT_EQ(table.prediction.at("u").size(), 21u * 41u);
}

TEST(Solve, AnEvenPeriodicNetworkSeesCosinesOnly) {
  const auto solved = [](const std::vector<std::string>& more) {
    std::vector<std::string> overrides = {
        "coordinates.x={ range = [-1, 1], periodic = true }",
        "conditions={ initial = { where = \"t = 0\", equation = \"u = cos(pi*x)\" } }",
        "reference={ exact = { u = \"exp(-0.1*pi^2*t)*cos(pi*x)\" } }",
        "network.periodic_modes=3",
        "network.symmetry={ x = \"even\" }",
        "training.stop.iterations=15"};
    overrides.insert(overrides.end(), more.begin(), more.end());
    return solve(Cpu(2), Problem::from_string(heat, "heat.toml", overrides));
  };
  const Solution cosines = solved({});
  // A feature that is not even needs the mean over mirrored points, with sines as well.
  const Solution mirrored = solved({"network.features=[\"sin(pi*x)\"]"});
  EXPECT_EQ(mirrored.parameters() - cosines.parameters(), std::size_t(4 * 24));
  for (const Solution* s : {&cosines, &mirrored}) {
    EXPECT_LT(s->relative_l2().at("u"), 1e-2);
    const double x[] = {0.3, 0.7, 0.3, -0.7};
    const auto u = s->evaluate(Cpu(1), View<const double, 2>(x, 2, 2), std::vector<std::string>{"u", "u_x"});
    EXPECT_NEAR(u[0][0], u[0][1], 1e-14);
    EXPECT_NEAR(u[1][0], -u[1][1], 1e-13);
  }
}

TEST(Solve, FollowsTimeWindowsWithHardContinuation) {
  const Problem p =
      Problem::from_string(heat, "heat.toml",
                           {"training.windows=3", "network.width=16",
                            "training.phase=[{optimizer=\"levenberg_marquardt\", iterations=40}]"});
  const Solution s = solve(Cpu(2), p);
  EXPECT_LT(s.relative_l2().at("u"), 1e-4);
  // Continuous at the seam: both windows give the same value there.
  const double third = 1.0 / 3;
  const double x[] = {third, 0.4, std::nextafter(third, 1.0), 0.4};
  const auto u =
      s.evaluate(Cpu(1), View<const double, 2>(x, 2, 2), std::vector<std::string>{"u", "u_x", "heat"});
  EXPECT_NEAR(u[0][0], u[0][1], 1e-13);
  EXPECT_NEAR(u[1][0], u[1][1], 1e-13);
}

TEST(Solve, SecondOrderInTimeContinuesValueAndVelocity) {
  const char* wave = R"toml(
unknowns = ["u"]
[coordinates]
t = [0, 1]
x = { range = [0, 2], periodic = true }
[equations]
wave = "u_tt = u_xx"
[conditions]
start = { where = "t = 0", equation = "u = sin(pi*x)" }
velocity = { where = "t = 0", equation = "u_t = 0" }
[network]
periodic_modes = 2
width = 16
[training]
windows = 2
[[training.phase]]
optimizer = "levenberg_marquardt"
iterations = 60
[reference]
exact = { u = "sin(pi*x)*cos(pi*t)" }
)toml";
  const Solution s = solve(Cpu(2), Problem::from_string(wave));
  EXPECT_LT(s.relative_l2().at("u"), 1e-3);
  const double x[] = {0.5, 0.3, std::nextafter(0.5, 1.0), 0.3};
  const auto u = s.evaluate(Cpu(1), View<const double, 2>(x, 2, 2), std::vector<std::string>{"u", "u_t"});
  EXPECT_NEAR(u[0][0], u[0][1], 1e-13);
  EXPECT_NEAR(u[1][0], u[1][1], 1e-12);
}

std::vector<double> parameters_of(const Solution& s) {
  std::vector<double> all;
  for (const auto& w : s.state().parameters) all.insert(all.end(), w.begin(), w.end());
  return all;
}

const std::vector<std::vector<std::string>>& recipes() {
  static const std::vector<std::vector<std::string>> all = {
      {"training.phase=[{optimizer=\"levenberg_marquardt\", iterations=12}]", "training.points.sobol=300",
       "training.points.resample_every=4", "training.windows=2", "network.width=12"},
      {"training.phase=[{optimizer=\"adam\", iterations=35}, {optimizer=\"levenberg_marquardt\", "
       "iterations=5}]",
       "training.points.sobol=300", "network.width=10"},
      {"training.phase=[{optimizer=\"adam\", iterations=40}]", "training.precision=float32",
       "training.points.uniform=300", "training.causal={slices=5, epsilon=[0.1, 1]}"},
  };
  return all;
}

TEST(Solve, GivesTheSameBitsWithAnyNumberOfThreads) {
  for (const auto& recipe : recipes()) {
    const Problem p = Problem::from_string(heat, "heat.toml", recipe);
    EXPECT_EQ(parameters_of(solve(Cpu(1), p)), parameters_of(solve(Cpu(3), p))) << recipe[0];
  }
}

TEST(Solve, ResumesToTheSameBits) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "resume";
  std::filesystem::create_directories(folder);
  for (const auto& recipe : recipes()) {
    const Problem p = Problem::from_string(heat, "heat.toml", recipe);
    const Solution whole = solve(Cpu(2), p);
    for (long at : {1, 4, 7, 13, 17, 36}) {
      std::atomic<bool> stop{false};
      SolveOptions options;
      options.stop = &stop;
      options.checkpoint = folder / "checkpoint.safetensors";
      options.checkpoint_seconds = 1e9;
      options.progress_seconds = 0;
      options.on_progress = [&](const Progress& progress) { stop = stop || progress.row.iteration >= at; };
      const Solution part = solve(Cpu(2), p, options);
      if (part.finished()) continue;
      EXPECT_EQ(part.stopped_because(), "interrupted");
      const Solution resumed = resume(Cpu(2), Solution::load(options.checkpoint));
      EXPECT_TRUE(resumed.finished());
      EXPECT_EQ(parameters_of(resumed), parameters_of(whole))
          << recipe[0] << " interrupted at " << part.iterations();
      EXPECT_EQ(resumed.iterations(), whole.iterations());
    }
  }
}

TEST(Solve, SaysWhenTheLossIsNotFinite) {
  const Problem p =
      Problem::from_string(heat, "heat.toml", {"equations.heat=\"u_t - 0.1*u_xx + log(u - 100) = 0\""});
  EXPECT_THROW(solve(Cpu(1), p), DivergenceError);
}

TEST(Solve, RefusesAnOutputTransformThatContradictsACondition) {
  const Problem p = Problem::from_string(heat, "heat.toml", {"network.output={u = \"1 + t*u\"}"});
  EXPECT_THROW(solve(Cpu(1), p), ParseError);
}

// Nested forward differentiation: the oracle for evaluate.
template <class T>
struct Dual {
  T v, d;
  Dual(double c = 0) : v(c), d(0.0) {}
  Dual(T value, T slope) : v(value), d(slope) {}
  friend Dual operator+(const Dual& a, const Dual& b) { return {a.v + b.v, a.d + b.d}; }
  friend Dual operator-(const Dual& a, const Dual& b) { return {a.v - b.v, a.d - b.d}; }
  friend Dual operator*(const Dual& a, const Dual& b) { return {a.v * b.v, a.v * b.d + a.d * b.v}; }
};
double hyperbolic_tangent(double x) { return std::tanh(x); }
double cosine(double x) { return std::cos(x); }
double sine(double x) { return std::sin(x); }
template <class T>
Dual<T> hyperbolic_tangent(const Dual<T>& x) {
  const T y = hyperbolic_tangent(x.v);
  return {y, (T(1.0) - y * y) * x.d};
}
template <class T>
Dual<T> sine(const Dual<T>& x);
template <class T>
Dual<T> cosine(const Dual<T>& x) {
  return {cosine(x.v), T(0.0) - sine(x.v) * x.d};
}
template <class T>
Dual<T> sine(const Dual<T>& x) {
  return {sine(x.v), cosine(x.v) * x.d};
}

/// The network of the test below as documented for weights files.
template <class T>
T network(const TensorFile& file, T x, T y) {
  const double pi = std::acos(-1.0);
  std::vector<T> a{T(2.0 / 3) * x - T(1.0 / 3)};  // [−1, 2] to [−1, 1]
  for (int k = 1; k <= 2; ++k) {
    a.push_back(cosine(T(2 * pi * k / 3) * y));
    a.push_back(sine(T(2 * pi * k / 3) * y));
  }
  for (int l = 0; l <= 2; ++l) {
    const Tensor& w = file.at("layers." + std::to_string(l) + ".weight");
    const Tensor& b = file.at("layers." + std::to_string(l) + ".bias");
    std::vector<T> out;
    for (std::size_t o = 0; o < w.shape[0]; ++o) {
      T sum(b.values[o]);
      for (std::size_t i = 0; i < w.shape[1]; ++i) sum = sum + T(w.values[o * w.shape[1] + i]) * a[i];
      out.push_back(l < 2 ? hyperbolic_tangent(sum) : sum);
    }
    a = out;
  }
  return a[0];
}

TEST(Evaluate, DerivativesAgreeWithNestedDifferentiation) {
  const char* text = R"toml(
unknowns = ["u"]
[coordinates]
x = [-1, 2]
y = { range = [0, 3], periodic = true }
[equations]
poisson = "u_xx + u_yy = 0"
[conditions]
left = { where = "x = -1", equation = "u = 0" }
[network]
depth = 2
width = 7
periodic_modes = 2
)toml";
  const std::filesystem::path path = std::filesystem::path(testing::TempDir()) / "weights.safetensors";
  TensorFile file;
  const Philox random(9, 9);
  std::uint64_t counter = 0;
  const std::size_t sizes[][2] = {{7, 5}, {7, 7}, {1, 7}};
  for (int l = 0; l < 3; ++l) {
    Tensor w{{sizes[l][0], sizes[l][1]}, {}}, b{{sizes[l][0]}, {}};
    for (std::size_t i = 0; i < sizes[l][0] * sizes[l][1]; ++i)
      w.values.push_back(0.7 * random.normal(counter++));
    for (std::size_t i = 0; i < sizes[l][0]; ++i) b.values.push_back(random.normal(counter++));
    file.tensors.emplace_back("layers." + std::to_string(l) + ".weight", w);
    file.tensors.emplace_back("layers." + std::to_string(l) + ".bias", b);
  }
  write_safetensors(path, file);
  const Solution s = Solution::from_weights(Problem::from_string(text), path);
  const double points[] = {0.3, 0.2, -0.9, 2.7, 1.9, 1.1};
  std::vector<std::string> names;
  std::vector<std::pair<int, int>> orders;
  for (int i = 0; i <= 4; ++i)
    for (int j = 0; i + j <= 4; ++j) {
      names.push_back(
          i + j == 0 ? "u" : "u_" + std::string(std::size_t(i), 'x') + std::string(std::size_t(j), 'y'));
      orders.emplace_back(i, j);
    }
  names.push_back("poisson");
  const auto got = s.evaluate(Cpu(2), View<const double, 2>(points, 3, 2), names);
  using D1 = Dual<double>;
  using D2 = Dual<D1>;
  using D3 = Dual<D2>;
  using D4 = Dual<D3>;
  for (std::size_t p = 0; p < 3; ++p) {
    for (std::size_t k = 0; k < orders.size(); ++k) {
      // Level l of the nesting differentiates by x for the first i levels, then by y.
      const auto [i, j] = orders[k];
      const auto seed = [&, i = i, j = j](int level, bool is_x) {
        return level < i ? (is_x ? 1.0 : 0.0) : level < i + j ? (is_x ? 0.0 : 1.0) : 0.0;
      };
      const auto variable = [&](double value, bool is_x) {
        const D1 a(value, seed(0, is_x));
        const D2 b(a, D1(seed(1, is_x)));
        const D3 c(b, D2(seed(2, is_x)));
        return D4(c, D3(seed(3, is_x)));
      };
      const D4 r = network<D4>(file, variable(points[2 * p], true), variable(points[2 * p + 1], false));
      const int n = i + j;
      const D3 r3 = n > 3 ? r.d : r.v;
      const D2 r2 = n > 2 ? r3.d : r3.v;
      const D1 r1 = n > 1 ? r2.d : r2.v;
      const double want = n > 0 ? r1.d : r1.v;
      EXPECT_NEAR(got[k][p], want, 1e-10 * std::max(1.0, std::abs(want))) << names[k];
    }
    const auto at = [&](const char* name) {
      return got[std::size_t(std::find(names.begin(), names.end(), name) - names.begin())][p];
    };
    EXPECT_NEAR(got.back()[p], at("u_xx") + at("u_yy"), 1e-12 * (1 + std::abs(got.back()[p])));
  }
}
}  // namespace
}  // namespace sobolev
