// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "sobolev/io/array_file.hpp"

namespace sobolev {

/// Samples of fields on a grid, channels last: values [samples, N, channels], N = Π grid.
template <class T>
struct FieldData {
  std::vector<std::size_t> grid;
  std::size_t samples = 0, channels = 0;
  std::vector<T> values;
  std::size_t points() const {
    std::size_t n = 1;
    for (std::size_t g : grid) n *= g;
    return n;
  }
};

/// What of a file is read: an array [samples, grid…], "coeff", is one channel; of an array [samples, times,
/// grid…] "u[3]" is the time 3, "u[0:10]" are the times 0 … 9, each a channel.
struct FieldName {
  std::string array;
  bool times = false;
  std::size_t first = 0, last = 0;  // of the times, last excluded
  std::size_t channels() const { return times ? last - first : 1; }
  /// ArgumentError for what is no such name.
  static FieldName parse(const std::string& text);
};

/// Samples first … first + count of the named fields, channel after channel in the order of the names; of
/// each axis every stride-th point, from the first on. FileError that names file, array, shape found and
/// wanted.
template <class T>
FieldData<T> read_fields(const ArrayFile& file, const std::vector<std::string>& names, std::size_t first,
                         std::size_t count, std::size_t stride = 1);
/// Points of fields that lie anywhere, a field of their coordinates: of an array [P] or [P, D] the same for
/// all samples, then `samples` is 1; of an array [samples, P] or [samples, P, D] those of samples first …
/// first + count. `samples` counts those of the file; `points` and `coordinates` are what is wanted of them,
/// 0 for anything. FileError as for fields.
template <class T>
FieldData<T> read_points(const ArrayFile& file, const std::string& name, std::size_t samples,
                         std::size_t first, std::size_t count, std::size_t points = 0,
                         std::size_t coordinates = 0);
/// How many samples the file has of them: the same number of each.
std::size_t count_samples(const ArrayFile& file, const std::vector<std::string>& names);

}  // namespace sobolev
