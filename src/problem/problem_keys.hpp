// SPDX-License-Identifier: Apache-2.0
#pragma once
// The keys of a problem file, in one table: the reader, the checks and their messages, `sobolev keys` and the
// tables of docs/problem-files.md come from it.
#include <array>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sobolev::detail {

enum class KeyType {
  boolean,
  whole_number,
  number,
  numbers,  // one or a list
  text,
  choice,
  expression,
  expressions,  // a list
  equation,
  interval,  // [low, high]
  names,     // a list
  table,
  tables,  // a list
};

/// What a number may be; finite in any case.
struct KeyRange {
  double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
  bool not_zero = false;  // low is 0, which is not allowed
  bool contains(double value) const;
  friend bool operator==(const KeyRange&, const KeyRange&) = default;
};

/// All that a value may be, besides its type.
struct AllowedValues {
  KeyRange range = {};                      // of a number, or of each in a list
  std::span<const char* const> words = {};  // of a choice, in the order of its enumeration
  std::string_view optimizer = {};          // of a phase: the only one that has this option
  bool alternative = false;                 // of those of a table one may be given

  constexpr AllowedValues() = default;
  constexpr AllowedValues(const KeyRange& r) : range(r) {}
  template <std::size_t n>
  constexpr AllowedValues(const std::array<const char*, n>& w) : words(w) {}
};

struct ProblemKey {
  /// "network.<unknown>.width": <…> stands for a name, N for an index from 0.
  std::string_view path;
  KeyType type;
  std::string_view standard;  // what holds without it: TOML, or words in Markdown; "required"
  std::string_view example;   // a value, in TOML
  std::string_view text;      // what it is, in Markdown
  AllowedValues allowed = {};

  bool required() const { return standard == "required"; }
  /// The last part of the path, and the path of the table that it is in ("" at the top level).
  std::string_view name() const;
  std::string_view table() const;
};

/// In the order of the reference page.
std::span<const ProblemKey> problem_keys();
/// The entry with exactly this path, or null.
const ProblemKey* find_key(std::string_view path);
/// The keys of the table with this path, in the order of the table.
std::vector<const ProblemKey*> keys_of(std::string_view table);

/// Whether both are alternatives of this table.
bool exclude_each_other(std::string_view table, std::string_view key, std::string_view other);

/// A key as a file has it, training.phase.0.iterations, and as the table of keys has it,
/// training.phase.N.iterations.
class KeyPath {
 public:
  KeyPath() = default;  // the top level
  KeyPath(const char* path) : text_(path), pattern_(path) {}
  /// A key of this table.
  KeyPath operator/(std::string_view key) const;
  /// What a name of the problem's or the user's stands for in this table; in a list, an index.
  KeyPath named(std::string_view name) const;
  KeyPath item(std::size_t index) const { return named(std::to_string(index)); }

  const std::string& text() const { return text_; }
  const std::string& pattern() const { return pattern_; }
  /// Its entry; for an item of a list that of the list.
  const ProblemKey& key() const;

 private:
  std::string text_, pattern_;
};

/// A value of the key for messages: TOML, or for a table of the top level "[network] with width = 24".
std::string example_of(const KeyPath& path);
/// The words of a choice.
std::vector<std::string> words_of(const ProblemKey& key);
/// The message about a number that the key may not have; empty where it may.
std::optional<std::string> wrong_number(const KeyPath& path, double value);
/// "; width is a key of [network]" where other tables than this one have a key of that name, else "".
std::string elsewhere(std::string_view name, std::string_view table);

/// "whole number", "choice", "list of tables".
std::string type_name(KeyType type);
/// The type with its range or words, in Markdown: "whole number 1 … 4096".
std::string type_text(const ProblemKey& key);
/// What messages say of the range: "it must be from 1 to 4096", "give a positive number".
std::string range_text(const ProblemKey& key);

}  // namespace sobolev::detail
