// SPDX-License-Identifier: Apache-2.0
#include "training_points.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sobolev/core/random.hpp"
#include "sobolev/problem/points.hpp"
#include "src/problem/data_jumps.hpp"

namespace sobolev::detail {
namespace {
/// A request for the free coordinates of a condition, and how to put its answer into points of all.
struct Places {
  PointRequest request;
  std::vector<int> column;    // of the free coordinates among the sampled ones; −1: fixed
  std::vector<double> fixed;  // the values of the others

  Places(const Problem& problem, const WindowModel& model, const Condition* condition) {
    const std::vector<CoordinateRange> all = model.ranges();
    const PointOptions& options = problem.training.points;
    column.assign(all.size(), -1);
    fixed.assign(all.size(), 0.0);
    for (std::size_t d = 0; d < all.size(); ++d) {
      bool is_free = true;
      if (condition)
        for (const auto& [name, value] : condition->where)
          if (name == all[d].name) {
            is_free = false;
            fixed[d] = value;
          }
      if (!is_free) continue;
      column[d] = int(request.ranges.size());
      request.ranges.push_back(all[d]);
      const auto grid = options.grid.find(all[d].name);
      request.grid.push_back(grid == options.grid.end() ? 50 : grid->second);
      for (const DenseRegion& r : options.dense)
        if (r.coordinate == all[d].name) request.dense.push_back(r);
    }
    request.seed = problem.training.seed;
  }

  std::vector<double> points() const {
    const std::size_t width = request.ranges.size(), dims = column.size();
    std::vector<double> sampled;
    if (width > 0) sampled = sample_points(request);
    const std::size_t n = width == 0 ? 1 : sampled.size() / width;
    std::vector<double> points(n * dims);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t d = 0; d < dims; ++d)
        points[i * dims + d] = column[d] < 0 ? fixed[d] : sampled[i * width + std::size_t(column[d])];
    return points;
  }
};

constexpr std::uint64_t jump_stream = std::uint64_t(1) << 59;
constexpr std::uint64_t gathering_stream = std::uint64_t(1) << 58;
constexpr double concentrated = 3;
constexpr int zooms = 2, copies = 4;
constexpr std::uint64_t fresh_stream = std::uint64_t(1) << 60;
}  // namespace

std::vector<double> training_points(const Problem& problem, const WindowModel& model,
                                    const Condition* condition, int group, long generation) {
  const PointOptions& options = problem.training.points;
  Places places(problem, model, condition);
  places.request.sampling = options.sampling;
  places.request.count = condition ? options.condition_count : options.count;
  places.request.stream = (std::uint64_t(generation) << 12) | (std::uint64_t(group) + 16);
  std::vector<double> points = places.points();
  if (condition && options.sampling != Sampling::grid)
    gather_at_jumps(problem, *condition, model.ranges(), places.request.stream + jump_stream, points);
  return points;
}

std::vector<double> gathered_points(
    const Problem& problem, const WindowModel& model, long number, const std::vector<double>& gathered,
    const std::function<std::vector<double>(const std::vector<double>& points)>& losses) {
  std::vector<double> trained = training_points(problem, model, nullptr, 0, 0);
  const std::vector<CoordinateRange> ranges = model.ranges();
  const std::size_t d = ranges.size(), n = trained.size() / d, wanted = n / 2;
  if (wanted == 0) return {};
  trained.insert(trained.end(), gathered.begin(), gathered.end());
  const auto mean = [](const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / double(values.size());
  };
  Places places(problem, model, nullptr);
  places.request.sampling = Sampling::uniform;
  places.request.count = int(n);
  places.request.stream = gathering_stream + std::uint64_t(number);
  std::vector<double> candidates = places.points(), found = losses(candidates);
  if (!(mean(found) > concentrated * concentrated * mean(losses(trained)))) return {};

  // Around the worst, nearer each time.
  const Philox random(problem.training.seed, 2 * gathering_stream + std::uint64_t(number));
  std::uint64_t drawn = 0;
  double distance = std::pow(double(n), -1.0 / double(d));
  for (int zoom = 0; zoom < zooms; ++zoom, distance /= 4) {
    std::vector<std::size_t> order(found.size());
    std::iota(order.begin(), order.end(), 0u);
    const std::size_t worst = std::min(order.size(), n / 8 + 1);
    std::partial_sort(
        order.begin(), order.begin() + std::ptrdiff_t(worst), order.end(),
        [&](std::size_t a, std::size_t b) { return found[a] != found[b] ? found[a] > found[b] : a < b; });
    std::vector<double> around;
    for (std::size_t k = 0; k < worst; ++k)
      for (int copy = 0; copy < copies; ++copy)
        for (std::size_t c = 0; c < d; ++c) {
          const auto& [name, low, high, periodic] = ranges[c];
          const double x =
              candidates[order[k] * d + c] + distance * (high - low) * (2 * random.uniform(drawn++) - 1);
          around.push_back(std::clamp(x < low ? 2 * low - x : x > high ? 2 * high - x : x, low, high));
        }
    const std::vector<double> more = losses(around);
    candidates.insert(candidates.end(), around.begin(), around.end());
    found.insert(found.end(), more.begin(), more.end());
  }

  // One candidate for each equal share of Σ √loss.
  for (double& f : found) f = std::isfinite(f) ? std::sqrt(f) : 0;
  const double share = std::accumulate(found.begin(), found.end(), 0.0) / double(wanted);
  std::vector<double> points;
  double sum = 0, next = 0.5 * share;
  for (std::size_t i = 0; i < found.size(); ++i) {
    sum += found[i];
    if (!(sum > next)) continue;
    points.insert(points.end(), candidates.begin() + std::ptrdiff_t(i * d),
                  candidates.begin() + std::ptrdiff_t((i + 1) * d));
    next += share * std::ceil((sum - next) / share);
  }
  return points;
}

std::vector<double> fresh_points(const Problem& problem, const WindowModel& model, const Condition* condition,
                                 int group, int count) {
  Places places(problem, model, condition);
  places.request.sampling = Sampling::uniform;
  places.request.count = count;
  places.request.stream = fresh_stream + std::uint64_t(group);
  return places.points();
}

}  // namespace sobolev::detail
