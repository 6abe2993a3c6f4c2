// SPDX-License-Identifier: Apache-2.0
#pragma once
// Zip archives as NumPy writes them, of any size. Source: PKWARE APPNOTE 6.3, sections 4.3 to 4.5.
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace sobolev::detail {

struct ZipEntry {
  std::string name;
  std::uint16_t flags = 0, method = 0;
  std::uint32_t checksum = 0;
  std::uint64_t compressed = 0, size = 0, offset = 0;  // bytes in the file, unpacked; of the local header
};
constexpr std::uint16_t zip_stored = 0, zip_deflated = 8;

/// `size` bytes of an archive from `at`; asked for within its size only.
using ReadAt = std::function<std::string(std::uint64_t at, std::size_t size)>;
/// The members of an archive of `size` bytes in the order of its directory; `where` names it in errors.
std::vector<ZipEntry> zip_entries(const ReadAt& read, std::uint64_t size, const std::string& where);
/// Where the data of a member begin; they are within the archive, neither encrypted nor of another method
/// than stored or deflated, and when stored of one size.
std::uint64_t zip_data_at(const ZipEntry& entry, const ReadAt& read, std::uint64_t size,
                          const std::string& where);

/// What stands before the data of a stored member, the same number of bytes whatever checksum and offset;
/// what the archive ends with.
std::string zip_local_header(const ZipEntry& entry);
std::string zip_directory(const std::vector<ZipEntry>& entries, std::uint64_t directory_at);
/// As of zlib, for more than 4 GiB too.
std::uint32_t zip_checksum(std::uint32_t before, std::string_view bytes);
/// The same for that many bytes of zero, in O(log size).
std::uint32_t zip_checksum_of_zeros(std::uint32_t before, std::uint64_t size);

/// One member of a zip archive.
struct ZipMember {
  std::string name, bytes;
};
/// A zip archive in memory; `where` names it in errors.
class ZipArchive {
 public:
  ZipArchive(std::string_view archive, std::string where);
  std::size_t size() const { return entries_.size(); }
  const std::vector<ZipEntry>& entries() const { return entries_; }
  const std::string& name(std::size_t i) const { return entries_[i].name; }
  /// The bytes that member i unpacks to, as the directory says; read() holds it to that.
  std::uint64_t unpacked(std::size_t i) const { return entries_[i].size; }
  std::string read(std::size_t i) const;

 private:
  ReadAt reader() const;
  std::string_view archive_;
  std::string where_;
  std::vector<ZipEntry> entries_;
};
/// Members in the order of the central directory; stored or deflated.
std::vector<ZipMember> decode_zip(std::string_view archive, const std::string& where);
std::string encode_zip(const std::vector<ZipMember>& members);

}  // namespace sobolev::detail
