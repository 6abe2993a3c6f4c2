// SPDX-License-Identifier: Apache-2.0
#pragma once
// Files that take their name when they are whole.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

struct stat;

namespace sobolev::detail {

/// FileError "cannot write PATH: No space left on device".
[[noreturn]] void fail_to(const char* verb, const std::filesystem::path& path, int error);

/// A file of a temporary name, removed unless it was renamed. It is locked as long as it is open, which tells
/// remove_abandoned_files that somebody is writing it.
class TemporaryFile {
 public:
  /// Errors name `target`.
  TemporaryFile(const std::filesystem::path& folder, std::filesystem::path target);
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile();

  /// Owner and mode of the file to be replaced; where there is none, a new file's.
  void set_permissions(const struct stat* old);
  void write(std::uint64_t at, std::string_view bytes);
  /// What was not written up to here is zero.
  void resize(std::uint64_t size);
  /// What was written; FileError when it is not there.
  std::string read(std::uint64_t at, std::size_t size) const;
  void sync();
  void rename_to(const std::filesystem::path& file);

 private:
  bool is_removed() const;
  void close();

  std::filesystem::path target_;
  std::string name_;
  int descriptor_ = -1;
};

/// Whether a file of this name is one.
bool is_temporary(const std::string& name);

/// The file that atomic_write writes, written by parts. Without finish() everything is as it was.
class AtomicFile : public TemporaryFile {
 public:
  explicit AtomicFile(const std::filesystem::path& path);
  void finish(const std::function<void()>& before_rename);

 private:
  AtomicFile(const std::filesystem::path& path, const std::filesystem::path& target);
  std::filesystem::path place_;
};

}  // namespace sobolev::detail
