// SPDX-License-Identifier: Apache-2.0
// The windows of an error's equation one after another, and what comes out of them.
#include "sobolev/pinn/error_estimate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "error_windows.hpp"
#include "sobolev/core/error.hpp"
#include "src/problem/defaults.hpp"
#include "src/problem/interfaces.hpp"
#include "src/problem/lagrangian.hpp"
#include "src/problem/network_of.hpp"
#include "src/training/clock.hpp"

namespace sobolev {
namespace detail {
namespace {
constexpr double least_seconds = 5;
constexpr double fell = 0.5;       // the residual, to less than this
constexpr double found_all = 0.3;  // a second network finds less than this more
constexpr double hardly_fell = 0.95, grew = 1.05;
constexpr double small_residual = 1e-3;  // beside its largest term
constexpr int windows_of_one = 4;  // of the error's equation to begin with, in one window of the solution
constexpr int most_halvings = 6;
constexpr double most_overtime = 2;  // times the seconds, where windows take longer than their share

class Estimator {
 public:
  Estimator(const Cpu& cpu, const Solution& solution, const ErrorEstimateOptions& options)
      : cpu_(cpu),
        solution_(solution),
        of_(solution.state()),
        options_(options),
        windows_(cpu, of_, options.width),
        limit_(options.seconds < 0    ? std::numeric_limits<double>::infinity()
               : options.seconds == 0 ? std::max(least_seconds, of_.seconds / 2)
                                      : options.seconds) {}

  ErrorEstimate run() {
    make_grid();
    march();
    read();
    out_.seconds = since(begin_);
    return std::move(out_);
  }

 private:
  void make_grid() {
    const std::vector<CoordinateRange>& coordinates = of_.problem.coordinates;
    require(options_.axes.empty() || options_.axes.size() == coordinates.size(), [&] {
      return fmt::format("estimate_error: {} axes are given, the problem has {} coordinates",
                         options_.axes.size(), coordinates.size());
    });
    out_.axes = options_.axes.empty() ? default_axes(of_.problem) : options_.axes;
    for (const CoordinateRange& c : coordinates) out_.coordinates.push_back(c.name);
    // Where only some windows were trained, the times that are solved.
    if (const int t = of_.problem.time(); t >= 0 && options_.axes.empty()) {
      const auto [first, last] = windows_.equation().times();
      const double end = last + 1e-9 * (last - first);
      std::erase_if(out_.axes[std::size_t(t)], [end](double at) { return at > end; });
    }
  }

  ErrorFit fit(double start, double end, double seconds, bool can_halve) {
    ErrorFitOptions options;
    options.seconds = seconds;
    options.iterations = options_.iterations;
    options.can_halve = can_halve;
    options.seed = options_.seed + windows_.size();
    const auto [first, last] = windows_.equation().times();
    const double before = last > first ? (start - first) / (last - first) : 0,
                 share = last > first ? (end - start) / (last - first) : 1;
    options.go_on = [this, before, share](double fraction) {
      if (options_.on_progress) options_.on_progress(before + share * fraction);
      return options_.stop == nullptr || !options_.stop->load();
    };
    const ErrorFit done = fit_window(cpu_, windows_, start, end, options);
    out_.iterations += done.iterations;
    return done;
  }

  void accept(const ErrorFit& fit, double start, double end) {
    const double length = end > start ? end - start : 1;
    sums_.before += length * fit.before;
    sums_.after += length * fit.after;
    sums_.found += length * fit.found;
    sums_.overlooked += length * fit.overlooked;
    out_.until = end;
  }

  void march() {
    const ErrorEquation& equation = windows_.equation();
    const auto [first, last] = equation.times();
    out_.until = first;
    if (!equation.marches()) {
      accept(fit(first, last, limit_, false), first, last);
      out_.complete = true;
      return;
    }
    // Windows of the error lie in windows of the solution, between which that is not smooth.
    const int solved = int(of_.parameters.size());
    const double whole = last - first, slack = 1e-9 * whole;
    double step = (window_range(of_.trained, 0).second - first) / (solved == 1               ? windows_of_one
                                                                   : solved < windows_of_one ? 2
                                                                                             : 1);
    const double shortest = step / (1 << most_halvings);
    int inside = 0;
    while (out_.until < last - slack) {
      const double start = out_.until;
      while (inside + 1 < solved && start >= window_range(of_.trained, inside).second - slack) ++inside;
      const double border = window_range(of_.trained, inside).second;
      double end = std::min(start + step, border);
      if (border - end < 0.3 * step) end = border;
      const double left = limit_ - since(begin_);
      if (left <= 0 && since(begin_) > most_overtime * limit_) return;
      const bool can_halve = end - start > 1.5 * shortest && left > 0;
      const ErrorFit done = fit(start, end, std::max(0.0, left) * (end - start) / (last - start), can_halve);
      const bool good = done.left() <= fell || done.rest() < found_all || done.late;
      if (done.stopped || (!good && can_halve)) {
        windows_.pop();
        if (done.stopped) return;
        step = (end - start) / 2;
        continue;
      }
      accept(done, start, end);
      if (done.easy) step = std::min(2 * step, whole);
    }
    out_.complete = true;
  }

  void read() {
    out_.windows = int(windows_.size());
    out_.parameters = windows_.size() == 0 ? 0 : windows_.back().parameters.size();
    out_.residual_left = sums_.left();
    out_.overlooked = sums_.rest();
    for (const ResidualCheck& r : solution_.assessment().residuals)
      if (r.scale > 0) out_.largest_residual = std::max(out_.largest_residual, r.rms / r.scale);
    out_.sound = out_.complete && out_.overlooked < found_all && out_.residual_left < grew &&
                 (out_.residual_left < fell || out_.largest_residual < small_residual);
    say();
    if (windows_.size() == 0) return;
    const bool in_the_dark = !out_.sound && !(out_.residual_left < hardly_fell);
    const double wider = std::sqrt(1 + out_.overlooked * out_.overlooked),
                 least = in_the_dark && out_.largest_residual > small_residual ? out_.largest_residual : 0;
    const std::vector<double> points = grid_points(out_.axes);
    const std::size_t d = out_.axes.size(), n = points.size() / d;
    const View<const double, 2> x(points.data(), n, d);
    std::vector<std::vector<double>> e = is_cut(of_.problem) ? errors_in_pieces(x) : windows_.errors(x);
    if (of_.problem.lagrangian) at_places(x, e);
    const std::vector<std::string>& unknowns = of_.problem.unknowns;
    const std::vector<std::vector<double>> u = solution_at(x, e[0]);
    for (std::size_t k = 0; k < unknowns.size(); ++k) {
      double difference = 0, norm = 0, largest = 0;
      for (std::size_t i = 0; i < n; ++i) {
        if (!std::isfinite(e[k][i])) continue;
        difference += e[k][i] * e[k][i];
        norm += (u[k][i] + e[k][i]) * (u[k][i] + e[k][i]);
        largest = std::max(largest, std::abs(e[k][i]));
      }
      out_.relative_l2[unknowns[k]] = std::max(least, wider * std::sqrt(difference / (norm > 0 ? norm : 1)));
      out_.largest[unknowns[k]] = wider * largest;
      out_.error[unknowns[k]] = std::move(e[k]);
    }
    constants(wider, least);
  }

  /// The solution where the error is known; 0 elsewhere.
  std::vector<std::vector<double>> solution_at(View<const double, 2> x, const std::vector<double>& known) {
    const std::size_t n = x.extent(0), d = x.extent(1);
    std::vector<std::size_t> here;
    std::vector<double> at;
    for (std::size_t i = 0; i < n; ++i) {
      if (!std::isfinite(known[i])) continue;
      here.push_back(i);
      at.insert(at.end(), x.data() + i * d, x.data() + (i + 1) * d);
    }
    std::vector<Expr> fields;
    for (const std::string& u : of_.problem.unknowns) fields.push_back(field(u));
    const View<const double, 2> places(at.data(), here.size(), d);
    const MakeEvaluator make = evaluators_on(cpu_, cpu_);
    const auto values = of_.problem.lagrangian
                            ? evaluate_windows(cpu_, make, of_.trained, of_.parameters, places, fields)
                            : values_at(cpu_, make, of_, places, fields);
    std::vector<std::vector<double>> out(fields.size(), std::vector<double>(n));
    for (std::size_t k = 0; k < fields.size(); ++k)
      for (std::size_t i = 0; i < here.size(); ++i) out[k][here[i]] = values[k][i];
    return out;
  }

  /// Of a domain that is cut: each place in its piece, by that piece's unknowns.
  std::vector<std::vector<double>> errors_in_pieces(View<const double, 2> x) {
    const CutProblem cut(of_.problem);
    const Problem &p = of_.problem, &trained = of_.trained;
    const std::size_t n = x.extent(0), d = x.extent(1);
    std::size_t along = 0;
    while (p.coordinates[along].name != cut.coordinate()) ++along;
    std::vector<std::vector<double>> out(p.unknowns.size(), std::vector<double>(n));
    for (int k = 0; k < cut.pieces(); ++k) {
      std::vector<double> at(x.begin(), x.end());
      std::vector<std::size_t> here;
      for (std::size_t i = 0; i < n; ++i) {
        double& y = at[i * d + along];
        if (cut.piece_of(y) == k) here.push_back(i);
        y = std::clamp(cut.reference(k, y), 0.0, 1.0);
      }
      const auto e = windows_.errors(View<const double, 2>(at.data(), n, d));
      for (std::size_t u = 0; u < p.unknowns.size(); ++u) {
        const auto own = std::find(trained.unknowns.begin(), trained.unknowns.end(),
                                   CutProblem::piece_name(p.unknowns[u], k));
        if (own == trained.unknowns.end()) continue;
        for (const std::size_t i : here) out[u][i] = e[std::size_t(own - trained.unknowns.begin())][i];
      }
    }
    return out;
  }

  /// From errors along labels to those at places, to first order: e − ∇u · (error of the displacement).
  void at_places(View<const double, 2> x, std::vector<std::vector<double>>& e) {
    const Problem& p = of_.trained;
    const LagrangianForm form(of_.problem);
    for (std::size_t k = 0; k < of_.problem.unknowns.size(); ++k)
      for (const int c : form.moving()) {
        const std::string& name = of_.problem.coordinates[std::size_t(c)].name;
        const std::size_t moved = std::size_t(
            std::find(p.unknowns.begin(), p.unknowns.end(), displacement_name(name)) - p.unknowns.begin());
        const auto slope = evaluate_windows(cpu_, evaluators_on(cpu_, cpu_), p, of_.parameters, x,
                                            {form.at_labels(field(of_.problem.unknowns[k], {{name, 1}}))});
        for (std::size_t i = 0; i < x.extent(0); ++i) e[k][i] -= slope[0][i] * e[moved][i];
      }
  }

  void constants(double wider, double least) {
    const Problem& p = of_.trained;
    if (p.unknown_constants.empty()) return;
    const ErrorWindow& w = windows_.back();
    const std::map<std::string, double> at = found_constants(p, of_.parameters.front()),
                                        error = found_constants(w.problem, w.parameters);
    for (const auto& [name, value] : at) {
      const double e = w.constants.at(name) * error.at(name);
      out_.constants[name] = std::max(least, wider * std::abs(e) / std::abs(value + e));
    }
  }

  void say() {
    const auto percent = [](double share) {
      return share < 0.001 ? fmt::format("{:.1g} %", 100 * share) : fmt::format("{:.2g} %", 100 * share);
    };
    const std::string left = fmt::format("with the estimated error taken off, {} of the residual is left",
                                         percent(out_.residual_left)),
                      second = fmt::format("a second network finds {} of the estimate in it",
                                           percent(out_.overlooked));
    if (windows_.size() == 0)
      out_.worth = "nothing is known of the error: give more seconds";
    else if (!out_.complete)
      out_.worth = fmt::format("the error is known up to t = {:.4g} only: give more seconds", out_.until);
    else if (out_.sound)
      out_.worth = fmt::format("sound: {}, {}", left, second);
    else
      out_.worth = fmt::format(
          "not sound: {}, {}, and the largest residual is {} of its largest term; the error may be larger. "
          "Give "
          "more seconds, or train the solution further",
          left, second, percent(out_.largest_residual));
  }

  Cpu cpu_;
  const Solution& solution_;
  const Solution::State& of_;
  const ErrorEstimateOptions& options_;
  ErrorWindows windows_;
  double limit_;
  Clock::time_point begin_ = Clock::now();
  ErrorFit sums_;
  ErrorEstimate out_;
};
}  // namespace
}  // namespace detail

ErrorEstimate estimate_error(const Cpu& cpu, const Solution& solution, const ErrorEstimateOptions& options) {
  const Solution::State& state = solution.state();
  if (state.parameters.empty())
    throw ArgumentError("estimate_error: the solution is empty, it holds no trained network");
  if (detail::relabelled(state.problem) != nullptr)
    throw ArgumentError(
        "estimate_error: the windows of this Lagrangian form begin with labels of their own; give their "
        "range (lagrangian.labels), or train in one window (training.windows = 1)");
  return detail::Estimator(cpu, solution, options).run();
}

}  // namespace sobolev
