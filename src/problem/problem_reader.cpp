// SPDX-License-Identifier: Apache-2.0
#include "src/problem/problem_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

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

std::vector<double> ProblemReader::numbers(const TomlNode& node, const std::string& path) const {
  if (node.kind != TomlNode::Kind::array) return {number(node, path)};
  std::vector<double> all;
  for (const TomlNode& item : node.items) all.push_back(number(item, path));
  remember(path, node.position);
  return all;
}

double ProblemReader::number(const TomlNode& node, const std::string& path) const {
  if (node.kind != TomlNode::Kind::string)
    return literal(node, path, "a number or a constant expression such as \"2*pi\"");
  remember(path, node.position);
  return constant(node, path, node.text, 0);
}

std::map<std::string, int> ProblemReader::per_coordinate(const TomlNode& node,
                                                         const std::string& path) const {
  std::vector<std::string> names;
  for (const CoordinateRange& c : problem_.coordinates) names.push_back(c.name);
  table(node, path, names, "{ " + names[0] + " = 64 }");
  remember(path, node.position);
  std::map<std::string, int> out;
  for (const TomlEntry& entry : node.entries) out[entry.key] = integer(entry.value, path + "." + entry.key);
  return out;
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

Expr ProblemReader::expression(const TomlNode& node, const std::string& path,
                               const ExpressionScope& scope) const {
  if (node.kind == TomlNode::Kind::integer || node.kind == TomlNode::Kind::real)
    return Expr(number(node, path));
  const std::string source = one_line(text(node, path, "\"u_t - u_xx\""));
  try {
    return parse_expression(source, scope, first_column);
  } catch (const ParseError& error) {
    fail_in_text(node, std::max<std::size_t>(error.position().column, 1) - 1, path + ": " + error.message());
  }
}

std::pair<Expr, Expr> ProblemReader::equation(const TomlNode& node, const std::string& path,
                                              const ExpressionScope& scope) const {
  const std::string source = one_line(text(node, path, "\"u_t = u_xx\""));
  try {
    return parse_equation(source, scope, first_column);
  } catch (const ParseError& error) {
    fail_in_text(node, std::max<std::size_t>(error.position().column, 1) - 1, path + ": " + error.message());
  }
}

}  // namespace sobolev::detail
