// SPDX-License-Identifier: Apache-2.0
#pragma once
// File formats in memory.
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sobolev/io/safetensors.hpp"
#include "sobolev/io/tensor.hpp"
#include "src/io/zip.hpp"

namespace sobolev::detail {

/// The bytes of an .npy file; `where` names it in errors.
Tensor decode_npy(std::string_view bytes, const std::string& where);
std::string encode_npy(const Tensor& tensor);
/// What stands before the numbers of an .npy file.
struct NpyHeader {
  std::string type;  // "<f8"; empty: records
  bool fortran_order = false;
  std::vector<std::size_t> shape;
  std::size_t size = 0;  // bytes: here the numbers begin
};
/// Its size, by the first 12 bytes.
std::size_t npy_header_size(std::string_view bytes, const std::string& where);
NpyHeader decode_npy_header(std::string_view bytes, const std::string& where);
/// Of C order; a multiple of 64 bytes.
std::string encode_npy_header(const char* type, const std::vector<std::size_t>& shape);

/// The bytes of a safetensors file.
TensorFile decode_safetensors(std::string_view bytes, const std::string& where);
struct SafetensorsEntry {
  std::string name, type;  // "F32"
  std::vector<std::size_t> shape;
  std::size_t begin = 0, end = 0;  // bytes of the data
  std::size_t width() const;       // bytes of a number, 0 where it is no whole number of them
};
struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;  // in the order of the header; together they are the data
  std::map<std::string, std::string> metadata;
};
/// Where the data begin, by the first 8 bytes.
std::size_t safetensors_header_size(std::string_view begin, std::size_t file_size, const std::string& where);
/// bytes: up to the data.
SafetensorsHeader decode_safetensors_header(std::string_view bytes, std::size_t data_size,
                                            const std::string& where);

/// The arrays of an .npz file.
NamedTensors decode_npz(std::string_view bytes, const std::string& where);
/// Their names, each there once.
std::vector<std::string> npz_array_names(const std::vector<ZipEntry>& members, const std::string& where);

}  // namespace sobolev::detail
