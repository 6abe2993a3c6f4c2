// SPDX-License-Identifier: Apache-2.0
#include "src/io/lzf.hpp"

namespace sobolev::detail {

std::optional<std::string> unpack_lzf(std::string_view packed, std::size_t most) {
  std::string out;
  std::size_t at = 0;
  const auto next = [&] { return static_cast<std::size_t>(static_cast<unsigned char>(packed[at++])); };
  while (at < packed.size()) {
    const std::size_t control = next();
    if (control < 32) {
      const std::size_t size = control + 1;
      if (size > packed.size() - at || size > most - out.size()) return std::nullopt;
      out += packed.substr(at, size);
      at += size;
      continue;
    }
    std::size_t size = (control >> 5) + 2;
    if (size == 7 + 2) {
      if (at == packed.size()) return std::nullopt;
      size += next();
    }
    if (at == packed.size()) return std::nullopt;
    const std::size_t distance = ((control & 31) << 8) + next() + 1;
    if (distance > out.size() || size > most - out.size()) return std::nullopt;
    for (std::size_t from = out.size() - distance; size > 0; --size) out += out[from++];
  }
  return out;
}

}  // namespace sobolev::detail
