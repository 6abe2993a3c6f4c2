// SPDX-License-Identifier: Apache-2.0
// Example 07: u(t, x) = exp(−4π² ν t) sin 2π(x + s) of many samples s, written to a data file and read by
// parts.
//
// Files of operator learning are larger than memory: they are written and read by rows, the samples. HDF5,
// MATLAB, .npz, .npy and safetensors files are read by the same few calls; what a file is, its bytes say.
// Here a "prediction" with a wrong ν is measured against the file by what the literature reports.
//
// Expect: 1000 samples of 11 x 64, relative L2 0[.]096[0-9], nRMSE 0[.]092[0-9]
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <numbers>
#include <vector>

#include "sobolev/data/field_metrics.hpp"
#include "sobolev/io/array_file.hpp"

using namespace sobolev;

constexpr std::size_t samples = 1000, times = 11, points = 64, row = times * points;
constexpr double pi = std::numbers::pi;

std::vector<float> fields(std::size_t first, std::size_t count, double nu) {
  std::vector<float> u;
  for (std::size_t s = first; s < first + count; ++s)
    for (std::size_t t = 0; t < times; ++t)
      for (std::size_t x = 0; x < points; ++x)
        u.push_back(float(std::exp(-4 * pi * pi * nu * 0.1 * double(t)) *
                          std::sin(2 * pi * (double(x) / points + double(s) / samples))));
  return u;
}

// [write]
void write(const std::filesystem::path& path) {
  ArrayFileWriter file(path);  // .h5 or .hdf5, or .npz
  file.create<float>("tensor", {samples, times, points});
  for (std::size_t first = 0; first < samples; first += 100) {
    const std::vector<float> u = fields(first, 100, 0.01);
    file.write<float>("tensor", first, View<const float, 2>(u.data(), 100, row));
  }
  file.attribute("", "Nu", 0.01);
  file.finish();  // now it is there, whole
}
// [/write]

// [read]
FieldMetrics errors_of_wrong_nu(const std::filesystem::path& path) {
  const ArrayFile file(path);
  const std::vector<std::size_t>& shape = file.array("tensor").shape;
  FieldErrors errors({{points}, {1}, {true}}, times);  // the times as channels
  std::vector<float> u(100 * row);
  for (std::size_t first = 0; first < shape[0]; first += 100) {
    file.read("tensor", first, View<float, 2>(u.data(), 100, row));
    const std::vector<float> wrong = fields(first, 100, 1.5 * std::get<double>(file.attributes().at("Nu")));
    errors.add(View<const float, 3>(wrong.data(), 100, times, points),
               View<const float, 3>(u.data(), 100, times, points));
  }
  return errors.metrics();
}
// [/read]

int main() {
  const std::filesystem::path path = std::filesystem::temp_directory_path() / "sobolev_example_07.h5";
  write(path);
  const FieldMetrics metrics = errors_of_wrong_nu(path);
  std::printf("%zu samples of %zu x %zu, relative L2 %.4f, nRMSE %.4f\n", samples, times, points,
              metrics.relative_l2, metrics.nrmse);
  std::filesystem::remove(path);
}
