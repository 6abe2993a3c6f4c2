// SPDX-License-Identifier: Apache-2.0
#include "src/pinn/toml_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

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

std::string word_list(const std::vector<std::string>& words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i)
    out += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + words[i];
  return out;
}

std::string suggestion(const std::string& name, const std::vector<std::string>& candidates) {
  const std::string near = nearest_name(name, candidates);
  return near.empty() ? "" : "; did you mean " + near + "?";
}

void TomlReader::expected(const TomlNode& node, const std::string& path, const std::string& what) const {
  fail(node, fmt::format("{}: expected {}, got {}", path, what, describe(node)));
}

void TomlReader::fail_in_text(const TomlNode& node, std::size_t offset, const std::string& message) const {
  throw ParseError(position_in_string(document_, node, offset), message);
}

void TomlReader::open_table(const TomlNode& node, const std::string& path, const std::string& example) const {
  if (node.kind != TomlNode::Kind::table) expected(node, path, "a table, e.g. " + example);
}

void TomlReader::table(const TomlNode& node, const std::string& path, const std::vector<std::string>& keys,
                       const std::string& example) const {
  open_table(node, path, example);
  for (const TomlEntry& entry : node.entries) {
    if (std::find(keys.begin(), keys.end(), entry.key) != keys.end()) continue;
    const std::string where = path.empty() ? "a problem file" : path;
    throw ParseError(
        entry.position,
        fmt::format("unknown key {} in {}{}{}", entry.key, where, suggestion(entry.key, keys),
                    nearest_name(entry.key, keys).empty() ? "; the keys are " + word_list(keys) : ""));
  }
}

std::string TomlReader::text(const TomlNode& node, const std::string& path,
                             const std::string& example) const {
  if (node.kind != TomlNode::Kind::string) expected(node, path, "a text in quotes, e.g. " + example);
  remember(path, node.position);
  return node.text;
}

bool TomlReader::boolean(const TomlNode& node, const std::string& path) const {
  if (node.kind != TomlNode::Kind::boolean) expected(node, path, "true or false");
  remember(path, node.position);
  return node.boolean;
}

long long TomlReader::long_integer(const TomlNode& node, const std::string& path) const {
  remember(path, node.position);
  if (node.kind == TomlNode::Kind::integer) return node.integer;
  constexpr double exact = 9007199254740992;  // 2^53: every whole number up to here is a double
  if (node.kind == TomlNode::Kind::real && std::trunc(node.real) == node.real && std::abs(node.real) <= exact)
    return static_cast<long long>(node.real);
  if (node.kind == TomlNode::Kind::real && std::trunc(node.real) == node.real && std::abs(node.real) < 9.2e18)
    fail(node,
         fmt::format("{} is {}, a number with a fraction or an exponent, which names whole numbers only up "
                     "to 2^53; write all its digits",
                     path, node.real));
  expected(node, path, "a whole number");
}

int TomlReader::integer(const TomlNode& node, const std::string& path) const {
  const long long value = long_integer(node, path);
  if (value < -std::numeric_limits<int>::max() || value > std::numeric_limits<int>::max())
    fail(node,
         fmt::format("{} is {}; whole numbers go up to {}", path, value, std::numeric_limits<int>::max()));
  return static_cast<int>(value);
}

double TomlReader::number(const TomlNode& node, const std::string& path) const {
  remember(path, node.position);
  if (node.kind == TomlNode::Kind::string) return constant(node, path, node.text, 0);
  if (node.kind != TomlNode::Kind::integer && node.kind != TomlNode::Kind::real)
    expected(node, path, "a number or a constant expression such as \"2*pi\"");
  if (!std::isfinite(node.real)) fail(node, fmt::format("{} is {}; give a finite number", path, node.real));
  return node.real;
}

int TomlReader::choice(const TomlNode& node, const std::string& path,
                       const std::vector<std::string>& words) const {
  const std::string word = text(node, path, "\"" + words[0] + "\"");
  const auto found = std::find(words.begin(), words.end(), word);
  if (found == words.end())
    fail(node, fmt::format("{} is \"{}\"; use {}{}", path, word, word_list(words), suggestion(word, words)));
  return static_cast<int>(found - words.begin());
}

std::map<std::string, int> TomlReader::per_coordinate(const TomlNode& node, const std::string& path) const {
  std::vector<std::string> names;
  for (const CoordinateRange& c : problem_.coordinates) names.push_back(c.name);
  table(node, path, names, "{ " + names[0] + " = 64 }");
  remember(path, node.position);
  std::map<std::string, int> out;
  for (const TomlEntry& entry : node.entries) out[entry.key] = integer(entry.value, path + "." + entry.key);
  return out;
}

double TomlReader::constant(const TomlNode& node, const std::string& path, std::string_view part,
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

Expr TomlReader::expression(const TomlNode& node, const std::string& path,
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

std::pair<Expr, Expr> TomlReader::equation(const TomlNode& node, const std::string& path,
                                           const ExpressionScope& scope) const {
  const std::string source = one_line(text(node, path, "\"u_t = u_xx\""));
  try {
    return parse_equation(source, scope, first_column);
  } catch (const ParseError& error) {
    fail_in_text(node, std::max<std::size_t>(error.position().column, 1) - 1, path + ": " + error.message());
  }
}

}  // namespace sobolev::detail
