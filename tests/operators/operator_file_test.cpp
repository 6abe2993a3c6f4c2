// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/io/temporary_folder.hpp"
#include "tests/operators/small_operators.hpp"

namespace sobolev {
namespace {
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::message_of;
using testing::small_deeponet;
using testing::small_model;
using testing::small_pino;

TEST(OperatorFile, SaysWhereAndWhatIsWrong) {
  const auto message = [](const std::string& override_) {
    return message_of<ParseError>([&] { small_model("x.npz", {override_}); });
  };
  EXPECT_THAT(message("model.widht=3"), AllOf(HasSubstr("no key widht"), HasSubstr("did you mean width")));
  EXPECT_THAT(message("modle.width=3"), HasSubstr("did you mean model"));
  EXPECT_THAT(message("model.modes=0"), HasSubstr("model.modes is 0"));
  EXPECT_THAT(message("model.frequencies=[[0, 3]]"), HasSubstr("either modes or frequencies"));
  EXPECT_THAT(message("model.frequencies=[[-1, 3]]"), HasSubstr("none below 0"));
  EXPECT_THAT(message("model.kind=\"unet\""), HasSubstr("fno"));
  EXPECT_THAT(message("training.learning_rate=-1"), HasSubstr("above 0"));
  EXPECT_THAT(message("data.inputs=\"u[3\""), HasSubstr("names no field"));
  EXPECT_THAT(message("training.schedule=\"linear\""), HasSubstr("one_cycle"));
  EXPECT_THAT(message("training.loss=\"l1\""), HasSubstr("h1_fourier"));
  EXPECT_THAT(message("training.pct_start=0"), HasSubstr("above 0 to 1"));
  EXPECT_THAT(message("training.unroll=2"), HasSubstr("data.rollout"));
  EXPECT_THAT(message("training.early_stop=3"), HasSubstr("data.validation"));
  EXPECT_THAT(message("data.rollout=true"), HasSubstr("outputs have times"));
  EXPECT_THAT(message("model.basis=3"), HasSubstr("model.basis is of models of the kind \"deeponet\""));
  const auto deeponet = [](const std::string& override_) {
    return message_of<ParseError>([&] { small_deeponet("x.npz", {override_}); });
  };
  EXPECT_THAT(deeponet("model.width=3"), AllOf(HasSubstr("\"fno\""), HasSubstr("this one is \"deeponet\"")));
  EXPECT_THAT(message("model.boundary=\"zero\""), HasSubstr("of the kind \"mgno\""));
  EXPECT_THAT(message("model.smoothing=3"), HasSubstr("smoothing steps from the finest level on"));
  EXPECT_THAT(message("model.smoothing=[1, [1, 2, 3]]"),
              HasSubstr("smoothing steps from the finest level on"));
  EXPECT_THAT(message("model.smoothing=[0, 1]"), HasSubstr("needs a step before"));
  EXPECT_THAT(message("model.smoothing=[1, 17]"), HasSubstr("17 steps"));
  EXPECT_THAT(deeponet("model.branch=3"), HasSubstr("list of hidden channels"));
  EXPECT_THAT(deeponet("model.trunk=[8, 0]"), HasSubstr("model.trunk has 0"));
  EXPECT_THAT(deeponet("model.activation=\"relu\""), HasSubstr("tanh"));
  EXPECT_THAT(deeponet("data.stride=2"), HasSubstr("data.stride"));
  EXPECT_THAT(deeponet("data.rollout=true"), HasSubstr("a deeponet does not"));
  EXPECT_THAT(deeponet("training.loss=\"h1\""), HasSubstr("on a grid"));
  const auto physics = [](const std::string& override_) {
    return message_of<ParseError>([&] { small_pino("x.npz", {override_}); });
  };
  EXPECT_THAT(physics("physics.equations.decay=\"u_t = -rite*u\""), HasSubstr("rite"));
  EXPECT_THAT(physics("physics.equations.decay=\"rate = 1\""), HasSubstr("no equation of u"));
  EXPECT_THAT(physics("physics.coordinates.t=[1, 0]"), HasSubstr("not behind its begin"));
  EXPECT_THAT(physics("physics.periodic=[\"y\"]"), HasSubstr("use t or x"));
  EXPECT_THAT(physics("physics.order=3"), HasSubstr("2 or 4"));
  EXPECT_THAT(physics("physics.weight=-1"), HasSubstr("0 or above"));
  EXPECT_THAT(physics("physics.wieght=1"), HasSubstr("did you mean weight"));
  EXPECT_THAT(physics("data.outputs=\"u[0:2]\""), HasSubstr("as channels"));
  EXPECT_THAT(
      message_of<ParseError>([] { OperatorFile::from_string("[model]\nkind = \"fno\"\n", "m.toml"); }),
      AllOf(HasSubstr("m.toml"), HasSubstr("modes")));
}

TEST(OperatorFile, ShipsModelsThatAreRead) {
  EXPECT_GE(shipped_models().size(), 4u);
  for (const auto& [name, path] : shipped_models()) {
    const OperatorFile file = OperatorFile::from_file(find_model(name));
    EXPECT_EQ(path, find_model(name));
    EXPECT_EQ(file.name, name);
    EXPECT_FALSE(file.title.empty());
    EXPECT_THAT(file.source, HasSubstr("# Source: "));
  }
  EXPECT_THAT(message_of<FileError>([] { find_model("fno_burger"); }), HasSubstr("did you mean fno_burgers"));
}
}  // namespace
}  // namespace sobolev
