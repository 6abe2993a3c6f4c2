// SPDX-License-Identifier: Apache-2.0
#include "sobolev/io/folder_lock.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <optional>

#include "sobolev/core/error.hpp"
#include "tests/io/temporary_folder.hpp"

namespace sobolev {
namespace {
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::message_of;
using testing::TemporaryFolder;

TEST(FolderLock, KeepsASecondOneOutUntilItIsReleased) {
  const TemporaryFolder folder;
  {
    const FolderLock lock(folder.path());
    EXPECT_TRUE(lock.held());
    EXPECT_THAT(message_of<FileError>([&] { const FolderLock second(folder.path()); }),
                AllOf(HasSubstr(folder.path().string()), HasSubstr(fmt::format("process {}", ::getpid()))));
    const TemporaryFolder other;
    EXPECT_TRUE(FolderLock(other.path()).held());
  }
  EXPECT_EQ(folder.entries(), 0u) << "nothing is left behind";
  EXPECT_TRUE(FolderLock(folder.path()).held());
}

TEST(FolderLock, IsReleasedWhenItsProcessDies) {
  const TemporaryFolder folder;
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const FolderLock lock(folder.path());
    if (::write(ready[1], "r", 1) == 1) ::pause();
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_THAT(message_of<FileError>([&] { const FolderLock second(folder.path()); }),
              HasSubstr(fmt::format("process {}", child)));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);
  EXPECT_EQ(folder.entries(), 1u) << "the dead process's file is taken over";
  EXPECT_TRUE(FolderLock(folder.path()).held());
}

TEST(FolderLock, WithoutAPlaceForItTheFolderStaysUnlocked) {
  EXPECT_FALSE(FolderLock("/proc").held());
  EXPECT_FALSE(FolderLock("/none").held());
}
}  // namespace
}  // namespace sobolev
