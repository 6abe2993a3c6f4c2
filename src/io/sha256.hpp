// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace sobolev::detail {

/// SHA-256 of bytes that come in parts. Source: FIPS 180-4.
class Sha256 {
 public:
  void add(const void* bytes, std::size_t count);
  /// Of all that was added, 64 hexadecimal digits. Nothing may be added afterwards.
  std::string finish();

 private:
  void block(const unsigned char* bytes);
  std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<unsigned char, 64> open_{};
  std::uint64_t count_ = 0;
};

}  // namespace sobolev::detail
