// SPDX-License-Identifier: Apache-2.0
// Writes HDF5 files by rows: contiguous datasets of float32 or float64.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "sobolev/core/error.hpp"
#include "src/io/array_reader.hpp"
#include "src/io/hdf5_sink.hpp"
#include "src/io/written_rows.hpp"

namespace sobolev::detail {
namespace {
/// So that it is read by the name it was given.
bool is_hdf5_name(const std::string& name) {
  for (std::size_t at = 0;; ++at) {
    const std::size_t end = std::min(name.find('/', at), name.size());
    const std::string part = name.substr(at, end - at);
    if (part.empty() || part == ".") return false;
    if (end == name.size()) return true;
    at = end;
  }
}

class Hdf5Writer : public ArrayFileWriter::Writer {
 public:
  explicit Hdf5Writer(const std::filesystem::path& path) : path_(path), file_(path) {
    const Hdf5Turn turn;
    Hdf5Id driver = Hdf5Sink::make_driver();
    const Hdf5Id access = sink_.access(driver);
    Hdf5Id file(access ? H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.get()) : -1, H5Fclose);
    if (!file) fail();
    driver_ = std::move(driver);
    hdf5_ = std::move(file);
  }
  ~Hdf5Writer() override {
    const Hdf5Turn turn;
    datasets_.clear();
    hdf5_.close();
    driver_.close();
  }

  void create(const std::string& name, const std::vector<std::size_t>& shape, std::size_t width) override {
    const auto inside = created.lower_bound(name + "/");
    bool taken = inside != created.end() && inside->first.starts_with(name + "/");
    for (std::size_t slash = name.find('/'); slash != std::string::npos; slash = name.find('/', slash + 1))
      taken = taken || created.contains(name.substr(0, slash));
    require(is_hdf5_name(name) && shape.size() <= H5S_MAX_RANK && !taken, [&] {
      return fmt::format("ArrayFileWriter::create: {}",
                         taken                 ? name + " would be a group and an array"
                         : !is_hdf5_name(name) ? name + " is no name in an HDF5 file"
                                               : fmt::format("{} has more than {} axes", name, H5S_MAX_RANK));
    });
    const Hdf5Turn turn;
    const std::vector<hsize_t> extents(shape.begin(), shape.end());
    const Hdf5Id link(H5Pcreate(H5P_LINK_CREATE), H5Pclose),
        properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_create_intermediate_group(link.get(), 1);
    H5Pset_fill_time(properties.get(), H5D_FILL_TIME_NEVER);  // finish() fills what is left
    Dataset made;
    made.space = space_of(extents);
    made.type = width == 8 ? H5T_IEEE_F64LE : H5T_IEEE_F32LE;
    made.shape = shape;
    made.row_bytes = row_size(shape) * width;
    made.id = Hdf5Id(H5Dcreate2(hdf5_.get(), name.c_str(), made.type, made.space.get(), link.get(),
                                properties.get(), H5P_DEFAULT),
                     H5Dclose);
    if (!made.space || !made.id) fail();
    datasets_.push_back(std::move(made));
  }

  void write(std::size_t i, std::size_t first, std::size_t count, const char* rows) override {
    const Hdf5Turn turn;
    put(datasets_[i], first, count, rows);
  }

  void attribute(const std::string& name, const std::string& key, const Attribute& value) override {
    const Hdf5Turn turn;
    const Hdf5Id object(name.empty() || is_hdf5_name(name)
                            ? H5Oopen(hdf5_.get(), name.empty() ? "/" : name.c_str(), H5P_DEFAULT)
                            : -1,
                        H5Oclose);
    require(bool(object), [&] {
      return fmt::format("ArrayFileWriter::attribute: {} has no array {}", path_.string(), name);
    });
    require(H5Aexists(object.get(), key.c_str()) <= 0, [&] {
      return fmt::format("ArrayFileWriter::attribute: there is already a {} of {}", key,
                         name.empty() ? path_.string() : name);
    });
    if (const auto* text = std::get_if<std::string>(&value)) return put_texts(object, key, {*text}, true);
    if (const auto* texts = std::get_if<std::vector<std::string>>(&value))
      return put_texts(object, key, *texts, false);
    if (const auto* number = std::get_if<double>(&value))
      return put_attribute(object, key, H5T_IEEE_F64LE, space_of({}), number);
    const auto& numbers = std::get<std::vector<double>>(value);
    put_attribute(object, key, H5T_IEEE_F64LE, space_of({numbers.size()}), numbers.data());
  }

  void finish(const std::function<void()>& before_rename) override {
    {
      const Hdf5Turn turn;
      for (Dataset& dataset : datasets_) {
        fill(dataset);
        if (!dataset.id.close()) fail();
      }
      if (!hdf5_.close()) fail();
      check();
    }
    file_.finish(before_rename);
  }

 private:
  struct Dataset {
    Hdf5Id id, space;
    hid_t type = -1;  // of the library
    std::vector<std::size_t> shape;
    std::size_t row_bytes = 0;
    WrittenRows written;
  };

  [[noreturn]] void fail() const {
    const std::string error = hdf5_error();
    check();
    throw FileError(fmt::format("cannot write {}: {}", path_.string(), error));
  }
  /// The library does not know what could not be written.
  void check() const {
    if (!sink_.error.empty()) throw FileError(sink_.error);
  }

  static Hdf5Id space_of(const std::vector<hsize_t>& extents) {
    return {extents.empty() ? H5Screate(H5S_SCALAR)
                            : H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr),
            H5Sclose};
  }

  void put(Dataset& dataset, std::size_t first, std::size_t count, const char* rows) const {
    std::vector<hsize_t> start(dataset.shape.size(), 0), size(dataset.shape.begin(), dataset.shape.end());
    if (!size.empty()) {
      start[0] = first;
      size[0] = count;
    }
    const Hdf5Id memory = space_of(size);
    if (!memory || (!size.empty() && H5Sselect_hyperslab(dataset.space.get(), H5S_SELECT_SET, start.data(),
                                                         nullptr, size.data(), nullptr) < 0))
      fail();
    if (H5Dwrite(dataset.id.get(), dataset.type, memory.get(), dataset.space.get(), H5P_DEFAULT, rows) < 0)
      fail();
    check();
    dataset.written.add(first, first + count);
  }

  /// Zeros where nothing was written.
  void fill(Dataset& dataset) const {
    if (dataset.row_bytes == 0) return;
    const std::size_t most = std::max<std::size_t>((std::size_t{1} << 24) / dataset.row_bytes, 1);
    std::string zeros;
    for (const auto& [begin, end] : dataset.written.gaps(row_count(dataset.shape)))
      for (std::size_t first = begin; first < end; first += most) {
        const std::size_t count = std::min(most, end - first);
        zeros.resize(std::max(zeros.size(), count * dataset.row_bytes), '\0');
        put(dataset, first, count, zeros.data());
      }
  }

  void put_attribute(const Hdf5Id& object, const std::string& key, hid_t type, const Hdf5Id& space,
                     const void* values) const {
    const Hdf5Id made(H5Acreate2(object.get(), key.c_str(), type, space.get(), H5P_DEFAULT, H5P_DEFAULT),
                      H5Aclose);
    const bool none = H5Sget_simple_extent_npoints(space.get()) == 0;
    if (!made || (!none && H5Awrite(made.get(), type, values) < 0)) fail();
  }

  /// As h5py writes them: of variable length, in UTF-8.
  void put_texts(const Hdf5Id& object, const std::string& key, const std::vector<std::string>& texts,
                 bool one) const {
    std::vector<const char*> pointers;
    for (const std::string& text : texts) {
      require(text.find('\0') == std::string::npos, "ArrayFileWriter::attribute: a text has a zero byte");
      pointers.push_back(text.c_str());
    }
    const Hdf5Id type(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(type.get(), H5T_VARIABLE);
    H5Tset_cset(type.get(), H5T_CSET_UTF8);
    put_attribute(object, key, type.get(), one ? space_of({}) : space_of({texts.size()}),
                  static_cast<const void*>(pointers.data()));
  }

  std::filesystem::path path_;
  AtomicFile file_;
  Hdf5Sink sink_{&file_, {}, 0};
  Hdf5Id driver_, hdf5_;
  std::vector<Dataset> datasets_;
};
}  // namespace

std::unique_ptr<ArrayFileWriter::Writer> write_hdf5(const std::filesystem::path& path) {
  return std::make_unique<Hdf5Writer>(path);
}

}  // namespace sobolev::detail
