// SPDX-License-Identifier: Apache-2.0
#include "src/io/toml_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "sobolev/core/words.hpp"

namespace sobolev::detail {

void TomlReader::expected(const TomlNode& node, const std::string& path, const std::string& what) const {
  fail(node, fmt::format("{}: expected {}, got {}", path, what, describe(node)));
}

void TomlReader::fail_in_text(const TomlNode& node, std::size_t offset, const std::string& message) const {
  throw ParseError(position_in_string(document_, node, offset), message);
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

double TomlReader::literal(const TomlNode& node, const std::string& path,
                           const std::string& expected_text) const {
  remember(path, node.position);
  if (node.kind != TomlNode::Kind::integer && node.kind != TomlNode::Kind::real)
    expected(node, path, expected_text);
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

}  // namespace sobolev::detail
