// SPDX-License-Identifier: Apache-2.0
// Gaussians of full covariance against their closed form, finite differences, and at their limits.
#include <cmath>

#include "sobolev/core/random.hpp"
#include "sobolev/network/network.hpp"
#include "tests/support.hpp"

namespace sobolev {
namespace {
template <class B>
class FullCovariance : public test::OnBackEnd<B> {};
TYPED_TEST_SUITE(FullCovariance, test::BackEnds, test::BackEndNames);
template <class B>
class FullCovarianceInDouble : public test::OnBackEnd<B> {};
TYPED_TEST_SUITE(FullCovarianceInDouble, test::DoubleBackEnds, test::BackEndNames);

MultiIndex index(int first, int second, int third = 0) {
  MultiIndex a;
  a.order[0] = std::uint8_t(first);
  a.order[1] = std::uint8_t(second);
  a.order[2] = std::uint8_t(third);
  return a;
}

/// Jets of coordinates: x : [K, d, N], values uniform in [−1, 1].
template <class X>
void coordinates(const JetSpec& spec, std::size_t d, std::size_t n, X& x) {
  using T = std::remove_reference_t<decltype(x[0])>;
  for (std::size_t i = 0; i < std::size_t(spec.channels()) * d * n; ++i) x[i] = 0;
  for (std::size_t k = 0; k < d; ++k) {
    MultiIndex first;
    first.order[k] = 1;
    const int c = spec.channel_of(first);
    for (std::size_t p = 0; p < n; ++p) {
      x[k * n + p] = T(2 * Philox(3, k).uniform(p) - 1);
      if (c >= 0) x[(std::size_t(c) * d + k) * n + p] = 1;
    }
  }
}

// G = exp(−½ oᵀPo), o = x − μ, P = LᵀL:  ∂_a G = −(Po)_a G,  ∂_a ∂_b G = ((Po)_a (Po)_b − P_ab) G.
TYPED_TEST(FullCovariance, IsItsClosedForm) {
  using T = typename TypeParam::Scalar;
  const MultiIndex needed[] = {index(2, 0), index(1, 1), index(0, 2)};
  const JetSpec spec = JetSpec::closure(2, needed);
  Network network(2);
  network.output(network.gaussian(0, 1, true), 1);
  const std::size_t n = 101, p = network.parameters(), k = std::size_t(spec.channels());
  ASSERT_EQ(p, 7u);
  test::Guarded<TypeParam> theta(p), x(k * 2 * n), y(k * n);
  const double mu[] = {0.2, -0.3}, log_width[] = {-0.4, -0.9}, a = 1.7, w = 0.8;
  const double values[] = {mu[0], mu[1], log_width[0], log_width[1], a, w, 0};
  for (std::size_t i = 0; i < p; ++i) theta[i] = T(values[i]);
  coordinates(spec, 2, n, x);
  network_forward<T>(test::executor_of<TypeParam>(), network, spec, theta.cview(p), x.cview(k, 2, n),
                     y.view(k, 1, n));
  const double r0 = std::exp(-2 * double(theta[2])), r1 = std::exp(-2 * double(theta[3])),
               shear = double(theta[4]);
  const double P[2][2] = {{r0 + r1 * shear * shear, r1 * shear}, {r1 * shear, r1}};
  for (std::size_t i = 0; i < n; ++i) {
    const double o[] = {double(x[i]) - double(theta[0]), double(x[n + i]) - double(theta[1])};
    const double u[] = {P[0][0] * o[0] + P[0][1] * o[1], P[1][0] * o[0] + P[1][1] * o[1]};
    const double g = double(theta[5]) * std::exp(-(o[0] * u[0] + o[1] * u[1]) / 2);
    const auto got = [&](int first, int second) {
      return double(y[std::size_t(spec.channel_of(index(first, second))) * n + i]);
    };
    const double near = 200 * double(std::numeric_limits<T>::epsilon());  // of terms up to 20
    EXPECT_NEAR(got(0, 0), g, near);
    EXPECT_NEAR(got(1, 0), -u[0] * g, near);
    EXPECT_NEAR(got(0, 1), -u[1] * g, near);
    EXPECT_NEAR(got(2, 0), (u[0] * u[0] - P[0][0]) * g / 2, near);
    EXPECT_NEAR(got(1, 1), (u[0] * u[1] - P[0][1]) * g, near);
    EXPECT_NEAR(got(0, 2), (u[1] * u[1] - P[1][1]) * g / 2, near);
  }
}

// ∂/∂μ, ∂/∂log σ and ∂/∂a of sums of values, first and second derivatives, mixed ones too.
TYPED_TEST(FullCovarianceInDouble, AgreesWithFiniteDifferences) {
  for (std::size_t d : {2, 3}) {
    SCOPED_TRACE(d);
    std::vector<MultiIndex> needed{index(2, 0), index(1, 1), index(0, 2)};
    if (d == 3) needed = {index(1, 0, 0), index(0, 2, 0), index(0, 1, 1), index(0, 0, 2)};
    const JetSpec spec = JetSpec::closure(int(d), needed);
    Network network(static_cast<int>(d));
    network.output(network.gaussian(0, 5, true), 1);
    network.output(network.dense(network.gaussian(0, 3, true), 4), 1);
    const std::size_t n = 29, p = network.parameters(), k = std::size_t(spec.channels());
    test::Guarded<TypeParam> theta(p, 1, 0.5), x(k * d * n), seed(k * 2 * n, 3), y(k * 2 * n), gradient(p, 5);
    coordinates(spec, d, n, x);
    const auto& device = test::executor_of<TypeParam>();
    network_backward<double>(device, network, spec, theta.cview(p), x.cview(k, d, n), seed.cview(k, 2, n),
                             gradient.view(p));
    const auto objective = [&] {
      network_forward<double>(device, network, spec, theta.cview(p), x.cview(k, d, n), y.view(k, 2, n));
      double sum = 0;
      for (std::size_t i = 0; i < k * 2 * n; ++i) sum += y[i] * seed[i];
      return sum;
    };
    for (std::size_t i = 0; i < p; ++i) {
      const double at = theta[i], h = 1e-5;
      theta[i] = at + h;
      const double above = objective();
      theta[i] = at - h;
      const double below = objective();
      theta[i] = at;
      EXPECT_NEAR(gradient[i], (above - below) / (2 * h), 1e-6 * (1 + std::abs(gradient[i]))) << i;
    }
  }
}

// No shear is the diagonal model, to rounding; of one input there is none.
TYPED_TEST(FullCovariance, BeginsAsTheDiagonal) {
  using T = typename TypeParam::Scalar;
  const MultiIndex needed[] = {index(2, 0), index(0, 2)};
  const JetSpec spec = JetSpec::closure(2, needed);
  Network full(2), diagonal(2), line(1);
  full.output(full.gaussian(0, 7, true), 1);
  diagonal.output(diagonal.gaussian(0, 7), 1);
  line.output(line.gaussian(0, 7, true), 1);
  EXPECT_EQ(line.parameters(), 22u);
  const std::size_t n = 61, p = full.parameters(), q = diagonal.parameters(),
                    k = std::size_t(spec.channels());
  test::Guarded<TypeParam> theta(q, 1, 0.5), sheared(p), x(k * 2 * n), y(k * n), z(k * n);
  coordinates(spec, 2, n, x);
  for (std::size_t i = 0; i < p; ++i) sheared[i] = i < 28 ? theta[i] : i < 35 ? T(0) : theta[i - 7];
  const auto& device = test::executor_of<TypeParam>();
  network_forward<T>(device, diagonal, spec, theta.cview(q), x.cview(k, 2, n), y.view(k, 1, n));
  network_forward<T>(device, full, spec, sheared.cview(p), x.cview(k, 2, n), z.view(k, 1, n));
  for (std::size_t i = 0; i < k * n; ++i)
    EXPECT_NEAR(double(z[i]), double(y[i]),
                100 * double(std::numeric_limits<T>::epsilon()) * (1 + std::abs(double(y[i]))));
}

// So narrow, so sheared and so near to each other that nothing is left of them, or everything.
TYPED_TEST(FullCovariance, IsFiniteAtItsLimits) {
  using T = typename TypeParam::Scalar;
  const MultiIndex needed[] = {index(2, 0), index(1, 1), index(0, 2)};
  const JetSpec spec = JetSpec::closure(2, needed);
  Network network(2);
  network.output(network.gaussian(0, 6, true), 1);
  const std::size_t n = 50, p = network.parameters(), k = std::size_t(spec.channels());
  test::Guarded<TypeParam> theta(p, 1, 0.5), x(k * 2 * n), seed(k * n, 3), y(k * n), gradient(p);
  coordinates(spec, 2, n, x);
  const auto set = [&](std::size_t row, std::size_t o, double v) { theta[row * 6 + o] = T(v); };
  set(2, 0, -300);  // log σ
  set(2, 1, 80);
  set(3, 2, -80);
  set(4, 2, 1e30);  // a
  set(4, 3, -1e30);
  for (std::size_t row = 0; row < 5; ++row) set(row, 5, double(theta[row * 6 + 4]));  // the same twice
  x[0] = theta[0];                                                                    // at a centre
  x[n] = theta[6];
  const auto& device = test::executor_of<TypeParam>();
  network_forward<T>(device, network, spec, theta.cview(p), x.cview(k, 2, n), y.view(k, 1, n));
  network_backward<T>(device, network, spec, theta.cview(p), x.cview(k, 2, n), seed.cview(k, 1, n),
                      gradient.view(p));
  for (std::size_t i = 0; i < k * n; ++i) EXPECT_TRUE(std::isfinite(y[i])) << i << ": " << y[i];
  for (std::size_t i = 0; i < p; ++i) EXPECT_TRUE(std::isfinite(gradient[i])) << i << ": " << gradient[i];
  for (std::size_t row = 0; row < 5; ++row)
    EXPECT_EQ(gradient[row * 6 + 4] == 0, gradient[row * 6 + 5] == 0) << row;
}
}  // namespace
}  // namespace sobolev
