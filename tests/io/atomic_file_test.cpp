// SPDX-License-Identifier: Apache-2.0
#include "sobolev/io/atomic_file.hpp"

#include <gmock/gmock.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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

TEST(AtomicFile, AFileThatWasThereKeepsItsPermissions) {
  const TemporaryFolder folder;
  for (const mode_t mode : {0600, 0664, 0755}) {
    write_text(folder / "file", "old");
    ASSERT_EQ(::chmod((folder / "file").c_str(), mode), 0);
    atomic_write(folder / "file", "new");
    EXPECT_EQ(read_text(folder / "file"), "new");
    EXPECT_EQ(std::filesystem::status(folder / "file").permissions(),
              static_cast<std::filesystem::perms>(mode));
  }
}

TEST(AtomicFile, AFileWithoutWritePermissionIsRefused) {
  const TemporaryFolder folder;
  write_text(folder / "file", "old");
  ASSERT_EQ(::chmod((folder / "file").c_str(), 0444), 0);
  ASSERT_EQ(::chmod(folder.path().c_str(), 0777), 0);
  constexpr uid_t nobody = 65534;
  const uid_t user = ::geteuid();
  // Root may write everything.
  ASSERT_EQ(user == 0 ? ::seteuid(nobody) : 0, 0);
  const std::string message = message_of<FileError>([&] { atomic_write(folder / "file", "x"); });
  ASSERT_EQ(::seteuid(user), 0);
  EXPECT_THAT(message, HasSubstr("Permission denied"));
  EXPECT_EQ(read_text(folder / "file"), "old");
}

TEST(AtomicFile, WritesThroughLinks) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "there/deep");
  std::filesystem::create_directories(folder / "here");
  write_text(folder / "there/file", "old");
  const auto link = [&](const std::string& target, const std::string& name) {
    std::filesystem::create_symlink(target, folder / name);
    return folder / name;
  };
  atomic_write(link("../there/file", "here/relative"), "1");
  EXPECT_EQ(read_text(folder / "there/file"), "1");
  atomic_write(link((folder / "there/file").string(), "here/absolute"), "2");
  EXPECT_EQ(read_text(folder / "there/file"), "2");
  atomic_write(link("relative", "here/twice"), "3");
  EXPECT_EQ(read_text(folder / "there/file"), "3");
  atomic_write(link("../there/deep/new", "here/dangling"), "4");
  EXPECT_EQ(read_text(folder / "there/deep/new"), "4");
  for (const char* name : {"relative", "absolute", "twice", "dangling"})
    EXPECT_TRUE(std::filesystem::is_symlink(folder / "here" / name)) << name;
  EXPECT_EQ(check_replaceable(folder / "here/twice"), folder / "here/../there/file");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder / "here"), {}), 4);

  const auto loop = link("loop", "loop");
  EXPECT_THAT(message_of<FileError>([&] { atomic_write(loop, "x"); }), HasSubstr("symbolic links"));
  const auto lost = link("none/file", "lost");
  EXPECT_THAT(message_of<FileError>([&] { atomic_write(lost, "x"); }), HasSubstr(lost.string()));
  EXPECT_TRUE(std::filesystem::is_symlink(lost));
}

TEST(AtomicFile, RefusesWhatIsNoFile) {
  const TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  std::filesystem::create_symlink("/dev/null", folder / "link");
  EXPECT_THAT(message_of<FileError>([&] { atomic_write(folder / "pipe", "x"); }),
              HasSubstr("pipe: it is a pipe, not a file"));
  EXPECT_THAT(message_of<FileError>([&] { atomic_write(folder / "link", "x"); }),
              HasSubstr("link: it is a device, not a file"));
  EXPECT_TRUE(std::filesystem::is_fifo(folder / "pipe"));
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
  EXPECT_EQ(folder.entries(), 2u);
}

TEST(AtomicFile, WhatStopsItBeforeTheRenameLeavesEverythingAsItWas) {
  const TemporaryFolder folder;
  atomic_write(folder / "file", "old");
  bool seen = false;
  EXPECT_THAT(message_of<FileError>([&] {
                atomic_write(folder / "file", "new", [&] {
                  seen = read_text(folder / "file") == "old" && folder.entries() == 2;
                  throw FileError("stopped");
                });
              }),
              HasSubstr("stopped"));
  EXPECT_TRUE(seen) << "the new file stands beside the old one by then";
  EXPECT_EQ(read_text(folder / "file"), "old");
  EXPECT_EQ(folder.entries(), 1u);
}

/// A child is killed in the middle of a write; another is still writing.
TEST(AtomicFile, OnlyAbandonedTemporaryFilesAreRemoved) {
  const TemporaryFolder folder;
  const auto write_and_wait = [&] {
    int ready[2];
    if (::pipe(ready) != 0) throw std::runtime_error("pipe failed");
    const pid_t child = ::fork();
    if (child == 0) {
      atomic_write(folder / "file", "x", [&] {
        if (::write(ready[1], "r", 1) == 1) ::pause();
      });
      ::_exit(0);
    }
    char byte = 0;
    EXPECT_EQ(::read(ready[0], &byte, 1), 1);
    ::close(ready[0]);
    ::close(ready[1]);
    return child;
  };
  const auto end = [](pid_t child) {
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  };
  end(write_and_wait());
  const pid_t alive = write_and_wait();
  for (const char* name :
       {".sobolev-mine.txt", ".sobolev-1234567.tmp", "x.sobolev-123456.tmp", "file.backup"})
    write_text(folder / name, "the user's");
  EXPECT_EQ(folder.entries(), 6u);
  remove_abandoned_files(folder.path());
  EXPECT_EQ(folder.entries(), 5u) << "the dead process's file is gone, nothing else";
  end(alive);
  remove_abandoned_files(folder.path());
  EXPECT_EQ(folder.entries(), 4u);
  remove_abandoned_files(folder / "none");
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
