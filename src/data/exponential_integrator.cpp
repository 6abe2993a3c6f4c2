// SPDX-License-Identifier: Apache-2.0
#include "src/data/exponential_integrator.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace sobolev::detail {

ExponentialIntegrator::ExponentialIntegrator(std::vector<Complex> linear, Nonlinear nonlinear)
    : linear_(std::move(linear)),
      nonlinear_(std::move(nonlinear)),
      a_(linear_.size()),
      b_(linear_.size()),
      n0_(linear_.size()),
      na_(linear_.size()),
      nb_(linear_.size()) {}

const ExponentialIntegrator::Coefficients& ExponentialIntegrator::coefficients(double h) {
  // Steps that differ by rounding only share their coefficients.
  const auto near = known_.lower_bound(h * (1 - 1e-12));
  if (near != known_.end() && near->first <= h * (1 + 1e-12)) return near->second;
  if (known_.size() > 64) known_.clear();

  Coefficients& c = known_[h];
  const std::size_t n = linear_.size();
  for (auto* part : {&c.full, &c.half}) part->resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    c.full[i] = std::exp(h * linear_[i]);
    c.half[i] = std::exp(0.5 * h * linear_[i]);
  }
  if (!nonlinear_) return c;
  // The φ functions cancel near 0, so they are means over a circle around hL (Kassam & Trefethen 2005).
  constexpr int nodes = 32;
  std::array<Complex, nodes> circle;
  for (int j = 0; j < nodes; ++j)
    circle[std::size_t(j)] = std::polar(1.0, 2 * std::numbers::pi * (j + 0.5) / nodes);
  for (auto* part : {&c.q, &c.f1, &c.f2, &c.f3}) part->assign(n, Complex{});
  for (std::size_t i = 0; i < n; ++i) {
    const Complex z0 = h * linear_[i];
    if (std::abs(z0) > 30) {  // far from 0 nothing cancels
      const Complex e = c.full[i], e2 = c.half[i], z = z0, z3 = 1.0 / (z * z * z);
      c.q[i] = h * (e2 - 1.0) / z;
      c.f1[i] = h * (-4.0 - z + e * (4.0 - 3.0 * z + z * z)) * z3;
      c.f2[i] = h * (2.0 + z + e * (z - 2.0)) * z3;
      c.f3[i] = h * (-4.0 - 3.0 * z - z * z + e * (4.0 - z)) * z3;
      continue;
    }
    for (const Complex& r : circle) {
      const Complex z = z0 + r, e = std::exp(z), z3 = 1.0 / (z * z * z);
      c.q[i] += (std::exp(0.5 * z) - 1.0) / z;
      c.f1[i] += (-4.0 - z + e * (4.0 - 3.0 * z + z * z)) * z3;
      c.f2[i] += (2.0 + z + e * (z - 2.0)) * z3;
      c.f3[i] += (-4.0 - 3.0 * z - z * z + e * (4.0 - z)) * z3;
    }
    for (auto* part : {&c.q, &c.f1, &c.f2, &c.f3}) (*part)[i] *= h / nodes;
  }
  return c;
}

void ExponentialIntegrator::advance(std::vector<Complex>& v, double t, double h, long steps) {
  if (!nonlinear_) {
    const Coefficients& c = coefficients(h * double(steps));
    for (std::size_t i = 0; i < v.size(); ++i) v[i] = times(c.full[i], v[i]);
    return;
  }
  const Coefficients& c = coefficients(h);
  const std::size_t n = v.size();
  for (long step = 0; step < steps; ++step) {
    const double now = t + double(step) * h;
    nonlinear_(v.data(), now, n0_.data());
    for (std::size_t i = 0; i < n; ++i) a_[i] = times(c.half[i], v[i]) + times(c.q[i], n0_[i]);
    nonlinear_(a_.data(), now + 0.5 * h, na_.data());
    for (std::size_t i = 0; i < n; ++i) b_[i] = times(c.half[i], v[i]) + times(c.q[i], na_[i]);
    nonlinear_(b_.data(), now + 0.5 * h, nb_.data());
    for (std::size_t i = 0; i < n; ++i) {
      na_[i] += nb_[i];
      a_[i] = times(c.half[i], a_[i]) + times(c.q[i], 2.0 * nb_[i] - n0_[i]);
      v[i] = times(c.full[i], v[i]) + times(c.f1[i], n0_[i]) + 2.0 * times(c.f2[i], na_[i]);
    }
    nonlinear_(a_.data(), now + h, nb_.data());
    for (std::size_t i = 0; i < n; ++i) v[i] += times(c.f3[i], nb_[i]);
  }
}

}  // namespace sobolev::detail
