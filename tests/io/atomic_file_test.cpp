// SPDX-License-Identifier: Apache-2.0
#include "sobolev/io/atomic_file.hpp"

#include <gmock/gmock.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include "sobolev/core/error.hpp"
#include "tests/io/temporary_folder.hpp"

namespace sobolev {
namespace {
using ::testing::HasSubstr;
using testing::message_of;
using testing::read_text;
using testing::TemporaryFolder;
using testing::write_text;

TEST(AtomicFile, WritesAndReplacesWholeFiles) {
  const TemporaryFolder folder;
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{70000}, std::size_t{3} << 20}) {
    std::string bytes(size, '\0');
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 31 + i / 256);
    atomic_write(folder / "file", bytes);
    EXPECT_EQ(read_text(folder / "file"), bytes);
    EXPECT_EQ(read_file(folder / "file"), bytes);
  }
  EXPECT_EQ(folder.entries(), 1u);
}

TEST(AtomicFile, NewFilesFollowTheUmask) {
  const TemporaryFolder folder;
  const mode_t mask = ::umask(027);
  atomic_write(folder / "file", "x");
  ::umask(mask);
  EXPECT_EQ(std::filesystem::status(folder / "file").permissions(),
            static_cast<std::filesystem::perms>(0640));
}

TEST(AtomicFile, NamesThePathAndTheReason) {
  const TemporaryFolder folder;
  const auto missing = folder / "none/file";
  EXPECT_THAT(message_of<FileError>([&] { atomic_write(missing, "x"); }),
              AllOf(HasSubstr(missing.string()), HasSubstr("No such file or directory")));
  EXPECT_THAT(message_of<FileError>([&] { atomic_write(folder.path(), "x"); }), HasSubstr("Is a directory"));
  EXPECT_THAT(message_of<FileError>([&] { read_file(missing); }), HasSubstr(missing.string()));
  EXPECT_THAT(message_of<FileError>([&] { read_file(folder.path()); }), HasSubstr("Is a directory"));
  write_text(folder / "ten", "0123456789");
  EXPECT_EQ(read_file(folder / "ten", 10), "0123456789");
  EXPECT_THAT(message_of<FileError>([&] { read_file(folder / "ten", 9); }), HasSubstr("more than 9 bytes"));
}

/// A file-size limit makes write() fail in the middle, as a full disk does.
TEST(AtomicFile, AFailedWriteLeavesTheOldFileAndNothingElse) {
  const TemporaryFolder folder;
  atomic_write(folder / "file", "old");
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{1000, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string message =
      message_of<FileError>([&] { atomic_write(folder / "file", std::string(5000, 'x')); });
  const std::string early = message_of<FileError>([&] { require_writable(folder.path()); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_THAT(message, AllOf(HasSubstr((folder / "file").string()), HasSubstr("File too large")));
  EXPECT_THAT(early, HasSubstr("File too large"));
  EXPECT_EQ(read_text(folder / "file"), "old");
  EXPECT_EQ(folder.entries(), 1u);
}

TEST(AtomicFile, AFullDiskLeavesTheOldFileAndNothingElse) {
  const TemporaryFolder folder;
  if (::mount("none", folder.path().c_str(), "tmpfs", 0, "size=64k") != 0)
    GTEST_SKIP() << "mount is not permitted here";
  atomic_write(folder / "file", "old");
  const std::string message =
      message_of<FileError>([&] { atomic_write(folder / "file", std::string(1 << 20, 'x')); });
  const std::string early = message_of<FileError>([&] { require_writable(folder.path(), 1 << 20); });
  const std::string kept = read_text(folder / "file");
  const std::size_t entries = folder.entries();
  ::umount(folder.path().c_str());
  EXPECT_THAT(message, HasSubstr("No space left on device"));
  EXPECT_THAT(early, HasSubstr("No space left on device"));
  EXPECT_EQ(kept, "old");
  EXPECT_EQ(entries, 1u);
}

TEST(AtomicFile, RequireWritableMakesTheFolderAndLeavesItEmpty) {
  const TemporaryFolder folder;
  require_writable(folder / "a/b");
  EXPECT_TRUE(std::filesystem::is_empty(folder / "a/b"));
  write_text(folder / "file", "x");
  EXPECT_THAT(message_of<FileError>([&] { require_writable(folder / "file"); }),
              HasSubstr((folder / "file").string()));
  EXPECT_THAT(message_of<FileError>([&] { require_writable(folder / "file/below"); }),
              HasSubstr("Not a directory"));
  EXPECT_THAT(message_of<FileError>([&] { require_writable("/proc/none"); }), HasSubstr("/proc/none"));
}
}  // namespace
}  // namespace sobolev
