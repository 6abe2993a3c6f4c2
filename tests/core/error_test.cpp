// SPDX-License-Identifier: Apache-2.0
#include "sobolev/core/error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sobolev {
namespace {

TEST(Error, RequireThrowsItsMessage) {
  EXPECT_NO_THROW(require(true, "never"));
  try {
    require(false, "x is [64, 3]");
    FAIL() << "no exception";
  } catch (const ArgumentError& e) {
    EXPECT_STREQ(e.what(), "x is [64, 3]");
  }
}

TEST(Error, ParseErrorGivesThePlaceInTheUsualForm) {
  const ParseError e({"a.toml", 3, 14}, "unknown key");
  EXPECT_STREQ(e.what(), "a.toml:3:14: unknown key");
  EXPECT_EQ(e.message(), "unknown key");
  EXPECT_EQ(e.position().column, 14u);
}

TEST(Error, ParseErrorWithoutAFileOrLine) {
  EXPECT_STREQ(ParseError({}, "odd").what(), "<text>: odd");
  EXPECT_STREQ(ParseError({"a.toml", 0, 0}, "odd").what(), "a.toml: odd");
}

TEST(Error, EnsureNamesThePlace) {
  EXPECT_NO_THROW(ensure(true, "fine"));
  try {
    ensure(false, "two is three");
    FAIL() << "no exception";
  } catch (const Error& e) {
    EXPECT_THAT(e.what(),
                testing::AllOf(testing::HasSubstr("two is three"), testing::HasSubstr("error_test.cpp")));
  }
}

TEST(Error, EverythingIsAnError) {
  EXPECT_TRUE((std::is_base_of_v<Error, ParseError>));
  EXPECT_TRUE((std::is_base_of_v<Error, ArgumentError>));
  EXPECT_TRUE((std::is_base_of_v<Error, FileError>));
  EXPECT_TRUE((std::is_base_of_v<Error, OutOfMemory>));
  EXPECT_TRUE((std::is_base_of_v<Error, DeviceError>));
  EXPECT_TRUE((std::is_base_of_v<Error, DivergenceError>));
}

}  // namespace
}  // namespace sobolev
