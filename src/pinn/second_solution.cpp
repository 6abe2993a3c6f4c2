// SPDX-License-Identifier: Apache-2.0
#include "second_solution.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>

#include "collocation.hpp"
#include "sobolev/core/random.hpp"
#include "sobolev/problem/points.hpp"
#include "src/problem/condition_count.hpp"
#include "src/problem/initial_data.hpp"
#include "src/problem/interfaces.hpp"

namespace sobolev::detail {
namespace {
constexpr int most_iterations = 12;
constexpr int most_likely = 3;  // iterations
constexpr int most_steps = 3000;
constexpr double most_columns = 2000;
constexpr int fresh_equations = 2000, fresh_condition = 500;  // points that no node is on
constexpr double inconsistent = 1e-3;  // rms of weighted residuals that collocation leaves
constexpr double other_start = 0.1;    // beside the solution's size
constexpr double elsewhere = 1e-3;     // how far another start may lead, relative
constexpr double precise = 1e-10;
constexpr double least_share = 1e-3, unit_share = 1e-9;

constexpr double apart = 1e-2, surely = 0.2;
/// Of the training's work, and its least and most, in multiplications; of a row and a parameter in an
/// iteration without Jacobians.
constexpr double share_of_work = 0.1, least_work = 2e7, most_work = 5e10, gradient_work = 20;

/// How fine: functions of each coordinate of space, of a step in time, and the share of the last
/// coefficients in time that lets a step pass.
struct Level {
  int space, time;
  double tail;
};
/// Of d coordinates that are no steps in time.
std::vector<Level> levels(std::size_t d) {
  if (d == 0) return {{1, 10, 1e-5}, {1, 12, 1e-8}, {1, 14, 1e-10}};
  if (d == 1)
    return {{12, 5, 1e-3}, {17, 6, 1e-4}, {24, 6, 1e-5},  {34, 7, 1e-6}, {48, 7, 1e-6},
            {68, 8, 1e-7}, {96, 8, 1e-7}, {136, 8, 1e-7}, {192, 8, 1e-7}};
  if (d == 2)
    return {{8, 5, 1e-3}, {11, 5, 1e-4}, {15, 6, 1e-5}, {20, 6, 1e-5}, {27, 6, 1e-5}, {36, 6, 1e-5}};
  return {{5, 4, 1e-3}, {7, 5, 1e-3}, {9, 5, 1e-4}, {12, 5, 1e-4}};
}

class SecondSolution {
 public:
  SecondSolution(const Cpu& cpu, const Solution::State& state, double most_work)
      : cpu_(cpu),
        state_(state),
        problem_(is_cut(state.problem) ? state.trained : state.problem),
        equations_(problem_),
        most_work_(most_work) {
    const int time = problem_.time();
    if (time >= 0) end_ = window_range(state.trained, int(state.parameters.size()) - 1).second;
    marches_ = time >= 0 && problem_.unknown_constants.empty();
    bool evolves = false;
    for (const std::string& u : problem_.unknowns) {
      orders_.push_back(time < 0 ? 0 : time_order(problem_, u));
      evolves = evolves || orders_.back() > 0;
    }
    // Waves in many boxes one after another: what the polynomials cannot follow grows from box to box.
    const bool waves = problem_.coordinates.size() > 1 &&
                       std::any_of(orders_.begin(), orders_.end(), [](int k) { return k > 1; });
    marches_ = marches_ && evolves && !waves;
    for (const Condition& c : problem_.conditions)
      for (const auto& [name, value] : c.where)
        if (time >= 0 && name == problem_.coordinates[std::size_t(time)].name &&
            value > problem_.coordinates[std::size_t(time)].low)
          marches_ = false;
    make_grid();
    make_fresh_points();
  }

  std::vector<Comparison> compare() {
    if (!equations_.supported() || form_may_hold_conditions(problem_) ||
        (marches_ && an_end_is_open(problem_)))
      return {};
    trained_ = trained_values(points_);
    const std::size_t d = problem_.coordinates.size() - (marches_ ? 1 : 0);
    std::optional<Values> before;
    std::vector<Comparison> result;
    double last_spent = 0, last_functions = 0;
    for (const Level& level : levels(d)) {
      const double functions = functions_of(level);
      if (functions * double(problem_.unknowns.size()) > most_columns) break;
      if (last_functions > 0 && spent_ + last_spent * std::pow(functions / last_functions, 3) > most_work_)
        break;
      const double spent = spent_;
      std::optional<Values> now = solve(level, 0);
      last_spent = spent_ - spent;
      last_functions = functions;
      if (out_of_work_) break;
      if (now && before) {
        const bool first = result.empty();
        result = distances(*now, *before);
        if (first && !determined(level, *now)) return {};
        if (std::all_of(result.begin(), result.end(), [](const Comparison& c) {
              return c.accuracy <= std::max(precise, 0.1 * c.difference);
            }))
          break;
      }
      before = std::move(now);
    }
    return result;
  }

 private:
  /// On the grid, by unknown; then the unknown constants.
  using Values = std::vector<std::vector<double>>;

  /// Places for a look between the nodes: whatever is narrower than their distances is not seen by them.
  void make_fresh_points() {
    const std::size_t d = problem_.coordinates.size();
    for (const CollocationEquations::Group& group : equations_.groups()) {
      PointRequest request;
      for (std::size_t k = 0; k < d; ++k) request.ranges.push_back(range(k));
      request.sampling = Sampling::uniform;
      request.count = group.condition == nullptr ? fresh_equations : fresh_condition;
      fresh_.push_back(sample_points(request));
      std::vector<double>& points = fresh_.back();
      if (group.condition == nullptr) {  // and where the network found something
        points.insert(points.end(), state_.gathered.begin(), state_.gathered.end());
        continue;
      }
      for (const auto& [name, value] : group.condition->where)
        for (std::size_t k = 0; k < d; ++k)
          if (problem_.coordinates[k].name == name)
            for (std::size_t i = k; i < points.size(); i += d) points[i] = value;
    }
  }

  /// Adds a box's residuals at the fresh points in ]start, end] of time, in the first step at its start too.
  void look_between(const CollocationBox& box, double start, double end, std::vector<double>& squares) const {
    const std::size_t d = problem_.coordinates.size();
    const int time = problem_.time();
    squares.resize(fresh_.size());
    for (std::size_t g = 0; g < fresh_.size(); ++g) {
      std::vector<double> inside;
      for (std::size_t i = 0; i < fresh_[g].size(); i += d) {
        const double at = time < 0 ? 0 : fresh_[g][i + std::size_t(time)];
        if (!marches_ || (at > start && at <= end) || (at == start && start == range(std::size_t(time)).low))
          inside.insert(inside.end(), fresh_[g].begin() + std::ptrdiff_t(i),
                        fresh_[g].begin() + std::ptrdiff_t(i + d));
      }
      squares[g] += box.squares_at(cpu_, equations_.groups()[g], inside);
    }
  }
  bool small(const std::vector<double>& squares) const {
    const double d = double(problem_.coordinates.size());
    for (std::size_t g = 0; g < squares.size(); ++g)
      if (!(squares[g] * d / double(fresh_[g].size()) < inconsistent * inconsistent)) return false;
    return true;
  }

  CoordinateRange range(std::size_t d) const {
    CoordinateRange c = problem_.coordinates[d];
    if (int(d) == problem_.time()) c.high = end_;
    return c;
  }

  /// Midpoints, evenly spaced.
  void make_grid() {
    const std::size_t d = problem_.coordinates.size();
    const int along = d == 1 ? 400 : d == 2 ? 40 : d == 3 ? 14 : 8;
    std::vector<std::vector<double>> axes(d);
    for (std::size_t k = 0; k < d; ++k)
      for (int i = 0; i < along; ++i)
        axes[k].push_back(range(k).low + (range(k).high - range(k).low) * (i + 0.5) / along);
    points_ = grid_points(axes);
  }

  Values trained_values(const std::vector<double>& points) const {
    std::vector<Expr> fields;
    for (const std::string& u : problem_.unknowns) fields.push_back(field(u));
    const std::size_t d = problem_.coordinates.size();
    const View<const double, 2> x(points.data(), points.size() / d, d);
    const MakeEvaluator make = evaluators_on(cpu_, cpu_);
    Values values = is_cut(state_.problem)
                        ? evaluate_windows(cpu_, make, state_.trained, state_.parameters, x, fields)
                        : values_at(cpu_, make, state_, x, fields);
    const std::map<std::string, double> constants =
        found_constants(state_.trained, state_.parameters.front());
    for (const UnknownConstant& c : problem_.unknown_constants) values.push_back({constants.at(c.name)});
    return values;
  }

  std::vector<AxisBasis> axes(const Level& level, double start, double end) const {
    std::vector<AxisBasis> axes;
    for (std::size_t d = 0; d < problem_.coordinates.size(); ++d) {
      const CoordinateRange c = range(d);
      if (marches_ && int(d) == problem_.time())
        axes.emplace_back(start, end, false, level.time);
      else
        axes.emplace_back(c.low, c.high, c.periodic, level.space);
    }
    return axes;
  }

  /// Shakes the start: smooth, another for each `shake`.
  void shake_start(CollocationBox& box, int shake) const {
    if (shake == 0) return;
    const Philox random(std::uint64_t(shake), 5);
    const std::size_t unknowns = problem_.unknowns.size(), constants = problem_.unknown_constants.size(),
                      functions = (box.columns() - constants) / unknowns;
    for (std::size_t u = 0; u < unknowns; ++u) {
      double* const c = box.coefficients.data() + u * functions;
      double size = scale_of(u);
      for (std::size_t k = 0; k < functions; ++k) size = std::max(size, std::abs(c[k]));
      for (std::size_t k = 0; k < functions; ++k)
        c[k] += other_start * size * (2 * random.uniform(u * functions + k) - 1) / double((k + 1) * (k + 1));
    }
    for (std::size_t k = 0; k < constants; ++k) {
      double& c = box.coefficients[unknowns * functions + k];
      c *= 1 + other_start * (2 * random.uniform(1000000 + k) - 1);
    }
  }

  double functions_of(const Level& level) const {
    double count = 1;
    for (const AxisBasis& axis : axes(level, 0, 1)) count *= axis.count();
    return count;
  }

  std::optional<Values> solve(const Level& level, int shake) {
    return marches_ ? march(level, shake) : whole(level, shake);
  }

  /// What is not, no finer level is either.
  bool affordable(double work) {
    out_of_work_ = out_of_work_ || spent_ + work > most_work_;
    return !out_of_work_;
  }

  bool done(const CollocationBox& box, const CollocationBox::Result& result) {
    spent_ += box.work() * result.iterations;
    return result.converged && result.rms < inconsistent;
  }

  std::optional<Values> whole(const Level& level, int shake) {
    CollocationBox box(equations_, axes(level, 0, 0));
    if (!affordable(most_likely * box.work())) return {};
    Values start = trained_values(box.node_points());
    for (std::size_t k = 0; k < problem_.unknown_constants.size(); ++k)
      box.coefficients[box.columns() - problem_.unknown_constants.size() + k] =
          start[problem_.unknowns.size() + k][0];
    start.resize(problem_.unknowns.size());
    box.interpolate(start);
    shake_start(box, shake);
    if (!done(box, box.solve(cpu_, most_iterations))) return {};
    std::vector<double> squares;
    look_between(box, 0, 0, squares);
    if (!small(squares)) return {};
    Values out(problem_.unknowns.size());
    read(box, out, -HUGE_VAL, HUGE_VAL);
    for (std::size_t k = 0; k < problem_.unknown_constants.size(); ++k)
      out.push_back({box.coefficients[box.columns() - problem_.unknown_constants.size() + k]});
    return out;
  }

  std::optional<Values> march(const Level& level, int shake) {
    const int time = problem_.time();
    const CoordinateRange t = range(std::size_t(time));
    Values out(problem_.unknowns.size());
    std::vector<double> squares;
    std::unique_ptr<CollocationBox> before;
    const double shortest = problem_.coordinates.size() == 1 ? 1e-9 : 1e-5;
    double now = t.low, step = (t.high - t.low) / 16;
    for (int steps = 0; now < t.high; ++steps) {
      if (steps == most_steps || step < shortest * (t.high - t.low)) return {};
      const double end = now + step > t.high - 1e-9 * (t.high - t.low) ? t.high : now + step;
      auto box = std::make_unique<CollocationBox>(equations_, axes(level, now, end));
      if (!affordable(box->work())) return {};
      if (before) {
        box->go_on_from(*before, time, orders_);
        begin_constant(*box, *before, time);
      }
      shake_start(*box, shake);
      const bool solved = done(*box, box->solve(cpu_, most_iterations));
      double tail = 0;
      for (std::size_t u = 0; u < problem_.unknowns.size(); ++u) tail = std::max(tail, box->tail(u, time));
      if (!solved || tail > level.tail) {
        step = (end - now) *
               (solved ? std::clamp(0.9 * std::pow(level.tail / tail, 1.0 / level.time), 0.2, 0.7) : 0.3);
        continue;
      }
      read(*box, out, now, end);
      look_between(*box, now, end, squares);
      now = end;
      step = (end - box->axes()[std::size_t(time)].low()) *
             std::clamp(0.9 * std::pow(level.tail / std::max(tail, 1e-30), 1.0 / level.time), 0.5, 3.0);
      before = std::move(box);
    }
    return small(squares) ? std::optional(std::move(out)) : std::nullopt;
  }

  /// Values where the box before ends, for all of the step.
  void begin_constant(CollocationBox& box, const CollocationBox& before, int time) const {
    const std::vector<double> points = box.node_points();
    const std::size_t d = problem_.coordinates.size(), n = points.size() / d;
    Values values(problem_.unknowns.size(), std::vector<double>(n));
    const std::vector<int> none(d, 0);
    const std::size_t along = box.axes()[std::size_t(time)].nodes().size();
    std::size_t inner = 1;
    for (std::size_t k = std::size_t(time) + 1; k < d; ++k) inner *= box.axes()[k].nodes().size();
    for (std::size_t u = 0; u < values.size(); ++u)
      for (std::size_t i = 0; i < n; ++i) {
        const std::size_t first = i - (i / inner) % along * inner;  // the same place at the first time
        if (first != i) {
          values[u][i] = values[u][first];
          continue;
        }
        std::vector<double> point(points.begin() + std::ptrdiff_t(i * d),
                                  points.begin() + std::ptrdiff_t((i + 1) * d));
        point[std::size_t(time)] = box.axes()[std::size_t(time)].low();
        values[u][i] = before.value(u, none, point.data());
      }
    box.interpolate(values);
  }

  void read(const CollocationBox& box, Values& out, double start, double end) const {
    const std::size_t d = problem_.coordinates.size(), n = points_.size() / d;
    const std::vector<int> none(d, 0);
    const int time = problem_.time();
    for (std::size_t u = 0; u < problem_.unknowns.size(); ++u) {
      out[u].resize(n);
      for (std::size_t i = 0; i < n; ++i) {
        const double at = time < 0 ? 0 : points_[i * d + std::size_t(time)];
        if (marches_ && (at <= start || at > end)) continue;
        out[u][i] = box.value(u, none, points_.data() + i * d);
      }
    }
  }

  double scale_of(std::size_t unknown) const {
    if (unknown >= problem_.unknowns.size()) return 0;  // a constant
    const auto scale = problem_.network.scale.find(problem_.unknowns[unknown]);
    return scale == problem_.network.scale.end() ? 1 : scale->second;
  }

  /// Beside the size of the unknown, on the grid, and of a problem in pieces over them. One that is next to
  /// nothing beside the others counts as a thousandth of them.
  std::vector<Comparison> distances(const Values& now, const Values& before) const {
    std::vector<Comparison> out;
    double largest = unit_share;  // of unknowns beside their scales
    for (std::size_t u = 0; u < problem_.unknowns.size(); ++u) {
      double sum = 0;
      for (const double w : now[u]) sum += w * w;
      largest = std::max(largest, std::sqrt(sum / double(now[u].size())) / scale_of(u));
    }
    const auto add = [&](const std::string& name, const std::vector<std::size_t>& parts,
                         const std::vector<double>& lengths) {
      double size = 0, off = 0, moved = 0, least = std::numeric_limits<double>::min();
      for (std::size_t k = 0; k < parts.size(); ++k) {
        least += lengths[k] * double(now[parts[k]].size()) *
                 std::pow(least_share * largest * scale_of(parts[k]), 2);
        for (std::size_t i = 0; i < now[parts[k]].size(); ++i) {
          const double w = now[parts[k]][i];
          size += lengths[k] * w * w;
          off += lengths[k] * std::pow(trained_[parts[k]][i] - w, 2);
          moved += lengths[k] * std::pow(before[parts[k]][i] - w, 2);
        }
      }
      out.push_back({name, std::sqrt(off / std::max(size, least)), std::sqrt(moved / std::max(size, least))});
    };
    const auto index = [&](const std::string& name) {
      return std::size_t(std::find(problem_.unknowns.begin(), problem_.unknowns.end(), name) -
                         problem_.unknowns.begin());
    };
    if (is_cut(state_.problem)) {
      const CutProblem cut(state_.problem);
      for (const std::string& u : state_.problem.unknowns) {
        std::vector<std::size_t> parts;
        std::vector<double> lengths;
        for (int k = 0; k < cut.pieces(); ++k) {
          parts.push_back(index(CutProblem::piece_name(u, k)));
          lengths.push_back(cut.edges()[std::size_t(k) + 1] - cut.edges()[std::size_t(k)]);
        }
        add(u, parts, lengths);
      }
    } else {
      for (const std::string& u : problem_.unknowns) add(u, {index(u)}, {1});
    }
    for (std::size_t k = 0; k < problem_.unknown_constants.size(); ++k)
      add(problem_.unknown_constants[k].name, {problem_.unknowns.size() + k}, {1});
    return out;
  }

  /// Whether another start leads to the same solution.
  bool determined(const Level& level, const Values& found) {
    const std::optional<Values> other = solve(level, 1);
    if (!other) return false;
    const std::vector<Comparison> apart = distances(found, *other);
    return std::all_of(apart.begin(), apart.end(),
                       [](const Comparison& c) { return c.accuracy < elsewhere; });
  }

  Cpu cpu_;
  const Solution::State& state_;
  const Problem& problem_;
  CollocationEquations equations_;
  double most_work_, spent_ = 0;
  bool out_of_work_ = false;
  double end_ = 0;
  bool marches_ = false;
  std::vector<int> orders_;                 // in time, by unknown
  std::vector<double> points_;              // of the grid
  std::vector<std::vector<double>> fresh_;  // by group
  Values trained_;
};
}  // namespace

double work_for_comparison(const Solution::State& state, std::size_t rows) {
  const auto parameters = double(state.parameters.back().size());
  double each = gradient_work;  // of a row and a parameter in an iteration
  for (const PhaseOptions& phase : state.trained.training.phases)
    if (phase.optimizer == OptimizerKind::levenberg_marquardt) each = parameters;
  return std::clamp(share_of_work * double(state.iterations) * double(rows) * parameters * each, least_work,
                    most_work);
}

bool wrong(const Comparison& c) { return c.difference > apart && c.accuracy < surely * c.difference; }

std::vector<Comparison> compare_with_collocation(const Cpu& cpu, const Solution::State& state,
                                                 double most_work) {
  return SecondSolution(cpu, state, most_work).compare();
}

}  // namespace sobolev::detail
