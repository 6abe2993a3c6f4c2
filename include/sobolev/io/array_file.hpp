// SPDX-License-Identifier: Apache-2.0
#pragma once
// Arrays of data files, read and written by parts, so that they may be larger than memory.
#include <cstddef>
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
  std::string type;                // of the file: "float32", "float64", "int64", "bool", ...
};

/// What is noted in a file beside its arrays: a number (truth values are 0 and 1), a text, or a list of them.
using Attribute = std::variant<double, std::string, std::vector<double>, std::vector<std::string>>;
using Attributes = std::map<std::string, Attribute>;

/// The arrays of a file: HDF5 (MATLAB's v7.3 too), MATLAB v5 (compressed or not), .npz, .npy (one array,
/// named after the file), safetensors. What it is, its first bytes say. Errors are FileErrors that name file,
/// array, what was found and what was wanted. Calls from several threads take turns.
/// Rows are read where they stand. Two kinds of arrays have no place to read from: those of a compressed
/// MATLAB v5 file and of an .npz made by numpy.savez_compressed. They are unpacked at the first read and kept
/// for the next, the one used longest ago dropped where they would take more than most_unpacked bytes
/// together; FileError when a single one does. (HDF5 unpacks by chunks.)
class ArrayFile {
 public:
  static constexpr std::size_t default_most_unpacked = std::size_t{1} << 32;
  explicit ArrayFile(const std::filesystem::path& path, std::size_t most_unpacked = default_most_unpacked);
  ~ArrayFile();
  ArrayFile(ArrayFile&&) noexcept;
  ArrayFile& operator=(ArrayFile&&) noexcept;

  const std::filesystem::path& path() const;
  /// Of numbers, in the order of the file; HDF5: by name, a group's arrays after it.
  const std::vector<ArrayInfo>& arrays() const;
  bool contains(const std::string& name) const;
  /// FileError that lists what there is, or says why what has this name is no array of numbers.
  const ArrayInfo& array(const std::string& name) const;
  /// Of an array or a group; "": of the file. Those that are no numbers and no text are left out.
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
  /// FileError when no file can be written there (as check_replaceable says), or the extension is another.
  explicit ArrayFileWriter(const std::filesystem::path& path);
  ~ArrayFileWriter();
  ArrayFileWriter(ArrayFileWriter&&) noexcept;
  ArrayFileWriter& operator=(ArrayFileWriter&&) noexcept;

  /// T is float or double: the type of the file. Rows not written are zero. ArgumentError when the name is
  /// taken, empty, or no name for this kind of file. Names with slashes are in groups, which are made.
  template <class T>
  void create(const std::string& name, const std::vector<std::size_t>& shape);
  /// rows : [count, product of the other axes]; T as in create(). Rows may come in any order and again.
  template <class T>
  void write(const std::string& name, std::size_t first, View<const T, 2> rows);
  /// Of an array or a group; "": of the file. An .npz keeps them as arrays of numbers, or of bytes, named
  /// "attribute:array:key". ArgumentError when it has one of that key.
  void attribute(const std::string& name, const std::string& key, const Attribute& value);
  /// Everything on the disk and under its name. before_rename as for atomic_write. Nothing can be written
  /// afterwards.
  void finish(const std::function<void()>& before_rename = {});

  struct Writer;  // of a format

 private:
  std::unique_ptr<Writer> writer_;
};

}  // namespace sobolev
