// SPDX-License-Identifier: Apache-2.0
// ./dev run: the command runs where the caller stands, built in a folder of its own. cmake and dpkg-query are
// stand-ins here: what they would do is tested elsewhere.
#include <gmock/gmock.h>

#include <cstdlib>

#include "tests/io/temporary_folder.hpp"

namespace sobolev {
namespace {
namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing::read_text;
using testing::TemporaryFolder;
using testing::write_text;

void write_program(const fs::path& path, const std::string& text) {
  write_text(path, "#!/bin/sh\n" + text);
  fs::permissions(path, fs::perms::owner_all);
}

TEST(DevRun, TakesTheCallersPathsAndLeavesBuildReleaseAlone) {
  const TemporaryFolder folder;
  for (const char* name : {"tools", "repository", "here"}) fs::create_directory(folder / name);
  fs::copy_file(SOBOLEV_SOURCE_DIR "/dev", folder / "repository/dev");
  write_program(folder / "tools/dpkg-query", "echo 'install ok installed'\n");
  write_program(folder / "tools/cmake",
                "echo \"cmake $*\" >> '" + (folder / "log").string() +
                    "'\n"
                    "mkdir -p build/run/bin\n"
                    "printf '#!/bin/sh\\necho \"$PWD: $*\"\\n' > build/run/bin/sobolev\n"
                    "chmod +x build/run/bin/sobolev\n");
  const auto dev = [&](const std::string& arguments) {
    const std::string command = "cd '" + (folder / "here").string() + "' && PATH='" +
                                (folder / "tools").string() + "':$PATH ../repository/dev run " + arguments +
                                " > '" + (folder / "out").string() + "' 2> /dev/null < /dev/null";
    EXPECT_EQ(std::system(command.c_str()), 0);
    return read_text(folder / "out");
  };
  const std::string here = (folder / "here").string();
  EXPECT_EQ(dev("solve my.toml --out 'a run'"), here + ": solve my.toml --out a run\n");
  EXPECT_EQ(dev(""), here + ": solve allen_cahn\n");
  EXPECT_THAT(read_text(folder / "log"), HasSubstr("-B build/run"));
  EXPECT_FALSE(fs::exists(folder / "repository/build/release"));
}
}  // namespace
}  // namespace sobolev
