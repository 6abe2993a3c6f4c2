// SPDX-License-Identifier: Apache-2.0
#include "src/io/number_type.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>
#include <utility>

#include "sobolev/core/error.hpp"

namespace sobolev::detail {
namespace {
/// IEEE 754 binary16: sign, 5 bits of exponent, 10 of fraction.
struct Half {
  std::uint16_t bits;
  explicit operator float() const {
    const std::uint32_t sign = std::uint32_t(bits & 0x8000u) << 16, exponent = (bits >> 10) & 31u,
                        fraction = bits & 1023u;
    if (exponent == 31) return std::bit_cast<float>(sign | 0x7F800000u | (fraction << 13));
    if (exponent > 0) return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (fraction << 13));
    const float subnormal = float(fraction) * 0x1p-24f;
    return sign != 0 ? -subnormal : subnormal;
  }
  explicit operator double() const { return double(float(*this)); }
};
/// The upper half of a binary32.
struct Bfloat {
  std::uint16_t bits;
  explicit operator float() const { return std::bit_cast<float>(std::uint32_t(bits) << 16); }
  explicit operator double() const { return double(float(*this)); }
};
struct Boolean {
  std::uint8_t byte;
  explicit operator float() const { return byte != 0 ? 1.0F : 0.0F; }
  explicit operator double() const { return byte != 0 ? 1.0 : 0.0; }
};

struct Named {
  NumberType type;
  const char* name;
  std::size_t width;
  char kind;
};
constexpr Named names[] = {{NumberType::f16, "float16", 2, 'f'}, {NumberType::bf16, "bfloat16", 2, ' '},
                           {NumberType::f32, "float32", 4, 'f'}, {NumberType::f64, "float64", 8, 'f'},
                           {NumberType::i8, "int8", 1, 'i'},     {NumberType::i16, "int16", 2, 'i'},
                           {NumberType::i32, "int32", 4, 'i'},   {NumberType::i64, "int64", 8, 'i'},
                           {NumberType::u8, "uint8", 1, 'u'},    {NumberType::u16, "uint16", 2, 'u'},
                           {NumberType::u32, "uint32", 4, 'u'},  {NumberType::u64, "uint64", 8, 'u'},
                           {NumberType::boolean, "bool", 1, 'b'}};

const Named& named(NumberType type) {
  const auto at = static_cast<std::size_t>(type);
  ensure(at < std::size(names), "a type of numbers");
  return names[at];
}

/// Calls use(S{}) with the type S that the bytes are of.
template <class Use>
void with_type(NumberType type, Use&& use) {
  switch (type) {
    case NumberType::f16: return use(Half{});
    case NumberType::bf16: return use(Bfloat{});
    case NumberType::f32: return use(float{});
    case NumberType::f64: return use(double{});
    case NumberType::i8: return use(std::int8_t{});
    case NumberType::i16: return use(std::int16_t{});
    case NumberType::i32: return use(std::int32_t{});
    case NumberType::i64: return use(std::int64_t{});
    case NumberType::u8: return use(std::uint8_t{});
    case NumberType::u16: return use(std::uint16_t{});
    case NumberType::u32: return use(std::uint32_t{});
    case NumberType::u64: return use(std::uint64_t{});
    case NumberType::boolean: return use(Boolean{});
  }
}

template <class S, class T>
T number_at(const char* from, std::size_t i) {
  S value;
  std::memcpy(&value, from + i * sizeof(S), sizeof(S));
  return static_cast<T>(value);
}

template <class Word, Word (*swap)(Word)>
void swap_words(char* numbers, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    Word word;
    std::memcpy(&word, numbers + i * sizeof(Word), sizeof(Word));
    word = swap(word);
    std::memcpy(numbers + i * sizeof(Word), &word, sizeof(Word));
  }
}
std::uint16_t swap16(std::uint16_t w) { return __builtin_bswap16(w); }
std::uint32_t swap32(std::uint32_t w) { return __builtin_bswap32(w); }
std::uint64_t swap64(std::uint64_t w) { return __builtin_bswap64(w); }
}  // namespace

std::size_t width_of(NumberType type) { return named(type).width; }
const char* name_of(NumberType type) { return named(type).name; }

std::optional<NumberType> number_type(char kind, std::size_t width) {
  for (const Named& entry : names)
    if (entry.kind == kind && entry.width == width) return entry.type;
  return std::nullopt;
}

void swap_bytes(char* numbers, std::size_t width, std::size_t count) {
  switch (width) {
    case 2: return swap_words<std::uint16_t, swap16>(numbers, count);
    case 4: return swap_words<std::uint32_t, swap32>(numbers, count);
    case 8: return swap_words<std::uint64_t, swap64>(numbers, count);
    default: return;
  }
}

template <class T>
void convert(const char* from, NumberType type, std::size_t count, T* to) {
  with_type(type, [&](auto stored) {
    using S = decltype(stored);
    if constexpr (std::is_same_v<S, T>) {
      if (count > 0) std::memcpy(to, from, count * sizeof(T));
    } else {
      for (std::size_t i = 0; i < count; ++i) to[i] = number_at<S, T>(from, i);
    }
  });
}

template <class T>
void convert_columns(const char* from, NumberType type, std::size_t column, std::size_t count,
                     const std::vector<std::size_t>& shape, T* to) {
  if (shape.size() < 2) return convert(from, type, count, to);
  // Axes 1 … n−2 are walked one index after the other; the last axis and the rows are transposed in tiles.
  const std::size_t axes = shape.size(), last = shape[axes - 1];
  std::size_t outer = 1;  // also the distance of the last axis among the columns
  for (std::size_t axis = 1; axis + 1 < axes; ++axis) outer *= shape[axis];
  const std::size_t row = outer * last;
  with_type(type, [&](auto stored) {
    using S = decltype(stored);
    constexpr std::size_t tile = 16;
    for (std::size_t j = 0; j < outer; ++j) {
      std::size_t rest = j, c = 0,
                  stride = row;  // j = i1 + n1 (i2 + …) is column c = ((i1 n2) + i2) … of a row
      for (std::size_t axis = 1; axis + 1 < axes; ++axis) {
        stride /= shape[axis];
        c += rest % shape[axis] * stride;
        rest /= shape[axis];
      }
      for (std::size_t r0 = 0; r0 < count; r0 += tile)
        for (std::size_t k0 = 0; k0 < last; k0 += tile)
          for (std::size_t r = r0; r < std::min(count, r0 + tile); ++r)
            for (std::size_t k = k0; k < std::min(last, k0 + tile); ++k)
              to[r * row + c + k] = number_at<S, T>(from, (j + k * outer) * column + r);
    }
  });
}

template void convert<float>(const char*, NumberType, std::size_t, float*);
template void convert<double>(const char*, NumberType, std::size_t, double*);
template void convert_columns<float>(const char*, NumberType, std::size_t, std::size_t,
                                     const std::vector<std::size_t>&, float*);
template void convert_columns<double>(const char*, NumberType, std::size_t, std::size_t,
                                      const std::vector<std::size_t>&, double*);

}  // namespace sobolev::detail
