// SPDX-License-Identifier: Apache-2.0
#include "src/problem/evolution.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sobolev/core/random.hpp"
#include "src/problem/problem_checks.hpp"

namespace sobolev::detail {
namespace {

using Replacements = std::vector<std::pair<Expr, Expr>>;

const std::string solver_key = "reference.solver";

/// At the place of `key` in the problem file, where it has one.
void need(bool condition, const Problem& problem, const std::string& key, const std::string& message) {
  if (!condition) fail(problem, key, message);
}

std::vector<Expr> residuals_of(const Problem& problem) {
  std::vector<Expr> out;
  for (const auto& equation : problem.equations) out.push_back(equation.residual);
  return out;
}

Replacements to_zero(const std::vector<Expr>& leaves) {
  Replacements out;
  for (Expr leaf : leaves) out.emplace_back(leaf, Expr(0.0));
  return out;
}

std::size_t index_of_unknown(const Problem& problem, const std::string& name) {
  return std::size_t(std::find(problem.unknowns.begin(), problem.unknowns.end(), name) -
                     problem.unknowns.begin());
}

/// The inverse of a small matrix by Gauss–Jordan elimination with row pivoting; empty when singular.
std::vector<std::vector<double>> inverse(std::vector<std::vector<double>> a) {
  const std::size_t n = a.size();
  std::vector<std::vector<double>> inv(n, std::vector<double>(n));
  for (std::size_t i = 0; i < n; ++i) inv[i][i] = 1;
  for (std::size_t c = 0; c < n; ++c) {
    std::size_t pivot = c;
    for (std::size_t r = c; r < n; ++r)
      if (std::abs(a[r][c]) > std::abs(a[pivot][c])) pivot = r;
    if (a[pivot][c] == 0) return {};
    std::swap(a[c], a[pivot]);
    std::swap(inv[c], inv[pivot]);
    const double scale = 1 / a[c][c];
    for (std::size_t k = 0; k < n; ++k) a[c][k] *= scale, inv[c][k] *= scale;
    for (std::size_t r = 0; r < n; ++r) {
      const double factor = a[r][c];
      if (r == c || factor == 0) continue;
      for (std::size_t k = 0; k < n; ++k) a[r][k] -= factor * a[c][k], inv[r][k] -= factor * inv[c][k];
    }
  }
  return inv;
}

/// u_t of every unknown, from equations that contain the time derivatives linearly.
std::vector<Expr> solve_for_time_derivatives(const Problem& problem, const Evolution& form) {
  const std::size_t m = problem.unknowns.size();
  need(problem.equations.size() == m, problem, solver_key,
       fmt::format("etdrk4: {} equations for {} unknowns; one for each is needed", problem.equations.size(),
                   m));
  const std::string& t = problem.coordinates[std::size_t(form.time)].name;
  std::vector<Expr> rates;
  for (const auto& name : problem.unknowns) rates.push_back(field(name, {{t, 1}}));

  for (const auto& equation : problem.equations)
    for (Expr leaf : fields_of(std::vector<Expr>{equation.residual})) {
      int order = 0;
      const SpaceOrders in_space = space_orders(problem, form, leaf, order);
      need(order == 0 || (order == 1 && in_space == SpaceOrders{}), problem, "equations." + equation.name,
           fmt::format("etdrk4: equation \"{}\" contains {}; the equations must be of first order in {}: "
                       "introduce another unknown for the time derivative, or use an exact or file reference",
                       equation.name, to_string(leaf), t));
    }

  std::vector<std::vector<double>> mass(m, std::vector<double>(m));
  for (std::size_t e = 0; e < m; ++e)
    for (std::size_t j = 0; j < m; ++j) {
      const Expr factor = partial(problem.equations[e].residual, rates[j]);
      need(factor.is_constant(), problem, "equations." + problem.equations[e].name,
           fmt::format("etdrk4: in equation \"{}\" {} is multiplied by {}; a constant factor is needed",
                       problem.equations[e].name, to_string(rates[j]), to_string(factor, shown_expression)));
      mass[e][j] = factor->value;
    }
  const auto solved = inverse(mass);
  need(!solved.empty(), problem, solver_key,
       fmt::format("etdrk4: the equations do not determine the {}-derivative of every "
                   "unknown; each unknown needs an equation with its own",
                   t));
  const Replacements rates_to_zero = to_zero(rates);
  std::vector<Expr> right(m);
  for (std::size_t j = 0; j < m; ++j) {
    Expr sum = 0.0;
    for (std::size_t e = 0; e < m; ++e)
      sum = sum - Expr(solved[j][e]) * substitute(problem.equations[e].residual, rates_to_zero);
    right[j] = sum;
  }
  return right;
}

void split(const Problem& problem, const std::vector<Expr>& right, Evolution& form) {
  form.linear.resize(right.size());
  form.nonlinear = right;
  for (std::size_t j = 0; j < right.size(); ++j) {
    const auto leaves = fields_of(std::vector<Expr>{right[j]});
    const Replacements zero = to_zero(leaves);
    Replacements taken;
    for (Expr leaf : leaves) {
      if (leaf->name != problem.unknowns[j]) continue;
      int time_order = 0;
      const SpaceOrders orders = space_orders(problem, form, leaf, time_order);
      const Expr slope = partial(right[j], leaf);
      const Expr at_zero = substitute(slope, zero);
      if (!at_zero.is_constant() || !std::isfinite(at_zero->value) || at_zero->value == 0) continue;
      form.linear[j].push_back({orders, at_zero->value});
      if (slope.is_constant())
        taken.emplace_back(leaf, Expr(0.0));
      else
        form.nonlinear[j] = form.nonlinear[j] - at_zero * leaf;
    }
    form.nonlinear[j] = substitute(form.nonlinear[j], taken);
  }
}

bool at_start(const Problem& problem, const Evolution& form, const Condition& c) {
  const auto& t = problem.coordinates[std::size_t(form.time)];
  return c.where.size() == 1 && c.where[0].first == t.name && c.where[0].second == t.low;
}

/// f of a condition "a u = a f(x)" for the given unknown; nothing when it is another condition.
std::optional<Expr> given_value(const Condition& c, const std::string& name) {
  const Expr residual = c.left - c.right, u = unknown(name);
  const Expr slope = partial(residual, u);
  if (!slope.is_constant() || slope->value == 0) return {};
  const Expr rest = substitute(residual, {{u, Expr(0.0)}});
  if (contains_fields(rest)) return {};
  return -rest / slope;
}

void find_initial_data(const Problem& problem, Evolution& form) {
  const auto& t = problem.coordinates[std::size_t(form.time)];
  for (const auto& name : problem.unknowns) {
    std::optional<Expr> f;
    for (const auto& c : problem.conditions)
      if (!f && at_start(problem, form, c)) f = given_value(c, name);
    if (const auto o = problem.network.output.find(name); !f && o != problem.network.output.end()) {
      const Expr start = substitute(o->second, {{coordinate(t.name), Expr(t.low)}});
      if (!contains_fields(start)) f = start;
    }
    need(f.has_value(), problem, solver_key,
         fmt::format("etdrk4: no initial value of {}: a condition \"{} = f({})\" where {} = {} is "
                     "needed",
                     name, name, problem.coordinates[std::size_t(form.space[0])].name, t.name, t.low));
    form.initial.push_back(substitute(*f, {{coordinate(t.name), Expr(t.low)}}));
  }
}

/// Whether the residual changes its sign, and nothing else, when x and all unknowns do.
bool odd_in(const Problem& problem, const Evolution& form, std::size_t axis, double middle) {
  const std::vector<Expr> residuals = residuals_of(problem);
  const Philox random(1, 0);
  for (std::uint64_t trial = 0; trial < 4; ++trial) {
    std::vector<std::pair<Expr, double>> plain, mirrored;
    std::uint64_t draw = 64 * trial;
    for (const auto& c : problem.coordinates) {
      const double value = c.low + (c.high - c.low) * random.uniform(draw++);
      const bool flipped = c.name == problem.coordinates[std::size_t(form.space[axis])].name;
      plain.emplace_back(coordinate(c.name), value);
      mirrored.emplace_back(coordinate(c.name), flipped ? 2 * middle - value : value);
    }
    for (Expr leaf : fields_of(residuals)) {
      int time_order = 0;
      const int order = space_orders(problem, form, leaf, time_order)[axis];
      const double value = 2 * random.uniform(draw++) - 1;
      plain.emplace_back(leaf, value);
      mirrored.emplace_back(leaf, order % 2 == 0 ? -value : value);
    }
    for (Expr r : residuals) {
      const double a = evaluate(r, plain), b = evaluate(r, mirrored);
      if (!(std::abs(a + b) <= 1e-9 * (1 + std::abs(a)))) return false;
    }
  }
  return true;
}

/// Whether every unknown is zero where the coordinate has the given value.
bool zero_at(const Problem& problem, const std::string& name, double value) {
  for (const auto& u : problem.unknowns) {
    bool found = false;
    for (const auto& c : problem.conditions)
      if (c.where.size() == 1 && c.where[0].first == name && c.where[0].second == value)
        if (const auto f = given_value(c, u)) found = found || f->is_constant(0);
    if (const auto o = problem.network.output.find(u); !found && o != problem.network.output.end())
      found = substitute(o->second, {{coordinate(name), Expr(value)}}).is_constant(0);
    if (!found) return false;
  }
  return true;
}

void check_boundaries(const Problem& problem, const Evolution& form) {
  for (std::size_t axis = 0; axis < form.space.size(); ++axis) {
    const auto& c = problem.coordinates[std::size_t(form.space[axis])];
    if (c.periodic) continue;
    const auto symmetry = problem.network.symmetry.find(c.name);
    const std::string rule = fmt::format(
        "etdrk4: {} is not periodic; it may have ordinary ends only when the "
        "solution is odd about the middle of its range: ",
        c.name);
    need(symmetry != problem.network.symmetry.end() && symmetry->second == -1, problem, solver_key,
         rule + fmt::format("say network.symmetry = {{ {} = \"odd\" }} if it is", c.name));
    need(zero_at(problem, c.name, c.low) && zero_at(problem, c.name, c.high), problem, solver_key,
         rule +
             fmt::format("every unknown must be zero at {} = {} and {} = {}", c.name, c.low, c.name, c.high));
    const double middle = 0.5 * (c.low + c.high);
    need(odd_in(problem, form, axis, middle), problem, solver_key,
         rule + "but the equations do not have that symmetry");
    const Philox random(2, 0);
    for (Expr f : form.initial)
      for (std::uint64_t i = 0; i < 8; ++i) {
        std::vector<std::pair<Expr, double>> here, there;
        for (std::size_t k = 0; k < problem.coordinates.size(); ++k) {
          const auto& other = problem.coordinates[k];
          const double value = other.low + (other.high - other.low) * random.uniform(8 * i + k);
          here.emplace_back(coordinate(other.name), value);
          there.emplace_back(coordinate(other.name), &other == &c ? 2 * middle - value : value);
        }
        const double a = evaluate(f, here), b = evaluate(f, there);
        need(std::abs(a + b) <= 1e-9 * (1 + std::abs(a)), problem, solver_key,
             rule + "but the initial data is not");
      }
  }
  for (const auto& condition : problem.conditions) {
    if (at_start(problem, form, condition)) continue;
    const auto& name = condition.where[0].first;
    bool on_boundary = false;
    for (int k : form.space) {
      const auto& c = problem.coordinates[std::size_t(k)];
      on_boundary =
          on_boundary || (condition.where.size() == 1 && name == c.name && !c.periodic &&
                          (condition.where[0].second == c.low || condition.where[0].second == c.high));
    }
    need(on_boundary, problem, "conditions." + condition.name,
         fmt::format("etdrk4: condition \"{}\" is neither an initial value nor at an end of a "
                     "range; the solver cannot impose it",
                     condition.name));
  }
}

}  // namespace

SpaceOrders space_orders(const Problem& problem, const Evolution& form, Expr leaf, int& time_order) {
  SpaceOrders orders{};
  time_order = 0;
  for (const auto& [name, order] : leaf->derivative) {
    if (name == problem.coordinates[std::size_t(form.time)].name) time_order = order;
    for (std::size_t k = 0; k < form.space.size(); ++k)
      if (name == problem.coordinates[std::size_t(form.space[k])].name) orders[k] = order;
  }
  return orders;
}

Evolution read_evolution(const Problem& problem) {
  Evolution form;
  form.time = problem.time();
  need(form.time >= 0, problem, solver_key,
       "etdrk4: the problem has no time coordinate (an ordinary one named t)");
  for (int k = 0; k < int(problem.coordinates.size()); ++k)
    if (k != form.time) form.space.push_back(k);
  need(form.space.size() == 1 || form.space.size() == 2, problem, solver_key,
       fmt::format("etdrk4: {} space coordinates; 1 or 2 are covered", form.space.size()));
  for (Expr leaf : fields_of(residuals_of(problem)))
    need(index_of_unknown(problem, leaf->name) < problem.unknowns.size() && leaf->of.empty(), problem,
         solver_key, fmt::format("etdrk4: {} is not an unknown of all coordinates", to_string(leaf)));
  split(problem, solve_for_time_derivatives(problem, form), form);
  find_initial_data(problem, form);
  check_boundaries(problem, form);
  return form;
}

}  // namespace sobolev::detail
