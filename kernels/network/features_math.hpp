// SPDX-License-Identifier: Apache-2.0
#pragma once
// The linear and periodic features of n points, on the CPU a tile, on a device each thread's own (n = 1).
#include "kernels/common/simd.hpp"
#include "kernels/network/features_table.hpp"

namespace sobolev::SOBOLEV_TARGET {

/// at(feature, channel, p) is the place of a value, cleared beforehand; coordinate d of point p is
/// x[d · x_stride + p].
template <class T, class At>
SOBOLEV_INLINE void plain_features(const detail::FeatureView<T>& view, const T* x, std::size_t x_stride,
                                   int n, const At& at) {
  for (int i = 0; i < view.linear_count; ++i) {
    const detail::LinearFeature<T>& f = view.linear[i];
    const T* column = x + std::size_t(f.coordinate) * x_stride;
    for (int p = 0; p < n; ++p) at(f.feature, 0, p) = f.scale * column[p] + f.shift;
    for (int j = 0; j < view.derivative_count; ++j) {
      const detail::PureDerivative<T>& d = view.derivatives[j];
      if (d.coordinate != f.coordinate || d.order != 1) continue;
      for (int p = 0; p < n; ++p) at(f.feature, d.channel, p) += d.coefficient * f.scale;
    }
  }
  for (int i = 0; i < view.periodic_count; ++i) {
    const detail::PeriodicFeature<T>& f = view.periodic[i];
    const T* column = x + std::size_t(f.coordinate) * x_stride;
    for (int p = 0; p < n; ++p) {
      // The phase in double: in float32 the modes would multiply its rounding error.
      const double phase = double(f.omega) * double(column[p]);
      const double c1 = cosine(phase), s1 = sine(phase);
      double c = 1, s = 0;
      for (int k = 1; k <= f.modes; ++k) {
        const double next = c * c1 - s * s1;
        s = s * c1 + c * s1;
        c = next;
        const int feature = f.feature + 2 * (k - 1);
        at(feature, 0, p) = T(c);
        at(feature + 1, 0, p) = T(s);
        const double frequency = k * double(f.omega);
        for (int j = 0; j < view.derivative_count; ++j) {
          const detail::PureDerivative<T>& d = view.derivatives[j];
          if (d.coordinate != f.coordinate) continue;
          double factor = double(d.coefficient);
          for (int o = 0; o < d.order; ++o) factor *= frequency;
          const double turned_c = d.order % 2 == 0 ? c : s, turned_s = d.order % 2 == 0 ? s : c;
          const int quarter = d.order % 4;
          at(feature, d.channel, p) +=
              T(quarter == 0 || quarter == 3 ? factor * turned_c : -factor * turned_c);
          at(feature + 1, d.channel, p) += T(quarter < 2 ? factor * turned_s : -factor * turned_s);
        }
      }
    }
  }
}

}  // namespace sobolev::SOBOLEV_TARGET
