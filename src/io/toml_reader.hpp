// SPDX-License-Identifier: Apache-2.0
#pragma once
// Typed access to the values of a TOML file. Every error names the key, what was expected, what is there, and
// where. Where values stand is recorded for later checks.
#include <map>
#include <string>
#include <vector>

#include "src/io/toml_document.hpp"

namespace sobolev::detail {

class TomlReader {
 public:
  /// What is read is recorded in `positions`, by key.
  TomlReader(const TomlDocument& document, std::map<std::string, SourcePosition>& positions)
      : document_(document), positions_(positions) {}

  [[noreturn]] void fail(const TomlNode& node, const std::string& message) const {
    throw ParseError(node.position, message);
  }
  [[noreturn]] void expected(const TomlNode& node, const std::string& path, const std::string& what) const;
  /// ParseError at byte `offset` of the text of `node`.
  [[noreturn]] void fail_in_text(const TomlNode& node, std::size_t offset, const std::string& message) const;

  std::string text(const TomlNode& node, const std::string& path, const std::string& example) const;
  bool boolean(const TomlNode& node, const std::string& path) const;
  /// A whole number (a float without fraction is accepted) that fits the type.
  int integer(const TomlNode& node, const std::string& path) const;
  long long long_integer(const TomlNode& node, const std::string& path) const;
  /// A finite number.
  double literal(const TomlNode& node, const std::string& path, const std::string& expected_text) const;
  /// One of the words; its index.
  int choice(const TomlNode& node, const std::string& path, const std::vector<std::string>& words) const;

  void remember(const std::string& path, const SourcePosition& position) const {
    positions_[path] = position;
  }

 private:
  const TomlDocument& document_;
  std::map<std::string, SourcePosition>& positions_;
};

}  // namespace sobolev::detail
