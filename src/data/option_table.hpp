// SPDX-License-Identifier: Apache-2.0
#pragma once
// The options of a recipe in one table: texts that set them, ranges that are checked, what a file notes of
// them.
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "sobolev/io/array_file.hpp"

namespace sobolev::detail {

class OptionTable {
 public:
  struct Option {
    std::string name, range, text;
    std::function<std::string()> value;           // as text
    std::function<bool(const std::string&)> set;  // false: it is no value of this kind, or out of range
    std::function<bool()> holds;                  // whether what there is is in range
    std::function<Attribute()> attribute;
  };

  explicit OptionTable(std::string recipe) : recipe_(std::move(recipe)) {}
  const std::string& recipe() const { return recipe_; }
  const std::vector<Option>& options() const { return options_; }

  /// From low to high, without low where it is `above`.
  void number(const std::string& name, double& value, double low, double high, const std::string& text,
              bool above = false);
  void whole(const std::string& name, int& value, int low, int high, const std::string& text);
  void truth(const std::string& name, bool& value, const std::string& text);
  /// Ascending, from low to high, separated by commas; none is allowed.
  void numbers(const std::string& name, std::vector<double>& values, double low, double high,
               const std::string& text);
  template <class Enum>
  void word(const std::string& name, Enum& value, const std::vector<std::pair<std::string, Enum>>& words,
            const std::string& text) {
    std::vector<std::string> names;
    for (const auto& word : words) names.push_back(word.first);
    add_word(
        name, names, text,
        [&value, words] {
          for (const auto& word : words)
            if (word.second == value) return word.first;
          return std::string();
        },
        [&value, words](const std::string& given) {
          for (const auto& word : words)
            if (word.first == given) {
              value = word.second;
              return true;
            }
          return false;
        });
  }

  /// "key=value". ArgumentError that names what there is.
  void assign(const std::string& assignment);
  /// ArgumentError for the first that is out of range.
  void check() const;
  Attributes attributes() const;

 private:
  void add_word(const std::string& name, const std::vector<std::string>& words, const std::string& text,
                std::function<std::string()> get, std::function<bool(const std::string&)> set);

  std::string recipe_;
  std::vector<Option> options_;
};

}  // namespace sobolev::detail
