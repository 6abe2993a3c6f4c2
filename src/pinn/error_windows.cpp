// SPDX-License-Identifier: Apache-2.0
#include "error_windows.hpp"

#include <cmath>
#include <limits>

namespace sobolev::detail {

Buffer<double> ErrorWindows::known(std::size_t k, View<const double, 2> x,
                                   const std::vector<PreviousValue>& wanted) {
  const Problem& p = of_.trained;
  const std::size_t n = x.extent(0), d = x.extent(1);
  Buffer<double> result(wanted.size() * n);
  std::vector<Expr> solution, before;
  std::vector<std::size_t> solution_rows, before_rows;
  for (std::size_t i = 0; i < wanted.size(); ++i)
    for (const std::string& u : p.unknowns) {
      const PreviousValue& v = wanted[i];
      if (v.unknown == solution_name(u)) {
        solution.push_back(field(u, v.derivative));
        solution_rows.push_back(i);
      } else if (v.unknown == start_name(u) || v.unknown == slope_name(u)) {
        Expr e = windows_[k - 1]->error.at(u);
        if (v.unknown == slope_name(u)) e = differentiate(e, p.coordinates[std::size_t(p.time())].name);
        for (const auto& [name, order] : v.derivative)
          for (int j = 0; j < order; ++j) e = differentiate(e, name);
        before.push_back(e);
        before_rows.push_back(i);
      }
    }
  if (!solution.empty()) {
    const auto values = evaluate_windows(cpu_, evaluators_on(cpu_, cpu_), p, of_.parameters, x, solution);
    for (std::size_t i = 0; i < solution.size(); ++i)
      std::copy(values[i].begin(), values[i].end(), result.data() + solution_rows[i] * n);
  }
  if (!before.empty()) {
    std::vector<double> at(x.begin(), x.end());
    for (std::size_t i = 0; i < n; ++i) at[i * d + std::size_t(p.time())] = windows_[k - 1]->end;
    const Buffer<double> then = values(k - 1, View<const double, 2>(at.data(), n, d), before);
    for (std::size_t i = 0; i < before.size(); ++i)
      std::copy_n(then.data() + i * n, n, result.data() + before_rows[i] * n);
  }
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
