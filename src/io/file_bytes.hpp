// SPDX-License-Identifier: Apache-2.0
#pragma once
// Bytes of a file at hand by their place, and those that a part of it unpacks to.
#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <string>

namespace sobolev::detail {

/// A file that is open for reading. Errors name it.
class FileBytes {
 public:
  explicit FileBytes(std::filesystem::path path);
  ~FileBytes();
  FileBytes(const FileBytes&) = delete;
  FileBytes& operator=(const FileBytes&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// When it was opened.
  std::uint64_t size() const { return size_; }
  /// FileError unless the file has them all.
  void read(std::uint64_t at, char* to, std::size_t size) const;
  std::string read(std::uint64_t at, std::size_t size) const;

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

/// Packed data of zlib (RFC 1950, with its checksum) or bare ones (RFC 1951, deflate) within a file.
class Unpacking {
 public:
  enum class Kind { zlib, deflate };
  /// `where` names what is unpacked in errors.
  Unpacking(const FileBytes& file, std::uint64_t at, std::uint64_t packed, Kind kind, std::string where);
  ~Unpacking();
  Unpacking(const Unpacking&) = delete;
  Unpacking& operator=(const Unpacking&) = delete;

  /// The next `size` bytes; FileError when the data end before, or are damaged.
  void read(char* to, std::size_t size);
  void skip(std::uint64_t size);
  /// Appends the next `size` bytes; takes memory as they come and not as they are promised.
  void append(std::string& to, std::uint64_t size);
  /// FileError unless nothing follows and the data's own checksum holds.
  void end();

 private:
  [[noreturn]] void damaged() const;
  std::size_t some(char* to, std::size_t most);

  const FileBytes& file_;
  std::uint64_t at_, packed_;
  std::string where_, input_;
  z_stream stream_{};
  int status_ = Z_OK;
};

}  // namespace sobolev::detail
