// SPDX-License-Identifier: Apache-2.0
// y = σ(b + a + Σ_k x̃ W_k) of fields with channels last, and its adjoint.
// Vectors hold points that lie side by side along the last axis, so that any number of channels fills them. A
// strip of rows is turned into planes of channels, with what lies beyond its ends and with one plane for each
// phase of a stride, in the second cache; register blocks of 8 outputs × 3 vectors (4 × 3 with 16 registers)
// then add up taps × channels, and are turned back through registers with b, a and σ. The adjoint by x is a
// sum over taps as well; what it puts beyond the ends is folded back. W̄ is summed in registers of points for
// 4 outputs × 6 pairs of channel and tap. 2 N' w^d C O FLOPs forward and 4 N' w^d C O backward; moves N C +
// N' O numbers forward (and a, the slope), about three times that backward: bound by the FMA units for w^d C
// ≥ 64.
#include "sobolev/operators/convolution.hpp"

#include "kernels/common/dispatch.hpp"
#include "kernels/common/simd.hpp"
#include "kernels/operators/convolution_row.hpp"
#include "kernels/operators/field_activation_math.hpp"

namespace sobolev::SOBOLEV_TARGET {
namespace {
constexpr int block_outputs = simd_registers >= 32 ? 8 : 4;
constexpr int sum_outputs = simd_registers >= 32 ? 4 : 3, sum_sources = simd_registers >= 32 ? 6 : 3;

/// Lane j of the lower and of the upper half of two registers in whose place they are exchanged at distance
/// h.
template <class T, int h, bool upper>
constexpr int exchanged(int j) {
  constexpr int n = lanes<T>;
  if (upper) return (j & h) != 0 ? n + j : j + h;
  return (j & h) != 0 ? n + j - h : j;
}
template <class T, int h, bool upper, int... j>
SOBOLEV_INLINE Vec<T> exchange(Vec<T> a, Vec<T> b, std::integer_sequence<int, j...>) {
  return __builtin_shufflevector(a, b, exchanged<T, h, upper>(j)...);
}
template <class T, int h>
SOBOLEV_INLINE void transpose_from(Vec<T> (&v)[lanes<T>]) {
  if constexpr (h < lanes<T>) {
    using Lanes = std::make_integer_sequence<int, lanes<T>>;
#pragma GCC unroll 16
    for (int i = 0; i < lanes<T>; ++i)
      if ((i & h) == 0) {
        const Vec<T> a = v[i], b = v[i + h];
        v[i] = exchange<T, h, false>(a, b, Lanes{});
        v[i + h] = exchange<T, h, true>(a, b, Lanes{});
      }
    transpose_from<T, h * 2>(v);
  }
}
/// Rows become columns.
template <class T>
SOBOLEV_INLINE void transpose(Vec<T> (&v)[lanes<T>]) {
  transpose_from<T, 1>(v);
}
/// Lane i of the result is the sum of the lanes of v[i]: halves are exchanged and added, two registers at a
/// time.
template <class T, int h = 1>
SOBOLEV_INLINE Vec<T> sums_of_lanes(Vec<T> (&v)[lanes<T>]) {
  if constexpr (h < lanes<T>) {
    using Lanes = std::make_integer_sequence<int, lanes<T>>;
#pragma GCC unroll 16
    for (int i = 0; i < lanes<T> / (2 * h); ++i)
      v[i] = exchange<T, h, false>(v[2 * i], v[2 * i + 1], Lanes{}) +
             exchange<T, h, true>(v[2 * i], v[2 * i + 1], Lanes{});
    return sums_of_lanes<T, 2 * h>(v);
  } else {
    return v[0];
  }
}
SOBOLEV_INLINE int room_of(std::size_t left, int most) { return left < std::size_t(most) ? int(left) : most; }

/// Σ over taps and channels for n outputs and nv vectors of points.
template <class T, int n, int nv>
SOBOLEV_INLINE void block_of_sums(const RowTerm<T>* terms, std::size_t count, std::size_t channels,
                                  std::size_t pitch, std::size_t at, const T* weight, T* out,
                                  std::size_t out_pitch) {
  Vec<T> sum[n][nv] = {};
  for (std::size_t k = 0; k < count; ++k) {
    const T* x = terms[k].source + at;
    const T* w = weight + terms[k].tap * channels * n;
    for (std::size_t c = 0; c < channels; ++c, x += pitch, w += n) {
      Vec<T> value[nv];
#pragma GCC unroll 3
      for (int v = 0; v < nv; ++v) value[v] = load<T>(x + v * lanes<T>);
#pragma GCC unroll 8
      for (int o = 0; o < n; ++o) {
        const Vec<T> factor = broadcast<T>(w[o]);
#pragma GCC unroll 3
        for (int v = 0; v < nv; ++v) sum[o][v] += factor * value[v];
      }
    }
  }
#pragma GCC unroll 8
  for (int o = 0; o < n; ++o)
#pragma GCC unroll 3
    for (int v = 0; v < nv; ++v) store<T>(out + std::size_t(o) * out_pitch + at + v * lanes<T>, sum[o][v]);
}

template <class T, int nv>
SOBOLEV_INLINE void sums_at(const RowTerm<T>* terms, std::size_t count, std::size_t taps,
                            std::size_t channels, std::size_t pitch, std::size_t at, const T* weight,
                            std::size_t outputs, T* out, std::size_t out_pitch) {
  std::size_t o = 0;
  const auto blocks = [&](auto size) __attribute__((always_inline)) {
    constexpr int n = decltype(size)::value;
    for (; o + n <= outputs; o += n)
      block_of_sums<T, n, nv>(terms, count, channels, pitch, at, weight + o * taps * channels,
                              out + o * out_pitch, out_pitch);
  };
  if constexpr (block_outputs >= 8) blocks(std::integral_constant<int, 8>{});
  blocks(std::integral_constant<int, 4>{});
  blocks(std::integral_constant<int, 2>{});
  blocks(std::integral_constant<int, 1>{});
}
}  // namespace

std::size_t convolution_block() { return block_outputs; }

template <class T>
void planes_of_row(const T* row, std::size_t channels, const int* points, int step, std::size_t first,
                   std::size_t count, std::size_t known, std::size_t pitch, T* planes) {
  alignas(64) const T zero[lanes<T>] = {};
  for (std::size_t t = 0; t < pitch; t += lanes<T>) {
    const T* source[lanes<T>];
    const int *const p = points + first + t, span = (lanes<T> - 1) * step;
    if (t + lanes<T> <= count && first + t + lanes<T> <= known && p[0] >= 0 &&
        p[lanes<T> - 1] - p[0] == span) {
      for (int l = 0; l < lanes<T>; ++l) source[l] = row + std::size_t(p[0] + l * step) * channels;
    } else {
      for (int l = 0; l < lanes<T>; ++l) {
        const std::size_t at = t + std::size_t(l);
        const bool there = at < count && first + at < known && points[first + at] >= 0;
        source[l] = there ? row + std::size_t(points[first + at]) * channels : nullptr;
      }
    }
    if (channels < std::size_t(lanes<T>)) {
      for (std::size_t c = 0; c < channels; ++c)
        for (int l = 0; l < lanes<T>; ++l)
          planes[c * pitch + t + std::size_t(l)] = source[l] == nullptr ? T(0) : source[l][c];
      continue;
    }
    for (std::size_t c = 0; c < channels; c += lanes<T>) {
      if (c + lanes < T >> channels) c = channels - lanes<T>;  // over some of the last ones again
      Vec<T> v[lanes<T>];
#pragma GCC unroll 16
      for (int l = 0; l < lanes<T>; ++l) v[l] = load<T>(source[l] == nullptr ? zero : source[l] + c);
      transpose<T>(v);
#pragma GCC unroll 16
      for (int l = 0; l < lanes<T>; ++l) store<T>(planes + (c + std::size_t(l)) * pitch + t, v[l]);
    }
  }
}

template <class T>
void convolution_sums(const RowTerm<T>* terms, std::size_t count, std::size_t taps, std::size_t channels,
                      std::size_t pitch, std::size_t points, const T* weight, std::size_t outputs, T* out,
                      std::size_t out_pitch) {
  std::size_t at = 0;
  while (at < points) {
    const std::size_t left = (points - at + lanes<T> - 1) / lanes<T>;
    if (left >= 3 && left != 4) {
      sums_at<T, 3>(terms, count, taps, channels, pitch, at, weight, outputs, out, out_pitch);
      at += 3 * lanes<T>;
    } else if (left >= 2) {
      sums_at<T, 2>(terms, count, taps, channels, pitch, at, weight, outputs, out, out_pitch);
      at += 2 * lanes<T>;
    } else {
      sums_at<T, 1>(terms, count, taps, channels, pitch, at, weight, outputs, out, out_pitch);
      at += lanes<T>;
    }
  }
}

namespace {
/// `lanes` channels of a point, of which there are `room`: their sum before σ.
template <class T>
SOBOLEV_INLINE Vec<T> channels_of(const T* p, int room) {
  if (room == lanes<T>) return load<T>(p);
  T part[lanes<T>] = {};
  for (int i = 0; i < room; ++i) part[i] = p[i];
  return load<T>(part);
}
template <class T>
SOBOLEV_INLINE void put_channels(T* to, Vec<T> v, int room) {
  if (room == lanes<T>) return store<T>(to, v);
  T part[lanes<T>];
  store<T>(part, v);
  for (int i = 0; i < room; ++i) to[i] = part[i];
}
template <class T>
SOBOLEV_INLINE void finish(const RowTarget<T>& to, std::size_t at, Vec<T> z, int room) {
  if (to.activation == FieldActivation::identity) return put_channels<T>(to.y + at, z, room);
  Vec<T> value, slope;
  if (to.activation == FieldActivation::gelu)
    activate<T, FieldActivation::gelu>(z, value, slope);
  else
    activate<T, FieldActivation::tanh>(z, value, slope);
  put_channels<T>(to.y + at, value, room);
  if (to.slope != nullptr) put_channels<T>(to.slope + at, slope, room);
}
}  // namespace

template <class T>
void row_of_planes(const T* planes, std::size_t pitch, std::size_t channels, const RowTarget<T>& to,
                   T* turned) {
  const std::size_t stride = (channels + lanes<T> - 1) / lanes<T> * lanes<T>;
  const std::size_t full = channels / lanes<T> * lanes<T>;
  const int room = full > 0 ? lanes<T> : int(channels);
  for (std::size_t t = 0; t < to.count; t += lanes<T>) {
    for (std::size_t c = 0; c < channels; c += lanes<T>) {
      Vec<T> v[lanes<T>];
      const int there = room_of(channels - c, lanes<T>);
#pragma GCC unroll 16
      for (int l = 0; l < lanes<T>; ++l)
        v[l] = l < there ? load<T>(planes + (c + std::size_t(l)) * pitch + t) : Vec<T>{};
      transpose<T>(v);
#pragma GCC unroll 16
      for (int l = 0; l < lanes<T>; ++l) store<T>(turned + std::size_t(l) * stride + c, v[l]);
    }
    const int points = room_of(to.count - t, lanes<T>);
    for (int l = 0; l < points; ++l) {
      const T* z = turned + std::size_t(l) * stride;
      const std::size_t at = (to.first + (t + std::size_t(l)) * to.step) * channels;
      const auto sum = [&](std::size_t c) __attribute__((always_inline)) {
        Vec<T> v = load<T>(z + c);
        if (to.bias != nullptr) v += channels_of<T>(to.bias + c, room);
        if (to.added != nullptr) v += channels_of<T>(to.added + at + c, room);
        return v;
      };
      if (full == 0) {
        finish<T>(to, at, sum(0), room);
        continue;
      }
      // The last vector lies over the one before it and is read first: y may be the memory of what is added.
      const std::size_t last = channels - lanes<T>;
      const Vec<T> end = sum(last);
      for (std::size_t c = 0; c < full; c += lanes<T>) finish<T>(to, at + c, sum(c), room);
      if (full < channels) finish<T>(to, at + last, end, room);
    }
  }
}

namespace {
/// The same for a few rows, whose bars stay in the first cache from one block of sources to the next.
template <class T>
SOBOLEV_INLINE void sums_of_rows(
    const T* const* sources, const T* const* bars, std::size_t rows,
    const std::size_t (&source_at)[sum_sources], const std::size_t (&bar_at)[sum_outputs], std::size_t points,
    T (&total)[(sum_outputs * sum_sources + lanes<T> - 1) / lanes<T> * lanes<T>]) {
  Vec<T> sum[sum_outputs][sum_sources] = {};
  for (std::size_t r = 0; r < rows; ++r) {
    const T *source = sources[r], *bar = bars[r];
    for (std::size_t at = 0; at < points; at += lanes<T>) {
      Vec<T> left[sum_outputs];
#pragma GCC unroll 4
      for (int i = 0; i < sum_outputs; ++i) left[i] = load<T>(bar + bar_at[i] + at);
#pragma GCC unroll 6
      for (int k = 0; k < sum_sources; ++k) {
        const Vec<T> right = load<T>(source + source_at[k] + at);
#pragma GCC unroll 4
        for (int i = 0; i < sum_outputs; ++i) sum[i][k] += left[i] * right;
      }
    }
  }
  constexpr int all = sum_outputs * sum_sources;
#pragma GCC unroll 8
  for (int g = 0; g < all; g += lanes<T>) {
    Vec<T> some[lanes<T>];
#pragma GCC unroll 16
    for (int l = 0; l < lanes<T>; ++l)
      some[l] = g + l < all ? sum[(g + l) % sum_outputs][(g + l) / sum_outputs] : Vec<T>{};
    store<T>(total + g, sums_of_lanes<T>(some));
  }
}
}  // namespace

template <class T>
void weight_sums(const T* const* sources, const T* const* bars, std::size_t rows, const std::size_t* offsets,
                 std::size_t count, std::size_t outputs, std::size_t bar_pitch, std::size_t points,
                 const std::size_t* targets, T* weight_bar) {
  constexpr std::size_t cache = 16384;
  const std::size_t row_bytes = points * sizeof(T) * sum_outputs,
                    together = row_bytes >= cache ? 1 : cache / row_bytes;
  for (std::size_t first = 0; first < rows; first += together) {
    const std::size_t some = rows - first < together ? rows - first : together;
    for (std::size_t o = 0; o < outputs; o += sum_outputs) {
      const int own = room_of(outputs - o, sum_outputs);
      for (std::size_t s = 0; s < count; s += sum_sources) {
        const int terms = room_of(count - s, sum_sources);
        std::size_t source_at[sum_sources], bar_at[sum_outputs];
        for (int i = 0; i < sum_sources; ++i)
          source_at[i] = offsets[s + std::size_t(i < terms ? i : terms - 1)];
        for (int i = 0; i < sum_outputs; ++i)
          bar_at[i] = (o + std::size_t(i < own ? i : own - 1)) * bar_pitch;
        T total[(sum_outputs * sum_sources + lanes<T> - 1) / lanes<T> * lanes<T>];
        sums_of_rows<T>(sources + first, bars + first, some, source_at, bar_at, points, total);
        for (int k = 0; k < terms; ++k)
          for (int i = 0; i < own; ++i)
            weight_bar[targets[s + std::size_t(k)] + o + std::size_t(i)] += total[k * sum_outputs + i];
      }
    }
  }
}

#define SOBOLEV_INSTANTIATE(T)                                                                             \
  template void planes_of_row<T>(const T*, std::size_t, const int*, int, std::size_t, std::size_t,         \
                                 std::size_t, std::size_t, T*);                                            \
  template void convolution_sums<T>(const RowTerm<T>*, std::size_t, std::size_t, std::size_t, std::size_t, \
                                    std::size_t, const T*, std::size_t, T*, std::size_t);                  \
  template void row_of_planes<T>(const T*, std::size_t, std::size_t, const RowTarget<T>&, T*);             \
  template void weight_sums<T>(const T* const*, const T* const*, std::size_t, const std::size_t*,          \
                               std::size_t, std::size_t, std::size_t, std::size_t, const std::size_t*, T*);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE
}  // namespace sobolev::SOBOLEV_TARGET
