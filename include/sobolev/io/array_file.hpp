// SPDX-License-Identifier: Apache-2.0
#pragma once
// Arrays of data files, read and written by parts, so that they may be larger than memory.
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "sobolev/core/view.hpp"

namespace sobolev {

struct ArrayInfo {
  std::string name;                // "tensor"; in a group "0000/data"
  std::vector<std::size_t> shape;  // as NumPy has it, of MATLAB's files as MATLAB has it
  std::string type;                // of the file: "float32", "float64", "int64", ...
};

/// What is noted in a file beside its arrays.
using Attributes = std::map<std::string, std::variant<double, std::string>>;

/// The arrays of a file: HDF5 (MATLAB's v7.3 too), MATLAB v5 (compressed or not), .npz, .npy (one array,
/// named after the file), safetensors. What it is, its first bytes say. Errors are FileErrors that name file,
/// array, what was found and what was wanted. Calls from several threads take turns.
class ArrayFile {
 public:
  explicit ArrayFile(const std::filesystem::path& path);
  ~ArrayFile();
  ArrayFile(ArrayFile&&) noexcept;

  const std::filesystem::path& path() const;
  /// Of numbers, in the order of the file.
  const std::vector<ArrayInfo>& arrays() const;
  bool contains(const std::string& name) const;
  /// FileError that lists what there is.
  const ArrayInfo& array(const std::string& name) const;
  /// Of an array or a group; "": of the file. Those that are no number and no text are left out.
  Attributes attributes(const std::string& name = "") const;
  /// Rows first … of the array along its first axis, row-major; numbers of other types are converted. T is
  /// float or double.                                                       rows : [count, product of the
  /// other axes]
  template <class T>
  void read(const std::string& name, std::size_t first, View<T, 2> rows) const;

  struct Reader;  // of a format

 private:
  std::unique_ptr<Reader> reader_;
};

/// Writes arrays by rows to .h5 or .hdf5, or .npz, as the extension says. The file takes its name when it is
/// whole: finish(). Without it nothing is left behind, and a file that was there stays.
class ArrayFileWriter {
 public:
  explicit ArrayFileWriter(const std::filesystem::path& path);
  ~ArrayFileWriter();

  /// T is float or double: the type of the file. Rows not written are zero.
  template <class T>
  void create(const std::string& name, const std::vector<std::size_t>& shape);
  /// rows : [count, product of the other axes]
  template <class T>
  void write(const std::string& name, std::size_t first, View<const T, 2> rows);
  /// Of an array; "": of the file. An .npz keeps them as arrays of one number, or of bytes, named
  /// "attribute:…".
  void attribute(const std::string& name, const std::string& key,
                 const std::variant<double, std::string>& value);
  /// before_rename as for atomic_write.
  void finish(const std::function<void()>& before_rename = {});

  struct Writer;  // of a format

 private:
  std::unique_ptr<Writer> writer_;
};

}  // namespace sobolev
