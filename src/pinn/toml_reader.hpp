// SPDX-License-Identifier: Apache-2.0
#pragma once
// Typed access to the values of a problem file. Every error names the key, what was expected, what is
// there, and where. Values read are recorded in Problem::positions for later checks.
#include <initializer_list>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sobolev/pinn/problem.hpp"
#include "src/pinn/toml_document.hpp"

namespace sobolev::detail {

class TomlReader {
 public:
  TomlReader(const TomlDocument& document, Problem& problem) : document_(document), problem_(problem) {}

  /// A constant of the problem, for the expressions that follow.
  void define(const std::string& name, double value) {
    problem_.constants[name] = value;
    constants_.constants[name] = value;
  }

  [[noreturn]] void fail(const TomlNode& node, const std::string& message) const {
    throw ParseError(node.position, message);
  }
  [[noreturn]] void expected(const TomlNode& node, const std::string& path, const std::string& what) const;

  /// The table at `path`; every key must be one of `keys`.
  void table(const TomlNode& node, const std::string& path, const std::vector<std::string>& keys,
             const std::string& example) const;
  /// The same for tables whose keys the user names.
  void open_table(const TomlNode& node, const std::string& path, const std::string& example) const;

  std::string text(const TomlNode& node, const std::string& path, const std::string& example) const;
  bool boolean(const TomlNode& node, const std::string& path) const;
  /// A whole number (a float without fraction is accepted) that fits the type.
  int integer(const TomlNode& node, const std::string& path) const;
  long long long_integer(const TomlNode& node, const std::string& path) const;
  /// A finite number or the text of a constant expression.
  double number(const TomlNode& node, const std::string& path) const;
  /// One of the words; its index.
  int choice(const TomlNode& node, const std::string& path, const std::vector<std::string>& words) const;
  /// Coordinate name -> whole number.
  std::map<std::string, int> per_coordinate(const TomlNode& node, const std::string& path) const;

  Expr expression(const TomlNode& node, const std::string& path, const ExpressionScope& scope) const;
  std::pair<Expr, Expr> equation(const TomlNode& node, const std::string& path,
                                 const ExpressionScope& scope) const;
  /// The value of `part`, a piece of the text of `node` that begins at byte `offset`.
  double constant(const TomlNode& node, const std::string& path, std::string_view part,
                  std::size_t offset) const;

  void remember(const std::string& path, const SourcePosition& position) const {
    problem_.positions[path] = position;
  }
  /// ParseError at byte `offset` of the text of `node`.
  [[noreturn]] void fail_in_text(const TomlNode& node, std::size_t offset, const std::string& message) const;

 private:
  const TomlDocument& document_;
  Problem& problem_;
  ExpressionScope constants_;  // what a constant expression may use
};

/// The sections of a problem file.
void read_network(const TomlReader& reader, const TomlNode& node, Problem& problem);
void read_training(const TomlReader& reader, const TomlNode& node, Problem& problem);
void read_reference(const TomlReader& reader, const TomlNode& node, Problem& problem);

/// "a, b or c".
std::string word_list(const std::vector<std::string>& words);
/// "; did you mean x?" or "".
std::string suggestion(const std::string& name, const std::vector<std::string>& candidates);

/// The parts of Problem::validate() that must hold before expressions are read.
void validate_names(const Problem& problem);
void validate_ranges(const Problem& problem);

}  // namespace sobolev::detail
