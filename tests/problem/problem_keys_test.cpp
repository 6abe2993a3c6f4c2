// SPDX-License-Identifier: Apache-2.0
// The table of keys against the reader: what the table says of a key is walked, so that a new key is covered.
#include "src/problem/problem_keys.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>
#include <set>

#include "sobolev/problem/problem.hpp"
#include "src/io/toml_document.hpp"
#include "src/problem/defaults.hpp"
#include "tests/io/temporary_folder.hpp"

namespace sobolev {
namespace {
using detail::KeyRange;
using detail::KeyType;
using detail::problem_keys;
using detail::ProblemKey;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::message_of;

/// No value is the example of its key.
const std::string heat = R"toml(unknowns = ["u"]

[coordinates]
t = [0, 2]
x = { range = [-2, 2] }

[constants]
nu = 0.1

[equations]
heat = "u_t = 2*u_xx"

[conditions]
initial = { where = "t = 1", equation = "u = sin(2*pi*x)" }

[[training.phase]]

[reference]
exact = { u = "x" }
)toml";

/// What a key needs beside it, by its path or that of a table it is in. A key without needs is not here.
const std::map<std::string, std::vector<std::string>> needs{
    {"constants.<constant>.initial", {"constants.nu={ initial = 3 }", "equations.heat=u_t = nu*u_xx"}},
    {"network.periodic_modes", {"coordinates.x.periodic=true"}},
    {"network.output_damping", {"network.output_start=least_squares"}},
    {"network.gaussians", {"network.kind=gaussian"}},
    {"network.gaussians.margin", {"network.gaussians.placement=lattice"}},
    {"network.shared_layers", {"network.u={ width = 8 }"}},
    {"lagrangian", {"lagrangian.velocity={ x = \"1\" }"}},
    {"training.products", {"training.precision=float32"}},
    {"training.points.grid.<coordinate>", {"training.points.grid={ t = 9, x = 9 }"}},
    {"training.points.dense.N", {"training.points.dense=[{ x = 0, width = 0.2, fraction = 0.2 }]"}},
    {"reference.solver", {"coordinates.x.periodic=true", "conditions.initial.where=t = 0"}},
    {"reference.grid.<coordinate>", {"reference.grid={ t = 9, x = 9 }"}},
};

/// The path with the names of the problem above.
std::string path_in_heat(std::string_view pattern) {
  std::string out(pattern);
  for (const auto& [placeholder, name] :
       {std::pair{"<unknown>", "u"}, std::pair{"<coordinate>", "x"}, std::pair{"<constant>", "nu"},
        std::pair{"<equation>", "heat"}, std::pair{"<condition>", "initial"}, std::pair{".N", ".0"}})
    if (const std::size_t at = out.find(placeholder); at != std::string::npos)
      out.replace(at, std::string_view(placeholder).size(), name);
  return out;
}

/// The overrides that make room for a key: of all tables it is in, outer ones first.
std::vector<std::string> room_for(const ProblemKey& key) {
  std::vector<std::string> out;
  for (std::size_t end = 0; end != std::string_view::npos;) {
    end = key.path.find('.', end + 1);
    const std::string_view part = key.path.substr(0, end);
    const ProblemKey* entry = detail::find_key(part);
    if (entry != nullptr && !entry->allowed.optimizer.empty())
      out.push_back(fmt::format("training.phase.0.optimizer={}", entry->allowed.optimizer));
    const bool option = part.starts_with("network.") || part.starts_with("training.");
    if (entry != nullptr && entry != &key && entry->type == KeyType::table && option)
      out.push_back(path_in_heat(part) + "={}");
    if (const auto found = needs.find(std::string(part)); found != needs.end())
      out.insert(out.end(), found->second.begin(), found->second.end());
  }
  return out;
}

Problem heat_without(const ProblemKey& key) { return Problem::from_string(heat, "heat.toml", room_for(key)); }

Problem heat_with(const ProblemKey& key, std::string_view value) {
  std::vector<std::string> overrides = room_for(key);
  overrides.push_back(fmt::format("{}={}", path_in_heat(key.path), value));
  return Problem::from_string(heat, "heat.toml", overrides);
}

std::string message_with(const ProblemKey& key, std::string_view value) {
  return message_of<ParseError>([&] { heat_with(key, value); });
}

bool is_number(const ProblemKey& key) {
  return key.type == KeyType::whole_number || key.type == KeyType::number || key.type == KeyType::numbers;
}

TEST(ProblemKeys, TheTableIsWhole) {
  std::set<std::string_view> paths;
  for (const ProblemKey& key : problem_keys()) {
    SCOPED_TRACE(key.path);
    EXPECT_TRUE(paths.insert(key.path).second) << "twice";
    std::string_view table = key.table();
    if (table.ends_with(".N")) table.remove_suffix(2);
    EXPECT_TRUE(table.empty() || paths.count(table) == 1) << "the table stands above its keys";
    EXPECT_FALSE(key.standard.empty() || key.example.empty() || key.text.empty());
    const bool or_word = key.path == "training.windows";
    EXPECT_EQ(key.type == KeyType::choice || or_word, !key.allowed.words.empty());
    EXPECT_TRUE(is_number(key) || key.allowed.range == KeyRange{});
    EXPECT_EQ(key.text.find('|'), std::string_view::npos) << "ends a column of a Markdown table";
  }
}

// Read, and not only accepted: it makes another problem.
TEST(ProblemKeys, EveryExampleIsRead) {
  for (const ProblemKey& key : problem_keys()) {
    SCOPED_TRACE(key.path);
    EXPECT_NO_THROW(heat_with(key, key.example)) << message_with(key, key.example);
    if (key.path == "unknowns") continue;  // there is one to give
    EXPECT_FALSE(heat_with(key, key.example) == heat_without(key)) << "as without it: " << key.example;
  }
}

TEST(ProblemKeys, ValuesOfAnotherTypeAreRefused) {
  for (const ProblemKey& key : problem_keys())
    EXPECT_THAT(message_with(key, "1979-05-27"),
                AllOf(HasSubstr(path_in_heat(key.path)), HasSubstr("expected "), HasSubstr("1979-05-27")));
}

/// The nearest values that are outside.
std::vector<double> just_outside(const ProblemKey& key) {
  const KeyRange& range = key.allowed.range;
  const bool whole = key.type == KeyType::whole_number;
  std::vector<double> out;
  if (std::isfinite(range.low))
    out.push_back(range.not_zero ? 0 : whole ? range.low - 1 : std::nextafter(range.low, -INFINITY));
  if (std::isfinite(range.high)) out.push_back(whole ? range.high + 1 : std::nextafter(range.high, INFINITY));
  return out;
}

TEST(ProblemKeys, NumbersJustOutsideOfTheirRangeAreRefused) {
  int count = 0;
  for (const ProblemKey& key : problem_keys())
    for (const double value : just_outside(key)) {
      const std::string message = message_with(key, fmt::format("{}", value)), path = path_in_heat(key.path);
      EXPECT_THAT(message, AllOf(HasSubstr(path + " is "), HasSubstr(detail::range_text(key))));
      EXPECT_EQ(message.find(" out for ") == std::string::npos, key.required()) << message;
      ++count;
    }
  EXPECT_GE(count, 60);
}

TEST(ProblemKeys, TheEndsOfARangeAreInIt) {
  for (const ProblemKey& key : problem_keys()) {
    const KeyRange& range = key.allowed.range;
    for (const double end : {range.low, range.high}) {
      const bool allowed = std::isfinite(end) && (end != 0 || !range.not_zero);
      EXPECT_EQ(range.contains(end), allowed) << key.path;
    }
    EXPECT_FALSE(range.contains(NAN)) << key.path;
  }
}

TEST(ProblemKeys, OtherWordsThanThoseOfAChoiceAreRefused) {
  for (const ProblemKey& key : problem_keys()) {
    const std::string path = path_in_heat(key.path);
    for (const char* word : key.allowed.words)
      EXPECT_THAT(message_with(key, "\"nonesuch\""),
                  AllOf(HasSubstr(path + " is \"nonesuch\"; use "), HasSubstr(word)));
  }
}

TEST(ProblemKeys, UnknownKeysOfATableAreRefusedWithItsKeys) {
  for (const ProblemKey& key : problem_keys()) {
    if (key.type != KeyType::table || key.path == "coordinates" || key.path == "constants" ||
        key.path == "equations" || key.path == "conditions")
      continue;  // where the names are the user's
    EXPECT_THAT(message_with(key, "{ zzzzzzzz = 1 }"),
                HasSubstr(fmt::format("unknown key zzzzzzzz in {}; the keys are ", path_in_heat(key.path))));
  }
}

TEST(ProblemKeys, OptionsOfOneOptimizerAreRefusedBesideAnother) {
  for (const ProblemKey& key : problem_keys()) {
    if (key.allowed.optimizer.empty()) continue;
    for (const char* optimizer : detail::find_key("training.phase.N.optimizer")->allowed.words) {
      if (optimizer == key.allowed.optimizer) continue;
      EXPECT_THAT(
          message_of<ParseError>([&] {
            Problem::from_string(heat, "heat.toml",
                                 {fmt::format("training.phase.0.optimizer={}", optimizer),
                                  fmt::format("{}={}", path_in_heat(key.path), key.example)});
          }),
          HasSubstr(fmt::format("{} is an option of {}", path_in_heat(key.path), key.allowed.optimizer)));
    }
  }
}

/// Whether the default is a value, in TOML, and not words.
bool is_value(std::string_view standard) {
  try {
    detail::parse_toml(fmt::format("value = {}", standard), "default");
    return true;
  } catch (const ParseError&) {
    return false;
  }
}

// With the default written out the problem is the same as without it.
TEST(ProblemKeys, DefaultsAreThoseOfTheLibrary) {
  int count = 0;
  for (const ProblemKey& key : problem_keys()) {
    if (!is_value(key.standard)) continue;
    SCOPED_TRACE(key.path);
    const Problem with = detail::with_defaults(heat_with(key, key.standard));
    const Problem without = detail::with_defaults(heat_without(key));
    EXPECT_TRUE(with == without) << with.to_toml() << "\n" << without.to_toml();
    ++count;
  }
  EXPECT_GE(count, 25);
}

TEST(ProblemKeys, SaysWhereAKeyBelongs) {
  EXPECT_EQ(detail::elsewhere("learning_rate", "training"), "; learning_rate is a key of [[training.phase]]");
  EXPECT_EQ(detail::elsewhere("title", "network"),
            "; title is a key of the top level, above the first [table]");
  EXPECT_EQ(detail::elsewhere("iterations", "training"),
            "; iterations is a key of [training.stop], [[training.phase]] or [training.phase.stall]");
  EXPECT_EQ(detail::elsewhere("slices", "training.causal"), "") << "it is there";
  EXPECT_EQ(detail::elsewhere("nonesuch", ""), "");
}
}  // namespace
}  // namespace sobolev
