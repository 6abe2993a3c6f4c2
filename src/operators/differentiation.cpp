// SPDX-License-Identifier: Apache-2.0
#include "src/operators/differentiation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "sobolev/core/error.hpp"

namespace sobolev::detail {
namespace {
std::vector<double> periodic_matrix(const GridAxis& axis, int derivative) {
  const long n = long(axis.points);
  const double unit = 2 * std::numbers::pi / (axis.high - axis.low);
  // (iκ)^p e^{iθ} + its conjugate, of frequencies 1 … n/2.
  std::vector<double> row(axis.points, 0);
  for (long k = 1; 2 * k <= n; ++k) {
    const bool highest = 2 * k == n;
    if (highest && derivative % 2 == 1) continue;
    const double size = std::pow(unit * double(k), derivative) * (highest ? 1 : 2) / double(n) *
                        (derivative % 4 < 2 ? 1 : -1);
    for (long j = 0; j < n; ++j) {
      const double angle = 2 * std::numbers::pi * double(j * k % n) / double(n);
      row[std::size_t(j)] += size * (derivative % 2 == 0 ? std::cos(angle) : -std::sin(angle));
    }
  }
  std::vector<double> matrix(axis.points * axis.points);
  for (long i = 0; i < n; ++i)
    for (long j = 0; j < n; ++j) matrix[std::size_t(i * n + j)] = row[std::size_t((i - j + n) % n)];
  return matrix;
}
}  // namespace

std::vector<double> difference_weights(const std::vector<double>& x, double at, int derivative) {
  const std::size_t n = x.size(), orders = std::size_t(derivative) + 1;
  std::vector<double> c(n * orders, 0);  // weights of all derivatives up to this one
  c[0] = 1;
  double before = 1;
  for (std::size_t i = 1; i < n; ++i) {
    double product = 1;
    const double here = x[i] - at, last = x[i - 1] - at;
    for (std::size_t j = 0; j < i; ++j) {
      const double apart = x[i] - x[j];
      product *= apart;
      if (j == i - 1)
        for (std::size_t m = std::min(i, orders - 1) + 1; m-- > 0;)
          c[i * orders + m] =
              before / product *
              ((m > 0 ? double(m) * c[(i - 1) * orders + m - 1] : 0) - last * c[(i - 1) * orders + m]);
      for (std::size_t m = std::min(i, orders - 1) + 1; m-- > 0;)
        c[j * orders + m] =
            (here * c[j * orders + m] - (m > 0 ? double(m) * c[j * orders + m - 1] : 0)) / apart;
    }
    before = product;
  }
  std::vector<double> weights(n);
  for (std::size_t i = 0; i < n; ++i) weights[i] = c[i * orders + orders - 1];
  return weights;
}

std::vector<double> differentiation_matrix(const GridAxis& axis, int derivative, int accuracy) {
  require(derivative >= 1 && derivative <= 8,
          [&] { return fmt::format("a derivative of order {}; from 1 to 8", derivative); });
  require(axis.high > axis.low, "a grid's axis needs ends in ascending order");
  if (axis.periodic) {
    require(axis.points > std::size_t(derivative), [&] {
      return fmt::format("{} points are too few for a derivative of order {}", axis.points, derivative);
    });
    return periodic_matrix(axis, derivative);
  }
  require(accuracy == 2 || accuracy == 4,
          [&] { return fmt::format("finite differences of order {}; it must be 2 or 4", accuracy); });
  // Symmetric windows gain an order for even derivatives.
  const std::size_t inside = std::size_t(derivative + accuracy - 1) | 1u,
                    outside = std::size_t(derivative + accuracy), n = axis.points;
  require(n >= std::max(inside, outside), [&] {
    return fmt::format(
        "{} points are too few for a derivative of order {} by differences of order {}, which needs {}", n,
        derivative, accuracy, std::max(inside, outside));
  });
  std::vector<double> matrix(n * n, 0);
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t half = inside / 2;
    const bool symmetric = i >= half && i + half < n;
    const std::size_t width = symmetric ? inside : outside;
    const std::size_t first = symmetric ? i - half : std::min(i > width / 2 ? i - width / 2 : 0, n - width);
    std::vector<double> x;
    for (std::size_t k = 0; k < width; ++k) x.push_back(double(first + k) - double(i));
    const std::vector<double> w = difference_weights(x, 0, derivative);
    for (std::size_t k = 0; k < width; ++k)
      matrix[i * n + first + k] = w[k] / std::pow(axis.step(), derivative);
  }
  return matrix;
}

}  // namespace sobolev::detail
