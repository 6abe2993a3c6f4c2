// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a format has to do for ArrayFile and ArrayFileWriter.
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "sobolev/io/array_file.hpp"

namespace sobolev {

struct ArrayFile::Reader {
  explicit Reader(std::filesystem::path file) : path(std::move(file)) {}
  virtual ~Reader() = default;
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  /// `name` is that of an array, of something in `others`, or empty.
  virtual Attributes attributes(const std::string& name) = 0;
  /// Rows of arrays[i], which has them.
  virtual void read(std::size_t i, std::size_t first, std::size_t count, float* rows) = 0;
  virtual void read(std::size_t i, std::size_t first, std::size_t count, double* rows) = 0;

  /// "tensor of FILE".
  std::string named(const std::string& name) const;

  std::filesystem::path path;
  std::vector<ArrayInfo> arrays;
  std::map<std::string, std::size_t> index;   // of the names
  std::map<std::string, std::string> others;  // what is no array of numbers: "a group", "text, no numbers"
  std::mutex turn;
};

struct ArrayFileWriter::Writer {
  virtual ~Writer() = default;
  /// width: 4 (float) or 8 (double). The name is new.
  virtual void create(const std::string& name, const std::vector<std::size_t>& shape, std::size_t width) = 0;
  /// Rows of the array that was created as i-th; bytes of its type.
  virtual void write(std::size_t i, std::size_t first, std::size_t count, const char* rows) = 0;
  virtual void attribute(const std::string& name, const std::string& key, const Attribute& value) = 0;
  virtual void finish(const std::function<void()>& before_rename) = 0;

  struct Created {
    std::vector<std::size_t> shape;
    std::size_t width, row;  // bytes of a number, numbers of a row
    std::size_t index;
  };
  std::map<std::string, Created> created;
  bool finished = false;
};

namespace detail {
/// Rows of an array along its first axis, and the numbers of a row; an array without axes has one row of one.
inline std::size_t row_count(const std::vector<std::size_t>& shape) { return shape.empty() ? 1 : shape[0]; }
inline std::size_t row_size(const std::vector<std::size_t>& shape) {
  std::size_t size = 1;
  for (std::size_t axis = 1; axis < shape.size(); ++axis) size *= shape[axis];
  return size;
}
/// One line of a message, whatever the names in a file are.
std::string one_line(std::string text);
/// "[100, 64, 64]".
std::string shape_text(const std::vector<std::size_t>& shape);

std::unique_ptr<ArrayFile::Reader> open_hdf5(const std::filesystem::path& path);
std::unique_ptr<ArrayFileWriter::Writer> write_hdf5(const std::filesystem::path& path);
std::unique_ptr<ArrayFileWriter::Writer> write_npz_rows(const std::filesystem::path& path);
}  // namespace detail
}  // namespace sobolev
