// SPDX-License-Identifier: Apache-2.0
// What `check` says: the weights that hold, jets after collapsing, a reference that cannot be had, and JSON
// of one shape.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <set>

#include "sobolev/io/npy.hpp"
#include "tests/apps/run_command.hpp"
#include "tests/io/temporary_folder.hpp"

namespace sobolev {
namespace {
using nlohmann::json;
using testing::CommandResult;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::run_command;
using testing::TemporaryFolder;
using testing::write_text;

json checked(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "check");
  arguments.push_back("--json");
  const CommandResult result = run_command(arguments);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  return json::parse(result.out);
}

const std::string unseen = SOBOLEV_SOURCE_DIR "/tests/pinn/unseen/";

/// Keys and kinds of value, into objects and the first item of lists; null counts as any kind.
void describe(const json& value, const std::string& path,
              std::map<std::string, std::set<std::string>>& kinds) {
  if (!value.is_null()) kinds[path].insert(value.is_number() ? "number" : value.type_name());
  if (value.is_object())
    for (const auto& [key, item] : value.items()) describe(item, path + "." + key, kinds);
  if (value.is_array())
    for (const json& item : value) describe(item, path + "[]", kinds);
}

TEST(Check, JsonHasOneShape) {
  std::map<std::string, std::set<std::string>> kinds;
  std::set<std::string> keys;
  for (const std::string& problem :
       {std::string("burgers"), std::string("heat"), std::string("kdv"), std::string("poisson_2d"),
        unseen + "rotating_pair.toml", unseen + "oscillator.toml", unseen + "heat_2d.toml"}) {
    const json object = checked({problem});
    std::set<std::string> here;
    for (const auto& [key, value] : object.items()) here.insert(key);
    if (keys.empty()) keys = here;
    EXPECT_EQ(here, keys) << problem;
    describe(object, "", kinds);
  }
  for (const auto& [path, found] : kinds)
    EXPECT_EQ(found.size(), 1u) << path
                                << " is of more than one kind: " << fmt::format("{}", fmt::join(found, ", "));
  EXPECT_EQ(kinds.at(".unknowns"), std::set<std::string>{"array"});
  EXPECT_EQ(kinds.at(".training.seed"), std::set<std::string>{"number"});
  EXPECT_EQ(kinds.at(".coordinates[].periodic"), std::set<std::string>{"boolean"});
  EXPECT_EQ(kinds.at(".training.stop.seconds"), std::set<std::string>{"number"});
  EXPECT_EQ(kinds.at(".conditions[].where[].value"), std::set<std::string>{"number"});
}

TEST(Check, JsonSaysWhatIsInTheFileAndWhatWasChosen) {
  const json object = checked({"heat", "--set", "training.seed=5", "--set", "network.width=12"});
  EXPECT_EQ(object["unknowns"], json::array({"u"}));
  EXPECT_EQ(object["coordinates"][0],
            json({{"name", "t"}, {"low", 0.0}, {"high", 1.0}, {"periodic", false}, {"time", true}}));
  EXPECT_EQ(object["constants"]["diffusivity"], 0.4);
  EXPECT_EQ(object["equations"][0]["text"], "u_t - diffusivity*u_xx = 0");
  EXPECT_EQ(object["equations"][0]["weight"], nullptr);
  EXPECT_EQ(object["training"]["seed"], 5);
  EXPECT_EQ(object["network"]["width"], 12);
  EXPECT_EQ(object["network"]["parameters"], 2 * 12 + 12 + 12 * 12 + 12 + 12 + 1);
  EXPECT_EQ(object["training"]["phases"][0]["optimizer"], "levenberg_marquardt");
  EXPECT_EQ(object["training"]["phases"][0]["iterations"], nullptr);
  EXPECT_EQ(object["training"]["phases"][0]["learning_rate"], nullptr);
}

/// u_xx + u_yy takes one channel beside the value and the two slopes.
TEST(Check, JetsAreCountedAfterCombinationsAreCollapsed) {
  EXPECT_EQ(checked({"poisson_2d"})["jet_channels"], 4);
  EXPECT_EQ(checked({"poisson_2d", "--set", "equations.poisson=u_xx*u_yy - 1"})["jet_channels"], 5);
  EXPECT_THAT(run_command({"check", "poisson_2d"}).out, HasSubstr("u_xx, u_yy (jets of 4 channels)"));
}

TEST(Check, SaysTheWeightsThatHold) {
  const std::string automatic = run_command({"check", "poisson_2d"}).out;
  EXPECT_THAT(automatic, HasSubstr("left at x = 0: u = 0, weight automatic"));
  EXPECT_THAT(automatic, HasSubstr("conditions count 10 times"));

  const std::string one = "conditions.left.weight=7";
  const std::string given = run_command({"check", "poisson_2d", "--set", one}).out;
  EXPECT_THAT(given, HasSubstr("left at x = 0: u = 0, weight 7\n"));
  EXPECT_THAT(given, HasSubstr("right at x = 1: u = 0, weight 100 (it has none, another condition has one)"));
  EXPECT_THAT(given, HasSubstr("equations 1, conditions without a weight 100"));
  const json object = checked({"poisson_2d", "--set", one});
  EXPECT_EQ(object["automatic_weights"], false);
  EXPECT_EQ(object["equations"][0]["weight"], 1.0);
  for (const json& condition : object["conditions"])
    EXPECT_EQ(condition["weight"], condition["name"] == "left" ? 7.0 : 100.0) << condition;
}

TEST(Check, SaysWhichConditionsHoldExactly) {
  const json heat = checked({"heat"})["conditions"];
  EXPECT_EQ(heat[0]["role"], "built_in");
  EXPECT_EQ(heat[1]["role"], "trained");
  const json burgers = checked({"burgers"})["conditions"];
  for (const json& condition : burgers) EXPECT_EQ(condition["role"], "kept_by_output") << condition;
  // At x = 1 the form has no say.
  const json half = checked({"poisson_2d", "--set", "network.output={ u = \"x*u\" }"})["conditions"];
  for (const json& condition : half)
    EXPECT_EQ(condition["role"], condition["name"] == "left" ? "kept_by_output" : "trained") << condition;
}

TEST(Check, AReferenceThatCannotBeHadIsAnErrorAtItsKeyOrOption) {
  const TemporaryFolder folder;
  const std::string missing = "reference={ file = \"" + (folder / "none.npz").string() + "\" }";
  const CommandResult option = run_command({"check", "heat", "--set", missing});
  EXPECT_EQ(option.exit_code, 2);
  EXPECT_THAT(option.err, HasSubstr("--set " + missing + ": "));
  EXPECT_THAT(option.err, HasSubstr("cannot read " + (folder / "none.npz").string()));

  write_text(folder / "p.toml",
             "unknowns = [\"u\"]\n[coordinates]\nx = [0, 1]\n[equations]\nline = \"u_xx = 0\"\n"
             "[conditions]\nleft = { where = \"x = 0\", equation = \"u = 0\" }\n"
             "right = { where = \"x = 1\", equation = \"u = 1\" }\n[reference]\nfile = \"p.npz\"\n");
  const CommandResult key = run_command({"check", (folder / "p.toml").string()});
  EXPECT_EQ(key.exit_code, 2);
  EXPECT_THAT(key.err, HasSubstr((folder / "p.toml").string() + ":10:"));
  write_npz(folder / "p.npz", {{"x", {{2}, {0, 1}}}, {"v", {{2}, {0, 1}}}});
  const CommandResult array = run_command({"check", (folder / "p.toml").string()});
  EXPECT_EQ(array.exit_code, 2);
  EXPECT_THAT(array.err, HasSubstr("has no array u"));
  write_npz(folder / "p.npz", {{"x", {{2}, {0, 1}}}, {"u", {{2}, {0, 1}}}});
  EXPECT_EQ(run_command({"check", (folder / "p.toml").string()}).exit_code, 0);

  const CommandResult solver = run_command({"check", "heat", "--set", "reference={ solver = \"etdrk4\" }",
                                            "--set", "equations.diffusion=u_t*u_t - u_xx"});
  EXPECT_EQ(solver.exit_code, 2);
  EXPECT_THAT(solver.err, HasSubstr("--set equations.diffusion=u_t*u_t - u_xx: etdrk4: "));
}

TEST(Check, SaysAtOnceWhatTrainingWouldRefuse) {
  const CommandResult result = run_command(
      {"check", "burgers", "--set", "training.windows=3", "--set", "network.output={ u = \"t*u^2\" }"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("--set network.output="));
  EXPECT_THAT(result.err, HasSubstr("with time windows it must have the form"));
}
}  // namespace
}  // namespace sobolev
