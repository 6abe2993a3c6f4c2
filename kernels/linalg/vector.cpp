// SPDX-License-Identifier: Apache-2.0
// Sums, products and norms of vectors.                                          all arrays : [N]
// 3·N·sizeof(T) bytes for axpby, 2·N·sizeof(T) for dot, N·sizeof(T) for the norm: bandwidth bound.
#include "sobolev/linalg/vector.hpp"

#include "kernels/common/dispatch.hpp"
#include "kernels/common/simd.hpp"

SOBOLEV_DECLARE_TARGETS(template <class T>
                        void axpby_range(T a, const T* x, T b, const T* y, T* out, std::size_t n);
                        template <class T> double dot_range(const T* x, const T* y, std::size_t n);)

namespace sobolev::SOBOLEV_TARGET {
template <class T>
void axpby_range(T a, const T* x, T b, const T* y, T* out, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) out[i] = a * x[i] + b * y[i];
}
template <class T>
double dot_range(const T* x, const T* y, std::size_t n) {
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += double(x[i]) * double(y[i]);
  return sum;
}
template void axpby_range<float>(float, const float*, float, const float*, float*, std::size_t);
template void axpby_range<double>(double, const double*, double, const double*, double*, std::size_t);
template double dot_range<float>(const float*, const float*, std::size_t);
template double dot_range<double>(const double*, const double*, std::size_t);
}  // namespace sobolev::SOBOLEV_TARGET

#if SOBOLEV_DISPATCHER
#include <algorithm>
#include <cmath>

#include "kernels/linalg/vector_shapes.hpp"

namespace sobolev {
template <class T>
void axpby(const Cpu& cpu, T a, View<const T, 1> x, T b, View<const T, 1> y, View<T, 1> out) {
  detail::check_axpby(x.size(), y.size(), out.size());
  const std::size_t n = out.size();
  constexpr std::size_t part = 16384;
#pragma omp parallel for num_threads(cpu.threads()) schedule(static) if (n > part)
  for (std::size_t i = 0; i < n; i += part)
    SOBOLEV_CALL(axpby_range<T>, a, x.data() + i, b, y.data() + i, out.data() + i, std::min(part, n - i));
}
template <class T>
double dot(const Cpu&, View<const T, 1> x, View<const T, 1> y) {
  detail::check_dot(x.size(), y.size());
  return SOBOLEV_CALL(dot_range<T>, x.data(), y.data(), x.size());
}
template <class T>
double norm(const Cpu& cpu, View<const T, 1> x) {
  return std::sqrt(dot<T>(cpu, x, x));
}
template void axpby<float>(const Cpu&, float, View<const float, 1>, float, View<const float, 1>,
                           View<float, 1>);
template void axpby<double>(const Cpu&, double, View<const double, 1>, double, View<const double, 1>,
                            View<double, 1>);
template double dot<float>(const Cpu&, View<const float, 1>, View<const float, 1>);
template double dot<double>(const Cpu&, View<const double, 1>, View<const double, 1>);
template double norm<float>(const Cpu&, View<const float, 1>);
template double norm<double>(const Cpu&, View<const double, 1>);
}  // namespace sobolev
#endif
