// SPDX-License-Identifier: Apache-2.0
// One step of Adam.                                                 all arrays : [P]
// Elementwise over ranges of parameters; 7·P·sizeof(T) bytes, about 12 FLOPs each: bandwidth bound,
// far below one per cent of a training step.
#include "sobolev/optim/adam.hpp"

#include "kernels/common/dispatch.hpp"
#include "kernels/common/simd.hpp"

SOBOLEV_DECLARE_TARGETS(template <class T> void adam_range(T beta1, T beta2, T rate, T root_scale, T epsilon,
                                                           T keep, const T* gradient, T* m, T* v,
                                                           T* parameters, std::size_t n);)

namespace sobolev::SOBOLEV_TARGET {
template <class T>
void adam_range(T beta1, T beta2, T rate, T root_scale, T epsilon, T keep, const T* gradient, T* m, T* v,
                T* parameters, std::size_t n) {
#pragma omp simd
  for (std::size_t i = 0; i < n; ++i) {
    const T g = gradient[i];
    m[i] = beta1 * m[i] + (1 - beta1) * g;
    v[i] = beta2 * v[i] + (1 - beta2) * g * g;
    parameters[i] = keep * parameters[i] - rate * m[i] / (square_root(v[i]) * root_scale + epsilon);
  }
}
template void adam_range<float>(float, float, float, float, float, float, const float*, float*, float*,
                                float*, std::size_t);
template void adam_range<double>(double, double, double, double, double, double, const double*, double*,
                                 double*, double*, std::size_t);
}  // namespace sobolev::SOBOLEV_TARGET

#if SOBOLEV_DISPATCHER
#include <algorithm>

#include "kernels/optim/adam_math.hpp"

namespace sobolev {
template <class T>
void adam_step(const Cpu& cpu, const AdamOptions& options, long step, View<const T, 1> gradient, View<T, 1> m,
               View<T, 1> v, View<T, 1> parameters) {
  const auto rates = detail::adam_rates<T>(options, step, gradient, m, v, parameters);
  const std::size_t n = parameters.size();
  constexpr std::size_t part = 16384;
#pragma omp parallel for num_threads(cpu.threads()) schedule(static) if (n > part)
  for (std::size_t i = 0; i < n; i += part)
    SOBOLEV_CALL(adam_range<T>, rates.beta1, rates.beta2, rates.rate, rates.root_scale, rates.epsilon,
                 rates.keep, gradient.data() + i, m.data() + i, v.data() + i, parameters.data() + i,
                 std::min(part, n - i));
}
template <class T>
void adam_step(const Cpu& cpu, const AdamOptions& options, View<double, 1> clock, View<const T, 1> gradient,
               View<T, 1> m, View<T, 1> v, View<T, 1> parameters) {
  detail::check_adam_clock(clock.size());
  AdamOptions now = options;
  now.learning_rate = clock(1);
  adam_step<T>(cpu, now, long(clock(0)) + 1, gradient, m, v, parameters);
  clock(0) += 1;
}
template void adam_step<float>(const Cpu&, const AdamOptions&, long, View<const float, 1>, View<float, 1>,
                               View<float, 1>, View<float, 1>);
template void adam_step<double>(const Cpu&, const AdamOptions&, long, View<const double, 1>, View<double, 1>,
                                View<double, 1>, View<double, 1>);
template void adam_step<float>(const Cpu&, const AdamOptions&, View<double, 1>, View<const float, 1>,
                               View<float, 1>, View<float, 1>, View<float, 1>);
template void adam_step<double>(const Cpu&, const AdamOptions&, View<double, 1>, View<const double, 1>,
                                View<double, 1>, View<double, 1>, View<double, 1>);
}  // namespace sobolev
#endif
