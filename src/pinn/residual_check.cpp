// SPDX-License-Identifier: Apache-2.0
#include "residual_check.hpp"

#include <algorithm>
#include <cmath>

#include "src/problem/interfaces.hpp"
#include "src/problem/lagrangian.hpp"
#include "src/problem/scales.hpp"
#include "training_points.hpp"

namespace sobolev::detail {
namespace {
/// Where all terms of a residual vanish beside their natural sizes (a solution that is linear, or zero), what
/// is left of them is noise and no scale.
constexpr double vanished = 1e-3;
}  // namespace

void ResidualSums::add(const ResidualSums& other) {
  least = std::max(least, other.least);
  squares += other.squares;
  points += other.points;
  interior_points += other.interior_points;
  if (other.largest > largest || std::isnan(other.largest)) {
    largest = other.largest;
    place = other.place;
  }
  const auto sum = [](std::vector<double>& to, const std::vector<double>& from) {
    to.resize(std::max(to.size(), from.size()));
    for (std::size_t k = 0; k < from.size(); ++k) to[k] += from[k];
  };
  sum(terms, other.terms);
  sum(everywhere, other.everywhere);
}

double ResidualSums::rms() const { return points > 0 ? std::sqrt(squares / points) : 0; }

double ResidualSums::scale() const {
  double scale = least;
  for (double t : terms) scale = std::max(scale, std::sqrt(t / std::max(1.0, points)));
  for (double t : everywhere) scale = std::max(scale, std::sqrt(t / std::max(1.0, interior_points)));
  return scale;
}

/// A window's expressions compiled: equations with their terms and the conditions' terms in the interior, and
/// each condition with its terms where it holds.
struct ResidualChecker::Window {
  struct Set {
    Evaluator evaluator;
    std::vector<std::size_t>
        entries;     // in the order of the outputs: the residual (of an own entry), then its terms
    int group = -1;  // among the trained ones
    const Condition* condition = nullptr;
    bool ready = false;  // its fresh points are set
    std::vector<double> points;
    Set(Evaluator e) : evaluator(std::move(e)) {}
  };
  int number;
  WindowModel model;
  std::vector<Set> sets;  // the interior first
  Window(const Problem& problem, int window) : number(window), model(problem, window) {}
};

ResidualChecker::ResidualChecker(const Cpu& cpu, const Problem& asked, const Problem& problem, int count)
    : cpu_(cpu), problem_(&problem), count_(count) {
  const bool cut = is_cut(asked);
  const auto add = [&](const Condition* condition, Expr residual, const Problem& of) {
    Entry entry{condition, residual, summands(residual), 0};
    const NaturalSizes natural = natural_sizes(of, residual);
    const bool alone = !condition && entry.terms.size() == 1;
    entry.natural = natural.terms * (alone ? 1 : vanished);
    // At a plane of a cut domain the pieces may differ by orders: what counts is the smaller one.
    if (condition && cut && condition->name.starts_with("interface_"))
      for (const Expr& term : entry.terms)
        entry.natural = std::min(entry.natural, natural_sizes(of, term).terms * vanished);
    entries_.push_back(std::move(entry));
  };
  if (asked.lagrangian) {
    const LagrangianForm form(asked);
    for (const Equation& e : asked.equations) {
      add(nullptr, e.residual, asked);
      entries_.back().residual = form.at_labels(e.residual);
      for (Expr& term : entries_.back().terms) term = form.at_labels(term);
    }
  }
  for (std::size_t i = entries_.size(); i < problem.equations.size(); ++i)
    add(nullptr, problem.equations[i].residual, problem);
  for (const Condition& c : problem.conditions) add(&c, c.left - c.right, problem);
  std::vector<PreviousValue> wanted;
  if (divided(problem)) {
    for (const Window::Set& set : window(1).sets)
      for (const PreviousValue& v : set.evaluator.previous())
        if (std::find(wanted.begin(), wanted.end(), v) == wanted.end()) wanted.push_back(v);
  }
  chain_ = std::make_unique<Continuation>(cpu, problem, wanted, relabelled(asked));
}

ResidualChecker::~ResidualChecker() = default;
void ResidualChecker::window_changed() { window_.reset(); }

bool ResidualChecker::belongs(const Condition& condition, int window) const {
  const int time = problem_->time();
  if (time < 0) return true;
  for (const auto& [name, value] : condition.where) {
    if (name != problem_->coordinates[std::size_t(time)].name) continue;
    const auto [start, end] = window_range(*problem_, window);
    const double slack = 1e-9 * (end - start);
    return value <= end + slack && (window == 0 || value > start + slack);
  }
  return true;
}

ResidualChecker::Window& ResidualChecker::window(int number) {
  if (window_ && window_->number == number) return *window_;
  window_ = std::make_unique<Window>(*problem_, number);
  const WindowModel& model = window_->model;
  std::vector<Expr> interior;
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (!entries_[i].condition) interior.push_back(entries_[i].residual);
    interior.insert(interior.end(), entries_[i].terms.begin(), entries_[i].terms.end());
    order.push_back(i);
  }
  window_->sets.emplace_back(Evaluator(cpu_, model, interior));
  window_->sets.back().entries = order;
  window_->sets.back().group = 0;
  int group = 1;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const Condition* c = entries_[i].condition;
    if (!c) continue;
    const bool trained = !model.imposed(*c) && !model.compile(c->name, {entries_[i].residual}).satisfied;
    if (belongs(*c, number)) {
      std::vector<Expr> outputs{entries_[i].residual};
      outputs.insert(outputs.end(), entries_[i].terms.begin(), entries_[i].terms.end());
      window_->sets.emplace_back(Evaluator(cpu_, model, outputs));
      window_->sets.back().entries = {i};
      window_->sets.back().condition = c;
      if (trained) window_->sets.back().group = group;
    }
    if (trained) ++group;
  }
  return *window_;
}

std::vector<ResidualSums> ResidualChecker::measure(Window& w,
                                                   const std::vector<std::vector<double>>& parameters,
                                                   bool training, long generation,
                                                   const std::vector<double>& gathered) {
  std::vector<ResidualSums> all(entries_.size());
  const std::size_t d = problem_->coordinates.size();
  for (std::size_t s = 0; s < w.sets.size(); ++s) {
    Window::Set& set = w.sets[s];
    const bool interior = set.condition == nullptr;
    if (training && set.group < 0) continue;
    if (training || !set.ready) {
      set.points = training ? training_points(*problem_, w.model, set.condition, set.group, generation)
                            : fresh_points(*problem_, w.model, set.condition, int(s),
                                           interior ? count_ : std::max(16, count_ / 4));
      if (training && interior) set.points.insert(set.points.end(), gathered.begin(), gathered.end());
      const View<const double, 2> x(set.points.data(), set.points.size() / d, d);
      Buffer<double> previous;
      if (w.number > 0) previous = chain_->values(w.number, x, set.evaluator.previous(), parameters);
      set.evaluator.set_points(
          x, View<const double, 2>(previous.data(), w.number == 0 ? 0 : set.evaluator.previous().size(),
                                   x.extent(0)));
      set.ready = !training;
    }
    const std::size_t n = set.points.size() / d;
    std::size_t outputs = 0;
    for (std::size_t i : set.entries)
      outputs += entries_[i].terms.size() + (interior && entries_[i].condition ? 0 : 1);
    Buffer<double> values(outputs * n);
    set.evaluator.evaluate(parameters[std::size_t(w.number)], values.view(outputs, n));
    const double* row = values.data();
    for (std::size_t i : set.entries) {
      ResidualSums& sums = all[i];
      if (!(interior && entries_[i].condition)) {
        for (std::size_t k = 0; k < n; ++k) {
          const double r = std::abs(row[k]);
          sums.squares += r * r;
          if (r <= sums.largest) continue;
          sums.largest = r;  // NaN too, and it stays
          sums.place.assign(set.points.begin() + std::ptrdiff_t(k * d),
                            set.points.begin() + std::ptrdiff_t((k + 1) * d));
          if (std::isnan(r)) break;
        }
        sums.points += double(n);
        row += n;
      }
      std::vector<double>& terms = interior && entries_[i].condition ? sums.everywhere : sums.terms;
      terms.resize(entries_[i].terms.size());
      for (double& t : terms) {
        // A condition's data may have no value in the interior.
        for (std::size_t k = 0; k < n; ++k) t += std::isfinite(row[k]) ? row[k] * row[k] : 0;
        row += n;
      }
      if (interior && entries_[i].condition) sums.interior_points += double(n);
      sums.least = entries_[i].natural;
    }
  }
  return all;
}

std::vector<ResidualSums> ResidualChecker::fresh(int number,
                                                 const std::vector<std::vector<double>>& parameters) {
  return measure(window(number), parameters, false, 0, {});
}
std::vector<ResidualSums> ResidualChecker::trained(int number,
                                                   const std::vector<std::vector<double>>& parameters,
                                                   long generation, const std::vector<double>& gathered) {
  return measure(window(number), parameters, true, generation, gathered);
}

std::size_t ResidualChecker::rows(int number, long generation) {
  const Window& w = window(number);
  const std::size_t d = problem_->coordinates.size();
  std::size_t rows = 0;
  for (const Window::Set& set : w.sets) {
    if (set.group < 0) continue;
    const std::size_t n =
        training_points(*problem_, w.model, set.condition, set.group, generation).size() / d;
    rows += n * (set.condition ? 1 : problem_->equations.size());
  }
  return rows;
}

double ResidualChecker::worst(const std::vector<ResidualSums>& sums) const {
  double worst = 0;
  for (const ResidualSums& s : sums) {
    if (std::isnan(s.rms())) return s.rms();
    if (s.rms() > 0) worst = std::max(worst, s.rms() / s.scale());
  }
  return worst;
}

}  // namespace sobolev::detail
