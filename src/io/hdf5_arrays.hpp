// SPDX-License-Identifier: Apache-2.0
#pragma once
// What is in an HDF5 file. All of it within an Hdf5Turn.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sobolev/io/array_file.hpp"
#include "src/io/hdf5_library.hpp"
#include "src/io/number_type.hpp"

namespace sobolev::detail {

/// A dataset of numbers.
struct Hdf5Array {
  ArrayInfo info;
  std::optional<NumberType> type;  // nothing: a type that only the library converts
  bool swapped = false;            // in the other byte order
  bool matlab = false;             // axes in the reverse order, as MATLAB writes them
};

struct Hdf5Contents {
  std::vector<Hdf5Array> arrays;
  std::map<std::string, std::string> others;  // groups and what is no array of numbers
};

/// `path` names the file in errors.
Hdf5Contents hdf5_contents(hid_t file, const std::string& path);

/// The type of numbers, "" where it is none; `what` says then what it is.
struct Hdf5Type {
  std::string name;
  std::optional<NumberType> type;
  bool swapped = false;
  std::string what;
};
Hdf5Type hdf5_type(hid_t type);

/// Numbers and texts among the attributes of a group or dataset.
Attributes hdf5_attributes(hid_t object);

/// "" or what a chunk must be unpacked by that this library does not have, with what to do.
std::string hdf5_missing_filter(hid_t dataset_properties);

}  // namespace sobolev::detail
