// SPDX-License-Identifier: Apache-2.0
// Zip archives as NumPy writes them. Source: PKWARE APPNOTE 6.3, sections 4.3 to 4.5.
#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>

#include "sobolev/core/error.hpp"
#include "src/io/bytes.hpp"
#include "src/io/formats.hpp"

namespace sobolev::detail {
namespace {
constexpr std::uint32_t local_signature = 0x04034b50, central_signature = 0x02014b50,
                        end_signature = 0x06054b50;
constexpr std::size_t local_size = 30, central_size = 46, end_size = 22;
constexpr std::uint16_t stored = 0, deflated = 8;
constexpr std::uint32_t in_extra_field = 0xFFFFFFFF;  // zip64: the number stands in the extra field
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

}  // namespace

/// Central directory entry at `at`.
ZipArchive::Entry ZipArchive::entry_at(std::size_t at) const {
  if (at > archive_.size() || archive_.size() - at < central_size ||
      read_number<std::uint32_t>(archive_, at) != central_signature)
    bad(where_, "its directory is damaged");
  Entry entry;
  entry.flags = read_number<std::uint16_t>(archive_, at + 8);
  entry.method = read_number<std::uint16_t>(archive_, at + 10);
  entry.checksum = read_number<std::uint32_t>(archive_, at + 16);
  entry.compressed = read_number<std::uint32_t>(archive_, at + 20);
  entry.size = read_number<std::uint32_t>(archive_, at + 24);
  entry.offset = read_number<std::uint32_t>(archive_, at + 42);
  const std::size_t name_size = read_number<std::uint16_t>(archive_, at + 28);
  const std::size_t extra_size = read_number<std::uint16_t>(archive_, at + 30);
  const std::size_t comment_size = read_number<std::uint16_t>(archive_, at + 32);
  const std::size_t extra_at = at + central_size + name_size;
  entry.next = extra_at + extra_size + comment_size;
  if (entry.next > archive_.size()) bad(where_, "its directory is cut off");
  entry.name = archive_.substr(at + central_size, name_size);
  for (std::size_t field = extra_at; field + 4 <= extra_at + extra_size;) {
    const auto tag = read_number<std::uint16_t>(archive_, field);
    const std::size_t end = field + 4 + read_number<std::uint16_t>(archive_, field + 2);
    if (end > extra_at + extra_size) break;
    std::size_t value = field + 4;
    if (tag == zip64_tag)
      for (std::uint64_t* number : {&entry.size, &entry.compressed, &entry.offset})
        if (*number == in_extra_field && value + 8 <= end) {
          *number = read_number<std::uint64_t>(archive_, value);
          value += 8;
        }
    field = end;
  }
  return entry;
}

ZipArchive::ZipArchive(std::string_view archive, std::string where)
    : archive_(archive), where_(std::move(where)) {
  if (archive.size() < end_size) bad(where_, fmt::format("it has {} bytes", archive.size()));
  constexpr std::size_t longest_comment = 0xFFFF;
  std::size_t at = archive.size() - end_size;
  const std::size_t lowest = at > longest_comment ? at - longest_comment : 0;
  while (read_number<std::uint32_t>(archive, at) != end_signature) {
    if (at == lowest) bad(where_, "its directory is missing (truncated?)");
    --at;
  }
  const std::size_t count = read_number<std::uint16_t>(archive, at + 10);
  std::size_t next = read_number<std::uint32_t>(archive, at + 16);
  std::size_t total = 0;
  for (std::size_t i = 0; i < count; ++i) {
    entries_.push_back(entry_at(next));
    next = entries_.back().next;
    if (__builtin_add_overflow(total, entries_.back().compressed, &total) || total > archive.size())
      bad(where_, "its members overlap");
  }
}

std::string ZipArchive::read(std::size_t i) const {
  const Entry& entry = entries_[i];
  const std::string name = fmt::format("{} in {}", entry.name, where_);
  if (entry.flags & encrypted) throw FileError(name + " is encrypted");
  if (entry.offset > archive_.size() || archive_.size() - entry.offset < local_size ||
      read_number<std::uint32_t>(archive_, entry.offset) != local_signature)
    bad(where_, entry.name + " is not where its directory says");
  const std::size_t begin = entry.offset + local_size +
                            read_number<std::uint16_t>(archive_, entry.offset + 26) +
                            read_number<std::uint16_t>(archive_, entry.offset + 28);
  if (begin > archive_.size() || entry.compressed > archive_.size() - begin)
    bad(where_, entry.name + " is cut off");
  const std::string_view data = archive_.substr(begin, entry.compressed);
  std::string bytes;
  if (entry.method == stored) {
    if (entry.size != entry.compressed) bad(where_, entry.name + " has two sizes");
    bytes = data;
  } else if (entry.method == deflated) {
    bytes = inflate_bytes(data, entry.size, name);
  } else {
    throw FileError(fmt::format("{} is compressed by method {}; use numpy.savez or savez_compressed", name,
                                entry.method));
  }
  const auto checksum = crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  if (checksum != entry.checksum) bad(where_, fmt::format("the checksum of {} is wrong", entry.name));
  return bytes;
}

std::vector<ZipMember> decode_zip(std::string_view bytes, const std::string& where) {
  const ZipArchive archive(bytes, where);
  std::vector<ZipMember> members;
  for (std::size_t i = 0; i < archive.size(); ++i) members.push_back({archive.name(i), archive.read(i)});
  return members;
}

std::string encode_zip(const std::vector<ZipMember>& members) {
  require(members.size() < 0xFFFF, "zip: at most 65534 members");
  std::string out, directory;
  const auto limit = [](std::size_t size) {
    if (size >= in_extra_field)
      throw FileError(
          fmt::format("an .npz file of {} bytes: at most 4 GiB; use a coarser grid or fewer points", size));
  };
  for (const ZipMember& member : members) {
    limit(member.bytes.size());
    limit(out.size());
    require(member.name.size() < 0xFFFF, "zip: a name is too long");
    std::string common;  // shared by the local header and the directory
    append_number(common, std::uint16_t{20});
    append_number(common, utf8_names);
    append_number(common, stored);
    append_number(common, std::uint16_t{0});
    append_number(common, first_date);
    append_number(common, static_cast<std::uint32_t>(crc32_z(
                              0, reinterpret_cast<const Bytef*>(member.bytes.data()), member.bytes.size())));
    append_number(common, static_cast<std::uint32_t>(member.bytes.size()));
    append_number(common, static_cast<std::uint32_t>(member.bytes.size()));
    append_number(common, static_cast<std::uint16_t>(member.name.size()));
    append_number(common, std::uint16_t{0});

    append_number(directory, central_signature);
    append_number(directory, std::uint16_t{20});
    directory += common;
    directory.append(10, '\0');  // comment, disk, attributes
    append_number(directory, static_cast<std::uint32_t>(out.size()));
    directory += member.name;

    append_number(out, local_signature);
    out += common;
    out += member.name;
    out += member.bytes;
  }
  limit(out.size() + directory.size());
  const auto directory_at = static_cast<std::uint32_t>(out.size());
  out += directory;
  append_number(out, end_signature);
  append_number(out, std::uint32_t{0});
  append_number(out, static_cast<std::uint16_t>(members.size()));
  append_number(out, static_cast<std::uint16_t>(members.size()));
  append_number(out, static_cast<std::uint32_t>(directory.size()));
  append_number(out, directory_at);
  append_number(out, std::uint16_t{0});
  return out;
}

}  // namespace sobolev::detail
