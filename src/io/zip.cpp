// SPDX-License-Identifier: Apache-2.0
// Zip archives as NumPy writes them. Source: PKWARE APPNOTE 6.3, sections 4.3 to 4.5.
#include "src/io/zip.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>

#include "sobolev/core/error.hpp"
#include "src/io/bytes.hpp"

namespace sobolev::detail {
namespace {
constexpr std::uint32_t local_signature = 0x04034b50, central_signature = 0x02014b50,
                        end_signature = 0x06054b50, end64_signature = 0x06064b50,
                        locator_signature = 0x07064b50;
constexpr std::size_t local_size = 30, central_size = 46, end_size = 22, end64_size = 56, locator_size = 20;
constexpr std::uint64_t in_extra_field = 0xFFFFFFFF;  // zip64: the number stands in the extra field
constexpr std::uint64_t in_end64 = 0xFFFF;            // zip64: the number of members stands in the other end
constexpr std::uint16_t zip64_tag = 1, utf8_names = 1 << 11, encrypted = 1;
constexpr std::uint16_t first_date =
    (0 << 9) | (1 << 5) | 1;  // 1980-01-01, so that equal arrays give equal bytes

[[noreturn]] void bad(const std::string& where, const std::string& what) {
  throw FileError(fmt::format("{} is not a whole .npz file: {}", where, what));
}

/// Inflates raw deflate data; grows with what is really there, not with what the header claims.
std::string inflate_bytes(std::string_view data, std::uint64_t size, const std::string& where) {
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw OutOfMemory("zlib: out of memory");
  std::string out;
  int status = Z_OK;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  std::size_t left = data.size();
  while (status == Z_OK && out.size() <= size) {
    constexpr std::size_t chunk = std::size_t{1} << 20;
    const std::size_t done = out.size();
    out.resize(done + chunk);
    const auto given = static_cast<uInt>(std::min<std::size_t>(left, std::size_t{1} << 30));
    stream.avail_in = given;
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + done);
    stream.avail_out = chunk;
    status = inflate(&stream, Z_NO_FLUSH);
    left -= given - stream.avail_in;
    out.resize(done + chunk - stream.avail_out);
    if (status == Z_OK && stream.avail_out == chunk && stream.avail_in == given) break;  // no progress
  }
  inflateEnd(&stream);
  if (status != Z_STREAM_END || out.size() != size) bad(where, "its compressed data are damaged");
  return out;
}

/// The entry at `at` of the central directory; `at` moves behind it.
ZipEntry entry_at(std::string_view directory, std::size_t& at, const std::string& where) {
  if (directory.size() - at < central_size || read_number<std::uint32_t>(directory, at) != central_signature)
    bad(where, "its directory is damaged");
  ZipEntry entry;
  entry.flags = read_number<std::uint16_t>(directory, at + 8);
  entry.method = read_number<std::uint16_t>(directory, at + 10);
  entry.checksum = read_number<std::uint32_t>(directory, at + 16);
  entry.compressed = read_number<std::uint32_t>(directory, at + 20);
  entry.size = read_number<std::uint32_t>(directory, at + 24);
  entry.offset = read_number<std::uint32_t>(directory, at + 42);
  const std::size_t name_size = read_number<std::uint16_t>(directory, at + 28);
  const std::size_t extra_size = read_number<std::uint16_t>(directory, at + 30);
  const std::size_t comment_size = read_number<std::uint16_t>(directory, at + 32);
  const std::size_t extra_at = at + central_size + name_size;
  const std::size_t next = extra_at + extra_size + comment_size;
  if (next > directory.size()) bad(where, "its directory is cut off");
  entry.name = directory.substr(at + central_size, name_size);
  entry.name.resize(std::min(entry.name.size(), entry.name.find('\0')));
  for (std::size_t field = extra_at; field + 4 <= extra_at + extra_size;) {
    const auto tag = read_number<std::uint16_t>(directory, field);
    const std::size_t end = field + 4 + read_number<std::uint16_t>(directory, field + 2);
    if (end > extra_at + extra_size) break;
    std::size_t value = field + 4;
    if (tag == zip64_tag)
      for (std::uint64_t* number : {&entry.size, &entry.compressed, &entry.offset})
        if (*number == in_extra_field && value + 8 <= end) {
          *number = read_number<std::uint64_t>(directory, value);
          value += 8;
        }
    field = end;
  }
  at = next;
  return entry;
}

struct Directory {
  std::uint64_t members, at, size;
};

Directory find_directory(const ReadAt& read, std::uint64_t size, const std::string& where) {
  if (size < end_size) bad(where, fmt::format("it has {} bytes", size));
  constexpr std::uint64_t longest_comment = 0xFFFF;
  const std::uint64_t tail_size = std::min(size, end_size + longest_comment);
  const std::string tail = read(size - tail_size, static_cast<std::size_t>(tail_size));
  std::size_t in_tail = tail.size() - end_size;
  while (read_number<std::uint32_t>(tail, in_tail) != end_signature) {
    if (in_tail == 0) bad(where, "its directory is missing (truncated?)");
    --in_tail;
  }
  Directory found{read_number<std::uint16_t>(tail, in_tail + 10),
                  read_number<std::uint32_t>(tail, in_tail + 16),
                  read_number<std::uint32_t>(tail, in_tail + 12)};
  std::uint64_t end = size - tail_size + in_tail;  // of the directory
  if ((found.members == in_end64 || found.at == in_extra_field || found.size == in_extra_field) &&
      end >= locator_size + end64_size) {
    const std::string locator = read(end - locator_size, locator_size);
    if (read_number<std::uint32_t>(locator, 0) == locator_signature) {
      const auto at = read_number<std::uint64_t>(locator, 8);
      if (at > end - locator_size - end64_size) bad(where, "its directory is damaged");
      const std::string end64 = read(at, end64_size);
      if (read_number<std::uint32_t>(end64, 0) != end64_signature) bad(where, "its directory is damaged");
      found = {read_number<std::uint64_t>(end64, 32), read_number<std::uint64_t>(end64, 48),
               read_number<std::uint64_t>(end64, 40)};
      end = at;
    }
  }
  if (found.at > end || found.size > end - found.at || found.members > found.size / central_size)
    bad(where, "its directory is damaged");
  return found;
}
}  // namespace

std::vector<ZipEntry> zip_entries(const ReadAt& read, std::uint64_t size, const std::string& where) {
  const Directory found = find_directory(read, size, where);
  const std::string directory = read(found.at, static_cast<std::size_t>(found.size));
  std::vector<ZipEntry> entries;
  std::size_t at = 0;
  std::uint64_t total = 0;
  for (std::uint64_t i = 0; i < found.members; ++i) {
    entries.push_back(entry_at(directory, at, where));
    if (__builtin_add_overflow(total, entries.back().compressed, &total) || total > size)
      bad(where, "its members overlap");
  }
  return entries;
}

std::uint64_t zip_data_at(const ZipEntry& entry, const ReadAt& read, std::uint64_t size,
                          const std::string& where) {
  if (entry.flags & encrypted) throw FileError(fmt::format("{} in {} is encrypted", entry.name, where));
  const std::string local =
      entry.offset > size || size - entry.offset < local_size ? "" : read(entry.offset, local_size);
  if (local.empty() || read_number<std::uint32_t>(local, 0) != local_signature)
    bad(where, entry.name + " is not where its directory says");
  const std::uint64_t begin = entry.offset + local_size + read_number<std::uint16_t>(local, 26) +
                              read_number<std::uint16_t>(local, 28);
  if (begin > size || entry.compressed > size - begin) bad(where, entry.name + " is cut off");
  if (entry.method != zip_stored && entry.method != zip_deflated)
    throw FileError(fmt::format("{} in {} is compressed by method {}; use numpy.savez or savez_compressed",
                                entry.name, where, entry.method));
  if (entry.method == zip_stored && entry.size != entry.compressed) bad(where, entry.name + " has two sizes");
  return begin;
}

std::uint32_t zip_checksum(std::uint32_t before, std::string_view bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(before, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

std::uint32_t zip_checksum_of_zeros(std::uint32_t before, std::uint64_t size) {
  uLong sum = before, piece = zip_checksum(0, std::string_view("\0", 1));  // of 1, 2, 4, … bytes
  for (std::uint64_t bytes = 1; size > 0; size >>= 1) {
    if (size & 1) sum = crc32_combine(sum, piece, static_cast<z_off_t>(bytes));
    piece = crc32_combine(piece, piece, static_cast<z_off_t>(bytes));
    bytes <<= 1;
  }
  return static_cast<std::uint32_t>(sum);
}

ZipArchive::ZipArchive(std::string_view archive, std::string where)
    : archive_(archive), where_(std::move(where)), entries_(zip_entries(reader(), archive.size(), where_)) {}

ReadAt ZipArchive::reader() const {
  return [archive = archive_](std::uint64_t at, std::size_t size) {
    return std::string(archive.substr(static_cast<std::size_t>(at), size));
  };
}

std::string ZipArchive::read(std::size_t i) const {
  const ZipEntry& entry = entries_[i];
  const std::uint64_t begin = zip_data_at(entry, reader(), archive_.size(), where_);
  const std::string_view data =
      archive_.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(entry.compressed));
  std::string bytes = entry.method == zip_stored
                          ? std::string(data)
                          : inflate_bytes(data, entry.size, fmt::format("{} in {}", entry.name, where_));
  if (zip_checksum(0, bytes) != entry.checksum)
    bad(where_, fmt::format("the checksum of {} is wrong", entry.name));
  return bytes;
}

std::vector<ZipMember> decode_zip(std::string_view bytes, const std::string& where) {
  const ZipArchive archive(bytes, where);
  std::vector<ZipMember> members;
  for (std::size_t i = 0; i < archive.size(); ++i) members.push_back({archive.name(i), archive.read(i)});
  return members;
}

namespace {
constexpr std::uint16_t plain_version = 20, zip64_version = 45;

/// The number where 32 bits hold it, or that it stands elsewhere.
std::uint32_t short_or_extra(std::uint64_t number) {
  return static_cast<std::uint32_t>(std::min(number, in_extra_field));
}

/// What local header and directory share, and the numbers that the extra field has.
std::string common_header(const ZipEntry& entry, const std::vector<std::uint64_t>& extra) {
  require(entry.name.size() < 0xFFFF, "zip: a name is too long");
  std::string out;
  append_number(out, extra.empty() ? plain_version : zip64_version);
  append_number(out, utf8_names);
  append_number(out, zip_stored);
  append_number(out, std::uint16_t{0});
  append_number(out, first_date);
  append_number(out, entry.checksum);
  append_number(out, short_or_extra(entry.size));
  append_number(out, short_or_extra(entry.size));
  append_number(out, static_cast<std::uint16_t>(entry.name.size()));
  append_number(out, static_cast<std::uint16_t>(extra.empty() ? 0 : 4 + 8 * extra.size()));
  return out;
}

void append_extra(std::string& out, const std::vector<std::uint64_t>& extra) {
  if (extra.empty()) return;
  append_number(out, zip64_tag);
  append_number(out, static_cast<std::uint16_t>(8 * extra.size()));
  for (const std::uint64_t number : extra) append_number(out, number);
}

std::vector<std::uint64_t> extra_sizes(const ZipEntry& entry) {
  if (entry.size < in_extra_field) return {};
  return {entry.size, entry.size};
}
}  // namespace

std::string zip_local_header(const ZipEntry& entry) {
  const std::vector<std::uint64_t> extra = extra_sizes(entry);
  std::string out;
  append_number(out, local_signature);
  out += common_header(entry, extra);
  out += entry.name;
  append_extra(out, extra);
  return out;
}

std::string zip_directory(const std::vector<ZipEntry>& entries, std::uint64_t directory_at) {
  std::string out;
  for (const ZipEntry& entry : entries) {
    std::vector<std::uint64_t> extra = extra_sizes(entry);
    if (entry.offset >= in_extra_field) extra.push_back(entry.offset);
    append_number(out, central_signature);
    append_number(out, extra.empty() ? plain_version : zip64_version);
    out += common_header(entry, extra);
    out.append(10, '\0');  // comment, disk, attributes
    append_number(out, short_or_extra(entry.offset));
    out += entry.name;
    append_extra(out, extra);
  }
  const std::uint64_t size = out.size(), members = entries.size();
  if (members >= in_end64 || directory_at >= in_extra_field || size >= in_extra_field) {
    const std::uint64_t end64_at = directory_at + size;
    append_number(out, end64_signature);
    append_number(out, std::uint64_t{end64_size - 12});
    append_number(out, zip64_version);
    append_number(out, zip64_version);
    append_number(out, std::uint64_t{0});  // disks
    append_number(out, members);
    append_number(out, members);
    append_number(out, size);
    append_number(out, directory_at);
    append_number(out, locator_signature);
    append_number(out, std::uint32_t{0});
    append_number(out, end64_at);
    append_number(out, std::uint32_t{1});
  }
  append_number(out, end_signature);
  append_number(out, std::uint32_t{0});
  append_number(out, static_cast<std::uint16_t>(std::min(members, in_end64)));
  append_number(out, static_cast<std::uint16_t>(std::min(members, in_end64)));
  append_number(out, short_or_extra(size));
  append_number(out, short_or_extra(directory_at));
  append_number(out, std::uint16_t{0});
  return out;
}

std::string encode_zip(const std::vector<ZipMember>& members) {
  std::string out;
  std::vector<ZipEntry> entries;
  for (const ZipMember& member : members) {
    ZipEntry& entry = entries.emplace_back();
    entry.name = member.name;
    entry.size = entry.compressed = member.bytes.size();
    entry.offset = out.size();
    entry.checksum = zip_checksum(0, member.bytes);
    out += zip_local_header(entry);
    out += member.bytes;
  }
  return out += zip_directory(entries, out.size());
}

}  // namespace sobolev::detail
