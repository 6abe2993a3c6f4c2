// SPDX-License-Identifier: Apache-2.0
#pragma once
// Numbers as files have them, made float or double.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace sobolev::detail {

enum class NumberType { f16, bf16, f32, f64, i8, i16, i32, i64, u8, u16, u32, u64, boolean };

std::size_t width_of(NumberType);
/// "float16", "bfloat16", "float32", …, "bool".
const char* name_of(NumberType);
/// Of `width` bytes: "u" unsigned, "i" signed, "f" IEEE, "b" bool; nothing where there is none.
std::optional<NumberType> number_type(char kind, std::size_t width);

/// Turns the bytes of each of `count` numbers round: what was written in the other byte order.
void swap_bytes(char* numbers, std::size_t width, std::size_t count);

/// count numbers, one after the other; they need not be aligned.
template <class T>
void convert(const char* from, NumberType type, std::size_t count, T* to);

/// Rows of an array whose first axis runs fastest (Fortran's and MATLAB's order), made row-major.
/// from: for each index of the other axes, the second axis running fastest, `count` numbers at a distance of
/// `column` numbers; shape: of the whole array; to: [count, product of the other axes].
template <class T>
void convert_columns(const char* from, NumberType type, std::size_t column, std::size_t count,
                     const std::vector<std::size_t>& shape, T* to);

}  // namespace sobolev::detail
