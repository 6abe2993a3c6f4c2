// SPDX-License-Identifier: Apache-2.0
// Uniform and normal numbers of a Philox stream.                    u, z : [n]
// Blocks of 128 counters, two numbers each, round by round: 20 products of 32 bits per pair of numbers and
// sizeof(T) bytes written per number; normals add a logarithm, a root, a sine and a cosine per pair. Bound by
// the multipliers, not by memory.
#include "sobolev/core/random.hpp"

#include "kernels/common/dispatch.hpp"
#include "kernels/core/random_math.hpp"

SOBOLEV_DECLARE_TARGETS(template <class T> void random_block(std::uint64_t seed, std::uint64_t stream,
                                                             std::uint64_t pair, bool normal, T* to);)

namespace sobolev::SOBOLEV_TARGET {
namespace {
constexpr int pairs = 128;  // of a block
}

/// Numbers 2·pair … 2·(pair + pairs) − 1 of the stream.
template <class T>
void random_block(std::uint64_t seed, std::uint64_t stream, std::uint64_t pair, bool normal, T* to) {
  std::uint32_t c0[pairs], c1[pairs], c2[pairs], c3[pairs];
  for (int j = 0; j < pairs; ++j) {
    const std::uint64_t counter = (pair + std::uint64_t(j)) & philox_pairs;
    c0[j] = std::uint32_t(counter);
    c1[j] = std::uint32_t(counter >> 32);
    c2[j] = std::uint32_t(stream);
    c3[j] = std::uint32_t(stream >> 32);
  }
  std::uint32_t key0 = std::uint32_t(seed), key1 = std::uint32_t(seed >> 32);
  for (int round = 0; round < philox_rounds; ++round, philox_next_key(key0, key1))
#pragma omp simd
    for (int j = 0; j < pairs; ++j) philox_round(key0, key1, c0[j], c1[j], c2[j], c3[j]);
  if (!normal) {
#pragma omp simd
    for (int j = 0; j < pairs; ++j) {
      to[2 * j] = uniform_of<T>(c0[j], c1[j]);
      to[2 * j + 1] = uniform_of<T>(c2[j], c3[j]);
    }
    return;
  }
  double u[pairs], v[pairs];
#pragma omp simd
  for (int j = 0; j < pairs; ++j) {
    u[j] = uniform_of<double>(c0[j], c1[j]);
    v[j] = uniform_of<double>(c2[j], c3[j]);
  }
  for (int j = 0; j < pairs; j += lanes<double>) {
    Vec<double> first, second;
    normal_pair(load<double>(u + j), load<double>(v + j), first, second);
    store<double>(u + j, first);
    store<double>(v + j, second);
  }
  for (int j = 0; j < pairs; ++j) {
    to[2 * j] = T(u[j]);
    to[2 * j + 1] = T(v[j]);
  }
}
template void random_block<float>(std::uint64_t, std::uint64_t, std::uint64_t, bool, float*);
template void random_block<double>(std::uint64_t, std::uint64_t, std::uint64_t, bool, double*);
}  // namespace sobolev::SOBOLEV_TARGET

#if SOBOLEV_DISPATCHER
#include <algorithm>

namespace sobolev {
namespace {
constexpr std::size_t block = 2 * SOBOLEV_TARGET::pairs;  // numbers

template <class T>
void fill(const Cpu& cpu, const Philox& random, std::uint64_t first, bool normal, View<T, 1> to) {
  const std::size_t skip = first % 2, n = to.size(), blocks = (n + skip + block - 1) / block;
#pragma omp parallel for num_threads(cpu.threads()) schedule(static) if (n > 64 * block)
  for (std::size_t b = 0; b < blocks; ++b) {
    const std::uint64_t pair = first / 2 + b * (block / 2);
    const std::size_t begin = b == 0 ? 0 : b * block - skip, end = std::min(n, (b + 1) * block - skip);
    if (end - begin == block) {
      SOBOLEV_CALL(random_block<T>, random.seed(), random.stream(), pair, normal, to.data() + begin);
      continue;
    }
    T numbers[block];
    SOBOLEV_CALL(random_block<T>, random.seed(), random.stream(), pair, normal, numbers);
    std::copy_n(numbers + (b == 0 ? skip : 0), end - begin, to.data() + begin);
  }
}
}  // namespace

template <class T>
void fill_uniform(const Cpu& cpu, const Philox& random, std::uint64_t first, View<T, 1> u) {
  fill<T>(cpu, random, first, false, u);
}
template <class T>
void fill_normal(const Cpu& cpu, const Philox& random, std::uint64_t first, View<T, 1> z) {
  fill<T>(cpu, random, first, true, z);
}
template void fill_uniform<float>(const Cpu&, const Philox&, std::uint64_t, View<float, 1>);
template void fill_uniform<double>(const Cpu&, const Philox&, std::uint64_t, View<double, 1>);
template void fill_normal<float>(const Cpu&, const Philox&, std::uint64_t, View<float, 1>);
template void fill_normal<double>(const Cpu&, const Philox&, std::uint64_t, View<double, 1>);
}  // namespace sobolev
#endif
