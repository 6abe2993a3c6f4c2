// SPDX-License-Identifier: Apache-2.0
// What a solution is worth: its residuals on fresh points, and what they give reason to doubt.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "characteristics.hpp"
#include "residual_check.hpp"
#include "second_solution.hpp"
#include "sobolev/problem/points.hpp"
#include "src/problem/interfaces.hpp"
#include "state.hpp"

namespace sobolev::detail {
namespace {
constexpr int most_windows = 8;
constexpr int least_points = 2000, most_points = 20000, times_training = 4;

// Measured on the problems of docs/accuracy.md; see the table there.
constexpr double not_small =
    1e-2;  // rms of a residual over that of its largest term; of all, their root sum of squares
constexpr double everywhere = 0.5;        // its largest value over the same
constexpr double not_small_stall = 1e-3;  // where a phase stalled
constexpr double surest = 1e-4;           // of a second solution, in words
constexpr double overfit = 10;            // rms on fresh points over that on training points ...
constexpr double overfit_from = 1e-4;     // ... where it matters

std::vector<int> windows_to_check(int trained) {
  std::set<int> chosen;
  for (int i = 0; i < std::min(trained, most_windows); ++i)
    chosen.insert(trained <= most_windows ? i
                                          : int(std::lround(double(i) * (trained - 1) / (most_windows - 1))));
  return {chosen.begin(), chosen.end()};
}

std::string place_text(const Problem& problem, const std::vector<double>& place) {
  std::string out;
  for (std::size_t d = 0; d < place.size(); ++d)
    out += fmt::format("{}{} = {:.4g}", d == 0 ? "" : ", ", problem.coordinates[d].name, place[d]);
  return out;
}

std::string larger_network(const Problem& p) {
  return p.network.kind == NetworkKind::gaussian ? "more Gaussians (network.gaussians.count)"
                                                 : "a wider network (network.width)";
}
std::string smaller_network(const Problem& p) {
  return p.network.kind == NetworkKind::gaussian ? "fewer Gaussians (network.gaussians.count)"
                                                 : "a narrower network (network.width)";
}

std::string percent(double share) {
  return share >= 0.1 ? fmt::format("{:.0f} %", 100 * share) : fmt::format("{:.2g} %", 100 * share);
}

/// Windows are a remedy: they are neither chosen while training nor given.
bool undivided(const Solution::State& state) {
  return state.trained.time() >= 0 && state.trained.training.windows == 1;
}

/// between: rms on fresh points over that on the training points of the same windows; 0 where not known.
std::vector<std::string> doubts_of(const Solution::State& state, const std::vector<ResidualCheck>& checks,
                                   const std::vector<double>& between, std::size_t rows) {
  const Problem& p = state.problem;
  std::vector<std::string> doubts;
  const std::size_t parameters = state.parameters.back().size();
  bool any_overfitted = false;
  double squares = 0;
  if (const int trained = int(state.parameters.size());
      state.finished && p.time() >= 0 &&
      window_range(p, trained - 1).second != p.coordinates[std::size_t(p.time())].high)
    doubts.push_back(
        fmt::format("only {} windows{} are solved, up to {} = {:.4g}: train longer "
                    "(training.stop), or remove the limit",
                    trained, p.training.windows > 0 ? fmt::format(" of {}", p.training.windows) : "",
                    p.time_coordinate, window_range(p, trained - 1).second));
  for (std::size_t i = 0; i < checks.size(); ++i) {
    const ResidualCheck& c = checks[i];
    const std::string name = (c.condition ? "condition " : "equation ") + c.name;
    if (!std::isfinite(c.rms) || !std::isfinite(c.scale)) {
      doubts.push_back(
          fmt::format("{}: the residual is not finite at {}; look for divisions by zero and roots or "
                      "logarithms of negative numbers",
                      name, place_text(p, c.place)));
      continue;
    }
    const double share = c.scale > 0 ? c.rms / c.scale : c.rms > 0 ? 1 : 0;
    squares += share * share;
    const bool overfitted = between[i] > overfit && share > overfit_from;
    any_overfitted = any_overfitted || overfitted;
    if (overfitted)
      doubts.push_back(
          fmt::format("{}: between the training points its residual is {:.2g} times as large as on them ({} "
                      "of its largest term): "
                      "more points (training.points), or {}",
                      name, between[i], percent(share), smaller_network(p)));
    else if (share > not_small)
      doubts.push_back(fmt::format(
          "{}: its residual is {} of its largest term, most near {}: train longer "
          "(training.stop.seconds), {}{}, or more points there (training.points.dense)",
          name, percent(share), place_text(p, c.place),
          undivided(state) ? "in time windows (training.windows), with " : "with ", larger_network(p)));
    else if (c.scale > 0 && c.largest > everywhere * c.scale)
      doubts.push_back(
          fmt::format("{}: near {} its residual is {} of its largest term: more points there "
                      "(training.points.dense), or train longer (training.stop.seconds)",
                      name, place_text(p, c.place), percent(c.largest / c.scale)));
    else if (state.stalled && share > not_small_stall)
      doubts.push_back(
          fmt::format("{}: the training stood still with a residual of {} of its largest term: {}another "
                      "seed (--seed), or {}",
                      name, percent(share), undivided(state) ? "time windows (training.windows), " : "",
                      larger_network(p)));
  }
  if (doubts.empty() && squares > not_small * not_small)
    doubts.push_back(fmt::format(
        "the residuals of all equations and conditions, each beside its largest term, make {} together: "
        "train longer (training.stop.seconds){}",
        percent(std::sqrt(squares)), undivided(state) ? ", or in time windows (training.windows)" : ""));
  if (parameters > rows)
    doubts.push_back(
        fmt::format("the network has {} parameters and only {} residuals to fit{}: more points "
                    "(training.points), or {}",
                    parameters, rows, any_overfitted ? "" : ", so that small residuals prove little",
                    smaller_network(p)));
  return doubts;
}

std::vector<std::string> doubts_of_comparisons(const Solution::State& state,
                                               const std::vector<Comparison>& comparisons) {
  std::vector<std::string> doubts;
  for (const Comparison& c : comparisons)
    if (wrong(c))
      doubts.push_back(fmt::format(
          "{}: a second solution of the same equations and conditions, by collocation with "
          "polynomials, lies {} "
          "away (known to {}): train longer (training.stop.seconds), {}with {}; or see whether the "
          "conditions determine one solution",
          c.unknown, c.difference < 10 ? percent(c.difference) : "many times its size",
          percent(std::max(c.accuracy, surest)),
          state.trained.time() >= 0 ? "in more time windows (training.windows), " : "",
          larger_network(state.problem)));
  return doubts;
}

/// Of hundreds of equations the first ones.
void shorten(std::vector<std::string>& doubts) {
  constexpr std::size_t most = 12;
  if (doubts.size() <= most) return;
  const std::size_t more = doubts.size() - most + 1;
  doubts.resize(most - 1);
  doubts.push_back(fmt::format("and {} more doubts of this kind; result.json has all residuals", more));
}

/// Worse beside its terms; what is no number is worst.
bool worse(const ResidualCheck& a, const ResidualCheck& b) {
  if (!std::isfinite(a.rms) || !std::isfinite(b.rms)) return std::isfinite(b.rms);
  return a.rms * b.scale > b.rms * a.scale;
}

/// Where the domain is cut: of an equation or condition in all pieces the one in which it is worst, under the
/// name and at the place that it has in the problem.
class Pieces {
 public:
  explicit Pieces(const Problem& problem) : problem_(problem) {
    if (!is_cut(problem)) return;
    cut_.emplace(problem);
    equations_ = cut_->equation_origins();
    conditions_ = cut_->condition_origins();
  }
  void add(std::size_t index, ResidualCheck check, double between, std::vector<ResidualCheck>& checks,
           std::vector<double>& betweens) const {
    if (cut_) {
      const PieceOrigin& origin =
          check.condition ? conditions_[index - equations_.size()] : equations_[index];
      check.name = origin.name;
      for (std::size_t d = 0; d < check.place.size(); ++d)
        if (problem_.coordinates[d].name == cut_->coordinate())
          check.place[d] = cut_->place(origin.piece, check.place[d]);
      for (std::size_t i = 0; i < checks.size(); ++i) {
        if (checks[i].name != check.name || checks[i].condition != check.condition) continue;
        if (!worse(check, checks[i])) return;
        checks[i] = std::move(check);
        betweens[i] = between;
        return;
      }
    }
    checks.push_back(std::move(check));
    betweens.push_back(between);
  }

 private:
  const Problem& problem_;
  std::optional<CutProblem> cut_;
  std::vector<PieceOrigin> equations_, conditions_;
};

/// From a label to where it is.
void move_to_place(const Cpu& cpu, const Solution::State& state, std::vector<double>& label) {
  const Problem& p = state.trained;
  std::vector<Expr> outputs;
  for (std::size_t u = state.problem.unknowns.size(); u < p.unknowns.size(); ++u)
    outputs.push_back(field(p.unknowns[u]));
  const auto moved = evaluate_windows(cpu, evaluators_on(cpu, cpu), p, state.parameters,
                                      View<const double, 2>(label.data(), 1, label.size()), outputs,
                                      relabelled(state.problem));
  for (std::size_t u = 0; u < outputs.size(); ++u)
    for (std::size_t k = 0; k < label.size(); ++k) {
      const CoordinateRange& c = state.problem.coordinates[k];
      if (displacement_name(c.name) != outputs[u]->name) continue;
      label[k] += moved[u][0];
      if (c.periodic) label[k] -= (c.high - c.low) * std::floor((label[k] - c.low) / (c.high - c.low));
    }
}

/// Of a Lagrangian form: characteristics that cross, and places that none reaches.
std::vector<std::string> doubts_of_characteristics(const Cpu& cpu, const Solution::State& state) {
  const Problem& p = state.problem;
  const Characteristics characteristics(cpu, evaluators_on(cpu, cpu), p, state.trained, state.parameters);
  std::vector<std::string> doubts;
  const DeformationCheck moved = characteristics.deformation(least_points);
  if (!(moved.least > 0))
    doubts.push_back(fmt::format(
        "characteristics cross (the determinant of dx/dX is {:.2g} at the label {}): from there on "
        "a place has several solutions, one of which is shown. More diffusion, time windows "
        "(training.windows), or the problem without [lagrangian]",
        moved.least, place_text(p, moved.place)));
  else if (moved.below > 0)
    doubts.push_back(fmt::format(
        "characteristics come together until the determinant of dx/dX is {:.2g}, below "
        "lagrangian.floor = {:g} at {} of the labels (least at {}), where the equation is not the "
        "one that was asked: a lower floor, more diffusion, time windows (training.windows), or the "
        "problem without [lagrangian]",
        moved.least, p.lagrangian->floor, percent(moved.below), place_text(p, moved.place)));
  PointRequest request;
  request.ranges = p.coordinates;
  if (const int t = p.time(); t >= 0)
    request.ranges[std::size_t(t)].high = window_range(p, int(state.parameters.size()) - 1).second;
  request.count = least_points;
  const std::vector<double> places = sample_points(request);
  const std::size_t d = p.coordinates.size(), n = places.size() / d;
  const Labels labels = characteristics.labels(View<const double, 2>(places.data(), n, d));
  if (const double missing = double(labels.missing()) / double(n); missing > 0) {
    const std::size_t first =
        std::size_t(std::find(labels.missed.begin(), labels.missed.end(), 1) - labels.missed.begin());
    doubts.push_back(
        fmt::format("no label arrives at {} of the places, e.g. at {}; values there are those of the nearest "
                    "label: wider "
                    "labels (lagrangian.labels)",
                    percent(missing),
                    place_text(p, {places.begin() + std::ptrdiff_t(first * d),
                                   places.begin() + std::ptrdiff_t((first + 1) * d)})));
  }
  return doubts;
}
}  // namespace

Assessment assess(const Cpu& cpu, const Solution::State& state) {
  const Problem& p = state.trained;
  const int trained = int(state.parameters.size());
  Assessment out;
  if (trained == 0) return out;
  ResidualChecker checker(cpu, state.problem, p,
                          std::clamp(times_training * p.training.points.count, least_points, most_points));
  std::vector<ResidualSums> fresh(p.equations.size() + p.conditions.size()), training = fresh,
                                                                             compared = fresh;
  const auto add = [](std::vector<ResidualSums>& to, const std::vector<ResidualSums>& from) {
    for (std::size_t i = 0; i < to.size(); ++i) to[i].add(from[i]);
  };
  for (int w : windows_to_check(trained)) {
    const std::vector<ResidualSums> sums = checker.fresh(w, state.parameters);
    add(fresh, sums);
    // Which points earlier windows ended with is not known where they were drawn anew.
    const bool last = w == trained - 1;
    if (!last && p.training.points.resample_every > 0) continue;
    add(compared, sums);
    add(training, checker.trained(w, state.parameters, last ? state.generation : 0,
                                  last ? state.gathered : std::vector<double>()));
  }
  std::vector<double> between;
  const Pieces pieces(state.problem);
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    if (fresh[i].points == 0) continue;
    const bool condition = i >= p.equations.size();
    ResidualCheck check;
    check.name = condition ? p.conditions[i - p.equations.size()].name : p.equations[i].name;
    check.condition = condition;
    check.rms = fresh[i].rms();
    check.largest = fresh[i].largest;
    check.training_rms = training[i].rms();
    check.scale = fresh[i].scale();
    check.place = fresh[i].place;
    if (state.problem.lagrangian && !check.place.empty()) move_to_place(cpu, state, check.place);
    const double ratio = check.training_rms > 0 ? compared[i].rms() / check.training_rms : 0;
    pieces.add(i, std::move(check), ratio, out.residuals, between);
  }
  const std::size_t rows = checker.rows(trained - 1, state.generation);
  out.comparisons = compare_with_collocation(cpu, state, work_for_comparison(state, rows));
  out.doubts = doubts_of_comparisons(state, out.comparisons);
  for (std::string& doubt : doubts_of(state, out.residuals, between, rows))
    out.doubts.push_back(std::move(doubt));
  if (state.problem.lagrangian)
    for (std::string& doubt : doubts_of_characteristics(cpu, state)) out.doubts.push_back(std::move(doubt));
  shorten(out.doubts);
  return out;
}

}  // namespace sobolev::detail
