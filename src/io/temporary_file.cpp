// SPDX-License-Identifier: Apache-2.0
#include "src/io/temporary_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "sobolev/core/error.hpp"
#include "sobolev/io/atomic_file.hpp"

namespace sobolev::detail {
namespace {
constexpr std::string_view temporary_begin = ".sobolev-", temporary_end = ".tmp";
constexpr std::size_t random_letters = 6;  // of mkstemp

std::filesystem::path folder_of(const std::filesystem::path& file) {
  return file.has_parent_path() ? file.parent_path() : ".";
}

/// So that the new name survives a crash too; folders that cannot be synced are left alone.
void sync_folder(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}
}  // namespace

void fail_to(const char* verb, const std::filesystem::path& path, int error) {
  throw FileError(fmt::format("cannot {} {}: {}", verb, path.string(), std::strerror(error)));
}

TemporaryFile::TemporaryFile(const std::filesystem::path& folder, std::filesystem::path target)
    : target_(std::move(target)) {
  do {
    close();
    name_ = (folder / fmt::format("{}{}{}", temporary_begin, std::string(random_letters, 'X'), temporary_end))
                .string();
    descriptor_ = ::mkostemps(name_.data(), int(temporary_end.size()), O_CLOEXEC);
    if (descriptor_ < 0) {
      name_.clear();
      fail_to("write", target_, errno);
    }
    while (::flock(descriptor_, LOCK_EX) != 0 && errno == EINTR) {
    }
    // It may have been taken for an abandoned file before it was locked.
  } while (is_removed());
}

TemporaryFile::~TemporaryFile() {
  if (!name_.empty()) ::unlink(name_.c_str());
  close();
}

void TemporaryFile::set_permissions(const struct stat* old) {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  constexpr mode_t permissions = 0777;
  if (old != nullptr && (old->st_uid != ::geteuid() || old->st_gid != ::getegid()) &&
      ::fchown(descriptor_, old->st_uid, old->st_gid) != 0) {
    // Another's file in a shared folder: it becomes ours, with the same mode.
  }
  if (::fchmod(descriptor_, old != nullptr ? old->st_mode & permissions : 0666 & ~mask) != 0)
    fail_to("write", target_, errno);
}

void TemporaryFile::write(std::uint64_t at, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(descriptor_, bytes.data(), std::min<std::size_t>(bytes.size(), 1 << 30),
                                     static_cast<off_t>(at));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail_to("write", target_, errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
    at += static_cast<std::uint64_t>(written);
  }
}

void TemporaryFile::resize(std::uint64_t size) {
  while (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0)
    if (errno != EINTR) fail_to("write", target_, errno);
}

std::string TemporaryFile::read(std::uint64_t at, std::size_t size) const {
  std::string bytes(size, '\0');
  for (std::size_t done = 0; done < size;) {
    const ssize_t got = ::pread(descriptor_, bytes.data() + done, std::min<std::size_t>(size - done, 1 << 30),
                                static_cast<off_t>(at + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) fail_to("write", target_, got < 0 ? errno : EIO);
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

void TemporaryFile::sync() {
  if (::fsync(descriptor_) != 0 && errno != EINVAL) fail_to("write", target_, errno);
}

void TemporaryFile::rename_to(const std::filesystem::path& file) {
  if (::rename(name_.c_str(), file.c_str()) != 0) fail_to("write", target_, errno);
  name_.clear();
  close();  // and its lock: others may read it
}

bool TemporaryFile::is_removed() const {
  struct stat status {};
  return ::fstat(descriptor_, &status) == 0 && status.st_nlink == 0;
}

void TemporaryFile::close() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

bool is_temporary(const std::string& name) {
  return name.size() == temporary_begin.size() + random_letters + temporary_end.size() &&
         name.starts_with(temporary_begin) && name.ends_with(temporary_end);
}

AtomicFile::AtomicFile(const std::filesystem::path& path) : AtomicFile(path, check_replaceable(path)) {}

AtomicFile::AtomicFile(const std::filesystem::path& path, const std::filesystem::path& target)
    : TemporaryFile(folder_of(target), path), place_(target) {
  struct stat old {};
  const bool exists = ::stat(place_.c_str(), &old) == 0;
  set_permissions(exists ? &old : nullptr);
}

void AtomicFile::finish(const std::function<void()>& before_rename) {
  sync();
  if (before_rename) before_rename();
  rename_to(place_);
  sync_folder(folder_of(place_));
}

}  // namespace sobolev::detail
