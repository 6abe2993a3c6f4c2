// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "sobolev/io/tensor.hpp"

namespace sobolev {

/// A safetensors file: an 8-byte header length, a JSON header (names, types, shapes, offsets,
/// metadata), then the numbers, little-endian. Source: github.com/huggingface/safetensors, "Format".
struct TensorFile {
  NamedTensors tensors;  // in the order of the header
  std::map<std::string, std::string> metadata;

  /// The tensor of that name; FileError (naming `path` and near names) when there is none.
  const Tensor& at(const std::string& name, const std::filesystem::path& path = "<tensors>") const;
  bool contains(const std::string& name) const;
};

/// Reads F64, F32 and I64. FileError when the file cannot be read, is truncated or is not such a file.
TensorFile read_safetensors(const std::filesystem::path& path);
/// Writes F64, whole or not at all (atomic_write); every bit of the values is kept, NaNs included.
/// ArgumentError when shape and values do not agree, a name repeats, or a text is not UTF-8.
/// before_rename as for atomic_write.
void write_safetensors(const std::filesystem::path& path, const TensorFile& file,
                       const std::function<void()>& before_rename = {});

}  // namespace sobolev
