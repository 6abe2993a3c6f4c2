// SPDX-License-Identifier: Apache-2.0
// Fields to their lowest coefficients and back. Bytes: the field once and the coefficients once.
#include "benchmarks/limits.hpp"
#include "sobolev/core/buffer_on.hpp"
#include "sobolev/spectral/truncated_transform.hpp"

namespace sobolev::bench {
namespace {
struct Work {
  const char* name;
  std::size_t batch;
  std::vector<std::size_t> grid, modes;
  std::size_t channels;
};
const std::vector<Work>& works() {
  static const std::vector<Work> all{
      {"64x64", 16, {64, 64}, {12, 12}, 32}, {"128x128", 16, {128, 128}, {12, 12}, 32},
      {"85x85", 20, {85, 85}, {12, 12}, 32}, {"1024", 16, {1024}, {16}, 64},
      {"8192", 16, {8192}, {16}, 64},        {"32x32x32", 8, {32, 32, 32}, {8, 8, 8}, 20}};
  return all;
}

template <class T, class E>
void transform_bench(benchmark::State& state, const E& executor, const Work& work, bool back) {
  TruncatedTransform<T, E> transform(executor, work.grid, lowest_modes(work.modes));
  const std::size_t b = work.batch, n = transform.points(), m = transform.mode_count(), c = work.channels;
  const std::vector<T> host = numbers<T>(b * n * c);
  auto x = zeros<T>(executor, b * n * c), v = zeros<T>(executor, b * m * 2 * c);
  const View<T, 3> field(x.data(), b, n, c);
  const View<T, 4> modes(v.data(), b, m, 2, c);
  upload<T, 3>(executor, View<const T, 3>(host.data(), b, n, c), field);
  const double rate = copy_rate(b * n * c * sizeof(T));
  transform.analyse(field, modes);
  for (auto _ : state) {
    if (back)
      transform.synthesise(modes, field);
    else
      transform.analyse(field, modes);
#if SOBOLEV_HAS_CUDA
    if constexpr (std::is_same_v<E, Cuda>) executor.synchronize();
#endif
  }
  report_bytes(state, double(b * (n + 2 * m) * c * sizeof(T)), rate);
}
[[maybe_unused]] const bool registered = [] {
  for (const Work& work : works())
    for (const bool back : {false, true}) {
      const std::string name = std::string(back ? "synthesise/" : "analyse/") + work.name;
      benchmark::RegisterBenchmark((name + "/float").c_str(), transform_bench<float, Cpu>, cpu(), work, back)
          ->UseRealTime()
          ->Unit(benchmark::kMillisecond);
#if SOBOLEV_HAS_CUDA
      on_cuda([&](const Cuda& cuda) {
        benchmark::RegisterBenchmark((name + "/float/cuda").c_str(), transform_bench<float, Cuda>, cuda, work,
                                     back)
            ->UseRealTime()
            ->Unit(benchmark::kMillisecond);
      });
#endif
    }
  return true;
}();
}  // namespace
}  // namespace sobolev::bench
