// SPDX-License-Identifier: Apache-2.0
// The relative L2 error of each sample and the gradient of their mean.            y, target : [B, N, C]
// A sample by a thread. Reads 2 N C numbers and again 2 N C for the gradient, which it writes: bound by
// memory.
#include "sobolev/operators/relative_l2.hpp"

#include "kernels/common/dispatch.hpp"
#include "kernels/common/simd.hpp"

SOBOLEV_DECLARE_TARGETS(
    /// sums[0] += Σ (s y + m − t)², sums[1] += Σ t².
    template <class T> void squared_rows(const T* y, const T* scale, const T* offset, const T* target,
                                         std::size_t rows, std::size_t channels, double* sums);
    /// y_bar = factor s (s y + m − t).
    template <class T> void difference_rows(const T* y, const T* scale, const T* offset, const T* target,
                                            T factor, std::size_t rows, std::size_t channels, T* y_bar);)

namespace sobolev::SOBOLEV_TARGET {
template <class T>
void squared_rows(const T* y, const T* scale, const T* offset, const T* target, std::size_t rows,
                  std::size_t channels, double* sums) {
  double error = 0, norm = 0;
  for (std::size_t r = 0; r < rows; ++r, y += channels, target += channels) {
#pragma omp simd reduction(+ : error, norm)
    for (std::size_t c = 0; c < channels; ++c) {
      const T value = scale != nullptr ? scale[c] * y[c] + offset[c] : y[c];
      const double e = double(value - target[c]), t = double(target[c]);
      error += e * e;
      norm += t * t;
    }
  }
  sums[0] += error;
  sums[1] += norm;
}

template <class T>
void difference_rows(const T* y, const T* scale, const T* offset, const T* target, T factor, std::size_t rows,
                     std::size_t channels, T* y_bar) {
  for (std::size_t r = 0; r < rows; ++r, y += channels, target += channels, y_bar += channels) {
#pragma omp simd
    for (std::size_t c = 0; c < channels; ++c) {
      const T s = scale != nullptr ? scale[c] : T(1), m = scale != nullptr ? offset[c] : T(0);
      y_bar[c] = factor * s * (s * y[c] + m - target[c]);
    }
  }
}

template void squared_rows<float>(const float*, const float*, const float*, const float*, std::size_t,
                                  std::size_t, double*);
template void squared_rows<double>(const double*, const double*, const double*, const double*, std::size_t,
                                   std::size_t, double*);
template void difference_rows<float>(const float*, const float*, const float*, const float*, float,
                                     std::size_t, std::size_t, float*);
template void difference_rows<double>(const double*, const double*, const double*, const double*, double,
                                      std::size_t, std::size_t, double*);
}  // namespace sobolev::SOBOLEV_TARGET

#if SOBOLEV_DISPATCHER
#include <cmath>

#include "kernels/common/threads.hpp"
#include "kernels/operators/relative_l2_shapes.hpp"

namespace sobolev {
template <class T>
void relative_l2(const Cpu& cpu, View<const T, 3> y, View<const T, 1> scale, View<const T, 1> offset,
                 View<const T, 3> target, View<double, 1> errors, View<double, 1> loss, View<T, 3> y_bar) {
  detail::check_relative_l2(y.shape(), scale.size(), offset.size(), target.shape(), errors.size(),
                            y_bar.shape());
  const std::size_t batch = y.extent(0), n = y.extent(1), channels = y.extent(2), size = n * channels;
  const T *s = scale.size() > 0 ? scale.data() : nullptr, *m = scale.size() > 0 ? offset.data() : nullptr;
  // Fields of one channel without a scale are one row.
  const std::size_t rows = s == nullptr ? 1 : n, columns = s == nullptr ? size : channels;
#pragma omp parallel for num_threads(detail::threads_for(cpu, 4 * double(y.size()))) schedule(static)
  for (std::size_t b = 0; b < batch; ++b) {
    double sums[2] = {0, 0};
    SOBOLEV_CALL(squared_rows<T>, y.data() + b * size, s, m, target.data() + b * size, rows, columns, sums);
    const double norm = sums[1] > 0 ? std::sqrt(sums[1]) : 1, error = std::sqrt(sums[0]);
    errors.data()[b] = error / norm;
    if (y_bar.size() > 0)
      SOBOLEV_CALL(difference_rows<T>, y.data() + b * size, s, m, target.data() + b * size,
                   error > 0 ? T(1 / (error * norm * double(batch))) : T(0), rows, columns,
                   y_bar.data() + b * size);
  }
  if (loss.size() == 0) return;
  double sum = 0;
  for (std::size_t b = 0; b < batch; ++b) sum += errors.data()[b];
  loss(0) = batch > 0 ? sum / double(batch) : 0;
}
#define SOBOLEV_INSTANTIATE(T)                                                                   \
  template void relative_l2<T>(const Cpu&, View<const T, 3>, View<const T, 1>, View<const T, 1>, \
                               View<const T, 3>, View<double, 1>, View<double, 1>, View<T, 3>);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE
}  // namespace sobolev
#endif
