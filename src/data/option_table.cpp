// SPDX-License-Identifier: Apache-2.0
#include "src/data/option_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <charconv>
#include <cmath>
#include <optional>

#include "sobolev/core/error.hpp"
#include "sobolev/core/words.hpp"

namespace sobolev::detail {
namespace {

template <class T>
std::optional<T> parsed(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return value;
}

/// Where all are numbers.
std::optional<std::vector<double>> parsed_list(std::string_view text) {
  std::vector<double> values;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const auto value = parsed<double>(text.substr(0, comma));
    if (!value || comma + 1 == text.size()) return {};
    values.push_back(*value);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return values;
}
}  // namespace

void OptionTable::number(const std::string& name, double& value, double low, double high,
                         const std::string& text, bool above) {
  const auto fits = [low, high, above](double v) { return v >= low && v <= high && !(above && v == low); };
  options_.push_back({name,
                      above ? fmt::format("a number above {}, up to {}", low, high)
                            : fmt::format("a number from {} to {}", low, high),
                      text, [&value] { return fmt::format("{}", value); },
                      [&value, fits](const std::string& given) {
                        const auto v = parsed<double>(given);
                        if (!v || !fits(*v)) return false;
                        value = *v;
                        return true;
                      },
                      [&value, fits] { return fits(value); }, [&value] { return Attribute(value); }});
}

void OptionTable::whole(const std::string& name, int& value, int low, int high, const std::string& text) {
  const auto fits = [low, high](int v) { return v >= low && v <= high; };
  options_.push_back({name, fmt::format("a whole number from {} to {}", low, high), text,
                      [&value] { return fmt::format("{}", value); },
                      [&value, fits](const std::string& given) {
                        const auto v = parsed<int>(given);
                        if (!v || !fits(*v)) return false;
                        value = *v;
                        return true;
                      },
                      [&value, fits] { return fits(value); }, [&value] { return Attribute(double(value)); }});
}

void OptionTable::truth(const std::string& name, bool& value, const std::string& text) {
  word<bool>(name, value, {{"true", true}, {"false", false}}, text);
  options_.back().attribute = [&value] { return Attribute(value ? 1.0 : 0.0); };
}

void OptionTable::numbers(const std::string& name, std::vector<double>& values, double low, double high,
                          const std::string& text) {
  const auto fits = [low, high](const std::vector<double>& v) {
    for (std::size_t i = 0; i < v.size(); ++i)
      if (!(v[i] >= low && v[i] <= high) || (i > 0 && !(v[i] > v[i - 1]))) return false;
    return true;
  };
  options_.push_back({name,
                      fmt::format("ascending numbers from {} to {}, as 0.25,0.5,1; or nothing", low, high),
                      text, [&values] { return fmt::format("{}", fmt::join(values, ",")); },
                      [&values, fits](const std::string& given) {
                        const auto v = parsed_list(given);
                        if (!v || !fits(*v)) return false;
                        values = *v;
                        return true;
                      },
                      [&values, fits] { return fits(values); }, [&values] { return Attribute(values); }});
}

void OptionTable::add_word(const std::string& name, const std::vector<std::string>& words,
                           const std::string& text, std::function<std::string()> get,
                           std::function<bool(const std::string&)> set) {
  options_.push_back({name, word_list(words), text, get, std::move(set), [get] { return !get().empty(); },
                      [get] { return Attribute(get()); }});
}

void OptionTable::assign(const std::string& assignment) {
  const std::size_t equals = assignment.find('=');
  require(equals != std::string::npos, fmt::format("--set {}: give key=value, as --set grid=64", assignment));
  const std::string key = assignment.substr(0, equals), value = assignment.substr(equals + 1);
  std::vector<std::string> names;
  for (Option& option : options_) {
    names.push_back(option.name);
    if (option.name != key) continue;
    require(option.set(value),
            fmt::format("{}: {} is \"{}\"; it must be {}", recipe_, key, value, option.range));
    return;
  }
  throw ArgumentError(fmt::format("{} has no option {}{}; it has {}", recipe_, key, suggestion(key, names),
                                  fmt::join(names, ", ")));
}

void OptionTable::check() const {
  for (const Option& option : options_)
    require(option.holds(),
            fmt::format("{}: {} is {}; it must be {}", recipe_, option.name, option.value(), option.range));
}

Attributes OptionTable::attributes() const {
  Attributes out;
  for (const Option& option : options_) out[option.name] = option.attribute();
  return out;
}

}  // namespace sobolev::detail
