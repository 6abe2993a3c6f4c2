// SPDX-License-Identifier: Apache-2.0
#include "collocation_basis.hpp"

#include <cmath>
#include <numbers>

namespace sobolev::detail {
namespace {
constexpr double pi = std::numbers::pi;
}

AxisBasis::AxisBasis(double low, double high, bool periodic, int count)
    : low_(low), high_(high), periodic_(periodic), count_(periodic ? count | 1 : count) {
  const int n = count_ + (count_ + 1) / 2;
  for (int i = 0; i < n; ++i)
    nodes_.push_back(periodic ? low + (high - low) * i / n
                              : low + (high - low) * 0.5 * (1 - std::cos(pi * (i + 0.5) / n)));
}

std::vector<double> AxisBasis::table(const std::vector<double>& points, int order) const {
  const auto k = std::size_t(count_);
  std::vector<double> out(points.size() * k);
  const double unit = (periodic_ ? 2 * pi : 2) / (high_ - low_);
  std::vector<double> rows(std::size_t(order + 1) * k);  // of a point: derivatives up to the order
  for (std::size_t i = 0; i < points.size(); ++i) {
    double* const at = out.data() + i * k;
    if (periodic_) {
      const double angle = unit * (points[i] - low_);
      at[0] = order == 0 ? 1 : 0;
      for (std::size_t m = 1; 2 * m < k + 1; ++m) {
        const double size = std::pow(unit * double(m), order), phase = double(m) * angle + order * pi / 2;
        at[2 * m - 1] = size * std::cos(phase);
        at[2 * m] = size * std::sin(phase);
      }
      continue;
    }
    const double x = unit * (points[i] - low_) - 1;
    for (int r = 0; r <= order; ++r) {
      double* const row = rows.data() + std::size_t(r) * k;
      const double* const lower = r > 0 ? row - k : nullptr;
      row[0] = r == 0 ? 1 : 0;
      if (k > 1) row[1] = r == 0 ? x : r == 1 ? 1 : 0;
      for (std::size_t n = 2; n < k; ++n)
        row[n] = 2 * x * row[n - 1] + (r > 0 ? 2 * r * lower[n - 1] : 0) - row[n - 2];
    }
    const double size = std::pow(unit, order);
    for (std::size_t n = 0; n < k; ++n) at[n] = size * rows[std::size_t(order) * k + n];
  }
  return out;
}

std::vector<double> AxisBasis::projection() const {
  const std::vector<double> values = table(nodes_, 0);
  const std::size_t k = std::size_t(count_), n = nodes_.size();
  std::vector<double> out(k * n);
  for (std::size_t m = 0; m < k; ++m)
    for (std::size_t i = 0; i < n; ++i) out[m * n + i] = values[i * k + m] * (m == 0 ? 1.0 : 2.0) / double(n);
  return out;
}

}  // namespace sobolev::detail
