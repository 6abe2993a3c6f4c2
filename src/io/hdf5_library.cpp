// SPDX-License-Identifier: Apache-2.0
#include "src/io/hdf5_library.hpp"

#include <cstring>
#include <optional>
#include <string_view>

#include "src/io/lzf.hpp"

namespace sobolev::detail {
namespace {
std::mutex library;
constexpr H5Z_filter_t lzf_filter = 32000;  // registered with The HDF Group for h5py

/// Unpacks a chunk; 0 says that it failed. parameters[2]: bytes of a chunk.
std::size_t lzf(unsigned flags, std::size_t parameter_count, const unsigned* parameters, std::size_t size,
                std::size_t* buffer_size, void** buffer) {
  if ((flags & H5Z_FLAG_REVERSE) == 0 || parameter_count < 3) return 0;
  try {
    constexpr std::size_t checksums = 64;  // of filters that packed before this one
    const auto bytes = unpack_lzf({static_cast<const char*>(*buffer), size}, parameters[2] + checksums);
    if (!bytes || bytes->empty() || bytes->size() < parameters[2]) return 0;  // the library does not look
    void* out = H5allocate_memory(bytes->size(), false);
    if (out == nullptr) return 0;
    std::memcpy(out, bytes->data(), bytes->size());
    H5free_memory(*buffer);
    *buffer = out;
    *buffer_size = bytes->size();
    return bytes->size();
  } catch (...) {
    return 0;  // out of memory: nothing may be thrown through the library
  }
}

void register_filters() {
  if (H5Zfilter_avail(lzf_filter) > 0) return;
  const H5Z_class2_t description = {H5Z_CLASS_T_VERS, lzf_filter, 0, 1, "lzf", nullptr, nullptr, lzf};
  H5Zregister(&description);
}

herr_t innermost(unsigned n, const H5E_error2_t* entry, void* out) {
  if (n == 0 && entry->desc != nullptr) *static_cast<const char**>(out) = entry->desc;
  return 0;
}
}  // namespace

Hdf5Turn::Hdf5Turn() : lock_(library) {
  H5Eget_auto2(H5E_DEFAULT, &print_, &print_data_);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  register_filters();
}
Hdf5Turn::~Hdf5Turn() { H5Eset_auto2(H5E_DEFAULT, print_, print_data_); }

std::string hdf5_error() {
  const char* line = nullptr;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, innermost, static_cast<void*>(&line));
  const std::string text = line == nullptr ? "the HDF5 library does not say why" : line;
  // Of a failed system call it tells all that it knows; this is what the system said.
  constexpr std::string_view begin = "error message = '";
  const std::size_t at = text.find(begin), end = text.find('\'', at + begin.size());
  if (at == std::string::npos || end == std::string::npos) return text;
  return text.substr(at + begin.size(), end - at - begin.size());
}

std::string hdf5_text(hid_t object, const char* name) {
  if (H5Aexists(object, name) <= 0) return "";
  const Hdf5Id attribute(H5Aopen(object, name, H5P_DEFAULT), H5Aclose);
  const Hdf5Id type(attribute ? H5Aget_type(attribute.get()) : -1, H5Tclose);
  const Hdf5Id space(attribute ? H5Aget_space(attribute.get()) : -1, H5Sclose);
  if (!type || !space || H5Tget_class(type.get()) != H5T_STRING ||
      H5Sget_simple_extent_npoints(space.get()) != 1)
    return "";
  if (H5Tis_variable_str(type.get()) > 0) {
    char* text = nullptr;
    if (H5Aread(attribute.get(), type.get(), static_cast<void*>(&text)) < 0 || text == nullptr) return "";
    std::string out = text;
    H5free_memory(text);
    return out;
  }
  constexpr std::size_t longest = std::size_t{1} << 20;
  if (H5Tget_size(type.get()) > longest) return "";
  std::string text(H5Tget_size(type.get()), '\0');
  if (H5Aread(attribute.get(), type.get(), text.data()) < 0) return "";
  const char padding = H5Tget_strpad(type.get()) == H5T_STR_SPACEPAD ? ' ' : '\0';
  if (padding == '\0') return text.substr(0, text.find('\0'));
  return text.substr(0, text.find_last_not_of(padding) + 1);
}

}  // namespace sobolev::detail
