// SPDX-License-Identifier: Apache-2.0
#pragma once
// The matrix products of a network's layer, by one thread block of 256 threads with operands staged in shared
// memory, in two ways: FmaShape multiplies by the threads' FMA units, MmaShape by the warps' matrix units.
//
// block_product: sum[f][c] = Σ_k a(k, feature f) b[k][column c], a layer and the way back through it.
//
// block_product_of_rows: sum[f][g] = Σ_r a[row f][r] b[row g][r], the gradient of its weights.
//
// A thread's columns are all channels of a few points: of index channel · points + j, column channel ·
// tile_points + point(j). While a chunk of a sum is worked on, the next one is on its way.
//
// Limits per step of a sum: FmaShape reads F + C operands a thread for F·C FMAs, bound by the FMA units from
// 8 × 6 on. MmaShape<float> reads 2 row tiles · 4 + 6 · 2 words a lane for 12 instructions of 1,024 FMAs
// (three times as many for split operands, whose splitting costs 3 instructions a word): bound by the matrix
// units. MmaShape<double> reads 8 words of 8 bytes for 12 instructions of 256 FMAs.
#include "kernels/common/cuda.hpp"
#include "kernels/common/mma.hpp"

namespace sobolev::SOBOLEV_TARGET {

/// Threads as 16 × 16, F features and `points` points of all channels each.
template <class Jet_, class T_, int F_, int points_>
struct FmaShape {
  using Jet = Jet_;
  using T = T_;
  static constexpr bool tensor = false;
  static constexpr int blocks = 2;  // of a multiprocessor
  static constexpr int side = 16, threads = side * side;
  static constexpr int F = F_, points = points_;                                              // of a thread
  static constexpr int C = Jet::unrolled ? Jet::max_channels * points_ : 8;                   // of a thread
  static constexpr int features = side * F, columns = side * C, tile_points = side * points;  // of a block
  static constexpr int chunk = 16;  // of a sum, staged
  static constexpr int row_pitch = features, column_pitch = columns, sum_pitch = chunk + 1;
  static constexpr int gradient_rows = F, gradient_columns = F;  // of a thread
  static constexpr int transposed_row_step = 1, transposed_sum_step = row_pitch;
  static constexpr int product_stage = chunk * (row_pitch + column_pitch),
                       rows_stage = 2 * features * sum_pitch;
  static constexpr int stage = product_stage > rows_stage ? product_stage : rows_stage;  // elements, of two
  static constexpr std::size_t shared_bytes = 2 * sizeof(T) * std::size_t(stage);

  /// Places of thread t's f-th feature, c-th column and j-th point in a product, and in the product of rows.
  static __device__ int feature(int t, int f) { return t / side * F + f; }
  static __device__ int column(int t, int c) { return c * side + t % side; }
  static __device__ int point(int t, int j) { return j * side + t % side; }
  static __device__ int gradient_row(int t, int f) { return side * f + t / side; }
  static __device__ int gradient_column(int t, int g) { return side * g + t % side; }
};

/// warps × 8/warps warps, each with `tiles` row tiles of a matrix instruction and `groups` groups of 8 points
/// of all channels. Pitches keep the lanes of a load in different banks.
template <class Jet_, class T_, int warps, int tiles, int groups>
struct MmaShape {
  using Jet = Jet_;
  using T = T_;
  static constexpr bool tensor = true;
  // Split operands and 64 sums take a few registers more than two blocks leave.
  static constexpr int blocks = sizeof(T) == 4 ? 1 : 2;
  static constexpr int threads = 256, side = 16;
  static constexpr int halves = sizeof(T) == 4 ? 2 : 1;  // rows of a lane in an instruction, 8 apart
  static constexpr int F = tiles * halves, points = 2 * groups, C = Jet::max_channels * points;
  static constexpr int features = warps * tiles * halves * 8, tile_points = 8 / warps * groups * 8;
  static constexpr int columns = Jet::max_channels * tile_points, chunk = 16;
  static constexpr int pad = 32 / int(sizeof(T));
  static constexpr int row_pitch = features + pad, column_pitch = columns + pad, sum_pitch = chunk + 4;
  static constexpr int row_tiles = tiles, column_tiles = Jet::max_channels * groups;
  // The product of rows: as many warps along the first rows as there are row tiles for, at most 4.
  static constexpr int gradient_warps = features / (8 * halves) < 4 ? features / (8 * halves) : 4;
  static constexpr int gradient_row_tiles = features / (8 * halves) / gradient_warps;
  static constexpr int gradient_column_tiles = features / 8 / (8 / gradient_warps);
  static constexpr int gradient_rows = gradient_row_tiles * halves,
                       gradient_columns = 2 * gradient_column_tiles;
  static constexpr int transposed_row_step = sum_pitch, transposed_sum_step = 1;
  static constexpr int left_stage =
      features * sum_pitch > chunk* row_pitch ? features* sum_pitch : chunk* row_pitch;
  static constexpr int product_stage = left_stage + chunk * column_pitch,
                       rows_stage = 2 * features * sum_pitch;
  static constexpr int stage = product_stage > rows_stage ? product_stage : rows_stage;
  static constexpr std::size_t shared_bytes = 2 * sizeof(T) * std::size_t(stage);
  static_assert(Jet::unrolled && gradient_column_tiles > 0);

  /// The place of thread t in a matrix instruction, and the first row and point of its warp.
  static __device__ int group(int t) { return t % 32 / 4; }
  static __device__ int member(int t) { return t % 4; }
  static __device__ int first_feature(int t) { return t / 32 % warps * (tiles * halves * 8); }
  static __device__ int first_point(int t) { return t / 32 / warps * (groups * 8); }
  static __device__ int first_gradient_row(int t) {
    return t / 32 % gradient_warps * (gradient_row_tiles * halves * 8);
  }
  static __device__ int first_gradient_column(int t) {
    return t / 32 / gradient_warps * (gradient_column_tiles * 8);
  }
  /// As those of FmaShape.
  static __device__ int feature(int t, int f) { return first_feature(t) + 8 * f + group(t); }
  static __device__ int column(int t, int c) { return c / points * tile_points + point(t, c % points); }
  static __device__ int point(int t, int j) { return first_point(t) + j / 2 * 8 + 2 * member(t) + j % 2; }
  static __device__ int gradient_row(int t, int f) { return first_gradient_row(t) + 8 * f + group(t); }
  static __device__ int gradient_column(int t, int g) {
    return first_gradient_column(t) + g / 2 * 8 + 2 * member(t) + g % 2;
  }
};

/// Rows first … first + rows − 1 of `from` : [·][length], its columns column … column + width − 1, into
/// shared memory, element (r, c) to r · row_step + c · column_step; zeros outside row_count and column_count.
/// By asynchronous copies of an element each.
template <class S, int rows, int width>
__device__ void stage_elements(typename S::T* to, int row_step, int column_step, const typename S::T* from,
                               int length, int first, int row_count, int column, int column_count) {
  constexpr int bytes = int(sizeof(typename S::T));
  const int me = thread_of_block();
#pragma unroll 1
  for (int i = me; i < rows * width; i += S::threads) {
    const int r = i / width, c = i % width;
    const bool inside = first + r < row_count && column + c < column_count;
    copy_async<bytes>(to + r * row_step + c * column_step,
                      inside ? from + (first + r) * length + column + c : from, inside ? bytes : 0);
  }
}

/// The same into [rows][pitch], 16 bytes at a time: `from` and its rows start at multiples of as many.
template <class S, int rows, int width, int pitch>
__device__ void stage_rows(typename S::T* to, const typename S::T* from, int length, int first, int row_count,
                           int column, int column_count) {
  using T = typename S::T;
  constexpr int vector = 16 / int(sizeof(T));
  static_assert(pitch % vector == 0);
  const int me = thread_of_block();
#pragma unroll 1
  for (int i = me; i < rows * width / vector; i += S::threads) {
    const int r = i / (width / vector), c = i % (width / vector) * vector;
    const int left = first + r < row_count ? column_count - column - c : 0;
    const int valid = left < 0 ? 0 : left < vector ? left : vector;
    copy_async<16>(to + r * pitch + c, valid > 0 ? from + (first + r) * length + column + c : from,
                   valid * int(sizeof(T)));
  }
}

/// The same for an array that may lie anywhere.
template <class S, int rows, int width, int pitch>
__device__ void stage_any_rows(typename S::T* to, const typename S::T* from, int length, int first,
                               int row_count, int column, int column_count) {
  constexpr int vector = 16 / int(sizeof(typename S::T));
  if (reinterpret_cast<std::size_t>(from) % 16 == 0 && length % vector == 0)
    stage_rows<S, rows, width, pitch>(to, from, length, first, row_count, column, column_count);
  else
    stage_elements<S, rows, width>(to, pitch, 1, from, length, first, row_count, column, column_count);
}

/// A value as the sum of two that the matrix units multiply exactly, as far as they hold it: what they leave
/// out is 2^-22 of it for TF32, 2^-17 for bf16.
struct Split {
  std::uint32_t big, small;
};
inline __device__ Split split_tf32(float v) {
  const std::uint32_t big = to_tf32(v);
  return {big, to_tf32(v - __uint_as_float(big))};
}
inline __device__ Split split_bf16x2(float low, float high) {
  const std::uint32_t big = to_bf16x2(low, high);
  return {big, to_bf16x2(low - __uint_as_float(big << 16), high - __uint_as_float(big & 0xffff0000u))};
}

/// sum += the products of a chunk, by one warp: a(m, h, k) and b(n, k) are the lane's operands of row tile m,
/// half h, and of column tile n, at k and the quarter of the depth that its member number says.
template <class S, Products products, int M, int N, class A, class B>
__device__ __forceinline__ void warp_product(const A& a, const B& b, float (&sum)[M][N][4]) {
  constexpr bool bf16 = products == Products::bf16x3, split = products != Products::tf32;
  constexpr int depth = bf16 ? 16 : 8;
#pragma unroll 1
  for (int k = 0; k < S::chunk; k += depth) {
    std::uint32_t left[M][4], left_rest[M][4];
#pragma unroll
    for (int m = 0; m < M; ++m)
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        if constexpr (bf16) {
          const Split s = split_bf16x2(a(m, i % 2, k + i / 2 * 8), a(m, i % 2, k + i / 2 * 8 + 4));
          left[m][i] = s.big;
          left_rest[m][i] = s.small;
        } else {
          const Split s = split_tf32(a(m, i % 2, k + i / 2 * 4));
          left[m][i] = s.big;
          left_rest[m][i] = s.small;
        }
      }
#pragma unroll
    for (int n = 0; n < N; ++n) {
      std::uint32_t right[2], right_rest[2];
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        if constexpr (bf16) {
          const Split s = split_bf16x2(b(n, k + i * 8), b(n, k + i * 8 + 4));
          right[i] = s.big;
          right_rest[i] = s.small;
        } else {
          const Split s = split_tf32(b(n, k + i * 4));
          right[i] = s.big;
          right_rest[i] = s.small;
        }
      }
      const auto multiply = [](float(&c)[4], const std::uint32_t(&l)[4], const std::uint32_t(&r)[2]) {
        if constexpr (bf16)
          mma_bf16(c, l, r);
        else
          mma_tf32(c, l, r);
      };
      if constexpr (split) {
#pragma unroll
        for (int m = 0; m < M; ++m) multiply(sum[m][n], left_rest[m], right);
#pragma unroll
        for (int m = 0; m < M; ++m) multiply(sum[m][n], left[m], right_rest);
      }
#pragma unroll
      for (int m = 0; m < M; ++m) multiply(sum[m][n], left[m], right);
    }
    mma_commit();
  }
}

template <class S, int M, int N, class A, class B>
__device__ __forceinline__ void warp_product(const A& a, const B& b, double (&sum)[M][N][2]) {
#pragma unroll
  for (int k = 0; k < S::chunk; k += 4) {
    double left[M];
#pragma unroll
    for (int m = 0; m < M; ++m) left[m] = a(m, 0, k);
#pragma unroll
    for (int n = 0; n < N; ++n) {
      const double right = b(n, k);
#pragma unroll
      for (int m = 0; m < M; ++m) mma_f64(sum[m][n], left[m], right);
    }
    mma_commit();
  }
}

/// stage(chunk number, its memory) for all chunks of `length`, each while work(its memory) is done on the one
/// before. Begins with a barrier; all threads of the block.
template <class S, class Stage, class Work>
__device__ __forceinline__ void for_chunks(int length, Stage&& stage, Work&& work) {
  using T = typename S::T;
  const auto memory = [](int k0) { return dynamic_shared<T>() + k0 / S::chunk % 2 * S::stage; };
  __syncthreads();
  stage(0, memory(0));
#pragma unroll 1
  for (int k0 = 0; k0 < length; k0 += S::chunk) {
    wait_for_copies();
    __syncthreads();
    if (k0 + S::chunk < length) stage(k0 + S::chunk, memory(k0 + S::chunk));
    work(static_cast<const T*>(memory(k0)));
  }
}

/// sum[f][c] of a chunk-wise product of M × N tiles of a warp, with operands as in warp_product.
template <class S, int M, int N, class Stage, class A, class B, class T>
__device__ __forceinline__ void warp_products(Products products, int length, Stage&& stage, A&& left,
                                              B&& right, T (&sum)[M * S::halves][2 * N]) {
  T tiles[M][N][2 * S::halves];
#pragma unroll
  for (int m = 0; m < M; ++m)
#pragma unroll
    for (int n = 0; n < N; ++n)
#pragma unroll
      for (int i = 0; i < 2 * S::halves; ++i) tiles[m][n][i] = T(0);
  for_chunks<S>(length, stage, [&](const T* memory) {
    const auto a = left(memory);
    const auto b = right(memory);
    if constexpr (sizeof(T) == 8) {
      warp_product<S>(a, b, tiles);
    } else {
      switch (products) {
        case Products::bf16x3: return warp_product<S, Products::bf16x3>(a, b, tiles);
        case Products::tf32: return warp_product<S, Products::tf32>(a, b, tiles);
        default: return warp_product<S, Products::tf32x3>(a, b, tiles);
      }
    }
  });
#pragma unroll
  for (int m = 0; m < M; ++m)
#pragma unroll
    for (int n = 0; n < N; ++n)
#pragma unroll
      for (int i = 0; i < 2 * S::halves; ++i) sum[m * S::halves + i / 2][2 * n + i % 2] = tiles[m][n][i];
}

/// a is the weight at `a`, [n][m] with k along n, or along m when transposed; b : [·][stride], aligned to 16
/// bytes as stride is to 16 elements.
template <class S, bool transposed>
__device__ void block_product(Products products, const typename S::T* a, int k_count, int feature_count,
                              int row_length, const typename S::T* b, int stride, int first_feature,
                              int first_column, typename S::T (&sum)[S::F][S::C]) {
  using T = typename S::T;
  constexpr int row_step = transposed ? S::transposed_row_step : 1;
  constexpr int sum_step = transposed ? S::transposed_sum_step : S::row_pitch;
  constexpr int right_at = S::product_stage - S::chunk * S::column_pitch;  // [chunk][column_pitch]
  const auto stage = [&](int k0, T* memory) {
    if constexpr (!transposed)
      stage_any_rows<S, S::chunk, S::features, S::row_pitch>(memory, a, row_length, k0, k_count,
                                                             first_feature, feature_count);
    else if constexpr (row_step == S::sum_pitch)
      stage_any_rows<S, S::features, S::chunk, S::sum_pitch>(memory, a, row_length, first_feature,
                                                             feature_count, k0, k_count);
    else
      stage_elements<S, S::features, S::chunk>(memory, row_step, sum_step, a, row_length, first_feature,
                                               feature_count, k0, k_count);
    stage_rows<S, S::chunk, S::columns, S::column_pitch>(memory + right_at, b, stride, k0, k_count,
                                                         first_column, stride);
  };
  const int t = thread_of_block();
  if constexpr (S::tensor) {
    warp_products<S, S::row_tiles, S::column_tiles>(
        products, k_count, stage,
        [&](const T* memory) {
          const T* mine = memory + (S::first_feature(t) + S::group(t)) * row_step + S::member(t) * sum_step;
          return [=](int m, int h, int k) { return mine[(m * S::halves + h) * 8 * row_step + k * sum_step]; };
        },
        [&](const T* memory) {
          const T* mine =
              memory + right_at + S::member(t) * S::column_pitch + S::first_point(t) + S::group(t);
          constexpr int groups = S::points / 2;
          return [=](int n, int k) {
            return mine[k * S::column_pitch + n / groups * S::tile_points + n % groups * 8];
          };
        },
        sum);
  } else {
#pragma unroll
    for (int f = 0; f < S::F; ++f)
#pragma unroll
      for (int c = 0; c < S::C; ++c) sum[f][c] = T(0);
    for_chunks<S>(k_count, stage, [&](const T* memory) {
      const T* left = memory + S::feature(t, 0);
      const T* right = memory + right_at + S::column(t, 0);
#pragma unroll 2
      for (int k = 0; k < S::chunk; ++k) {
        T l[S::F], r[S::C];
#pragma unroll
        for (int f = 0; f < S::F; ++f) l[f] = left[k * S::row_pitch + f];
#pragma unroll
        for (int c = 0; c < S::C; ++c) r[c] = right[k * S::column_pitch + c * S::side];
#pragma unroll
        for (int f = 0; f < S::F; ++f)
#pragma unroll
          for (int c = 0; c < S::C; ++c) sum[f][c] += l[f] * r[c];
      }
    });
  }
}

/// a : [a_count][length] from row first_a on, b : [b_count][length] from first_b on, aligned like that.
template <class S>
__device__ void block_product_of_rows(Products products, const typename S::T* a, int first_a, int a_count,
                                      const typename S::T* b, int first_b, int b_count, int length,
                                      typename S::T (&sum)[S::gradient_rows][S::gradient_columns]) {
  using T = typename S::T;
  constexpr int right_at = S::features * S::sum_pitch;
  const auto stage = [&](int r0, T* memory) {
    if constexpr (S::tensor) {
      stage_rows<S, S::features, S::chunk, S::sum_pitch>(memory, a, length, first_a, a_count, r0, length);
      stage_rows<S, S::features, S::chunk, S::sum_pitch>(memory + right_at, b, length, first_b, b_count, r0,
                                                         length);
    } else {
      stage_elements<S, S::features, S::chunk>(memory, S::sum_pitch, 1, a, length, first_a, a_count, r0,
                                               length);
      stage_elements<S, S::features, S::chunk>(memory + right_at, S::sum_pitch, 1, b, length, first_b,
                                               b_count, r0, length);
    }
  };
  const int t = thread_of_block();
  if constexpr (S::tensor) {
    warp_products<S, S::gradient_row_tiles, S::gradient_column_tiles>(
        products, length, stage,
        [&](const T* memory) {
          const T* mine = memory + (S::first_gradient_row(t) + S::group(t)) * S::sum_pitch + S::member(t);
          return [=](int m, int h, int k) { return mine[(m * S::halves + h) * 8 * S::sum_pitch + k]; };
        },
        [&](const T* memory) {
          const T* mine =
              memory + right_at + (S::first_gradient_column(t) + S::group(t)) * S::sum_pitch + S::member(t);
          return [=](int n, int k) { return mine[n * 8 * S::sum_pitch + k]; };
        },
        sum);
  } else {
#pragma unroll
    for (int f = 0; f < S::F; ++f)
#pragma unroll
      for (int g = 0; g < S::F; ++g) sum[f][g] = T(0);
    for_chunks<S>(length, stage, [&](const T* memory) {
      const T* left = memory + S::gradient_row(t, 0) * S::sum_pitch;
      const T* right = memory + right_at + S::gradient_column(t, 0) * S::sum_pitch;
#pragma unroll 2
      for (int r = 0; r < S::chunk; ++r) {
        T l[S::F], m[S::F];
#pragma unroll
        for (int f = 0; f < S::F; ++f) {
          l[f] = left[S::side * f * S::sum_pitch + r];
          m[f] = right[S::side * f * S::sum_pitch + r];
        }
#pragma unroll
        for (int f = 0; f < S::F; ++f)
#pragma unroll
          for (int g = 0; g < S::F; ++g) sum[f][g] += l[f] * m[g];
      }
    });
  }
}

}  // namespace sobolev::SOBOLEV_TARGET
