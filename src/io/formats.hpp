// SPDX-License-Identifier: Apache-2.0
#pragma once
// File formats in memory.
#include <string>
#include <string_view>

#include "sobolev/io/safetensors.hpp"
#include "sobolev/io/tensor.hpp"

namespace sobolev::detail {

/// The bytes of an .npy file; `where` names it in errors.
Tensor decode_npy(std::string_view bytes, const std::string& where);
std::string encode_npy(const Tensor& tensor);

/// The bytes of a safetensors file.
TensorFile decode_safetensors(std::string_view bytes, const std::string& where);

/// One member of a zip archive.
struct ZipMember {
  std::string name, bytes;
};
/// Members in the order of the central directory; stored or deflated.
std::vector<ZipMember> decode_zip(std::string_view archive, const std::string& where);
/// The arrays of an .npz file.
NamedTensors decode_npz(std::string_view bytes, const std::string& where);
std::string encode_zip(const std::vector<ZipMember>& members);

}  // namespace sobolev::detail
