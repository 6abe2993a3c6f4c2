// SPDX-License-Identifier: Apache-2.0
#include "src/io/lzf.hpp"

#include <gtest/gtest.h>

#include <random>

namespace sobolev::detail {
namespace {
std::string bytes(std::initializer_list<int> values) {
  std::string out;
  for (const int value : values) out += char(value);
  return out;
}

TEST(Lzf, LiteralsAndCopies) {
  EXPECT_EQ(unpack_lzf("", 0), "");
  EXPECT_EQ(unpack_lzf(bytes({2, 'a', 'b', 'c'}), 3), "abc");
  EXPECT_EQ(unpack_lzf(bytes({2, 'a', 'b', 'c', 1 << 5, 2}), 6), "abcabc");            // 3 bytes from 3 ago
  EXPECT_EQ(unpack_lzf(bytes({0, 'a', 4 << 5, 0}), 7), "aaaaaaa");                     // its own result
  EXPECT_EQ(unpack_lzf(bytes({0, 'a', 7 << 5, 10, 0}), 20), std::string(20, 'a'));     // 7 + 10 + 2 bytes
  EXPECT_EQ(unpack_lzf(bytes({0, 'a', 7 << 5, 255, 0}), 265), std::string(265, 'a'));  // the longest
}

TEST(Lzf, CopiesFromFarBack) {
  std::string packed, want;
  std::mt19937 random(1);
  for (int block = 0; block < 256; ++block) {  // 8192 bytes of literals
    packed += char(31);
    for (int i = 0; i < 32; ++i) {
      want += char(random());
      packed += want.back();
    }
  }
  packed += bytes({(1 << 5) | 31, 255});  // 3 bytes from 31 · 256 + 255 + 1 ago: the first ones
  want += want.substr(0, 3);
  EXPECT_EQ(unpack_lzf(packed, want.size()), want);
  EXPECT_EQ(unpack_lzf(packed, want.size() - 1), std::nullopt);
}

TEST(Lzf, WhatIsDamaged) {
  EXPECT_EQ(unpack_lzf(bytes({2, 'a', 'b'}), 9), std::nullopt);         // a literal is cut off
  EXPECT_EQ(unpack_lzf(bytes({0, 'a', 1 << 5}), 9), std::nullopt);      // a copy is
  EXPECT_EQ(unpack_lzf(bytes({0, 'a', 7 << 5}), 9), std::nullopt);      // the length of one is
  EXPECT_EQ(unpack_lzf(bytes({0, 'a', 7 << 5, 1}), 99), std::nullopt);  // the distance of a long one is
  EXPECT_EQ(unpack_lzf(bytes({0, 'a', 1 << 5, 1}), 9), std::nullopt);   // from before the beginning
  EXPECT_EQ(unpack_lzf(bytes({2, 'a', 'b', 'c'}), 2), std::nullopt);    // too long
  EXPECT_EQ(unpack_lzf(bytes({0, 'a', 1 << 5, 0}), 3), std::nullopt);
  std::mt19937 random(2);
  for (int i = 0; i < 20000; ++i) {
    std::string packed(random() % 40, '\0');
    for (char& c : packed) c = char(random());
    const auto out = unpack_lzf(packed, 500);
    if (out) {
      EXPECT_LE(out->size(), 500u);
    }
  }
}
}  // namespace
}  // namespace sobolev::detail
