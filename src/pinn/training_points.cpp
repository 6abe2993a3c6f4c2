// SPDX-License-Identifier: Apache-2.0
#include "training_points.hpp"

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

std::vector<double> fresh_points(const Problem& problem, const WindowModel& model, const Condition* condition,
                                 int group, int count) {
  Places places(problem, model, condition);
  places.request.sampling = Sampling::uniform;
  places.request.count = count;
  places.request.stream = fresh_stream + std::uint64_t(group);
  return places.points();
}

}  // namespace sobolev::detail
