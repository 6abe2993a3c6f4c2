// SPDX-License-Identifier: Apache-2.0
// cmake --install into an empty folder, then a separate project finds the package there, builds and runs.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace {

namespace fs = std::filesystem;

std::string output;

/// Runs a shell command; what it printed is in `output`.
int shell(const std::string& command) {
  output.clear();
  FILE* pipe = popen((command + " 2>&1 < /dev/null").c_str(), "r");
  if (pipe == nullptr) return -1;
  char buffer[4096];
  while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, pipe)) output.append(buffer, n);
  return pclose(pipe);
}

TEST(Install, APackageThatAnotherProjectFindsAndUses) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "a sanitized library needs a sanitized consumer";
#endif
  const fs::path root = fs::temp_directory_path() / ("sobolev_install_" + std::to_string(getpid()));
  const std::string prefix = (root / "prefix").string(), build = (root / "build").string();
  ASSERT_EQ(shell("cmake --install '" SOBOLEV_BINARY_DIR "' --prefix '" + prefix + "'"), 0) << output;
  EXPECT_TRUE(fs::exists(prefix + "/include/sobolev/pinn/problem.hpp"));
  EXPECT_TRUE(fs::exists(prefix + "/share/sobolev/problems/allen_cahn.toml"));

  ASSERT_EQ(shell("cmake -S '" SOBOLEV_SOURCE_DIR "/tests/install/consumer' -B '" + build +
                  "' -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_PREFIX_PATH='" + prefix + "'"),
            0)
      << output;
  ASSERT_EQ(shell("cmake --build '" + build + "'"), 0) << output;
  EXPECT_EQ(shell("'" + build + "/consumer'"), 0) << output;
  EXPECT_EQ(shell("'" + prefix + "/bin/sobolev' list"), 0) << output;
  EXPECT_NE(output.find("allen_cahn"), std::string::npos) << output;
  fs::remove_all(root);
}

}  // namespace
