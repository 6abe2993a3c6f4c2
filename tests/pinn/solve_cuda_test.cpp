// SPDX-License-Identifier: Apache-2.0
// Training on a device, real or simulated, against the same training on the CPU.
#if SOBOLEV_HAS_CUDA
#include <filesystem>

#include "sobolev/core/cuda.hpp"
#include "sobolev/optim/levenberg_marquardt.hpp"
#include "sobolev/pinn/solve.hpp"
#include "src/pinn/state.hpp"
#include "tests/support.hpp"

namespace sobolev {
namespace {
/// Published as the standard case: a periodic evolution with Fourier features, weights and Adam.
const char* const allen_cahn = R"toml(
unknowns = ["u"]
[coordinates]
t = [0, 1]
x = { range = [-1, 1], periodic = true }
[equations]
reaction_diffusion = "u_t - 1e-4*u_xx + 5*u^3 - 5*u = 0"
[conditions]
initial = { where = "t = 0", equation = "u = x^2*cos(pi*x)", weight = 100 }
[network]
depth = 2
width = 12
periodic_modes = 3
hard_initial = false
[training]
points = { sobol = 96, condition_points = 16 }
[[training.phase]]
optimizer = "adam"
iterations = 50
[reference]
grid = { t = 11, x = 64 }
solver = "etdrk4"
)toml";

/// The largest difference of two windows' parameters, relative to the largest parameter.
double difference(const Solution& a, const Solution& b) {
  EXPECT_EQ(a.state().parameters.size(), b.state().parameters.size());
  double worst = 0, scale = 0;
  for (std::size_t w = 0; w < a.state().parameters.size(); ++w)
    for (std::size_t i = 0; i < a.state().parameters[w].size(); ++i) {
      const double x = a.state().parameters[w][i], y = b.state().parameters[w][i];
      worst = std::max(worst, std::abs(x - y));
      scale = std::max(scale, std::abs(x));
    }
  return worst / scale;
}

class SolveCuda : public testing::Test {
 protected:
  void SetUp() override {
    if (Cuda::count() == 0) GTEST_SKIP() << "no CUDA device";
  }
  /// Solved on the device; on the CPU as well, and compared.
  Solution compare(const std::vector<std::string>& overrides, double bound) {
    const Problem problem = Problem::from_string(allen_cahn, "allen_cahn.toml", overrides);
    const Solution cpu = solve(Cpu(2), problem);
    Solution device = solve(Cuda(0), problem, {}, Cpu(2));
    EXPECT_EQ(device.iterations(), cpu.iterations());
    EXPECT_EQ(device.stopped_because(), cpu.stopped_because());
    EXPECT_LE(difference(device, cpu), bound);
    EXPECT_NEAR(device.loss(), cpu.loss(), bound * (1 + cpu.loss()));
    return device;
  }
};

TEST_F(SolveCuda, GathersPointsAsTheCpuDoes) {
  // An end that is suddenly hot: the residual is large in a corner.
  const Problem problem =
      Problem::from_file(SOBOLEV_SOURCE_DIR "/tests/pinn/brought/heated_end.toml",
                         {"network.depth=1", "network.width=8", "training.stop.iterations=14",
                          "training.points={ sobol = 10, condition_points = 5, adapt_every = 12 }"});
  const Solution cpu = solve(Cpu(2), problem), device = solve(Cuda(0), problem, {}, Cpu(2));
  ASSERT_FALSE(cpu.state().gathered.empty());
  EXPECT_EQ(device.state().gathered.size(), cpu.state().gathered.size());
  EXPECT_LE(difference(device, cpu), 1e-6);
}

TEST_F(SolveCuda, EvaluatesAsTheCpuDoes) {
  const Problem problem = Problem::from_string(
      allen_cahn, "allen_cahn.toml",
      {"training.windows=2", "training.phase=[{ optimizer = \"adam\", iterations = 3 }]"});
  const Solution solution = solve(Cpu(2), problem);
  const std::size_t n = 300;
  std::vector<double> x(2 * n);
  for (std::size_t i = 0; i < n; ++i)
    x[2 * i] = Philox(3, 1).uniform(i), x[2 * i + 1] = 2 * Philox(3, 2).uniform(i) - 1;
  const View<const double, 2> points(x.data(), n, 2);
  const std::vector<std::string> outputs = {"u", "u_xx + t", "reaction_diffusion"};
  const auto here = solution.evaluate(Cpu(1), points, outputs),
             there = solution.evaluate(Cuda(0), points, outputs);
  for (std::size_t k = 0; k < outputs.size(); ++k)
    for (std::size_t i = 0; i < n; ++i)
      ASSERT_NEAR(there[k][i], here[k][i], 1e-11 * (1 + std::abs(here[k][i])));
  EXPECT_TRUE(solution.evaluate(Cuda(0), View<const double, 2>(nullptr, 0, 2), outputs)[0].empty());
  EXPECT_THROW(solution.evaluate(Cuda(0), points, std::vector<std::string>{"v"}), ParseError);
}

TEST_F(SolveCuda, FiftyStepsOfAdamAgreeWithTheCpu) {
  const Solution s = compare({}, 1e-10);
  EXPECT_EQ(s.iterations(), 50);
  EXPECT_GT(s.relative_l2().at("u"), 0);
}
TEST_F(SolveCuda, FiftyStepsWithCausalWeightsAgree) {
  compare({"training.causal={ slices = 5, epsilon = [1, 10], stop_above = 0.9 }",
           "training.phase=[{optimizer=\"adam\", iterations=50, decay={factor=0.5, every=20}}]"},
          1e-10);
}
TEST_F(SolveCuda, ResamplingAndMirroredPointsAgree) {
  compare({"training.points={ uniform = 64, condition_points = 16, resample_every = 7 }",
           "network.symmetry={ x = \"even\" }", "network.features=[\"sin(pi*x)*exp(-t)\"]",
           "training.phase=[{optimizer=\"adam\", iterations=25}]"},
          1e-10);
}
TEST_F(SolveCuda, Float32AgreesToItsPrecision) {
  compare({"training.precision=float32", "training.phase=[{optimizer=\"adam\", iterations=20}]"}, 1e-3);
}
TEST_F(SolveCuda, OtherProductsAgreeToTheirPrecision) {
  for (const auto& [products, bound] : {std::pair{"3xtf32", 1e-4}, {"3xbf16", 1e-3}, {"tf32", 3e-2}})
    compare({"training.precision=float32", std::string("training.products=") + products, "network.width=40",
             "training.points={ sobol = 60, condition_points = 16 }",
             "training.phase=[{optimizer=\"adam\", iterations=5}]"},
            bound);
}
TEST_F(SolveCuda, LevenbergMarquardtAgreesOverWindows) {
  compare({"training.points={ sobol = 60, condition_points = 16 }", "training.windows=2", "network.width=8",
           "network.hard_initial=true", "training.phase=[{optimizer=\"levenberg_marquardt\", iterations=4}]"},
          1e-6);
}

TEST_F(SolveCuda, TrainsAlongCharacteristics) {
  const Problem problem = Problem::from_file(
      find_problem("lagrangian_burgers"),
      {"network.width=8", "training.points={ sobol = 60, condition_points = 16 }", "coordinates.t=[0, 0.5]",
       "reference={ exact = { u = \"0\" }, grid = { t = 2, x = 2 } }",
       "training.phase=[{ optimizer = \"levenberg_marquardt\", iterations = 4 }]"});
  const Solution cpu = solve(Cpu(2), problem), device = solve(Cuda(0), problem, {}, Cpu(2));
  EXPECT_LE(difference(device, cpu), 1e-8);
  const std::vector<double> x = {0.1, 1, 0.3, 4, 0.5, 6};
  const View<const double, 2> places(x.data(), 3, 2);
  const std::vector<std::string> outputs = {"u", "u_xx"};
  const auto here = device.evaluate(Cpu(1), places, outputs),
             there = device.evaluate(Cuda(0), places, outputs);
  for (std::size_t k = 0; k < 2; ++k)
    for (std::size_t i = 0; i < 3; ++i)
      EXPECT_NEAR(there[k][i], here[k][i], 1e-10 * (1 + std::abs(here[k][i])));
}

TEST_F(SolveCuda, AnyActivationAndEquationTrains) {
  for (const char* activation : {"sin", "gelu", "swish", "softplus"})
    compare({std::string("network.activation=") + activation,
             "training.points={ sobol = 40, condition_points = 16 }", "network.width=8",
             "training.phase=[{optimizer=\"adam\", iterations=3}]"},
            1e-10);
  compare({"network.kind=gaussian", "network.gaussians={ count = 20 }", "network.depth=1", "network.width=5",
           "training.points={ sobol = 40, condition_points = 16 }",
           "training.phase=[{optimizer=\"adam\", iterations=3}]"},
          1e-10);
  compare({"network.kind=gaussian", "network.gaussians={ count = 20, covariance = \"full\" }",
           "training.points={ sobol = 40, condition_points = 16 }",
           "training.phase=[{optimizer=\"adam\", iterations=3}]"},
          1e-10);
  // An algebra without unrolled kernels.
  compare({"equations={ fifth = \"u_t - 1e-4*d(u, x, x, x, x, x) + 1e-3*u*d(u, t, x) = 0\" }",
           "training.points={ sobol = 40, condition_points = 16 }", "network.width=8", "reference={}",
           "training.phase=[{optimizer=\"adam\", iterations=3}]"},
          1e-10);
}

TEST_F(SolveCuda, InterruptedAdamResumesToTheSameBits) {
  const Problem problem = Problem::from_string(allen_cahn, "allen_cahn.toml", {"network.width=8"});
  const Solution whole = solve(Cuda(0), problem);
  const std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("solve_cuda_" + std::to_string(::getpid()) + ".safetensors");
  std::atomic<bool> stop = true;  // after the first look at the loss
  SolveOptions options;
  options.checkpoint = path;
  options.stop = &stop;
  const Solution begun = solve(Cuda(0), problem, options);
  EXPECT_FALSE(begun.finished());
  EXPECT_LT(begun.iterations(), 50);
  const Solution resumed = resume(Cuda(0), Solution::load(path));
  EXPECT_EQ(resumed.iterations(), 50);
  EXPECT_EQ(difference(resumed, whole), 0);
  // And what a device began the CPU can finish.
  EXPECT_LE(difference(resume(Cpu(2), Solution::load(path)), whole), 1e-10);
  std::filesystem::remove(path);
}

TEST_F(SolveCuda, StopsExactlyWhereItShould) {
  const Problem problem = Problem::from_string(
      allen_cahn, "allen_cahn.toml",
      {"network.width=4", "training.points={ sobol = 20, condition_points = 16 }",
       "training.phase=[{optimizer=\"adam\", iterations=130}, {optimizer=\"adam\", iterations=130}]",
       "training.stop={ iterations = 143 }", "reference={}"});
  const Solution s = solve(Cuda(0), problem);
  EXPECT_EQ(s.iterations(), 143);
  EXPECT_EQ(s.stopped_because(), "stop.iterations reached");
  ASSERT_EQ(s.history().size(), 3u);  // 0 and 100 of the first phase, 0 of the second
  EXPECT_EQ(s.history()[1].iteration, 101);
  EXPECT_EQ(s.history()[2].iteration, 131);
}

TEST_F(SolveCuda, DivergenceIsNoticed) {
  const Problem problem =
      Problem::from_string(allen_cahn, "allen_cahn.toml",
                           {"network.width=4", "training.points={ sobol = 20, condition_points = 16 }",
                            "training.phase=[{optimizer=\"adam\", iterations=50, learning_rate=1e300}]"});
  EXPECT_THROW(solve(Cuda(0), problem), DivergenceError);
}
}  // namespace
}  // namespace sobolev
#endif
