// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>

#include "sobolev/core/error.hpp"

namespace sobolev::detail {

/// What is checked before a text is parsed as TOML, because the parser could not say it well or would not
/// survive it: ParseError at the place of the first byte that is no UTF-8 or zero, of the quote of a string
/// that is not closed, and of tables, lists and dotted keys nested more than 32 levels deep.
void scan_toml(std::string_view text, const std::string& file);

/// The offset of the first byte that is not part of valid UTF-8 (RFC 3629), or text.size().
std::size_t invalid_utf8(std::string_view text);

/// Line and column (in characters) of a byte.
SourcePosition position_of_byte(std::string_view text, std::size_t offset, const std::string& file);

}  // namespace sobolev::detail
