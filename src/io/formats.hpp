// SPDX-License-Identifier: Apache-2.0
#pragma once
// File formats in memory.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

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
/// A zip archive in memory; `where` names it in errors.
class ZipArchive {
 public:
  ZipArchive(std::string_view archive, std::string where);
  std::size_t size() const { return entries_.size(); }
  const std::string& name(std::size_t i) const { return entries_[i].name; }
  /// The bytes that member i unpacks to, as the directory says; read() holds it to that.
  std::uint64_t unpacked(std::size_t i) const { return entries_[i].size; }
  std::string read(std::size_t i) const;

 private:
  struct Entry {
    std::string name;
    std::uint16_t flags = 0, method = 0;
    std::uint32_t checksum = 0;
    std::uint64_t compressed = 0, size = 0, offset = 0;
    std::size_t next = 0;
  };
  Entry entry_at(std::size_t at) const;
  std::string_view archive_;
  std::string where_;
  std::vector<Entry> entries_;  // in the order of the central directory
};
/// Members in the order of the central directory; stored or deflated.
std::vector<ZipMember> decode_zip(std::string_view archive, const std::string& where);
/// The arrays of an .npz file.
NamedTensors decode_npz(std::string_view bytes, const std::string& where);
std::string encode_zip(const std::vector<ZipMember>& members);

}  // namespace sobolev::detail
