// SPDX-License-Identifier: Apache-2.0
#pragma once
// Files whose arrays stand somewhere as one piece of bytes, plain or packed: .npy, .npz, safetensors and
// MATLAB v5. A format says where (the functions below); reading is the same for all.
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sobolev/io/array_file.hpp"
#include "src/io/file_bytes.hpp"
#include "src/io/number_type.hpp"

namespace sobolev::detail {

/// A part of the file that unpacks to `unpacked` bytes.
struct Packed {
  Unpacking::Kind kind = Unpacking::Kind::zlib;
  std::uint64_t at = 0, size = 0, unpacked = 0;
  std::optional<std::uint32_t> checksum;  // crc32 of what it unpacks to
};

struct FlatArray {
  ArrayInfo info;
  NumberType type = NumberType::f64;  // as stored
  bool swapped = false;               // in the other byte order
  bool first_axis_fastest = false;    // Fortran's and MATLAB's order
  std::uint64_t at = 0;               // of the first number, in the file or in what is unpacked
  std::optional<Packed> packed;
};

struct FlatArrays {
  std::vector<FlatArray> arrays;
  std::map<std::string, std::string> others;  // what is no array of numbers: "text", …
  std::map<std::string, Attributes> attributes;
  std::string unpacked_remedy;  // how to save it so that nothing needs to be unpacked
};

/// FileErrors where the files are not what they should be; arrays are within the file then.
FlatArrays npy_arrays(const FileBytes& file);
FlatArrays npz_arrays(const FileBytes& file);
FlatArrays safetensors_arrays(const FileBytes& file);
FlatArrays matlab_v5_arrays(const FileBytes& file);

std::unique_ptr<ArrayFile::Reader> open_flat_arrays(std::unique_ptr<FileBytes> file, FlatArrays arrays,
                                                    std::size_t most_unpacked);

/// Bytes of the array's numbers; FileError when there is no such number.
std::uint64_t byte_count(const std::vector<std::size_t>& shape, std::size_t width, const std::string& where);

}  // namespace sobolev::detail
