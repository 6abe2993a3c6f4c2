// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace sobolev {

/// Writes a file whole or not at all: a temporary name in the same folder, fsync, rename. FileError
/// with the path and the system's reason (full disk, no permission); then nothing is left behind and
/// a file that was there before is unchanged.
void atomic_write(const std::filesystem::path& path, std::string_view bytes);

/// The bytes of a file. FileError when it cannot be read or has more than `limit` bytes.
std::string read_file(const std::filesystem::path& path, std::size_t limit = std::size_t{1} << 36);

/// Makes the folder where it is missing and writes `bytes` bytes there and removes them again:
/// FileError before long work rather than after it.
void require_writable(const std::filesystem::path& folder, std::size_t bytes = 4096);

}  // namespace sobolev
