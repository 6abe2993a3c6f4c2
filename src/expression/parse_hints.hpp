// SPDX-License-Identifier: Apache-2.0
#pragma once
// What somebody meant who writes expressions as in other languages, and how it is written here.
#include <string>
#include <string_view>

namespace sobolev::detail {
/// Each is "" when there is nothing to say.
/// For a name called like a function that is none: ln, diff, laplacian, …
std::string function_hint(std::string_view name);
/// For a name that is not known: i, inf, …
std::string name_hint(std::string_view name);
/// For the character (or sequence) that `rest` begins with and that no expression contains: <, |, ², …
std::string character_hint(std::string_view rest);
}  // namespace sobolev::detail
