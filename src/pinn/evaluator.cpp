// SPDX-License-Identifier: Apache-2.0
#include "evaluator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "characteristics.hpp"

namespace sobolev::detail {
namespace {
/// Columns [first, first + count) of values : [rows, n].
Buffer<double> columns(const Buffer<double>& values, std::size_t n, std::size_t first, std::size_t count) {
  const std::size_t rows = n == 0 ? 0 : values.size() / n;
  Buffer<double> out(rows * count);
  for (std::size_t k = 0; k < rows; ++k)
    std::copy_n(values.data() + k * n + first, count, out.data() + k * count);
  return out;
}
}  // namespace

Buffer<double> external_values(const Cpu& cpu, const CompiledGroup& g, View<const double, 2> x,
                               View<const double, 2> previous) {
  const std::size_t n = x.extent(0), d = x.extent(1), e = std::size_t(g.group.externals);
  Buffer<double> result(e * n);
  if (e == 0 || n == 0) return result;
  Buffer<double> columns((d + g.previous.size()) * n);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < d; ++j) columns[j * n + i] = x.data()[i * d + j];
  if (!g.previous.empty()) {
    require(previous.extent(0) == g.previous.size() && previous.extent(1) == n,
            "external values: the previous window's values are missing");
    std::copy(previous.begin(), previous.end(), columns.data() + d * n);
  }
  tape_forward<double>(cpu, g.prelude, View<const double, 2>(columns.data(), d + g.previous.size(), n),
                       result.view(e, n));
  return result;
}

void Evaluator::set_points(View<const double, 2> x, View<const double, 2> previous) {
  Buffer<double> values = external_values(cpu_, group_, x, previous);
  values_->set_points(x,
                      View<const double, 2>(values.data(), std::size_t(group_.group.externals), x.extent(0)));
}

const Problem* relabelled(const Problem& asked) {
  return asked.lagrangian && asked.lagrangian->labels.empty() && divided(asked) ? &asked : nullptr;
}

Continuation::Continuation(const Cpu& cpu, const Problem& problem, std::vector<PreviousValue> wanted,
                           const Problem* asked)
    : cpu_(cpu), problem_(&problem), asked_(asked), carried_(std::move(wanted)) {
  std::erase_if(carried_, [&](const PreviousValue& v) { return displacement(v); });
  if (!divided(problem) || carried_.empty()) return;
  // What the carried values need in turn is carried too.
  for (std::size_t before = 0; before != carried_.size();) {
    before = carried_.size();
    const CompiledGroup g = WindowModel(problem, 1).compile("carried", carried_expressions());
    for (const PreviousValue& v : g.previous)
      if (!displacement(v) && std::find(carried_.begin(), carried_.end(), v) == carried_.end())
        carried_.push_back(v);
  }
}

bool Continuation::displacement(const PreviousValue& v) const {
  return asked_ != nullptr &&
         std::find(asked_->unknowns.begin(), asked_->unknowns.end(), v.unknown) == asked_->unknowns.end();
}

std::vector<Expr> Continuation::carried_expressions() const {
  std::vector<Expr> all;
  std::optional<LagrangianForm> form;
  if (asked_ != nullptr) form.emplace(*asked_);
  for (const PreviousValue& v : carried_) {
    const Expr e = field(v.unknown, v.derivative);
    all.push_back(form ? form->at_labels(e) : e);
  }
  return all;
}

Evaluator& Continuation::evaluator(int window) {
  while (int(evaluators_.size()) <= window)
    evaluators_.push_back(std::make_unique<Evaluator>(cpu_, WindowModel(*problem_, int(evaluators_.size())),
                                                      carried_expressions()));
  return *evaluators_[std::size_t(window)];
}

Buffer<double> Continuation::step(int window, View<const double, 2> x, const Buffer<double>& before,
                                  const std::vector<double>& parameters) {
  const std::size_t n = x.extent(0), d = x.extent(1), time = std::size_t(std::max(0, problem_->time()));
  Evaluator& e = evaluator(window);
  std::vector<double> at(x.begin(), x.end());
  const double end = window_range(*problem_, window).second;
  for (std::size_t i = 0; i < n; ++i) at[i * d + time] = end;
  const Buffer<double> inputs = pick(before, n, e.previous());
  e.set_points(View<const double, 2>(at.data(), n, d),
               View<const double, 2>(inputs.data(), e.previous().size(), n));
  Buffer<double> now(carried_.size() * n);
  e.evaluate(parameters, now.view(carried_.size(), n));
  e.set_points(View<const double, 2>(nullptr, 0, d), View<const double, 2>(nullptr, e.previous().size(), 0));
  return now;
}

Buffer<double> Continuation::pick(const Buffer<double>& carried, std::size_t n,
                                  const std::vector<PreviousValue>& wanted) const {
  Buffer<double> result(wanted.size() * n);
  for (std::size_t k = 0; k < wanted.size(); ++k) {
    if (displacement(wanted[k])) continue;  // 0
    const auto it = std::find(carried_.begin(), carried_.end(), wanted[k]);
    ensure(it != carried_.end() && !carried.empty(), "a value of the previous window that was not carried");
    std::copy_n(carried.data() + std::size_t(it - carried_.begin()) * n, n, result.data() + k * n);
  }
  return result;
}

Buffer<double> Continuation::values_at_places(int window, View<const double, 2> x,
                                              const std::vector<PreviousValue>& wanted,
                                              const std::vector<std::vector<double>>& parameters) {
  const std::size_t n = x.extent(0), d = x.extent(1);
  if (std::all_of(wanted.begin(), wanted.end(), [&](const PreviousValue& v) { return displacement(v); }))
    return Buffer<double>(wanted.size() * n);
  const int before = window - 1;
  std::vector<double> places(x.begin(), x.end());
  const double end = window_range(*problem_, before).second;
  for (std::size_t i = std::size_t(problem_->time()); i < places.size(); i += d) places[i] = end;
  const std::vector<double> labels =
      Characteristics(cpu_, evaluators_on(cpu_, cpu_), *asked_, *problem_, parameters)
          .labels(View<const double, 2>(places.data(), n, d))
          .points;
  const View<const double, 2> at(labels.data(), n, d);
  Evaluator& e = evaluator(before);
  const Buffer<double> inputs =
      before == 0 ? Buffer<double>() : values_at_places(before, at, e.previous(), parameters);
  e.set_points(at, View<const double, 2>(inputs.data(), before == 0 ? 0 : e.previous().size(), n));
  Buffer<double> now(carried_.size() * n);
  e.evaluate(parameters[std::size_t(before)], now.view(carried_.size(), n));
  e.set_points(View<const double, 2>(nullptr, 0, d),
               View<const double, 2>(nullptr, before == 0 ? 0 : e.previous().size(), 0));
  return pick(now, n, wanted);
}

std::size_t Continuation::known_numbers() const {
  std::size_t n = 0;
  for (const Known& k : known_) n += k.points.size() + k.values.size();
  return n;
}

Buffer<double> Continuation::values(int window, View<const double, 2> x,
                                    const std::vector<PreviousValue>& wanted,
                                    const std::vector<std::vector<double>>& parameters) {
  const std::size_t n = x.extent(0), d = x.extent(1), time = std::size_t(std::max(0, problem_->time()));
  if (wanted.empty() || n == 0) return Buffer<double>(wanted.size() * n);
  if (asked_ != nullptr) return values_at_places(window, x, wanted, parameters);
  std::vector<double> points(x.begin(), x.end());
  for (std::size_t i = 0; i < n; ++i) points[i * d + time] = 0;
  auto known = std::find_if(known_.begin(), known_.end(),
                            [&](const Known& k) { return k.window < window && k.points == points; });
  if (known == known_.end()) {
    while (!known_.empty() && (known_.size() == most_known || known_numbers() > most_numbers))
      known_.pop_front();
    known = known_.insert(known_.end(), Known{-1, std::move(points), {}});
  }
  while (known->window + 1 < window) {
    const int next = known->window + 1;
    known->values = step(next, View<const double, 2>(known->points.data(), n, d), known->values,
                         parameters[std::size_t(next)]);
    known->window = next;
  }
  return pick(known->values, n, wanted);
}

std::vector<std::vector<double>> evaluate_windows(const Cpu& cpu, const MakeEvaluator& make,
                                                  const Problem& problem,
                                                  const std::vector<std::vector<double>>& parameters,
                                                  View<const double, 2> x, const std::vector<Expr>& outputs,
                                                  const Problem* asked) {
  const std::size_t n = x.extent(0), d = x.extent(1);
  require(d == problem.coordinates.size(),
          fmt::format("evaluate: the points have {} columns, the problem {} coordinates", d,
                      problem.coordinates.size()));
  std::vector<std::vector<double>> result(outputs.size(), std::vector<double>(n));
  const int time = problem.time();
  std::vector<std::vector<std::size_t>> by_window(parameters.size());
  for (std::size_t i = 0; i < n; ++i) {
    std::size_t w = 0;
    if (time >= 0) {
      const double t = x.data()[i * d + std::size_t(time)];
      const CoordinateRange& range = problem.coordinates[std::size_t(time)];
      const double slack = 1e-9 * (range.high - range.low),
                   trained = window_range(problem, int(parameters.size()) - 1).second;
      require(t >= range.low - slack && t <= trained + slack,
              fmt::format("evaluate: point {} has {} = {}, outside [{}, {}]", i, range.name, t, range.low,
                          trained));
      while (w + 1 < parameters.size() && t > window_range(problem, int(w)).second) ++w;
    }
    by_window[w].push_back(i);
  }
  std::vector<PreviousValue> wanted;
  if (parameters.size() > 1) wanted = make(WindowModel(problem, 1), outputs).previous();
  Continuation chain(cpu, problem, wanted, asked);
  // The points of later windows are carried along, all at once, in the order of their windows.
  std::vector<std::size_t> order;
  for (const auto& indices : by_window) order.insert(order.end(), indices.begin(), indices.end());
  std::vector<double> at(n * d);
  for (std::size_t i = 0; i < n; ++i) std::copy_n(x.data() + order[i] * d, d, at.data() + i * d);
  Buffer<double> carried;  // of the points that are left
  for (std::size_t w = 0, first = 0; w < parameters.size() && first < n; ++w) {
    const std::size_t here = by_window[w].size(), left = n - first;
    if (here > 0) {
      Evaluator e = make(WindowModel(problem, int(w)), outputs);
      Buffer<double> out(outputs.size() * here), previous;
      if (w > 0 && asked != nullptr)
        previous = chain.values(int(w), View<const double, 2>(at.data() + first * d, here, d), e.previous(),
                                parameters);
      else if (w > 0)
        previous = chain.pick(columns(carried, left, 0, here), here, e.previous());
      e.set_points(View<const double, 2>(at.data() + first * d, here, d),
                   View<const double, 2>(previous.data(), w == 0 ? 0 : e.previous().size(), here));
      e.evaluate(parameters[w], out.view(outputs.size(), here));
      for (std::size_t k = 0; k < outputs.size(); ++k)
        for (std::size_t i = 0; i < here; ++i) result[k][order[first + i]] = out[k * here + i];
    }
    first += here;
    if (first < n && !wanted.empty() && asked == nullptr)
      carried = chain.step(int(w), View<const double, 2>(at.data() + first * d, left - here, d),
                           columns(carried, left, here, left - here), parameters[w]);
  }
  return result;
}

}  // namespace sobolev::detail
