// SPDX-License-Identifier: Apache-2.0
#pragma once
// Arrays of files, whole, and bytes of numbers.
#include <gtest/gtest.h>

#include <cstring>
#include <initializer_list>
#include <string>
#include <vector>

#include "sobolev/io/array_file.hpp"

namespace sobolev::testing {

inline std::size_t product(const std::vector<std::size_t>& shape, std::size_t from = 0) {
  std::size_t count = 1;
  for (std::size_t axis = from; axis < shape.size(); ++axis) count *= shape[axis];
  return count;
}

/// Rows first … first + count − 1 of an array, between guards that must stay as they are.
template <class T = double>
std::vector<T> rows_of(const ArrayFile& file, const std::string& name, std::size_t first, std::size_t count) {
  const std::size_t row = product(file.array(name).shape, 1);
  constexpr std::size_t guard = 8;
  const T mark = T(-12345.5);
  std::vector<T> values(count * row + 2 * guard, mark);
  file.read(name, first, View<T, 2>(values.data() + guard, count, row));
  for (std::size_t i = 0; i < guard; ++i) {
    EXPECT_EQ(values[i], mark) << name;
    EXPECT_EQ(values[values.size() - 1 - i], mark) << name;
  }
  return {values.begin() + guard, values.end() - guard};
}

template <class T = double>
std::vector<T> all_of(const ArrayFile& file, const std::string& name) {
  const std::vector<std::size_t>& shape = file.array(name).shape;
  return rows_of<T>(file, name, 0, shape.empty() ? 1 : shape[0]);
}

/// The number of tests/io/samples/make.py at the row-major index n of the k-th array.
inline double sample(std::size_t k, std::size_t n) { return (double(7 * n % 23) - 11) / 4 + double(k); }
inline std::vector<double> samples(std::size_t k, const std::vector<std::size_t>& shape) {
  std::vector<double> values(product(shape));
  for (std::size_t n = 0; n < values.size(); ++n) values[n] = sample(k, n);
  return values;
}

template <class T>
std::string bytes_of(std::initializer_list<T> values, bool swapped = false) {
  std::string out;
  for (const T value : values) {
    char bytes[sizeof value];
    std::memcpy(bytes, &value, sizeof value);
    for (std::size_t i = 0; i < sizeof value; ++i) out += bytes[swapped ? sizeof value - 1 - i : i];
  }
  return out;
}

}  // namespace sobolev::testing
