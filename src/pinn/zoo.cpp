// SPDX-License-Identifier: Apache-2.0
// Where the problems that ship with the library are found.
#include <fmt/format.h>

#include <cstdlib>
#include <map>

#include "sobolev/pinn/problem.hpp"
#include "src/pinn/toml_reader.hpp"

namespace sobolev {
namespace {
std::vector<std::filesystem::path> zoo_folders() {
  std::vector<std::filesystem::path> folders;
  std::error_code status;
  if (const char* own = std::getenv("SOBOLEV_PROBLEMS"); own != nullptr && *own != '\0') {
    if (!std::filesystem::is_directory(own, status))
      throw FileError(fmt::format("SOBOLEV_PROBLEMS={}: no such folder", own));
    folders.emplace_back(own);
  }
  folders.emplace_back(SOBOLEV_PROBLEMS_SOURCE_DIR);
  folders.emplace_back(SOBOLEV_PROBLEMS_INSTALL_DIR);
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", status);
  if (!status) {
    folders.push_back(program.parent_path() / "problems");
    folders.push_back(program.parent_path().parent_path() / "share/sobolev/problems");
  }
  return folders;
}
}  // namespace

std::vector<std::pair<std::string, std::filesystem::path>> zoo() {
  std::map<std::string, std::filesystem::path> found;  // the first folder that has a name wins
  for (const std::filesystem::path& folder : zoo_folders()) {
    std::error_code status;
    for (const auto& entry : std::filesystem::directory_iterator(folder, status))
      if (entry.path().extension() == ".toml" && entry.is_regular_file(status))
        found.emplace(entry.path().stem().string(), entry.path());
  }
  return {found.begin(), found.end()};
}

std::filesystem::path find_problem(const std::string& path_or_name) {
  std::error_code status;
  const bool path_like = path_or_name.find('/') != std::string::npos || path_or_name.ends_with(".toml");
  if (std::filesystem::is_regular_file(path_or_name, status)) return path_or_name;
  if (path_like && std::filesystem::exists(path_or_name, status))
    return path_or_name;  // reading it says what it is
  if (path_like) throw FileError(fmt::format("{}: no such file", path_or_name));
  std::vector<std::string> names;
  for (const auto& [name, path] : zoo()) {
    if (name == path_or_name) return path;
    names.push_back(name);
  }
  throw FileError(fmt::format("{}: no such file, and no problem of the zoo{}{}", path_or_name,
                              detail::suggestion(path_or_name, names),
                              names.empty() ? "" : "; it has " + detail::word_list(names)));
}

}  // namespace sobolev
