// SPDX-License-Identifier: Apache-2.0
// The oracle composes polynomials in long double by the definition, with derivatives of the activations
// from their own closed forms; the adjoint multiplies by σ'(z). Finite differences check the oracle's
// idea of the adjoint.
#include "sobolev/jet/activation.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "tests/jet/polynomials.hpp"
#include "tests/support.hpp"

namespace sobolev {
namespace {

using test::Polynomial;
using test::Real;

constexpr Activation activations[] = {Activation::tanh,  Activation::sin,      Activation::gelu,
                                      Activation::swish, Activation::softplus, Activation::exponential};

/// p(f), p'(f)(c_1 f + c_2 f² + c_0), …: derivatives of f where f' = c_0 + c_1 f + c_2 f².
std::vector<Real> of_riccati(Real f, Real c0, Real c1, Real c2, int n) {
  std::vector<Real> p{0, 1}, values;
  for (int k = 0; k <= n; ++k) {
    Real value = 0;
    for (std::size_t i = p.size(); i-- > 0;) value = value * f + p[i];
    values.push_back(value);
    std::vector<Real> next(p.size() + 1);
    for (std::size_t i = 1; i < p.size(); ++i) {
      next[i - 1] += Real(i) * p[i] * c0;
      next[i] += Real(i) * p[i] * c1;
      next[i + 1] += Real(i) * p[i] * c2;
    }
    p = next;
  }
  return values;
}

/// σ, σ', …, σ^(n) at z.
std::vector<Real> derivatives(Activation activation, Real z, int n) {
  const Real pi = 3.14159265358979323846264338L;
  const std::vector<Real> logistic = of_riccati(1 / (1 + std::exp(-z)), 0, 1, -1, n);
  std::vector<Real> s(std::size_t(n) + 1);
  // (z f)^(k) = z f^(k) + k f^(k-1)
  const auto times_z = [&](const std::vector<Real>& f) {
    for (std::size_t k = 0; k < s.size(); ++k) s[k] = z * f[k] + (k > 0 ? Real(k) * f[k - 1] : 0);
  };
  switch (activation) {
    case Activation::tanh: return of_riccati(std::tanh(z), 1, 0, -1, n);
    case Activation::sin:
      for (std::size_t k = 0; k < s.size(); ++k) s[k] = std::sin(z + Real(k) * pi / 2);
      break;
    case Activation::swish: times_z(logistic); break;
    case Activation::exponential:
      for (Real& v : s) v = std::exp(z);
      break;
    case Activation::softplus:
      s[0] = std::log1p(std::exp(z));
      for (std::size_t k = 1; k < s.size(); ++k) s[k] = logistic[k - 1];
      break;
    case Activation::gelu: {
      // Φ^(k+1) = (−1)^k He_k(z) φ(z)
      std::vector<Real> phi{std::erfc(-z / std::sqrt(Real(2))) / 2}, hermite{1, z};
      const Real density = std::exp(-z * z / 2) / std::sqrt(2 * pi);
      for (std::size_t k = 0; k + 1 < s.size(); ++k) {
        if (k >= 2) hermite.push_back(z * hermite[k - 1] - Real(k - 1) * hermite[k - 2]);
        phi.push_back((k % 2 == 0 ? 1 : -1) * hermite[k] * density);
      }
      times_z(phi);
    }
  }
  return s;
}

/// f(z) = Σ_k f_k (z − z_0)^k / k!; or the sum of the sizes of all terms, f_k/k! taken as 1/8 at least.
Polynomial compose(const std::vector<Real>& f, Polynomial z, bool sizes) {
  z[MultiIndex{}] = 0;
  Polynomial power = z, sum = z;
  for (auto& [alpha, value] : z)
    if (sizes) value = std::abs(value);
  for (auto& [alpha, value] : power) value = alpha == MultiIndex{};
  for (auto& [alpha, value] : sum) value = 0;
  Real inverse_factorial = 1;
  for (std::size_t k = 0; k < f.size(); ++k) {
    if (k > 0) {
      power = test::multiply(power, z);
      inverse_factorial /= Real(k);
    }
    const Real factor =
        sizes ? std::max(std::abs(f[k]) * inverse_factorial, Real(0.125)) : f[k] * inverse_factorial;
    for (auto& [alpha, value] : sum) value += factor * power[alpha];
  }
  return sum;
}

/// A polynomial that is 1 in channel k and 0 in the others.
Polynomial unit(const JetSpec& spec, int k) {
  Polynomial p = test::zero(spec);
  const JetTerm& term = spec.terms(k)[0];
  p[term.alpha] = spec.collapsed(k) ? 1 / Real(term.coefficient * term.alpha.factorial()) : 1;
  return p;
}

template <class B>
class ActivationTest : public test::OnBackEnd<B> {};
TYPED_TEST_SUITE(ActivationTest, test::BackEnds, test::BackEndNames);

TYPED_TEST(ActivationTest, ForwardAndBackwardFollowTheDefinition) {
  using T = typename TypeParam::Scalar;
  const auto& device = test::executor<typename TypeParam::Executor>();
  const Real bound = 32 * Real(std::numeric_limits<T>::epsilon());
  for (const auto& [name, spec] : test::jet_specs())
    for (const Activation activation : activations) {
      const std::size_t n = 19, k = std::size_t(spec.channels());
      std::vector<Polynomial> points;
      test::Guarded<TypeParam> z(k * n), y(k * n), y_bar(k * n, 3), z_bar(k * n);
      for (std::size_t i = 0; i < n; ++i) {
        points.push_back(test::random_polynomial<T>(spec, 100 + i));
        for (int c = 0; c < spec.channels(); ++c)
          z[std::size_t(c) * n + i] = T(test::channel(spec, c, points[i]));
      }
      activation_forward<T>(device, activation, spec, z.cview(k, n), y.view(k, n));
      activation_backward<T>(device, activation, spec, z.cview(k, n), y.cview(k, n), y_bar.cview(k, n),
                             z_bar.view(k, n));
      for (std::size_t i = 0; i < n; ++i) {
        const std::vector<Real> sigma = derivatives(activation, points[i].at(MultiIndex{}), spec.order() + 1);
        const std::vector<Real> value(sigma.begin(), sigma.end() - 1), slope(sigma.begin() + 1, sigma.end());
        const Polynomial want = compose(value, points[i], false), size = compose(value, points[i], true);
        const Polynomial d = compose(slope, points[i], false), d_size = compose(slope, points[i], true);
        for (int c = 0; c < spec.channels(); ++c) {
          const std::size_t at = std::size_t(c) * n + i;
          ASSERT_LE(std::abs(Real(y[at]) - test::channel(spec, c, want)),
                    bound * (1 + test::channel_size(spec, c, size)))
              << name << ", activation " << int(activation) << ", channel " << c << ", point " << i;
          Real adjoint = 0, adjoint_size = 0;
          const Polynomial dy = test::multiply(d, unit(spec, c));
          Polynomial unit_size = unit(spec, c);
          for (auto& [alpha, v] : unit_size) v = std::abs(v);
          const Polynomial dy_size = test::multiply(d_size, unit_size);
          for (int out = 0; out < spec.channels(); ++out) {
            const Real bar = Real(y_bar[std::size_t(out) * n + i]);
            adjoint += bar * test::channel(spec, out, dy);
            adjoint_size += std::abs(bar) * test::channel_size(spec, out, dy_size);
          }
          ASSERT_LE(std::abs(Real(z_bar[at]) - adjoint), bound * (1 + adjoint_size))
              << name << ", activation " << int(activation) << ", adjoint of channel " << c << ", point "
              << i;
        }
      }
    }
}

TYPED_TEST(ActivationTest, AnySizeAnyThreadsAndInPlaceGiveTheSame) {
  using T = typename TypeParam::Scalar;
  const auto& device = test::executor<typename TypeParam::Executor>();
  for (const auto& [name, spec] : test::jet_specs()) {
    const std::size_t k = std::size_t(spec.channels()), most = 257;
    test::Guarded<TypeParam> z(k * most, 1), y(k * most), y_bar(k * most, 2), z_bar(k * most);
    activation_forward<T>(device, Activation::tanh, spec, z.cview(k, most), y.view(k, most));
    activation_backward<T>(device, Activation::tanh, spec, z.cview(k, most), y.cview(k, most),
                           y_bar.cview(k, most), z_bar.view(k, most));
    for (const std::size_t n : {0, 1, 31, 32, 33, 257}) {
      test::Guarded<TypeParam> part(k * n), out(k * n), bar(k * n);
      for (std::size_t c = 0; c < k; ++c)
        for (std::size_t i = 0; i < n; ++i) {
          part[c * n + i] = z[c * most + i];
          bar[c * n + i] = y_bar[c * most + i];
        }
      activation_forward<T>(device, Activation::tanh, spec, part.cview(k, n), out.view(k, n));
      activation_backward<T>(device, Activation::tanh, spec, part.cview(k, n), out.cview(k, n),
                             bar.cview(k, n), bar.view(k, n));
      activation_forward<T>(device, Activation::tanh, spec, part.cview(k, n), part.view(k, n));
      for (std::size_t c = 0; c < k; ++c)
        for (std::size_t i = 0; i < n; ++i) {
          ASSERT_EQ(out[c * n + i], y[c * most + i]) << name << " size " << n;
          ASSERT_EQ(part[c * n + i], y[c * most + i]) << name << " in place, size " << n;
          ASSERT_EQ(bar[c * n + i], z_bar[c * most + i]) << name << " adjoint in place, size " << n;
        }
    }
  }
}

TEST(Activation, BackwardMatchesFiniteDifferencesOfForward) {
  const Cpu cpu(1);
  const double h = 1e-5;
  for (const auto& [name, spec] : test::jet_specs())
    for (const Activation activation : activations) {
      const std::size_t n = 5, k = std::size_t(spec.channels());
      test::Guarded<double> z(k * n, 4, 0.7), y(k * n), up(k * n), down(k * n), y_bar(k * n, 5), z_bar(k * n);
      activation_forward<double>(cpu, activation, spec, z.cview(k, n), y.view(k, n));
      activation_backward<double>(cpu, activation, spec, z.cview(k, n), y.cview(k, n), y_bar.cview(k, n),
                                  z_bar.view(k, n));
      for (std::size_t c = 0; c < k; ++c) {
        for (std::size_t i = 0; i < n; ++i) z[c * n + i] += h;
        activation_forward<double>(cpu, activation, spec, z.cview(k, n), up.view(k, n));
        for (std::size_t i = 0; i < n; ++i) z[c * n + i] -= 2 * h;
        activation_forward<double>(cpu, activation, spec, z.cview(k, n), down.view(k, n));
        for (std::size_t i = 0; i < n; ++i) {
          z[c * n + i] += h;
          double want = 0, size = 0;
          for (std::size_t out = 0; out < k; ++out) {
            const std::size_t at = out * n + i;
            want += y_bar[at] * (up[at] - down[at]) / (2 * h);
            size += std::abs(y_bar[at]) * (std::abs(up[at]) + std::abs(want));
          }
          EXPECT_NEAR(z_bar[c * n + i], want, 1e-7 * (1 + size))
              << name << ", activation " << int(activation) << ", channel " << c;
        }
      }
    }
}

TEST(Activation, StaysFiniteFarOut) {
  const JetSpec spec = test::jet_specs()[5].spec;  // heat
  for (const Activation activation : activations)
    for (const float far : {-1e4f, -100.f, 100.f, 1e4f}) {
      if (activation == Activation::exponential && far > 0) continue;  // e^100 is no float
      std::vector<float> z{far, 1, 1, 1}, y(4), bar{1, 1, 1, 1}, z_bar(4);
      activation_forward<float>(Cpu(1), activation, spec, View<const float, 2>(z.data(), 4, 1),
                                View<float, 2>(y.data(), 4, 1));
      activation_backward<float>(Cpu(1), activation, spec, View<const float, 2>(z.data(), 4, 1),
                                 View<const float, 2>(y.data(), 4, 1), View<const float, 2>(bar.data(), 4, 1),
                                 View<float, 2>(z_bar.data(), 4, 1));
      for (std::size_t c = 0; c < 4; ++c) {
        EXPECT_TRUE(std::isfinite(y[c])) << int(activation) << " at " << far;
        EXPECT_TRUE(std::isfinite(z_bar[c])) << int(activation) << " at " << far;
      }
    }
}

TEST(Activation, RefusesWrongShapes) {
  const JetSpec spec = test::jet_specs()[5].spec;
  test::Guarded<double> z(15), y(15);
  const auto forward = [&](std::size_t k, std::size_t n) {
    activation_forward<double>(Cpu(1), Activation::tanh, spec, z.cview(3, 5), y.view(k, n));
  };
  EXPECT_THROW(forward(3, 5), ArgumentError) << "3 channels for a spec of 4";
  EXPECT_THROW(forward(5, 3), ArgumentError);
  try {
    forward(3, 5);
  } catch (const ArgumentError& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr("[3, 5]"));
  }
}

}  // namespace
}  // namespace sobolev
