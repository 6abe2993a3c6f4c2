// SPDX-License-Identifier: Apache-2.0
#pragma once
// Reads the values of a problem file by the table of keys: which keys a table has, what their values may be,
// examples. Numbers may be constant expressions, tables have a key for each coordinate.
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "sobolev/problem/problem.hpp"
#include "src/io/toml_reader.hpp"
#include "src/problem/problem_keys.hpp"

namespace sobolev::detail {

/// Records where values stand in Problem::positions.
class ProblemReader : public TomlReader {
 public:
  ProblemReader(const TomlDocument& document, Problem& problem)
      : TomlReader(document, problem.positions), problem_(problem) {}

  /// A constant of the problem, for the expressions that follow.
  void define(const std::string& name, double value) {
    problem_.constants[name] = value;
    constants_.constants[name] = value;
  }

  /// A table whose keys the user names.
  void open_table(const TomlNode& node, const KeyPath& path) const;
  /// A table with the keys of the table of keys, names in the place of <unknown> and <coordinate>.
  void table(const TomlNode& node, const KeyPath& path) const;
  /// The names that stand for <unknown> or <coordinate> in this table, where they are no other key of it.
  std::vector<std::string> names_in(const KeyPath& path) const;
  /// That of a table's alternatives which is given, or null; not two.
  const TomlEntry* alternative(const TomlNode& table, const KeyPath& path) const;
  /// The items of a list.
  const std::vector<TomlNode>& list(const TomlNode& node, const KeyPath& path) const;

  /// The value of one key of a table, where it is given.
  template <class T>
  void read(const TomlNode& table, const KeyPath& path, std::string_view key, T& out) const {
    if (const TomlNode* node = table.find(key)) value(*node, path / key, out);
  }

  std::string text(const TomlNode& node, const KeyPath& path) const {
    return TomlReader::text(node, path.text(), example_of(path));
  }
  /// The index of the word.
  int choice(const TomlNode& node, const KeyPath& path) const {
    return TomlReader::choice(node, path.text(), words_of(path.key()));
  }
  /// A number in the range of the key: finite, or the text of a constant expression.
  double number(const TomlNode& node, const KeyPath& path) const;
  /// A list of them, or one.
  std::vector<double> numbers(const TomlNode& node, const KeyPath& path) const;
  /// A list of numbers, whatever the range of the key.
  std::vector<double> finite_numbers(const TomlNode& node, const KeyPath& path) const;
  /// A whole number in the range of the key.
  int integer(const TomlNode& node, const KeyPath& path) const;
  long long long_integer(const TomlNode& node, const KeyPath& path) const;
  /// Coordinate name -> whole number.
  std::map<std::string, int> per_coordinate(const TomlNode& node, const KeyPath& path) const;
  /// [low, high].
  std::pair<double, double> interval(const TomlNode& node, const KeyPath& path) const;

  Expr expression(const TomlNode& node, const KeyPath& path, const ExpressionScope& scope) const;
  std::pair<Expr, Expr> equation(const TomlNode& node, const KeyPath& path,
                                 const ExpressionScope& scope) const;
  /// The value of `part`, a piece of the text of `node` that begins at byte `offset`.
  double constant(const TomlNode& node, const std::string& path, std::string_view part,
                  std::size_t offset) const;

 private:
  void value(const TomlNode& node, const KeyPath& path, bool& out) const { out = boolean(node, path.text()); }
  void value(const TomlNode& node, const KeyPath& path, int& out) const { out = integer(node, path); }
  void value(const TomlNode& node, const KeyPath& path, double& out) const { out = number(node, path); }
  void value(const TomlNode& node, const KeyPath& path, std::vector<double>& out) const {
    out = numbers(node, path);
  }
  void value(const TomlNode& node, const KeyPath& path, std::string& out) const { out = text(node, path); }
  template <class T>
  void value(const TomlNode& node, const KeyPath& path, std::optional<T>& out) const {
    value(node, path, out.emplace());
  }
  template <class T>
  requires(std::is_enum_v<T> || std::is_same_v<T, long> ||
           std::is_same_v<T, unsigned long>) void value(const TomlNode& node, const KeyPath& path,
                                                        T& out) const {
    if constexpr (std::is_enum_v<T>)
      out = static_cast<T>(choice(node, path));
    else
      out = static_cast<T>(long_integer(node, path));
  }

  double finite(const TomlNode& node, const std::string& path) const;
  void check_range(const TomlNode& node, const KeyPath& path, double value) const;

  Problem& problem_;
  ExpressionScope constants_;  // what a constant expression may use
};

/// The sections of a problem file.
void read_network(const ProblemReader& reader, const TomlNode& node, Problem& problem);
void read_interfaces(const ProblemReader& reader, const TomlNode& node, Problem& problem);
void read_lagrangian(const ProblemReader& reader, const TomlNode& node, Problem& problem);
void read_training(const ProblemReader& reader, const TomlNode& node, Problem& problem);
void read_reference(const ProblemReader& reader, const TomlNode& node, Problem& problem);

/// The parts of Problem::validate() that must hold before expressions are read.
void validate_names(const Problem& problem);
void validate_ranges(const Problem& problem);
/// The key time names a coordinate that is not periodic.
void check_time(const Problem& problem);

}  // namespace sobolev::detail
