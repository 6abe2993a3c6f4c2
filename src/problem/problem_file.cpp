// SPDX-License-Identifier: Apache-2.0
// Problem::from_file and from_string: what is solved. Its options are read in problem_options.cpp.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "sobolev/core/words.hpp"
#include "sobolev/problem/problem.hpp"
#include "src/problem/problem_reader.hpp"

namespace sobolev {
namespace {
using detail::ProblemReader;
using detail::TomlEntry;
using detail::TomlNode;

constexpr std::size_t largest_file = std::size_t{4} << 20;

void read_unknowns(const ProblemReader& reader, const TomlNode& node, Problem& problem) {
  const std::string example = "[\"u\"]";
  if (node.kind != TomlNode::Kind::array)
    reader.expected(node, "unknowns", "a list of names, e.g. " + example);
  reader.remember("unknowns", node.position);
  for (const TomlNode& item : node.items) {
    if (item.kind != TomlNode::Kind::string)
      reader.expected(item, "unknowns", "names in quotes, e.g. " + example);
    reader.remember("unknowns." + item.text, item.position);
    problem.unknowns.push_back(item.text);
  }
}

void read_constants(ProblemReader& reader, const TomlNode& node, Problem& problem) {
  reader.open_table(node, "constants", "[constants] with nu = 1e-4");
  for (const TomlEntry& entry : node.entries) {
    const std::string path = "constants." + entry.key;
    if (entry.value.kind == TomlNode::Kind::table) {
      reader.table(entry.value, path, {"initial"}, "{ initial = 1 } for a constant that is to be found");
      const TomlNode* initial = entry.value.find("initial");
      if (initial == nullptr)
        reader.fail(entry.value,
                    path + " has no initial value; write { initial = 1 } for a constant that is to be found");
      problem.add_unknown_constant(entry.key, reader.number(*initial, path + ".initial"));
    } else {
      reader.define(entry.key, reader.number(entry.value, path));
    }
    reader.remember(path, entry.position);
  }
}

void read_range(const ProblemReader& reader, const TomlNode& node, const std::string& path,
                CoordinateRange& range) {
  if (node.kind != TomlNode::Kind::array || node.items.size() != 2)
    reader.expected(node, path, "a range [low, high], e.g. [0, 1]");
  reader.remember(path, node.position);
  range.low = reader.number(node.items[0], path + ".low");
  range.high = reader.number(node.items[1], path + ".high");
}

void read_coordinates(const ProblemReader& reader, const TomlNode& node, Problem& problem) {
  reader.open_table(node, "coordinates", "[coordinates] with x = [0, 1]");
  reader.remember("coordinates", node.position);
  for (const TomlEntry& entry : node.entries) {
    const std::string path = "coordinates." + entry.key;
    CoordinateRange range{entry.key};
    if (entry.value.kind == TomlNode::Kind::table) {
      reader.table(entry.value, path, {"range", "periodic"}, "{ range = [0, 1], periodic = true }");
      const TomlNode* bounds = entry.value.find("range");
      if (bounds == nullptr) reader.fail(entry.value, path + " has no range; add range = [low, high]");
      read_range(reader, *bounds, path + ".range", range);
      if (const TomlNode* periodic = entry.value.find("periodic"))
        range.periodic = reader.boolean(*periodic, path + ".periodic");
    } else {
      read_range(reader, entry.value, path + ".range", range);
    }
    reader.remember(path, entry.position);
    problem.coordinates.push_back(std::move(range));
  }
}

void read_equations(const ProblemReader& reader, const TomlNode& node, Problem& problem) {
  reader.open_table(node, "equations", "[equations] with heat = \"u_t = u_xx\"");
  reader.remember("equations", node.position);
  const ExpressionScope scope = problem.scope();
  for (const TomlEntry& entry : node.entries) {
    const std::string path = "equations." + entry.key;
    const auto [left, right] = reader.equation(entry.value, path, scope);
    reader.remember(path, entry.position);
    problem.equations.push_back({entry.key, left - right, entry.value.position, entry.value.text});
  }
}

/// "t = 0, x = -1": coordinates and their values.
void read_where(const ProblemReader& reader, const TomlNode& node, const std::string& path,
                const Problem& problem, Condition& condition) {
  const std::string text = reader.text(node, path, "\"t = 0\"");
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
  const std::string example = "initial = { where = \"t = 0\", equation = \"u = sin(x)\" }";
  reader.open_table(node, "conditions", example);
  reader.remember("conditions", node.position);
  ExpressionScope scope = problem.scope();
  const CoordinateBox domain = scope.ranges;
  for (const TomlEntry& entry : node.entries) {
    const std::string path = "conditions." + entry.key;
    reader.table(entry.value, path, {"where", "equation", "weight"}, example);
    Condition condition;
    condition.name = entry.key;
    condition.position = entry.value.position;
    const TomlNode* where = entry.value.find("where");
    const TomlNode* equation = entry.value.find("equation");
    if (where == nullptr || equation == nullptr)
      throw ParseError(entry.position, fmt::format("{} has no {}; e.g. {}", path,
                                                   where == nullptr ? "where" : "equation", example));
    read_where(reader, *where, path + ".where", problem, condition);
    scope.ranges = domain;  // a jump elsewhere does not matter to the condition
    for (const auto& [name, value] : condition.where) scope.ranges[name] = {value, value};
    std::tie(condition.left, condition.right) = reader.equation(*equation, path + ".equation", scope);
    condition.text = equation->text;
    if (const TomlNode* weight = entry.value.find("weight"))
      condition.weight = reader.number(*weight, path + ".weight");
    reader.remember(path, entry.position);
    problem.conditions.push_back(std::move(condition));
  }
}

const TomlNode& required(const detail::TomlDocument& document, std::string_view key,
                         const std::string& example) {
  const TomlNode* node = document.root.find(key);
  if (node == nullptr)
    throw ParseError({document.file, 1, 1}, fmt::format("{} is missing; add {}", key, example));
  return *node;
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
  for (const std::string& assignment : overrides) detail::apply_override(document, assignment);

  Problem problem;
  ProblemReader reader(document, problem);
  const TomlNode& root = document.root;
  reader.table(root, "",
               {"title", "unknowns", "coordinates", "constants", "equations", "conditions", "network",
                "training", "reference"},
               "");
  if (const TomlNode* title = root.find("title"))
    problem.title = reader.text(*title, "title", "\"Heat equation\"");
  read_unknowns(reader, required(document, "unknowns", "unknowns = [\"u\"]"), problem);
  if (const TomlNode* constants = root.find("constants")) read_constants(reader, *constants, problem);
  read_coordinates(reader, required(document, "coordinates", "[coordinates] with x = [0, 1]"), problem);
  detail::validate_names(problem);
  detail::validate_ranges(problem);
  read_equations(reader, required(document, "equations", "[equations] with heat = \"u_t = u_xx\""), problem);
  if (const TomlNode* conditions = root.find("conditions")) read_conditions(reader, *conditions, problem);
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
