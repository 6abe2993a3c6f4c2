// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sobolev::detail {

/// Unpacks LZF: a sequence of literals and of copies of what was unpacked before.
///   c < 32:  the next c + 1 bytes as they are
///   else:    n = c >> 5, and where that is 7 the next byte more; d = (c & 31) · 256 + the next byte + 1;
///            n + 2 bytes from d bytes ago, which may overlap what they make
/// Nothing when the data are damaged or make more than `most` bytes.
/// Source: the format of Lehmann's LibLZF, as h5py's filter 32000 uses it.
std::optional<std::string> unpack_lzf(std::string_view packed, std::size_t most);

}  // namespace sobolev::detail
