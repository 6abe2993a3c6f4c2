// SPDX-License-Identifier: Apache-2.0
#include "sobolev/io/folder_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "sobolev/core/error.hpp"

namespace sobolev {
namespace {
bool same_file(int descriptor, const std::filesystem::path& path) {
  struct stat held {
  }, named{};
  return ::fstat(descriptor, &held) == 0 && ::stat(path.c_str(), &named) == 0 &&
         held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}
}  // namespace

FolderLock::FolderLock(const std::filesystem::path& folder) : path_(folder / ".sobolev-lock") {
  for (;;) {
    const int descriptor = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (descriptor < 0) return;
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
      const bool taken = errno == EWOULDBLOCK;
      char text[32] = {};
      const ssize_t got = taken ? ::read(descriptor, text, sizeof text - 1) : 0;
      ::close(descriptor);
      if (!taken) return;
      throw FileError(
          fmt::format("{}: another run{} is writing here; wait for it, end it, or give another "
                      "folder with --out",
                      folder.string(), got > 0 ? fmt::format(" (process {})", text) : ""));
    }
    // Its last holder may have removed it between the two calls: then the lock is of a file without a name.
    if (!same_file(descriptor, path_)) {
      ::close(descriptor);
      continue;
    }
    const std::string number = std::to_string(::getpid());
    if (::ftruncate(descriptor, 0) != 0 ||
        ::write(descriptor, number.data(), number.size()) != ssize_t(number.size())) {
      // A full disk: the lock holds without the number.
    }
    descriptor_ = descriptor;
    return;
  }
}

FolderLock::~FolderLock() {
  if (descriptor_ < 0) return;
  ::unlink(path_.c_str());
  ::close(descriptor_);
}

}  // namespace sobolev
