// SPDX-License-Identifier: Apache-2.0
// Problem::from_file and from_string: what is solved. Its options are read in problem_options.cpp.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "sobolev/core/words.hpp"
#include "sobolev/problem/problem.hpp"
#include "src/problem/problem_checks.hpp"
#include "src/problem/problem_reader.hpp"

namespace sobolev {
namespace {
using detail::example_of;
using detail::KeyPath;
using detail::ProblemReader;
using detail::TomlEntry;
using detail::TomlNode;

constexpr std::size_t largest_file = std::size_t{4} << 20;

void read_unknowns(const ProblemReader& reader, const TomlNode& node, Problem& problem) {
  const KeyPath path("unknowns");
  for (const TomlNode& item : reader.list(node, path)) {
    if (item.kind != TomlNode::Kind::string)
      reader.expected(item, path.text(), "names in quotes, e.g. " + example_of(path));
    reader.remember(path.named(item.text).text(), item.position);
    problem.unknowns.push_back(item.text);
  }
  reader.remember(path.text(), node.position);
}

void read_constants(ProblemReader& reader, const TomlNode& node, Problem& problem) {
  reader.open_table(node, "constants");
  for (const TomlEntry& entry : node.entries) {
    const KeyPath path = KeyPath("constants").named(entry.key);
    if (entry.value.kind == TomlNode::Kind::table) {
      reader.table(entry.value, path);
      const TomlNode* initial = entry.value.find("initial");
      if (initial == nullptr)
        reader.fail(entry.value, fmt::format("{} has no initial value; write {{ initial = {} }} for a "
                                             "constant that is to be found",
                                             path.text(), example_of(path / "initial")));
      problem.add_unknown_constant(entry.key, reader.number(*initial, path / "initial"));
    } else {
      reader.define(entry.key, reader.number(entry.value, path));
    }
    reader.remember(path.text(), entry.position);
  }
}

void read_coordinates(const ProblemReader& reader, const TomlNode& node, Problem& problem) {
  reader.open_table(node, "coordinates");
  reader.remember("coordinates", node.position);
  for (const TomlEntry& entry : node.entries) {
    const KeyPath path = KeyPath("coordinates").named(entry.key);
    CoordinateRange range{entry.key};
    const TomlNode* bounds = &entry.value;
    if (entry.value.kind == TomlNode::Kind::table) {
      reader.table(entry.value, path);
      bounds = entry.value.find("range");
      if (bounds == nullptr) reader.fail(entry.value, path.text() + " has no range; add range = [low, high]");
      reader.read(entry.value, path, "periodic", range.periodic);
    }
    std::tie(range.low, range.high) = reader.interval(*bounds, path / "range");
    reader.remember(path.text(), entry.position);
    problem.coordinates.push_back(std::move(range));
  }
}

void read_equations(const ProblemReader& reader, const TomlNode& node, Problem& problem) {
  reader.open_table(node, "equations");
  reader.remember("equations", node.position);
  ExpressionScope scope = problem.scope();
  for (const CoordinateRange& c : problem.coordinates)
    if (!c.periodic && c.name != problem.time_coordinate) scope.cuttable.push_back(c.name);
  for (const TomlEntry& entry : node.entries) {
    const KeyPath path = KeyPath("equations").named(entry.key);
    const auto [left, right] = reader.equation(entry.value, path, scope);
    reader.remember(path.text(), entry.position);
    problem.equations.push_back(
        detail::make_equation(entry.key, left - right, entry.value.position, entry.value.text));
  }
}

/// "t = 0, x = -1": coordinates and their values.
void read_where(const ProblemReader& reader, const TomlNode& node, const KeyPath& key, const Problem& problem,
                Condition& condition) {
  const std::string text = reader.text(node, key), path = key.text();
  std::vector<std::string> names;
  for (const CoordinateRange& c : problem.coordinates) names.push_back(c.name);
  for (std::size_t begin = 0; begin <= text.size();) {
    std::size_t end = begin;
    for (int depth = 0; end < text.size() && (text[end] != ',' || depth > 0); ++end)
      depth += text[end] == '(' ? 1 : text[end] == ')' ? -1 : 0;
    const std::size_t compares = text.find_first_of("<>", begin);
    if (compares < end)
      reader.fail_in_text(
          node, compares,
          fmt::format("{}: a condition holds where coordinates have given values, e.g. \"{} = "
                      "0\"; not on a part of the others' ranges. For a part, multiply by "
                      "heaviside: {}",
                      path, names[0],
                      "heaviside(t - 0.2)*heaviside(0.5 - t)*(u - 1) = 0 is u = 1 for t from "
                      "0.2 to 0.5"));
    const std::size_t equals = text.find('=', begin);
    if (equals >= end)
      reader.fail_in_text(node, begin,
                          fmt::format("{}: expected coordinate = value, e.g. \"{} = 0\", got \"{}\"", path,
                                      names[0], text.substr(begin, end - begin)));
    const std::size_t first = std::min(text.find_first_not_of(" \t\r\n", begin), equals);
    std::string name = text.substr(first, equals - first);
    name.erase(name.find_last_not_of(" \t\r\n") + 1);
    if (std::find(names.begin(), names.end(), name) == names.end())
      reader.fail_in_text(node, first,
                          fmt::format("{}: \"{}\" is not a coordinate{}; the coordinates are {}", path, name,
                                      suggestion(name, names), word_list(names)));
    for (const auto& fixed : condition.where)
      if (fixed.first == name)
        reader.fail_in_text(node, first, fmt::format("{}: {} is fixed twice", path, name));
    const std::string_view value = std::string_view(text).substr(equals + 1, end - equals - 1);
    condition.where.emplace_back(name, reader.constant(node, path, value, equals + 1));
    begin = end + 1;
  }
}

void read_conditions(const ProblemReader& reader, const TomlNode& node, Problem& problem) {
  reader.open_table(node, "conditions");
  reader.remember("conditions", node.position);
  ExpressionScope scope = problem.scope();
  const CoordinateBox domain = scope.ranges;
  for (const TomlEntry& entry : node.entries) {
    const KeyPath path = KeyPath("conditions").named(entry.key);
    reader.table(entry.value, path);
    Condition condition;
    condition.name = entry.key;
    condition.position = entry.value.position;
    const TomlNode* where = entry.value.find("where");
    const TomlNode* equation = entry.value.find("equation");
    if (where == nullptr || equation == nullptr)
      throw ParseError(entry.position,
                       fmt::format("{} has no {}; e.g. {} = {}", path.text(),
                                   where == nullptr ? "where" : "equation", entry.key, example_of(path)));
    read_where(reader, *where, path / "where", problem, condition);
    scope.ranges = domain;  // a jump elsewhere does not matter to the condition
    for (const auto& [name, value] : condition.where) scope.ranges[name] = {value, value};
    std::tie(condition.left, condition.right) = reader.equation(*equation, path / "equation", scope);
    condition.text = equation->text;
    reader.read(entry.value, path, "weight", condition.weight);
    reader.remember(path.text(), entry.position);
    problem.conditions.push_back(std::move(condition));
  }
}

const TomlNode& required(const detail::TomlDocument& document, const KeyPath& path) {
  const TomlNode* node = document.root.find(path.text());
  if (node != nullptr) return *node;
  const bool table = path.key().type == detail::KeyType::table;
  throw ParseError({document.file, 1, 1}, fmt::format("{} is missing; add {}{}", path.text(),
                                                      table ? "" : path.text() + " = ", example_of(path)));
}
/// A relative reference.file is relative to the problem file, or to the working folder where it comes
/// from an override; the source text then says the whole path, so that it still holds elsewhere.
void anchor_reference_file(const detail::TomlDocument& document, Problem& problem) {
  std::filesystem::path& file = problem.reference.file;
  if (file.empty() || file.is_absolute()) return;
  const bool in_document = problem.positions.at("reference.file").file == document.file;
  const std::filesystem::path folder = in_document ? std::filesystem::path(document.file).parent_path() : "";
  file = std::filesystem::absolute(folder / file).lexically_normal();
  detail::TomlNode root = document.root;
  for (TomlEntry& section : root.entries)
    for (TomlEntry& entry : section.value.entries)
      if (section.key == "reference" && entry.key == "file") entry.value.text = file.string();
  problem.source = detail::write_toml(root);
}
}  // namespace

Problem Problem::from_string(std::string_view text, const std::string& file_name,
                             const std::vector<std::string>& overrides) {
  if (text.size() > largest_file)
    throw ParseError({file_name, 0, 0}, fmt::format("the text has {} bytes; a problem file has at most {}",
                                                    text.size(), largest_file));
  detail::TomlDocument document = detail::parse_toml(text, file_name);
  for (const std::string& assignment : overrides)
    detail::apply_override(document, assignment, detail::exclude_each_other);

  Problem problem;
  ProblemReader reader(document, problem);
  const TomlNode& root = document.root;
  reader.table(root, {});
  reader.read(root, {}, "title", problem.title);
  read_unknowns(reader, required(document, "unknowns"), problem);
  if (const TomlNode* constants = root.find("constants")) read_constants(reader, *constants, problem);
  read_coordinates(reader, required(document, "coordinates"), problem);
  detail::validate_names(problem);
  detail::validate_ranges(problem);
  if (const TomlNode* time = root.find("time")) {
    problem.time_coordinate = reader.text(*time, KeyPath("time"));
    reader.remember("time", time->position);
    detail::check_time(problem);
  }
  read_equations(reader, required(document, "equations"), problem);
  if (const TomlNode* conditions = root.find("conditions")) read_conditions(reader, *conditions, problem);
  if (const TomlNode* places = root.find("interfaces")) read_interfaces(reader, *places, problem);
  if (const TomlNode* labels = root.find("lagrangian")) read_lagrangian(reader, *labels, problem);
  if (const TomlNode* network = root.find("network")) read_network(reader, *network, problem);
  if (const TomlNode* training = root.find("training")) read_training(reader, *training, problem);
  if (const TomlNode* reference = root.find("reference")) read_reference(reader, *reference, problem);

  problem.source = overrides.empty() ? document.text : detail::write_toml(root);
  anchor_reference_file(document, problem);
  problem.name = std::filesystem::path(file_name).stem().string();
  problem.validate();
  return problem;
}

Problem Problem::from_file(const std::filesystem::path& path, const std::vector<std::string>& overrides) {
  std::error_code status;
  if (std::filesystem::is_directory(path, status))
    throw FileError(path.string() + " is a folder; name the problem file in it");
  std::ifstream file(path, std::ios::binary);
  if (!file) throw FileError(fmt::format("cannot read {}: {}", path.string(), std::strerror(errno)));
  std::string text(largest_file + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) throw FileError(fmt::format("cannot read {}: {}", path.string(), std::strerror(errno)));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return from_string(text, path.string(), overrides);
}

}  // namespace sobolev
