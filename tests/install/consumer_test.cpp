// SPDX-License-Identifier: Apache-2.0
// The library as others use it: installed and moved to another folder, static and shared, or as a folder of
// another project. What needs a second build takes its objects from ccache: their flags are those of this
// one.
#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/io/temporary_folder.hpp"

namespace sobolev {
namespace {
namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::read_text;
using testing::TemporaryFolder;
using testing::write_text;

std::string output;

/// Runs a shell command; what it printed is in `output`.
int shell(const std::string& command) {
  output.clear();
  FILE* pipe = popen(("unset SOBOLEV_PROBLEMS; " + command + " 2>&1 < /dev/null").c_str(), "r");
  if (pipe == nullptr) return -1;
  char buffer[4096];
  while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) output.append(buffer, n);
  return pclose(pipe);
}

std::string quoted(const fs::path& path) { return "'" + path.string() + "'"; }

int configure(const fs::path& source, const fs::path& build, const std::string& options) {
  return shell("cmake -S " + quoted(source) + " -B " + quoted(build) + " -G Ninja " + options);
}

/// The fenced block of README.md that follows `marker`.
std::string readme_block(const std::string& marker, const std::string& language) {
  const std::string text = read_text(SOBOLEV_SOURCE_DIR "/README.md"), fence = "```" + language + "\n";
  const std::size_t begin = text.find(fence, text.find(marker)) + fence.size();
  return text.substr(begin, text.find("```\n", begin) - begin);
}

/// Files of the package that name a folder that it was made in.
std::vector<std::string> files_with_paths(const fs::path& prefix, const std::vector<fs::path>& folders) {
  std::vector<std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(prefix)) {
    if (!entry.is_regular_file()) continue;
    const std::string text = read_text(entry.path());
    for (const fs::path& folder : folders)
      if (text.find(folder.string()) != std::string::npos)
        found.push_back(entry.path().string() + " names " + folder.string());
  }
  return found;
}

class Install : public ::testing::Test {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__)
    GTEST_SKIP() << "a sanitized library needs a sanitized program";
#endif
  }
  /// A second build would take minutes without the objects of this one.
  static bool objects_at_hand() { return SOBOLEV_OBJECTS_AT_HAND != 0; }
  static constexpr const char* no_objects =
      "without ccache and a release build this would compile for minutes";

  /// Installs a build, moves the package, and uses it.
  void install(const fs::path& build) {
    ASSERT_EQ(shell("cmake --install " + quoted(build) + " --prefix " + quoted(folder / "prefix")), 0)
        << output;
    fs::rename(folder / "prefix", moved());
    EXPECT_TRUE(fs::exists(moved() / "include/sobolev/problem/problem.hpp"));
    EXPECT_THAT(files_with_paths(moved() / "lib/cmake",
                                 {SOBOLEV_SOURCE_DIR, SOBOLEV_BINARY_DIR, folder / "prefix", build}),
                IsEmpty());
    EXPECT_EQ(shell("cd / && " + quoted(moved() / "bin/sobolev") + " list"), 0) << output;
    EXPECT_THAT(output, HasSubstr("allen_cahn"));
    EXPECT_EQ(shell(quoted(moved() / "bin/sobolev") + " check heat"), 0) << output;
  }

  void use_by_find_package() {
    ASSERT_EQ(configure(SOBOLEV_SOURCE_DIR "/tests/install/consumer", folder / "consumer", prefix_path()), 0)
        << output;
    build_and_run(folder / "consumer", moved() / "share/sobolev/problems");
  }

  void build_and_run(const fs::path& build, const fs::path& problems) {
    ASSERT_EQ(shell("cmake --build " + quoted(build)), 0) << output;
    EXPECT_EQ(shell("cd / && " + quoted(build / "consumer") + " " + quoted(folder.path())), 0) << output;
    EXPECT_THAT(output, HasSubstr("heat is " + (problems / "heat.toml").string()));
  }

  /// README.md's program in an empty folder, with the CMakeLists.txt given.
  void build_readme_program(const std::string& cmake_lists) {
    const fs::path source = folder / "readme";
    fs::create_directory(source);
    const std::string program = readme_block("<!-- from examples/01_heat.cpp", "cpp");
    ASSERT_THAT(program, HasSubstr("int main()"));
    write_text(source / "heat.cpp", program);
    write_text(source / "CMakeLists.txt", cmake_lists);
    ASSERT_EQ(configure(source, source / "build", prefix_path()), 0) << output;
    ASSERT_EQ(shell("cmake --build " + quoted(source / "build")), 0) << output;
    EXPECT_EQ(shell(quoted(source / "build/heat")), 0) << output;
    EXPECT_THAT(output, HasSubstr("relative L2 error below 1e-3"));
  }

  /// A folder for another build, beside this one: where a build stands counts for ccache.
  fs::path sibling(const std::string& suffix) {
    fs::remove_all(sibling_);
    return sibling_ = SOBOLEV_BINARY_DIR + suffix;
  }
  void TearDown() override {
    if (!sibling_.empty()) fs::remove_all(sibling_);
  }

  fs::path moved() const { return folder / "moved elsewhere"; }
  std::string prefix_path() const { return "-DCMAKE_PREFIX_PATH=" + quoted(moved()); }
  TemporaryFolder folder;

 private:
  fs::path sibling_;
};

const std::string cmake_of_readme = readme_block("here as `heat.cpp`", "cmake");

TEST_F(Install, TheStaticPackage) {
  install(SOBOLEV_BINARY_DIR);
  // The last three lines are enough: CMake warns of the missing project() and goes on.
  const std::size_t begin = cmake_of_readme.find("find_package");
  ASSERT_NE(begin, std::string::npos);
  build_readme_program(cmake_of_readme.substr(begin));
  use_by_find_package();
}

TEST_F(Install, TheSharedPackage) {
  if (!objects_at_hand()) GTEST_SKIP() << no_objects;
  const fs::path build = sibling("-shared");
  ASSERT_EQ(configure(SOBOLEV_SOURCE_DIR, build,
                      SOBOLEV_SAME_FLAGS " -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=ON "
                                         "-DSOBOLEV_BUILD_TESTS=OFF -DSOBOLEV_BUILD_BENCHMARKS=OFF"),
            0)
      << output;
  ASSERT_EQ(shell("cmake --build " + quoted(build)), 0) << output;
  install(build);
  EXPECT_TRUE(fs::exists(moved() / "lib/libsobolev.so"));
  build_readme_program(cmake_of_readme);
  use_by_find_package();
}

TEST_F(Install, AsAFolderOfAnotherProjectWithoutADevice) {
  if (!objects_at_hand()) GTEST_SKIP() << no_objects;
  const fs::path build = sibling("-parent");
  // No build type: that is the other project's affair. The flags are those of a release all the same.
  ASSERT_EQ(configure(SOBOLEV_SOURCE_DIR "/tests/install/parent", build,
                      "-DSOBOLEV_FOLDER='" SOBOLEV_SOURCE_DIR "' " SOBOLEV_SAME_FLAGS
                      " -DSOBOLEV_CUDA=OFF -DSOBOLEV_INSTALL=ON -DCMAKE_CXX_FLAGS='-O3 -DNDEBUG' "
                      "-DCMAKE_INSTALL_LIBDIR=lib"),
            0)
      << output;
  const std::string cache = read_text(build / "CMakeCache.txt");
  EXPECT_THAT(cache, HasSubstr("CMAKE_BUILD_TYPE:STRING=\n"));
  build_and_run(build, build / "share/sobolev/problems");

  // Its package asks for nothing of CUDA.
  ASSERT_EQ(shell("cmake --install " + quoted(build) + " --prefix " + quoted(folder / "prefix")), 0)
      << output;
  int files = 0;
  for (const auto& entry : fs::directory_iterator(folder / "prefix/lib/cmake/sobolev")) {
    EXPECT_NE(shell("grep -i -E 'cuda|boost' " + quoted(entry.path())), 0) << entry.path() << output;
    ++files;
  }
  EXPECT_GE(files, 3);
  EXPECT_THAT(files_with_paths(folder / "prefix", {SOBOLEV_SOURCE_DIR, build}), IsEmpty());

  ASSERT_EQ(shell("cmake -DBUILD_SHARED_LIBS=ON " + quoted(build)), 0) << output;
  build_and_run(build, build / "share/sobolev/problems");
}
}  // namespace
}  // namespace sobolev
