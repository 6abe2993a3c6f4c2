// SPDX-License-Identifier: Apache-2.0
// keys: the table of the keys of a problem file, for people, programs and the reference page.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "apps/sobolev/commands.hpp"
#include "apps/sobolev/console.hpp"
#include "sobolev/core/error.hpp"
#include "sobolev/core/words.hpp"
#include "src/operators/model_keys.hpp"
#include "src/problem/problem_keys.hpp"

namespace sobolev::app {
namespace {
using detail::KeyType;
using detail::ProblemKey;
using Json = nlohmann::ordered_json;
using Keys = std::vector<const ProblemKey*>;

/// Each has a table of its own on the reference page.
constexpr std::string_view sections[] = {
    "",
    "coordinates",
    "constants",
    "equations",
    "conditions",
    "network",
    "interfaces",
    "lagrangian",
    "training",
    "training.points",
    "training.causal",
    "training.stop",
    "training.phase",
    "reference",
};

/// The part up to the next dot, which is taken off.
std::string_view take_part(std::string_view& path) {
  const std::size_t dot = path.find('.');
  const std::string_view part = path.substr(0, dot);
  path.remove_prefix(dot == std::string_view::npos ? path.size() : dot + 1);
  return part;
}

/// Whether `name` may stand for <unknown> and the like, or for an index, after `before` ("network.").
bool stands_for(std::string_view name, std::string_view part, std::string_view before) {
  if (part == "N") return !name.empty() && name.find_first_not_of("0123456789") == std::string_view::npos;
  return part.starts_with('<') && detail::find_key(fmt::format("{}{}", before, name)) == nullptr;
}

/// Whether the key is the one that `prefix` names, or in that table.
bool is_under(const ProblemKey& key, std::string_view prefix) {
  std::string_view rest = key.path;
  while (!prefix.empty()) {
    const std::string_view before = key.path.substr(0, key.path.size() - rest.size());
    const std::string_view name = take_part(prefix), part = take_part(rest);
    if (name != part && !stands_for(name, part, before)) return false;
  }
  return true;
}

Keys selected(const std::string& prefix) {
  Keys by_path, by_name;
  std::vector<std::string> known;
  for (const ProblemKey& key : detail::problem_keys()) {
    if (is_under(key, prefix)) by_path.push_back(&key);
    if (key.name() == prefix) by_name.push_back(&key);
    known.emplace_back(key.path);
    known.emplace_back(key.name());
  }
  if (!by_path.empty()) return by_path;
  if (!by_name.empty()) return by_name;
  const std::string near = suggestion(prefix, known);
  throw ArgumentError(
      fmt::format("there is no key {}{}", prefix, near.empty() ? "; sobolev keys lists all" : near));
}

/// Markdown without marks: of a link its text.
std::string plain(std::string_view markdown) {
  std::string out;
  for (std::size_t at = 0; at < markdown.size(); ++at) {
    const std::size_t middle = markdown[at] == '[' ? markdown.find("](", at) : std::string_view::npos;
    if (markdown[at] == '`') continue;
    if (middle == std::string_view::npos || markdown.substr(at, middle - at).find(']') < middle - at) {
      out += markdown[at];
      continue;
    }
    out += markdown.substr(at + 1, middle - at - 1);
    at = markdown.find(')', middle);
  }
  return out;
}

/// Words and numbers as they are, a quoted text or a boolean as code.
std::string default_text(const ProblemKey& key) {
  const std::string_view value = key.standard;
  const bool code = value.starts_with('"') || value == "true" || value == "false";
  return code ? fmt::format("`{}`", value) : std::string(value);
}

/// After the optimiser that has it, and an example where a value has parts.
std::string description(const ProblemKey& key) {
  const bool parts = key.type == KeyType::table || key.type == KeyType::tables ||
                     key.type == KeyType::names || key.type == KeyType::expressions;
  const std::string_view optimizer = key.allowed.optimizer;
  return fmt::format("{}{}{}", optimizer.empty() ? "" : fmt::format("`{}` only: ", optimizer),
                     parts ? fmt::format("`{}`: ", key.example) : "", key.text);
}

/// Characters, not bytes.
std::size_t columns(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & '\xC0') != '\x80'; }));
}

/// The words of a text in lines of at most `width` characters, each but the first after `indent` blanks.
std::string wrapped(std::string_view text, std::size_t width, std::size_t indent) {
  std::string out;
  std::size_t used = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (used > 0 && used + 1 + columns(word) > width) {
      out += fmt::format("\n{:{}}", "", indent);
      used = 0;
    } else if (used > 0) {
      out += ' ';
      ++used;
    }
    out += word;
    used += columns(word);
  }
  return out;
}

void print_text(const Keys& keys) {
  constexpr std::size_t page = 110, least = 40;
  std::size_t widest = 0;
  for (const ProblemKey* key : keys) widest = std::max(widest, key->path.size());
  const std::size_t indent = widest + 2, width = std::max(page - std::min(indent, page), least);
  for (const ProblemKey* key : keys) {
    const std::string standard = key->required() ? "required" : "default: " + plain(default_text(*key));
    print("{:<{}}{}\n", key->path, indent, wrapped(plain(type_text(*key)) + "; " + standard, width, indent));
    print("{:<{}}{}\n", "", indent, wrapped(plain(description(*key)), width, indent));
  }
}

/// Null where there is none.
Json end_of_range(const ProblemKey& key, double end) {
  if (!std::isfinite(end)) return {};
  return key.type == KeyType::whole_number ? Json(static_cast<long long>(end)) : Json(end);
}

Json object_of(const ProblemKey& key) {
  const detail::AllowedValues& allowed = key.allowed;
  return {{"key", key.path},
          {"type", detail::type_name(key.type)},
          {"low", end_of_range(key, allowed.range.low)},
          {"high", end_of_range(key, allowed.range.high)},
          {"not_zero", allowed.range.not_zero},
          {"words", detail::words_of(key)},
          {"required", key.required()},
          {"default", key.required() ? Json() : Json(plain(key.standard))},
          {"example", key.example},
          {"optimizer", allowed.optimizer.empty() ? Json() : Json(allowed.optimizer)},
          {"description", plain(key.text)}};
}

void print_as_json(const Keys& keys) {
  Json objects = Json::array();
  for (const ProblemKey* key : keys) objects.push_back(object_of(*key));
  print_json({{"keys", objects}});
}

/// The innermost section that the key is in; its own table's row stands in the one around it.
std::string_view section_of(const ProblemKey& key) {
  std::string_view best;
  for (const std::string_view section : sections)
    if (section.size() > best.size() && key.path.starts_with(fmt::format("{}.", section))) best = section;
  return best;
}

/// The key as seen from its section: of a list, from an item.
std::string_view name_in_section(const ProblemKey& key, std::string_view section) {
  std::string_view name = key.path.substr(section.empty() ? 0 : section.size() + 1);
  if (name.starts_with("N.")) name.remove_prefix(2);
  return name;
}

void print_markdown(const Keys& keys) {
  for (const std::string_view section : sections) {
    std::string rows;
    for (const ProblemKey* key : keys)
      if (section_of(*key) == section)
        rows += fmt::format("| `{}` | {} | {} | {} |\n", name_in_section(*key, section), type_text(*key),
                            default_text(*key), description(*key));
    if (!rows.empty())
      print("<!-- keys: {} -->\n| key | type | default | |\n| --- | --- | --- | --- |\n{}<!-- end -->\n",
            section.empty() ? "top level" : section, rows);
  }
}

/// Those of model files.
int run_model_keys(const KeysCommand& command) {
  std::vector<detail::ModelKeyText> keys;
  std::vector<std::string> known{"model", "data", "training"};
  for (const detail::ModelKeyText& key : detail::model_key_texts()) {
    const std::string table = key.path.substr(0, key.path.find('.')),
                      name = key.path.substr(table.size() + 1);
    known.insert(known.end(), {key.path, name});
    if (command.prefix.empty() || command.prefix == key.path || command.prefix == table ||
        command.prefix == name)
      keys.push_back(key);
  }
  if (keys.empty())
    throw ArgumentError(
        fmt::format("model files have no key {}{}", command.prefix, suggestion(command.prefix, known)));
  if (command.json) {
    Json objects = Json::array();
    for (const detail::ModelKeyText& key : keys)
      objects.push_back({{"key", key.path},
                         {"type", plain(key.type)},
                         {"required", key.standard == "required"},
                         {"default", key.standard == "required" ? Json() : Json(plain(key.standard))},
                         {"description", plain(key.text)}});
    print_json({{"keys", objects}});
    return done;
  }
  if (command.markdown) {
    print("<!-- keys: model files -->\n| key | | default | |\n| --- | --- | --- | --- |\n");
    for (const detail::ModelKeyText& key : keys)
      print("| `{}` | {} | {} | {} |\n", key.path, key.type, key.standard, key.text);
    print("<!-- end -->\n");
    return done;
  }
  constexpr std::size_t width = 80;
  for (const detail::ModelKeyText& key : keys) {
    const std::string standard =
        key.standard == "required" ? key.standard : "default: " + plain(key.standard);
    print("{:<22}{}\n{:<22}{}\n", key.path, wrapped(plain(key.type) + "; " + standard, width, 22), "",
          wrapped(plain(key.text), width, 22));
  }
  return done;
}
}  // namespace

int run_keys(const KeysCommand& command) {
  if (command.models) return run_model_keys(command);
  const Keys keys = selected(command.prefix);
  if (command.json)
    print_as_json(keys);
  else if (command.markdown)
    print_markdown(keys);
  else
    print_text(keys);
  return done;
}

}  // namespace sobolev::app
