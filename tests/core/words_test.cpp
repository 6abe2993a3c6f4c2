// SPDX-License-Identifier: Apache-2.0
// Words in messages.
#include "sobolev/core/words.hpp"

#include <gtest/gtest.h>

namespace sobolev {
namespace {

TEST(NearestName, SuggestsOnlyWhatIsNear) {
  const std::vector<std::string> names{"learning_rate", "width", "depth", "x"};
  EXPECT_EQ(nearest_name("learning_rat", names), "learning_rate");
  EXPECT_EQ(nearest_name("lerning_rtae", names), "learning_rate");
  EXPECT_EQ(nearest_name("dept", names), "depth");
  EXPECT_EQ(nearest_name("y", names), "");
  EXPECT_EQ(nearest_name("optimizer", names), "");
  EXPECT_EQ(nearest_name("", names), "");
  EXPECT_EQ(nearest_name("a", {}), "");
}

TEST(WordList, EndsWithOr) {
  EXPECT_EQ(word_list({}), "");
  EXPECT_EQ(word_list({"a"}), "a");
  EXPECT_EQ(word_list({"a", "b", "c"}), "a, b or c");
  EXPECT_EQ(suggestion("wdith", {"width", "depth"}), "; did you mean width?");
  EXPECT_EQ(suggestion("colour", {"width", "depth"}), "");
}

}  // namespace
}  // namespace sobolev
