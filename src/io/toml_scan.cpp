// SPDX-License-Identifier: Apache-2.0
#include "src/io/toml_scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace sobolev::detail {
namespace {
constexpr std::size_t deepest = 32;  // a problem file needs five

/// The length of the character that begins at `at`, or 0.
std::size_t character_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t k) {
    return at + k < text.size() ? static_cast<unsigned char>(text[at + k]) : 0u;
  };
  const auto continues = [&](std::size_t k, unsigned low = 0x80, unsigned high = 0xBF) {
    return byte(k) >= low && byte(k) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {  // neither overlong nor a surrogate
    const bool second = continues(1, first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF);
    return second && continues(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {  // neither overlong nor beyond U+10FFFF
    const bool second = continues(1, first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF);
    return second && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

/// Walks over the text outside of strings and comments and counts levels.
class Scanner {
 public:
  Scanner(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  void run() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
        continue;
      }
      if (c == '"' || c == '\'') {
        string();
        continue;
      }
      structure(c);
      ++at_;
    }
  }

 private:
  [[noreturn]] void fail(std::size_t at, const std::string& message) const {
    throw ParseError(position_of_byte(text_, at, file_), message);
  }

  /// From an opening quote past the closing one.
  void string() {
    const std::size_t open = at_;
    const char quote = text_[at_];
    const std::string three(3, quote);
    const bool multi_line = text_.substr(at_, 3) == three;
    for (at_ += multi_line ? 3 : 1; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '\\' && quote == '"') {
        ++at_;  // passes a quote, too
      } else if (c == '\n' && !multi_line) {
        break;
      } else if (c == quote && (!multi_line || text_.substr(at_, 3) == three)) {
        at_ += multi_line ? 3 : 1;
        while (multi_line && at_ < text_.size() && text_[at_] == quote)
          ++at_;  // quotes before the last three
        return;
      }
    }
    fail(open, multi_line
                   ? fmt::format("the text that begins here is not closed; end it with {}", three)
                   : fmt::format("the text that begins here is not closed on its line; end it with {}, "
                                 "or begin and end a text of several lines with {}",
                                 quote, three));
  }

  /// A level is a dot of a key or an open bracket; a header's hold until the next header.
  void structure(char c) {
    if (c == '\n' && open_.empty()) {
      dots_ = 0;
      line_begins_ = true;
      return;
    }
    if (c == ' ' || c == '\t' || c == '\r') return;
    if (c == '[' && line_begins_ && open_.empty()) {
      in_header_ = true;
      header_ = 1;
    } else if (in_header_) {
      if (c == '.') ++header_;
      if (c == ']') in_header_ = false;
    } else if (c == '[' || c == '{') {
      open_.push_back(dots_ + 1);
      levels_ += dots_ + 1;
      dots_ = 0;
    } else if (c == ']' || c == '}') {
      if (!open_.empty()) {
        levels_ -= open_.back();
        open_.pop_back();
      }
      dots_ = 0;
    } else if (c == '.') {
      ++dots_;
    } else if (c == ',') {
      dots_ = 0;
    }
    line_begins_ = false;
    if (header_ + levels_ + dots_ > deepest)
      fail(at_,
           fmt::format("tables, lists and dotted keys are nested more than {} levels deep; a problem file "
                       "needs five",
                       deepest));
  }

  std::string_view text_;
  const std::string& file_;
  std::size_t at_ = 0;
  std::size_t header_ = 0, levels_ = 0, dots_ = 0;
  std::vector<std::size_t> open_;  // levels that each open bracket added
  bool line_begins_ = true, in_header_ = false;
};
}  // namespace

std::size_t invalid_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length = character_length(text, at);
    if (length == 0) return at;
    at += length;
  }
  return at;
}

SourcePosition position_of_byte(std::string_view text, std::size_t offset, const std::string& file) {
  SourcePosition position{file, 1, 1};
  std::size_t at = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  for (; at < std::min(offset, text.size()); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte == '\n') {
      ++position.line;
      position.column = 1;
    } else if ((byte & 0xC0) != 0x80) {
      ++position.column;
    }
  }
  return position;
}

void scan_toml(std::string_view text, const std::string& file) {
  const std::size_t invalid = invalid_utf8(text), zero = text.find('\0');
  if (zero < invalid)
    throw ParseError(position_of_byte(text, zero, file),
                     fmt::format("byte {} of the file is zero; a problem file is a text", zero));
  if (invalid < text.size())
    throw ParseError(position_of_byte(text, invalid, file),
                     fmt::format("byte 0x{:02X} is not UTF-8; save the file as UTF-8",
                                 static_cast<unsigned char>(text[invalid])));
  Scanner(text, file).run();
}

}  // namespace sobolev::detail
