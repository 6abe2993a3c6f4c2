// SPDX-License-Identifier: Apache-2.0
#pragma once
// The way back through a network on one tile, by one thread block, after block_forward on the same tile.
#include "kernels/network/network_block.hpp"

namespace sobolev::SOBOLEV_TARGET {

/// z̄ of a slot in place of its ȳ.
template <class S>
__device__ SOBOLEV_OUT_OF_LINE void activate_adjoint(const NetworkBlock<typename S::T>& m,
                                                     const typename S::Jet& jet,
                                                     const typename S::T* coefficients, int slot) {
  using T = typename S::T;
  using Jet = typename S::Jet;
  const int R = tile_columns<S>(m, jet), points = m.points;
  const Activation sigma = m.slots[slot].activation;
  const T* given = slope_from_output(sigma) ? m.y(slot) : m.z(slot);
  T* to = m.bar(slot);
  with_activation(sigma, [&](auto activation) {
    for_features_and_points<S>(m.slots[slot].features, points, [&](int o, int p) {
      T in[Jet::max_channels], bar[Jet::max_channels], slope[Jet::max_channels], out[Jet::max_channels];
      const int at = o * R + p;
      repeat<Jet, Jet::max_channels>(jet.channels(), [&](int c) {
        in[c] = given[at + c * points];
        bar[c] = to[at + c * points];
      });
      jet_slope<activation(), T>(jet, coefficients, in, slope);
      jet_transposed_product<T>(jet, coefficients, slope, bar, out);
      repeat<Jet, Jet::max_channels>(jet.channels(), [&](int c) { to[at + c * points] = out[c]; });
    });
  });
}

/// The shares of a gate or a blend in the adjoints of what it reads.
template <class S>
__device__ SOBOLEV_OUT_OF_LINE void combine_adjoints(const NetworkBlock<typename S::T>& m,
                                                     const typename S::Jet& jet,
                                                     const typename S::T* coefficients, int step,
                                                     const typename S::T* input) {
  using T = typename S::T;
  using Jet = typename S::Jet;
  const int R = tile_columns<S>(m, jet), points = m.points;
  const T* bar = m.bar(m.steps[step].out);
  const auto in = [&](int i) { return slot_values(m, m.steps[step].in[i], [&] { return input; }); };
  const auto give = [&](int i, int at, T share) {
    const int slot = m.steps[step].in[i];
    if (slot == 0) return;
    T* to = m.bar(slot) + at;
    *to = m.adds(step, i) ? *to + share : share;
  };
  if (m.steps[step].kind == Kind::blend) {
    const T alpha = m.parameters[m.steps[step].weight];
    const int me = thread_of_block();
    for (int i = me; i < m.steps[step].fan_out * R; i += S::threads) {
      give(0, i, alpha * bar[i]);
      give(1, i, (T(1) - alpha) * bar[i]);
    }
    return;
  }
  const T *z = in(0), *a = in(1), *b = in(2);
  for_features_and_points<S>(m.steps[step].fan_out, points, [&](int o, int p) {
    T gate[Jet::max_channels], difference[Jet::max_channels], y_bar[Jet::max_channels],
        to_gate[Jet::max_channels], to_a[Jet::max_channels];
    const int at = o * R + p;
    repeat<Jet, Jet::max_channels>(jet.channels(), [&](int c) {
      gate[c] = z[at + c * points];
      difference[c] = a[at + c * points] - b[at + c * points];
      y_bar[c] = bar[at + c * points];
    });
    jet_transposed_product<T>(jet, coefficients, difference, y_bar, to_gate);
    jet_transposed_product<T>(jet, coefficients, gate, y_bar, to_a);
    repeat<Jet, Jet::max_channels>(jet.channels(), [&](int c) {
      give(0, at + c * points, to_gate[c]);
      give(1, at + c * points, to_a[c]);
      give(2, at + c * points, y_bar[c] - to_a[c]);
    });
  });
}

/// z̄ of feature o and a point of the tile into a slot's adjoint, from ȳ in registers.
template <class S>
__device__ void store_tanh_adjoint(const NetworkBlock<typename S::T>& m, const typename S::Jet& jet,
                                   const typename S::T* coefficients, int slot, int o,
                                   const typename S::T* y_bar, int point) {
  using T = typename S::T;
  using Jet = typename S::Jet;
  const int R = tile_columns<S>(m, jet);
  const T* given = m.y(slot) + o * R;
  T* to = m.bar(slot) + o * R;
  T in[Jet::max_channels], slope[Jet::max_channels], out[Jet::max_channels];
#pragma unroll
  for (int c = 0; c < Jet::max_channels; ++c) in[c] = given[c * S::tile_points + point];
  jet_tanh_slope<T>(jet, coefficients, in, slope);
  jet_transposed_product<T>(jet, coefficients, slope, y_bar, out);
#pragma unroll
  for (int c = 0; c < Jet::max_channels; ++c) to[c * S::tile_points + point] = out[c];
}

/// gradient of a dense layer's weight += Σ_r in[i][r] bar[o][r], and of its bias. Ends with a barrier.
template <class S>
__device__ void dense_gradient(const NetworkBlock<typename S::T>& m, int R, int step, const typename S::T* in,
                               const typename S::T* bar) {
  using T = typename S::T;
  const int fan_in = m.steps[step].fan_in, width = m.steps[step].fan_out;
  T* to = m.gradient() + m.steps[step].weight;
#pragma unroll 1
  for (int i0 = 0; i0 < fan_in; i0 += S::features)
#pragma unroll 1
    for (int o0 = 0; o0 < width; o0 += S::features) {
      T sum[S::gradient_rows][S::gradient_columns];
      block_product_of_rows<S>(m.products, in, i0, fan_in, bar, o0, width, R, sum);
      const int t = thread_of_block();
#pragma unroll
      for (int f = 0; f < S::gradient_rows; ++f) {
#pragma unroll
        for (int g = 0; g < S::gradient_columns; ++g) {
          const int i = i0 + S::gradient_row(t, f), o = o0 + S::gradient_column(t, g);
          if (i < fan_in && o < width) to[i * width + o] += sum[f][g];
        }
      }
    }
  for (int o = thread_of_block(); o < width; o += S::threads) {
    T sum = T(0);
    for (int p = 0; p < m.points; ++p) sum += bar[o * R + p];
    m.gradient()[m.steps[step].bias + o] += sum;
  }
  __syncthreads();
}

/// gradient of an output's weight += Σ_r output_bar[q][r] in[i][r], and of its bias.
template <class T>
__device__ void output_gradient(const NetworkBlock<T>& m, int R, int step, const T* in) {
  const int me = thread_of_block(), threads = int(blockDim.x * blockDim.y), width = m.steps[step].fan_in;
  const T* seeds = m.output_bar() + m.steps[step].out * R;
  for (int i = me; i < m.steps[step].fan_out * width; i += threads) {
    const T* seed = seeds + i / width * R;
    const T* row = in + i % width * R;
    T sum = T(0);
    for (int r = 0; r < R; ++r) sum += seed[r] * row[r];
    m.gradient()[m.steps[step].weight + i] += sum;
  }
  for (int q = me; q < m.steps[step].fan_out; q += threads) {
    T sum = T(0);
    for (int p = 0; p < m.points; ++p) sum += seeds[q * R + p];
    m.gradient()[m.steps[step].bias + q] += sum;
  }
}

/// −z̄ of input k of Gaussian o at a point of the tile, from the adjoint of its exponent; and z.
template <class S>
__device__ void gaussian_offset_adjoint(const NetworkBlock<typename S::T>& m, const typename S::Jet& jet,
                                        const typename S::T* coefficients, int step,
                                        const typename S::T* input, int k, int o, int p, typename S::T* z,
                                        typename S::T* back) {
  using T = typename S::T;
  using Jet = typename S::Jet;
  const int R = tile_columns<S>(m, jet);
  T bar[Jet::max_channels];
  scaled_offsets(m, jet, R, step, input, k, o, p, z);
  const T* from = m.bar(m.steps[step].out) + o * R + p;
  repeat<Jet, Jet::max_channels>(jet.channels(), [&](int c) { bar[c] = from[c * m.points]; });
  jet_transposed_product<T>(jet, coefficients, z, bar, back);
}

/// What a point of the tile gives to the derivatives by μ_k and log σ_k of Gaussian o.
template <class S>
__device__ void add_gaussian_point(const NetworkBlock<typename S::T>& m, const typename S::Jet& jet,
                                   const typename S::T* coefficients, int step, const typename S::T* input,
                                   int k, int o, int p, typename S::T& centre, typename S::T& width) {
  using T = typename S::T;
  using Jet = typename S::Jet;
  T z[Jet::max_channels], back[Jet::max_channels];
  gaussian_offset_adjoint<S>(m, jet, coefficients, step, input, k, o, p, z, back);
  centre += back[0];
  repeat<Jet, Jet::max_channels>(jet.channels(), [&](int c) { width += back[c] * z[c]; });
}

/// The parameters of Gaussians of full covariance, an item each: μ, log σ, a.
template <class T>
__device__ int full_gaussian_items(const NetworkBlock<T>& m, int step) {
  const int d = m.steps[step].fan_in;
  return (2 * d + d * (d - 1) / 2) * m.steps[step].fan_out;
}

/// What a point gives to the derivative by an item: network_gaussian_full_detail.cpp has the formulas.
template <class S>
__device__ typename S::T full_gaussian_point(const NetworkBlock<typename S::T>& m, const typename S::Jet& jet,
                                             const typename S::T* coefficients, int step,
                                             const typename S::T* input, int item, int p) {
  using T = typename S::T;
  using Jet = typename S::Jet;
  const BlockStep& of = m.steps[step];
  const int row = item / of.fan_out, o = item % of.fan_out, d = of.fan_in, R = tile_columns<S>(m, jet);
  const T *rho = m.parameters + of.bias + o, *mu = m.parameters + of.weight + o;
  T z[Jet::max_channels], back[Jet::max_channels], sum = T(0);
  if (row < d) {
    for (int k = row; k < d; ++k) {
      gaussian_offset_adjoint<S>(m, jet, coefficients, step, input, k, o, p, z, back);
      const T share = rho[k * of.fan_out] * back[0];
      sum += k == row ? share : shear_of(m, step, k, row, o) * share;
    }
    return sum;
  }
  if (row < 2 * d) {
    gaussian_offset_adjoint<S>(m, jet, coefficients, step, input, row - d, o, p, z, back);
    repeat<Jet, Jet::max_channels>(jet.channels(), [&](int c) { sum += back[c] * z[c]; });
    return sum;
  }
  int k = 1, j = row - 2 * d;
  while (j >= k) j -= k++;
  gaussian_offset_adjoint<S>(m, jet, coefficients, step, input, k, o, p, z, back);
  const T* x = input + j * R + p;
  sum = back[0] * (x[0] - mu[j * of.fan_out]);
  repeat<Jet, Jet::max_channels>(jet.channels(), [&](int c) {
    if (c > 0) sum += back[c] * x[c * m.points];
  });
  return -rho[k * of.fan_out] * sum;
}

/// gradient of Gaussians of full covariance +=, a thread for each item. Ends with a barrier.
template <class S>
__device__ SOBOLEV_OUT_OF_LINE void full_gaussian_gradient(const NetworkBlock<typename S::T>& m,
                                                           const typename S::Jet& jet,
                                                           const typename S::T* coefficients, int step,
                                                           const typename S::T* input) {
  using T = typename S::T;
  for (int i = thread_of_block(); i < full_gaussian_items(m, step); i += S::threads) {
    T sum = T(0);
    for (int p = 0; p < m.points; ++p) sum += full_gaussian_point<S>(m, jet, coefficients, step, input, i, p);
    m.gradient()[m.steps[step].weight + i] += sum;
  }
  __syncthreads();
}

/// gradient of Gaussians' μ and log σ +=, a thread for each. Ends with a barrier.
template <class S>
__device__ SOBOLEV_OUT_OF_LINE void gaussian_gradient(const NetworkBlock<typename S::T>& m,
                                                      const typename S::Jet& jet,
                                                      const typename S::T* coefficients, int step,
                                                      const typename S::T* input) {
  using T = typename S::T;
  const int count = m.steps[step].fan_out;
  for (int i = thread_of_block(); i < m.steps[step].fan_in * count; i += S::threads) {
    T centre = T(0), width = T(0);
    for (int p = 0; p < m.points; ++p)
      add_gaussian_point<S>(m, jet, coefficients, step, input, i / count, i % count, p, centre, width);
    m.gradient()[m.steps[step].weight + i] += centre * m.parameters[m.steps[step].bias + i];
    m.gradient()[m.steps[step].bias + i] += width;
  }
  __syncthreads();
}

/// gradient of a blend's α += Σ bar (z − x), by one warp. Ends with a barrier.
template <class T>
__device__ SOBOLEV_OUT_OF_LINE void blend_gradient(const NetworkBlock<T>& m, int R, int step, const T* z,
                                                   const T* x, const T* bar) {
  const int me = thread_of_block();
  if (me < 32) {
    T sum = T(0);
    for (int i = me; i < m.steps[step].fan_out * R; i += 32) sum += bar[i] * (z[i] - x[i]);
    for (unsigned by = 16; by > 0; by /= 2) sum += __shfl_down_sync(0xffffffffu, sum, by);
    if (me == 0) m.gradient()[m.steps[step].weight] += sum;
  }
  __syncthreads();
}

/// The share of an output in the adjoint of what it reads. Ends with a barrier.
template <class S>
__device__ void output_adjoint(const NetworkBlock<typename S::T>& m, const typename S::Jet& jet,
                               const typename S::T* coefficients, int step) {
  using T = typename S::T;
  const int R = tile_columns<S>(m, jet), slot = m.steps[step].in[0], width = m.steps[step].fan_in;
  const T* weight = m.parameters + m.steps[step].weight;
  const T* seeds = m.output_bar() + m.steps[step].out * R;
  for (int t = thread_of_block(), o = t / S::side; o < width; o += S::side)
    for (int r = t % S::side; r < R; r += S::side) {
      T sum = T(0);
      for (int q = 0; q < m.steps[step].fan_out; ++q) sum += weight[q * width + o] * seeds[q * R + r];
      T* to = m.bar(slot) + o * R + r;
      *to = m.adds(step, 0) ? *to + sum : sum;
    }
  __syncthreads();
  if (!m.activates(step, 0)) return;
  activate_adjoint<S>(m, jet, coefficients, slot);
  __syncthreads();
}

/// The share of a dense layer in the adjoint of what it reads. Ends with a barrier.
template <class S>
__device__ void dense_adjoint(const NetworkBlock<typename S::T>& m, const typename S::Jet& jet,
                              const typename S::T* coefficients, int step) {
  using T = typename S::T;
  using Jet = typename S::Jet;
  const int R = tile_columns<S>(m, jet), slot = m.steps[step].in[0], fan_in = m.steps[step].fan_in;
  const bool fused = m.activates(step, 0) && in_registers<S>(m, slot) && !m.adds(step, 0);
  for (int o0 = 0; o0 < fan_in; o0 += S::features)
    for (int c0 = 0; c0 < R; c0 += S::columns) {
      T sum[S::F][S::C];
      block_product<S, true>(m.products, m.parameters + m.steps[step].weight, m.steps[step].fan_out, fan_in,
                             m.steps[step].fan_out, m.bar(m.steps[step].out), R, o0, c0, sum);
      const int t = thread_of_block();
#pragma unroll
      for (int f = 0; f < S::F; ++f) {
        const int o = o0 + S::feature(t, f);
        if (o >= fan_in) continue;
        if constexpr (Jet::unrolled) {
          if (fused) {
#pragma unroll
            for (int j = 0; j < S::points; ++j) {
              T bar[Jet::max_channels];
#pragma unroll
              for (int c = 0; c < Jet::max_channels; ++c) bar[c] = sum[f][c * S::points + j];
              store_tanh_adjoint<S>(m, jet, coefficients, slot, o, bar, S::point(t, j));
            }
            continue;
          }
        }
        T* to = m.bar(slot) + o * R;
#pragma unroll
        for (int c = 0; c < S::C; ++c) {
          const int column = c0 + S::column(t, c);
          if (column < R) to[column] = m.adds(step, 0) ? to[column] + sum[f][c] : sum[f][c];
        }
      }
    }
  __syncthreads();
  if (!m.activates(step, 0) || fused) return;
  activate_adjoint<S>(m, jet, coefficients, slot);
  __syncthreads();
}

/// The adjoints of Σ output_bar · output, step by step from the last to the first, after block_forward on the
/// same tile: on_step(step), called by all threads when the adjoint of what a step makes is complete (of Wx +
/// b for a dense layer), may use the dynamic shared memory after a barrier of its own and ends with a
/// barrier, but for an output. Begins and ends with a barrier.
template <class S, class Input, class OnStep>
__device__ void block_adjoints(const NetworkBlock<typename S::T>& m, const typename S::Jet& jet,
                               const typename S::T* coefficients, const Input& input, OnStep&& on_step) {
  __syncthreads();
#pragma unroll 1
  for (int step = m.step_count - 1; step >= 0; --step) {
    on_step(step);
    if (m.steps[step].kind == Kind::dense) {
      if (m.steps[step].in[0] != 0) dense_adjoint<S>(m, jet, coefficients, step);
    } else if (m.steps[step].kind == Kind::output) {
      if (m.steps[step].in[0] != 0) output_adjoint<S>(m, jet, coefficients, step);
    } else if (m.steps[step].kind != Kind::gaussian) {
      combine_adjoints<S>(m, jet, coefficients, step, input());
      __syncthreads();
      for (int i = 0; i < (m.steps[step].kind == Kind::gate ? 3 : 2); ++i)
        if (m.activates(step, i)) activate_adjoint<S>(m, jet, coefficients, m.steps[step].in[i]);
      __syncthreads();
    }
  }
}

/// The block's gradient += that of Σ output_bar · output, after block_forward on the same tile. Begins and
/// ends with a barrier.
template <class S, class Input>
__device__ void block_backward(const NetworkBlock<typename S::T>& m, const typename S::Jet& jet,
                               const typename S::T* coefficients, const Input& input) {
  block_adjoints<S>(m, jet, coefficients, input, [&](int step) {
    const int R = tile_columns<S>(m, jet);
    const auto in = [&](int i) { return slot_values(m, m.steps[step].in[i], input); };
    switch (m.steps[step].kind) {
      case Kind::dense: return dense_gradient<S>(m, R, step, in(0), m.bar(m.steps[step].out));
      case Kind::output: return output_gradient(m, R, step, in(0));
      case Kind::blend: return blend_gradient(m, R, step, in(0), in(1), m.bar(m.steps[step].out));
      case Kind::gaussian:
        return m.steps[step].full ? full_gaussian_gradient<S>(m, jet, coefficients, step, in(0))
                                  : gaussian_gradient<S>(m, jet, coefficients, step, in(0));
      case Kind::gate: return;
    }
  });
}

}  // namespace sobolev::SOBOLEV_TARGET
