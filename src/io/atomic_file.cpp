// SPDX-License-Identifier: Apache-2.0
#include "sobolev/io/atomic_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "sobolev/core/error.hpp"

namespace sobolev {
namespace {
[[noreturn]] void fail(const char* verb, const std::filesystem::path& path, int error) {
  throw FileError(fmt::format("cannot {} {}: {}", verb, path.string(), std::strerror(error)));
}

constexpr std::string_view temporary_begin = ".sobolev-", temporary_end = ".tmp";
constexpr std::size_t random_letters = 6;  // of mkstemp

/// A file of a temporary name, removed unless it was renamed. It is locked as long as it is open, which tells
/// remove_abandoned_files that somebody is writing it.
class TemporaryFile {
 public:
  /// Errors name `target`.
  TemporaryFile(const std::filesystem::path& folder, std::filesystem::path target)
      : target_(std::move(target)) {
    do {
      close();
      name_ =
          (folder / fmt::format("{}{}{}", temporary_begin, std::string(random_letters, 'X'), temporary_end))
              .string();
      descriptor_ = ::mkostemps(name_.data(), int(temporary_end.size()), O_CLOEXEC);
      if (descriptor_ < 0) {
        name_.clear();
        fail("write", target_, errno);
      }
      while (::flock(descriptor_, LOCK_EX) != 0 && errno == EINTR) {
      }
      // It may have been taken for an abandoned file before it was locked.
    } while (is_removed());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (!name_.empty()) ::unlink(name_.c_str());
    close();
  }

  /// Owner and mode of the file to be replaced; where there is none, a new file's.
  void set_permissions(const struct stat* old) {
    const mode_t mask = ::umask(0);
    ::umask(mask);
    constexpr mode_t permissions = 0777;
    if (old != nullptr && (old->st_uid != ::geteuid() || old->st_gid != ::getegid()) &&
        ::fchown(descriptor_, old->st_uid, old->st_gid) != 0) {
      // Another's file in a shared folder: it becomes ours, with the same mode.
    }
    if (::fchmod(descriptor_, old != nullptr ? old->st_mode & permissions : 0666 & ~mask) != 0)
      fail("write", target_, errno);
  }

  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written =
          ::write(descriptor_, bytes.data(), std::min<std::size_t>(bytes.size(), 1 << 30));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail("write", target_, errno);
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::fsync(descriptor_) != 0 && errno != EINVAL) fail("write", target_, errno);
  }

  void rename_to(const std::filesystem::path& file) {
    if (::rename(name_.c_str(), file.c_str()) != 0) fail("write", target_, errno);
    name_.clear();
  }

 private:
  bool is_removed() const {
    struct stat status {};
    return ::fstat(descriptor_, &status) == 0 && status.st_nlink == 0;
  }
  void close() {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
  }

  std::filesystem::path target_;
  std::string name_;
  int descriptor_ = -1;
};

/// What the path names once symbolic links of its last component are followed; it need not exist.
std::filesystem::path followed(const std::filesystem::path& path) {
  constexpr int most_links = 40;  // as the kernel's
  std::filesystem::path at = path;
  std::error_code status;
  for (int links = 0; std::filesystem::is_symlink(std::filesystem::symlink_status(at, status)); ++links) {
    if (links == most_links) fail("write", path, ELOOP);
    const std::filesystem::path next = std::filesystem::read_symlink(at, status);
    if (status) fail("write", path, status.value());
    at = next.is_absolute() ? next : at.parent_path() / next;
  }
  return at;
}

const char* kind_of(mode_t mode) {
  return S_ISFIFO(mode) ? "a pipe" : S_ISSOCK(mode) ? "a socket" : "a device";
}

bool is_temporary(const std::string& name) {
  return name.size() == temporary_begin.size() + random_letters + temporary_end.size() &&
         name.starts_with(temporary_begin) && name.ends_with(temporary_end);
}

/// So that the new name survives a crash too; folders that cannot be synced are left alone.
void sync_folder(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}
}  // namespace

std::filesystem::path check_replaceable(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return followed(path);
  if (S_ISDIR(status.st_mode)) fail("write", path, EISDIR);
  if (!S_ISREG(status.st_mode))
    throw FileError(fmt::format("cannot write {}: it is {}, not a file; give the name of a file",
                                path.string(), kind_of(status.st_mode)));
  if (::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) != 0) fail("write", path, errno);
  return followed(path);
}

void atomic_write(const std::filesystem::path& path, std::string_view bytes,
                  const std::function<void()>& before_rename) {
  const std::filesystem::path target = check_replaceable(path);
  const std::filesystem::path folder = target.has_parent_path() ? target.parent_path() : ".";
  struct stat old {};
  const bool exists = ::stat(target.c_str(), &old) == 0;
  TemporaryFile file(folder, path);
  file.set_permissions(exists ? &old : nullptr);
  file.write(bytes);
  if (before_rename) before_rename();
  file.rename_to(target);
  sync_folder(folder);
}

std::string read_file(const std::filesystem::path& path, std::size_t limit) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail("read", path, errno);
  std::string bytes;
  std::size_t size = 0;
  for (;;) {
    bytes.resize(std::max<std::size_t>(std::size_t{1} << 16, size * 2));
    const ssize_t got = ::read(descriptor, bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR) continue;
    const int error = errno;
    if (got <= 0) {
      ::close(descriptor);
      if (got < 0) fail("read", path, error);
      bytes.resize(size);
      return bytes;
    }
    size += static_cast<std::size_t>(got);
    if (size > limit) {
      ::close(descriptor);
      throw FileError(fmt::format("cannot read {}: it has more than {} bytes", path.string(), limit));
    }
  }
}

void require_writable(const std::filesystem::path& folder, std::size_t bytes) {
  std::error_code status;
  std::filesystem::create_directories(folder, status);
  if (status) fail("make the folder", folder, status.value());
  if (!std::filesystem::is_directory(folder, status)) fail("write to", folder, ENOTDIR);
  TemporaryFile(folder, folder).write(std::string(bytes, '.'));
}

void remove_abandoned_files(const std::filesystem::path& folder) {
  std::error_code status;
  for (std::filesystem::directory_iterator entry(folder, status), end; !status && entry != end;
       entry.increment(status)) {
    if (!is_temporary(entry->path().filename().string())) continue;
    const int descriptor = ::open(entry->path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor < 0) continue;
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) ::unlink(entry->path().c_str());
    ::close(descriptor);
  }
}

}  // namespace sobolev
