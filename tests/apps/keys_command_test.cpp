// SPDX-License-Identifier: Apache-2.0
// `keys`: the table of keys as text and JSON, and the reference page that is written from it.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "src/problem/problem_keys.hpp"
#include "tests/apps/run_command.hpp"
#include "tests/io/temporary_folder.hpp"

namespace sobolev {
namespace {
using nlohmann::json;
using ::testing::AllOf;
using testing::CommandResult;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::read_text;
using testing::run_command;
using ::testing::StartsWith;

std::string keys(const std::string& prefix) {
  const CommandResult result = run_command({"keys", prefix});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  return result.out;
}

TEST(Keys, AllOfThemWithTypeRangeAndDefault) {
  const CommandResult result = run_command({"keys"});
  EXPECT_EQ(result.exit_code, 0);
  for (const detail::ProblemKey& key : detail::problem_keys())
    EXPECT_THAT("\n" + result.out, HasSubstr("\n" + std::string(key.path) + " "));
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("whole number 1 … 4096; default: 24"), HasSubstr("list of names; required"),
                    HasSubstr("\"glorot\", \"siren\"; default: \"glorot\""),
                    HasSubstr("number in (0, 1]; default: 0.99")));
  EXPECT_THAT(result.out, Not(HasSubstr("`"))) << "Markdown";
  EXPECT_THAT(result.out, Not(HasSubstr("](")));
}

TEST(Keys, OfATableAKeyOrAName) {
  EXPECT_THAT(keys("training.stop"), AllOf(StartsWith("training.stop "), HasSubstr("\ntraining.stop.loss "),
                                           Not(HasSubstr("training.seed"))));
  EXPECT_THAT(keys("training.phase.0.decay.every"), StartsWith("training.phase.N.decay.every "));
  EXPECT_THAT(keys("network.pressure"), StartsWith("network.<unknown> ")) << "a name of the problem's";
  EXPECT_THAT(keys("network.width"), Not(HasSubstr("<unknown>")));
  EXPECT_THAT(keys("width"), AllOf(HasSubstr("network.width "), HasSubstr("training.points.dense.N.width ")));
}

TEST(Keys, ThatThereAreNotAreRefusedWithTheNearest) {
  for (const auto& [word, remedy] : {std::pair{"netwrk", "did you mean network?"},
                                     {"widht", "did you mean width?"},
                                     {"zzzzzzzz", "sobolev keys lists all"}}) {
    const CommandResult result = run_command({"keys", word});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.err, AllOf(HasSubstr(std::string("there is no key ") + word), HasSubstr(remedy)));
    EXPECT_THAT(result.out, IsEmpty());
  }
  EXPECT_EQ(run_command({"keys", "--json", "--markdown"}).exit_code, 2);
}

TEST(Keys, JsonHasOneShape) {
  const json object = json::parse(run_command({"keys", "--json"}).out);
  EXPECT_EQ(object["keys"].size(), detail::problem_keys().size());
  for (const json& key : object["keys"]) {
    EXPECT_EQ(key.size(), 11u) << key;
    EXPECT_EQ(key["required"].get<bool>(), key["default"].is_null()) << key;
    EXPECT_EQ(key["type"] == "choice" || key["key"] == "training.windows", !key["words"].empty()) << key;
  }
  const json width = json::parse(run_command({"keys", "network.width", "--json"}).out)["keys"][0];
  EXPECT_EQ(width["low"], 1);
  EXPECT_EQ(width["high"], 4096);
  EXPECT_EQ(width["default"], "24");
}

// A change of a table is a change of its page.
TEST(Keys, TheReferencePagesAreWrittenFromThem) {
  const std::string end = "<!-- end -->\n", begin = "<!-- keys: ";
  const auto count = [&](const std::string& text) {
    std::size_t n = 0;
    for (std::size_t at = text.find(begin); at != std::string::npos; at = text.find(begin, at + 1)) ++n;
    return n;
  };
  for (const bool models : {false, true}) {
    std::vector<std::string> words{"keys", "--markdown"};
    if (models) words.emplace_back("--models");
    const std::string out = run_command(words).out, name = models ? "operators.md" : "problem-files.md";
    const std::string page = read_text(SOBOLEV_SOURCE_DIR "/docs/" + name);
    EXPECT_EQ(count(page), count(out)) << "each table has its place in docs/" << name;
    for (std::size_t at = 0, next; at < out.size(); at = next) {
      next = out.find(end, at) + end.size();
      const std::string table = out.substr(at, next - at);
      EXPECT_NE(page.find(table), std::string::npos)
          << "docs/" << name << " differs from the table of keys; run ./dev keys --fix, which writes\n"
          << table;
    }
  }
}

TEST(Keys, OfModelFiles) {
  const CommandResult all = run_command({"keys", "--models"});
  EXPECT_EQ(all.exit_code, 0) << all.err;
  EXPECT_THAT(all.out, AllOf(HasSubstr("\nmodel.width "), HasSubstr("whole number 1 … 4096; default: 32"),
                             HasSubstr("number in (0, 1]; default: 0.2"), Not(HasSubstr("`"))));
  const json loss = json::parse(run_command({"keys", "loss", "--models", "--json"}).out)["keys"];
  ASSERT_EQ(loss.size(), 1u);
  EXPECT_EQ(loss[0]["key"], "training.loss");
  EXPECT_EQ(loss[0]["default"], "\"l2\"");
  EXPECT_EQ(json::parse(run_command({"keys", "data.file", "--models", "--json"}).out)["keys"][0]["default"],
            nullptr);
  const CommandResult none = run_command({"keys", "widht", "--models"});
  EXPECT_EQ(none.exit_code, 2);
  EXPECT_THAT(none.err, HasSubstr("did you mean width?"));
}
}  // namespace
}  // namespace sobolev
