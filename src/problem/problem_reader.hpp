// SPDX-License-Identifier: Apache-2.0
#pragma once
// Reads the values of a problem file: numbers may be constant expressions, tables have a key for each
// coordinate.
#include <map>
#include <string>
#include <utility>

#include "sobolev/problem/problem.hpp"
#include "src/io/toml_reader.hpp"

namespace sobolev::detail {

/// Records where values stand in Problem::positions.
class ProblemReader : public TomlReader {
 public:
  ProblemReader(const TomlDocument& document, Problem& problem)
      : TomlReader(document, "a problem file", problem.positions), problem_(problem) {}

  /// A constant of the problem, for the expressions that follow.
  void define(const std::string& name, double value) {
    problem_.constants[name] = value;
    constants_.constants[name] = value;
  }

  /// A finite number or the text of a constant expression.
  double number(const TomlNode& node, const std::string& path) const;
  /// A list of them, or one.
  std::vector<double> numbers(const TomlNode& node, const std::string& path) const;
  /// Coordinate name -> whole number.
  std::map<std::string, int> per_coordinate(const TomlNode& node, const std::string& path) const;

  Expr expression(const TomlNode& node, const std::string& path, const ExpressionScope& scope) const;
  std::pair<Expr, Expr> equation(const TomlNode& node, const std::string& path,
                                 const ExpressionScope& scope) const;
  /// The value of `part`, a piece of the text of `node` that begins at byte `offset`.
  double constant(const TomlNode& node, const std::string& path, std::string_view part,
                  std::size_t offset) const;

 private:
  Problem& problem_;
  ExpressionScope constants_;  // what a constant expression may use
};

/// The sections of a problem file.
void read_network(const ProblemReader& reader, const TomlNode& node, Problem& problem);
void read_training(const ProblemReader& reader, const TomlNode& node, Problem& problem);
void read_reference(const ProblemReader& reader, const TomlNode& node, Problem& problem);

/// The parts of Problem::validate() that must hold before expressions are read.
void validate_names(const Problem& problem);
void validate_ranges(const Problem& problem);

}  // namespace sobolev::detail
