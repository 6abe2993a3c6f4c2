// SPDX-License-Identifier: Apache-2.0
#include "src/problem/problem_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sobolev/core/words.hpp"
#include "src/problem/interfaces.hpp"
#include "src/problem/lagrangian.hpp"

namespace sobolev::detail {
namespace {
/// The parser sees one line, so that its columns are offsets into the text.
std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  std::replace(text.begin(), text.end(), '\r', ' ');
  return text;
}
const SourcePosition first_column{"", 1, 1};
}  // namespace

std::vector<std::string> ProblemReader::names_in(const KeyPath& path) const {
  const std::string placeholder = path.named("").pattern();
  std::vector<std::string> names;
  if (placeholder.ends_with("<unknown>")) {
    names = problem_.unknowns;
    const bool of_outputs =
        path.text() == "network" || path.text() == "network.scale" || path.text() == "network.offset";
    if (of_outputs && !problem_.lagrangian)
      for (const std::string& name : piece_unknowns(problem_)) names.push_back(name);
    if (of_outputs && problem_.lagrangian)
      for (const CoordinateRange& c : problem_.coordinates) names.push_back(displacement_name(c.name));
  }
  if (placeholder.ends_with("<coordinate>"))
    for (const CoordinateRange& c : problem_.coordinates) names.push_back(c.name);
  std::erase_if(names, [&](const std::string& name) { return find_key((path / name).pattern()) != nullptr; });
  return names;
}

void ProblemReader::open_table(const TomlNode& node, const KeyPath& path) const {
  if (node.kind != TomlNode::Kind::table) expected(node, path.text(), "a table, e.g. " + example_of(path));
}

void ProblemReader::table(const TomlNode& node, const KeyPath& path) const {
  open_table(node, path);
  std::vector<std::string> keys;
  for (const ProblemKey* key : keys_of(path.pattern()))
    if (key->name().front() != '<') keys.emplace_back(key->name());
  const std::vector<std::string> names = names_in(path);
  keys.insert(keys.end(), names.begin(), names.end());
  for (const TomlEntry& entry : node.entries) {
    if (std::find(keys.begin(), keys.end(), entry.key) != keys.end()) continue;
    const std::string near = suggestion(entry.key, keys);
    throw ParseError(entry.position, fmt::format("unknown key {} in {}{}{}", entry.key,
                                                 path.text().empty() ? "a problem file" : path.text(),
                                                 near.empty() ? "; the keys are " + word_list(keys) : near,
                                                 elsewhere(entry.key, path.pattern())));
  }
}

const TomlEntry* ProblemReader::alternative(const TomlNode& table, const KeyPath& path) const {
  const TomlEntry* chosen = nullptr;
  for (const TomlEntry& entry : table.entries) {
    if (chosen != nullptr && exclude_each_other(path.pattern(), chosen->key, entry.key))
      throw ParseError(entry.position,
                       fmt::format("{} has both {} and {}; keep one", path.text(), chosen->key, entry.key));
    const ProblemKey* key = find_key((path / entry.key).pattern());
    if (key != nullptr && key->allowed.alternative) chosen = &entry;
  }
  return chosen;
}

const std::vector<TomlNode>& ProblemReader::list(const TomlNode& node, const KeyPath& path) const {
  if (node.kind == TomlNode::Kind::array) return node.items;
  const ProblemKey& key = path.key();
  expected(node, path.text(),
           key.type == KeyType::tables
               ? fmt::format("a list of tables, e.g. {}; or [[{}]] with two brackets", key.example, key.path)
               : fmt::format("a {}, e.g. {}", type_text(key), key.example));
}

void ProblemReader::check_range(const TomlNode& node, const KeyPath& path, double value) const {
  if (const auto message = wrong_number(path, value)) fail(node, *message);
}

double ProblemReader::finite(const TomlNode& node, const std::string& path) const {
  if (node.kind != TomlNode::Kind::string)
    return literal(node, path, "a number or a constant expression such as \"2*pi\"");
  remember(path, node.position);
  return constant(node, path, node.text, 0);
}

double ProblemReader::number(const TomlNode& node, const KeyPath& path) const {
  const double value = finite(node, path.text());
  check_range(node, path, value);
  return value;
}

std::vector<double> ProblemReader::numbers(const TomlNode& node, const KeyPath& path) const {
  if (node.kind != TomlNode::Kind::array) return {number(node, path)};
  std::vector<double> all;
  for (const TomlNode& item : node.items) all.push_back(number(item, path));
  remember(path.text(), node.position);
  return all;
}

std::vector<double> ProblemReader::finite_numbers(const TomlNode& node, const KeyPath& path) const {
  std::vector<double> values;
  remember(path.text(), node.position);
  for (const TomlNode& item : list(node, path)) values.push_back(finite(item, path.text()));
  return values;
}

int ProblemReader::integer(const TomlNode& node, const KeyPath& path) const {
  const int value = TomlReader::integer(node, path.text());
  check_range(node, path, value);
  return value;
}

long long ProblemReader::long_integer(const TomlNode& node, const KeyPath& path) const {
  const long long value = TomlReader::long_integer(node, path.text());
  check_range(node, path, static_cast<double>(value));
  return value;
}

std::map<std::string, int> ProblemReader::per_coordinate(const TomlNode& node, const KeyPath& path) const {
  table(node, path);
  remember(path.text(), node.position);
  std::map<std::string, int> out;
  for (const TomlEntry& entry : node.entries) out[entry.key] = integer(entry.value, path.named(entry.key));
  return out;
}

std::pair<double, double> ProblemReader::interval(const TomlNode& node, const KeyPath& path) const {
  if (node.kind != TomlNode::Kind::array || node.items.size() != 2)
    expected(node, path.text(), "a range [low, high], e.g. " + example_of(path));
  remember(path.text(), node.position);
  const double low = finite(node.items[0], path.text() + ".low");
  return {low, finite(node.items[1], path.text() + ".high")};
}

double ProblemReader::constant(const TomlNode& node, const std::string& path, std::string_view part,
                               std::size_t offset) const {
  Expr value;
  try {
    value = parse_expression(one_line(std::string(part)), constants_, first_column);
  } catch (const ParseError& error) {
    const std::size_t column = std::max<std::size_t>(error.position().column, 1);
    fail_in_text(node, offset + column - 1, path + ": " + error.message());
  }
  if (!value.is_constant() || !std::isfinite(value->value))
    fail_in_text(node, offset, fmt::format("{}: expected a finite constant, got {}", path, part));
  return value->value;
}

Expr ProblemReader::expression(const TomlNode& node, const KeyPath& path,
                               const ExpressionScope& scope) const {
  if (node.kind == TomlNode::Kind::integer || node.kind == TomlNode::Kind::real)
    return Expr(number(node, path));
  const std::string source = one_line(text(node, path));
  try {
    return parse_expression(source, scope, first_column);
  } catch (const ParseError& error) {
    fail_in_text(node, std::max<std::size_t>(error.position().column, 1) - 1,
                 path.text() + ": " + error.message());
  }
}

std::pair<Expr, Expr> ProblemReader::equation(const TomlNode& node, const KeyPath& path,
                                              const ExpressionScope& scope) const {
  const std::string source = one_line(text(node, path));
  try {
    return parse_equation(source, scope, first_column);
  } catch (const ParseError& error) {
    fail_in_text(node, std::max<std::size_t>(error.position().column, 1) - 1,
                 path.text() + ": " + error.message());
  }
}

}  // namespace sobolev::detail
