// SPDX-License-Identifier: Apache-2.0
#include "src/problem/lagrangian.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "sobolev/core/random.hpp"
#include "sobolev/core/words.hpp"
#include "src/problem/defaults.hpp"
#include "src/problem/interfaces.hpp"
#include "src/problem/problem_checks.hpp"

namespace sobolev::detail {
namespace {
constexpr std::size_t most_moving = 2;
constexpr int samples = 16;
constexpr std::uint64_t sample_stream = 79;
constexpr double rounding = 1e-12, periodic_rounding = 1e-9;
constexpr double still = 1e-10;  // of a velocity at a wall, beside those inside

using Values = std::vector<std::pair<Expr, double>>;

/// Places inside the domain and values of order one for the fields of an expression.
Values sample(const Problem& problem, const std::vector<Expr>& expressions, std::uint64_t number) {
  const Philox random(1, sample_stream);
  std::uint64_t draw = number << 16;
  Values at;
  for (const CoordinateRange& c : problem.coordinates)
    at.emplace_back(coordinate(c.name), c.low + (c.high - c.low) * random.uniform(draw++));
  for (const Expr leaf : fields_of(expressions)) at.emplace_back(leaf, random.normal(draw++));
  return at;
}
void set(Values& at, const std::string& name, double value) {
  for (auto& [leaf, v] : at)
    if (leaf == coordinate(name)) v = value;
}

bool same(const Problem& problem, Expr a, Expr b) {
  if (a == b) return true;
  for (int s = 0; s < samples; ++s) {
    const Values at = sample(problem, {a, b}, std::uint64_t(s));
    const double x = evaluate(a, at), y = evaluate(b, at);
    if (!(std::abs(x - y) <= rounding * (std::abs(x) + std::abs(y)))) return false;
  }
  return true;
}

bool has_derivatives(Expr e) {
  const std::vector<Expr> fields = fields_of(std::array{e});
  return std::any_of(fields.begin(), fields.end(), [](Expr f) { return !f->derivative.empty(); });
}

bool contains(Expr e, Expr leaf) {
  const std::vector<Expr> fields = fields_of(std::array{e});
  return std::find(fields.begin(), fields.end(), leaf) != fields.end();
}

/// Whether it contains a derivative by this coordinate.
bool contains_derivative(Expr e, const std::string& by) {
  const std::vector<Expr> fields = fields_of(std::array{e});
  return std::any_of(fields.begin(), fields.end(), [&](Expr f) {
    return std::any_of(f->derivative.begin(), f->derivative.end(),
                       [&](const auto& part) { return part.first == by; });
  });
}

Expr slope(const std::string& unknown, const std::string& by) { return field(unknown, {{by, 1}}); }
}  // namespace

std::string displacement_name(const std::string& coordinate) { return "displacement_" + coordinate; }

LagrangianForm::LagrangianForm(const Problem& problem)
    : problem_(&problem), time_(problem.time()), velocity_(problem.coordinates.size(), Expr(0.0)) {
  if (time_ < 0)
    fail(problem, "lagrangian",
         "lagrangian: characteristics run in time, but no coordinate is named t (and not periodic); time = "
         "\"x\" makes another one time");
  read_velocity();
  for (int k = 0; k < int(velocity_.size()); ++k)
    if (!velocity_[std::size_t(k)].is_constant(0)) moving_.push_back(k);
  if (moving_.empty())
    fail(
        problem, "lagrangian",
        "lagrangian: no equation has the form u_t + v*u_x + ... = 0, so there is no velocity to follow; give "
        "lagrangian.velocity, e.g. velocity = { x = \"u\" }, or leave [lagrangian] out");
  if (moving_.size() > most_moving)
    fail(problem, "lagrangian",
         fmt::format("lagrangian: {} coordinates move; up to {} are possible. Give lagrangian.velocity for "
                     "those that are to",
                     moving_.size(), most_moving));
  const auto f = deformation();
  determinant_ = moving_.size() == 1 ? f[0][0] : f[0][0] * f[1][1] - f[0][1] * f[1][0];
  for (const Equation& e : problem.equations) check_periodic("equations." + e.name, e.residual);
  for (int k : moving_) check_periodic("lagrangian.velocity", velocity_[std::size_t(k)]);
  check_walls();
}

void LagrangianForm::read_velocity() {
  const Problem& p = *problem_;
  const std::string& t = p.coordinates[std::size_t(time_)].name;
  if (!p.lagrangian->velocity.empty()) {
    for (const auto& [name, v] : p.lagrangian->velocity) {
      const std::string key = "lagrangian.velocity." + name;
      const CoordinateRange* const range = find_coordinate(p, name);
      if (range == nullptr || name == t)
        fail(p, key, fmt::format("{}: {} is not a coordinate of space", key, name));
      check_names(p, key, v);
      if (has_derivatives(v))
        fail(p, key,
             fmt::format("{} = {} contains a derivative; only coordinates and values of unknowns may stand "
                         "there",
                         key, to_string(v, shown_expression)));
      velocity_[std::size_t(range - p.coordinates.data())] = v;
    }
    return;
  }
  for (const Equation& e : p.equations)
    for (const std::string& u : p.unknowns) {
      const Expr storage = partial(e.residual, slope(u, t));
      if (storage.is_constant(0) || has_derivatives(storage)) continue;
      std::vector<Expr> v(p.coordinates.size(), Expr(0.0));
      bool any = false, usable = true;
      for (std::size_t k = 0; k < v.size(); ++k) {
        if (int(k) == time_) continue;
        v[k] = partial(e.residual, slope(u, p.coordinates[k].name)) / storage;
        any = any || !v[k].is_constant(0);
        usable = usable && !has_derivatives(v[k]);
      }
      if (!any || !usable) continue;
      velocity_ = v;
      return;
    }
}

void LagrangianForm::check_periodic(const std::string& key, Expr e) const {
  for (int k : moving_) {
    const CoordinateRange& c = problem_->coordinates[std::size_t(k)];
    const std::vector<Expr> used = coordinates_of(std::array{e});
    if (!c.periodic || std::find(used.begin(), used.end(), coordinate(c.name)) == used.end()) continue;
    for (int s = 0; s < samples; ++s) {
      Values at = sample(*problem_, {e}, std::uint64_t(s));
      const double here = evaluate(e, at);
      for (auto& [leaf, value] : at)
        if (leaf == coordinate(c.name)) value += c.high - c.low;
      const double there = evaluate(e, at);
      if (std::abs(here - there) > periodic_rounding * (std::abs(here) + std::abs(there)))
        fail(
            *problem_, key,
            fmt::format("{} contains {} in a way that is not periodic: labels run on beyond its range, where "
                        "the expression has other values. Write it with sines and cosines of "
                        "2*pi*{}/{:.6g}",
                        key, c.name, c.name, c.high - c.low));
    }
  }
}

void LagrangianForm::check_walls() const {
  const Problem& p = *problem_;
  for (const auto& [name, range] : p.lagrangian->labels) {
    const std::string key = "lagrangian.labels." + name;
    const CoordinateRange* const c = find_coordinate(p, name);
    if (c == nullptr || !moves(int(c - p.coordinates.data())))
      fail(p, key, fmt::format("{}: {} is not a coordinate that moves", key, name));
    if (c->periodic)
      fail(p, key,
           fmt::format("{}: {} is periodic, so labels leave at one end and enter at the other; leave "
                       "it out",
                       key, name));
    if (!(range.first <= c->low && range.second >= c->high))
      fail(
          p, key,
          fmt::format("{} is [{:g}, {:g}]; it must contain the range [{:g}, {:g}] of {}, where the labels of "
                      "the beginning lie",
                      key, range.first, range.second, c->low, c->high, name));
  }
  for (const Condition& condition : p.conditions) {
    const std::string key = "conditions." + condition.name;
    for (const auto& [name, value] : condition.where) {
      const std::size_t k = std::size_t(find_coordinate(p, name) - p.coordinates.data());
      if (!moves(int(k))) continue;
      const CoordinateRange& c = p.coordinates[k];
      const auto labels = p.lagrangian->labels.find(name);
      const bool wall = labels == p.lagrangian->labels.end()
                            ? value == c.low || value == c.high
                            : value == labels->second.first || value == labels->second.second;
      if (!wall || c.periodic)
        fail(
            p, key,
            fmt::format("{} holds at {} = {:g}, where labels pass by; in a Lagrangian form a condition holds "
                        "where time begins, or at a wall that is an end of the labels' range",
                        key, name, value));
      // With the values that conditions prescribe there, the velocity through the wall must vanish.
      std::map<std::string, Expr> known;
      for (const Condition& other : p.conditions) {
        const Expr r = other.left - other.right;
        const std::vector<Expr> fields = fields_of(std::array{r});
        const bool here =
            std::find(other.where.begin(), other.where.end(), std::pair(name, value)) != other.where.end();
        if (!here || other.where.size() > 1 || fields.size() != 1 || !fields[0]->derivative.empty()) continue;
        const Expr factor = partial(r, fields[0]);
        if (factor.is_constant() && !factor.is_constant(0))
          known[fields[0]->name] = substitute(-r, {{fields[0], Expr(0.0)}}) / factor;
      }
      const Expr v = substitute_fields(velocity_[k], known);
      double through = 0, inside = 0;
      for (int s = 0; s < samples; ++s) {
        Values at = sample(p, {v, velocity_[k]}, std::uint64_t(s));
        inside = std::max(inside, std::abs(evaluate(velocity_[k], at)));
        set(at, name, value);
        through = std::max(through, std::abs(evaluate(v, at)));
      }
      if (!(through <= still * inside))
        fail(p, key,
             fmt::format(
                 "{} holds at {} = {:g}, and characteristics cross it: the velocity there is {}, which "
                 "is not zero. A Lagrangian form needs {} periodic, a wall without flow, or labels "
                 "beyond it (lagrangian.labels.{}) and no condition there",
                 key, name, value, to_string(v, shown_expression), name, name));
    }
  }
}

bool LagrangianForm::moves(int k) const {
  return std::find(moving_.begin(), moving_.end(), k) != moving_.end();
}

Expr LagrangianForm::position(int k) const {
  const std::string& name = problem_->coordinates[std::size_t(k)].name;
  return moves(k) ? coordinate(name) + field(displacement_name(name)) : coordinate(name);
}

std::vector<std::vector<Expr>> LagrangianForm::deformation() const {
  std::vector<std::vector<Expr>> f;
  for (int row : moving_) {
    f.emplace_back();
    for (int column : moving_)
      f.back().push_back(differentiate(position(row), problem_->coordinates[std::size_t(column)].name));
  }
  return f;
}

Expr LagrangianForm::space_derivative(Expr e, int k, bool by_label) const {
  const auto by = [&](int c) { return differentiate(e, problem_->coordinates[std::size_t(c)].name); };
  if (by_label) return by(k);
  const auto f = deformation();
  const auto along = [&](std::size_t m) {  // by the position in moving coordinate m
    if (moving_.size() == 1) return by(moving_[0]) / determinant_;
    const std::size_t l = 1 - m;
    return (f[l][l] * by(moving_[m]) - f[l][m] * by(moving_[l])) / determinant_;
  };
  const auto at = std::find(moving_.begin(), moving_.end(), k);
  if (at != moving_.end()) return along(std::size_t(at - moving_.begin()));
  Expr out = by(k);
  for (std::size_t m = 0; m < moving_.size(); ++m)
    out = out - differentiate(position(moving_[m]), problem_->coordinates[std::size_t(k)].name) * along(m);
  return out;
}

Expr LagrangianForm::time_derivative(Expr e) const {
  const std::string& t = problem_->coordinates[std::size_t(time_)].name;
  Expr out = differentiate(e, t);
  for (int m : moving_) out = out - differentiate(position(m), t) * space_derivative(e, m, false);
  return out;
}

Expr LagrangianForm::derivative(const std::string& unknown, const Derivative& orders, bool by_label) const {
  Expr e = field(unknown);
  for (std::size_t k = 0; k < problem_->coordinates.size(); ++k)
    for (const auto& [name, order] : orders)
      if (name == problem_->coordinates[k].name)
        for (int i = 0; i < order; ++i)
          e = int(k) == time_ ? time_derivative(e) : space_derivative(e, int(k), by_label);
  return e;
}

Expr LagrangianForm::replaced(Expr e, const std::vector<std::pair<Expr, Expr>>& first, bool by_label) const {
  std::vector<std::pair<Expr, Expr>> pairs = first;
  const auto given = [&](Expr leaf) {
    return std::any_of(first.begin(), first.end(), [&](const auto& pair) { return pair.first == leaf; });
  };
  for (const Expr leaf : fields_of(std::array{e}))
    if (leaf->role == Role::unknown && !given(leaf))
      pairs.emplace_back(leaf, derivative(leaf->name, leaf->derivative, by_label));
  for (int k : moving_)
    pairs.emplace_back(coordinate(problem_->coordinates[std::size_t(k)].name), position(k));
  const Expr floored = max(determinant_, Expr(problem_->lagrangian->floor));
  return substitute(substitute(e, pairs), {{determinant_, floored}});
}

Expr LagrangianForm::at_labels(Expr e) const { return replaced(e, {}, false); }

Expr LagrangianForm::transported(Expr residual) const {
  const Problem& p = *problem_;
  const std::string& t = p.coordinates[std::size_t(time_)].name;
  const bool by_label = p.lagrangian->derivatives == LagrangianDerivatives::label;
  std::vector<std::pair<Expr, Expr>> first;
  for (const std::string& u : p.unknowns) {
    const Expr rate = slope(u, t);
    if (!contains(residual, rate)) continue;
    // u_t = ∂_t u|X − v·∇u. Where the equation has + v·∇u itself, both go.
    const Expr storage = partial(residual, rate);
    bool goes = !contains(storage, rate);
    for (int m : moving_) {
      const Expr along = slope(u, p.coordinates[std::size_t(m)].name), factor = partial(residual, along);
      goes = goes && !contains(factor, rate) && !contains(factor, along) && !contains(storage, along) &&
             same(p, factor, storage * velocity_[std::size_t(m)]);
    }
    Expr material = rate;
    for (int m : moving_) {
      const Expr along = slope(u, p.coordinates[std::size_t(m)].name);
      if (goes)
        first.emplace_back(along, Expr(0.0));
      else
        material = material - replaced(velocity_[std::size_t(m)], {}, by_label) *
                                  space_derivative(field(u), m, by_label);
    }
    first.emplace_back(rate, material);
  }
  return replaced(residual, first, by_label);
}

Problem LagrangianForm::label_problem() const {
  const Problem& p = *problem_;
  const CoordinateRange& time = p.coordinates[std::size_t(time_)];
  Problem out = p;
  out.lagrangian.reset();
  out.reference = {};
  out.training.stop.relative_l2 = 0;  // of the problem itself
  out.source.clear();
  for (Equation& e : out.equations) {
    e.residual = transported(e.residual);
    e.text.clear();
  }
  for (Condition& c : out.conditions) {
    const bool start =
        std::find(c.where.begin(), c.where.end(), std::pair(time.name, time.low)) != c.where.end();
    const Expr residual = c.left - c.right;
    if (start && !contains_derivative(residual, time.name)) continue;  // x(X, t₀) = X
    c.left = replaced(residual, {}, false);
    c.right = Expr(0.0);
    c.text.clear();
  }
  std::vector<Condition> walls;
  for (int m : moving_) {
    CoordinateRange& c = out.coordinates[std::size_t(m)];
    const std::string name = displacement_name(c.name);
    out.unknowns.push_back(name);
    out.equations.push_back({"characteristics_" + c.name,
                             slope(name, time.name) - replaced(velocity_[std::size_t(m)], {}, false),
                             {}});
    walls.push_back({name + "_start", {{time.name, time.low}}, field(name), Expr(0.0), {}, {}});
    if (const auto labels = p.lagrangian->labels.find(c.name); labels != p.lagrangian->labels.end())
      std::tie(c.low, c.high) = labels->second;
    for (const double end : {c.low, c.high})
      if (std::any_of(p.conditions.begin(), p.conditions.end(), [&](const Condition& condition) {
            return std::find(condition.where.begin(), condition.where.end(), std::pair(c.name, end)) !=
                   condition.where.end();
          }))
        walls.push_back(
            {name + (end == c.low ? "_low" : "_high"), {{c.name, end}}, field(name), Expr(0.0), {}, {}});
  }
  out.conditions.insert(out.conditions.end(), walls.begin(), walls.end());
  return out;
}

Problem trained_problem(const Problem& problem) {
  if (problem.lagrangian) return with_defaults(LagrangianForm(problem).label_problem());
  return is_cut(problem) ? with_defaults(CutProblem(problem).trained()) : problem;
}

void check_lagrangian(const Problem& problem) {
  check_number(problem, "lagrangian.floor", problem.lagrangian->floor);
  const LagrangianForm form(problem);
  const auto moves = [&](const std::string& name) {
    return std::any_of(form.moving().begin(), form.moving().end(), [&](int k) {
      return displacement_name(problem.coordinates[std::size_t(k)].name) == name;
    });
  };
  const auto check_output = [&](const std::string& table, const std::string& name) {
    const bool unknown =
        std::find(problem.unknowns.begin(), problem.unknowns.end(), name) != problem.unknowns.end();
    if (!unknown && !moves(name))
      fail(problem, table + name, fmt::format("{}{}: that coordinate does not move", table, name));
  };
  for (const auto& [name, own] : problem.network.own) check_output("network.", name);
  for (const auto& [name, scale] : problem.network.scale) check_output("network.scale.", name);
  for (const auto& [name, offset] : problem.network.offset) check_output("network.offset.", name);
  for (const auto& [name, sign] : problem.network.symmetry)
    fail(problem, "network.symmetry",
         fmt::format("network.symmetry: {} in {} beside [lagrangian], where displacements have another "
                     "symmetry than the unknowns, is not possible; leave one of them out",
                     sign > 0 ? "even" : "odd", name));
  if (problem.lagrangian->search == LabelSearch::linear && form.moving().size() > 1)
    fail(problem, "lagrangian.search",
         "lagrangian.search is \"linear\", which is for one coordinate that moves; use \"newton\"");
  form.label_problem().validate();
}

}  // namespace sobolev::detail
