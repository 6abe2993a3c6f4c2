// SPDX-License-Identifier: Apache-2.0
// Flow on the torus: exact solutions, sums over triads, conservation, doubled resolution.
#include "src/data/vorticity.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "sobolev/core/random.hpp"

namespace sobolev::detail {
namespace {
using std::numbers::pi;
using Modes = std::vector<Complex>;

Modes random_vorticity(ModeRange range, std::uint64_t stream, double sigma = 40) {
  Modes w(range.size());
  sample_modes(Philox(11, stream), {sigma, 7, 2.5}, false, range, w.data());
  return w;
}

double distance(const Modes& a, const Modes& b) {
  double change = 0, norm = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    change += std::norm(a[k] - b[k]);
    norm += std::norm(b[k]);
  }
  return std::sqrt(change / norm);
}

TEST(Vorticity, TaylorGreenVorticesDecayExactly) {
  constexpr double nu = 0.01, t = 2;
  Vorticity flow(24, nu, 0);
  Modes w(flow.range().size());
  for (const int k0 : {-2, 2}) w[flow.range().at(k0, 2)] = 3;  // 12 cos 4πx cos 4πy
  Modes want = w;
  for (Complex& c : want) c *= std::exp(-nu * 8 * 4 * pi * pi * t);
  ASSERT_TRUE(flow.advance(w, t, 0.5, nullptr));
  EXPECT_LT(distance(w, want), 1e-12);
}

TEST(Vorticity, TheForcingAloneMakesAShear) {
  constexpr double nu = 0.01, t = 3, forcing = 0.1, decay = nu * 8 * pi * pi;
  Vorticity flow(16, nu, forcing);
  Modes w(flow.range().size());
  ASSERT_TRUE(flow.advance(w, t, 0.5, nullptr));
  const double size = (1 - std::exp(-decay * t)) / decay;
  std::vector<double> values(9 * 9);
  ModeValues({9, 9})(flow.range(), w.data(), values.data());
  for (int i = 0; i < 9; ++i)
    for (int j = 0; j < 9; ++j) {
      const double angle = 2 * pi * (i + j) / 9.0;
      EXPECT_NEAR(values[std::size_t(9 * i + j)], size * forcing * (std::sin(angle) + std::cos(angle)),
                  1e-12);
    }
}

// dw_k/dt = −Σ_{p+q=k} (v_p · 2πi q) w_q − ν (2π|k|)² w_k + f_k over all modes that are kept, in loops.
TEST(Vorticity, FollowsTheSumsOverItsModes) {
  constexpr double nu = 0.002, t = 0.5, forcing = 0.3;
  Vorticity flow(12, nu, forcing);
  const ModeRange range = flow.range();
  ASSERT_EQ(range.k0, 3);
  const Modes start = random_vorticity(range, 1, 400);
  const auto full = [&](const Modes& w, int k0, int k1) {
    return k1 >= 0 ? w[range.at(k0, k1)] : std::conj(w[range.at(-k0, -k1)]);
  };
  const auto rate = [&](const Modes& w) {
    Modes out(w.size());
    for (int k0 = -3; k0 <= 3; ++k0)
      for (int k1 = 0; k1 <= 3; ++k1) {
        Complex sum = -nu * 4 * pi * pi * (k0 * k0 + k1 * k1) * full(w, k0, k1);
        for (int p0 = -3; p0 <= 3; ++p0)
          for (int p1 = -3; p1 <= 3; ++p1) {
            const int q0 = k0 - p0, q1 = k1 - p1;
            if ((p0 == 0 && p1 == 0) || std::abs(q0) > 3 || std::abs(q1) > 3) continue;
            // v_p = i (p1, −p0) w_p/(2π|p|²), so that 2πi v_p·q = −(p1 q0 − p0 q1) w_p/|p|²
            sum += double(p1 * q0 - p0 * q1) / double(p0 * p0 + p1 * p1) * full(w, p0, p1) * full(w, q0, q1);
          }
        if (k0 == 1 && k1 == 1) sum += Complex(forcing / 2, -forcing / 2);
        out[range.at(k0, k1)] = sum;
      }
    return out;
  };
  Modes want = start;
  constexpr int steps = 200;
  const auto moved = [&](const Modes& by, double h) {
    Modes out = want;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] += h * by[i];
    return out;
  };
  for (int n = 0; n < steps; ++n) {
    constexpr double h = t / steps;
    const Modes a = rate(want), b = rate(moved(a, h / 2)), c = rate(moved(b, h / 2)), d = rate(moved(c, h));
    for (std::size_t i = 0; i < want.size(); ++i) want[i] += h / 6 * (a[i] + 2.0 * b[i] + 2.0 * c[i] + d[i]);
  }
  Modes got = start;
  ASSERT_TRUE(flow.advance(got, t, 0.02, nullptr));
  EXPECT_GT(distance(start, want), 0.05);  // something happened
  EXPECT_LT(distance(got, want), 1e-8);
}

TEST(Vorticity, WithoutViscosityEnergyAndEnstrophyStay) {
  Vorticity flow(32, 0, 0);
  const Modes start = random_vorticity(flow.range(), 2, 400);
  double before = 0;
  for (const double cfl : {0.4, 0.1}) {
    Modes w = start;
    ASSERT_TRUE(flow.advance(w, 1, cfl, nullptr));
    EXPECT_GT(distance(w, start), 0.05);
    EXPECT_EQ(w[flow.range().at(0, 0)], Complex{});  // the mean
    const double energy = std::abs(flow.energy(w) / flow.energy(start) - 1);
    const double enstrophy = std::abs(flow.enstrophy(w) / flow.enstrophy(start) - 1);
    EXPECT_LT(energy, 2e-5);
    EXPECT_LT(enstrophy, 2e-4);
    if (before > 0) {
      EXPECT_LT(enstrophy, before / 100);  // a quarter of the step, fourth order
    }
    before = enstrophy;
  }
}

TEST(Vorticity, DoublingTheResolutionChangesNothingThatIsResolved) {
  constexpr double nu = 2e-3;
  Vorticity coarse(64, nu, 0.1), fine(128, nu, 0.1);
  Modes w = random_vorticity(coarse.range(), 3, 40), finer(fine.range().size()), back(w.size());
  copy_modes(coarse.range(), w.data(), fine.range(), finer.data());
  ASSERT_TRUE(coarse.advance(w, 2, 0.5, nullptr));
  ASSERT_TRUE(fine.advance(finer, 2, 0.5, nullptr));
  copy_modes(fine.range(), finer.data(), coarse.range(), back.data());
  EXPECT_LT(distance(w, back), 1e-6);
}

TEST(Vorticity, StopsWhenAsked) {
  Vorticity flow(16, 0.01, 0.1);
  Modes w(flow.range().size());
  const std::atomic<bool> stop = true;
  EXPECT_FALSE(flow.advance(w, 1, 0.5, &stop));
}

}  // namespace
}  // namespace sobolev::detail
