// SPDX-License-Identifier: Apache-2.0
#pragma once
// Data and models for trainings of a second.
#include <cmath>
#include <filesystem>
#include <numbers>
#include <string>
#include <vector>

#include "sobolev/core/random.hpp"
#include "sobolev/io/array_file.hpp"
#include "sobolev/operators/operator_model.hpp"
#include "tests/io/temporary_folder.hpp"

namespace sobolev::testing {

/// u = a + a'/4 of periodic fields of three random waves.
inline std::filesystem::path write_samples(const TemporaryFolder& folder, std::size_t samples,
                                           std::size_t points) {
  const std::filesystem::path path = folder / "waves.npz";
  std::vector<double> a(samples * points), u(samples * points);
  for (std::size_t s = 0; s < samples; ++s) {
    const Philox random(9, s);
    for (std::size_t i = 0; i < points; ++i)
      for (std::size_t k = 1; k <= 3; ++k) {
        const double phase = 2 * std::numbers::pi * (double(k * i) / double(points) + random.uniform(10 + k));
        const double size = random.normal(k);
        a[s * points + i] += 5 + size * std::sin(phase);
        u[s * points + i] += size * (std::sin(phase) + double(k) / 4 * std::cos(phase));
      }
  }
  ArrayFileWriter file(path);
  for (const auto& [name, values] : {std::pair("a", &a), std::pair("u", &u)}) {
    file.create<double>(name, {samples, points});
    file.write<double>(name, 0, View<const double, 2>(values->data(), samples, points));
  }
  file.finish();
  return path;
}

inline OperatorFile small_model(const std::filesystem::path& data,
                                const std::vector<std::string>& overrides = {}) {
  std::vector<std::string> all{"data.file=\"" + data.string() + "\""};
  all.insert(all.end(), overrides.begin(), overrides.end());
  return OperatorFile::from_string(R"(
[model]
kind = "fno"
modes = 4
width = 8
layers = 2
projection = 16

[data]
file = "?"
inputs = "a"
outputs = "u"
train = 40
test = 10

[training]
batch = 8
epochs = 60
learning_rate = 5e-3
seed = 3
)",
                                   "small.toml", all);
}

/// s = ∫₀^y u of two random waves at 20 sensors: s at the sensors, or at five places of each sample.
inline std::filesystem::path write_integrals(const TemporaryFolder& folder, std::size_t samples,
                                             bool aligned) {
  const std::filesystem::path path = folder / (aligned ? "aligned.npz" : "unaligned.npz");
  const std::size_t m = 20, places = aligned ? m : 5;
  std::vector<double> u(samples * m), y(samples * places), s(samples * places);
  for (std::size_t i = 0; i < samples; ++i) {
    const Philox random(5, i);
    const double a = random.normal(0), b = random.normal(1);
    for (std::size_t j = 0; j < m; ++j) {
      const double x = double(j) / double(m - 1);
      u[i * m + j] = a + b * std::cos(2 * x);
    }
    for (std::size_t p = 0; p < places; ++p) {
      const double x = aligned ? double(p) / double(m - 1) : random.uniform(10 + p);
      y[i * places + p] = x;
      s[i * places + p] = a * x + b * std::sin(2 * x) / 2;
    }
  }
  ArrayFileWriter file(path);
  const auto write = [&](const char* name, const std::vector<double>& values, std::size_t rows,
                         std::size_t row) {
    file.create<double>(name,
                        row == 0 ? std::vector<std::size_t>{rows} : std::vector<std::size_t>{rows, row});
    file.write<double>(name, 0, View<const double, 2>(values.data(), rows, std::max<std::size_t>(row, 1)));
  };
  write("u", u, samples, m);
  write("s", s, samples, places);
  if (aligned)
    write("y", {y.begin(), y.begin() + std::ptrdiff_t(m)}, m, 0);
  else
    write("y", y, samples, places);
  file.finish();
  return path;
}

inline OperatorFile small_deeponet(const std::filesystem::path& data,
                                   const std::vector<std::string>& overrides = {}) {
  std::vector<std::string> all{"data.file=\"" + data.string() + "\""};
  all.insert(all.end(), overrides.begin(), overrides.end());
  return OperatorFile::from_string(R"(
[model]
kind = "deeponet"
branch = [16]
trunk = [16, 16]
basis = 8

[data]
file = "?"
inputs = "u"
outputs = "s"
points = "y"
train = 60
test = 10

[training]
batch = 20
epochs = 400
learning_rate = 5e-3
)",
                                   "deeponet.toml", all);
}
/// u(t, x) = e^−t a(x) of random waves a: u_t = −u.
inline std::filesystem::path write_decay(const TemporaryFolder& folder, std::size_t samples) {
  const std::filesystem::path path = folder / "decay.npz";
  const std::size_t nx = 16, nt = 8;
  std::vector<double> a, u;
  for (std::size_t i = 0; i < samples; ++i) {
    const Philox random(6, i);
    std::vector<double> wave;
    for (std::size_t j = 0; j < nx; ++j)
      wave.push_back(random.normal(0) +
                     random.normal(1) * std::sin(2 * std::numbers::pi * double(j) / double(nx)));
    a.insert(a.end(), wave.begin(), wave.end());
    for (std::size_t t = 0; t < nt; ++t)
      for (const double value : wave) u.push_back(std::exp(-double(t) / double(nt - 1)) * value);
  }
  ArrayFileWriter file(path);
  file.create<double>("a", {samples, nx});
  file.write<double>("a", 0, View<const double, 2>(a.data(), samples, nx));
  file.create<double>("u", {samples, nt, nx});
  file.write<double>("u", 0, View<const double, 2>(u.data(), samples, nt * nx));
  file.finish();
  return path;
}
inline OperatorFile small_pino(const std::filesystem::path& data,
                               const std::vector<std::string>& overrides = {}) {
  std::vector<std::string> all{"data.file=\"" + data.string() + "\""};
  all.insert(all.end(), overrides.begin(), overrides.end());
  return OperatorFile::from_string(R"(
[model]
kind = "fno"
modes = [2, 3]
width = 8
layers = 2
projection = 16
padding = [4, 0]

[data]
file = "?"
inputs = "a"
outputs = "u"
train = 16
test = 8

[physics]
coordinates = { t = [0, 1], x = [0, 1] }
periodic = ["x"]
constants = { rate = "2/2" }
equations = { decay = "u_t = -rate*u" }
data = 0
initial = 1

[training]
batch = 8
epochs = 150
learning_rate = 1e-2
)",
                                   "pino.toml", all);
}
inline double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (double v : values) sum += v / double(values.size());
  return sum;
}

}  // namespace sobolev::testing
