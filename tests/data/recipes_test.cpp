// SPDX-License-Identifier: Apache-2.0
// What single recipes solve, against exact solutions, plain loops and finer computations.
#include <gmock/gmock.h>

#include <cmath>
#include <numbers>
#include <set>
#include <vector>

#include "sobolev/core/error.hpp"
#include "sobolev/data/generators.hpp"
#include "sobolev/data/random_field.hpp"
#include "src/data/field_modes.hpp"
#include "src/data/spectral_grid.hpp"

namespace sobolev {
namespace {
using detail::Complex;
using std::numbers::pi;

std::vector<std::vector<double>> sample(const Generator& generator, std::uint64_t seed, std::uint64_t index) {
  std::vector<std::vector<double>> out;
  std::vector<double*> to;
  for (const auto& array : generator.arrays()) out.emplace_back(array.values());
  for (auto& values : out) to.push_back(values.data());
  EXPECT_TRUE(generator.worker()->sample(seed, index, to, nullptr));
  return out;
}

double relative(std::span<const double> a, std::span<const double> b) {
  double change = 0, norm = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    change += (a[i] - b[i]) * (a[i] - b[i]);
    norm += b[i] * b[i];
  }
  return std::sqrt(change / norm);
}

// u = m + w(x − m t, t), w = −2ν φ_x/φ, φ_t = ν φ_xx, φ(·, 0) = exp(−1/(2ν) ∫ (u0 − m)).
TEST(BurgersRecipe, IsTheSolutionOfColeAndHopf) {
  for (const double nu : {0.1, 0.03}) {
    BurgersOptions options;
    options.grid = 48;
    options.modes = 1000;
    options.nu = nu;
    options.times = {0.02, 0.3, 1};
    const auto got = sample(*make_generator(options), 3, 4);

    detail::SpectralGrid grid({1, 8192}, {0, 0}, {1, 1});
    const detail::ModeRange all{0, grid.highest(1)}, given{0, options.modes};
    std::vector<Complex> u(given.size()), integral(all.size()), phi(all.size());
    detail::sample_modes(Philox(3, 4 * 16), {25, 5, 2}, true, given, u.data());
    const double mean = u[0].real();
    for (int k = 1; k <= options.modes; ++k)
      integral[std::size_t(k)] = u[std::size_t(k)] / Complex(0, 2 * pi * k) / (-2 * nu);
    std::vector<double> values(grid.points());
    detail::ModeValues({1, grid.points()})(all, integral.data(), values.data());
    for (double& v : values) v = std::exp(v);
    grid.to_modes(values.data(), phi.data());
    for (std::size_t n = 0; n < options.times.size(); ++n) {
      const double t = options.times[n];
      std::vector<Complex> moved(all.size()), slope(all.size());
      for (std::size_t k = 0; k < moved.size(); ++k) {
        const double q = 2 * pi * double(k);
        moved[k] = phi[k] * std::exp(-nu * q * q * t) * std::polar(1.0, -q * mean * t);
        slope[k] = Complex(0, q) * moved[k];
      }
      std::vector<double> p(48), dp(48), want(48);
      detail::ModeValues at({1, 48});
      at(all, moved.data(), p.data());
      at(all, slope.data(), dp.data());
      for (std::size_t i = 0; i < 48; ++i) want[i] = mean - 2 * nu * dp[i] / p[i];
      EXPECT_LT(relative(std::span(got[1]).subspan(48 * n, 48), want), 2e-8) << nu << ' ' << t;
    }
  }
}

TEST(BurgersRecipe, TheInitialDataAreTheSameOnEveryGrid) {
  const auto coarse = sample(*make_generator("burgers", {"grid=16", "modes=500"}), 1, 2);
  const auto fine = sample(*make_generator("burgers", {"grid=4096", "modes=500"}), 1, 2);
  for (std::size_t i = 0; i < 16; ++i) {
    EXPECT_NEAR(coarse[0][i], fine[0][256 * i], 1e-12);
    EXPECT_NEAR(coarse[1][i], fine[1][256 * i], 1e-7);
  }
}

TEST(NavierStokesRecipe, AmplitudesAreThoseOfThePaperAndTheScript) {
  const auto mean_square = [](const std::string& amplitude) {
    const auto generator = make_generator(
        "navier_stokes", {"resolution=48", "grid=32", "end=1e-6", "interval=1e-6", "amplitude=" + amplitude});
    double sum = 0;
    constexpr int samples = 200;
    for (std::uint64_t n = 0; n < samples; ++n) {
      const auto w = sample(*generator, 2, n)[0];
      for (const double v : w) sum += v * v / (32 * 32 * samples);
    }
    return sum;
  };
  double series = 0;
  for (int k0 = -15; k0 <= 15; ++k0)
    for (int k1 = -15; k1 <= 15; ++k1)
      if (k0 != 0 || k1 != 0) series += std::pow(4 * pi * pi * (k0 * k0 + k1 * k1) + 49, -2.5);
  // Half of the variance is in four modes: its mean over 200 samples is known to some 5 %, and to 25 %
  // surely.
  const double paper = mean_square("paper"), script = mean_square("script");
  EXPECT_NEAR(paper / (std::pow(7, 1.5) * series), 1, 0.25);
  EXPECT_NEAR(script / paper, std::pow(7, 1.5), 1e-9 * script / paper);
}

TEST(NavierStokesRecipe, OutputsAndComputationMayDifferInSize) {
  const auto coarse = sample(*make_generator("navier_stokes", {"resolution=48", "grid=16", "end=2"}), 2, 0);
  const auto fine = sample(*make_generator("navier_stokes", {"resolution=48", "grid=80", "end=2"}), 2, 0);
  for (std::size_t n = 0; n < 2; ++n)
    for (std::size_t i = 0; i < 16; ++i)
      for (std::size_t j = 0; j < 16; ++j)
        EXPECT_NEAR(coarse[1][(n * 16 + i) * 16 + j], fine[1][(n * 80 + 5 * i) * 80 + 5 * j], 1e-13);
}

TEST(DarcyRecipe, HasTwoValuesAndSolvesWithThem) {
  DarcyOptions options;
  options.grid = 33;
  const auto got = sample(*make_generator(options), 4, 1);
  EXPECT_EQ(std::set<double>(got[0].begin(), got[0].end()), (std::set<double>{3, 12}));
  std::vector<double> ones(33 * 33, 1.0), u(33 * 33);
  DarcySolver solver(33);
  solver.solve(View<const double, 2>(got[0].data(), 33, 33), View<const double, 2>(ones.data(), 33, 33),
               View<double, 2>(u.data(), 33, 33));
  EXPECT_EQ(got[1], u);
  options.coefficient = DarcyOptions::Coefficient::lognormal;
  const auto smooth = sample(*make_generator(options), 4, 1);
  for (std::size_t i = 0; i < smooth[0].size(); ++i) {
    EXPECT_GT(smooth[0][i], 0);
    EXPECT_EQ(smooth[0][i] >= 1, got[0][i] == 12);  // of the same field
  }
}

TEST(AdvectionRecipe, MovesItsWaves) {
  AdvectionOptions options;
  options.grid = 64;
  options.beta = 0.5;
  options.end = 1;
  options.steps = 32;  // one cell in each
  const auto generator = make_generator(options);
  int positive = 0;
  for (std::uint64_t n = 0; n < 300; ++n) {
    const auto u = sample(*generator, 7, n)[0];
    for (std::size_t t = 1; t <= 32; ++t)
      for (std::size_t i = 0; i < 64; ++i) ASSERT_NEAR(u[t * 64 + i], u[(t - 1) * 64 + (i + 63) % 64], 1e-12);
    const auto [low, high] = std::minmax_element(u.begin(), u.begin() + 64);
    ASSERT_LE(std::max(-*low, *high), 2);
    positive += *low >= 0 || *high <= 0;
  }
  // One in ten has one sign: within 4.3 deviations of a binomial number.
  EXPECT_NEAR(positive, 30, 22.5);
}

TEST(DiffusionSorptionRecipe, EndsAtTheSteadyState) {
  DiffusionSorptionOptions options;
  options.grid = 50;
  options.diffusion = 0.5;
  options.end = 500;
  options.steps = 2;
  const auto u = sample(*make_generator(options), 1, 0)[0];
  EXPECT_EQ(u[0], u[49]);  // constant at first
  EXPECT_LE(u[0], 0.2);
  for (std::size_t i = 0; i < 50; ++i)  // 1 − x/(1 + D): u(0) = 1, u(1) = −D u_x
    EXPECT_NEAR(u[100 + i], 1 - (double(i) + 0.5) / 50 / 1.5, 1e-6);
}

// The same equations, stepped by the classical Runge–Kutta method with steps below the limit of stability.
TEST(DiffusionSorptionRecipe, FollowsItsEquationsOnTheGrid) {
  DiffusionSorptionOptions options;
  options.grid = 24;
  options.end = 60;
  options.steps = 1;
  options.tolerance = 1e-9;
  const auto got = sample(*make_generator(options), 1, 1)[0];
  const double d = options.diffusion, h = 1.0 / 24;
  const auto rate = [&](const std::vector<double>& u) {
    std::vector<double> out(24);
    for (std::size_t i = 0; i < 24; ++i) {
      const double left = i > 0 ? u[i - 1] : 2 - u[0];  // the face has 1
      // (u + r)/2 = −D (r − u)/h
      const double right = i < 23 ? u[i + 1] : (d / h - 0.5) / (d / h + 0.5) * u[i];
      const double r = 1 + 0.71 / 0.29 * 2880 * 3.5e-4 * 0.874 * std::pow(u[i], 0.874 - 1);
      out[i] = d / r * (left - 2 * u[i] + right) / (h * h);
    }
    return out;
  };
  std::vector<double> u(got.begin(), got.begin() + 24);
  const auto moved = [&](const std::vector<double>& by, double s) {
    std::vector<double> out = u;
    for (std::size_t i = 0; i < 24; ++i) out[i] += s * by[i];
    return out;
  };
  constexpr int steps = 3000;
  for (int n = 0; n < steps; ++n) {
    const double s = options.end / steps;
    const auto a = rate(u), b = rate(moved(a, s / 2)), c = rate(moved(b, s / 2)), e = rate(moved(c, s));
    for (std::size_t i = 0; i < 24; ++i) u[i] += s / 6 * (a[i] + 2 * b[i] + 2 * c[i] + e[i]);
  }
  EXPECT_LT(relative(std::span(got).subspan(24), u), 1e-7);
}

TEST(ReactionDiffusionRecipe, FollowsItsEquationsOnTheGrid) {
  ReactionDiffusionOptions options;
  options.grid = 9;
  options.end = 1;
  options.steps = 4;
  const auto got = sample(*make_generator(options), 1, 1)[0];
  constexpr int s = 9;
  const double h = 2.0 / s;
  const auto rate = [&](const std::vector<double>& x) {
    std::vector<double> out(x.size());
    const auto at = [&](int i, int j, int c) {
      return x[std::size_t((std::clamp(i, 0, s - 1) * s + std::clamp(j, 0, s - 1)) * 2 + c)];
    };
    for (int i = 0; i < s; ++i)
      for (int j = 0; j < s; ++j) {
        const auto laplacian = [&](int c) {
          return (at(i - 1, j, c) + at(i + 1, j, c) + at(i, j - 1, c) + at(i, j + 1, c) - 4 * at(i, j, c)) /
                 (h * h);
        };
        const double u = at(i, j, 0), v = at(i, j, 1);
        out[std::size_t((i * s + j) * 2)] = 1e-3 * laplacian(0) + u - u * u * u - 5e-3 - v;
        out[std::size_t((i * s + j) * 2 + 1)] = 5e-3 * laplacian(1) + u - v;
      }
    return out;
  };
  const std::size_t plane = s * s * 2;
  std::vector<double> x(got.begin(), got.begin() + std::ptrdiff_t(plane));
  const auto moved = [&](const std::vector<double>& by, double step) {
    std::vector<double> out = x;
    for (std::size_t i = 0; i < x.size(); ++i) out[i] += step * by[i];
    return out;
  };
  constexpr int steps = 200;
  for (int t = 1; t <= 4; ++t) {
    for (int n = 0; n < steps; ++n) {
      constexpr double k = 0.25 / steps;
      const auto a = rate(x), b = rate(moved(a, k / 2)), c = rate(moved(b, k / 2)), d = rate(moved(c, k));
      for (std::size_t i = 0; i < x.size(); ++i) x[i] += k / 6 * (a[i] + 2 * b[i] + 2 * c[i] + d[i]);
    }
    EXPECT_LT(relative(std::span(got).subspan(std::size_t(t) * plane, plane), x), 1e-5) << t;
  }
}

TEST(AntiderivativeRecipe, IsTheIntegralOfItsFunction) {
  AntiderivativeOptions options;
  options.grid = 801;
  for (const double length : {0.05, 0.2, 1.5}) {
    options.length = length;
    const auto got = sample(*make_generator(options), 1, 5);
    double sum = 0;
    for (std::size_t i = 2; i < 801; i += 2) {  // Simpson's rule
      sum += (got[0][i - 2] + 4 * got[0][i - 1] + got[0][i]) / (3 * 800);
      EXPECT_NEAR(got[1][i], sum, 1e-7);
    }
    options.aligned = false;
    options.places = 50;
    const auto random = sample(*make_generator(options), 1, 5);
    EXPECT_EQ(random[0], got[0]);
    for (std::size_t p = 0; p < 50; ++p) {  // between sensors: s is smooth
      const double y = random[1][p], at = y * 800;
      const std::size_t i = std::min<std::size_t>(799, std::size_t(at));
      const double share = at - double(i), linear = (1 - share) * got[1][i] + share * got[1][i + 1];
      const double bend = (got[0][i + 1] - got[0][i]) / 800 * share * (1 - share) / 2;
      EXPECT_NEAR(random[2][p], linear - bend, 1e-7);
    }
    options.aligned = true;
  }
}

TEST(AntiderivativeRecipe, HasTheCovarianceOfTheKernel) {
  const auto generator = make_generator("antiderivative", {"grid=6", "length=0.3"});
  constexpr int samples = 3000;
  double own = 0, near = 0, far = 0;
  for (std::uint64_t n = 0; n < samples; ++n) {
    const auto u = sample(*generator, 8, n)[0];
    own += u[1] * u[1] / samples;
    near += u[1] * u[2] / samples;
    far += u[0] * u[5] / samples;
  }
  const double allowed = 5.3 * std::sqrt(2.0 / samples);  // of 1 for 1 in 10⁷ times
  EXPECT_NEAR(own, 1, allowed);
  EXPECT_NEAR(near, std::exp(-0.04 / 0.18), allowed);
  EXPECT_NEAR(far, std::exp(-1 / 0.18), allowed);
}

}  // namespace
}  // namespace sobolev
