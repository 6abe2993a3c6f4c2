// SPDX-License-Identifier: Apache-2.0
// Where the problems that ship with the library are found.
#include "src/problem/zoo.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <map>

#include "sobolev/core/words.hpp"
#include "sobolev/problem/problem.hpp"

namespace sobolev {
namespace {
/// The file that this code was loaded from: the shared library, or the program.
std::filesystem::path own_file() {
  Dl_info info;
  if (dladdr(reinterpret_cast<const void*>(&own_file), &info) == 0 || info.dli_fname == nullptr) return {};
  std::error_code status;
  const std::filesystem::path file = std::filesystem::canonical(info.dli_fname, status);
  return status ? std::filesystem::path() : file;
}

std::vector<std::filesystem::path> folders_of(const std::string& kind, const std::filesystem::path& package) {
  std::vector<std::filesystem::path> folders;
  std::error_code status;
  std::string variable = "SOBOLEV_";
  for (const char c : kind) variable += char(std::toupper(static_cast<unsigned char>(c)));
  if (const char* own = std::getenv(variable.c_str()); own != nullptr && *own != '\0') {
    if (!std::filesystem::is_directory(own, status))
      throw FileError(fmt::format("{}={}: no such folder", variable, own));
    folders.emplace_back(own);
  }
  // Folders above prefix/bin/program, prefix/lib/libsobolev.so or build/bin/program: nothing of where they
  // were built or installed is known, so they may be moved.
  for (const std::filesystem::path& file :
       {std::filesystem::read_symlink("/proc/self/exe", status), own_file()})
    for (std::filesystem::path at = file.parent_path(); at.has_relative_path(); at = at.parent_path())
      folders.push_back(at / "share/sobolev" / kind);
  if (!package.empty()) folders.push_back(package);
  return folders;
}
}  // namespace

namespace detail {
std::vector<std::pair<std::string, std::filesystem::path>> shipped_files(
    const std::string& kind, const std::filesystem::path& package) {
  std::map<std::string, std::filesystem::path> found;  // the first folder that has a name wins
  for (const std::filesystem::path& folder : folders_of(kind, package)) {
    std::error_code status;
    for (const auto& entry : std::filesystem::directory_iterator(folder, status))
      if (entry.path().extension() == ".toml" && entry.is_regular_file(status))
        found.emplace(entry.path().stem().string(), entry.path());
  }
  return {found.begin(), found.end()};
}

std::filesystem::path find_shipped(const std::string& path_or_name, const std::string& kind,
                                   const std::string& what, const std::filesystem::path& package) {
  std::error_code status;
  const bool path_like = path_or_name.find('/') != std::string::npos || path_or_name.ends_with(".toml");
  if (std::filesystem::is_regular_file(path_or_name, status)) return path_or_name;
  if (path_like && std::filesystem::exists(path_or_name, status))
    return path_or_name;  // reading it says what it is
  if (path_like) throw FileError(fmt::format("{}: no such file", path_or_name));
  std::vector<std::string> names;
  for (const auto& [name, path] : shipped_files(kind, package)) {
    if (name == path_or_name) return path;
    names.push_back(name);
  }
  throw FileError(fmt::format("{}: no such file, and no {}{}{}", path_or_name, what,
                              suggestion(path_or_name, names),
                              names.empty() ? "" : "; there are " + word_list(names)));
}
}  // namespace detail

std::vector<std::pair<std::string, std::filesystem::path>> zoo(const std::filesystem::path& package) {
  return detail::shipped_files("problems", package);
}

std::filesystem::path find_problem(const std::string& path_or_name, const std::filesystem::path& package) {
  return detail::find_shipped(path_or_name, "problems", "problem of the zoo", package);
}

}  // namespace sobolev
