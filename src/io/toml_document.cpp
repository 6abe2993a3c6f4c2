// SPDX-License-Identifier: Apache-2.0
#include "src/io/toml_document.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <sstream>

#include "src/io/toml_scan.hpp"

namespace sobolev::detail {
namespace {
SourcePosition position_of(const toml::source_region& region, const std::string& file) {
  return {file, region.begin.line, region.begin.column};
}

bool before(const SourcePosition& a, const SourcePosition& b) {
  return a.line != b.line ? a.line < b.line : a.column < b.column;
}

template <class Value>
std::string written(const Value& value) {
  std::ostringstream out;
  out << value;
  return out.str();
}

TomlNode convert(const toml::node& source, const std::string& file) {
  TomlNode node;
  node.position = position_of(source.source(), file);
  if (const toml::table* table = source.as_table()) {
    for (const auto& [key, value] : *table)
      node.entries.push_back({std::string(key.str()), position_of(key.source(), file), convert(value, file)});
    std::stable_sort(node.entries.begin(), node.entries.end(),
                     [](const TomlEntry& a, const TomlEntry& b) { return before(a.position, b.position); });
  } else if (const toml::array* array = source.as_array()) {
    node.kind = TomlNode::Kind::array;
    for (const toml::node& item : *array) node.items.push_back(convert(item, file));
  } else if (const auto* string = source.as_string()) {
    node.kind = TomlNode::Kind::string;
    node.text = string->get();
  } else if (const auto* integer = source.as_integer()) {
    node.kind = TomlNode::Kind::integer;
    node.integer = integer->get();
    node.real = static_cast<double>(node.integer);
  } else if (const auto* real = source.as_floating_point()) {
    node.kind = TomlNode::Kind::real;
    node.real = real->get();
  } else if (const auto* boolean = source.as_boolean()) {
    node.kind = TomlNode::Kind::boolean;
    node.boolean = boolean->get();
  } else {
    node.kind = TomlNode::Kind::date;
    if (const auto* date = source.as_date()) node.text = written(date->get());
    if (const auto* time = source.as_time()) node.text = written(time->get());
    if (const auto* both = source.as_date_time()) node.text = written(both->get());
  }
  return node;
}

/// Walks a raw TOML string literal from its opening quote.
class LiteralWalker {
 public:
  LiteralWalker(std::string_view text, std::size_t at, SourcePosition position)
      : text_(text), at_(at), position_(std::move(position)) {
    quote_ = peek();
    multi_line_ = text_.substr(at_, 3) == std::string(3, quote_);
    advance(multi_line_ ? 3 : 1);
    if (multi_line_ && peek() == '\r') advance(1);
    if (multi_line_ && peek() == '\n') advance(1);
  }

  SourcePosition after(std::size_t decoded_bytes) {
    std::size_t decoded = 0;
    skip_continuations();
    while (decoded < decoded_bytes && at_ < text_.size()) {
      decoded += step();
      skip_continuations();
    }
    return position_;
  }

 private:
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  void advance(std::size_t bytes) {
    for (; bytes > 0 && at_ < text_.size(); --bytes, ++at_) {
      const auto byte = static_cast<unsigned char>(text_[at_]);
      if (byte == '\n') {
        ++position_.line;
        position_.column = 1;
      } else if ((byte & 0xC0) != 0x80) {  // columns count characters, not UTF-8 bytes
        ++position_.column;
      }
    }
  }

  /// A backslash at the end of a line swallows the white space that follows.
  void skip_continuations() {
    while (quote_ == '"' && multi_line_ && peek() == '\\' &&
           (peek(1) == '\n' || peek(1) == '\r' || peek(1) == ' ' || peek(1) == '\t')) {
      advance(1);
      while (peek() == '\n' || peek() == '\r' || peek() == ' ' || peek() == '\t') advance(1);
    }
  }

  /// Passes one character or escape; returns the bytes it decodes to.
  std::size_t step() {
    if (quote_ == '"' && peek() == '\\') {
      const std::size_t digits = peek(1) == 'u' ? 4 : peek(1) == 'U' ? 8 : 0;
      std::size_t bytes = 1;
      if (digits > 0) {
        const std::string hex(text_.substr(at_ + 2, digits));
        const unsigned long code = std::strtoul(hex.c_str(), nullptr, 16);
        bytes = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
      }
      advance(2 + digits);
      return bytes;
    }
    advance(1);
    return 1;
  }

  std::string_view text_;
  std::size_t at_;
  SourcePosition position_;
  char quote_ = '"';
  bool multi_line_ = false;
};
}  // namespace

const TomlNode* TomlNode::find(std::string_view key) const {
  for (const TomlEntry& entry : entries)
    if (entry.key == key) return &entry.value;
  return nullptr;
}

TomlDocument parse_toml(std::string_view text, const std::string& file) {
  scan_toml(text, file);
  TomlDocument document{file, std::string(text), {}};
  try {
    const toml::table table = toml::parse(std::string_view(document.text), std::string_view(file));
    document.root = convert(table, file);
  } catch (const toml::parse_error& error) {
    throw ParseError(position_of(error.source(), file), std::string(error.description()));
  }
  return document;
}

SourcePosition position_in_string(const TomlDocument& document, const TomlNode& string, std::size_t offset) {
  if (string.position.line == 0 || string.position.file != document.file) return string.position;
  const std::string_view text = document.text;
  std::size_t at = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  for (std::size_t line = 1; line < string.position.line && at < text.size(); ++at)
    if (text[at] == '\n') ++line;
  for (std::size_t column = 1; column < string.position.column && at < text.size(); ++column) {
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) ++at;
  }
  return LiteralWalker(text, at, string.position).after(offset);
}

}  // namespace sobolev::detail
