// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <random>
#include <string>

namespace sobolev::testing {

/// Damages a text or file: flips, deletes, doubles, inserts, truncates, swaps pieces.
inline std::string mutate(std::string bytes, std::mt19937_64& random, const std::string& alphabet) {
  const auto below = [&](std::size_t n) { return n == 0 ? 0 : static_cast<std::size_t>(random() % n); };
  for (std::size_t changes = 1 + below(4); changes > 0 && !bytes.empty(); --changes) {
    const std::size_t at = below(bytes.size()), length = 1 + below(12);
    switch (below(7)) {
      case 0: bytes[at] = static_cast<char>(random()); break;
      case 1: bytes[at] = alphabet[below(alphabet.size())]; break;
      case 2: bytes.erase(at, length); break;
      case 3: bytes.insert(at, bytes.substr(below(bytes.size()), length)); break;
      case 4: bytes.insert(at, 1, alphabet[below(alphabet.size())]); break;
      case 5: bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8))); break;
      default:
        if (below(4) == 0) bytes.resize(at);
    }
  }
  return bytes;
}

}  // namespace sobolev::testing
