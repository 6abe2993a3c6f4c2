// SPDX-License-Identifier: Apache-2.0
#pragma once
// A TOML text as a tree in source order, with the position of every key and value. The reader of
// problem files works on it; toml++ itself keeps tables in alphabetical order.
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sobolev/core/error.hpp"

namespace sobolev::detail {

struct TomlEntry;

struct TomlNode {
  enum class Kind { table, array, string, integer, real, boolean, date };
  Kind kind = Kind::table;
  SourcePosition position;  // where the value begins
  std::string text;         // string: the decoded value; date: as written
  long long integer = 0;
  double real = 0;  // real; also set for integers
  bool boolean = false;
  std::vector<TomlNode> items;     // array
  std::vector<TomlEntry> entries;  // table, in source order

  const TomlNode* find(std::string_view key) const;
};

struct TomlEntry {
  std::string key;
  SourcePosition position;
  TomlNode value;
};

struct TomlDocument {
  std::string file, text;
  TomlNode root;
};

/// Throws ParseError with the position in `file`.
TomlDocument parse_toml(std::string_view text, const std::string& file);

/// Whether a key of a table, once set, takes the place of another one.
using Excludes =
    std::function<bool(const std::string& table, const std::string& key, const std::string& other)>;
/// Applies "key.path=value". A path component that is a number indexes an array. Errors in the value,
/// now or later, are positioned at "--set key.path=value".
void apply_override(TomlDocument& document, const std::string& assignment, const Excludes& excludes);

/// TOML that parses to the same tree in the same order (comments are not kept).
std::string write_toml(const TomlNode& root);

/// Where byte `offset` of the decoded string stands in the document, through quotes, escapes and lines.
SourcePosition position_in_string(const TomlDocument& document, const TomlNode& string, std::size_t offset);

/// The value for messages: `the text "abc"`, `the number 3`, `a table`, ...
std::string describe(const TomlNode& node);

}  // namespace sobolev::detail
