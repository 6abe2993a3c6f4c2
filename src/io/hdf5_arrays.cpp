// SPDX-License-Identifier: Apache-2.0
#include "src/io/hdf5_arrays.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sobolev/core/error.hpp"
#include "src/io/bytes.hpp"

namespace sobolev::detail {
namespace {
/// Bits of sign, exponent and fraction as IEEE 754 has them, or bfloat16's.
std::optional<NumberType> float_type(hid_t type) {
  std::size_t sign = 0, exponent_at = 0, exponent = 0, fraction_at = 0, fraction = 0;
  if (H5Tget_fields(type, &sign, &exponent_at, &exponent, &fraction_at, &fraction) < 0) return std::nullopt;
  const std::size_t width = H5Tget_size(type);
  if (fraction_at != 0 || exponent_at != fraction || sign != exponent + fraction || sign + 1 != 8 * width ||
      H5Tget_norm(type) != H5T_NORM_IMPLIED || H5Tget_ebias(type) != (std::size_t{1} << (exponent - 1)) - 1)
    return std::nullopt;
  if (width == 2 && exponent == 8) return NumberType::bf16;
  const std::size_t wanted = width == 2 ? 5 : width == 4 ? 8 : 11;
  return exponent == wanted ? number_type('f', width) : std::nullopt;
}

std::optional<NumberType> integer_type(hid_t type) {
  const std::size_t width = H5Tget_size(type);
  if (H5Tget_precision(type) != 8 * width || H5Tget_offset(type) != 0) return std::nullopt;
  return number_type(H5Tget_sign(type) == H5T_SGN_NONE ? 'u' : 'i', width);
}

/// h5py's truth values: {FALSE = 0, TRUE = 1}.
bool is_boolean(hid_t type) {
  if (H5Tget_nmembers(type) != 2 || H5Tget_size(type) != 1) return false;
  std::string names;
  for (const unsigned i : {0U, 1U}) {
    char* name = H5Tget_member_name(type, i);
    if (name != nullptr) names += std::string(name) + " ";
    H5free_memory(name);
  }
  return names == "FALSE TRUE ";
}

bool is_complex(hid_t type) {
  if (H5Tget_nmembers(type) != 2) return false;
  return H5Tget_member_class(type, 0) == H5T_FLOAT && H5Tget_member_class(type, 1) == H5T_FLOAT;
}

const char* kind_of(hid_t type) {
  switch (H5Tget_class(type)) {
    case H5T_STRING: return "text";
    case H5T_COMPOUND: return is_complex(type) ? "an array of complex numbers" : "an array of records";
    case H5T_REFERENCE: return "an array of references";
    case H5T_VLEN: return "an array of lists";
    case H5T_ARRAY: return "an array of arrays";
    case H5T_BITFIELD: return "an array of bits";
    default: return "an array of no numbers";
  }
}

/// What MATLAB calls a variable, "" in other files.
std::string matlab_class(hid_t object) { return hdf5_text(object, "MATLAB_class"); }

const char* matlab_other(const std::string& kind) {
  if (kind == "char") return "text";
  if (kind == "cell") return "a cell array";
  if (kind == "struct") return "a struct array";
  return kind == "function_handle" || kind == "table" || kind == "string" ? "an object" : nullptr;
}

class Contents {
 public:
  Contents(hid_t file, const std::string& path) : file_(file), path_(path) {}

  void take(const std::string& name, H5O_type_t kind) {
    if (name == "." || name.starts_with("#")) return;  // the root; what MATLAB keeps for itself
    if (kind == H5O_TYPE_GROUP) {
      take_group(name);
    } else if (kind == H5O_TYPE_DATASET) {
      take_dataset(name);
    }
  }

  Hdf5Contents found;
  std::string error;

 private:
  void take_group(const std::string& name) {
    found.others[name] = "a group, whose arrays are named " + name + "/…";
    const Hdf5Id group(H5Oopen(file_, name.c_str(), H5P_DEFAULT), H5Oclose);
    if (group && H5Aexists(group.get(), "MATLAB_sparse") > 0)
      found.others[name] = "a sparse matrix, which must be saved as full(...)";
  }

  void take_dataset(const std::string& name) {
    const Hdf5Id dataset(H5Dopen2(file_, name.c_str(), H5P_DEFAULT), H5Dclose);
    if (!dataset) return damaged(name);
    const Hdf5Id type(H5Dget_type(dataset.get()), H5Tclose), space(H5Dget_space(dataset.get()), H5Sclose);
    if (!type || !space) return damaged(name);
    const Hdf5Type known = hdf5_type(type.get());
    const std::string matlab = matlab_class(dataset.get());
    const char* other = matlab_other(matlab);
    if (known.name.empty() || other != nullptr) {
      found.others[name] = other != nullptr ? other : known.what;
      return;
    }
    if (H5Sget_simple_extent_type(space.get()) == H5S_NULL) {
      found.others[name] = "an array without a shape (a null dataspace)";
      return;
    }
    std::array<hsize_t, H5S_MAX_RANK> extents{};
    const int axes = H5Sget_simple_extent_dims(space.get(), extents.data(), nullptr);
    if (axes < 0) return damaged(name);
    Hdf5Array array;
    array.info.name = name;
    array.info.shape.assign(extents.begin(), extents.begin() + axes);
    array.info.type = matlab == "logical" ? "bool" : known.name;
    array.type = known.type;
    array.swapped = known.swapped;
    array.matlab = !matlab.empty();
    if (array.matlab && H5Aexists(dataset.get(), "MATLAB_empty") > 0) {  // its numbers are its shape
      found.others[name] = "an empty array";
      return;
    }
    if (array.matlab) std::reverse(array.info.shape.begin(), array.info.shape.end());
    if (!element_count(array.info.shape)) {
      error = fmt::format("{} of {} is damaged: its shape is too large", name, path_);
      return;
    }
    found.arrays.push_back(std::move(array));
  }

  void damaged(const std::string& name) {
    error = fmt::format("{} of {} is damaged: {}", name, path_, hdf5_error());
  }

  hid_t file_;
  const std::string& path_;
};

/// Nothing may be thrown through the library.
herr_t visit(hid_t, const char* name, const H5O_info_t* info, void* contents) {
  auto& to = *static_cast<Contents*>(contents);
  try {
    to.take(name, info->type);
  } catch (const std::exception& thrown) {
    to.error = thrown.what();
  }
  return to.error.empty() ? 0 : -1;
}
}  // namespace

Hdf5Contents hdf5_contents(hid_t file, const std::string& path) {
  Contents contents(file, path);
#if H5_VERSION_GE(1, 12, 0)
  const herr_t status = H5Ovisit3(file, H5_INDEX_NAME, H5_ITER_INC, visit, &contents, H5O_INFO_BASIC);
#else
  const herr_t status = H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_INC, visit, &contents, H5O_INFO_BASIC);
#endif
  if (!contents.error.empty()) throw FileError(contents.error);
  if (status < 0) throw FileError(fmt::format("cannot list what is in {}: {}", path, hdf5_error()));
  return std::move(contents.found);
}

Hdf5Type hdf5_type(hid_t type) {
  Hdf5Type known;
  hid_t numbers = type;
  Hdf5Id base;
  const H5T_class_t kind = H5Tget_class(type);
  if (kind == H5T_ENUM) {
    base = Hdf5Id(H5Tget_super(type), H5Tclose);
    numbers = base.get();
  }
  if (kind == H5T_FLOAT)
    known.type = float_type(numbers);
  else if (kind == H5T_INTEGER || kind == H5T_ENUM)
    known.type = integer_type(numbers);
  else
    known.what = kind_of(type);
  if (kind == H5T_ENUM && is_boolean(type)) known.type = NumberType::boolean;
  known.swapped = H5Tget_order(numbers) == H5T_ORDER_BE;
  if (known.type)
    known.name = name_of(*known.type);
  else if (kind == H5T_FLOAT || kind == H5T_INTEGER)
    known.name = fmt::format("{}{}", kind == H5T_FLOAT ? "float" : "int", H5Tget_precision(numbers));
  else if (kind == H5T_ENUM)
    known.what = "an array of words";
  return known;
}

std::string hdf5_missing_filter(hid_t dataset_properties) {
  const int count = H5Pget_nfilters(dataset_properties);
  for (int i = 0; i < count; ++i) {
    unsigned flags = 0, config = 0;
    std::size_t parameters = 0;
    std::array<char, 64> name{};
    const H5Z_filter_t filter = H5Pget_filter2(dataset_properties, static_cast<unsigned>(i), &flags,
                                               &parameters, nullptr, name.size(), name.data(), &config);
    if (filter >= 0 && H5Zfilter_avail(filter) <= 0)
      return fmt::format(
          "it is packed by the filter {} ({}), which the HDF5 library here does not have: write it "
          "anew with one that it has (h5repack -f GZIP=4), or name a folder with the filter's "
          "library in HDF5_PLUGIN_PATH",
          filter, name[0] != '\0' ? name.data() : "without a name");
  }
  return "";
}

}  // namespace sobolev::detail
