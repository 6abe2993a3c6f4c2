// SPDX-License-Identifier: Apache-2.0
#include "kernels/simulated/mma.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace sobolev::simulated {
namespace {
constexpr unsigned lanes = 32;
using Parts = std::vector<MmaPart>;
/// Of each thread of the block that this OS thread runs; those of before where nothing is pending.
thread_local std::vector<Parts> parts_of_thread(1024);

/// To float32, towards zero.
float truncate(double value) {
  const float nearest = float(value);
  if (std::isfinite(nearest) && std::abs(double(nearest)) > std::abs(value))
    return std::nextafter(nearest, 0.0f);
  return nearest;
}

/// The k-th element of the quarter of the sum that a lane has: of A at row group + 8 half, of B at column
/// group.
template <MmaKind kind>
double left(const MmaPart& part, int half, int k) {
  if constexpr (kind == MmaKind::tf32) return __uint_as_float(part.a[2 * k + half] & ~0x1fffu);
  const std::uint32_t pair = part.a[k / 2 * 2 + half];
  return __uint_as_float(k % 2 == 0 ? pair << 16 : pair & 0xffff0000u);
}
template <MmaKind kind>
double right(const MmaPart& part, int k) {
  if constexpr (kind == MmaKind::tf32) return __uint_as_float(part.b[k] & ~0x1fffu);
  const std::uint32_t pair = part.b[k / 2];
  return __uint_as_float(k % 2 == 0 ? pair << 16 : pair & 0xffff0000u);
}

/// C += A B for C : [16][8].
template <MmaKind kind>
void multiply_add(const std::array<const MmaPart*, lanes>& of_lane) {
  constexpr int depth = kind == MmaKind::tf32 ? 2 : 4;  // elements of the sum in each lane
  double a[4 * depth][16], b[4 * depth][8], c[16][8];
  for (unsigned lane = 0; lane < lanes; ++lane) {
    const unsigned group = lane / 4, member = lane % 4;
    const MmaPart& part = *of_lane[lane];
    for (int k = 0; k < depth; ++k) {
      for (int half = 0; half < 2; ++half)
        a[int(member) * depth + k][group + 8 * unsigned(half)] = left<kind>(part, half, k);
      b[int(member) * depth + k][group] = right<kind>(part, k);
    }
    const float* sum = static_cast<const float*>(part.sum);
    for (unsigned i = 0; i < 4; ++i) c[group + i / 2 * 8][2 * member + i % 2] = double(sum[i]);
  }
  for (int k = 0; k < 4 * depth; ++k)
    for (int row = 0; row < 16; ++row)
      for (int column = 0; column < 8; ++column) c[row][column] += a[k][row] * b[k][column];
  for (unsigned lane = 0; lane < lanes; ++lane) {
    float* sum = static_cast<float*>(of_lane[lane]->sum);
    for (unsigned i = 0; i < 4; ++i) sum[i] = truncate(c[lane / 4 + i / 2 * 8][2 * (lane % 4) + i % 2]);
  }
}

/// The same in float64 for C : [8][8] and A : [8][4].
void multiply_add_f64(const std::array<const MmaPart*, lanes>& of_lane) {
  for (unsigned lane = 0; lane < lanes; ++lane) {
    const unsigned group = lane / 4, member = lane % 4;
    double* sum = static_cast<double*>(of_lane[lane]->sum);
    for (unsigned i = 0; i < 2; ++i)
      for (unsigned m = 0; m < 4; ++m)
        sum[i] += of_lane[4 * group + m]->left * of_lane[4 * (2 * member + i) + m]->right;
  }
}

[[noreturn]] void fail_different(const Place& place) {
  thread::fail(fmt::format("lanes of its warp ask for different matrix instructions, one of them at {}:{}",
                           place.file, place.line));
}

/// The products of a warp, in their order, once all of its lanes have come to the same commit.
void do_products(const std::uint64_t* addresses) {
  std::array<const Parts*, lanes> parts;
  for (unsigned lane = 0; lane < lanes; ++lane) {
    parts[lane] = from_bits<const Parts*>(addresses[lane]);
    const std::size_t other = parts[lane]->size(), count = parts[0]->size();
    if (other != count)
      fail_different((other > count ? *parts[lane] : *parts[0])[std::min(other, count)].place);
  }
  for (std::size_t i = 0; i < parts[0]->size(); ++i) {
    std::array<const MmaPart*, lanes> of_lane;
    const MmaPart& first = (*parts[0])[i];
    for (unsigned lane = 0; lane < lanes; ++lane) {
      of_lane[lane] = &(*parts[lane])[i];
      if (of_lane[lane]->kind != first.kind || of_lane[lane]->place.line != first.place.line)
        fail_different(first.place);
    }
    switch (first.kind) {
      case MmaKind::tf32: multiply_add<MmaKind::tf32>(of_lane); break;
      case MmaKind::bf16: multiply_add<MmaKind::bf16>(of_lane); break;
      case MmaKind::f64: multiply_add_f64(of_lane); break;
    }
  }
}
}  // namespace

void ask_for(const MmaPart& part) {
  Parts& parts = parts_of_thread[thread::number()];
  bool& pending = thread::pending();
  if (!pending) parts.clear();
  pending = true;
  parts.push_back(part);
}

void commit(const Place& place) {
  Parts& parts = parts_of_thread[thread::number()];
  bool& pending = thread::pending();
  if (!pending) parts.clear();
  pending = false;
  thread::exchange("mma_commit", 0xffffffffu, to_bits(&parts), place, do_products);
}
}  // namespace sobolev::simulated
