// SPDX-License-Identifier: Apache-2.0
#pragma once
// Values of expressions at points spread over a problem's domain, for estimates of size.
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sobolev/expression/tape.hpp"
#include "sobolev/problem/problem.hpp"

namespace sobolev::detail {
inline constexpr std::size_t few = 256, many = 4096;  // sample points: for balances; for data and sources

using Columns = std::vector<std::vector<double>>;  // [expression][sample]

using Box = std::vector<std::pair<double, double>>;  // by coordinate

inline Box domain(const Problem& problem) {
  Box box;
  for (const CoordinateRange& c : problem.coordinates) box.emplace_back(c.low, c.high);
  return box;
}

/// Expressions at evenly spread points of a box as functions of what their field leaves are. Point i has the
/// coordinates frac(1/2 + i φ^−(d+1)) with φ^(D+1) = φ + 1 (an additive recurrence, good in any dimension).
class Sampled {
 public:
  Sampled(const Problem& problem, const std::vector<Expr>& expressions, std::size_t count = few)
      : Sampled(problem, expressions, count, domain(problem), {}) {}
  /// `where` fixes coordinates.
  Sampled(const Problem& problem, const std::vector<Expr>& expressions, std::size_t count, const Box& box,
          const std::vector<std::pair<std::string, double>>& where)
      : count_(count), fields_(fields_of(expressions)) {
    const std::size_t dims = problem.coordinates.size();
    double ratio = 2;
    for (int i = 0; i < 60; ++i) ratio = std::pow(1 + ratio, 1.0 / double(dims + 1));
    std::vector<Expr> inputs;
    for (std::size_t d = 0; d < dims; ++d) {
      const CoordinateRange& c = problem.coordinates[d];
      inputs.push_back(coordinate(c.name));
      const double step = std::pow(ratio, -double(d + 1));
      for (std::size_t i = 0; i < count; ++i) {
        const double place = 0.5 + double(i) * step;
        x_.push_back(box[d].first + (box[d].second - box[d].first) * (place - std::floor(place)));
      }
      for (const auto& [name, value] : where)
        if (name == c.name) std::fill(x_.end() - std::ptrdiff_t(count), x_.end(), value);
    }
    inputs.insert(inputs.end(), fields_.begin(), fields_.end());
    x_.resize(inputs.size() * count);
    tape_ = compile(expressions, inputs);
  }

  /// size(leaf) is the value of a field leaf at all points.
  template <class Size>
  Columns operator()(const Size& size) {
    auto at = x_.end() - std::ptrdiff_t(fields_.size() * count_);
    for (Expr leaf : fields_) at = std::fill_n(at, count_, size(leaf));
    std::vector<double> y(tape_.outputs.size() * count_);
    tape_forward<double>(Cpu(1), tape_, View<const double, 2>(x_.data(), x_.size() / count_, count_),
                         View<double, 2>(y.data(), tape_.outputs.size(), count_));
    Columns out;
    for (auto v = y.begin(); v != y.end(); v += std::ptrdiff_t(count_))
      out.emplace_back(v, v + std::ptrdiff_t(count_));
    return out;
  }
  Columns operator()() {
    return (*this)([](Expr) { return 0.0; });
  }
  double x(std::size_t coordinate, std::size_t point) const { return x_[coordinate * count_ + point]; }

 private:
  std::size_t count_;
  std::vector<Expr> fields_;
  std::vector<double> x_;  // [coordinates, fields][points]
  Tape tape_;
};

/// Smallest and largest finite value of data where a condition holds. A narrow peak is climbed: the largest
/// size among many points, then in ever smaller boxes around it.
inline std::optional<std::pair<double, double>> extremes(
    const Problem& problem, Expr data, const std::vector<std::pair<std::string, double>>& where) {
  if (data.is_constant()) {
    if (!std::isfinite(data->value)) return {};
    return std::pair(data->value, data->value);
  }
  const Box all = domain(problem);
  Box box = all;
  std::optional<std::pair<double, double>> range;
  for (double width : {0.1, 0.03, 0.01, 0.003, 0.001}) {
    Sampled sampled(problem, {data}, many, box, where);
    const Columns values = sampled();
    double largest = -1;
    std::size_t best = 0;
    for (std::size_t i = 0; i < many; ++i) {
      const double v = values[0][i];
      if (!std::isfinite(v)) continue;
      range = range ? std::pair(std::min(range->first, v), std::max(range->second, v)) : std::pair(v, v);
      if (std::abs(v) > largest) largest = std::abs(v), best = i;
    }
    if (coordinates_of({&data, 1}).empty() || !range) break;
    for (std::size_t d = 0; d < box.size(); ++d) {
      const double half = width * (all[d].second - all[d].first), x = sampled.x(d, best);
      box[d] = {std::max(all[d].first, x - half), std::min(all[d].second, x + half)};
    }
  }
  return range;
}

inline double rms(const std::vector<double>& values) {
  double sum = 0;
  for (double v : values) sum += v * v / double(values.size());
  return std::sqrt(sum);
}
inline double largest_rms(const Columns& values) {
  double largest = 0;
  for (const auto& v : values) {
    const double r = rms(v);
    largest = std::isnan(r) ? std::numeric_limits<double>::infinity() : std::max(largest, r);
  }
  return largest;
}

/// The largest over the rows of the rms over the points where they are finite; 0 where none is.
inline double largest_finite_rms(const Columns& values) {
  double largest = 0;
  for (const auto& v : values) {
    double sum = 0, count = 0;
    for (double x : v)
      if (std::isfinite(x)) sum += x * x, ++count;
    if (count > 0) largest = std::max(largest, std::sqrt(sum / count));
  }
  return largest;
}

}  // namespace sobolev::detail
