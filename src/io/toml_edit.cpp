// SPDX-License-Identifier: Apache-2.0
// Overriding single keys of a TOML tree and writing the tree back as text.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "src/io/toml_document.hpp"
#include "src/io/toml_scan.hpp"

namespace sobolev::detail {
namespace {
constexpr std::size_t deepest_path = 16;

/// "--set key=value" for messages; the options may be long, and no text at all.
std::string option_text(const std::string& assignment) {
  constexpr std::size_t longest = 160;
  std::string shown =
      assignment.substr(0, std::min({invalid_utf8(assignment), assignment.find('\0'), longest}));
  shown.resize(invalid_utf8(shown));  // not in the middle of a character
  return "--set " + shown + (shown.size() < assignment.size() ? "…" : "");
}

std::vector<std::string> split_path(std::string_view path, const SourcePosition& position) {
  std::vector<std::string> parts;
  for (std::size_t at = 0;;) {
    const std::size_t dot = path.find('.', at);
    std::string part(path.substr(at, dot == std::string_view::npos ? dot : dot - at));
    while (!part.empty() && part.front() == ' ') part.erase(0, 1);
    while (!part.empty() && part.back() == ' ') part.pop_back();
    if (part.empty()) throw ParseError(position, "expected key.path=value, e.g. training.points.sobol=4096");
    parts.push_back(std::move(part));
    if (parts.size() > deepest_path)
      throw ParseError(position, fmt::format("a key of more than {} parts; keys have at most five, e.g. "
                                             "training.phase.0.decay.factor",
                                             deepest_path));
    if (dot == std::string_view::npos) return parts;
    at = dot + 1;
  }
}

void set_positions(TomlNode& node, const SourcePosition& position) {
  node.position = position;
  for (TomlNode& item : node.items) set_positions(item, position);
  for (TomlEntry& entry : node.entries) {
    entry.position = position;
    set_positions(entry.value, position);
  }
}

TomlNode parse_value(const std::string& text, const SourcePosition& position) {
  TomlNode node;
  try {
    const TomlDocument document = parse_toml("value = " + text, position.file);
    if (document.root.entries.size() != 1) throw ParseError(position, "expected one value, in TOML syntax");
    node = document.root.entries[0].value;
  } catch (const ParseError& error) {
    const std::size_t first = text.find_first_not_of(" \t");
    const bool quoted =
        first != std::string::npos && std::string_view("[{\"'").find(text[first]) != std::string_view::npos;
    if (quoted || text.find_first_of("\n\r") != std::string::npos)
      throw ParseError(position, error.message());
    node.kind = TomlNode::Kind::string;
    node.text = text;
  }
  set_positions(node, position);
  return node;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
          out += fmt::format("\\u{:04X}", static_cast<unsigned>(c));
        else
          out += c;
    }
  }
  return out + '"';
}

std::string key_text(const std::string& key) {
  const bool bare = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '-';
  });
  return bare ? key : quoted(key);
}

std::string value_text(const TomlNode& node) {
  using Kind = TomlNode::Kind;
  std::string out;
  switch (node.kind) {
    case Kind::string: return quoted(node.text);
    case Kind::integer: return fmt::format("{}", node.integer);
    case Kind::boolean: return node.boolean ? "true" : "false";
    case Kind::date: return node.text;
    case Kind::real:
      out = fmt::format("{}", node.real);
      if (std::isfinite(node.real) && out.find_first_of(".e") == std::string::npos) out += ".0";
      return out;
    case Kind::array:
      for (const TomlNode& item : node.items) out += (out.empty() ? "" : ", ") + value_text(item);
      return "[" + out + "]";
    case Kind::table:
      for (const TomlEntry& entry : node.entries)
        out += (out.empty() ? "" : ", ") + key_text(entry.key) + " = " + value_text(entry.value);
      return out.empty() ? "{}" : "{ " + out + " }";
  }
  return out;
}
}  // namespace

void apply_override(TomlDocument& document, const std::string& assignment, const Excludes& excludes) {
  const SourcePosition position{option_text(assignment), 0, 0};
  if (const std::size_t at = std::min(invalid_utf8(assignment), assignment.find('\0'));
      at < assignment.size())
    throw ParseError(position, fmt::format("byte {} is not text in UTF-8", at));
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0)
    throw ParseError(position, "expected key.path=value, e.g. training.points.sobol=4096");
  const std::vector<std::string> path = split_path(std::string_view(assignment).substr(0, equals), position);
  TomlNode value = parse_value(assignment.substr(equals + 1), position);

  TomlNode* node = &document.root;
  std::string parent;
  for (std::size_t p = 0; p < path.size(); ++p) {
    const std::string& key = path[p];
    if (node->kind == TomlNode::Kind::array) {
      const bool number = key.size() < 7 && key.find_first_not_of("0123456789") == std::string::npos;
      if (!number || std::stoul(key) >= node->items.size())
        throw ParseError(
            position, fmt::format("{} is a list of {}; give an index from 0 to {} in place of {}", parent,
                                  node->items.size(), node->items.empty() ? 0 : node->items.size() - 1, key));
      node = &node->items[std::stoul(key)];
    } else if (node->kind == TomlNode::Kind::table) {
      if (p + 1 == path.size())
        std::erase_if(node->entries, [&](const TomlEntry& e) { return excludes(parent, key, e.key); });
      auto found = std::find_if(node->entries.begin(), node->entries.end(),
                                [&](const TomlEntry& e) { return e.key == key; });
      if (found == node->entries.end()) {
        node->entries.push_back({key, position, {}});
        node->entries.back().value.position = position;
        found = node->entries.end() - 1;
      }
      if (p + 1 == path.size()) found->position = position;  // what is wrong with the entry is the option's
      node = &found->value;
    } else {
      throw ParseError(position, fmt::format("{} is {}, it has no keys", parent, describe(*node)));
    }
    parent += (parent.empty() ? "" : ".") + key;
  }
  *node = std::move(value);
}

std::string write_toml(const TomlNode& root) {
  std::string out;
  for (const TomlEntry& entry : root.entries)
    if (entry.value.kind != TomlNode::Kind::table)
      out += key_text(entry.key) + " = " + value_text(entry.value) + "\n";
  for (const TomlEntry& section : root.entries) {
    if (section.value.kind != TomlNode::Kind::table) continue;
    out += (out.empty() ? "[" : "\n[") + key_text(section.key) + "]\n";
    for (const TomlEntry& entry : section.value.entries)
      out += key_text(entry.key) + " = " + value_text(entry.value) + "\n";
  }
  return out;
}

std::string describe(const TomlNode& node) {
  switch (node.kind) {
    case TomlNode::Kind::table: return "a table";
    case TomlNode::Kind::array: return "a list";
    case TomlNode::Kind::string: {
      constexpr std::size_t longest = 60;
      if (node.text.size() <= longest) return "the text " + quoted(node.text);
      const std::string shown = node.text.substr(0, longest);
      return "the text " + quoted(shown.substr(0, invalid_utf8(shown)) + "...");
    }
    case TomlNode::Kind::date: return "the date " + node.text;
    default: return "the value " + value_text(node);
  }
}

}  // namespace sobolev::detail
