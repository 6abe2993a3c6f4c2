// SPDX-License-Identifier: Apache-2.0
// What is noted in HDF5 files beside their arrays.
#include <array>
#include <optional>

#include "src/io/hdf5_arrays.hpp"

namespace sobolev::detail {
namespace {
constexpr hssize_t most_values = hssize_t{1} << 16;  // longer lists are no notes, and are left out
constexpr std::size_t longest_text = std::size_t{1} << 20;

struct Open {
  Hdf5Id attribute, type, space;
  std::size_t count = 0;
};

std::optional<std::vector<std::string>> variable_texts(const Open& open) {
  std::vector<char*> read(open.count, nullptr);
  if (H5Aread(open.attribute.get(), open.type.get(), static_cast<void*>(read.data())) < 0)
    return std::nullopt;
  std::vector<std::string> texts;
  for (char* text : read) {
    texts.emplace_back(text != nullptr ? text : "");
    H5free_memory(text);
  }
  return texts;
}

std::optional<std::vector<std::string>> fixed_texts(const Open& open) {
  const std::size_t width = H5Tget_size(open.type.get());
  if (width == 0 || width > longest_text / open.count) return std::nullopt;
  std::string read(open.count * width, '\0');
  if (H5Aread(open.attribute.get(), open.type.get(), read.data()) < 0) return std::nullopt;
  const bool spaces = H5Tget_strpad(open.type.get()) == H5T_STR_SPACEPAD;
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < open.count; ++i) {
    const std::string text = read.substr(i * width, width);
    texts.push_back(text.substr(0, spaces ? text.find_last_not_of(' ') + 1 : text.find('\0')));
  }
  return texts;
}

std::optional<std::vector<double>> numbers(const Open& open) {
  const Hdf5Type known = hdf5_type(open.type.get());
  std::vector<double> values(open.count);
  if (!known.type) {
    if (known.name.empty() ||
        H5Aread(open.attribute.get(), H5T_NATIVE_DOUBLE, static_cast<void*>(values.data())) < 0)
      return std::nullopt;
    return values;
  }
  const std::size_t width = width_of(*known.type);
  std::string read(open.count * width, '\0');
  if (H5Aread(open.attribute.get(), open.type.get(), read.data()) < 0) return std::nullopt;
  if (known.swapped) swap_bytes(read.data(), width, open.count);
  convert(read.data(), *known.type, open.count, values.data());
  return values;
}

template <class T>
std::optional<Attribute> one_or_list(std::optional<std::vector<T>> values, bool one) {
  if (!values) return std::nullopt;
  return one ? Attribute(std::move(values->front())) : Attribute(std::move(*values));
}

std::optional<Attribute> value_of(hid_t object, const char* name) {
  Open open;
  open.attribute = Hdf5Id(H5Aopen(object, name, H5P_DEFAULT), H5Aclose);
  if (!open.attribute) return std::nullopt;
  open.type = Hdf5Id(H5Aget_type(open.attribute.get()), H5Tclose);
  open.space = Hdf5Id(H5Aget_space(open.attribute.get()), H5Sclose);
  if (!open.type || !open.space) return std::nullopt;
  const H5S_class_t space = H5Sget_simple_extent_type(open.space.get());
  const hssize_t count = H5Sget_simple_extent_npoints(open.space.get());
  if (count < 0 || count > most_values || space == H5S_NULL) return std::nullopt;
  if (count == 0)
    return H5Tget_class(open.type.get()) == H5T_STRING ? Attribute(std::vector<std::string>{})
                                                       : Attribute(std::vector<double>{});
  open.count = static_cast<std::size_t>(count);
  const bool one = space == H5S_SCALAR;  // a list of one is a list
  if (H5Tget_class(open.type.get()) != H5T_STRING) return one_or_list(numbers(open), one);
  return one_or_list(H5Tis_variable_str(open.type.get()) > 0 ? variable_texts(open) : fixed_texts(open), one);
}

herr_t visit(hid_t object, const char* name, const H5A_info_t*, void* to) {
  try {
    auto value = value_of(object, name);
    if (value) (*static_cast<Attributes*>(to))[name] = std::move(*value);
    return 0;
  } catch (const std::exception&) {
    return -1;  // nothing may be thrown through the library
  }
}
}  // namespace

Attributes hdf5_attributes(hid_t object) {
  Attributes found;
  H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, nullptr, visit, &found);
  return found;
}

}  // namespace sobolev::detail
