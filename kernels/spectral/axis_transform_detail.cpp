// SPDX-License-Identifier: Apache-2.0
// Truncated sums along one axis.
// Two streams of a SIMD vector of channels at a time: real and imaginary part, or two rows of a real field.
// Points that mirror each other at 0 and n/2 are added and subtracted first, so that M frequencies of n
// points take M n/2 multiply-adds a stream, of which a register block of 6 frequencies (3 points in
// synthesis) uses each number that it loads 12 times: bound by the FMA units from some 6 frequencies on,
// below by the loads.
#include "kernels/common/simd.hpp"
#include "kernels/spectral/axis_task.hpp"

namespace sobolev::SOBOLEV_TARGET {
namespace {
constexpr int block_modes = 6;                              // of analysis
constexpr int block_points = simd_registers >= 32 ? 3 : 1;  // of synthesis
constexpr std::size_t chunk = 32;                           // folded points in the first cache at a time
constexpr int groups = 4;                                   // cosine and sine, even and odd frequencies

/// How many of the frequencies that are left the next block has.
SOBOLEV_INLINE int next_block(std::size_t left) {
  const std::size_t blocks = (left + block_modes - 1) / block_modes;
  return int((left + blocks - 1) / blocks);
}

/// Where a unit of work stands.
template <class T>
struct Unit {
  std::size_t points_at, points_step, modes_at, modes_step;
  std::size_t second_points, second_modes;  // from the first stream to the second
  std::size_t imaginary;                    // of a real field's coefficients
  int room;
};

template <class T>
SOBOLEV_INLINE Unit<T> unit_of(const detail::AxisTask<T>& t, std::size_t u) {
  const std::size_t vectors = (t.channels + lanes<T> - 1) / lanes<T>;
  const std::size_t c = u % vectors * lanes<T>, column = u / vectors, modes = std::size_t(t.high - t.low + 1);
  Unit<T> unit;
  unit.room = t.channels - c < std::size_t(lanes<T>) ? int(t.channels - c) : lanes<T>;
  unit.imaginary = t.channels;
  if (t.real) {
    const std::size_t row = 2 * column;
    const bool pair = row + 1 < t.outer;
    unit.points_at = row * t.points * t.channels + c;
    unit.points_step = t.channels;
    unit.second_points = pair ? t.points * t.channels : 0;
    unit.modes_at = row * modes * 2 * t.channels + c;
    unit.modes_step = 2 * t.channels;
    unit.second_modes = pair ? modes * 2 * t.channels : 0;
  } else {
    const std::size_t o = column / t.inner, m = column % t.inner, step = t.inner * 2 * t.channels;
    unit.points_at = o * t.points * step + m * 2 * t.channels + c;
    unit.modes_at = o * modes * step + m * 2 * t.channels + c;
    unit.points_step = unit.modes_step = step;
    unit.second_points = unit.second_modes = t.channels;
  }
  return unit;
}

/// The place of a magnitude in the list that has the even ones first.
template <class T>
SOBOLEV_INLINE std::size_t place_of(const detail::AxisTask<T>& t, int k) {
  const std::size_t m = std::size_t(k < 0 ? -k : k);
  return !t.halves ? m : m % 2 == 0 ? m / 2 : t.even + m / 2;
}

/// sum[2 n] += Σ_j a[j][n] f[j][2] for n frequencies of one group.
template <class T, int n>
SOBOLEV_INLINE void add_frequencies(const T* a, const T* f, std::size_t count, bool begin, T* sums) {
  Vec<T> sum[n][2];
#pragma GCC unroll 6
  for (int k = 0; k < n; ++k)
    for (int s = 0; s < 2; ++s) sum[k][s] = begin ? Vec<T>{} : load<T>(sums + (2 * k + s) * lanes<T>);
  for (std::size_t j = 0; j < count; ++j, a += n, f += 2 * lanes<T>) {
    const Vec<T> f0 = load<T>(f), f1 = load<T>(f + lanes<T>);
#pragma GCC unroll 6
    for (int k = 0; k < n; ++k) {
      const Vec<T> factor = broadcast<T>(a[k]);
      sum[k][0] += factor * f0;
      sum[k][1] += factor * f1;
    }
  }
#pragma GCC unroll 6
  for (int k = 0; k < n; ++k)
    for (int s = 0; s < 2; ++s) store<T>(sums + (2 * k + s) * lanes<T>, sum[k][s]);
}

template <class T>
SOBOLEV_INLINE void add_block(int n, const T* a, const T* f, std::size_t count, bool begin, T* sums) {
  switch (n) {
    case 1: return add_frequencies<T, 1>(a, f, count, begin, sums);
    case 2: return add_frequencies<T, 2>(a, f, count, begin, sums);
    case 3: return add_frequencies<T, 3>(a, f, count, begin, sums);
    case 4: return add_frequencies<T, 4>(a, f, count, begin, sums);
    case 5: return add_frequencies<T, 5>(a, f, count, begin, sums);
    default: return add_frequencies<T, 6>(a, f, count, begin, sums);
  }
}

/// Folded points first … first + count: the four groups, each [chunk][2].
template <class T>
SOBOLEV_INLINE void fold(const detail::AxisTask<T>& t, const Unit<T>& u, const T* x, std::size_t first,
                         std::size_t count, T* folded) {
  constexpr std::size_t group = chunk * 2 * lanes<T>;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t j = first + i, mirrored = j == 0 ? 0 : t.points - j;
    for (int s = 0; s < 2; ++s) {
      const T* from = x + u.points_at + (s == 0 ? 0 : u.second_points);
      T* to = folded + (2 * i + std::size_t(s)) * lanes<T>;
      const Vec<T> a = load_part<T>(from + j * u.points_step, u.room),
                   b = load_part<T>(from + mirrored * u.points_step, u.room);
      const Vec<T> even = a + b, odd = a - b;
      if (!t.halves) {
        store<T>(to, even);
        store<T>(to + 2 * group, odd);
        continue;
      }
      const Vec<T> c = load_part<T>(from + (t.points / 2 - j) * u.points_step, u.room),
                   d = load_part<T>(from + (j == 0 ? t.points / 2 : t.points / 2 + j) * u.points_step,
                                    u.room);
      const Vec<T> even2 = c + d, odd2 = c - d;
      store<T>(to, even + even2);
      store<T>(to + group, even - even2);
      store<T>(to + 2 * group, odd - odd2);
      store<T>(to + 3 * group, odd + odd2);
    }
  }
}
}  // namespace

template <class T>
std::size_t axis_scratch(std::size_t magnitudes) {
  const std::size_t analysis = groups * chunk * 2 * lanes<T>;
  return analysis + 4 * magnitudes * lanes<T>;
}
template <class T>
int axis_block_points() {
  return block_points;
}
template <class T>
std::size_t axis_units(const detail::AxisTask<T>& t) {
  const std::size_t vectors = (t.channels + lanes<T> - 1) / lanes<T>;
  return vectors * (t.real ? (t.outer + 1) / 2 : t.outer * t.inner);
}

template <class T>
void axis_to_modes_range(const detail::AxisTask<T>& t, const T* x, T* v, std::size_t first, std::size_t last,
                         T* scratch) {
  constexpr std::size_t vector = lanes<T>, group = chunk * 2 * vector;
  T *folded = scratch, *sums = scratch + groups * group;  // sums : [2 (cosine, sine), magnitudes, 2 streams]
  const std::size_t sizes[groups] = {t.even, t.odd, t.even, t.odd};
  const std::size_t sines = 2 * (t.even + t.odd) * vector;
  for (std::size_t unit = first; unit < last; ++unit) {
    const Unit<T> u = unit_of(t, unit);
    for (std::size_t j = 0; j < t.folded; j += chunk) {
      const std::size_t count = t.folded - j < chunk ? t.folded - j : chunk;
      fold<T>(t, u, x, j, count, folded);
      const T* table = t.table;
      T* sum = sums;
      for (int g = 0; g < groups; ++g) {
        const T* f = folded + std::size_t(g) * group;
        for (std::size_t k = 0; k < sizes[g];) {
          const int n = next_block(sizes[g] - k);
          add_block<T>(n, table + j * std::size_t(n), f, count, j == 0, sum);
          table += t.folded * std::size_t(n);
          sum += std::size_t(2 * n) * vector;
          k += std::size_t(n);
        }
      }
    }
    for (int k = t.low; k <= t.high; ++k) {
      T* out = v + u.modes_at + std::size_t(k - t.low) * u.modes_step;
      Vec<T> p0{}, p1{}, q0{}, q1{};
      if (k >= t.resolved_low && k <= t.resolved_high) {
        const T* sum = sums + 2 * place_of(t, k) * vector;
        p0 = load<T>(sum);
        p1 = load<T>(sum + vector);
        q0 = load<T>(sum + sines);
        q1 = load<T>(sum + sines + vector);
      }
      if (t.real) {  // two rows
        store_part<T>(out, p0, u.room);
        store_part<T>(out + u.imaginary, -q0, u.room);
        store_part<T>(out + u.second_modes, p1, u.room);
        store_part<T>(out + u.second_modes + u.imaginary, -q1, u.room);
      } else {
        store_part<T>(out, k < 0 ? p0 - q1 : p0 + q1, u.room);
        store_part<T>(out + u.second_modes, k < 0 ? p1 + q0 : p1 - q0, u.room);
      }
    }
  }
}

namespace {
/// Sums of cosines and sines of one parity for `block_points` points: c, s += ….
template <class T>
struct PointSums {
  Vec<T> cosine[block_points][2], sine[block_points][2];
};
template <class T>
SOBOLEV_INLINE void add_points(const T* a, const T* inputs, std::size_t count, PointSums<T>& out) {
  PointSums<T> sum = {};
  for (std::size_t k = 0; k < count; ++k, a += 2 * block_points, inputs += 4 * lanes<T>) {
    const Vec<T> c0 = load<T>(inputs), c1 = load<T>(inputs + lanes<T>), s0 = load<T>(inputs + 2 * lanes<T>),
                 s1 = load<T>(inputs + 3 * lanes<T>);
#pragma GCC unroll 3
    for (int j = 0; j < block_points; ++j) {
      const Vec<T> cosine = broadcast<T>(a[2 * j]), sine = broadcast<T>(a[2 * j + 1]);
      sum.cosine[j][0] += cosine * c0;
      sum.cosine[j][1] += cosine * c1;
      sum.sine[j][0] += sine * s0;
      sum.sine[j][1] += sine * s1;
    }
  }
  out = sum;
}

template <class T>
SOBOLEV_INLINE void put(T* to, Vec<T> value, int room, bool add) {
  store_part<T>(to, add ? load_part<T>(to, room) + value : value, room);
}
}  // namespace

template <class T>
void axis_to_points_range(const detail::AxisTask<T>& t, const T* v, T* x, std::size_t first, std::size_t last,
                          T* scratch) {
  constexpr std::size_t vector = lanes<T>;
  const std::size_t magnitudes = t.even + t.odd;
  for (std::size_t unit = first; unit < last; ++unit) {
    const Unit<T> u = unit_of(t, unit);
    // What the cosines and the sines of each magnitude multiply, for both streams.
    const auto coefficient = [&](int k, std::size_t part) __attribute__((always_inline)) {
      if (k < t.resolved_low || k > t.resolved_high) return Vec<T>{};
      return load_part<T>(v + u.modes_at + std::size_t(k - t.low) * u.modes_step + part, u.room);
    };
    for (std::size_t m = 0; m < magnitudes; ++m) {
      const int k = int(m);
      T* to = scratch + 4 * place_of(t, k) * vector;
      if (t.real) {
        store<T>(to, coefficient(k, 0));
        store<T>(to + vector, coefficient(k, u.second_modes));
        store<T>(to + 2 * vector, -coefficient(k, u.imaginary));
        store<T>(to + 3 * vector, -coefficient(k, u.second_modes + u.imaginary));
        continue;
      }
      const Vec<T> re = coefficient(k, 0), im = coefficient(k, u.second_modes);
      const Vec<T> re2 = k == 0 ? Vec<T>{} : coefficient(-k, 0),
                   im2 = k == 0 ? Vec<T>{} : coefficient(-k, u.second_modes);
      store<T>(to, re + re2);
      store<T>(to + vector, im + im2);
      store<T>(to + 2 * vector, im2 - im);
      store<T>(to + 3 * vector, re - re2);
    }
    const T* table = t.table;
    for (std::size_t j0 = 0; j0 < t.folded; j0 += block_points) {
      PointSums<T> even, odd;
      add_points<T>(table, scratch, t.even, even);
      table += t.even * 2 * block_points;
      add_points<T>(table, scratch + 4 * t.even * vector, t.odd, odd);
      table += t.odd * 2 * block_points;
#pragma GCC unroll 3
      for (int i = 0; i < block_points; ++i) {
        const std::size_t j = j0 + std::size_t(i);
        if (j >= t.folded) break;
        for (int s = 0; s < 2; ++s) {
          if (s == 1 && u.second_points == 0) break;
          T* out = x + u.points_at + (s == 0 ? 0 : u.second_points);
          const Vec<T> ce = even.cosine[i][s], se = even.sine[i][s], co = odd.cosine[i][s],
                       so = odd.sine[i][s];
          const Vec<T> near = ce + co, near_sine = se + so;
          put<T>(out + j * u.points_step, near + near_sine, u.room, t.add);
          if (j > 0) put<T>(out + (t.points - j) * u.points_step, near - near_sine, u.room, t.add);
          if (!t.halves || 4 * j == t.points) continue;
          const Vec<T> far = ce - co, far_sine = so - se;
          put<T>(out + (t.points / 2 - j) * u.points_step, far + far_sine, u.room, t.add);
          if (j > 0) put<T>(out + (t.points / 2 + j) * u.points_step, far - far_sine, u.room, t.add);
        }
      }
    }
  }
}

#define SOBOLEV_INSTANTIATE(T)                                                                              \
  template std::size_t axis_scratch<T>(std::size_t);                                                        \
  template int axis_block_points<T>();                                                                      \
  template std::size_t axis_units<T>(const detail::AxisTask<T>&);                                           \
  template void axis_to_modes_range<T>(const detail::AxisTask<T>&, const T*, T*, std::size_t, std::size_t,  \
                                       T*);                                                                 \
  template void axis_to_points_range<T>(const detail::AxisTask<T>&, const T*, T*, std::size_t, std::size_t, \
                                        T*);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE
}  // namespace sobolev::SOBOLEV_TARGET

#if SOBOLEV_DISPATCHER
#include "kernels/spectral/truncated_transform_plan.hpp"

namespace sobolev::detail {
template <class T>
std::vector<T> pack_axis_table(const Cpu&, const AxisShape& axis, const std::vector<double>& weight,
                               bool to_modes) {
  const AxisWaves waves = folded_waves(axis, weight, to_modes);
  std::vector<T> table;
  const auto put = [&](const std::vector<double>& wave, std::size_t place, std::size_t j) {
    table.push_back(place < axis.magnitudes && j < axis.folded
                        ? T(wave[magnitude_at(axis, place) * axis.folded + j])
                        : T(0));
  };
  if (to_modes) {  // [cosine, sine] × [even, odd]: blocks of frequencies, each [folded][n]
    for (const auto* wave : {&waves.cosine, &waves.sine})
      for (const auto& [begin, count] :
           {std::pair(std::size_t(0), axis.even()), std::pair(axis.even(), axis.odd())})
        for (std::size_t k = 0; k < count;) {
          const std::size_t n = std::size_t(SOBOLEV_TARGET::next_block(count - k));
          for (std::size_t j = 0; j < axis.folded; ++j)
            for (std::size_t i = 0; i < n; ++i) put(*wave, begin + k + i, j);
          k += n;
        }
    return table;
  }
  const std::size_t rows = std::size_t(SOBOLEV_CALL(axis_block_points<T>));
  for (std::size_t j0 = 0; j0 < axis.folded; j0 += rows)
    for (std::size_t place = 0; place < axis.magnitudes; ++place)
      for (std::size_t j = j0; j < j0 + rows; ++j) {
        put(waves.cosine, place, j);
        put(waves.sine, place, j);
      }
  return table;
}
template std::vector<float> pack_axis_table<float>(const Cpu&, const AxisShape&, const std::vector<double>&,
                                                   bool);
template std::vector<double> pack_axis_table<double>(const Cpu&, const AxisShape&, const std::vector<double>&,
                                                     bool);
}  // namespace sobolev::detail
#endif
