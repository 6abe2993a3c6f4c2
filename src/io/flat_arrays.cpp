// SPDX-License-Identifier: Apache-2.0
#include "src/io/flat_arrays.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <list>
#include <type_traits>
#include <utility>

#include "sobolev/core/error.hpp"
#include "src/io/array_reader.hpp"
#include "src/io/bytes.hpp"
#include "src/io/zip.hpp"

namespace sobolev::detail {
namespace {
constexpr std::size_t piece_bytes = std::size_t{4} << 20;   // read at a time
constexpr std::size_t block_bytes = std::size_t{64} << 20;  // of rows that are transposed at a time
constexpr std::size_t page = 4096;                          // a gap this small is read over

class FlatReader : public ArrayFile::Reader {
 public:
  FlatReader(std::unique_ptr<FileBytes> file, FlatArrays flat, std::size_t most_unpacked)
      : Reader(file->path()), file_(std::move(file)), flat_(std::move(flat)), most_unpacked_(most_unpacked) {
    others = std::move(flat_.others);
    for (FlatArray& array : flat_.arrays) {
      require_new(array.info.name);
      index[array.info.name] = arrays.size();
      arrays.push_back(array.info);
    }
  }

  Attributes attributes(const std::string& name) override {
    const auto found = flat_.attributes.find(name);
    return found == flat_.attributes.end() ? Attributes{} : found->second;
  }
  void read(std::size_t i, std::size_t first, std::size_t count, float* rows) override {
    read_rows(flat_.arrays[i], i, first, count, rows);
  }
  void read(std::size_t i, std::size_t first, std::size_t count, double* rows) override {
    read_rows(flat_.arrays[i], i, first, count, rows);
  }

 private:
  void require_new(const std::string& name) const {
    if (index.contains(name))
      throw FileError(fmt::format("{} holds two arrays named {}; which is meant?", path.string(), name));
  }

  template <class T>
  void read_rows(const FlatArray& array, std::size_t i, std::size_t first, std::size_t count, T* to) {
    const std::size_t row = row_size(array.info.shape), width = width_of(array.type);
    if (array.packed) {
      const std::string& numbers = unpacked(array, i);
      if (array.first_axis_fastest)
        convert_columns(numbers.data() + first * width, array.type, row_count(array.info.shape), count,
                        array.info.shape, to);
      else
        convert(numbers.data() + first * row * width, array.type, count * row, to);
    } else if (array.first_axis_fastest) {
      read_columns(array, first, count, to);
    } else {
      read_numbers(array, array.at + first * row * width, count * row, to);
    }
  }

  template <class T>
  void read_numbers(const FlatArray& array, std::uint64_t at, std::size_t count, T* to) const {
    const std::size_t width = width_of(array.type);
    if (array.type == (std::is_same_v<T, float> ? NumberType::f32 : NumberType::f64)) {
      file_->read(at, reinterpret_cast<char*>(to), count * width);
      if (array.swapped) swap_bytes(reinterpret_cast<char*>(to), width, count);
      return;
    }
    std::string piece(std::min(piece_bytes, count * width), '\0');
    while (count > 0) {
      const std::size_t next = std::min(count, piece.size() / width);
      file_->read(at, piece.data(), next * width);
      if (array.swapped) swap_bytes(piece.data(), width, next);
      convert(piece.data(), array.type, next, to);
      at += next * width;
      to += next;
      count -= next;
    }
  }

  /// By blocks of rows, of which each column has a piece of the file.
  template <class T>
  void read_columns(const FlatArray& array, std::size_t first, std::size_t count, T* to) const {
    const std::size_t columns = row_size(array.info.shape), rows = row_count(array.info.shape),
                      width = width_of(array.type);
    const std::size_t most = std::max<std::size_t>(block_bytes / (columns * width), 1);
    std::string block;
    while (count > 0) {
      const std::size_t next = std::min(count, most);
      block.resize(columns * next * width);
      gather(array.at + first * width, rows * width, columns, next * width, block.data());
      if (array.swapped) swap_bytes(block.data(), width, columns * next);
      convert_columns(block.data(), array.type, next, next, array.info.shape, to);
      first += next;
      to += next * columns;
      count -= next;
    }
  }

  /// `parts` pieces of `size` bytes, each `stride` bytes after the one before.
  void gather(std::uint64_t at, std::uint64_t stride, std::size_t parts, std::size_t size, char* to) const {
    if (stride == size) return file_->read(at, to, parts * size);
    if (stride - size > page) {
      for (std::size_t part = 0; part < parts; ++part)
        file_->read(at + part * stride, to + part * size, size);
      return;
    }
    const auto together = static_cast<std::size_t>(std::max<std::uint64_t>(piece_bytes / stride, 1));
    for (std::size_t part = 0; part < parts; part += together) {
      const std::size_t next = std::min(together, parts - part);
      const std::string span =
          file_->read(at + part * stride, static_cast<std::size_t>((next - 1) * stride) + size);
      for (std::size_t k = 0; k < next; ++k)
        std::memcpy(to + (part + k) * size, span.data() + k * stride, size);
    }
  }

  /// The numbers of arrays[i] in this machine's byte order.
  const std::string& unpacked(const FlatArray& array, std::size_t i) {
    const auto kept =
        std::find_if(kept_.begin(), kept_.end(), [&](const auto& entry) { return entry.first == i; });
    if (kept != kept_.end()) {
      kept_.splice(kept_.begin(), kept_, kept);
      return kept_.front().second;
    }
    const std::string where = named(array.info.name);
    const std::size_t width = width_of(array.type);
    const std::uint64_t size = byte_count(array.info.shape, width, where);
    if (size > most_unpacked_)
      throw FileError(fmt::format(
          "{} unpacks to {} bytes, of which at most {} are kept in memory; {}, so that it is read by "
          "parts, or allow for more (most_unpacked)",
          where, size, most_unpacked_, flat_.unpacked_remedy));
    const auto total = [&] {
      std::uint64_t sum = size;
      for (const auto& entry : kept_) sum += entry.second.size();
      return sum;
    };
    while (!kept_.empty() && total() > most_unpacked_) kept_.pop_back();
    std::string numbers = unpack(array, size, where);
    if (array.swapped) swap_bytes(numbers.data(), width, numbers.size() / width);
    kept_.emplace_front(i, std::move(numbers));
    return kept_.front().second;
  }

  std::string unpack(const FlatArray& array, std::uint64_t size, const std::string& where) const {
    const Packed& packed = *array.packed;
    Unpacking data(*file_, packed.at, packed.size, packed.kind, where);
    std::string before, numbers, after;
    data.append(before, array.at);
    data.append(numbers, size);
    if (packed.checksum) {
      data.append(after, packed.unpacked - array.at - size);
      const std::uint32_t sum = zip_checksum(zip_checksum(zip_checksum(0, before), numbers), after);
      if (sum != *packed.checksum) throw FileError(fmt::format("{}: its checksum is wrong", where));
    } else {
      data.skip(packed.unpacked - array.at - size);
    }
    data.end();
    return numbers;
  }

  std::unique_ptr<FileBytes> file_;
  FlatArrays flat_;
  std::size_t most_unpacked_;
  std::list<std::pair<std::size_t, std::string>> kept_;  // unpacked arrays, the one used last first
};
}  // namespace

std::unique_ptr<ArrayFile::Reader> open_flat_arrays(std::unique_ptr<FileBytes> file, FlatArrays arrays,
                                                    std::size_t most_unpacked) {
  return std::make_unique<FlatReader>(std::move(file), std::move(arrays), most_unpacked);
}

std::uint64_t byte_count(const std::vector<std::size_t>& shape, std::size_t width, const std::string& where) {
  const auto count = element_count(shape);
  std::uint64_t bytes = 0;
  if (!count || __builtin_mul_overflow(*count, width, &bytes))
    throw FileError(fmt::format("{}: the shape {} is too large", where, shape_text(shape)));
  return bytes;
}

}  // namespace sobolev::detail
