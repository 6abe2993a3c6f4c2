// SPDX-License-Identifier: Apache-2.0
#pragma once
// Little-endian numbers in byte strings, with bounds checked by the callers.
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sobolev::detail {

static_assert(std::endian::native == std::endian::little, "files are read and written in host order");

template <class T>
T read_number(std::string_view bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

template <class T>
void append_number(std::string& out, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

/// Product of the extents, or nothing when it overflows.
inline std::optional<std::size_t> element_count(const std::vector<std::size_t>& shape) {
  std::size_t count = 1;
  for (const std::size_t extent : shape)
    if (__builtin_mul_overflow(count, extent, &count)) return std::nullopt;
  return count;
}

/// count numbers of type T as doubles.
template <class T>
std::vector<double> read_numbers(std::string_view bytes, std::size_t count) {
  std::vector<double> values(count);
  if constexpr (std::is_same_v<T, double>) {
    if (count > 0) std::memcpy(values.data(), bytes.data(), count * sizeof(double));
  } else {
    for (std::size_t i = 0; i < count; ++i)
      values[i] = static_cast<double>(read_number<T>(bytes, i * sizeof(T)));
  }
  return values;
}

inline void append_doubles(std::string& out, const std::vector<double>& values) {
  if (!values.empty())
    out.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(double));
}

}  // namespace sobolev::detail
