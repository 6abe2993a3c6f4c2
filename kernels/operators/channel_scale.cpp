// SPDX-License-Identifier: Apache-2.0
// y = w ⊙ x + b, channel by channel, and its adjoint.                       x, y : [N, C], w, b : [C]
// Parts of the points by threads; the adjoint's sums of a part are added in order. Moves 2 N C numbers
// forward, 3 N C (with add 4) backward: bound by memory.
#include "sobolev/operators/channel_scale.hpp"

#include "kernels/common/dispatch.hpp"
#include "kernels/common/simd.hpp"

SOBOLEV_DECLARE_TARGETS(template <class T> void scale_rows(const T* x, const T* weight, const T* bias,
                                                           std::size_t rows, std::size_t channels, T* y);
                        /// sums : [2, channels], Σ x ⊙ ȳ and Σ ȳ; x_bar may be null.
                        template <class T>
                        void scale_rows_adjoint(const T* x, const T* weight, const T* y_bar, std::size_t rows,
                                                std::size_t channels, bool add, T* x_bar, T* sums);)

namespace sobolev::SOBOLEV_TARGET {
template <class T>
void scale_rows(const T* x, const T* weight, const T* bias, std::size_t rows, std::size_t channels, T* y) {
  for (std::size_t r = 0; r < rows; ++r, x += channels, y += channels) {
#pragma omp simd
    for (std::size_t c = 0; c < channels; ++c) y[c] = weight[c] * x[c] + (bias != nullptr ? bias[c] : T(0));
  }
}

template <class T>
void scale_rows_adjoint(const T* x, const T* weight, const T* y_bar, std::size_t rows, std::size_t channels,
                        bool add, T* x_bar, T* sums) {
  for (std::size_t c = 0; c < channels; c += lanes<T>) {
    const int room = channels - c < std::size_t(lanes<T>) ? int(channels - c) : lanes<T>;
    const Vec<T> w = load_part<T>(weight + c, room);
    Vec<T> products{}, total{};
    for (std::size_t r = 0; r < rows; ++r) {
      const Vec<T> bar = load_part<T>(y_bar + r * channels + c, room);
      products += bar * load_part<T>(x + r * channels + c, room);
      total += bar;
      if (x_bar == nullptr) continue;
      T* to = x_bar + r * channels + c;
      store_part<T>(to, add ? load_part<T>(to, room) + w * bar : w * bar, room);
    }
    store_part<T>(sums + c, products, room);
    store_part<T>(sums + channels + c, total, room);
  }
}

template void scale_rows<float>(const float*, const float*, const float*, std::size_t, std::size_t, float*);
template void scale_rows<double>(const double*, const double*, const double*, std::size_t, std::size_t,
                                 double*);
template void scale_rows_adjoint<float>(const float*, const float*, const float*, std::size_t, std::size_t,
                                        bool, float*, float*);
template void scale_rows_adjoint<double>(const double*, const double*, const double*, std::size_t,
                                         std::size_t, bool, double*, double*);
}  // namespace sobolev::SOBOLEV_TARGET

#if SOBOLEV_DISPATCHER
#include <algorithm>

#include "kernels/common/threads.hpp"
#include "kernels/operators/channel_mix_shapes.hpp"
#include "kernels/operators/channel_scale_shapes.hpp"

namespace sobolev {
template <class T>
void channel_scale(const Cpu& cpu, View<const T, 2> x, View<const T, 1> weight, View<const T, 1> bias,
                   View<T, 2> y) {
  detail::check_channel_scale("channel_scale", x.shape(), weight.size(), bias.size(), y.shape());
  const std::size_t n = x.extent(0), channels = x.extent(1);
  constexpr std::size_t rows = 1024;
#pragma omp parallel for num_threads(detail::threads_for(cpu, double(x.size()))) schedule(static)
  for (std::size_t p = 0; p < n; p += rows)
    SOBOLEV_CALL(scale_rows<T>, x.data() + p * channels, weight.data(),
                 bias.size() > 0 ? bias.data() : nullptr, std::min(rows, n - p), channels,
                 y.data() + p * channels);
}

template <class T>
void channel_scale_adjoint(const Cpu& cpu, View<const T, 2> x, View<const T, 1> weight,
                           View<const T, 2> y_bar, View<T, 2> x_bar, bool add, View<T, 1> weight_bar,
                           View<T, 1> bias_bar, View<T, 1> workspace) {
  detail::check_channel_scale_adjoint(x.shape(), weight.size(), y_bar.shape(), x_bar.shape(),
                                      weight_bar.size(), bias_bar.size(), workspace.size());
  const std::size_t n = x.extent(0), channels = x.extent(1);
  const detail::Shards shards = detail::shards_of(n);
#pragma omp parallel for num_threads(detail::threads_for(cpu, 2 * double(x.size()))) schedule(static)
  for (std::size_t s = 0; s < shards.count; ++s) {
    const std::size_t p = s * shards.points;
    SOBOLEV_CALL(scale_rows_adjoint<T>, x.data() + p * channels, weight.data(), y_bar.data() + p * channels,
                 std::min(shards.points, n - p), channels, add,
                 x_bar.size() > 0 ? x_bar.data() + p * channels : nullptr,
                 workspace.data() + s * 2 * channels);
  }
  for (std::size_t s = 0; s < shards.count; ++s)
    for (std::size_t c = 0; c < channels; ++c) {
      weight_bar.data()[c] += workspace.data()[s * 2 * channels + c];
      if (bias_bar.size() > 0) bias_bar.data()[c] += workspace.data()[(s * 2 + 1) * channels + c];
    }
}

#define SOBOLEV_INSTANTIATE(T)                                                                             \
  template void channel_scale<T>(const Cpu&, View<const T, 2>, View<const T, 1>, View<const T, 1>,         \
                                 View<T, 2>);                                                              \
  template void channel_scale_adjoint<T>(const Cpu&, View<const T, 2>, View<const T, 1>, View<const T, 2>, \
                                         View<T, 2>, bool, View<T, 1>, View<T, 1>, View<T, 1>);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE
}  // namespace sobolev
#endif
