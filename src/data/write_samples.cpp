// SPDX-License-Identifier: Apache-2.0
// Samples into a file, as many at a time as memory holds.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "sobolev/core/buffer.hpp"
#include "sobolev/core/error.hpp"
#include "sobolev/core/version.hpp"
#include "sobolev/data/generators.hpp"
#include "sobolev/io/atomic_file.hpp"
#include "src/io/sha256.hpp"

namespace sobolev {
namespace {
constexpr std::size_t most_at_once = std::size_t{1} << 28;  // bytes of samples in memory
constexpr double gigabyte = 1e9;

std::size_t values_of(const Generator& generator) {
  std::size_t sum = 0;
  for (const auto& array : generator.arrays()) sum += array.values();
  return sum;
}

/// How many samples are made at a time: enough for all threads, if there is memory.
std::size_t batch_of(const Cpu& cpu, const Generator& generator, const WriteSamplesOptions& options) {
  const std::size_t each = values_of(generator) * (sizeof(double) + (options.single ? sizeof(float) : 0));
  const std::size_t threads = std::min(std::size_t(cpu.threads()), options.samples);
  const std::size_t batch = std::clamp(most_at_once / each, threads, std::max(threads, options.samples));
  const double needed = double(threads) * double(generator.worker_memory()) + double(batch) * double(each);
  const double memory = double(::sysconf(_SC_PHYS_PAGES)) * double(::sysconf(_SC_PAGESIZE));
  if (memory > 0 && needed > memory)
    throw OutOfMemory(
        fmt::format("{} with {} points and {} threads needs {:.1f} GB of memory, the machine has {:.1f}; use "
                    "fewer threads, "
                    "a smaller grid or fewer times",
                    generator.name(), generator.grid(), threads, needed / gigabyte, memory / gigabyte));
  return batch;
}

void check_place(const std::filesystem::path& path, double bytes) {
  std::filesystem::path folder = check_replaceable(path).parent_path();
  if (folder.empty()) folder = ".";
  require_writable(folder);
  std::error_code unknown;
  const auto space = std::filesystem::space(folder, unknown);
  if (!unknown && double(space.available) < bytes)
    throw FileError(fmt::format("{}: the samples take {:.2f} GB, and {:.2f} GB are free there", path.string(),
                                bytes / gigabyte, double(space.available) / gigabyte));
}

template <class T>
class Writer {
 public:
  Writer(const Generator& generator, const std::filesystem::path& path, const WriteSamplesOptions& options)
      : generator_(generator), file_(path) {
    for (const auto& array : generator.arrays()) {
      std::vector<std::size_t> shape{options.samples};
      shape.insert(shape.end(), array.shape.begin(), array.shape.end());
      file_.template create<T>(array.name, shape);
    }
    for (const auto& [name, tensor] : generator.shared()) {
      file_.template create<double>(name, tensor.shape);
      file_.template write<double>(name, 0,
                                   View<const double, 2>(tensor.values.data(), tensor.values.size(), 1));
    }
    for (const auto& [key, value] : generator.options()) file_.attribute("", key, value);
    file_.attribute("", "generator", generator.name());
    file_.attribute("", "version", version());
    constexpr std::uint64_t exact = std::uint64_t{1}
                                    << 53;  // whole numbers up to here are numbers of float64
    if (options.seed <= exact)
      file_.attribute("", "seed", double(options.seed));
    else
      file_.attribute("", "seed", std::to_string(options.seed));
    file_.attribute("", "samples", double(options.samples));
  }

  void add(std::size_t first, std::span<const View<double, 2>> rows) {
    const std::size_t count = rows.front().extent(0);
    for (std::size_t n = 0; n < count; ++n)
      for (const View<double, 2>& part : rows) {
        const std::size_t size = part.extent(1);
        const double* from = part.data() + n * size;
        if constexpr (std::is_same_v<T, double>) {
          hash_.add(from, size * sizeof(double));
        } else {
          narrow_.assign(from, from + size);
          hash_.add(narrow_.data(), size * sizeof(T));
        }
      }
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::string& name = generator_.arrays()[i].name;
      if constexpr (std::is_same_v<T, double>) {
        file_.template write<double>(name, first, rows[i]);
      } else {
        narrow_.assign(rows[i].begin(), rows[i].end());
        file_.template write<T>(name, first, View<const T, 2>(narrow_.data(), count, rows[i].extent(1)));
      }
    }
  }

  std::string finish() {
    const std::string hash = hash_.finish();
    file_.attribute("", "sha256", hash);
    file_.finish();
    return hash;
  }

 private:
  const Generator& generator_;
  ArrayFileWriter file_;
  detail::Sha256 hash_;
  std::vector<T> narrow_;
};

template <class T>
WrittenSamples write(const Cpu& cpu, const Generator& generator, const std::filesystem::path& path,
                     const WriteSamplesOptions& options) {
  const std::size_t batch = batch_of(cpu, generator, options);
  check_place(path, double(options.samples) * double(values_of(generator)) * sizeof(T));
  Writer<T> writer(generator, path, options);
  Buffer<double> memory(batch * values_of(generator));
  for (std::size_t first = 0; first < options.samples; first += batch) {
    const std::size_t count = std::min(batch, options.samples - first);
    std::vector<View<double, 2>> rows;
    double* at = memory.data();
    for (const auto& array : generator.arrays()) {
      rows.emplace_back(at, count, array.values());
      at += count * array.values();
    }
    GenerateControl control = options.control;
    if (control.on_sample) control.on_sample = [&](std::size_t n) { options.control.on_sample(first + n); };
    if (!generate(cpu, generator, options.seed, first, rows, control)) return {};
    writer.add(first, rows);
  }
  return {true, writer.finish()};
}
}  // namespace

WrittenSamples write_samples(const Cpu& cpu, const Generator& generator, const std::filesystem::path& path,
                             const WriteSamplesOptions& options) {
  require(options.samples >= 1, "0 samples; give at least 1");
  return options.single ? write<float>(cpu, generator, path, options)
                        : write<double>(cpu, generator, path, options);
}

}  // namespace sobolev
