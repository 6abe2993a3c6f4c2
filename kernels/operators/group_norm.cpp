// SPDX-License-Identifier: Apache-2.0
// y = σ(w ⊙ (x − μ)/√(v + ε) + b) of each sample's groups of channels, and its adjoint.
// A sample is one thread's: sums by channel in double, then by group, then the values. Sums are of x − x(0),
// so that a mean much larger than the deviation costs no digits. Moves 3 N C numbers a sample forward (x
// twice), 5 backward: bound by memory.
#include "sobolev/operators/group_norm.hpp"

#include "kernels/common/dispatch.hpp"
#include "kernels/common/simd.hpp"
#include "kernels/operators/field_activation_math.hpp"

namespace sobolev::detail {
/// Some channels of the points of a sample, `stride` numbers from one point to the next; each channel's mean
/// and scale, and w and b from its first of them on (null: none), `weight_stride` from one point to the next
/// (0: all points share them).
template <class T>
struct NormTask {
  std::size_t points, channels, stride, weight_stride;
  const T *mean, *scale, *weight, *bias;
};
}  // namespace sobolev::detail

SOBOLEV_DECLARE_TARGETS(
    using detail::NormTask;
    /// sum[c] = Σ_n (x − mean), square[c] = Σ_n (x − mean)².
    template <class T> void norm_moments(const NormTask<T>& t, const T* x, double* sum, double* square);
    /// y and, unless it is null, σ'.
    template <class T>
    void norm_values(const NormTask<T>& t, FieldActivation activation, const T* x, T* y, T* slope);
    /// ȳ *= slope.
    template <class T> void norm_slope(const T* slope, std::size_t size, T* y_bar);
    /// sum[c] = Σ w ȳ, product[c] = Σ w ȳ x̂, bars[c] = Σ ȳ, dots[c] = Σ ȳ x̂.
    template <class T> void norm_adjoint_sums(const NormTask<T>& t, const T* x, const T* y_bar, double* sum,
                                              double* product, double* bars, double* dots);
    /// x̄ (+)= scale (w ȳ − sum − x̂ product).
    template <class T> void norm_adjoint(const NormTask<T>& t, const T* x, const T* y_bar, const T* sum,
                                         const T* product, bool add, T* x_bar);
    /// w̄ += ȳ x̂, b̄ += ȳ, where each point has its own.
    template <class T>
    void norm_weights(const NormTask<T>& t, const T* x, const T* y_bar, T* weight_bar, T* bias_bar);)

namespace sobolev::SOBOLEV_TARGET {

template <class T>
void norm_moments(const NormTask<T>& t, const T* x, double* sum, double* square) {
  for (std::size_t c = 0; c < t.channels; ++c) sum[c] = square[c] = 0;
  for (std::size_t n = 0; n < t.points; ++n, x += t.stride)
    for (std::size_t c = 0; c < t.channels; ++c) {
      const double d = double(x[c]) - double(t.mean[c]);
      sum[c] += d;
      square[c] += d * d;
    }
}

namespace {
template <class T, FieldActivation activation>
void activate_row(T* y, std::size_t count, T* slope) {
  for (std::size_t c = 0; c < count; c += lanes<T>) {
    const int room = count - c < std::size_t(lanes<T>) ? int(count - c) : lanes<T>;
    Vec<T> value, derivative;
    activate<T, activation>(load_part<T>(y + c, room), value, derivative);
    store_part<T>(y + c, value, room);
    if (slope != nullptr) store_part<T>(slope + c, derivative, room);
  }
}
}  // namespace

template <class T>
void norm_values(const NormTask<T>& t, FieldActivation activation, const T* x, T* y, T* slope) {
  const T *w = t.weight, *b = t.bias;
  for (std::size_t n = 0; n < t.points; ++n, x += t.stride, y += t.stride) {
    if (w == nullptr) {
      for (std::size_t c = 0; c < t.channels; ++c) y[c] = (x[c] - t.mean[c]) * t.scale[c];
    } else {
      for (std::size_t c = 0; c < t.channels; ++c) y[c] = w[c] * ((x[c] - t.mean[c]) * t.scale[c]) + b[c];
      w += t.weight_stride;
      b += t.weight_stride;
    }
    if (activation == FieldActivation::gelu) activate_row<T, FieldActivation::gelu>(y, t.channels, slope);
    if (activation == FieldActivation::tanh) activate_row<T, FieldActivation::tanh>(y, t.channels, slope);
    if (slope != nullptr) slope += t.stride;
  }
}

template <class T>
void norm_slope(const T* slope, std::size_t size, T* y_bar) {
  for (std::size_t i = 0; i < size; ++i) y_bar[i] *= slope[i];
}

template <class T>
void norm_adjoint_sums(const NormTask<T>& t, const T* x, const T* y_bar, double* sum, double* product,
                       double* bars, double* dots) {
  for (std::size_t c = 0; c < t.channels; ++c) sum[c] = product[c] = bars[c] = dots[c] = 0;
  const T* w = t.weight;
  for (std::size_t n = 0; n < t.points; ++n, x += t.stride, y_bar += t.stride) {
    for (std::size_t c = 0; c < t.channels; ++c) {
      const double normal = double((x[c] - t.mean[c]) * t.scale[c]), bar = double(y_bar[c]),
                   g = w == nullptr ? bar : double(w[c]) * bar;
      sum[c] += g;
      product[c] += g * normal;
      bars[c] += bar;
      dots[c] += bar * normal;
    }
    if (w != nullptr) w += t.weight_stride;
  }
}

template <class T>
void norm_adjoint(const NormTask<T>& t, const T* x, const T* y_bar, const T* sum, const T* product, bool add,
                  T* x_bar) {
  const T* w = t.weight;
  for (std::size_t n = 0; n < t.points; ++n, x += t.stride, y_bar += t.stride, x_bar += t.stride) {
    for (std::size_t c = 0; c < t.channels; ++c) {
      const T normal = (x[c] - t.mean[c]) * t.scale[c], g = w == nullptr ? y_bar[c] : w[c] * y_bar[c];
      const T value = t.scale[c] * (g - sum[c] - normal * product[c]);
      x_bar[c] = add ? x_bar[c] + value : value;
    }
    if (w != nullptr) w += t.weight_stride;
  }
}

template <class T>
void norm_weights(const NormTask<T>& t, const T* x, const T* y_bar, T* weight_bar, T* bias_bar) {
  for (std::size_t n = 0; n < t.points; ++n, x += t.stride, y_bar += t.stride) {
    for (std::size_t c = 0; c < t.channels; ++c) {
      weight_bar[c] += y_bar[c] * ((x[c] - t.mean[c]) * t.scale[c]);
      bias_bar[c] += y_bar[c];
    }
    weight_bar += t.weight_stride;
    bias_bar += t.weight_stride;
  }
}

#define SOBOLEV_INSTANTIATE(T)                                                                          \
  template void norm_moments<T>(const NormTask<T>&, const T*, double*, double*);                        \
  template void norm_values<T>(const NormTask<T>&, FieldActivation, const T*, T*, T*);                  \
  template void norm_slope<T>(const T*, std::size_t, T*);                                               \
  template void norm_adjoint_sums<T>(const NormTask<T>&, const T*, const T*, double*, double*, double*, \
                                     double*);                                                          \
  template void norm_adjoint<T>(const NormTask<T>&, const T*, const T*, const T*, const T*, bool, T*);  \
  template void norm_weights<T>(const NormTask<T>&, const T*, const T*, T*, T*);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE
}  // namespace sobolev::SOBOLEV_TARGET

#if SOBOLEV_DISPATCHER
#include <algorithm>
#include <cmath>

#include "kernels/common/threads.hpp"
#include "kernels/operators/group_norm_shapes.hpp"

namespace sobolev {
namespace {
constexpr std::size_t block = 256;  // channels

/// Calls f(first channel, channels) for blocks of all of them.
template <class F>
void for_blocks(std::size_t channels, const F& f) {
  for (std::size_t c = 0; c < channels; c += block) f(c, std::min(block, channels - c));
}
template <class V>
auto data_or_null(const V& view) {
  return view.size() > 0 ? view.data() : nullptr;
}
template <class P>
P moved(P p, std::size_t by) {
  return p == nullptr ? p : p + by;
}
/// The statistics of some channels.
template <class T>
struct Channels {
  T mean[block], scale[block];
  template <class S>
  Channels(const S* statistics, std::size_t width, std::size_t first, std::size_t count) {
    for (std::size_t c = 0; c < count; ++c) {
      mean[c] = T(statistics[(first + c) / width * 2]);
      scale[c] = T(statistics[(first + c) / width * 2 + 1]);
    }
  }
};
}  // namespace

template <class T>
void group_norm(const Cpu& cpu, FieldActivation activation, View<const T, 3> x, View<const T, 1> weight,
                View<const T, 1> bias, View<T, 3> y, View<double, 3> statistics, View<T, 3> slope) {
  const auto s = detail::group_norm_shape("group_norm", x.shape(), y.shape(), statistics.shape(),
                                          slope.shape(), weight.size(), bias.size());
  if (y.size() == 0) return;
  const std::size_t width = s.channels / s.groups, size = s.points * s.channels,
                    each = s.weights > s.channels ? s.channels : 0;
  const double count = double(s.points * width);
  const int threads = detail::threads_for(cpu, 10 * double(y.size()));
#pragma omp parallel for num_threads(threads) schedule(static)
  for (std::size_t b = 0; b < s.samples; ++b) {
    const T* const from = x.data() + b * size;
    double* const own = statistics.data() + b * s.groups * 2;
    std::fill_n(own, 2 * s.groups, 0.0);
    for_blocks(s.channels, [&](std::size_t first, std::size_t some) {
      T shift[block];
      double sum[block], square[block];
      for (std::size_t c = 0; c < some; ++c) shift[c] = from[(first + c) / width * width];
      SOBOLEV_CALL(norm_moments<T>, {s.points, some, s.channels, 0, shift, nullptr, nullptr, nullptr},
                   from + first, sum, square);
      for (std::size_t c = 0; c < some; ++c) {
        own[(first + c) / width * 2] += sum[c];
        own[(first + c) / width * 2 + 1] += square[c];
      }
    });
    for (std::size_t g = 0; g < s.groups; ++g) {
      const double mean = own[2 * g] / count, variance = std::max(0.0, own[2 * g + 1] / count - mean * mean);
      own[2 * g] = double(from[g * width]) + mean;
      own[2 * g + 1] = 1 / std::sqrt(variance + detail::group_norm_epsilon);
    }
    for_blocks(s.channels, [&](std::size_t first, std::size_t some) {
      const Channels<T> of(own, width, first, some);
      SOBOLEV_CALL(norm_values<T>,
                   {s.points, some, s.channels, each, of.mean, of.scale, moved(data_or_null(weight), first),
                    moved(data_or_null(bias), first)},
                   activation, from + first, y.data() + b * size + first,
                   moved(data_or_null(slope), b * size + first));
    });
  }
}

template <class T>
void group_norm_adjoint(const Cpu& cpu, View<const T, 3> x, View<const T, 1> weight,
                        View<const double, 3> statistics, View<const T, 3> slope, View<T, 3> y_bar,
                        View<T, 3> x_bar, bool add, View<T, 1> weight_bar, View<T, 1> bias_bar,
                        View<double, 1> workspace) {
  const auto s = detail::group_norm_adjoint_shape(x.shape(), y_bar.shape(), x_bar.shape(), statistics.shape(),
                                                  slope.shape(), weight.size(), weight_bar.size(),
                                                  bias_bar.size(), workspace.size());
  if (x.size() == 0) return;
  const std::size_t width = s.channels / s.groups, size = s.points * s.channels,
                    each = s.weights > s.channels ? s.channels : 0;
  const double count = double(s.points * width);
  const int threads = detail::threads_for(cpu, 20 * double(x.size()));
  const auto task = [&](const Channels<T>& of, std::size_t first, std::size_t some) {
    return detail::NormTask<T>{
        s.points, some, s.channels, each, of.mean, of.scale, moved(data_or_null(weight), first), nullptr};
  };
#pragma omp parallel for num_threads(threads) schedule(static)
  for (std::size_t b = 0; b < s.samples; ++b) {
    const T* const from = x.data() + b * size;
    T* const bar = y_bar.data() + b * size;
    if (slope.size() > 0) SOBOLEV_CALL(norm_slope<T>, slope.data() + b * size, size, bar);
    const double* const own = statistics.data() + b * s.groups * 2;
    double *const sum = workspace.data() + 4 * b * s.channels, *const product = sum + s.channels,
                  *const bars = product + s.channels, *const dots = bars + s.channels;
    for_blocks(s.channels, [&](std::size_t first, std::size_t some) {
      const Channels<T> of(own, width, first, some);
      SOBOLEV_CALL(norm_adjoint_sums<T>, task(of, first, some), from + first, bar + first, sum + first,
                   product + first, bars + first, dots + first);
    });
    if (x_bar.size() == 0) continue;
    for (std::size_t g = 0; g < s.groups; ++g) {  // means of the group, in the place of its first channel
      for (std::size_t c = 1; c < width; ++c) {
        sum[g * width] += sum[g * width + c];
        product[g * width] += product[g * width + c];
      }
      sum[g * width] /= count;
      product[g * width] /= count;
    }
    for_blocks(s.channels, [&](std::size_t first, std::size_t some) {
      const Channels<T> of(own, width, first, some);
      T mean_g[block], mean_product[block];
      for (std::size_t c = 0; c < some; ++c) {
        mean_g[c] = T(sum[(first + c) / width * width]);
        mean_product[c] = T(product[(first + c) / width * width]);
      }
      SOBOLEV_CALL(norm_adjoint<T>, task(of, first, some), from + first, bar + first, mean_g, mean_product,
                   add, x_bar.data() + b * size + first);
    });
  }
  if (s.weights == 0) return;
  for (std::size_t b = 0; b < s.samples; ++b) {
    if (each == 0) {
      const double* const bars = workspace.data() + (4 * b + 2) * s.channels;
      for (std::size_t c = 0; c < s.channels; ++c) {
        bias_bar.data()[c] += T(bars[c]);
        weight_bar.data()[c] += T(bars[s.channels + c]);
      }
      continue;
    }
    for_blocks(s.channels, [&](std::size_t first, std::size_t some) {
      const Channels<T> of(statistics.data() + b * s.groups * 2, width, first, some);
      SOBOLEV_CALL(norm_weights<T>, task(of, first, some), x.data() + b * size + first,
                   y_bar.data() + b * size + first, weight_bar.data() + first, bias_bar.data() + first);
    });
  }
}

#define SOBOLEV_INSTANTIATE(T)                                                                               \
  template void group_norm<T>(const Cpu&, FieldActivation, View<const T, 3>, View<const T, 1>,               \
                              View<const T, 1>, View<T, 3>, View<double, 3>, View<T, 3>);                    \
  template void group_norm_adjoint<T>(const Cpu&, View<const T, 3>, View<const T, 1>, View<const double, 3>, \
                                      View<const T, 3>, View<T, 3>, View<T, 3>, bool, View<T, 1>,            \
                                      View<T, 1>, View<double, 1>);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE
}  // namespace sobolev
#endif
