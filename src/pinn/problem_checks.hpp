// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "sobolev/pinn/problem.hpp"

namespace sobolev::detail {

/// How much of an expression a message shows, in bytes.
inline constexpr std::size_t shown_expression = 200;

/// ParseError where the position of `key` (or of a table it is in) is known, else ArgumentError.
[[noreturn]] void fail(const Problem& problem, const std::string& key, const std::string& message);
const CoordinateRange* find_coordinate(const Problem& problem, const std::string& name);

void check_network(const Problem& problem);
void check_training(const Problem& problem);
void check_reference(const Problem& problem);
/// What is built into the output, and the extra inputs, must not lose a delta function when the equations
/// differentiate it.
void check_deltas(const Problem& problem);

}  // namespace sobolev::detail
