// SPDX-License-Identifier: Apache-2.0
#include "collocation.hpp"

#include <algorithm>
#include <cmath>

#include "sobolev/linalg/cholesky.hpp"
#include "sobolev/linalg/syrk.hpp"
#include "src/problem/scales.hpp"
#include "state.hpp"

namespace sobolev::detail {
namespace {
constexpr double condition_weight = 10;   // of conditions beside equations
constexpr double start_weight = 100;      // of what goes on from the box before
constexpr double regularization = 1e-14;  // of the normal equations, columns scaled to one
constexpr double small_step = 1e-9, settled = 1e-6;
constexpr int most_halvings = 8;

double norm(const std::vector<double>& v) {
  double sum = 0;
  for (const double x : v) sum += x * x;
  return std::sqrt(sum);
}
}  // namespace

CollocationEquations::CollocationEquations(const Problem& problem) : problem_(&problem) {
  std::vector<Expr> equations;
  for (const Equation& e : problem.equations) equations.push_back(e.residual);
  add(nullptr, equations);
  for (const Condition& c : problem.conditions) add(&c, {c.left - c.right});
}

void CollocationEquations::add(const Condition* condition, const std::vector<Expr>& residuals) {
  const Problem& p = *problem_;
  Group group;
  group.condition = condition;
  group.residuals = residuals.size();
  std::vector<Expr> inputs, sought;
  for (const CoordinateRange& c : p.coordinates) inputs.push_back(coordinate(c.name));
  for (const Expr leaf : coordinates_of(residuals))
    supported_ = supported_ && std::find(inputs.begin(), inputs.end(), leaf) != inputs.end();
  std::vector<Expr> constants;
  for (const Expr leaf : fields_of(residuals)) {
    if (leaf->role == Role::unknown) {
      Field f;
      const auto at = std::find(p.unknowns.begin(), p.unknowns.end(), leaf->name);
      supported_ = supported_ && at != p.unknowns.end();
      f.unknown = std::size_t(at - p.unknowns.begin());
      f.orders.assign(p.coordinates.size(), 0);
      for (const auto& [name, order] : leaf->derivative)
        for (std::size_t d = 0; d < p.coordinates.size(); ++d)
          if (p.coordinates[d].name == name) f.orders[d] = order;
      group.fields.push_back(std::move(f));
      sought.push_back(leaf);
    } else if (leaf->role == Role::unknown_constant) {
      const auto at = std::find_if(p.unknown_constants.begin(), p.unknown_constants.end(),
                                   [&](const UnknownConstant& c) { return c.name == leaf->name; });
      group.constants.push_back(std::size_t(at - p.unknown_constants.begin()));
      constants.push_back(leaf);
    } else {
      supported_ = false;
    }
  }
  if (!supported_) return;
  sought.insert(sought.end(), constants.begin(), constants.end());
  inputs.insert(inputs.end(), sought.begin(), sought.end());
  std::vector<Expr> outputs;
  for (const Expr r : residuals) {
    outputs.push_back(r);
    for (const Expr leaf : sought) outputs.push_back(partial(r, leaf));
    const double size = natural_sizes(p, r).sensitivity;
    group.weights.push_back((std::isfinite(size) && size > 0 ? 1 / size : 1) *
                            (condition != nullptr ? condition_weight : 1));
  }
  group.tape = compile(outputs, inputs);
  groups_.push_back(std::move(group));
}

std::size_t CollocationBox::Rows::points() const {
  std::size_t n = 1;
  for (const auto& at : places) n *= at.size();
  return n;
}

CollocationBox::CollocationBox(const CollocationEquations& equations, std::vector<AxisBasis> axes)
    : equations_(&equations), axes_(std::move(axes)) {
  const Problem& p = equations.problem();
  for (const AxisBasis& axis : axes_) functions_ *= std::size_t(axis.count());
  coefficients.assign(p.unknowns.size() * functions_ + p.unknown_constants.size(), 0);
  for (const CollocationEquations::Group& group : equations.groups()) {
    Rows rows{&group, {}, {}, {}, {}, 1};
    bool inside = true;
    for (std::size_t d = 0; d < axes_.size(); ++d) {
      rows.places.push_back(axes_[d].nodes());
      if (group.condition == nullptr) continue;
      const double slack = 1e-9 * (axes_[d].high() - axes_[d].low());
      for (const auto& [name, value] : group.condition->where) {
        if (name != p.coordinates[d].name) continue;
        rows.places[d] = {value};
        inside = inside && value >= axes_[d].low() - slack && value <= axes_[d].high() + slack;
      }
    }
    if (!inside) continue;
    rows.weight = 1 / std::sqrt(double(rows.points()));
    add_tables(rows);
    rows_.push_back(std::move(rows));
  }
}

void CollocationBox::add_tables(Rows& rows) const {
  rows.tables.resize(axes_.size());
  const auto need = [&](const std::vector<int>& orders) {
    for (std::size_t d = 0; d < axes_.size(); ++d) {
      auto& tables = rows.tables[d];
      while (int(tables.size()) <= orders[d])
        tables.push_back(axes_[d].table(rows.places[d], int(tables.size())));
    }
  };
  need(std::vector<int>(axes_.size(), 0));
  if (rows.group == nullptr) need(rows.field.orders);
  if (rows.group != nullptr)
    for (const CollocationEquations::Field& f : rows.group->fields) need(f.orders);
}

void CollocationBox::go_on_from(const CollocationBox& before, int time, const std::vector<int>& orders) {
  const auto t = std::size_t(time);
  const double length = axes_[t].high() - axes_[t].low();
  for (std::size_t u = 0; u < orders.size(); ++u)
    for (int k = 0; k < orders[u]; ++k) {
      Rows rows{nullptr, {}, {}, {}, {u, std::vector<int>(axes_.size(), 0)}, 1};
      rows.field.orders[t] = k;
      for (std::size_t d = 0; d < axes_.size(); ++d)
        rows.places.push_back(d == t ? std::vector<double>{axes_[t].low()} : axes_[d].nodes());
      const std::size_t n = rows.points();
      const std::vector<double> points = grid_points(rows.places);
      for (std::size_t i = 0; i < n; ++i)
        rows.wanted.push_back(before.value(u, rows.field.orders, points.data() + i * axes_.size()));
      const Problem& p = equations_->problem();
      const auto scale = p.network.scale.find(p.unknowns[u]);
      rows.weight = start_weight * std::pow(length, k) / std::sqrt(double(n)) /
                    (scale == p.network.scale.end() || scale->second == 0 ? 1 : scale->second);
      add_tables(rows);
      rows_.push_back(std::move(rows));
    }
}

std::size_t CollocationBox::row_count() const {
  std::size_t n = 0;
  for (const Rows& rows : rows_) n += rows.points() * (rows.group != nullptr ? rows.group->residuals : 1);
  return n;
}

double CollocationBox::work() const {
  const auto p = double(columns());
  return double(row_count()) * p * p + p * p * p / 3;
}

void CollocationBox::basis_at(const Rows& rows, const std::vector<int>& orders, std::size_t point,
                              double* out) const {
  std::vector<std::size_t> at(axes_.size());
  for (std::size_t d = axes_.size(); d-- > 0;) {
    at[d] = point % rows.places[d].size();
    point /= rows.places[d].size();
  }
  out[0] = 1;
  std::size_t size = 1;
  for (std::size_t d = 0; d < axes_.size(); ++d) {
    const auto k = std::size_t(axes_[d].count());
    const double* const values = rows.tables[d][std::size_t(orders[d])].data() + at[d] * k;
    for (std::size_t i = size; i-- > 0;)  // from the end: in place
      for (std::size_t j = k; j-- > 0;) out[i * k + j] = out[i] * values[j];
    size *= k;
  }
}

template <class FieldValue>
std::vector<double> CollocationBox::outputs_at(const Cpu& cpu, const CollocationEquations::Group& g,
                                               const std::vector<double>& points,
                                               FieldValue&& field_value) const {
  const std::size_t d = axes_.size(), n = points.size() / d, fields = g.fields.size(),
                    inputs = d + fields + g.constants.size(),
                    outputs = g.residuals * (1 + fields + g.constants.size());
  const double* const constants = coefficients.data() + equations_->problem().unknowns.size() * functions_;
  std::vector<double> in(inputs * n), out(outputs * n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < d; ++k) in[k * n + i] = points[i * d + k];
    for (std::size_t f = 0; f < fields; ++f) in[(d + f) * n + i] = field_value(g.fields[f], i);
    for (std::size_t k = 0; k < g.constants.size(); ++k)
      in[(d + fields + k) * n + i] = constants[g.constants[k]];
  }
  tape_forward<double>(cpu, g.tape, View<const double, 2>(in.data(), inputs, n),
                       View<double, 2>(out.data(), outputs, n));
  return out;
}

void CollocationBox::residuals(const Cpu& cpu, std::vector<double>& r, double* jacobian) const {
  const std::size_t columns = this->columns(), functions = functions_;
  const std::size_t first_constant = equations_->problem().unknowns.size() * functions;
  r.assign(row_count(), 0);
  if (jacobian != nullptr) std::fill_n(jacobian, r.size() * columns, 0.0);
  std::vector<double> basis(functions);
  std::size_t row = 0;
  for (const Rows& rows : rows_) {
    const std::size_t n = rows.points();
    if (rows.group == nullptr) {
      for (std::size_t i = 0; i < n; ++i, ++row) {
        basis_at(rows, rows.field.orders, i, basis.data());
        const double* const c = coefficients.data() + rows.field.unknown * functions;
        double value = -rows.wanted[i];
        for (std::size_t k = 0; k < functions; ++k) value += c[k] * basis[k];
        r[row] = rows.weight * value;
        if (jacobian != nullptr)
          for (std::size_t k = 0; k < functions; ++k)
            jacobian[row * columns + rows.field.unknown * functions + k] = rows.weight * basis[k];
      }
      continue;
    }
    const CollocationEquations::Group& g = *rows.group;
    const std::size_t fields = g.fields.size(), sought = fields + g.constants.size(), outputs = 1 + sought;
    const std::vector<double> values = outputs_at(
        cpu, g, grid_points(rows.places), [&](const CollocationEquations::Field& f, std::size_t i) {
          basis_at(rows, f.orders, i, basis.data());
          const double* const c = coefficients.data() + f.unknown * functions;
          double value = 0;
          for (std::size_t k = 0; k < functions; ++k) value += c[k] * basis[k];
          return value;
        });
    for (std::size_t e = 0; e < g.residuals; ++e)
      for (std::size_t i = 0; i < n; ++i)
        r[row + e * n + i] = rows.weight * g.weights[e] * values[e * outputs * n + i];
    if (jacobian != nullptr)
      for (std::size_t i = 0; i < n; ++i)
        for (std::size_t f = 0; f < sought; ++f) {
          if (f < fields) basis_at(rows, g.fields[f].orders, i, basis.data());
          for (std::size_t e = 0; e < g.residuals; ++e) {
            const double slope = rows.weight * g.weights[e] * values[(e * outputs + 1 + f) * n + i];
            double* const to = jacobian + (row + e * n + i) * columns;
            if (slope == 0) continue;
            if (f >= fields) {
              to[first_constant + g.constants[f - fields]] += slope;
              continue;
            }
            double* const block = to + g.fields[f].unknown * functions;
            for (std::size_t k = 0; k < functions; ++k) block[k] += slope * basis[k];
          }
        }
    row += g.residuals * n;
  }
}

double CollocationBox::squares_at(const Cpu& cpu, const CollocationEquations::Group& g,
                                  const std::vector<double>& points) const {
  const std::size_t d = axes_.size(), n = points.size() / d,
                    outputs = 1 + g.fields.size() + g.constants.size();
  if (n == 0) return 0;
  const std::vector<double> values =
      outputs_at(cpu, g, points, [&](const CollocationEquations::Field& f, std::size_t i) {
        return value(f.unknown, f.orders, points.data() + i * d);
      });
  double sum = 0;
  for (std::size_t e = 0; e < g.residuals; ++e)
    for (std::size_t i = 0; i < n; ++i) sum += std::pow(g.weights[e] * values[e * outputs * n + i], 2);
  return sum;
}

CollocationBox::Result CollocationBox::solve(const Cpu& cpu, int most_iterations) {
  const std::size_t p = columns();
  std::vector<double> r, jacobian(row_count() * p), normal(p * p), step(p), scale(p);
  Result result;
  residuals(cpu, r, jacobian.data());
  double size = norm(r);
  while (std::isfinite(size) && result.iterations < most_iterations) {
    ++result.iterations;
    const std::size_t n = r.size();
    std::fill(scale.begin(), scale.end(), 0.0);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t k = 0; k < p; ++k) scale[k] += jacobian[i * p + k] * jacobian[i * p + k];
    for (double& s : scale) s = s > 0 ? 1 / std::sqrt(s) : 0;
    std::fill(step.begin(), step.end(), 0.0);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t k = 0; k < p; ++k) {
        jacobian[i * p + k] *= scale[k];
        step[k] -= jacobian[i * p + k] * r[i];
      }
    std::fill(normal.begin(), normal.end(), 0.0);
    const View<double, 2> a(normal.data(), p, p);
    syrk<double>(cpu, View<const double, 2>(jacobian.data(), n, p), a);
    for (std::size_t k = 0; k < p; ++k) normal[k * p + k] += scale[k] > 0 ? regularization : 1;
    if (!cholesky<double>(cpu, a)) return result;
    cholesky_solve<double>(cpu, a, View<double, 1>(step.data(), p));
    for (std::size_t k = 0; k < p; ++k) step[k] *= scale[k];

    const std::vector<double> from = coefficients;
    double part = 1, next = 0;
    for (int halvings = 0;; ++halvings, part /= 2) {
      for (std::size_t k = 0; k < p; ++k) coefficients[k] = from[k] + part * step[k];
      residuals(cpu, r, nullptr);
      next = norm(r);
      if (next <= size * (1 + 1e-9) || halvings == most_halvings) break;
    }
    const double relative = norm(step) / std::max(norm(coefficients), 1e-300);
    if (!(next <= size * (1 + 1e-9))) {  // rounding, or no way down
      coefficients = from;
      result.converged = relative < settled;
      break;
    }
    const bool stands = next > 0.999 * size && part == 1;
    size = next;
    if (relative < small_step || (stands && relative < settled)) {
      result.converged = true;
      break;
    }
    residuals(cpu, r, jacobian.data());
  }
  result.rms = size;
  return result;
}

std::vector<double> CollocationBox::node_points() const {
  std::vector<std::vector<double>> nodes;
  for (const AxisBasis& axis : axes_) nodes.push_back(axis.nodes());
  return grid_points(nodes);
}

void CollocationBox::interpolate(const std::vector<std::vector<double>>& values) {
  for (std::size_t u = 0; u < values.size(); ++u) {
    // One coordinate after another, the last first; the one just done moves to the front.
    std::vector<double> now = values[u];
    for (std::size_t d = axes_.size(); d-- > 0;) {
      const std::size_t nodes = axes_[d].nodes().size(), count = std::size_t(axes_[d].count()),
                        others = now.size() / nodes;
      const std::vector<double> projection = axes_[d].projection();
      std::vector<double> next(count * others);
      for (std::size_t k = 0; k < count; ++k)
        for (std::size_t o = 0; o < others; ++o)
          for (std::size_t i = 0; i < nodes; ++i)
            next[k * others + o] += projection[k * nodes + i] * now[o * nodes + i];
      now = std::move(next);
    }
    std::copy(now.begin(), now.end(), coefficients.begin() + std::ptrdiff_t(u * functions_));
  }
}

double CollocationBox::value(std::size_t unknown, const std::vector<int>& orders, const double* point) const {
  const double* const c = coefficients.data() + unknown * functions_;
  std::vector<double> now(c, c + functions_);
  for (std::size_t d = axes_.size(); d-- > 0;) {  // the last coordinate is the fastest
    const std::vector<double> values = axes_[d].table({point[d]}, orders[d]);
    const std::size_t k = values.size(), others = now.size() / k;
    for (std::size_t o = 0; o < others; ++o) {
      double sum = 0;
      for (std::size_t j = 0; j < k; ++j) sum += now[o * k + j] * values[j];
      now[o] = sum;
    }
    now.resize(others);
  }
  return now[0];
}

double CollocationBox::tail(std::size_t unknown, int axis) const {
  const double* const c = coefficients.data() + unknown * functions_;
  std::size_t inner = 1;
  for (std::size_t d = std::size_t(axis) + 1; d < axes_.size(); ++d) inner *= std::size_t(axes_[d].count());
  const auto k = std::size_t(axes_[std::size_t(axis)].count());
  double last = 0, largest = 0;
  for (std::size_t i = 0; i < functions_; ++i) {
    const double size = std::abs(c[i]);
    largest = std::max(largest, size);
    if ((i / inner) % k + 2 >= k) last = std::max(last, size);
  }
  return largest > 0 ? last / largest : 0;
}

}  // namespace sobolev::detail
