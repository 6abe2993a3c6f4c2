// SPDX-License-Identifier: Apache-2.0
#include "sobolev/io/atomic_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
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

/// A file of a temporary name, removed unless it was renamed.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::filesystem::path& target)
      : target_(target), name_(target.string() + ".XXXXXX") {
    descriptor_ = ::mkstemp(name_.data());
    if (descriptor_ < 0) fail("write", target_, errno);
    const mode_t mask = ::umask(0);
    ::umask(mask);
    if (::fchmod(descriptor_, 0666 & ~mask) != 0) discard(errno);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!name_.empty()) ::unlink(name_.c_str());
  }

  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written =
          ::write(descriptor_, bytes.data(), std::min<std::size_t>(bytes.size(), 1 << 30));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) discard(errno);
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::fsync(descriptor_) != 0 && errno != EINVAL) discard(errno);
  }

  void rename_to_target() {
    const int descriptor = descriptor_;
    descriptor_ = -1;
    if (::close(descriptor) != 0) discard(errno);
    if (::rename(name_.c_str(), target_.c_str()) != 0) discard(errno);
    name_.clear();
  }

 private:
  [[noreturn]] void discard(int error) const { fail("write", target_, error); }

  std::filesystem::path target_;
  std::string name_;
  int descriptor_ = -1;
};

/// So that the new name survives a crash too; folders that cannot be synced are left alone.
void sync_folder(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY);
  if (descriptor < 0) return;
  ::fsync(descriptor);
  ::close(descriptor);
}
}  // namespace

void atomic_write(const std::filesystem::path& path, std::string_view bytes) {
  std::error_code status;
  if (std::filesystem::is_directory(path, status)) fail("write", path, EISDIR);
  TemporaryFile file(path);
  file.write(bytes);
  file.rename_to_target();
  sync_folder(path.parent_path());
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
  TemporaryFile(folder / ".writable").write(std::string(bytes, '.'));
}

}  // namespace sobolev
