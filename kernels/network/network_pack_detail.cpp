// SPDX-License-Identifier: Apache-2.0
// A network's parameters in the order in which its products read them, and a gradient's way back.
#include "kernels/network/network_steps_detail.hpp"

namespace sobolev::SOBOLEV_TARGET {
namespace {
using Kind = Instruction::Kind;

/// [panel][rows][width] of the matrix whose element (r, c), c < columns, is from[r · row_step + c ·
/// column_step]; zeros beyond.
template <class T>
void pack_panels(const T* from, std::size_t row_step, std::size_t column_step, int rows, int columns,
                 int panels, int width, T* to) {
  for (int q = 0; q < panels; ++q)
    for (int r = 0; r < rows; ++r)
      for (int i = 0; i < width; ++i) {
        const int c = q * width + i;
        *to++ = c < columns ? from[std::size_t(r) * row_step + std::size_t(c) * column_step] : T(0);
      }
}

/// W = diag(eˢ) V of what was packed as V.
template <class T>
void apply_factor(const NetworkView& net, const StepLayout& step, const T* s, T* packed) {
  T* factor = packed + step.packed_factor;
  for (int o = 0; o < step.fan_out; ++o) factor[o] = T(__builtin_exp(double(s[o])));
  const std::size_t width = std::size_t(net.width), fan_in = std::size_t(step.fan_in);
  const std::size_t padded = net.slots[step.in[0]].padded;
  if (step.kind == Kind::output) {
    for (std::size_t i = 0; i < std::size_t(step.fan_out) * padded; ++i)
      packed[step.packed + i] *= factor[i / padded];
    return;
  }
  for (std::size_t o = 0; o < std::size_t(step.fan_out); ++o)
    for (std::size_t i = 0; i < fan_in; ++i)
      packed[step.packed + (o / width * fan_in + i) * width + o % width] *= factor[o];
  if (step.in[0] == 0) return;
  T* transposed = packed + step.packed_transpose;
  for (std::size_t q = 0; q < padded / width; ++q)
    for (std::size_t o = 0; o < std::size_t(step.fan_out); ++o)
      for (std::size_t i = 0; i < width; ++i) *transposed++ *= factor[o];
}

/// From ∂/∂W in place of ∂/∂V: that, and ∂/∂s_o = Σ_i ∂/∂W_oi W_oi.
template <class T>
void factor_gradient(const NetworkView& net, const StepLayout& step, const T* packed, T* gradient) {
  const bool last = step.kind == Kind::output;
  const std::size_t width = std::size_t(net.width), fan_in = std::size_t(step.fan_in),
                    fan_out = std::size_t(step.fan_out), padded = net.slots[step.in[0]].padded;
  for (std::size_t o = 0; o < fan_out; ++o) {
    T sum = 0;
    for (std::size_t i = 0; i < fan_in; ++i) {
      const T w =
          packed[step.packed + (last ? o * padded + i : (o / width * fan_in + i) * width + o % width)];
      T& d = gradient[step.weight + (last ? o * fan_in + i : i * fan_out + o)];
      sum += d * w;
      d *= packed[step.packed_factor + o];
    }
    gradient[step.factor + o] = sum;
  }
}
}  // namespace

template <class T>
void network_pack(const NetworkView& net, const T* parameters, T* packed) {
  for (int k = 0; k < net.step_count; ++k) {
    const StepLayout& step = net.steps[k];
    const SlotLayout& in = net.slots[step.in[0]];
    const T* w = parameters + step.weight;
    const T* b = parameters + step.bias;
    const std::size_t fan_in = std::size_t(step.fan_in), fan_out = std::size_t(step.fan_out);
    switch (step.kind) {
      case Kind::dense: {
        const SlotLayout& out = net.slots[step.out];
        pack_panels<T>(w, fan_out, 1, step.fan_in, step.fan_out, out.panels, net.width, packed + step.packed);
        pack_panels<T>(b, 0, 1, 1, step.fan_out, out.panels, net.width, packed + step.packed_bias);
        if (step.in[0] > 0)
          pack_panels<T>(w, 1, fan_out, step.fan_out, step.fan_in, in.panels, net.width,
                         packed + step.packed_transpose);
        break;
      }
      case Kind::output:
        for (int q = 0; q < step.fan_out; ++q) {
          pack_panels<T>(w + std::size_t(q) * fan_in, 0, 1, 1, step.fan_in, in.panels, net.width,
                         packed + step.packed + std::size_t(q) * in.padded);
          packed[step.packed_bias + std::size_t(q)] = b[q];
        }
        break;
      case Kind::gaussian: {
        const SlotLayout& out = net.slots[step.out];
        pack_panels<T>(w, fan_out, 1, step.fan_in, step.fan_out, out.panels, net.width, packed + step.packed);
        T* sharpness = packed + step.packed_bias;
        pack_panels<T>(b, fan_out, 1, step.fan_in, step.fan_out, out.panels, net.width, sharpness);
        for (int q = 0; q < out.panels; ++q)
          for (int k = 0; k < step.fan_in; ++k)
            for (int i = 0; i < net.width; ++i, ++sharpness)
              *sharpness = q * net.width + i < step.fan_out
                               ? T(__builtin_exp(-double(detail::bounded_log_width(*sharpness))))
                               : T(0);
        if (step.shears > 0) {
          T* a = packed + step.packed_shear;
          pack_panels<T>(b + fan_in * fan_out, fan_out, 1, step.shears, step.fan_out, out.panels, net.width,
                         a);
          for (std::size_t i = 0; i < out.padded * std::size_t(step.shears); ++i)
            a[i] = detail::bounded_shear(a[i]);
        }
        break;
      }
      case Kind::blend: packed[step.packed] = w[0]; break;
      case Kind::gate: break;
    }
    if (step.factor > 0) apply_factor<T>(net, step, parameters + step.factor, packed);
  }
}

template <class T>
void network_sum_accumulators(const T* accumulators, int count, std::size_t size, std::size_t begin,
                              std::size_t end, T* sum) {
  for (std::size_t i = begin; i < end; i += lanes<T>) {  // begin and end are multiples of 64 bytes
    Vec<T> total = load<T>(accumulators + i);
    for (int a = 1; a < count; ++a) total += load<T>(accumulators + std::size_t(a) * size + i);
    store<T>(sum + i, total);
  }
}

template <class T>
void network_unpack_gradient(const NetworkView& net, const T* packed, const T* accumulator, T* gradient) {
  const std::size_t width = std::size_t(net.width);
  for (int k = 0; k < net.step_count; ++k) {
    const StepLayout& step = net.steps[k];
    const SlotLayout& in = net.slots[step.in[0]];
    const T* from = accumulator + step.gradient;
    T* w = gradient + step.weight;
    switch (step.kind) {
      case Kind::dense:
        for (int i = 0; i < step.fan_in; ++i)
          for (int o = 0; o < step.fan_out; ++o)
            *w++ = from[std::size_t(o / net.width) * in.padded * width + std::size_t(i) * width +
                        std::size_t(o % net.width)];
        break;
      case Kind::output:
        for (int q = 0; q < step.fan_out; ++q)
          for (int i = 0; i < step.fan_in; ++i) *w++ = from[std::size_t(q) * in.padded + std::size_t(i)];
        break;
      case Kind::gaussian: {
        const auto unpack = [&](std::size_t at, int rows) {
          for (int k = 0; k < rows; ++k)
            for (int o = 0; o < step.fan_out; ++o)
              *w++ =
                  accumulator[at + (std::size_t(o / net.width) * std::size_t(rows) + std::size_t(k)) * width +
                              std::size_t(o % net.width)];
        };
        unpack(step.gradient, step.fan_in);
        unpack(step.gradient_bias, step.fan_in);
        unpack(step.gradient_shear, step.shears);
        continue;
      }
      case Kind::blend: *w = *from; continue;
      case Kind::gate: continue;
    }
    for (int o = 0; o < step.fan_out; ++o) *w++ = accumulator[step.gradient_bias + std::size_t(o)];
    if (step.factor > 0) factor_gradient<T>(net, step, packed, gradient);
  }
}

#define SOBOLEV_INSTANTIATE(T)                                                                         \
  template void network_pack<T>(const NetworkView&, const T*, T*);                                     \
  template void network_sum_accumulators<T>(const T*, int, std::size_t, std::size_t, std::size_t, T*); \
  template void network_unpack_gradient<T>(const NetworkView&, const T*, const T*, T*);
SOBOLEV_INSTANTIATE(float)
SOBOLEV_INSTANTIATE(double)
#undef SOBOLEV_INSTANTIATE

}  // namespace sobolev::SOBOLEV_TARGET
