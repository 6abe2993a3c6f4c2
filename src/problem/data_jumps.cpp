// SPDX-License-Identifier: Apache-2.0
#include "src/problem/data_jumps.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "sobolev/core/random.hpp"
#include "sobolev/expression/jumps.hpp"

namespace sobolev::detail {
namespace {
constexpr int intervals = 256, halvings = 50;
constexpr double noticed = 1e-2,
                 stays = 0.4;  // of the largest value; of a difference that halving does not lower
constexpr double nearest = 1.0 / 600, farthest = 0.1;

/// The data of a condition: what is left of it without unknowns.
Expr data_of(const Condition& condition) {
  const Expr residual = condition.left - condition.right;
  std::vector<std::pair<Expr, Expr>> zero;
  for (const Expr f : fields_of(std::array{residual})) zero.emplace_back(f, Expr(0.0));
  return substitute(residual, zero);
}
}  // namespace

std::vector<double> jumps_on_line(const Problem& problem, Expr e, const std::vector<double>& point,
                                  int coordinate_index) {
  std::vector<std::pair<Expr, double>> at;
  for (std::size_t d = 0; d < point.size(); ++d)
    at.emplace_back(coordinate(problem.coordinates[d].name), point[d]);
  const CoordinateRange& range = problem.coordinates[std::size_t(coordinate_index)];
  const auto value = [&](double x) {
    at[std::size_t(coordinate_index)].second = x;
    return evaluate(e, at);
  };
  std::array<double, intervals + 1> x{}, f{};
  double largest = 0;
  for (int i = 0; i <= intervals; ++i) {
    // Not on round numbers, where jumps are.
    x[std::size_t(i)] =
        range.low + (range.high - range.low) * (i + 1e-6 * std::sqrt(2.0)) / (intervals + 2e-6);
    f[std::size_t(i)] = value(x[std::size_t(i)]);
    if (std::isfinite(f[std::size_t(i)])) largest = std::max(largest, std::abs(f[std::size_t(i)]));
  }
  std::vector<double> jumps;
  for (std::size_t i = 0; i < intervals; ++i) {
    double low = x[i], high = x[i + 1], below = f[i], above = f[i + 1];
    const double difference = std::abs(above - below);
    if (!(difference > noticed * largest)) continue;
    for (int k = 0; k < halvings; ++k) {
      const double middle = 0.5 * (low + high), here = value(middle);
      if (std::abs(here - below) > std::abs(above - here))
        high = middle, above = here;
      else
        low = middle, below = here;
    }
    if (std::abs(above - below) > stays * difference) jumps.push_back(0.5 * (low + high));
  }
  return jumps;
}

void gather_at_jumps(const Problem& problem, const Condition& condition,
                     const std::vector<CoordinateRange>& ranges, unsigned long stream,
                     std::vector<double>& points) {
  const Expr data = data_of(condition);
  if (!piecewise(data)) return;
  std::vector<int> lines;
  for (std::size_t d = 0; d < ranges.size(); ++d)
    if (std::none_of(condition.where.begin(), condition.where.end(),
                     [&](const auto& fixed) { return fixed.first == ranges[d].name; }))
      lines.push_back(int(d));
  if (lines.empty()) return;
  const std::size_t dimensions = ranges.size(), n = points.size() / dimensions;
  const Philox random(problem.training.seed, stream);
  std::vector<double> known;  // with one line there is but one
  for (std::size_t i = 1; i < n; i += 2) {
    const std::size_t d = std::size_t(lines[(i / 2) % lines.size()]);
    std::vector<double> point(points.begin() + std::ptrdiff_t(i * dimensions),
                              points.begin() + std::ptrdiff_t((i + 1) * dimensions));
    if (lines.size() > 1 || i == 1) known = jumps_on_line(problem, data, point, int(d));
    std::vector<double> inside;
    for (const double x : known)
      if (x > ranges[d].low && x < ranges[d].high) inside.push_back(x);
    if (inside.empty()) continue;
    const double pick = random.uniform(3 * i), side = random.uniform(3 * i + 1),
                 log = random.uniform(3 * i + 2);
    const double jump = inside[std::min(inside.size() - 1, std::size_t(pick * double(inside.size())))];
    const double distance = nearest * std::pow(farthest / nearest, log) * (ranges[d].high - ranges[d].low);
    const double place = side < 0.5 ? jump - distance : jump + distance;
    if (place > ranges[d].low && place < ranges[d].high) points[i * dimensions + d] = place;
  }
}

}  // namespace sobolev::detail
