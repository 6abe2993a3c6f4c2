// SPDX-License-Identifier: Apache-2.0
// Reads HDF5 files by rows: hyperslabs of the first axis, and of the last one where MATLAB wrote it.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <list>
#include <type_traits>
#include <utility>

#include "sobolev/core/error.hpp"
#include "src/io/array_reader.hpp"
#include "src/io/hdf5_arrays.hpp"

namespace sobolev::detail {
namespace {
constexpr std::size_t block_bytes = std::size_t{64} << 20;  // of rows that are converted at a time
constexpr std::size_t most_open = 16;                       // datasets, each with its chunks
constexpr std::size_t most_chunk_bytes = std::size_t{256} << 20, default_chunk_bytes = std::size_t{1} << 20;

/// For reading, whether or not the file system knows locks.
Hdf5Id open_file(const std::filesystem::path& path) {
  const Hdf5Id access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  H5Pset_fclose_degree(access.get(), H5F_CLOSE_STRONG);
#if H5_VERSION_GE(1, 10, 7)
  H5Pset_file_locking(access.get(), true, true);
#endif
  Hdf5Id file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()), H5Fclose);
  if (!file) {
    const std::string error = hdf5_error();
    throw FileError(fmt::format("cannot read {}: {}{}", path.string(), error,
                                error == std::strerror(EAGAIN) ? " (another program is writing it)" : ""));
  }
  return file;
}

/// Bytes of the chunks that hold a row, so that they are unpacked once for all rows that they hold; 0: the
/// library's default will do.
std::size_t chunks_of_row(hid_t properties, const std::vector<std::size_t>& extents, std::size_t row_axis,
                          std::size_t width) {
  if (H5Pget_layout(properties) != H5D_CHUNKED || extents.empty()) return 0;
  std::vector<hsize_t> chunk(extents.size());
  if (H5Pget_chunk(properties, static_cast<int>(chunk.size()), chunk.data()) !=
      static_cast<int>(chunk.size()))
    return 0;
  if (chunk[row_axis] == 1) return 0;
  std::size_t bytes = width;
  for (std::size_t axis = 0; axis < chunk.size(); ++axis) {
    const std::size_t chunks = axis == row_axis ? 1 : (extents[axis] + chunk[axis] - 1) / chunk[axis];
    if (__builtin_mul_overflow(bytes, chunk[axis] * chunks, &bytes)) return 0;
  }
  return bytes > default_chunk_bytes && bytes <= most_chunk_bytes ? bytes : 0;
}

class Hdf5Reader : public ArrayFile::Reader {
 public:
  explicit Hdf5Reader(const std::filesystem::path& path) : Reader(path) {
    const Hdf5Turn turn;
    Hdf5Id file = open_file(path);  // closed within the turn where something is wrong
    Hdf5Contents contents = hdf5_contents(file.get(), path.string());
    others = std::move(contents.others);
    for (Hdf5Array& array : contents.arrays) {
      index[array.info.name] = arrays.size();
      arrays.push_back(array.info);
      arrays_.push_back(std::move(array));
    }
    file_ = std::move(file);
  }
  ~Hdf5Reader() override {
    const Hdf5Turn turn;
    open_.clear();
    file_.close();
  }

  Attributes attributes(const std::string& name) override {
    const Hdf5Turn turn;
    const Hdf5Id object(H5Oopen(file_.get(), name.empty() ? "/" : name.c_str(), H5P_DEFAULT), H5Oclose);
    if (!object) throw FileError(fmt::format("cannot read {}: {}", named(name), hdf5_error()));
    return hdf5_attributes(object.get());
  }
  void read(std::size_t i, std::size_t first, std::size_t count, float* rows) override {
    const Hdf5Turn turn;
    read_rows(i, first, count, rows);
  }
  void read(std::size_t i, std::size_t first, std::size_t count, double* rows) override {
    const Hdf5Turn turn;
    read_rows(i, first, count, rows);
  }

 private:
  struct Dataset {
    std::size_t i;
    Hdf5Id id, type, space;
  };

  [[noreturn]] void fail(std::size_t i) const {
    throw FileError(fmt::format("cannot read {}: {}", named(arrays[i].name), hdf5_error()));
  }
  /// As HDF5 has it.
  std::vector<std::size_t> extents(std::size_t i) const {
    std::vector<std::size_t> shape = arrays[i].shape;
    if (arrays_[i].matlab) std::reverse(shape.begin(), shape.end());
    return shape;
  }

  /// Datasets stay open for the next rows: their chunks are kept with them.
  const Dataset& opened(std::size_t i) {
    const auto found = std::find_if(open_.begin(), open_.end(), [&](const Dataset& d) { return d.i == i; });
    if (found != open_.end()) {
      open_.splice(open_.begin(), open_, found);
      return open_.front();
    }
    const std::string& name = arrays[i].name;
    Dataset dataset{i, Hdf5Id(H5Dopen2(file_.get(), name.c_str(), H5P_DEFAULT), H5Dclose), {}, {}};
    if (!dataset.id) fail(i);
    const Hdf5Id properties(H5Dget_create_plist(dataset.id.get()), H5Pclose);
    if (!properties) fail(i);
    const std::string missing = hdf5_missing_filter(properties.get());
    if (!missing.empty()) throw FileError(fmt::format("cannot read {}: {}", named(name), missing));
    dataset.type = Hdf5Id(H5Dget_type(dataset.id.get()), H5Tclose);
    if (!dataset.type) fail(i);
    const std::size_t row_axis = arrays_[i].matlab ? arrays[i].shape.size() - 1 : 0;
    const std::size_t bytes =
        chunks_of_row(properties.get(), extents(i), row_axis, H5Tget_size(dataset.type.get()));
    if (bytes > 0) {
      const Hdf5Id access(H5Pcreate(H5P_DATASET_ACCESS), H5Pclose);
      constexpr std::size_t slots = 12421;  // a prime
      H5Pset_chunk_cache(access.get(), slots, bytes, 1.0);
      dataset.id = Hdf5Id();
      dataset.id = Hdf5Id(H5Dopen2(file_.get(), name.c_str(), access.get()), H5Dclose);
      if (!dataset.id) fail(i);
    }
    dataset.space = Hdf5Id(H5Dget_space(dataset.id.get()), H5Sclose);
    if (!dataset.space) fail(i);
    if (open_.size() == most_open) open_.pop_back();
    open_.push_front(std::move(dataset));
    return open_.front();
  }

  template <class T>
  void read_rows(std::size_t i, std::size_t first, std::size_t count, T* to) {
    const Hdf5Array& array = arrays_[i];
    const Dataset& dataset = opened(i);
    const std::size_t row = row_size(array.info.shape);
    constexpr NumberType wanted = std::is_same_v<T, float> ? NumberType::f32 : NumberType::f64;
    const bool direct = array.type == wanted && !(array.matlab && array.info.shape.size() > 1);
    // Where the library converts it makes doubles.
    const NumberType type = array.type.value_or(NumberType::f64);
    const std::size_t width = width_of(type);
    const hid_t memory_type = array.type ? dataset.type.get() : H5T_NATIVE_DOUBLE;
    if (direct) {
      slab(dataset, first, count, memory_type, to);
      if (array.swapped) swap_bytes(reinterpret_cast<char*>(to), width, count * row);
      return;
    }
    const std::size_t most = std::max<std::size_t>(block_bytes / (row * width), 1);
    std::string block;
    while (count > 0) {
      const std::size_t next = std::min(count, most);
      block.resize(next * row * width);
      slab(dataset, first, next, memory_type, block.data());
      if (array.swapped && array.type) swap_bytes(block.data(), width, next * row);
      if (array.matlab)
        convert_columns(block.data(), type, next, next, array.info.shape, to);
      else
        convert(block.data(), type, next * row, to);
      first += next;
      to += next * row;
      count -= next;
    }
  }

  /// Rows as they stand in the file: [count, …], or […, count] where MATLAB wrote them.
  void slab(const Dataset& dataset, std::size_t first, std::size_t count, hid_t memory_type, void* to) const {
    const std::size_t i = dataset.i;
    const std::vector<std::size_t> shape = extents(i);
    herr_t status = 0;
    if (shape.empty()) {
      status = H5Dread(dataset.id.get(), memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, to);
    } else {
      std::vector<hsize_t> start(shape.size(), 0), size(shape.begin(), shape.end());
      const std::size_t axis = arrays_[i].matlab ? shape.size() - 1 : 0;
      start[axis] = first;
      size[axis] = count;
      const Hdf5Id memory(H5Screate_simple(static_cast<int>(size.size()), size.data(), nullptr), H5Sclose);
      if (!memory || H5Sselect_hyperslab(dataset.space.get(), H5S_SELECT_SET, start.data(), nullptr,
                                         size.data(), nullptr) < 0)
        fail(i);
      status = H5Dread(dataset.id.get(), memory_type, memory.get(), dataset.space.get(), H5P_DEFAULT, to);
    }
    if (status < 0) fail(i);
  }

  Hdf5Id file_;
  std::vector<Hdf5Array> arrays_;  // as arrays
  std::list<Dataset> open_;        // the one used last first
};
}  // namespace

std::unique_ptr<ArrayFile::Reader> open_hdf5(const std::filesystem::path& path) {
  return std::make_unique<Hdf5Reader>(path);
}

}  // namespace sobolev::detail
