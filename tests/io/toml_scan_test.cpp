// SPDX-License-Identifier: Apache-2.0
// What is looked at before a text is parsed: encoding, strings, levels.
#include "src/io/toml_scan.hpp"

#include <gmock/gmock.h>

#include "src/io/toml_document.hpp"
#include "tests/io/temporary_folder.hpp"

namespace sobolev::detail {
namespace {
using ::testing::HasSubstr;
using testing::message_of;

TEST(Utf8, IsToldFromWhatIsNot) {
  for (const char* text :
       {"", "plain", "Wärme", "α ≤ β", "𝄞", "\xEF\xBF\xBF", "\xF4\x8F\xBF\xBF", "\xED\x9F\xBF"})
    EXPECT_EQ(invalid_utf8(text), std::string(text).size()) << text;
  struct Wrong {
    const char* bytes;
    std::size_t at;
  };
  for (const auto& [bytes, at] :
       {Wrong{"a\x80", 1}, Wrong{"\xC3", 0}, Wrong{"ab\xC3(", 2}, Wrong{"\xC0\xAF", 0},
        Wrong{"\xE0\x9F\xBF", 0}, Wrong{"x\xED\xA0\x80", 1}, Wrong{"\xF4\x90\x80\x80", 0},
        Wrong{"\xF0\x8F\xBF\xBF", 0}, Wrong{"\xF8\x88\x80\x80\x80", 0}, Wrong{"\xE2\x82", 0},
        Wrong{"\xFF\xFE", 0}})
    EXPECT_EQ(invalid_utf8(bytes), at);
}

TEST(TomlScan, PositionsCountCharacters) {
  const auto at = [](std::string_view text, std::size_t byte) {
    const SourcePosition p = position_of_byte(text, byte, "f");
    return std::pair(p.line, p.column);
  };
  const auto place = [](std::size_t line, std::size_t column) { return std::pair(line, column); };
  EXPECT_EQ(at("abc", 0), place(1, 1));
  EXPECT_EQ(at("abc\nbü = x", 7), place(2, 3));
  EXPECT_EQ(at("\xEF\xBB\xBF"
               "ab",
               4),
            place(1, 2))
      << "a byte order mark is no character";
}

TEST(TomlScan, LetsEveryKindOfTomlPass) {
  const std::string text = R"toml(a = "[[[ # ' \" \\" # [[[[ "
b = 'C:\' # '
c = """one " two "" [[[
three \""" four\\"""
d = '''x ' '' [[[ \'''
e = """"quoted""""
f = [ [1.5, 2.5], # ]]
  [3.5, { g.h = 4.5 }] ]
"k.l.m" = ""
n = ''
[o.p."q.r"]
s.t = 1979-05-27T07:32:00.999
[[u]]
v = {}
)toml";
  EXPECT_NO_THROW(scan_toml(text, "f"));
  EXPECT_NO_THROW(parse_toml(text, "f")) << "or the text is no TOML";
}

TEST(TomlScan, CountsTheLevelsOfHeadersKeysAndBracketsTogether) {
  const auto header = [](int levels) {
    std::string text = "[a";
    for (int i = 1; i < levels; ++i) text += ".a";
    return text + "]\n";
  };
  EXPECT_NO_THROW(scan_toml(header(32), "f"));
  EXPECT_THAT(message_of<ParseError>([&] { scan_toml(header(33), "f"); }), HasSubstr("more than 32 levels"));
  EXPECT_NO_THROW(scan_toml(header(20) + "b.b.b = [[[1]]]\nc = 1\n" + header(20) + "[d]\n", "f"));
  const std::string mixed = header(20) + "b.b.b.b.b.b.b.b = [[[{ c.c.c = 1 }]]]\n";
  EXPECT_THAT(message_of<ParseError>([&] { scan_toml(mixed, "f"); }), HasSubstr("f:2:"));
}
}  // namespace
}  // namespace sobolev::detail
