// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sobolev/io/tensor.hpp"

namespace sobolev {

/// NumPy's .npy: float64 or float32, little-endian, C order. FileError says what else was found and how
/// to save it right. Source: NumPy Enhancement Proposal 1, versions 1.0 to 3.0 of the format.
Tensor read_npy(const std::filesystem::path& path);
/// Writes float64, whole or not at all.
void write_npy(const std::filesystem::path& path, const Tensor& tensor);

/// NumPy's .npz: a zip archive of .npy files, stored or deflated; checksums are checked.
NamedTensors read_npz(const std::filesystem::path& path);
/// Single arrays of an .npz file: nothing is unpacked that is not asked for.
class NpzFile {
 public:
  explicit NpzFile(const std::filesystem::path& path);
  ~NpzFile();
  NpzFile(const NpzFile&) = delete;
  NpzFile& operator=(const NpzFile&) = delete;
  std::vector<std::string> names() const;
  /// FileError when there is none of that name, or it would unpack to more than `most_values` numbers: a
  /// small file can hold an array of many gigabytes.
  Tensor read(const std::string& name, std::size_t most_values) const;

 private:
  struct Archive;
  std::unique_ptr<Archive> archive_;
};
/// Writes float64, stored, whole or not at all. The same arrays give the same bytes. before_rename as for
/// atomic_write.
void write_npz(const std::filesystem::path& path, const NamedTensors& tensors,
               const std::function<void()>& before_rename = {});

}  // namespace sobolev
