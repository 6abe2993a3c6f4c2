// SPDX-License-Identifier: Apache-2.0
#include "sobolev/io/array_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>
#include <utility>

#include "sobolev/core/error.hpp"
#include "sobolev/core/words.hpp"
#include "src/io/array_reader.hpp"
#include "src/io/bytes.hpp"
#include "src/io/flat_arrays.hpp"

namespace sobolev {
using detail::shape_text;

namespace {
constexpr std::string_view hdf5_magic("\x89HDF\r\n\x1a\n", 8), npy_magic("\x93NUMPY", 6);

/// HDF5's first bytes stand at 0, 512, 1024, 2048, …
bool is_hdf5(const detail::FileBytes& file) {
  for (std::uint64_t at = 0; at + hdf5_magic.size() <= file.size(); at = at == 0 ? 512 : 2 * at)
    if (file.read(at, hdf5_magic.size()) == hdf5_magic) return true;
  return false;
}

/// Of a file that is none of those that are read: what it may be, and what to do.
std::string guess(std::string_view begin, bool truncated_hdf5) {
  if (begin.empty()) return "it is empty";
  if (truncated_hdf5) return "it begins as a MATLAB v7.3 file, but has no HDF5 in it (truncated?)";
  if (begin.starts_with("version https://git-lfs"))
    return "it is a pointer of Git LFS: fetch the file itself (git lfs pull)";
  if (begin.starts_with("\x1f\x8b")) return "it is compressed by gzip: unpack it (gunzip)";
  if (begin.starts_with("<")) return "it is a page of a web site, not the data: download it again";
  std::string bytes;
  for (const char c : begin.substr(0, 8)) bytes += fmt::format(" {:02x}", static_cast<unsigned char>(c));
  return "it begins with" + bytes;
}

std::unique_ptr<ArrayFile::Reader> open(const std::filesystem::path& path, std::size_t most_unpacked) {
  auto file = std::make_unique<detail::FileBytes>(path);
  if (is_hdf5(*file)) return detail::open_hdf5(path);
  const std::string begin = file->read(0, std::min<std::uint64_t>(128, file->size()));
  const std::string matlab = begin.size() == 128 ? begin.substr(124, 4) : "";
  detail::FlatArrays arrays;
  if (matlab == std::string("\0\1IM", 4) || matlab == std::string("\1\0MI", 4))
    arrays = detail::matlab_v5_arrays(*file);
  else if (begin.starts_with(npy_magic))
    arrays = detail::npy_arrays(*file);
  else if (begin.starts_with("PK"))
    arrays = detail::npz_arrays(*file);
  else if (begin.size() > 8 && begin[8] == '{' &&
           detail::read_number<std::uint64_t>(begin, 0) < std::uint64_t{1} << 32)
    arrays = detail::safetensors_arrays(*file);
  else
    throw FileError(
        fmt::format("{} is no file of arrays that is read here (HDF5, MATLAB, .npz, .npy, safetensors): {}",
                    path.string(), guess(begin, begin.starts_with("MATLAB 7.3"))));
  return detail::open_flat_arrays(std::move(file), std::move(arrays), most_unpacked);
}

/// The names of the arrays: all, or the first ones.
std::string listed(const std::vector<ArrayInfo>& arrays) {
  constexpr std::size_t most = 20;
  if (arrays.empty()) return "no array of numbers";
  std::string names;
  for (std::size_t i = 0; i < std::min(most, arrays.size()); ++i)
    names += (i == 0 ? "" : ", ") + arrays[i].name + " " + shape_text(arrays[i].shape);
  return arrays.size() > most ? fmt::format("{} and {} more", names, arrays.size() - most) : names;
}

std::size_t index_of(const ArrayFile::Reader& reader, const std::string& name) {
  const auto found = reader.index.find(name);
  if (found != reader.index.end()) return found->second;
  const auto other = reader.others.find(name);
  if (other != reader.others.end())
    throw FileError(detail::one_line(
        fmt::format("{} is {}; an array of real numbers is wanted", reader.named(name), other->second)));
  std::vector<std::string> names;
  for (const ArrayInfo& array : reader.arrays) names.push_back(array.name);
  throw FileError(detail::one_line(fmt::format("{} has no array {}{}; it has {}", reader.path.string(), name,
                                               suggestion(name, names), listed(reader.arrays))));
}
}  // namespace

std::string ArrayFile::Reader::named(const std::string& name) const {
  return detail::one_line(name) + " of " + path.string();
}

std::string detail::one_line(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7F') c = '?';
  return text;
}

std::string detail::shape_text(const std::vector<std::size_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

ArrayFile::ArrayFile(const std::filesystem::path& path, std::size_t most_unpacked) try
    : reader_(open(path, most_unpacked)) {
} catch (const FileError& error) {
  throw FileError(detail::one_line(error.what()));
}
ArrayFile::~ArrayFile() = default;
ArrayFile::ArrayFile(ArrayFile&&) noexcept = default;
ArrayFile& ArrayFile::operator=(ArrayFile&&) noexcept = default;

const std::filesystem::path& ArrayFile::path() const { return reader_->path; }
const std::vector<ArrayInfo>& ArrayFile::arrays() const { return reader_->arrays; }
bool ArrayFile::contains(const std::string& name) const { return reader_->index.contains(name); }
const ArrayInfo& ArrayFile::array(const std::string& name) const {
  return reader_->arrays[index_of(*reader_, name)];
}

Attributes ArrayFile::attributes(const std::string& name) const {
  if (!name.empty() && !reader_->others.contains(name)) index_of(*reader_, name);
  const std::lock_guard lock(reader_->turn);
  return reader_->attributes(name);
}

template <class T>
void ArrayFile::read(const std::string& name, std::size_t first, View<T, 2> rows) const {
  const std::size_t i = index_of(*reader_, name);
  const std::vector<std::size_t>& shape = reader_->arrays[i].shape;
  const std::size_t there = detail::row_count(shape), row = detail::row_size(shape), count = rows.extent(0);
  if (first > there || count > there - first)
    throw FileError(fmt::format("{} has {} rows ({}); {} from row {} on are wanted", reader_->named(name),
                                there, shape_text(shape), count, first));
  if (rows.extent(1) != row)
    throw FileError(fmt::format("{} has rows of {} numbers ({}); rows of {} are wanted", reader_->named(name),
                                row, shape_text(shape), rows.extent(1)));
  if (rows.size() == 0) return;
  const std::lock_guard lock(reader_->turn);
  reader_->read(i, first, count, rows.data());
}
template void ArrayFile::read(const std::string&, std::size_t, View<float, 2>) const;
template void ArrayFile::read(const std::string&, std::size_t, View<double, 2>) const;

namespace {
std::unique_ptr<ArrayFileWriter::Writer> open_writer(const std::filesystem::path& path) {
  const std::string extension = path.extension().string();
  if (extension == ".h5" || extension == ".hdf5") return detail::write_hdf5(path);
  if (extension == ".npz") return detail::write_npz_rows(path);
  throw FileError(
      fmt::format("cannot write arrays to {}: name it .h5 or .hdf5 (HDF5), or .npz", path.string()));
}
}  // namespace

ArrayFileWriter::ArrayFileWriter(const std::filesystem::path& path) : writer_(open_writer(path)) {}
ArrayFileWriter::~ArrayFileWriter() = default;
ArrayFileWriter::ArrayFileWriter(ArrayFileWriter&&) noexcept = default;
ArrayFileWriter& ArrayFileWriter::operator=(ArrayFileWriter&&) noexcept = default;

template <class T>
void ArrayFileWriter::create(const std::string& name, const std::vector<std::size_t>& shape) {
  require(!writer_->finished, "ArrayFileWriter::create: the file is finished");
  require(!name.empty() && name.find('\0') == std::string::npos,
          "ArrayFileWriter::create: an array needs a name");
  require(!writer_->created.contains(name),
          [&] { return fmt::format("ArrayFileWriter::create: the name {} is taken", name); });
  const auto count = detail::element_count(shape);
  require(count && *count < std::size_t{1} << 59, [&] {
    return fmt::format("ArrayFileWriter::create: {} of the shape {} is too large", name, shape_text(shape));
  });
  writer_->create(name, shape, sizeof(T));
  const std::size_t index = writer_->created.size();
  writer_->created[name] = {shape, sizeof(T), detail::row_size(shape), index};
}
template void ArrayFileWriter::create<float>(const std::string&, const std::vector<std::size_t>&);
template void ArrayFileWriter::create<double>(const std::string&, const std::vector<std::size_t>&);

template <class T>
void ArrayFileWriter::write(const std::string& name, std::size_t first, View<const T, 2> rows) {
  require(!writer_->finished, "ArrayFileWriter::write: the file is finished");
  const auto found = writer_->created.find(name);
  require(found != writer_->created.end(), [&] {
    return fmt::format("ArrayFileWriter::write: there is no array {}; create() makes it", name);
  });
  const Writer::Created& array = found->second;
  require(array.width == sizeof(T), [&] {
    return fmt::format("ArrayFileWriter::write: {} is of numbers of {} bytes, not {}", name, array.width,
                       sizeof(T));
  });
  const std::size_t there = detail::row_count(array.shape), count = rows.extent(0);
  require(first <= there && count <= there - first && rows.extent(1) == array.row, [&] {
    return fmt::format("ArrayFileWriter::write: {} rows of {} numbers from row {} are not within {} {}",
                       count, rows.extent(1), first, name, shape_text(array.shape));
  });
  if (rows.size() == 0) return;
  writer_->write(array.index, first, count, reinterpret_cast<const char*>(rows.data()));
}
template void ArrayFileWriter::write(const std::string&, std::size_t, View<const float, 2>);
template void ArrayFileWriter::write(const std::string&, std::size_t, View<const double, 2>);

void ArrayFileWriter::attribute(const std::string& name, const std::string& key, const Attribute& value) {
  require(!writer_->finished, "ArrayFileWriter::attribute: the file is finished");
  require(!key.empty() && key.find('\0') == std::string::npos, "ArrayFileWriter::attribute: it needs a key");
  writer_->attribute(name, key, value);
}

void ArrayFileWriter::finish(const std::function<void()>& before_rename) {
  require(!writer_->finished, "ArrayFileWriter::finish: it is finished");
  writer_->finish(before_rename);
  writer_->finished = true;
}

}  // namespace sobolev
