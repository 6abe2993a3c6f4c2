// SPDX-License-Identifier: Apache-2.0
#include "sobolev/optim/hessian_spectrum.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sobolev/core/error.hpp"
#include "sobolev/core/random.hpp"

namespace sobolev {
namespace {
constexpr double step = 1e-5;        // of a difference, beside |θ|
constexpr double exhausted = 1e-10;  // of the largest coefficient: the space is invariant
constexpr std::uint64_t probe_stream = 600;
constexpr int most_sweeps = 60;

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

struct Eigen {
  std::vector<double> values, first;  // first: component 1 of each vector
};
/// Of the symmetric tridiagonal matrix with these diagonals, by cyclic Jacobi rotations.
Eigen eigen(const std::vector<double>& diagonal, const std::vector<double>& beside) {
  const std::size_t m = diagonal.size();
  std::vector<double> a(m * m, 0.0), first(m, 0.0);
  double size = 0;
  for (std::size_t i = 0; i < m; ++i) {
    a[i * m + i] = diagonal[i];
    if (i + 1 < m) a[i * m + i + 1] = a[(i + 1) * m + i] = beside[i];
    size = std::max({size, std::abs(diagonal[i]), i + 1 < m ? std::abs(beside[i]) : 0.0});
  }
  first[0] = 1;  // row 1 of the product of all rotations
  for (int sweep = 0; sweep < most_sweeps; ++sweep) {
    double off = 0;
    for (std::size_t p = 0; p < m; ++p)
      for (std::size_t q = p + 1; q < m; ++q) {
        const double apq = a[p * m + q];
        off = std::max(off, std::abs(apq));
        if (std::abs(apq) <= 1e-18 * size) continue;
        const double theta = (a[q * m + q] - a[p * m + p]) / (2 * apq);
        const double t = (theta >= 0 ? 1 : -1) / (std::abs(theta) + std::hypot(theta, 1.0));
        const double c = 1 / std::hypot(t, 1.0), s = t * c;
        for (std::size_t k = 0; k < m; ++k) {
          const double akp = a[k * m + p], akq = a[k * m + q];
          a[k * m + p] = c * akp - s * akq;
          a[k * m + q] = s * akp + c * akq;
        }
        for (std::size_t k = 0; k < m; ++k) {
          const double apk = a[p * m + k], aqk = a[q * m + k];
          a[p * m + k] = c * apk - s * aqk;
          a[q * m + k] = s * apk + c * aqk;
        }
        const double fp = first[p], fq = first[q];
        first[p] = c * fp - s * fq;
        first[q] = s * fp + c * fq;
      }
    if (off <= 1e-15 * size) break;
  }
  Eigen out{{}, std::move(first)};
  for (std::size_t i = 0; i < m; ++i) out.values.push_back(a[i * m + i]);
  return out;
}
}  // namespace

HessianSpectrum hessian_spectrum(Objective<double, Cpu>& objective, View<const double, 1> parameters,
                                 const HessianSpectrumOptions& options) {
  const std::size_t p = objective.parameters();
  require(parameters.size() == p, "hessian_spectrum: parameters of another network");
  require(options.steps >= 1 && options.probes >= 1, "hessian_spectrum: steps and probes must be positive");
  std::vector<double> theta(parameters.begin(), parameters.end()), at(p), plus(p), minus(p);
  const double h = step * (1 + std::sqrt(dot(theta, theta)));
  const auto product = [&](const std::vector<double>& v) {
    for (std::size_t i = 0; i < p; ++i) at[i] = theta[i] + h * v[i];
    objective.loss_gradient(View<const double, 1>(at.data(), p), View<double, 1>(plus.data(), p));
    for (std::size_t i = 0; i < p; ++i) at[i] = theta[i] - h * v[i];
    objective.loss_gradient(View<const double, 1>(at.data(), p), View<double, 1>(minus.data(), p));
    std::vector<double> out(p);
    for (std::size_t i = 0; i < p; ++i) out[i] = (plus[i] - minus[i]) / (2 * h);
    return out;
  };
  std::vector<std::pair<double, double>> found;  // λ, ω
  for (int probe = 0; probe < options.probes; ++probe) {
    const Philox random(options.seed, probe_stream + std::uint64_t(probe));
    std::vector<std::vector<double>> basis(1, std::vector<double>(p));
    for (std::size_t i = 0; i < p; ++i) basis[0][i] = random.normal(i);
    const double norm = std::sqrt(dot(basis[0], basis[0]));
    for (double& v : basis[0]) v /= norm;
    std::vector<double> diagonal, beside;
    double size = 0;
    for (int m = 0; m < options.steps && m < int(p); ++m) {
      std::vector<double> w = product(basis.back());
      diagonal.push_back(dot(w, basis.back()));
      // Twice is enough.
      for (int again = 0; again < 2; ++again)
        for (const std::vector<double>& q : basis) {
          const double along = dot(w, q);
          for (std::size_t i = 0; i < p; ++i) w[i] -= along * q[i];
        }
      const double length = std::sqrt(dot(w, w));
      size = std::max({size, std::abs(diagonal.back()), length});
      if (!(length > exhausted * size) || m + 1 == options.steps || m + 1 == int(p)) break;
      beside.push_back(length);
      for (double& v : w) v /= length;
      basis.push_back(std::move(w));
    }
    const Eigen e = eigen(diagonal, beside);
    for (std::size_t k = 0; k < e.values.size(); ++k)
      found.emplace_back(e.values[k], e.first[k] * e.first[k] / options.probes);
  }
  std::sort(found.begin(), found.end());
  HessianSpectrum out;
  for (const auto& [value, weight] : found) {
    out.eigenvalues.push_back(value);
    out.weights.push_back(weight);
    out.trace += double(p) * value * weight;
  }
  out.smallest = out.eigenvalues.front();
  out.largest = out.eigenvalues.back();
  return out;
}

}  // namespace sobolev
