// SPDX-License-Identifier: Apache-2.0
// What messages and the reference page say of the table of keys.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "sobolev/core/words.hpp"
#include "src/problem/problem_keys.hpp"

namespace sobolev::detail {
namespace {
bool ends_in_index(std::string_view pattern) { return pattern.ends_with(".N"); }
bool is_placeholder(std::string_view name) { return name.starts_with('<'); }

std::string joined(std::string_view table, std::string_view key) {
  return table.empty() ? std::string(key) : fmt::format("{}.{}", table, key);
}

std::string number_text(const ProblemKey& key, double value) {
  return key.type == KeyType::whole_number && std::isfinite(value) ? fmt::format("{:.0f}", value)
                                                                   : fmt::format("{}", value);
}

/// What else than a number of the range is possible.
std::string without_text(const ProblemKey& key, std::string_view range) {
  if (key.required()) return "";
  return fmt::format(", or {} out for {}", range.starts_with("give") ? "leave it" : "left",
                     key.standard == "no limit" ? "no limit" : "the default");
}

/// As it stands in a file, where the tables of a list's items have no index: [training.phase.stall].
std::string table_text(std::string_view table) {
  if (table.empty()) return "the top level, above the first [table]";
  std::string name(table);
  if (const std::size_t index = name.find(".N"); index != std::string::npos) name.erase(index, 2);
  return ends_in_index(table) ? fmt::format("[[{}]]", name) : fmt::format("[{}]", name);
}

std::string number_type(const ProblemKey& key) {
  const std::string kind = key.type == KeyType::whole_number ? "whole number" : "number";
  const KeyRange& range = key.allowed.range;
  if (std::isfinite(range.high))
    return range.not_zero
               ? fmt::format("{} in (0, {}]", kind, range.high)
               : fmt::format("{} {} … {}", kind, number_text(key, range.low), number_text(key, range.high));
  if (!std::isfinite(range.low)) return kind;
  return range.not_zero ? "positive " + kind : fmt::format("{} ≥ {}", kind, range.low);
}

}  // namespace

bool KeyRange::contains(double value) const {
  return std::isfinite(value) && (not_zero ? value > low : value >= low) && value <= high;
}

std::string_view ProblemKey::name() const { return path.substr(path.rfind('.') + 1); }

std::string_view ProblemKey::table() const {
  const std::size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : path.substr(0, dot);
}

const ProblemKey* find_key(std::string_view path) {
  const auto keys = problem_keys();
  const auto found =
      std::find_if(keys.begin(), keys.end(), [&](const ProblemKey& key) { return key.path == path; });
  return found == keys.end() ? nullptr : &*found;
}

std::vector<const ProblemKey*> keys_of(std::string_view table) {
  std::vector<const ProblemKey*> out;
  for (const ProblemKey& key : problem_keys())
    if (key.table() == table) out.push_back(&key);
  return out;
}

bool exclude_each_other(std::string_view table, std::string_view key, std::string_view other) {
  const auto is_alternative = [&](std::string_view name) {
    const ProblemKey* found = find_key(joined(table, name));
    return found != nullptr && found->allowed.alternative;
  };
  return key != other && is_alternative(key) && is_alternative(other);
}

KeyPath KeyPath::operator/(std::string_view key) const {
  KeyPath out;
  out.text_ = joined(text_, key);
  out.pattern_ = joined(pattern_, key);
  return out;
}

KeyPath KeyPath::named(std::string_view name) const {
  std::string_view placeholder = "N";
  for (const ProblemKey& key : problem_keys())
    if (key.table() == pattern_ && is_placeholder(key.name())) placeholder = key.name();
  KeyPath out;
  out.text_ = joined(text_, name);
  out.pattern_ = joined(pattern_, placeholder);
  return out;
}

const ProblemKey& KeyPath::key() const {
  std::string_view pattern = pattern_;
  if (ends_in_index(pattern)) pattern.remove_suffix(2);
  const ProblemKey* found = find_key(pattern);
  if (found == nullptr) throw std::logic_error(fmt::format("{} is not in the table of keys", pattern_));
  return *found;
}

std::string example_of(const KeyPath& path) {
  const ProblemKey& key = path.key();
  std::string_view example = key.example;
  if (ends_in_index(path.pattern())) return std::string(example.substr(1, example.size() - 2));
  if (key.type != KeyType::table || !key.table().empty()) return std::string(example);
  return fmt::format("[{}] with {}", key.path, example.substr(2, example.size() - 4));
}

std::vector<std::string> words_of(const ProblemKey& key) {
  return {key.allowed.words.begin(), key.allowed.words.end()};
}

std::string range_text(const ProblemKey& key) {
  const KeyRange& range = key.allowed.range;
  if (std::isfinite(range.high))
    return fmt::format("it must be from {} to {}{}", number_text(key, range.low),
                       number_text(key, range.high), range.not_zero ? ", but not 0" : "");
  if (!std::isfinite(range.low)) return "give a finite number";
  if (range.not_zero) return "give a positive number";
  return fmt::format("give at least {}", range.low);
}

std::optional<std::string> wrong_number(const KeyPath& path, double value) {
  const ProblemKey& key = path.key();
  if (key.allowed.range.contains(value)) return {};
  const std::string range = range_text(key);
  return fmt::format("{} is {}; {}{}", path.text(), number_text(key, value), range, without_text(key, range));
}

std::string elsewhere(std::string_view name, std::string_view table) {
  std::vector<std::string> tables;
  for (const ProblemKey& key : problem_keys())
    if (key.name() == name && key.table() != table) tables.push_back(table_text(key.table()));
  return tables.empty() ? "" : fmt::format("; {} is a key of {}", name, word_list(tables));
}

std::string type_name(KeyType type) {
  switch (type) {
    case KeyType::boolean: return "boolean";
    case KeyType::whole_number: return "whole number";
    case KeyType::number: return "number";
    case KeyType::numbers: return "number or list of numbers";
    case KeyType::text: return "text";
    case KeyType::choice: return "choice";
    case KeyType::expression: return "expression";
    case KeyType::expressions: return "list of expressions";
    case KeyType::equation: return "equation";
    case KeyType::interval: return "interval";
    case KeyType::names: return "list of names";
    case KeyType::table: return "table";
    case KeyType::tables: return "list of tables";
  }
  return "";
}

std::string type_text(const ProblemKey& key) {
  std::string out = type_name(key.type);
  if (key.type == KeyType::choice) out = fmt::format("`\"{}\"`", fmt::join(key.allowed.words, "\"`, `\""));
  if (key.type == KeyType::interval) out = "`[low, high]`";
  if (key.type == KeyType::number || key.type == KeyType::whole_number) out = number_type(key);
  if (key.type == KeyType::whole_number && !key.allowed.words.empty())
    out += fmt::format(" or `\"{}\"`", fmt::join(key.allowed.words, "\"`, `\""));
  if (key.type == KeyType::numbers) out = number_type(key) + ", or a list";
  const bool alone = key.type == KeyType::table || key.type == KeyType::tables || keys_of(key.path).empty();
  return out + (alone ? "" : " or table");
}

}  // namespace sobolev::detail
