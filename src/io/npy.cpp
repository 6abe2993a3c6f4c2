// SPDX-License-Identifier: Apache-2.0
#include "sobolev/io/npy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "sobolev/core/error.hpp"
#include "sobolev/io/atomic_file.hpp"
#include "src/io/bytes.hpp"
#include "src/io/formats.hpp"

namespace sobolev {
namespace detail {
namespace {
constexpr std::string_view magic("\x93NUMPY", 6);
constexpr const char* remedy = "save it with numpy.save(file, numpy.ascontiguousarray(a, dtype=\"<f8\"))";

[[noreturn]] void bad(const std::string& where, const std::string& what) {
  throw FileError(fmt::format("{} is not a whole .npy file: {}", where, what));
}

/// What follows 'key': in the header, a Python dictionary.
std::string_view value_of(std::string_view header, const std::string& key, const std::string& where) {
  for (const char quote : {'\'', '"'}) {
    const std::size_t at = header.find(quote + key + quote);
    if (at == std::string_view::npos) continue;
    const std::size_t colon = header.find(':', at + key.size() + 2);
    const std::size_t value =
        colon == std::string_view::npos ? colon : header.find_first_not_of(" \t", colon + 1);
    if (value != std::string_view::npos) return header.substr(value);
  }
  bad(where, "its header has no " + key);
}

std::vector<std::size_t> parse_shape(std::string_view text, const std::string& where) {
  const std::size_t end = text.find(')');
  if (text[0] != '(' || end == std::string_view::npos) bad(where, "its shape is no tuple");
  std::vector<std::size_t> shape;
  std::size_t number = 0;
  bool digits = false;
  for (const char c : text.substr(1, end - 1)) {
    if (c >= '0' && c <= '9') {
      if (__builtin_mul_overflow(number, std::size_t{10}, &number) ||
          __builtin_add_overflow(number, static_cast<std::size_t>(c - '0'), &number))
        bad(where, "its shape is too large");
      digits = true;
    } else if (c == ',' && digits) {
      shape.push_back(std::exchange(number, 0));
      digits = false;
    } else if (c != ' ') {
      bad(where, "its shape is no tuple of sizes");
    }
  }
  if (digits) shape.push_back(number);
  return shape;
}
}  // namespace

std::size_t npy_header_size(std::string_view bytes, const std::string& where) {
  if (bytes.size() < 10 || bytes.substr(0, 6) != magic) bad(where, "it does not begin as one");
  const int version = static_cast<unsigned char>(bytes[6]);
  if (version < 1 || version > 3)
    throw FileError(fmt::format("{} has .npy version {}; 1 to 3 are read", where, version));
  if (version == 1) return 10 + read_number<std::uint16_t>(bytes, 8);
  if (bytes.size() < 12) bad(where, "its header is cut off");
  return 12 + std::size_t{read_number<std::uint32_t>(bytes, 8)};
}

NpyHeader decode_npy_header(std::string_view bytes, const std::string& where) {
  const std::size_t size = npy_header_size(bytes, where);
  if (size > bytes.size()) bad(where, "its header is cut off");
  const std::size_t text_at = bytes[6] == 1 ? 10 : 12;
  const std::string_view text = bytes.substr(text_at, size - text_at);
  NpyHeader header;
  header.size = size;
  const std::string_view type = value_of(text, "descr", where);
  if (type[0] == '\'' || type[0] == '"') header.type = type.substr(1, type.find(type[0], 1) - 1);
  header.fortran_order = !value_of(text, "fortran_order", where).starts_with("False");
  header.shape = parse_shape(value_of(text, "shape", where), where);
  return header;
}

Tensor decode_npy(std::string_view bytes, const std::string& where) {
  const NpyHeader header = decode_npy_header(bytes, where);
  const std::string_view data = bytes.substr(header.size);
  const std::string& type = header.type;
  if (type.empty())
    throw FileError(fmt::format("{} holds records, not an array of numbers; {}", where, remedy));
  if (type != "<f8" && type != "<f4")
    throw FileError(
        fmt::format("{} holds numbers of type {}; <f8 and <f4 are read: {}", where, type, remedy));
  if (header.fortran_order) throw FileError(fmt::format("{} is in Fortran order; {}", where, remedy));
  Tensor tensor;
  tensor.shape = header.shape;
  const std::size_t width = type == "<f8" ? 8 : 4;
  const auto count = element_count(tensor.shape);
  std::size_t wanted = 0;
  if (!count || __builtin_mul_overflow(*count, width, &wanted)) bad(where, "its shape is too large");
  if (wanted != data.size())
    bad(where,
        fmt::format("its shape needs {} bytes of numbers, but {} follow (truncated?)", wanted, data.size()));
  tensor.values = width == 8 ? read_numbers<double>(data, *count) : read_numbers<float>(data, *count);
  return tensor;
}

std::string encode_npy_header(const char* type, const std::vector<std::size_t>& extents) {
  std::string shape;
  for (const std::size_t extent : extents) shape += fmt::format("{}, ", extent);
  if (extents.size() > 1) shape.resize(shape.size() - 2);
  if (extents.size() == 1) shape.pop_back();
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", type, shape);
  header.append(63 - (10 + header.size()) % 64, ' ');  // the numbers begin at a multiple of 64 bytes
  header += '\n';
  std::string out(magic);
  out += std::string("\x01\x00", 2);
  append_number(out, static_cast<std::uint16_t>(header.size()));
  out += header;
  return out;
}

std::string encode_npy(const Tensor& tensor) {
  require(element_count(tensor.shape) == tensor.values.size(),
          fmt::format("npy: the shape does not hold the {} values", tensor.values.size()));
  std::string out = encode_npy_header("<f8", tensor.shape);
  append_doubles(out, tensor.values);
  return out;
}

std::vector<std::string> npz_array_names(const std::vector<ZipEntry>& members, const std::string& where) {
  std::vector<std::string> names;
  std::set<std::string> seen;
  for (const ZipEntry& member : members) {
    names.push_back(member.name.ends_with(".npy") ? member.name.substr(0, member.name.size() - 4)
                                                  : member.name);
    if (!seen.insert(names.back()).second)
      throw FileError(fmt::format("{} holds two arrays named {}; which is meant?", where, names.back()));
  }
  return names;
}

NamedTensors decode_npz(std::string_view bytes, const std::string& where) {
  const ZipArchive archive(bytes, where);
  const std::vector<std::string> names = npz_array_names(archive.entries(), where);
  NamedTensors tensors;
  for (std::size_t i = 0; i < names.size(); ++i)
    tensors.emplace_back(names[i],
                         decode_npy(archive.read(i), fmt::format("{} in {}", archive.name(i), where)));
  return tensors;
}
}  // namespace detail

struct NpzFile::Archive {
  std::string where, bytes;
  detail::ZipArchive members;
  std::vector<std::string> names;
  explicit Archive(const std::filesystem::path& path)
      : where(path.string()),
        bytes(read_file(path)),
        members(bytes, where),
        names(detail::npz_array_names(members.entries(), where)) {}
};

NpzFile::NpzFile(const std::filesystem::path& path) : archive_(std::make_unique<Archive>(path)) {}
NpzFile::~NpzFile() = default;
std::vector<std::string> NpzFile::names() const { return archive_->names; }

Tensor NpzFile::read(const std::string& name, std::size_t most_values) const {
  const auto found = std::find(archive_->names.begin(), archive_->names.end(), name);
  if (found == archive_->names.end())
    throw FileError(fmt::format("{} has no array {}", archive_->where, name));
  const auto i = static_cast<std::size_t>(found - archive_->names.begin());
  const std::string where = fmt::format("{} in {}", archive_->members.name(i), archive_->where);
  constexpr std::uint64_t longest_header = std::uint64_t{1} << 16;  // of version 1.0
  const std::uint64_t unpacked = archive_->members.unpacked(i);
  if (unpacked > longest_header && (unpacked - longest_header) / sizeof(double) > most_values)
    throw FileError(fmt::format("{} unpacks to {} bytes, but at most {} numbers are wanted from it", where,
                                unpacked, most_values));
  Tensor tensor = detail::decode_npy(archive_->members.read(i), where);
  if (tensor.values.size() > most_values)
    throw FileError(fmt::format("{} holds {} numbers, but at most {} are wanted from it", where,
                                tensor.values.size(), most_values));
  return tensor;
}

Tensor read_npy(const std::filesystem::path& path) {
  return detail::decode_npy(read_file(path), path.string());
}

void write_npy(const std::filesystem::path& path, const Tensor& tensor) {
  atomic_write(path, detail::encode_npy(tensor));
}

NamedTensors read_npz(const std::filesystem::path& path) {
  return detail::decode_npz(read_file(path), path.string());
}

void write_npz(const std::filesystem::path& path, const NamedTensors& tensors,
               const std::function<void()>& before_rename) {
  std::vector<detail::ZipMember> members;
  for (const auto& [name, tensor] : tensors) {
    for (const detail::ZipMember& other : members)
      require(other.name != name + ".npy", fmt::format("write_npz: the name {} is taken", name));
    members.push_back({name + ".npy", detail::encode_npy(tensor)});
  }
  atomic_write(path, detail::encode_zip(members), before_rename);
}

}  // namespace sobolev
