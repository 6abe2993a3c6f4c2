// SPDX-License-Identifier: Apache-2.0
#include "error_windows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace sobolev::detail {

namespace {
constexpr std::size_t most_carried = 16;  // sets of points

/// What the solution's windows take from those before them for every derivative in the problem.
std::vector<PreviousValue> carried_values(const Problem& p) {
  if (!divided(p)) return {};
  std::vector<Expr> all;
  for (const Equation& e : p.equations) all.push_back(e.residual);
  for (const Condition& c : p.conditions) all.insert(all.end(), {c.left, c.right});
  for (const std::string& u : p.unknowns) all.push_back(field(u));
  std::vector<Expr> fields = fields_of(all);
  std::erase_if(fields, [](Expr f) { return f->role != Role::unknown; });
  return WindowModel(p, 1).compile("carried", fields).previous;
}

/// The unknown whose start or slope this is, else nothing.
std::optional<std::string> started(const Problem& p, const PreviousValue& v) {
  for (const std::string& u : p.unknowns)
    if (v.unknown == start_name(u) || v.unknown == slope_name(u)) return u;
  return {};
}
}  // namespace

ErrorWindows::ErrorWindows(const Cpu& cpu, const Solution::State& of, int width)
    : cpu_(cpu), of_(of), equation_(of, width), chain_(cpu, of.trained, carried_values(of.trained)) {}

void ErrorWindows::pop() {
  windows_.pop_back();
  for (Carried& c : carried_) std::erase_if(c.starts, [&](const Start& s) { return s.k > windows_.size(); });
}

ErrorWindows::Carried& ErrorWindows::carried_at(View<const double, 2> x) {
  std::vector<double> points(x.begin(), x.end());
  for (std::size_t i = std::size_t(of_.trained.time()); i < points.size(); i += x.extent(1)) points[i] = 0;
  const auto known =
      std::find_if(carried_.begin(), carried_.end(), [&](const Carried& c) { return c.points == points; });
  if (known != carried_.end()) return *known;
  if (carried_.size() == most_carried) carried_.pop_front();
  carried_.push_back({std::move(points), {}});
  return carried_.back();
}

void ErrorWindows::add_solution(std::size_t k, View<const double, 2> x,
                                const std::vector<PreviousValue>& wanted, double* result) {
  const Problem& p = of_.trained;
  const std::size_t n = x.extent(0);
  std::vector<Expr> outputs;
  std::vector<std::size_t> rows;
  for (std::size_t i = 0; i < wanted.size(); ++i)
    for (const std::string& u : p.unknowns)
      if (wanted[i].unknown == solution_name(u)) {
        outputs.push_back(field(u, wanted[i].derivative));
        rows.push_back(i);
      }
  if (outputs.empty()) return;
  const int w = windows_[k]->inside;
  Evaluator evaluator(cpu_, WindowModel(p, w), outputs);
  const Buffer<double> previous =
      w == 0 ? Buffer<double>() : chain_.values(w, x, evaluator.previous(), of_.parameters);
  evaluator.set_points(x,
                       View<const double, 2>(previous.data(), w == 0 ? 0 : evaluator.previous().size(), n));
  Buffer<double> values(outputs.size() * n);
  evaluator.evaluate(of_.parameters[std::size_t(w)], values.view(outputs.size(), n));
  for (std::size_t i = 0; i < rows.size(); ++i) std::copy_n(values.data() + i * n, n, result + rows[i] * n);
}

void ErrorWindows::add_starts(std::size_t k, View<const double, 2> x,
                              const std::vector<PreviousValue>& wanted, double* result) {
  const Problem& p = of_.trained;
  const std::size_t n = x.extent(0), d = x.extent(1);
  std::vector<PreviousValue> missing;
  std::vector<Expr> outputs;
  const auto find = [&](Carried& c, const PreviousValue& v) {
    return std::find_if(c.starts.begin(), c.starts.end(),
                        [&](const Start& s) { return s.k == k && s.what == v; });
  };
  for (const PreviousValue& v : wanted) {
    const auto u = started(p, v);
    if (!u) continue;
    Carried& c = carried_at(x);
    if (find(c, v) != c.starts.end()) continue;
    Expr e = windows_[k - 1]->error.at(*u);
    if (v.unknown == slope_name(*u)) e = differentiate(e, p.coordinates[std::size_t(p.time())].name);
    for (const auto& [name, order] : v.derivative)
      for (int j = 0; j < order; ++j) e = differentiate(e, name);
    missing.push_back(v);
    outputs.push_back(e);
  }
  if (!missing.empty()) {
    std::vector<double> at(x.begin(), x.end());
    for (std::size_t i = 0; i < n; ++i) at[i * d + std::size_t(p.time())] = windows_[k - 1]->end;
    const Buffer<double> then = values(k - 1, View<const double, 2>(at.data(), n, d), outputs);
    Carried& c = carried_at(x);
    for (std::size_t i = 0; i < missing.size(); ++i)
      c.starts.push_back({k, missing[i], {then.data() + i * n, then.data() + (i + 1) * n}});
  }
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if (started(p, wanted[i])) {
      const std::vector<double>& values = find(carried_at(x), wanted[i])->values;
      std::copy(values.begin(), values.end(), result + i * n);
    }
}

Buffer<double> ErrorWindows::known(std::size_t k, View<const double, 2> x,
                                   const std::vector<PreviousValue>& wanted) {
  Buffer<double> result(wanted.size() * x.extent(0));
  if (x.extent(0) == 0) return result;
  add_solution(k, x, wanted, result.data());
  add_starts(k, x, wanted, result.data());
  return result;
}

Buffer<double> ErrorWindows::values(std::size_t k, View<const double, 2> x,
                                    const std::vector<Expr>& outputs) {
  const ErrorWindow& w = *windows_[k];
  const std::size_t n = x.extent(0);
  const WindowModel model(w.problem, 0);
  Evaluator evaluator(cpu_, model, outputs);
  const Buffer<double> given = known(k, x, evaluator.previous());
  evaluator.set_points(x, View<const double, 2>(given.data(), evaluator.previous().size(), n));
  Buffer<double> out(outputs.size() * n);
  evaluator.evaluate(w.parameters, out.view(outputs.size(), n));
  return out;
}

std::vector<std::vector<double>> ErrorWindows::errors(View<const double, 2> x) {
  const Problem& p = of_.trained;
  const std::size_t n = x.extent(0), d = x.extent(1);
  const int time = p.time();
  std::vector<std::vector<double>> all(p.unknowns.size(),
                                       std::vector<double>(n, std::numeric_limits<double>::quiet_NaN()));
  for (std::size_t k = 0; k < size(); ++k) {
    const ErrorWindow& w = *windows_[k];
    const double slack = 1e-9 * (w.end - w.start);
    std::vector<std::size_t> here;
    std::vector<double> at;
    for (std::size_t i = 0; i < n; ++i) {
      const double t = time < 0 ? 0 : x(i, std::size_t(time));
      if (time >= 0 && (t > w.end + slack || (k > 0 && t <= w.start + slack))) continue;
      here.push_back(i);
      at.insert(at.end(), x.data() + i * d, x.data() + (i + 1) * d);
    }
    if (here.empty()) continue;
    std::vector<Expr> outputs;
    for (const std::string& u : p.unknowns) outputs.push_back(w.error.at(u));
    const Buffer<double> e = values(k, View<const double, 2>(at.data(), here.size(), d), outputs);
    for (std::size_t u = 0; u < all.size(); ++u)
      for (std::size_t i = 0; i < here.size(); ++i) all[u][here[i]] = e[u * here.size() + i];
  }
  return all;
}

double ErrorWindows::mean_squares(std::size_t k, View<const double, 2> x) {
  std::vector<Expr> errors;
  for (const std::string& u : of_.trained.unknowns)
    errors.push_back(windows_[k]->error.at(u) * Expr(1 / equation_.size_of(u)));
  double sum = 0;
  for (const double v : values(k, x, errors)) sum += v * v;
  return sum / double(x.extent(0));
}

}  // namespace sobolev::detail
