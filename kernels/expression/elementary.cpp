// SPDX-License-Identifier: Apache-2.0
// y = f(x), elementwise, for the unary operations of expressions.       x, y : [N]
// A SIMD vector at a time, the last one padded. 10 to 60 FLOPs per element (kernels/common/vector_math.hpp)
// and 2·sizeof(T) bytes: bound by arithmetic for most functions, by the first-level cache for negate, abs,
// sign.
#include "sobolev/expression/elementary.hpp"

#include "kernels/expression/elementary_detail.hpp"
#include "kernels/expression/elementary_range.hpp"

namespace sobolev::SOBOLEV_TARGET {

template <class T>
void elementary_range(Op op, const T* x, T* y, std::size_t n) {
  with_unary<T>(op, [=](auto f) {
    std::size_t i = 0;
    for (; i + lanes<T> <= n; i += lanes<T>) store<T>(y + i, f(load<T>(x + i)));
    if (i == n) return;
    T rest[lanes<T>] = {};
    for (std::size_t k = i; k < n; ++k) rest[k - i] = x[k];
    store<T>(rest, f(load<T>(rest)));
    for (std::size_t k = i; k < n; ++k) y[k] = rest[k - i];
  });
}
template void elementary_range<float>(Op, const float*, float*, std::size_t);
template void elementary_range<double>(Op, const double*, double*, std::size_t);
}  // namespace sobolev::SOBOLEV_TARGET

#if SOBOLEV_DISPATCHER
#include <algorithm>

#include "kernels/expression/elementary_shapes.hpp"

namespace sobolev {
template <class T>
void elementary(const Cpu& cpu, Op op, View<const T, 1> x, View<T, 1> y) {
  detail::check_elementary(op, x.size(), y.size());
  constexpr std::size_t part = 16384;
  const std::size_t n = x.size();
  if (n <= part) {  // entering a parallel region costs as much as a thousand elements
    if (n > 0) SOBOLEV_CALL(elementary_range<T>, op, x.data(), y.data(), n);
    return;
  }
#pragma omp parallel for num_threads(cpu.threads()) schedule(static)
  for (std::size_t i = 0; i < n; i += part)
    SOBOLEV_CALL(elementary_range<T>, op, x.data() + i, y.data() + i, std::min(part, n - i));
}
template void elementary<float>(const Cpu&, Op, View<const float, 1>, View<float, 1>);
template void elementary<double>(const Cpu&, Op, View<const double, 1>, View<double, 1>);
}  // namespace sobolev
#endif
