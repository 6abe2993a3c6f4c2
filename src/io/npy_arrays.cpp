// SPDX-License-Identifier: Apache-2.0
// .npy and .npz: where their arrays stand.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sobolev/core/error.hpp"
#include "src/io/array_reader.hpp"
#include "src/io/bytes.hpp"
#include "src/io/flat_arrays.hpp"
#include "src/io/formats.hpp"

namespace sobolev::detail {
namespace {
constexpr std::size_t first_bytes = 12;  // that tell the size of the header

/// NumPy's type, "<f8": the byte order, the kind, the width.
struct NumpyType {
  char order = '|', kind = 'V';
  std::size_t width = 0;
};

NumpyType numpy_type(const std::string& text) {
  NumpyType type;
  if (text.size() < 2) return type;
  type.order = text[0];
  type.kind = text[1];
  for (std::size_t i = 2; i < text.size() && i < 12; ++i)
    type.width = type.width * 10 + static_cast<std::size_t>(std::clamp(text[i] - '0', 0, 9));
  return type;
}

std::string kind_of(const std::string& type) {
  switch (numpy_type(type).kind) {
    case 'c': return fmt::format("an array of complex numbers ({})", type);
    case 'S':
    case 'U': return fmt::format("text ({})", type);
    case 'O': return "an array of Python objects";
    case 'M':
    case 'm': return fmt::format("an array of times ({})", type);
    default: return type.empty() ? "an array of records" : fmt::format("an array of {}", type);
  }
}

/// What the header says; the numbers' place is left to the caller. Nothing: no numbers.
std::optional<FlatArray> described(const NpyHeader& header, const std::string& name) {
  const NumpyType numpy = numpy_type(header.type);
  const auto type = number_type(numpy.kind, numpy.width);
  if (!type) return std::nullopt;
  FlatArray array;
  array.info = {name, header.shape, name_of(*type)};
  array.type = *type;
  array.swapped = numpy.order == '>';
  array.first_axis_fastest = header.fortran_order && header.shape.size() > 1;
  return array;
}

void require_size(std::uint64_t there, std::uint64_t wanted, const NpyHeader& header,
                  const std::string& where) {
  if (there != wanted)
    throw FileError(fmt::format(
        "{} is not a whole .npy file: its shape {} needs {} bytes of numbers, but {} follow (truncated?)",
        where, shape_text(header.shape), wanted, there));
}

/// Bytes of a member from its beginning.
class Member {
 public:
  Member(const FileBytes& file, const ZipEntry& entry, std::uint64_t data_at, const std::string& where)
      : file_(file), entry_(entry), data_at_(data_at) {
    if (entry.method == zip_deflated)
      unpacking_.emplace(file, data_at, entry.compressed, Unpacking::Kind::deflate, where);
  }
  /// Its first `size` bytes, or all when it has fewer.
  const std::string& first(std::uint64_t size) {
    const std::uint64_t wanted = std::min(size, entry_.size);
    if (wanted > bytes_.size()) {
      if (unpacking_)
        unpacking_->append(bytes_, wanted - bytes_.size());
      else
        bytes_ = file_.read(data_at_, static_cast<std::size_t>(wanted));
    }
    return bytes_;
  }

 private:
  const FileBytes& file_;
  const ZipEntry& entry_;
  std::uint64_t data_at_;
  std::optional<Unpacking> unpacking_;
  std::string bytes_;
};

constexpr std::string_view attribute_begin = "attribute:";
constexpr std::uint64_t longest_attribute = std::uint64_t{1} << 20;

/// Numbers, or texts, of an array that stands for an attribute.
std::optional<Attribute> attribute_of(const NpyHeader& header, std::string_view bytes) {
  const auto count = element_count(header.shape);
  const NumpyType numpy = numpy_type(header.type);
  if (!count || numpy.width == 0 || bytes.size() / numpy.width < *count) return std::nullopt;
  const bool one = header.shape.empty();
  if (numpy.kind == 'S') {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < *count; ++i) {
      const std::string_view padded = bytes.substr(i * numpy.width, numpy.width);
      texts.emplace_back(padded.substr(0, padded.find_last_not_of('\0') + 1));
    }
    return one ? Attribute(texts[0]) : Attribute(texts);
  }
  const auto type = number_type(numpy.kind, numpy.width);
  if (!type) return std::nullopt;
  std::string swapped(bytes.substr(0, *count * numpy.width));
  if (numpy.order == '>') swap_bytes(swapped.data(), numpy.width, *count);
  std::vector<double> numbers(*count);
  convert(swapped.data(), *type, *count, numbers.data());
  return one ? Attribute(numbers[0]) : Attribute(numbers);
}

/// "attribute:array:key" is one.
bool take_attribute(const std::string& name, const ZipEntry& entry, Member& member, const NpyHeader& header,
                    FlatArrays& found) {
  if (!name.starts_with(attribute_begin) || entry.size > longest_attribute) return false;
  const std::string rest = name.substr(attribute_begin.size());
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string::npos) return false;
  const auto value = attribute_of(header, std::string_view(member.first(entry.size)).substr(header.size));
  if (value) found.attributes[rest.substr(0, colon)][rest.substr(colon + 1)] = *value;
  return value.has_value();
}
}  // namespace

FlatArrays npy_arrays(const FileBytes& file) {
  const std::string where = file.path().string();
  const std::string begin = file.read(0, std::min<std::uint64_t>(first_bytes, file.size()));
  const std::size_t header_size = npy_header_size(begin, where);
  const NpyHeader header =
      decode_npy_header(file.read(0, std::min<std::uint64_t>(header_size, file.size())), where);
  FlatArrays found;
  const std::string name = file.path().stem().string();
  auto array = described(header, name);
  if (!array) {
    found.others[name] = kind_of(header.type);
    return found;
  }
  array->at = header.size;
  require_size(file.size() - header.size, byte_count(header.shape, width_of(array->type), where), header,
               where);
  found.arrays.push_back(*array);
  return found;
}

FlatArrays npz_arrays(const FileBytes& file) {
  const std::string path = file.path().string();
  const ReadAt read = [&file](std::uint64_t at, std::size_t size) { return file.read(at, size); };
  const std::vector<ZipEntry> entries = zip_entries(read, file.size(), path);
  const std::vector<std::string> names = npz_array_names(entries, path);
  FlatArrays found;
  found.unpacked_remedy = "save it with numpy.savez instead of savez_compressed";
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const ZipEntry& entry = entries[i];
    if (!entry.name.ends_with(".npy")) {
      if (!entry.name.ends_with("/")) found.others[entry.name] = "a file in the archive, no .npy";
      continue;
    }
    const std::string where = fmt::format("{} in {}", entry.name, path);
    const std::uint64_t data_at = zip_data_at(entry, read, file.size(), path);
    Member member(file, entry, data_at, where);
    const NpyHeader header =
        decode_npy_header(member.first(npy_header_size(member.first(first_bytes), where)), where);
    if (take_attribute(names[i], entry, member, header, found)) continue;
    auto array = described(header, names[i]);
    if (!array) {
      found.others[names[i]] = kind_of(header.type);
      continue;
    }
    require_size(entry.size - header.size, byte_count(header.shape, width_of(array->type), where), header,
                 where);
    if (entry.method == zip_deflated) {
      array->packed = Packed{Unpacking::Kind::deflate, data_at, entry.compressed, entry.size, entry.checksum};
      array->at = header.size;
    } else {
      array->at = data_at + header.size;
    }
    found.arrays.push_back(*array);
  }
  return found;
}

}  // namespace sobolev::detail
