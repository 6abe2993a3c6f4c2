// SPDX-License-Identifier: Apache-2.0
// MATLAB's MAT-files of level 5 (save -v6 and, compressed, -v7; scipy.io.savemat): where their arrays stand.
// A file is a header of 128 bytes and a sequence of elements: a tag (type, bytes) and data, padded to 8
// bytes. A variable is an element that has elements for its class, dimensions, name and numbers; or that
// packed by zlib. Source: The MathWorks, "MAT-File Format", chapter 1.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>

#include "sobolev/core/error.hpp"
#include "src/io/array_reader.hpp"
#include "src/io/bytes.hpp"
#include "src/io/flat_arrays.hpp"

namespace sobolev::detail {
namespace {
constexpr std::size_t header_size = 128, tag_size = 8;
constexpr std::uint32_t mi_matrix = 14, mi_compressed = 15;
constexpr std::uint32_t complex_flag = 0x0800, logical_flag = 0x0200;
constexpr std::size_t most_axes = 32, longest_name = 4096;

[[noreturn]] void bad(const std::string& path, const std::string& what) {
  throw FileError(fmt::format("{} is not a whole MATLAB v5 file: {}", path, what));
}

/// Types of elements.
std::optional<NumberType> stored_type(std::uint32_t mi) {
  switch (mi) {
    case 1: return NumberType::i8;
    case 2: return NumberType::u8;
    case 3: return NumberType::i16;
    case 4: return NumberType::u16;
    case 5: return NumberType::i32;
    case 6: return NumberType::u32;
    case 7: return NumberType::f32;
    case 9: return NumberType::f64;
    case 12: return NumberType::i64;
    case 13: return NumberType::u64;
    default: return std::nullopt;
  }
}

/// Classes of variables: those of numbers, and what the others are.
struct Class {
  std::optional<NumberType> type;
  const char* otherwise = "";
};
Class class_of(std::uint32_t mx) {
  switch (mx) {
    case 1: return {{}, "a cell array"};
    case 2: return {{}, "a struct, whose fields must be saved as arrays of their own"};
    case 4: return {{}, "text"};
    case 5: return {{}, "a sparse matrix, which must be saved as full(...)"};
    case 6: return {NumberType::f64};
    case 7: return {NumberType::f32};
    case 8: return {NumberType::i8};
    case 9: return {NumberType::u8};
    case 10: return {NumberType::i16};
    case 11: return {NumberType::u16};
    case 12: return {NumberType::i32};
    case 13: return {NumberType::u32};
    case 14: return {NumberType::i64};
    case 15: return {NumberType::u64};
    default: return {{}, "an object"};
  }
}

/// Goes through the bytes of a variable from its beginning.
class Cursor {
 public:
  using Read = std::function<void(char* to, std::size_t size)>;
  Cursor(Read read, std::uint64_t at, std::uint64_t end, bool swapped, const std::string& path)
      : read_(std::move(read)), at_(at), end_(end), swapped_(swapped), path_(path) {}

  struct Tag {
    std::uint32_t type;
    std::size_t size, padding;
  };
  Tag tag() {
    const std::uint32_t first = number();
    if (first >> 16 != 0) {  // data of up to 4 bytes stand beside the tag
      const std::size_t size = first >> 16;
      if (size > 4) bad(path_, fmt::format("an element at byte {} has {} bytes where 4 are", at_ - 4, size));
      return {first & 0xFFFF, size, 4 - size};
    }
    const std::size_t size = number();
    return {first, size, (8 - size % 8) % 8};
  }
  std::uint32_t number() {
    std::uint32_t value = 0;
    bytes(reinterpret_cast<char*>(&value), sizeof value);
    return swapped_ ? __builtin_bswap32(value) : value;
  }
  /// The data of an element, which must have one of those types.
  std::string data(const char* what, std::initializer_list<std::uint32_t> types, std::size_t most) {
    const Tag found = tag();
    if (std::find(types.begin(), types.end(), found.type) == types.end() || found.size > most)
      bad(path_, fmt::format(
                     "{} of a variable should stand at byte {}, where an element of type {} with {} bytes is",
                     what, at_, found.type, found.size));
    std::string out(found.size + found.padding, '\0');
    bytes(out.data(), out.size());
    out.resize(found.size);
    return out;
  }
  std::uint32_t word(const std::string& data, std::size_t at) const {
    const auto value = read_number<std::uint32_t>(data, at);
    return swapped_ ? __builtin_bswap32(value) : value;
  }
  std::uint64_t at() const { return at_; }
  std::uint64_t end() const { return end_; }
  bool swapped() const { return swapped_; }

 private:
  void bytes(char* to, std::size_t size) {
    if (size > end_ - at_) bad(path_, fmt::format("a variable ends at byte {}, within an element", end_));
    read_(to, size);
    at_ += size;
  }
  Read read_;
  std::uint64_t at_, end_;
  bool swapped_;
  const std::string& path_;
};

std::vector<std::size_t> dimensions(Cursor& cursor, const std::string& path) {
  const std::string data = cursor.data("the dimensions", {5, 6}, 4 * most_axes);
  std::vector<std::size_t> shape;
  for (std::size_t at = 0; at + 4 <= data.size(); at += 4) {
    const std::uint32_t extent = cursor.word(data, at);
    if (extent >> 31 != 0)
      bad(path, fmt::format("a variable has {} numbers along an axis", std::int32_t(extent)));
    shape.push_back(extent);
  }
  return shape;
}

/// A variable, from the element of its flags on. What it is packed in is left to the caller.
void take_variable(Cursor& cursor, const std::optional<Packed>& packed, const std::string& path,
                   FlatArrays& found) {
  const std::string flags = cursor.data("the class", {6}, 8);
  if (flags.size() != 8) bad(path, "the class of a variable is cut off");
  const std::uint32_t word = cursor.word(flags, 0);
  const Class kind = class_of(word & 0xFF);
  const bool opaque = (word & 0xFF) == 17;  // has no dimensions
  const std::vector<std::size_t> shape = opaque ? std::vector<std::size_t>{} : dimensions(cursor, path);
  const std::string padded = cursor.data("the name", {1, 2, 16}, longest_name);
  const std::string name = padded.substr(0, padded.find('\0'));
  if (name.empty()) return;  // what MATLAB keeps for itself
  if (!kind.type || (word & complex_flag) != 0) {
    found.others[name] = kind.type ? "an array of complex numbers" : kind.otherwise;
    return;
  }
  const Cursor::Tag tag = cursor.tag();
  const auto stored = stored_type(tag.type);
  if (!stored) bad(path, fmt::format("the numbers of {} are of type {}", name, tag.type));
  const std::uint64_t bytes = byte_count(shape, width_of(*stored), name + " of " + path);
  if (bytes != tag.size || bytes > cursor.end() - cursor.at())
    bad(path, fmt::format("{} is {} and needs {} bytes of {} numbers, but {} are there (truncated?)", name,
                          shape_text(shape), bytes, name_of(*stored),
                          std::min<std::uint64_t>(tag.size, cursor.end() - cursor.at())));
  FlatArray& array = found.arrays.emplace_back();
  array.info = {name, shape, (word & logical_flag) != 0 ? "bool" : name_of(*kind.type)};
  array.type = *stored;
  array.swapped = cursor.swapped();
  array.first_axis_fastest = true;
  array.at = cursor.at();
  array.packed = packed;
}
}  // namespace

FlatArrays matlab_v5_arrays(const FileBytes& file) {
  const std::string path = file.path().string();
  const std::string header = file.read(0, header_size);
  const bool swapped = header.substr(126, 2) == "MI";  // of a machine of the other byte order
  FlatArrays found;
  found.unpacked_remedy = "save it with -v7.3 (MATLAB) or do_compression=False (scipy.io.savemat)";
  const std::string text = header.substr(0, 116);
  found.attributes[""]["header"] = text.substr(0, text.find_last_not_of(std::string(" \0", 2)) + 1);
  for (std::uint64_t at = header_size; at < file.size();) {
    std::uint64_t place = at;
    const auto from_file = [&](char* to, std::size_t size) {
      file.read(place, to, size);
      place += size;
    };
    Cursor outer(from_file, at, file.size(), swapped, path);
    const std::uint32_t type = outer.number();
    const std::uint64_t size = outer.number();
    at += tag_size;
    if (size > file.size() - at)
      bad(path, fmt::format("a variable at byte {} has {} bytes, but {} follow (truncated?)", at, size,
                            file.size() - at));
    if (type == mi_matrix) {
      Cursor variable(from_file, at, at + size, swapped, path);
      take_variable(variable, std::nullopt, path, found);
    } else if (type == mi_compressed) {
      Unpacking data(file, at, size, Unpacking::Kind::zlib,
                     fmt::format("{}: the variable at byte {}", path, at));
      const auto unpacked = [&](char* to, std::size_t bytes) { data.read(to, bytes); };
      Cursor begin(unpacked, 0, tag_size, swapped, path);
      if (begin.number() != mi_matrix) bad(path, fmt::format("no variable is packed at byte {}", at));
      const std::uint64_t total = tag_size + std::uint64_t{begin.number()};
      Cursor variable(unpacked, tag_size, total, swapped, path);
      take_variable(variable, Packed{Unpacking::Kind::zlib, at, size, total, {}}, path, found);
    }
    at += size;
  }
  return found;
}

}  // namespace sobolev::detail
