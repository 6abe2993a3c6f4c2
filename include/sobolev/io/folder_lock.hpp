// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>

namespace sobolev {

/// Keeps a folder to one process: a locked file `.sobolev-lock` in it, removed at the end. The kernel
/// releases the lock of a process that dies. FileError when another process holds it, with that process's
/// number. Where the file system has no locks (or the file cannot be made) the folder stays unlocked.
class FolderLock {
 public:
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  /// False where locks are not to be had.
  bool held() const { return descriptor_ >= 0; }

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
};

}  // namespace sobolev
