// SPDX-License-Identifier: Apache-2.0
// The progress line on terminals of several widths.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <regex>

#include "tests/apps/run_command.hpp"
#include "tests/io/temporary_folder.hpp"

namespace sobolev {
namespace {
using testing::CommandResult;
using ::testing::HasSubstr;
using testing::run_command;
using testing::TemporaryFolder;

/// What was drawn over one another on a terminal that wide.
std::vector<std::string> progress_lines(unsigned short columns) {
  const TemporaryFolder folder;
  testing::CommandOptions options;
  options.folder = folder.path();
  options.terminal_columns = columns;
  const CommandResult result =
      run_command({"solve", "heat", "--threads", "1", "--set", "training.stop={ seconds = 2 }", "--set",
                   "training.points={ sobol = 200, condition_points = 20 }", "--set",
                   "training.phase=[{ optimizer = \"adam\", iterations = 1000000 }]"},
                  options);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  std::vector<std::string> lines;
  for (std::size_t begin = result.err.find('\r'); begin != std::string::npos;) {
    const std::size_t end = result.err.find('\r', begin + 1);
    std::string line = result.err.substr(begin + 1, end == std::string::npos ? end : end - begin - 1);
    if (const std::size_t clear = line.find("\x1b[K"); clear != std::string::npos)
      lines.push_back(line.substr(0, clear));
    begin = end;
  }
  return lines;
}

/// Every part of the line is whole: no number is cut.
void expect_whole_parts(const std::string& line) {
  static const std::regex whole(
      R"((\[#*\.*\])|( *\d+ %)|(window \d+/\d+)|(iteration \d+)|((loss|error) \d\.\d\de[+-]\d\d))"
      R"(|([\d.]+( [kM])? points/s)|((about )?\d+(\.\d)? (s|min \d+ s|h \d+ min)( left)?))");
  static const std::regex gap(" {2,}");
  for (std::sregex_token_iterator part(line.begin(), line.end(), gap, -1), end; part != end; ++part)
    EXPECT_TRUE(part->length() == 0 || std::regex_match(part->str(), whole))
        << "\"" << part->str() << "\" in \"" << line << "\"";
}

TEST(Progress, FitsTheTerminal) {
  for (const unsigned short columns : {40, 80, 200}) {
    SCOPED_TRACE(columns);
    const std::vector<std::string> lines = progress_lines(columns);
    ASSERT_GE(lines.size(), 3u);
    for (const std::string& line : lines) {
      EXPECT_LT(line.size(), columns) << line;
      expect_whole_parts(line);
      EXPECT_THAT(line, HasSubstr("loss "));
    }
    EXPECT_THAT(lines.back(), HasSubstr("error "));
    const auto shown = [&](const char* text) { return lines.back().find(text) != std::string::npos; };
    EXPECT_EQ(shown("iteration "), columns >= 80);
    EXPECT_EQ(shown(" points/s"), columns >= 200);
  }
}

TEST(Progress, FitsWhateverTheWidth) {
  for (const unsigned short columns : {2, 12, 20})
    for (const std::string& line : progress_lines(columns)) {
      EXPECT_LT(line.size(), columns) << line;
      expect_whole_parts(line);
    }
}
}  // namespace
}  // namespace sobolev
