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
#include "src/io/temporary_file.hpp"

namespace sobolev {
using detail::fail_to;

namespace {
/// What the path names once symbolic links of its last component are followed; it need not exist.
std::filesystem::path followed(const std::filesystem::path& path) {
  constexpr int most_links = 40;  // as the kernel's
  std::filesystem::path at = path;
  std::error_code status;
  for (int links = 0; std::filesystem::is_symlink(std::filesystem::symlink_status(at, status)); ++links) {
    if (links == most_links) fail_to("write", path, ELOOP);
    const std::filesystem::path next = std::filesystem::read_symlink(at, status);
    if (status) fail_to("write", path, status.value());
    at = next.is_absolute() ? next : at.parent_path() / next;
  }
  return at;
}

const char* kind_of(mode_t mode) {
  return S_ISFIFO(mode) ? "a pipe" : S_ISSOCK(mode) ? "a socket" : "a device";
}

}  // namespace

std::filesystem::path check_replaceable(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return followed(path);
  if (S_ISDIR(status.st_mode)) fail_to("write", path, EISDIR);
  if (!S_ISREG(status.st_mode))
    throw FileError(fmt::format("cannot write {}: it is {}, not a file; give the name of a file",
                                path.string(), kind_of(status.st_mode)));
  if (::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) != 0) fail_to("write", path, errno);
  return followed(path);
}

void atomic_write(const std::filesystem::path& path, std::string_view bytes,
                  const std::function<void()>& before_rename) {
  detail::AtomicFile file(path);
  file.write(0, bytes);
  file.finish(before_rename);
}

std::string read_file(const std::filesystem::path& path, std::size_t limit) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail_to("read", path, errno);
  std::string bytes;
  std::size_t size = 0;
  for (;;) {
    bytes.resize(std::max<std::size_t>(std::size_t{1} << 16, size * 2));
    const ssize_t got = ::read(descriptor, bytes.data() + size, bytes.size() - size);
    if (got < 0 && errno == EINTR) continue;
    const int error = errno;
    if (got <= 0) {
      ::close(descriptor);
      if (got < 0) fail_to("read", path, error);
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
  if (status) fail_to("make the folder", folder, status.value());
  if (!std::filesystem::is_directory(folder, status)) fail_to("write to", folder, ENOTDIR);
  detail::TemporaryFile file(folder, folder);
  file.write(0, std::string(bytes, '.'));
  file.sync();
}

void remove_abandoned_files(const std::filesystem::path& folder) {
  std::error_code status;
  for (std::filesystem::directory_iterator entry(folder, status), end; !status && entry != end;
       entry.increment(status)) {
    if (!detail::is_temporary(entry->path().filename().string())) continue;
    const int descriptor = ::open(entry->path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (descriptor < 0) continue;
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) ::unlink(entry->path().c_str());
    ::close(descriptor);
  }
}

}  // namespace sobolev
