// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace sobolev {

/// Writes a file whole or not at all: a temporary name in the same folder, fsync, rename. FileError
/// with the path and the system's reason (full disk, no permission); then nothing is left behind and
/// a file that was there before is unchanged. Through a symbolic link the file that it leads to is
/// written; a file that was there keeps its permissions, and one without write permission is refused, as is
/// what is no file (check_replaceable).
/// `before_rename` is called when all bytes are on the disk and before they take their name: what it
/// throws leaves everything as it was.
void atomic_write(const std::filesystem::path& path, std::string_view bytes,
                  const std::function<void()>& before_rename = {});

/// FileError unless atomic_write may put a file there: it must not be a folder, device, pipe or socket, nor
/// a file without write permission. That there is nothing is fine. Returns the path with symbolic links of
/// its last component followed: what would be written.
std::filesystem::path check_replaceable(const std::filesystem::path& path);

/// The bytes of a file. FileError when it cannot be read or has more than `limit` bytes.
std::string read_file(const std::filesystem::path& path, std::size_t limit = std::size_t{1} << 36);

/// Makes the folder where it is missing and writes `bytes` bytes there and removes them again:
/// FileError before long work rather than after it.
void require_writable(const std::filesystem::path& folder, std::size_t bytes = 4096);

/// Removes the temporary files that processes which no longer live left in the folder. Those of live
/// processes stay (they hold a lock), as does everything where the file system knows no locks.
void remove_abandoned_files(const std::filesystem::path& folder);

}  // namespace sobolev
