// SPDX-License-Identifier: Apache-2.0
#pragma once
// Files that ship with the library: share/sobolev/<kind>/<name>.toml.
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace sobolev::detail {

/// Names and paths, sorted by name. Looked for in $SOBOLEV_<KIND>, in share/sobolev/<kind> of any folder
/// above the program and above the shared library, and in `package`.
std::vector<std::pair<std::string, std::filesystem::path>> shipped_files(
    const std::string& kind, const std::filesystem::path& package = {});
/// The file given by path or name; FileError lists near names. `what`: "model".
std::filesystem::path find_shipped(const std::string& path_or_name, const std::string& kind,
                                   const std::string& what, const std::filesystem::path& package = {});

}  // namespace sobolev::detail
