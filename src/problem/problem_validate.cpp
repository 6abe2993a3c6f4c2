// SPDX-License-Identifier: Apache-2.0
// What must hold of a problem, from a file or assembled in C++: names, ranges, equations, conditions.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "sobolev/core/words.hpp"
#include "sobolev/expression/jumps.hpp"
#include "sobolev/jet/spec.hpp"
#include "src/problem/interfaces.hpp"
#include "src/problem/lagrangian.hpp"
#include "src/problem/problem_checks.hpp"
#include "src/problem/problem_reader.hpp"
#include "src/problem/time_windows.hpp"

namespace sobolev {
namespace detail {

void fail(const Problem& problem, const std::string& key, const std::string& message) {
  for (std::string at = key;;) {
    if (const auto found = problem.positions.find(at); found != problem.positions.end())
      throw ParseError(found->second, message);
    const std::size_t dot = at.rfind('.');
    if (dot == std::string::npos) break;
    at.resize(dot);
  }
  throw ArgumentError(
      fmt::format("problem {}: {}", problem.name.empty() ? problem.title : problem.name, message));
}

namespace {
constexpr std::array reserved = {"pi",   "e",    "d",    "sin",  "cos", "tan",  "asin",     "acos",
                                 "atan", "sinh", "cosh", "tanh", "exp", "log",  "sqrt",     "abs",
                                 "sign", "min",  "max",  "pow",  "erf", "erfc", "heaviside"};

bool is_name(const std::string& name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return !name.empty() && letter(name[0]) && std::all_of(name.begin(), name.end(), [&](char c) {
    return letter(c) || c == '_' || (c >= '0' && c <= '9');
  });
}

/// u_xxt: an unknown, an underscore and one-letter coordinates.
std::string derivative_of(const Problem& problem, const std::string& name) {
  const std::size_t underscore = name.rfind('_');
  if (underscore == std::string::npos || underscore + 1 == name.size()) return "";
  const std::string base = name.substr(0, underscore);
  if (std::find(problem.unknowns.begin(), problem.unknowns.end(), base) == problem.unknowns.end()) return "";
  const bool letters =
      std::all_of(name.begin() + static_cast<std::ptrdiff_t>(underscore) + 1, name.end(), [&](char c) {
        return std::any_of(problem.coordinates.begin(), problem.coordinates.end(),
                           [&](const CoordinateRange& r) { return r.name == std::string(1, c); });
      });
  return letters ? base : "";
}

void check_name(const Problem& problem, const std::string& section, const std::string& role,
                const std::string& name) {
  const std::string key = section + "." + name;
  if (!is_name(name))
    fail(problem, key,
         fmt::format("{} \"{}\" is not a name; use letters, digits and _, a letter first", role, name));
  if (std::find(reserved.begin(), reserved.end(), name) != reserved.end())
    fail(problem, key,
         fmt::format("{} {} clashes with the {} {}; choose another name", role, name,
                     name == "pi" || name == "e" ? "constant" : "function", name));
  if (const std::string base = derivative_of(problem, name); !base.empty())
    fail(problem, key,
         fmt::format("{} {} reads as a derivative of {}; choose another name", role, name, base));
}
}  // namespace

void validate_names(const Problem& problem) {
  if (problem.unknowns.empty()) fail(problem, "unknowns", "there are no unknowns; e.g. unknowns = [\"u\"]");
  constexpr std::size_t most_unknowns = 1000;
  if (const std::size_t all = problem.unknowns.size() + problem.unknown_constants.size(); all > most_unknowns)
    fail(problem, "unknowns",
         fmt::format("there are {} unknowns and unknown constants; up to {} are possible", all,
                     most_unknowns));
  if (problem.coordinates.empty()) fail(problem, "coordinates", "there are no coordinates; e.g. x = [0, 1]");
  if (problem.coordinates.size() > max_dimensions)
    fail(problem, "coordinates",
         fmt::format("there are {} coordinates; up to {} are possible", problem.coordinates.size(),
                     max_dimensions));
  std::map<std::string, std::string> taken;
  const auto take = [&](const std::string& section, const std::string& role, const std::string& name) {
    check_name(problem, section, role, name);
    if (const auto [entry, fresh] = taken.emplace(name, role); !fresh)
      fail(problem, section + "." + name,
           fmt::format("{} {} has the name of a {}; names must differ", role, name, entry->second));
  };
  for (const std::string& name : problem.unknowns) take("unknowns", "unknown", name);
  for (const CoordinateRange& c : problem.coordinates) take("coordinates", "coordinate", c.name);
  for (const auto& constant : problem.constants) take("constants", "constant", constant.first);
  for (const UnknownConstant& c : problem.unknown_constants) take("constants", "unknown constant", c.name);
}

void validate_ranges(const Problem& problem) {
  for (const CoordinateRange& c : problem.coordinates)
    if (!std::isfinite(c.low) || !std::isfinite(c.high) || !(c.low < c.high))
      fail(problem, "coordinates." + c.name + ".range",
           fmt::format("the range [{}, {}] of {} is empty; the first number must be the smaller one", c.low,
                       c.high, c.name));
  for (const auto& [name, value] : problem.constants)
    check_number(problem, KeyPath("constants").named(name), value);
  for (const UnknownConstant& c : problem.unknown_constants)
    check_number(problem, KeyPath("constants").named(c.name) / "initial", c.initial);
}

void check_time(const Problem& problem) {
  if (problem.time_coordinate == Problem().time_coordinate) return;
  const CoordinateRange* const time = find_coordinate(problem, problem.time_coordinate);
  if (time == nullptr)
    fail(problem, "time", fmt::format("time is \"{}\", which is no coordinate", problem.time_coordinate));
  if (time->periodic)
    fail(problem, "time",
         fmt::format("time is {}, which is periodic: nothing begins there; leave the key out, or "
                     "periodic",
                     problem.time_coordinate));
}

const CoordinateRange* find_coordinate(const Problem& problem, const std::string& name) {
  for (const CoordinateRange& c : problem.coordinates)
    if (c.name == name) return &c;
  return nullptr;
}

const UnknownConstant* find_unknown_constant(const Problem& problem, const std::string& name) {
  for (const UnknownConstant& c : problem.unknown_constants)
    if (c.name == name) return &c;
  return nullptr;
}

void check_names(const Problem& problem, const std::string& key, Expr expression) {
  std::vector<std::string> names;
  for (const CoordinateRange& c : problem.coordinates) names.push_back(c.name);
  const auto check_coordinate = [&](const std::string& name, const std::string& in) {
    if (find_coordinate(problem, name) == nullptr)
      fail(problem, key,
           fmt::format("{} uses {}{}, which is not a coordinate of the problem; the coordinates are {}", key,
                       name, in, word_list(names)));
  };
  const std::array<Expr, 1> root = {expression};
  for (const Expr leaf : coordinates_of(root)) check_coordinate(leaf->name, "");
  for (const Expr leaf : fields_of(root)) {
    if (leaf->role == Role::kept_derivative) {
      const auto jump = find_jump(leaf->a, problem.scope().ranges, leaf->name);
      fail(problem, key,
           fmt::format("{}: {}", key,
                       jump ? "d(…): " + dropped_delta(*jump, leaf->name)
                            : to_string(leaf, shown_expression) +
                                  " jumps outside of the domain; leave the jump "
                                  "out"));
    }
    if (leaf->role == Role::unknown_constant) {
      if (find_unknown_constant(problem, leaf->name) == nullptr)
        fail(problem, key,
             fmt::format(
                 "{} uses the unknown constant {}, which the problem has not; add_unknown_constant(\"{}\")",
                 key, leaf->name, leaf->name));
      continue;
    }
    if (std::find(problem.unknowns.begin(), problem.unknowns.end(), leaf->name) == problem.unknowns.end())
      fail(problem, key,
           fmt::format("{} uses {}, which is not an unknown of the problem; the unknowns are {}", key,
                       leaf->name, word_list(problem.unknowns)));
    for (const auto& part : leaf->derivative) check_coordinate(part.first, " (in " + to_string(leaf) + ")");
  }
}

namespace {
bool contains_unknown(const std::vector<Expr>& fields) {
  return std::any_of(fields.begin(), fields.end(), [](Expr f) { return f->role == Role::unknown; });
}

/// They are found where residuals contain them, and they are one number for the whole domain.
void check_unknown_constants(const Problem& problem) {
  std::vector<Expr> residuals;
  for (const Equation& e : problem.equations) residuals.push_back(e.residual);
  for (const Condition& c : problem.conditions) residuals.push_back(c.left - c.right);
  for (const auto& [unknown, form] : problem.network.output) residuals.push_back(form);
  const std::vector<Expr> leaves = fields_of(residuals);
  for (const UnknownConstant& c : problem.unknown_constants) {
    const std::string key = "constants." + c.name;
    if (std::find(leaves.begin(), leaves.end(), unknown_constant(c.name)) == leaves.end())
      fail(problem, key,
           fmt::format("no equation or condition contains the unknown constant {}, so it is not determined; "
                       "use it or give it a value",
                       c.name));
    if (divided(problem))
      fail(
          problem, "training.windows",
          fmt::format(
              "training.windows divides time, but the constant {} is to be found, which has one value at all "
              "times; leave windows out",
              c.name));
    for (const auto& [name, sign] : problem.network.symmetry)
      if (sign < 0)
        fail(problem, "network.symmetry",
             fmt::format("network.symmetry: odd in {} beside the constant {}, which is to be found, is not "
                         "possible yet; leave the symmetry out or build it into network.output",
                         name, c.name));
  }
}

/// The derivatives must fit into a jet.
void check_derivatives(const Problem& problem, const std::string& key, const std::vector<Expr>& fields) {
  std::vector<MultiIndex> indices;
  for (const Expr field : fields) {
    MultiIndex alpha;
    for (const auto& [name, order] : field->derivative) {
      if (order > max_jet_order)
        fail(problem, key,
             fmt::format("{} contains {}, of order {} in {}; orders up to {} are possible", key,
                         to_string(field), order, name, max_jet_order));
      for (std::size_t k = 0; k < problem.coordinates.size(); ++k)
        if (problem.coordinates[k].name == name) alpha.order[k] = static_cast<std::uint8_t>(order);
    }
    indices.push_back(alpha);
  }
  try {
    JetSpec::closure(static_cast<int>(problem.coordinates.size()), indices);
  } catch (const ArgumentError& error) {
    fail(problem, key, fmt::format("{}: its derivatives cannot be carried together: {}", key, error.what()));
  }
}

void check_equations(const Problem& problem) {
  if (problem.equations.empty())
    fail(problem, "equations", "there are no equations; e.g. heat = \"u_t = u_xx\"");
  std::map<std::string, bool> mentioned;
  std::set<std::string> names;
  std::vector<Expr> residuals;
  for (const Equation& equation : problem.equations) {
    const std::string key = "equations." + equation.name;
    if (!names.insert(equation.name).second)
      fail(problem, key, fmt::format("two equations are named {}", equation.name));
    check_name(problem, "equations", "equation", equation.name);
    const bool constant = problem.constants.count(equation.name) != 0 ||
                          find_unknown_constant(problem, equation.name) != nullptr;
    if (constant || find_coordinate(problem, equation.name) != nullptr ||
        std::find(problem.unknowns.begin(), problem.unknowns.end(), equation.name) != problem.unknowns.end())
      fail(problem, key,
           fmt::format("equation {} has the name of an unknown, coordinate or constant; choose another name",
                       equation.name));
    const std::array<Expr, 1> residual = {equation.residual};
    check_names(problem, key, equation.residual);
    const std::vector<Expr> fields = fields_of(residual);
    if (!contains_unknown(fields))
      fail(problem, key,
           fmt::format("equation {} contains no unknown; the unknowns are {}", equation.name,
                       word_list(problem.unknowns)));
    check_derivatives(problem, key, fields);
    for (const Expr field : fields) mentioned[field->name] = true;
    residuals.push_back(equation.residual);
  }
  check_derivatives(problem, "equations", fields_of(residuals));  // one jet carries those of all equations
  for (const std::string& unknown : problem.unknowns)
    if (!mentioned[unknown])
      fail(problem, "unknowns." + unknown,
           fmt::format("no equation contains the unknown {}; add one or remove it", unknown));
}

void check_condition(const Problem& problem, const Condition& condition) {
  const std::string key = "conditions." + condition.name;
  if (condition.where.empty())
    fail(problem, key, fmt::format("condition {} fixes no coordinate", condition.name));
  const std::array<Expr, 2> sides = {condition.left, condition.right};
  for (const Expr side : sides) check_names(problem, key, side);
  if (!contains_unknown(fields_of(sides)))
    fail(problem, key + ".equation", fmt::format("condition {} contains no unknown", condition.name));
  check_derivatives(problem, key + ".equation", fields_of(sides));
  std::size_t fixed_space = 0, space = 0;
  for (const CoordinateRange& c : problem.coordinates) space += c.name == problem.time_coordinate ? 0 : 1;
  for (const auto& [name, value] : condition.where) {
    const CoordinateRange* range = find_coordinate(problem, name);
    if (range == nullptr) fail(problem, key + ".where", fmt::format("{} is not a coordinate", name));
    fixed_space += name == problem.time_coordinate ? 0 : 1;
    const double slack = 1e-12 * (range->high - range->low);
    if (!(value >= range->low - slack && value <= range->high + slack))
      fail(problem, key + ".where",
           fmt::format("condition {} is at {} = {}, outside the range [{}, {}]", condition.name, name, value,
                       range->low, range->high));
  }
  // A value given at one point of space fixes a free constant (of a pressure, say): no boundary.
  const bool gauge = fixed_space == space && (space > 1 || problem.time() < 0);
  for (const auto& [name, value] : condition.where)
    if (find_coordinate(problem, name)->periodic && !gauge)
      fail(problem, key + ".where",
           fmt::format("condition {} fixes {}, which is periodic and has no boundary; remove the condition, "
                       "or periodic = true",
                       condition.name, name));
  if (condition.weight)
    check_number(problem, KeyPath("conditions").named(condition.name) / "weight", *condition.weight);
}

void check_conditions(const Problem& problem) {
  std::map<std::string, int> count;
  for (const Condition& condition : problem.conditions) {
    if (++count[condition.name] > 1)
      fail(problem, "conditions." + condition.name,
           fmt::format("two conditions are named {}", condition.name));
    check_condition(problem, condition);
  }
  if (!problem.conditions.empty()) return;
  const bool bounded = std::all_of(problem.coordinates.begin(), problem.coordinates.end(),
                                   [](const CoordinateRange& c) { return c.periodic; });
  for (const std::string& unknown : problem.unknowns)
    if (!bounded && problem.network.output.count(unknown) == 0)
      fail(problem, problem.positions.count("conditions") != 0 ? "conditions" : "equations",
           fmt::format("there is no condition, so {} is not determined; add [conditions], or build them into "
                       "network.output.{}",
                       unknown, unknown));
}
}  // namespace
}  // namespace detail

void Problem::validate() const {
  if (std::any_of(equations.begin(), equations.end(),
                  [](const Equation& e) { return !kept_derivatives(e.residual).empty(); }))
    return detail::with_kept_apart(*this).validate();
  detail::validate_names(*this);
  detail::validate_ranges(*this);
  detail::check_time(*this);
  detail::check_equations(*this);
  detail::check_conditions(*this);
  detail::check_unknown_constants(*this);
  const bool cut = detail::is_cut(*this);
  detail::check_network(*this);
  detail::check_training(*this);
  if (!cut) detail::check_deltas(*this);  // else of the pieces
  detail::check_reference(*this);
  if (cut) detail::check_interfaces(*this);
  if (lagrangian) detail::check_lagrangian(*this);
}

}  // namespace sobolev
