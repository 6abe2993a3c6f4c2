// SPDX-License-Identifier: Apache-2.0
// The parts of the relative H1 error and its gradient.            f : [B, n1, n2, n3, C], channels fastest
// A sample by a thread, row by row of the last axis; a difference is one of two rows, so that all loops run
// over contiguous numbers. Squares read 1 + 2 d rows a row (from the L1 and L2 caches but for one), the
// gradient as many and writes one: bound by memory for fields beyond the caches, 5 d FLOPs a number.
#include "sobolev/operators/relative_h1.hpp"

#include "kernels/common/dispatch.hpp"
#include "kernels/operators/relative_h1_parts.hpp"

SOBOLEV_DECLARE_TARGETS(
    /// e = s y + m − t.
    template <class T> void residual_rows(const T* y, const T* scale, const T* offset, const T* target,
                                          std::size_t rows, std::size_t channels, T* e);
    /// *sum += Σ (a (p − q))², q may be null.
    template <class T> void add_squares(const T* p, const T* q, T a, std::size_t n, double* sum);
    /// out += a (p − q).
    template <class T> void add_difference(const T* p, const T* q, T a, std::size_t n, T* out);
    /// *sum += Σ weight v², v ← weight v.
    template <class T> void weigh_squares(T* v, T weight, std::size_t n, double* sum);
    /// g ← factor s g.
    template <class T>
    void scale_rows(T factor, const T* scale, std::size_t rows, std::size_t channels, T* g);)

namespace sobolev::SOBOLEV_TARGET {
template <class T>
void residual_rows(const T* y, const T* scale, const T* offset, const T* target, std::size_t rows,
                   std::size_t channels, T* e) {
  for (std::size_t r = 0; r < rows; ++r, y += channels, target += channels, e += channels) {
#pragma omp simd
    for (std::size_t c = 0; c < channels; ++c) {
      const T value = scale != nullptr ? scale[c] * y[c] + offset[c] : y[c];
      e[c] = value - target[c];
    }
  }
}

template <class T>
void add_squares(const T* p, const T* q, T a, std::size_t n, double* sum) {
  double total = 0;
  if (q == nullptr) {
#pragma omp simd reduction(+ : total)
    for (std::size_t i = 0; i < n; ++i) total += double(p[i]) * double(p[i]);
  } else {
#pragma omp simd reduction(+ : total)
    for (std::size_t i = 0; i < n; ++i) {
      const double d = double(a * (p[i] - q[i]));
      total += d * d;
    }
  }
  *sum += total;
}

template <class T>
void add_difference(const T* p, const T* q, T a, std::size_t n, T* out) {
#pragma omp simd
  for (std::size_t i = 0; i < n; ++i) out[i] += a * (p[i] - q[i]);
}

template <class T>
void weigh_squares(T* v, T weight, std::size_t n, double* sum) {
  double total = 0;
#pragma omp simd reduction(+ : total)
  for (std::size_t i = 0; i < n; ++i) {
    const T weighed = weight * v[i];
    total += double(weighed) * double(v[i]);
    v[i] = weighed;
  }
  *sum += total;
}

template <class T>
void scale_rows(T factor, const T* scale, std::size_t rows, std::size_t channels, T* g) {
  for (std::size_t r = 0; r < rows; ++r, g += channels) {
#pragma omp simd
    for (std::size_t c = 0; c < channels; ++c) g[c] *= scale != nullptr ? factor * scale[c] : factor;
  }
}

#define SOBOLEV_INSTANTIATE(T)                                                                          \
  template void residual_rows<T>(const T*, const T*, const T*, const T*, std::size_t, std::size_t, T*); \
  template void add_squares<T>(const T*, const T*, T, std::size_t, double*);                            \
  template void add_difference<T>(const T*, const T*, T, std::size_t, T*);                              \
  template void weigh_squares<T>(T*, T, std::size_t, double*);                                          \
  template void scale_rows<T>(T, const T*, std::size_t, std::size_t, T*);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE
}  // namespace sobolev::SOBOLEV_TARGET

#if SOBOLEV_DISPATCHER
#include <cmath>

#include "kernels/common/threads.hpp"

namespace sobolev::detail {
namespace {
/// Rows of one sample: row(i, j) has n3 · C numbers.
template <class T>
struct Rows {
  const T* first;
  const H1Axes& axes;
  std::size_t channels;
  std::size_t size() const { return axes.grid[2] * channels; }
  const T* at(std::size_t i, std::size_t j) const { return first + (i * axes.grid[1] + j) * size(); }
};

template <class T>
double squares_of(const Rows<T>& rows) {
  const auto& [n1, n2, n3] = rows.axes.grid;
  const auto& inverse = rows.axes.inverse;
  const std::size_t c = rows.channels, all = rows.size();
  const bool periodic = rows.axes.periodic;
  double sum = 0;
  for (std::size_t i = 0; i < n1; ++i)
    for (std::size_t j = 0; j < n2; ++j) {
      const T* const row = rows.at(i, j);
      SOBOLEV_CALL(add_squares<T>, row, nullptr, T(1), all, &sum);
      if (inverse[0] > 0) {
        const H1Difference d = h1_difference(i, n1, periodic);
        SOBOLEV_CALL(add_squares<T>, rows.at(d.up, j), rows.at(d.down, j), T(d.share * inverse[0]), all,
                     &sum);
      }
      if (inverse[1] > 0) {
        const H1Difference d = h1_difference(j, n2, periodic);
        SOBOLEV_CALL(add_squares<T>, rows.at(i, d.up), rows.at(i, d.down), T(d.share * inverse[1]), all,
                     &sum);
      }
      if (inverse[2] > 0) {
        if (n3 > 2) SOBOLEV_CALL(add_squares<T>, row + 2 * c, row, T(0.5 * inverse[2]), all - 2 * c, &sum);
        for (const std::size_t k : {std::size_t(0), n3 - 1}) {
          const H1Difference d = h1_difference(k, n3, periodic);
          SOBOLEV_CALL(add_squares<T>, row + d.up * c, row + d.down * c, T(d.share * inverse[2]), c, &sum);
        }
      }
    }
  return sum;
}

/// f(p, q, a) for the terms a (f(p) − f(q)) that Dᵀ D f has at point i of n, inverse = 1/h.
template <class F>
void transposed(std::size_t i, std::size_t n, bool periodic, double inverse, F&& f) {
  const std::size_t before = i > 0      ? i - 1
                             : periodic ? n - 1
                                        : i,
                    after = i + 1 < n  ? i + 1
                            : periodic ? 0
                                       : i;
  const std::size_t near[3] = {before, i, after};
  for (int m = 0; m < 3; ++m) {
    const std::size_t j = near[m];
    if ((m != 1 && j == i) || (m == 2 && j == before)) continue;  // the end of an axis, or two points
    const H1Difference d = h1_difference(j, n, periodic);
    const double a = d.share * inverse * d.share * inverse;
    if (d.up == d.down) continue;
    if (d.up == i) f(d.up, d.down, a);
    if (d.down == i) f(d.up, d.down, -a);
  }
}

template <class T>
void gradient_of(const Rows<T>& rows, T* g) {
  const auto& [n1, n2, n3] = rows.axes.grid;
  const auto& inverse = rows.axes.inverse;
  const std::size_t c = rows.channels, all = rows.size();
  const bool periodic = rows.axes.periodic;
  for (std::size_t i = 0; i < n1; ++i)
    for (std::size_t j = 0; j < n2; ++j, g += all) {
      const T* const row = rows.at(i, j);
      std::copy_n(row, all, g);
      if (inverse[0] > 0)
        transposed(i, n1, periodic, inverse[0], [&](std::size_t p, std::size_t q, double a) {
          SOBOLEV_CALL(add_difference<T>, rows.at(p, j), rows.at(q, j), T(a), all, g);
        });
      if (inverse[1] > 0)
        transposed(j, n2, periodic, inverse[1], [&](std::size_t p, std::size_t q, double a) {
          SOBOLEV_CALL(add_difference<T>, rows.at(i, p), rows.at(i, q), T(a), all, g);
        });
      if (!(inverse[2] > 0)) continue;
      const T a = T(0.25 * inverse[2] * inverse[2]);
      if (n3 > 4) {  // points 2 … n3 − 3 have no other neighbours than their own
        SOBOLEV_CALL(add_difference<T>, row + 2 * c, row, a, all - 4 * c, g + 2 * c);
        SOBOLEV_CALL(add_difference<T>, row + 4 * c, row + 2 * c, -a, all - 4 * c, g + 2 * c);
      }
      for (std::size_t k = 0; k < n3; ++k) {
        if (n3 > 4 && k == 2) k = n3 - 2;
        transposed(k, n3, periodic, inverse[2], [&](std::size_t p, std::size_t q, double w) {
          SOBOLEV_CALL(add_difference<T>, row + p * c, row + q * c, T(w), c, g + k * c);
        });
      }
    }
}
}  // namespace

template <class T>
void h1_residual(const Cpu& cpu, View<const T, 3> y, View<const T, 1> scale, View<const T, 1> offset,
                 View<const T, 3> target, View<T, 3> e) {
  const std::size_t batch = y.extent(0), n = y.extent(1), channels = y.extent(2), size = n * channels;
  const T *s = scale.size() > 0 ? scale.data() : nullptr, *m = scale.size() > 0 ? offset.data() : nullptr;
  const std::size_t rows = s == nullptr ? 1 : n, columns = s == nullptr ? size : channels;
#pragma omp parallel for num_threads(threads_for(cpu, 3 * double(y.size()))) schedule(static)
  for (std::size_t b = 0; b < batch; ++b)
    SOBOLEV_CALL(residual_rows<T>, y.data() + b * size, s, m, target.data() + b * size, rows, columns,
                 e.data() + b * size);
}

template <class T>
void h1_squares(const Cpu& cpu, View<const T, 3> f, const H1Axes& axes, View<double, 1> squares) {
  const std::size_t batch = f.extent(0), size = f.extent(1) * f.extent(2), channels = f.extent(2);
  if (size == 0) return;
#pragma omp parallel for num_threads(threads_for(cpu, 10 * double(f.size()))) schedule(static)
  for (std::size_t b = 0; b < batch; ++b)
    squares.data()[b] = squares_of(Rows<T>{f.data() + b * size, axes, channels});
}

template <class T>
void h1_gradient(const Cpu& cpu, View<const T, 3> f, const H1Axes& axes, View<T, 3> g) {
  const std::size_t batch = f.extent(0), size = f.extent(1) * f.extent(2), channels = f.extent(2);
  if (size == 0) return;
#pragma omp parallel for num_threads(threads_for(cpu, 15 * double(f.size()))) schedule(static)
  for (std::size_t b = 0; b < batch; ++b)
    gradient_of(Rows<T>{f.data() + b * size, axes, channels}, g.data() + b * size);
}

template <class T>
void h1_mode_squares(const Cpu& cpu, View<T, 4> v, View<const T, 1> weight, View<double, 1> squares) {
  const std::size_t batch = squares.size(), modes = v.extent(1), part = 2 * v.extent(3);
  if (batch == 0) return;
  const std::size_t rows = v.extent(0) / batch;
#pragma omp parallel for num_threads(threads_for(cpu, 4 * double(v.size()))) schedule(static)
  for (std::size_t b = 0; b < batch; ++b) {
    double sum = 0;
    for (std::size_t r = b * rows; r < (b + 1) * rows; ++r)
      for (std::size_t k = 0; k < modes; ++k)
        SOBOLEV_CALL(weigh_squares<T>, v.data() + (r * modes + k) * part, weight.data()[k], part, &sum);
    squares.data()[b] += sum;
  }
}

void h1_finish(const Cpu&, View<const double, 1> squares, View<double, 1> errors, View<double, 1> loss,
               View<double, 1> factors) {
  const std::size_t batch = errors.size();
  double sum = 0;
  for (std::size_t b = 0; b < batch; ++b) {
    const double error = std::sqrt(squares(b)),
                 norm = squares(batch + b) > 0 ? std::sqrt(squares(batch + b)) : 1;
    errors(b) = error / norm;
    factors(b) = error > 0 ? 1 / (error * norm * double(batch)) : 0;
    sum += errors(b);
  }
  if (loss.size() > 0) loss(0) = batch > 0 ? sum / double(batch) : 0;
}

template <class T>
void h1_scale(const Cpu& cpu, View<const double, 1> factors, View<const T, 1> scale, View<T, 3> g) {
  const std::size_t batch = g.extent(0), n = g.extent(1), channels = g.extent(2), size = n * channels;
  const T* s = scale.size() > 0 ? scale.data() : nullptr;
  const std::size_t rows = s == nullptr ? 1 : n, columns = s == nullptr ? size : channels;
#pragma omp parallel for num_threads(threads_for(cpu, 2 * double(g.size()))) schedule(static)
  for (std::size_t b = 0; b < batch; ++b)
    SOBOLEV_CALL(scale_rows<T>, T(factors.data()[b]), s, rows, columns, g.data() + b * size);
}

#define SOBOLEV_INSTANTIATE(T)                                                                   \
  template void h1_residual<T>(const Cpu&, View<const T, 3>, View<const T, 1>, View<const T, 1>, \
                               View<const T, 3>, View<T, 3>);                                    \
  template void h1_squares<T>(const Cpu&, View<const T, 3>, const H1Axes&, View<double, 1>);     \
  template void h1_gradient<T>(const Cpu&, View<const T, 3>, const H1Axes&, View<T, 3>);         \
  template void h1_mode_squares<T>(const Cpu&, View<T, 4>, View<const T, 1>, View<double, 1>);   \
  template void h1_scale<T>(const Cpu&, View<const double, 1>, View<const T, 1>, View<T, 3>);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE
}  // namespace sobolev::detail
#endif
