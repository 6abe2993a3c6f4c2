// SPDX-License-Identifier: Apache-2.0
// Writes .npz files by rows. The place of every array is known when it is created; what is written later, its
// checksum among it, goes there.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <type_traits>
#include <utility>

#include "sobolev/core/error.hpp"
#include "src/io/array_reader.hpp"
#include "src/io/bytes.hpp"
#include "src/io/formats.hpp"
#include "src/io/temporary_file.hpp"
#include "src/io/written_rows.hpp"

namespace sobolev::detail {
namespace {
constexpr std::string_view attribute_begin = "attribute:";

/// The bytes of texts as NumPy has them: of one length, filled with zeros.
std::string text_array(const std::vector<std::string>& texts, bool one) {
  std::size_t width = 1;
  for (const std::string& text : texts) {
    require(text.find('\0') == std::string::npos, "ArrayFileWriter::attribute: a text has a zero byte");
    width = std::max(width, text.size());
  }
  std::string bytes =
      encode_npy_header(fmt::format("|S{}", width).c_str(),
                        one ? std::vector<std::size_t>{} : std::vector<std::size_t>{texts.size()});
  for (const std::string& text : texts) bytes += text + std::string(width - text.size(), '\0');
  return bytes;
}

std::string attribute_array(const Attribute& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return text_array({*text}, true);
  if (const auto* texts = std::get_if<std::vector<std::string>>(&value)) return text_array(*texts, false);
  if (const auto* number = std::get_if<double>(&value)) return encode_npy({{}, {*number}});
  const auto& numbers = std::get<std::vector<double>>(value);
  return encode_npy({{numbers.size()}, numbers});
}

class NpzWriter : public ArrayFileWriter::Writer {
 public:
  explicit NpzWriter(const std::filesystem::path& path) : path_(path), file_(path) {}

  void create(const std::string& name, const std::vector<std::size_t>& shape, std::size_t width) override {
    require(!name.starts_with(attribute_begin) && !name.ends_with('/'), [&] {
      return fmt::format("ArrayFileWriter::create: {} is no name for an array of an .npz file", name);
    });
    const std::string header = encode_npy_header(width == 8 ? "<f8" : "<f4", shape);
    add(name, header, *element_count(shape) * width);
    members_.back().row_bytes = row_size(shape) * width;
    arrays_.push_back(members_.size() - 1);
  }

  void write(std::size_t i, std::size_t first, std::size_t count, const char* rows) override {
    Member& member = members_[arrays_[i]];
    const std::uint64_t at = first * member.row_bytes;
    const std::string_view bytes(rows, count * member.row_bytes);
    member.written.add(first, first + count);
    file_.write(member.data_at + at, bytes);
    if (at == member.summed) {
      member.checksum = zip_checksum(member.checksum, bytes);
      member.summed += bytes.size();
    } else if (at < member.summed) {  // what was summed has changed
      member.checksum = member.header_checksum;
      member.summed = 0;
    }
  }

  void attribute(const std::string& name, const std::string& key, const Attribute& value) override {
    const auto group = created.lower_bound(name + "/");
    require(
        name.empty() || created.contains(name) ||
            (group != created.end() && group->first.starts_with(name + "/")),
        [&] { return fmt::format("ArrayFileWriter::attribute: {} has no array {}", path_.string(), name); });
    require(key.find(':') == std::string::npos,
            [&] { return fmt::format("ArrayFileWriter::attribute: the key {} has a colon", key); });
    const std::string member = fmt::format("{}{}:{}", attribute_begin, name, key);
    require(keys_.insert(member).second, [&] {
      return fmt::format("ArrayFileWriter::attribute: there is already a {} of {}", key,
                         name.empty() ? path_.string() : name);
    });
    add(member, attribute_array(value), 0);
  }

  void finish(const std::function<void()>& before_rename) override {
    std::vector<ZipEntry> entries;
    for (Member& member : members_) {
      sum_rest(member);
      member.entry.checksum = member.checksum;
      file_.write(member.entry.offset, zip_local_header(member.entry));
      entries.push_back(member.entry);
    }
    file_.write(end_, zip_directory(entries, end_));
    file_.finish(before_rename);
  }

 private:
  struct Member {
    ZipEntry entry;
    std::uint64_t data_at = 0, bytes = 0, row_bytes = 0;
    std::uint64_t summed = 0;  // so many of the bytes are in the checksum, after the header
    std::uint32_t header_checksum = 0, checksum = 0;
    WrittenRows written;
  };

  /// The header is written; room is left for the numbers, which are zero.
  void add(const std::string& name, const std::string& header, std::uint64_t bytes) {
    Member member;
    member.entry.name = name + ".npy";
    member.entry.size = member.entry.compressed = header.size() + bytes;
    member.entry.offset = end_;
    const std::uint64_t header_at = end_ + zip_local_header(member.entry).size();
    file_.write(header_at, header);
    member.data_at = header_at + header.size();
    member.bytes = bytes;
    member.header_checksum = member.checksum = zip_checksum(0, header);
    file_.resize(member.data_at + bytes);
    end_ = member.data_at + bytes;
    members_.push_back(std::move(member));
  }

  /// Rows that came out of order are read again; those that did not come are zero.
  void sum_rest(Member& member) const {
    if (member.row_bytes == 0) return;
    for (const auto& [begin, end] : member.written.gaps(member.bytes / member.row_bytes)) {
      sum_up_to(member, begin * member.row_bytes);
      const std::uint64_t zeros = end * member.row_bytes - member.summed;
      member.checksum = zip_checksum_of_zeros(member.checksum, zeros);
      member.summed += zeros;
    }
    sum_up_to(member, member.bytes);
  }
  void sum_up_to(Member& member, std::uint64_t end) const {
    while (member.summed < end) {
      const auto next =
          static_cast<std::size_t>(std::min<std::uint64_t>(end - member.summed, std::uint64_t{1} << 22));
      member.checksum = zip_checksum(member.checksum, file_.read(member.data_at + member.summed, next));
      member.summed += next;
    }
  }

  std::filesystem::path path_;
  AtomicFile file_;
  std::uint64_t end_ = 0;
  std::vector<Member> members_;
  std::vector<std::size_t> arrays_;  // of the members
  std::set<std::string> keys_;
};
}  // namespace

std::unique_ptr<ArrayFileWriter::Writer> write_npz_rows(const std::filesystem::path& path) {
  return std::make_unique<NpzWriter>(path);
}

}  // namespace sobolev::detail
