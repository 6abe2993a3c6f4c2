// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <optional>
#include <string>

#include "sobolev/problem/problem.hpp"
#include "src/problem/problem_keys.hpp"

namespace sobolev::detail {

/// How much of an expression a message shows, in bytes.
inline constexpr std::size_t shown_expression = 200;

/// ParseError where the position of `key` (or of a table it is in) is known, else ArgumentError.
[[noreturn]] void fail(const Problem& problem, const std::string& key, const std::string& message);
const CoordinateRange* find_coordinate(const Problem& problem, const std::string& name);
const UnknownConstant* find_unknown_constant(const Problem& problem, const std::string& name);
/// Every name in an expression must be one of the problem's: one built in C++ may have any.
void check_names(const Problem& problem, const std::string& key, Expr expression);

/// The text of an expression, unless it is longer than the 64 KiB of a problem file.
std::optional<std::string> file_text(Expr e);
/// The text that means what is solved: the source where it still does, else to_toml(); "" where a file cannot
/// say it.
std::string source_of(const Problem& problem);

/// A number must be in the range that the table of keys has for it.
void check_number(const Problem& problem, const KeyPath& key, double value);

/// Derivatives of what jumps kept apart from what the equation is beside the jumps.
Equation make_equation(const std::string& name, Expr residual, const SourcePosition& position = {},
                       const std::string& text = {});

void check_network(const Problem& problem);
void check_training(const Problem& problem);
void check_reference(const Problem& problem);
/// What is built into the output, and the extra inputs, must not lose a delta function when the equations
/// differentiate it.
void check_deltas(const Problem& problem);

}  // namespace sobolev::detail
