// SPDX-License-Identifier: Apache-2.0
// y = σ(x W + b + a), point by point, and its adjoint.             x : [N, C], W : [C, O], y : [N, O]
// Register blocks of points × two vectors of outputs, over all C; σ and its slope are taken from the
// registers. The adjoint takes 128 points at a time through the first cache: z̄, then x̄ = z̄ Wᵀ, then W̄ += xᵀ z̄
// in registers; parts of the points have sums of their own, added in order. 2 N C O FLOPs forward, 4 N C O
// backward; moves N (C + 2 O … 3 O) numbers forward, N (2 C + 3 O) backward: bound by memory below some C =
// 32, by the FMA units above.
#include "sobolev/operators/channel_mix.hpp"

#include "kernels/common/dispatch.hpp"
#include "kernels/common/simd.hpp"
#include "kernels/operators/field_activation_math.hpp"
#include "kernels/operators/slope_rows.hpp"

SOBOLEV_DECLARE_TARGETS(
    /// Rows of y = σ(x W + b + a); null for what is not there.
    template <class T> void channel_mix_rows(FieldActivation activation, const T* x, const T* weight,
                                             const T* bias, const T* added, std::size_t rows,
                                             std::size_t inputs, std::size_t outputs, T* y, T* slope);
    /// x̄ (+)= z̄ Wᵀ, W turned : [outputs, inputs].
    template <class T> void channel_mix_inputs(const T* z_bar, const T* turned, std::size_t rows,
                                               std::size_t inputs, std::size_t outputs, bool add, T* x_bar);
    /// W̄ += xᵀ z̄.
    template <class T> void channel_mix_weights(const T* x, const T* z_bar, std::size_t rows,
                                                std::size_t inputs, std::size_t outputs, T* weight_bar);)

namespace sobolev::SOBOLEV_TARGET {
namespace {
constexpr int vectors = 2;
constexpr int block_rows = simd_registers >= 32 ? 8 : 5;

template <class T>
struct Rooms {
  int room[vectors];
};
template <class T>
SOBOLEV_INLINE Rooms<T> rooms_at(std::size_t columns, std::size_t o) {
  Rooms<T> r;
  for (int v = 0; v < vectors; ++v) {
    const std::size_t at = o + std::size_t(v) * lanes<T>;
    r.room[v] = at >= columns ? 0 : columns - at < std::size_t(lanes<T>) ? int(columns - at) : lanes<T>;
  }
  return r;
}
template <class T>
SOBOLEV_INLINE Rooms<T> full_rooms() {
  Rooms<T> r;
  for (int v = 0; v < vectors; ++v) r.room[v] = lanes<T>;
  return r;
}

/// sum[r] += Σ_c x[r][c] w[c] for n rows and two vectors of columns (nv of them).
template <class T, int n, int nv>
SOBOLEV_INLINE void rows_times(const T* x, std::size_t terms, std::size_t x_step, const T* w,
                               std::size_t w_step, const Rooms<T>& rooms, Vec<T> (&sum)[n][nv]) {
  for (std::size_t c = 0; c < terms; ++c, w += w_step) {
    Vec<T> right[nv];
#pragma GCC unroll 2
    for (int v = 0; v < nv; ++v) right[v] = load_part<T>(w + v * lanes<T>, rooms.room[v]);
#pragma GCC unroll 8
    for (int r = 0; r < n; ++r) {
      const Vec<T> left = broadcast<T>(x[std::size_t(r) * x_step + c]);
#pragma GCC unroll 2
      for (int v = 0; v < nv; ++v) sum[r][v] += left * right[v];
    }
  }
}

/// Calls f(n, nv, first row, first column, rooms) for all blocks of a matrix.
template <class T, class F>
SOBOLEV_INLINE void for_blocks(std::size_t rows, std::size_t columns, const F& f) {
  using std::integral_constant;
  std::size_t o = 0;
  const auto down = [&](auto nv, const Rooms<T>& rooms) __attribute__((always_inline)) {
    std::size_t r = 0;
    for (; r + block_rows <= rows; r += block_rows) f(integral_constant<int, block_rows>{}, nv, r, o, rooms);
    for (; r < rows; ++r) f(integral_constant<int, 1>{}, nv, r, o, rooms);
  };
  for (; o + vectors * lanes<T> <= columns; o += vectors * lanes<T>)
    down(integral_constant<int, vectors>{}, full_rooms<T>());
  for (; o < columns; o += lanes<T>) down(integral_constant<int, 1>{}, rooms_at<T>(columns, o));
}

template <class T, FieldActivation activation>
SOBOLEV_INLINE void mix_rows(const T* x, const T* weight, const T* bias, const T* added, std::size_t rows,
                             std::size_t inputs, std::size_t outputs, T* y, T* slope) {
  for_blocks<T>(
      rows, outputs,
      [&](auto count, auto width, std::size_t r0, std::size_t o, const Rooms<T>& rooms)
          __attribute__((always_inline)) {
            constexpr int n = decltype(count)::value, nv = decltype(width)::value;
            Vec<T> sum[n][nv];
#pragma GCC unroll 2
            for (int v = 0; v < nv; ++v) {
              const std::size_t at = o + std::size_t(v) * lanes<T>;
              const Vec<T> begin = bias != nullptr ? load_part<T>(bias + at, rooms.room[v]) : Vec<T>{};
#pragma GCC unroll 8
              for (int r = 0; r < n; ++r)
                sum[r][v] =
                    added != nullptr
                        ? begin + load_part<T>(added + (r0 + std::size_t(r)) * outputs + at, rooms.room[v])
                        : begin;
            }
            rows_times<T, n, nv>(x + r0 * inputs, inputs, inputs, weight + o, outputs, rooms, sum);
#pragma GCC unroll 8
            for (int r = 0; r < n; ++r)
#pragma GCC unroll 2
              for (int v = 0; v < nv; ++v) {
                const std::size_t at = (r0 + std::size_t(r)) * outputs + o + std::size_t(v) * lanes<T>;
                if constexpr (activation != FieldActivation::identity) {
                  Vec<T> value, derivative;
                  activate<T, activation>(sum[r][v], value, derivative);
                  store_part<T>(y + at, value, rooms.room[v]);
                  if (slope != nullptr) store_part<T>(slope + at, derivative, rooms.room[v]);
                } else {
                  store_part<T>(y + at, sum[r][v], rooms.room[v]);
                }
              }
          });
}
}  // namespace

template <class T>
void channel_mix_rows(FieldActivation activation, const T* x, const T* weight, const T* bias, const T* added,
                      std::size_t rows, std::size_t inputs, std::size_t outputs, T* y, T* slope) {
  const auto run = [&](auto which) {
    mix_rows<T, decltype(which)::value>(x, weight, bias, added, rows, inputs, outputs, y, slope);
  };
  using std::integral_constant;
  switch (activation) {
    case FieldActivation::identity:
      return run(integral_constant<FieldActivation, FieldActivation::identity>{});
    case FieldActivation::gelu: return run(integral_constant<FieldActivation, FieldActivation::gelu>{});
    case FieldActivation::tanh: return run(integral_constant<FieldActivation, FieldActivation::tanh>{});
  }
}

template <class T>
void slope_rows(const T* slope, std::size_t rows, std::size_t outputs, T* y_bar, T* sum) {
  for (std::size_t o = 0; o < outputs; o += lanes<T>) {
    const int room = rooms_at<T>(outputs, o).room[0];
    Vec<T> total = sum != nullptr ? load_part<T>(sum + o, room) : Vec<T>{};
    for (std::size_t r = 0; r < rows; ++r) {
      T* at = y_bar + r * outputs + o;
      Vec<T> z = load_part<T>(at, room);
      if (slope != nullptr) {
        z *= load_part<T>(slope + r * outputs + o, room);
        store_part<T>(at, z, room);
      }
      total += z;
    }
    if (sum != nullptr) store_part<T>(sum + o, total, room);
  }
}

template <class T>
void channel_mix_inputs(const T* z_bar, const T* turned, std::size_t rows, std::size_t inputs,
                        std::size_t outputs, bool add, T* x_bar) {
  for_blocks<T>(
      rows, inputs,
      [&](auto count, auto width, std::size_t r0, std::size_t c,
          const Rooms<T>& rooms) __attribute__((always_inline)) {
        constexpr int n = decltype(count)::value, nv = decltype(width)::value;
        Vec<T> sum[n][nv] = {};
        rows_times<T, n, nv>(z_bar + r0 * outputs, outputs, outputs, turned + c, inputs, rooms, sum);
#pragma GCC unroll 8
        for (int r = 0; r < n; ++r)
#pragma GCC unroll 2
          for (int v = 0; v < nv; ++v) {
            T* at = x_bar + (r0 + std::size_t(r)) * inputs + c + std::size_t(v) * lanes<T>;
            store_part<T>(at, add ? load_part<T>(at, rooms.room[v]) + sum[r][v] : sum[r][v], rooms.room[v]);
          }
      });
}

template <class T>
void channel_mix_weights(const T* x, const T* z_bar, std::size_t rows, std::size_t inputs,
                         std::size_t outputs, T* weight_bar) {
  for_blocks<T>(
      inputs, outputs,
      [&](auto count, auto width, std::size_t c, std::size_t o,
          const Rooms<T>& rooms) __attribute__((always_inline)) {
        constexpr int n = decltype(count)::value, nv = decltype(width)::value;
        Vec<T> sum[n][nv];
#pragma GCC unroll 8
        for (int r = 0; r < n; ++r)
#pragma GCC unroll 2
          for (int v = 0; v < nv; ++v)
            sum[r][v] = load_part<T>(
                weight_bar + (c + std::size_t(r)) * outputs + o + std::size_t(v) * lanes<T>, rooms.room[v]);
        const T *left = x + c, *right = z_bar + o;
        for (std::size_t p = 0; p < rows; ++p, left += inputs, right += outputs) {
          Vec<T> z[nv];
#pragma GCC unroll 2
          for (int v = 0; v < nv; ++v) z[v] = load_part<T>(right + v * lanes<T>, rooms.room[v]);
#pragma GCC unroll 8
          for (int r = 0; r < n; ++r) {
            const Vec<T> factor = broadcast<T>(left[r]);
#pragma GCC unroll 2
            for (int v = 0; v < nv; ++v) sum[r][v] += factor * z[v];
          }
        }
#pragma GCC unroll 8
        for (int r = 0; r < n; ++r)
#pragma GCC unroll 2
          for (int v = 0; v < nv; ++v)
            store_part<T>(weight_bar + (c + std::size_t(r)) * outputs + o + std::size_t(v) * lanes<T>,
                          sum[r][v], rooms.room[v]);
      });
}

#define SOBOLEV_INSTANTIATE(T)                                                                              \
  template void channel_mix_rows<T>(FieldActivation, const T*, const T*, const T*, const T*, std::size_t,   \
                                    std::size_t, std::size_t, T*, T*);                                      \
  template void slope_rows<T>(const T*, std::size_t, std::size_t, T*, T*);                                  \
  template void channel_mix_inputs<T>(const T*, const T*, std::size_t, std::size_t, std::size_t, bool, T*); \
  template void channel_mix_weights<T>(const T*, const T*, std::size_t, std::size_t, std::size_t, T*);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE
}  // namespace sobolev::SOBOLEV_TARGET

#if SOBOLEV_DISPATCHER
#include <algorithm>

#include "kernels/common/threads.hpp"
#include "kernels/operators/channel_mix_shapes.hpp"

namespace sobolev {
namespace {
constexpr std::size_t tile = 128;  // points
template <class V>
auto data_or_null(const V& view) {
  return view.size() > 0 ? view.data() : nullptr;
}
}  // namespace

template <class T>
void channel_mix(const Cpu& cpu, FieldActivation activation, View<const T, 2> x, View<const T, 2> weight,
                 View<const T, 1> bias, View<const T, 2> added, View<T, 2> y, View<T, 2> slope) {
  const auto s = detail::channel_mix_shape("channel_mix", x.shape(), weight.shape(), bias.size(),
                                           added.shape(), y.shape(), slope.shape());
  const int threads = detail::threads_for(cpu, 2 * double(s.points) * double((s.inputs + 8) * s.outputs));
#pragma omp parallel for num_threads(threads) schedule(static)
  for (std::size_t p = 0; p < s.points; p += tile) {
    const auto at = [&](auto* of) { return of == nullptr ? of : of + p * s.outputs; };
    SOBOLEV_CALL(channel_mix_rows<T>, activation, x.data() + p * s.inputs, weight.data(), data_or_null(bias),
                 at(data_or_null(added)), std::min(tile, s.points - p), s.inputs, s.outputs,
                 y.data() + p * s.outputs, at(data_or_null(slope)));
  }
}

template <class T>
void channel_mix_adjoint(const Cpu& cpu, View<const T, 2> x, View<const T, 2> weight, View<const T, 2> slope,
                         View<T, 2> y_bar, View<T, 2> x_bar, bool add, View<T, 2> weight_bar,
                         View<T, 1> bias_bar, View<T, 1> workspace) {
  const auto s =
      detail::channel_mix_adjoint_shape(x.shape(), weight.shape(), slope.shape(), y_bar.shape(),
                                        x_bar.shape(), weight_bar.shape(), bias_bar.size(), workspace.size());
  const detail::Shards shards = detail::shards_of(s.points);
  const std::size_t sums = (s.inputs + 1) * s.outputs;
  T* const turned = workspace.data() + shards.count * sums;
  for (std::size_t c = 0; c < s.inputs; ++c)
    for (std::size_t o = 0; o < s.outputs; ++o) turned[o * s.inputs + c] = weight.data()[c * s.outputs + o];
  const int threads = detail::threads_for(cpu, 4 * double(s.points) * double((s.inputs + 8) * s.outputs));
#pragma omp parallel for num_threads(threads) schedule(static)
  for (std::size_t shard = 0; shard < shards.count; ++shard) {
    T* const sum = workspace.data() + shard * sums;
    std::fill_n(sum, sums, T(0));
    const std::size_t end = std::min(s.points, (shard + 1) * shards.points);
    for (std::size_t p = shard * shards.points; p < end; p += tile) {
      const std::size_t rows = std::min(tile, end - p);
      T* const z_bar = y_bar.data() + p * s.outputs;
      SOBOLEV_CALL(slope_rows<T>, slope.size() > 0 ? slope.data() + p * s.outputs : nullptr, rows, s.outputs,
                   z_bar, bias_bar.size() > 0 ? sum + s.inputs * s.outputs : nullptr);
      SOBOLEV_CALL(channel_mix_weights<T>, x.data() + p * s.inputs, z_bar, rows, s.inputs, s.outputs, sum);
      if (x_bar.size() > 0)
        SOBOLEV_CALL(channel_mix_inputs<T>, z_bar, turned, rows, s.inputs, s.outputs, add,
                     x_bar.data() + p * s.inputs);
    }
  }
  for (std::size_t shard = 0; shard < shards.count; ++shard) {
    const T* const sum = workspace.data() + shard * sums;
    for (std::size_t i = 0; i < s.inputs * s.outputs; ++i) weight_bar.data()[i] += sum[i];
    for (std::size_t o = 0; o < bias_bar.size(); ++o) bias_bar.data()[o] += sum[s.inputs * s.outputs + o];
  }
}

#define SOBOLEV_INSTANTIATE(T)                                                                           \
  template void channel_mix<T>(const Cpu&, FieldActivation, View<const T, 2>, View<const T, 2>,          \
                               View<const T, 1>, View<const T, 2>, View<T, 2>, View<T, 2>);              \
  template void channel_mix_adjoint<T>(const Cpu&, View<const T, 2>, View<const T, 2>, View<const T, 2>, \
                                       View<T, 2>, View<T, 2>, bool, View<T, 2>, View<T, 1>, View<T, 1>);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE
}  // namespace sobolev
#endif
