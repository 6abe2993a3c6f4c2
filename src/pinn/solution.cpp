// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "characteristics.hpp"
#include "evaluator.hpp"
#include "residual_check.hpp"
#include "sobolev/expression/jumps.hpp"
#include "sobolev/problem/points.hpp"
#include "src/problem/defaults.hpp"
#include "src/problem/interfaces.hpp"
#include "src/problem/lagrangian.hpp"
#include "src/problem/network_of.hpp"
#include "src/problem/problem_checks.hpp"
#include "state.hpp"

namespace sobolev {
namespace detail {

void set_problem(Solution::State& state, const Problem& problem) {
  state.problem = with_defaults(problem);
  state.trained = trained_problem(state.problem);
}

std::vector<double> grid_points(const std::vector<std::vector<double>>& axes) {
  std::size_t n = 1;
  for (const auto& axis : axes) n *= axis.size();
  std::vector<double> points(n * axes.size());
  for (std::size_t i = 0; i < n; ++i) {
    std::size_t rest = i;
    for (std::size_t d = axes.size(); d-- > 0;) {
      points[i * axes.size() + d] = axes[d][rest % axes[d].size()];
      rest /= axes[d].size();
    }
  }
  return points;
}

namespace {
/// Each place in its piece, by the unknowns of that piece.
std::vector<std::vector<double>> values_in_pieces(const Cpu& host, const MakeEvaluator& make,
                                                  const Solution::State& state, View<const double, 2> x,
                                                  const std::vector<Expr>& outputs) {
  const CutProblem cut(state.problem);
  const std::size_t n = x.extent(0), d = x.extent(1);
  require(d == state.problem.coordinates.size(),
          fmt::format("evaluate: the points have {} columns, the problem {} coordinates", d,
                      state.problem.coordinates.size()));
  const std::size_t along =
      std::size_t(find_coordinate(state.problem, cut.coordinate()) - state.problem.coordinates.data());
  std::vector<std::vector<std::size_t>> by_piece(std::size_t(cut.pieces()));
  for (std::size_t i = 0; i < n; ++i)
    by_piece[std::size_t(cut.piece_of(x.data()[i * d + along]))].push_back(i);
  std::vector<std::vector<double>> result(outputs.size(), std::vector<double>(n));
  for (int k = 0; k < cut.pieces(); ++k) {
    const std::vector<std::size_t>& here = by_piece[std::size_t(k)];
    if (here.empty()) continue;
    std::vector<double> at;
    for (const std::size_t i : here) {
      at.insert(at.end(), x.data() + i * d, x.data() + (i + 1) * d);
      double& y = at[at.size() - d + along];
      y = cut.reference(k, y);
    }
    std::vector<Expr> in_piece;
    for (const Expr e : outputs) in_piece.push_back(cut.in_piece(e, k));
    const auto values = evaluate_windows(host, make, state.trained, state.parameters,
                                         View<const double, 2>(at.data(), here.size(), d), in_piece);
    for (std::size_t o = 0; o < outputs.size(); ++o)
      for (std::size_t i = 0; i < here.size(); ++i) result[o][here[i]] = values[o][i];
  }
  return result;
}
}  // namespace

std::vector<std::vector<double>> values_at(const Cpu& host, const MakeEvaluator& make,
                                           const Solution::State& state, View<const double, 2> x,
                                           const std::vector<Expr>& outputs) {
  if (is_cut(state.problem)) return values_in_pieces(host, make, state, x, outputs);
  if (!state.problem.lagrangian)
    return evaluate_windows(host, make, state.problem, state.parameters, x, outputs);
  return Characteristics(host, make, state.problem, state.trained, state.parameters).values(x, outputs);
}

Solution::State::Errors measure_errors(const Cpu& host, const MakeEvaluator& make,
                                       const Solution::State& state) {
  Solution::State::Errors errors;
  if (!state.reference || state.parameters.empty()) return errors;
  const Problem& p = state.problem;
  const std::vector<double> points = grid_points(state.reference->axes);
  const std::size_t d = p.coordinates.size(), n = points.size() / d;
  // The part of the grid that the trained windows cover.
  std::vector<std::size_t> inside;
  const int time = p.time();
  const double end = time < 0 ? 0 : window_range(p, int(state.parameters.size()) - 1).second;
  for (std::size_t i = 0; i < n; ++i)
    if (time < 0 || points[i * d + std::size_t(time)] <= end) inside.push_back(i);
  std::vector<double> at;
  for (std::size_t i : inside)
    at.insert(at.end(), points.begin() + std::ptrdiff_t(i * d), points.begin() + std::ptrdiff_t((i + 1) * d));
  std::vector<Expr> outputs;
  for (const std::string& u : p.unknowns) outputs.push_back(field(u));
  const auto values =
      values_at(host, make, state, View<const double, 2>(at.data(), inside.size(), d), outputs);
  for (std::size_t k = 0; k < p.unknowns.size(); ++k) {
    const auto known = state.reference->values.find(p.unknowns[k]);
    if (known == state.reference->values.end()) continue;
    double difference = 0, norm = 0, worst = 0;
    for (std::size_t i = 0; i < inside.size(); ++i) {
      const double want = known->second[inside[i]], e = values[k][i] - want;
      difference += e * e;
      norm += want * want;
      worst = std::max(worst, std::abs(e));
      if (!std::isfinite(e)) worst = difference = e;
    }
    errors.relative_l2[p.unknowns[k]] = std::sqrt(difference / (norm > 0 ? norm : 1));
    errors.max_error[p.unknowns[k]] = worst;
  }
  return errors;
}

}  // namespace detail

namespace {
const Solution::State& trained(const Solution::State& state, const char* call) {
  if (state.parameters.empty())
    throw ArgumentError(
        fmt::format("{}: the solution is empty, it holds no trained network; solve, resume, load and "
                    "from_weights give one",
                    call));
  return state;
}

/// The reference of a solution that was loaded is made when it is first needed.
void need_reference(Solution::State& state) {
  if (state.problem.reference.given() && !state.reference)
    state.reference = make_reference(state.cpu, state.problem);
}

const Solution::State::Errors& errors_of(Solution::State& state) {
  if (!state.errors) {
    if (!state.parameters.empty()) need_reference(state);
    state.errors = detail::measure_errors(state.cpu, detail::evaluators_on(state.cpu, state.cpu), state);
  }
  return *state.errors;
}
}  // namespace

Solution::Solution() : state_(std::make_unique<State>()) {}
Solution::Solution(Solution&&) noexcept = default;
Solution& Solution::operator=(Solution&&) noexcept = default;
Solution::~Solution() = default;

const Solution::State& Solution::state() const {
  if (!state_) throw ArgumentError("the solution is empty: it was moved from");
  return *state_;
}
Solution::State& Solution::state() { return const_cast<State&>(std::as_const(*this).state()); }

const Problem& Solution::problem() const { return state().problem; }
const std::vector<HistoryRow>& Solution::history() const { return state().history; }
std::string Solution::stopped_because() const { return state().stopped_because; }
bool Solution::finished() const { return state().finished; }
const std::string& Solution::not_saved() const { return state().not_saved; }
const std::string& Solution::instruction_set() const { return state().instruction_set; }
double Solution::seconds() const { return state().seconds; }
double Solution::setup_seconds() const { return state().setup_seconds; }
double Solution::points_per_second() const {
  return state().seconds > 0 ? state().points_processed / state().seconds : 0;
}
double Solution::loss() const { return state().loss; }
long Solution::iterations() const { return state().iterations; }
std::size_t Solution::parameters() const {
  return state().parameters.empty() ? 0 : state().parameters.front().size();
}
int Solution::windows() const {
  const int asked = state().problem.training.windows;
  return asked > 0 ? asked : int(state().parameters.size());
}

namespace detail {
std::vector<std::vector<double>> evaluate_expressions(const Cpu& host, const MakeEvaluator& make,
                                                      const Solution::State& state,
                                                      View<const double, 2> points,
                                                      const std::vector<Expr>& outputs) {
  trained(state, "evaluate");
  const bool cut = is_cut(state.problem);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::string key = fmt::format("evaluate: output {}", i);
    if (cut) CutProblem(state.problem).check_kept(key, outputs[i]);
    check_names(state.problem, key, cut ? expanded(outputs[i]) : outputs[i]);
  }
  return values_at(host, make, state, points, outputs);
}

std::vector<std::vector<double>> default_axes(const Problem& problem) {
  std::vector<std::vector<double>> axes;
  for (const CoordinateRange& c : problem.coordinates) {
    PointRequest request;
    request.ranges = {c};
    request.sampling = Sampling::grid;
    request.grid = {default_grid_points(problem.coordinates.size(), c.periodic)};
    axes.push_back(sample_points(request));
  }
  return axes;
}

std::vector<Expr> named_outputs(const Solution::State& state, const std::vector<std::string>& outputs) {
  const Problem& p = trained(state, "evaluate").problem;
  ExpressionScope scope = p.scope();
  if (is_cut(p)) scope.cuttable = {CutProblem(p).coordinate()};
  std::vector<Expr> expressions;
  for (const std::string& text : outputs) {
    const auto equation = std::find_if(p.equations.begin(), p.equations.end(),
                                       [&](const Equation& e) { return e.name == text; });
    expressions.push_back(equation != p.equations.end()
                              ? equation->kept.value_or(equation->residual)
                              : parse_expression(text, scope, {"output '" + text + "'", 1, 1}));
  }
  return expressions;
}
}  // namespace detail

std::vector<std::vector<double>> Solution::evaluate(const Cpu& cpu, View<const double, 2> points,
                                                    const std::vector<Expr>& outputs) const {
  return detail::evaluate_expressions(cpu, detail::evaluators_on(cpu, cpu), state(), points, outputs);
}
std::vector<std::vector<double>> Solution::evaluate(const Cpu& cpu, View<const double, 2> points,
                                                    const std::vector<std::string>& outputs) const {
  return evaluate(cpu, points, detail::named_outputs(state(), outputs));
}

std::map<std::string, double> Solution::constants() const {
  const State& s = trained(state(), "constants");
  return detail::found_constants(s.trained, s.parameters.front());
}

std::map<std::string, double> Solution::relative_l2() const {
  state();
  return errors_of(*state_).relative_l2;
}
std::map<std::string, double> Solution::max_error() const {
  state();
  return errors_of(*state_).max_error;
}

const Assessment& Solution::assessment() const {
  if (!state().assessment) state_->assessment = detail::assess(state_->cpu, trained(state(), "assessment"));
  return *state_->assessment;
}

Solution::Table Solution::table(const Cpu& cpu) const {
  const Problem& p = trained(state(), "table").problem;
  need_reference(*state_);
  Table table;
  for (const CoordinateRange& c : p.coordinates) table.coordinates.push_back(c.name);
  if (state_->reference) {
    table.axes = state_->reference->axes;
    table.reference = state_->reference->values;
  } else {
    table.axes = detail::default_axes(p);
  }
  const int time = p.time();
  const double end = time < 0 ? 0 : detail::window_range(p, int(state_->parameters.size()) - 1).second;
  if (time >= 0 && end < p.coordinates[std::size_t(time)].high) {
    // Interrupted: only the times that are solved.
    auto& axis = table.axes[std::size_t(time)];
    const std::size_t kept =
        std::size_t(std::count_if(axis.begin(), axis.end(), [&](double t) { return t <= end; }));
    std::size_t outer = 1, inner = 1;
    for (std::size_t d = 0; d < std::size_t(time); ++d) outer *= table.axes[d].size();
    for (std::size_t d = std::size_t(time) + 1; d < table.axes.size(); ++d) inner *= table.axes[d].size();
    for (auto& [name, values] : table.reference) {
      std::vector<double> part;
      for (std::size_t o = 0; o < outer; ++o)
        part.insert(part.end(), values.begin() + std::ptrdiff_t(o * axis.size() * inner),
                    values.begin() + std::ptrdiff_t((o * axis.size() + kept) * inner));
      values = std::move(part);
    }
    axis.resize(kept);
  }
  const std::vector<double> points = detail::grid_points(table.axes);
  const std::size_t d = table.axes.size();
  std::vector<Expr> outputs;
  for (const std::string& u : p.unknowns) outputs.push_back(field(u));
  for (const Equation& e : p.equations) outputs.push_back(e.kept.value_or(e.residual));
  auto values = evaluate(cpu, View<const double, 2>(points.data(), points.size() / d, d), outputs);
  for (std::size_t k = 0; k < p.unknowns.size(); ++k) table.prediction[p.unknowns[k]] = std::move(values[k]);
  for (std::size_t k = 0; k < p.equations.size(); ++k) {
    std::vector<double>& residual = table.residual[p.equations[k].name];
    residual = std::move(values[p.unknowns.size() + k]);
    for (double& r : residual) r = std::abs(r);
  }
  return table;
}

}  // namespace sobolev
