// SPDX-License-Identifier: Apache-2.0
// The training of one window of an error's equation.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "error_windows.hpp"
#include "sobolev/core/error.hpp"
#include "sobolev/linalg/cholesky.hpp"
#include "sobolev/optim/least_squares_start.hpp"
#include "sobolev/optim/levenberg_marquardt.hpp"
#include "src/problem/defaults.hpp"
#include "training_points.hpp"
#include "window_trainer.hpp"

namespace sobolev::detail {
namespace {
constexpr double small_enough = 0.03;  // of the residual: one digit of the error is asked for
constexpr double sharper = 0.2;        // times that, where a second network still finds
constexpr double much = 0.2;           // more than this,
constexpr int rounds = 3;              // so often
constexpr int hopeless_after = 12;     // iterations ...
constexpr double hopeless = 0.9;       // ... with the residual still above this
constexpr int stalled_after = 30;      // iterations that leave
constexpr double stalled = 0.98;       // so much of the loss
constexpr double output_damping = 1e-4;
constexpr double least_size = 1e-13;  // of an error beside its unknown
constexpr int fresh_count = 1000;
constexpr long generation = 1000;  // of points: beyond those of a training
constexpr std::uint64_t second_seed = 5000;

View<const double, 1> all(const std::vector<double>& v) { return View<const double, 1>(v.data(), v.size()); }

class Fitter {
 public:
  Fitter(const Cpu& cpu, ErrorWindows& windows, double start, double end, const ErrorFitOptions& options)
      : cpu_(cpu), windows_(windows), start_(start), end_(end), options_(options) {}

  ErrorFit run() {
    const auto begin = Clock::now();
    std::map<std::string, double> sizes;
    for (const std::string& u : unknowns()) sizes[u] = windows_.equation().size_of(u);
    build(sizes, 1);
    const std::vector<double> random = start_parameters(options_.seed);
    unit_weights_ = weigh(random);
    // Outputs by least squares say how large the error is.
    std::vector<double> theta = without_outputs(random);
    fit_outputs(theta);
    const double relative = measure(theta, sizes);

    build(sizes, relative);
    weigh(random);
    theta = without_outputs(random);
    const double untouched = objective_->loss(all(theta));
    fit_outputs(theta);
    ErrorFit out;
    double enough = small_enough;
    for (int round = 0; round < rounds; ++round) {
      train(theta, untouched, enough, begin, out);
      second_network(theta, out);
      if (out.stopped || !out.easy || out.rest() <= much) break;
      enough *= sharper;
    }
    windows_.back().parameters = std::move(theta);
    check(out);
    return out;
  }

 private:
  /// Equations, or a condition.
  struct Part {
    const Condition* condition;
    CompiledGroup compiled;
    int group = -1;
    std::vector<double> points{};
    Buffer<double> known{};  // of compiled.previous, at the points
  };

  std::size_t dimensions() const { return windows_.back().problem.coordinates.size(); }
  const std::vector<std::string>& unknowns() { return windows_.equation().unknowns(); }
  View<const double, 2> points_of(const Part& part) const {
    return View<const double, 2>(part.points.data(), part.points.size() / dimensions(), dimensions());
  }

  /// The window with errors of these sizes, its parts and their objective.
  void build(const std::map<std::string, double>& sizes, double constants) {
    std::vector<Part> before = std::move(parts_);
    parts_.clear();
    if (model_) windows_.pop();
    windows_.push(windows_.equation().window(start_, end_, sizes, constants));
    const Problem& q = windows_.back().problem;
    model_ = std::make_unique<WindowModel>(q, 0);
    objective_ = std::make_unique<ResidualObjective<double>>(cpu_, model_->network(), model_->features(),
                                                             model_->symmetry());
    std::vector<Expr> equations;
    for (const Equation& e : q.equations) equations.push_back(e.residual);
    parts_.push_back({nullptr, model_->compile("equations", equations)});
    for (const Condition& c : q.conditions) {
      Part part{&c, model_->compile(c.name, {c.left - c.right})};
      if (!part.compiled.satisfied) parts_.push_back(std::move(part));
    }
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      Part& part = parts_[i];
      part.group = objective_->add_group(part.compiled.group);
      if (i < before.size() && before[i].compiled.previous == part.compiled.previous) {
        part.points = std::move(before[i].points);
        part.known = std::move(before[i].known);
      } else {
        part.points = training_points(q, *model_, part.condition, part.group, generation);
        part.known = windows_.known(windows_.size() - 1, points_of(part), part.compiled.previous);
      }
      set_points(part);
    }
  }

  void set_points(const Part& part) {
    const View<const double, 2> x = points_of(part);
    const Buffer<double> external =
        external_values(cpu_, part.compiled, x,
                        View<const double, 2>(part.known.data(), part.compiled.previous.size(), x.extent(0)));
    require(std::all_of(external.begin(), external.end(), [](double v) { return std::isfinite(v); }), [&] {
      return fmt::format(
          "estimate_error: {} not finite at points that the solution was not trained on; look for divisions "
          "by "
          "zero and roots or logarithms of negative numbers",
          part.condition ? "the condition " + part.condition->name + " is" : "the equations are");
    });
    objective_->set_points(
        part.group, x,
        View<const double, 2>(external.data(), std::size_t(part.compiled.group.externals), x.extent(0)));
  }

  std::vector<double> start_parameters(unsigned long seed) const {
    const Network network = model_->network();
    return initial_parameters(network, model_->features(), model_->ranges(), windows_.back().problem.network,
                              seed, std::size_t(network.outputs()));
  }
  std::vector<double> without_outputs(std::vector<double> theta) const {
    for (std::size_t i : outputs()) theta[i] = 0;
    return theta;
  }
  std::vector<std::size_t> outputs() const { return output_parameters(model_->network(), true); }

  /// Weights as a training has them: each residual beside the size of its rows of the Jacobian.
  std::vector<std::vector<double>> weigh(const std::vector<double>& theta) {
    const auto norms = objective_->row_norms(all(theta));
    std::vector<std::vector<double>> weights;
    for (const Part& part : parts_) {
      std::vector<double>& of = weights.emplace_back();
      for (const double norm : norms[std::size_t(part.group)]) {
        const double w =
            (part.condition ? condition_weight : 1.0) / norm / double(objective_->points(part.group));
        of.push_back(norm > 0 && std::isfinite(w) ? w : 0);  // 0: no parameter moves it
      }
      objective_->set_weights(part.group, of);
    }
    return weights;
  }

  void fit_outputs(std::vector<double>& theta) {
    least_squares_start<double>(cpu_, *objective_, View<double, 1>(theta.data(), theta.size()), outputs(),
                                output_damping);
  }

  /// Sets `sizes` to the root mean squares of the raw outputs; the largest beside its unknown.
  double measure(const std::vector<double>& theta, std::map<std::string, double>& sizes) {
    windows_.back().parameters = theta;
    std::vector<Expr> raw;
    for (const std::string& u : unknowns()) raw.push_back(Expr(sizes.at(u)) * raw_output(u));
    const View<const double, 2> x = points_of(parts_[0]);
    const std::size_t n = x.extent(0);
    const Buffer<double> values = windows_.values(windows_.size() - 1, x, raw);
    double relative = least_size;
    for (std::size_t k = 0; k < unknowns().size(); ++k) {
      double sum = 0;
      for (std::size_t i = 0; i < n; ++i) sum += values[k * n + i] * values[k * n + i];
      double& size = sizes[unknowns()[k]];
      const double whole = size;
      size = std::sqrt(sum / double(n));
      if (!std::isfinite(size)) size = whole;
      relative = std::clamp(size / whole, relative, 1.0);
    }
    for (auto& [u, size] : sizes) {
      const double whole = windows_.equation().size_of(u);
      size = std::clamp(size, 1e-3 * relative * whole, whole);
    }
    return relative;
  }

  void train(std::vector<double>& theta, double untouched, double enough, Clock::time_point begin,
             ErrorFit& out) {
    const View<double, 1> parameters(theta.data(), theta.size());
    LevenbergMarquardt<double> optimizer(cpu_, theta.size());
    std::vector<double> losses{objective_->loss(all(theta))};
    out.easy = false;
    for (;;) {
      const double left = std::sqrt(losses.back() / untouched), spent = since(begin);
      out.easy = left <= enough || !(untouched > 0);
      if (out.easy) return;
      const std::size_t n = losses.size();
      const bool stands = n > stalled_after && losses[n - 1] > stalled * losses[n - 1 - stalled_after];
      out.late = (spent > options_.seconds && n > 1) ||
                 (options_.iterations > 0 && out.iterations >= options_.iterations);
      if (stands || out.late || (options_.can_halve && n > hopeless_after && left > hopeless)) return;
      const auto step = optimizer.step(*objective_, parameters);
      ++out.iterations;
      losses.push_back(step.loss);
      out.stopped = !options_.go_on(std::min(1.0, spent / options_.seconds));
      if (out.stopped || !step.accepted) return;
    }
  }

  /// Random features whose outputs make the most, by least squares, of the residual that e leaves.
  void second_network(const std::vector<double>& theta, ErrorFit& out) {
    const std::vector<std::size_t> which = outputs();
    std::vector<double> other = without_outputs(start_parameters(options_.seed + second_seed));
    const std::size_t p = theta.size(), n = which.size();
    Buffer<double> r(objective_->size()), matrix(p * p), gradient(p), factor(n * n), step(n);
    objective_->normal_equations(all(other), matrix.view(p, p), gradient.view(p));
    objective_->residuals(all(theta), r.view(r.size()));
    objective_->weigh(r.view(r.size()));
    objective_->pull_back(all(other), View<const double, 1>(r.data(), r.size()), gradient.view(p));
    double largest = 0;
    for (std::size_t i : which) largest = std::max(largest, matrix[i * p + i]);
    for (std::size_t i = 0; i < n; ++i) {
      step[i] = -gradient[which[i]];
      for (std::size_t j = 0; j < n; ++j) {
        const auto [low, high] = std::minmax(which[i], which[j]);
        factor[i * n + j] = matrix[low * p + high] + (i == j ? output_damping * largest : 0);
      }
    }
    ErrorWindow& w = windows_.back();
    const std::size_t k = windows_.size() - 1;
    const View<const double, 2> x = points_of(parts_[0]);
    w.parameters = theta;
    out.found = windows_.mean_squares(k, x);
    out.overlooked = out.found;
    if (!(largest > 0) || !cholesky<double>(cpu_, factor.view(n, n))) return;
    cholesky_solve<double>(cpu_, View<const double, 2>(factor.data(), n, n), step.view(n));
    // What it adds: its own part of e, without what the window starts with.
    std::vector<Expr> added;
    for (const std::string& u : unknowns())
      added.push_back(partial(w.error.at(u), raw_output(u)) * raw_output(u) *
                      Expr(1 / windows_.equation().size_of(u)));
    for (std::size_t i = 0; i < n; ++i) other[which[i]] = step[i];
    w.parameters = other;
    double sum = 0;
    for (const double v : windows_.values(k, x, added)) sum += v * v;
    out.overlooked = sum / double(x.extent(0));
    w.parameters = theta;
  }

  /// Residuals on fresh points, with e and without.
  void check(ErrorFit& out) {
    const ErrorWindow& w = windows_.back();
    for (std::size_t g = 0; g < parts_.size(); ++g) {
      const Condition* c = parts_[g].condition;
      std::vector<Expr> residuals;
      if (c != nullptr)
        residuals.push_back(c->left - c->right);
      else
        for (const Equation& e : w.problem.equations) residuals.push_back(e.residual);
      const std::size_t count = residuals.size();
      for (std::size_t e = 0; e < count; ++e) residuals.push_back(w.without_error(residuals[e]));
      const std::vector<double> points =
          fresh_points(w.problem, *model_, c, int(g), c == nullptr ? fresh_count : fresh_count / 4);
      const std::size_t n = points.size() / dimensions();
      const Buffer<double> r = windows_.values(
          windows_.size() - 1, View<const double, 2>(points.data(), n, dimensions()), residuals);
      for (std::size_t e = 0; e < count; ++e) {
        const double weight = unit_weights_[g][e] * double(objective_->points(parts_[g].group)) / double(n);
        for (std::size_t i = 0; i < n; ++i) {
          const double with = r[e * n + i], without = r[(count + e) * n + i];
          if (!std::isfinite(with) || !std::isfinite(without)) continue;
          out.before += weight * without * without;
          out.after += weight * with * with;
        }
      }
    }
  }

  Cpu cpu_;
  ErrorWindows& windows_;
  double start_, end_;
  const ErrorFitOptions& options_;
  std::vector<Part> parts_;
  std::unique_ptr<WindowModel> model_;
  std::unique_ptr<ResidualObjective<double>> objective_;
  std::vector<std::vector<double>> unit_weights_;
};
}  // namespace

ErrorFit fit_window(const Cpu& cpu, ErrorWindows& windows, double start, double end,
                    const ErrorFitOptions& options) {
  return Fitter(cpu, windows, start, end, options).run();
}

}  // namespace sobolev::detail
