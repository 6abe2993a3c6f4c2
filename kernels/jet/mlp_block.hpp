// SPDX-License-Identifier: Apache-2.0
#pragma once
// A multilayer perceptron with its jets on one tile of points, by one thread block of 16 × 16 threads.
//
// A tile of p points has R = K·p columns, channel · p + point; a layer's activations are a matrix
// [features][R]. A product leaves in a thread's registers all channels of its points (block_product.hpp):
// tanh and its adjoint happen there. The other activations, and algebras that the compiler does not know, go
// through memory and out of line. Weights are read as they lie in the flat parameters, gradients summed into
// an array of the same order.
#include "kernels/common/cuda.hpp"
#include "kernels/jet/block_product.hpp"
#include "kernels/jet/jet_algebra_detail.hpp"
#include "sobolev/jet/mlp.hpp"

namespace sobolev::SOBOLEV_TARGET {

/// The network and where the blocks keep their tiles of it, all in device memory: a parameter of kernels,
/// which stays in constant memory. A block's addresses are made when they are needed: kept, they would take
/// more registers than the products leave.
template <class T>
struct MlpBlock {
  int inputs, outputs, depth, width, points;  // points: p
  Activation activation;
  Products products;
  const T* parameters;
  T* memory;  // [blocks][slice]
  std::size_t slice;
  int z_at, y_at, bar_at[2], output_at, output_bar_at, rest_at;  // in a slice
  T* gradients;                                                  // [blocks][P]
  std::size_t parameter_count;

  __device__ T* of_block(int at) const { return memory + blockIdx.x * slice + at; }
  __device__ T* z() const { return of_block(z_at); }              // [depth][width][R]; y itself for tanh
  __device__ T* y() const { return of_block(y_at); }              // [depth][width][R]
  __device__ T* bar(int i) const { return of_block(bar_at[i]); }  // [width][R]
  __device__ T* output() const { return of_block(output_at); }    // [outputs][R]
  __device__ T* output_bar() const { return of_block(output_bar_at); }  // [outputs][R]
  __device__ T* rest() const { return of_block(rest_at); }              // what the kernel asked for besides
  __device__ T* gradient() const { return gradients + blockIdx.x * parameter_count; }

  __device__ int fan_in(int layer) const { return layer == 0 ? inputs : width; }
  // Into the parameters and into the arrays of a slice: 32 bits are enough, and half the registers.
  __device__ int weight(int layer) const {
    return layer == 0 ? 0 : (inputs + 1) * width + (layer - 1) * (width + 1) * width;
  }
  __device__ int bias(int layer) const {
    return weight(layer) + fan_in(layer) * (layer == depth ? outputs : width);
  }
};

/// R, which the compiler knows as it knows the algebra.
template <class S>
__device__ int tile_columns(const MlpBlock<typename S::T>& m, const typename S::Jet& jet) {
  if constexpr (S::Jet::unrolled)
    return S::columns;
  else
    return jet.channels() * m.points;
}

/// f(feature, point) for all features and points of the tile, shared out to the threads of the block.
template <class S, class F>
__device__ void for_features_and_points(const MlpBlock<typename S::T>& m, F&& f) {
  const int me = thread_of_block();
#pragma unroll 1
  for (int i = me; i < m.width * m.points; i += S::threads) f(i / m.points, i % m.points);
}

/// y of layer l from its z in memory.
template <class S>
__device__ SOBOLEV_OUT_OF_LINE void activate_layer(const MlpBlock<typename S::T>& m,
                                                   const typename S::Jet& jet,
                                                   const typename S::T* coefficients, int l) {
  using T = typename S::T;
  using Jet = typename S::Jet;
  const int points = m.points, R = tile_columns<S>(m, jet), layer = l * m.width * R;
  const T* in = m.z();
  T* to = m.y();
  with_activation(m.activation, [&](auto activation) {
    for_features_and_points<S>(m, [&](int o, int p) {
      T z[Jet::max_channels], out[Jet::max_channels];
      const int at = layer + o * R + p;
      repeat<Jet, Jet::max_channels>(jet.channels(), [&](int c) { z[c] = in[at + c * points]; });
      jet_activation<activation(), T>(jet, coefficients, z, out);
      repeat<Jet, Jet::max_channels>(jet.channels(), [&](int c) { to[at + c * points] = out[c]; });
    });
  });
}

/// z̄ of layer l in place of ȳ in memory : [width][R].
template <class S>
__device__ SOBOLEV_OUT_OF_LINE void activate_layer_adjoint(const MlpBlock<typename S::T>& m,
                                                           const typename S::Jet& jet,
                                                           const typename S::T* coefficients, int l,
                                                           typename S::T* to) {
  using T = typename S::T;
  using Jet = typename S::Jet;
  const int R = tile_columns<S>(m, jet);
  const T* given = (m.activation == Activation::tanh ? m.y() : m.z()) + l * m.width * R;
  with_activation(m.activation, [&](auto activation) {
    for_features_and_points<S>(m, [&](int o, int p) {
      T in[Jet::max_channels], bar[Jet::max_channels], slope[Jet::max_channels], out[Jet::max_channels];
      const int at = o * R + p;
      repeat<Jet, Jet::max_channels>(jet.channels(), [&](int c) {
        in[c] = given[at + c * m.points];
        bar[c] = to[at + c * m.points];
      });
      if constexpr (activation() == Activation::tanh)
        jet_tanh_slope<T>(jet, coefficients, in, slope);
      else
        jet_activation_slope<activation(), T>(jet, coefficients, in, slope);
      jet_transposed_product<T>(jet, coefficients, slope, bar, out);
      repeat<Jet, Jet::max_channels>(jet.channels(), [&](int c) { to[at + c * m.points] = out[c]; });
    });
  });
}

/// Whether activations happen in registers.
template <class S>
__device__ bool in_registers(const MlpBlock<typename S::T>& m) {
  return S::Jet::unrolled && m.activation == Activation::tanh;
}

/// One hidden layer: `in` : [fan_in][R] to layer l of y (and z). Ends with a barrier.
template <class S>
__device__ void layer_forward(const MlpBlock<typename S::T>& m, const typename S::Jet& jet,
                              const typename S::T* coefficients, int l, const typename S::T* in) {
  using T = typename S::T;
  using Jet = typename S::Jet;
  const int R = tile_columns<S>(m, jet), layer = l * m.width * R;
  const T* weight = m.parameters + m.weight(l);
  const T* bias = m.parameters + m.bias(l);
  for (int o0 = 0; o0 < m.width; o0 += S::features)
    for (int c0 = 0; c0 < R; c0 += S::columns) {
      T sum[S::F][S::C];
      block_product<S, false>(m.products, weight, m.fan_in(l), m.width, m.width, in, R, o0, c0, sum);
      const int t = thread_of_block();
#pragma unroll
      for (int f = 0; f < S::F; ++f) {
        const int o = o0 + S::feature(t, f);
        if (o >= m.width) continue;
        T* out_row = (in_registers<S>(m) ? m.y() : m.z()) + layer + o * R;
        if constexpr (Jet::unrolled) {
          if (in_registers<S>(m)) {
#pragma unroll
            for (int j = 0; j < S::points; ++j) {
              T z[Jet::max_channels], out[Jet::max_channels];
#pragma unroll
              for (int c = 0; c < Jet::max_channels; ++c)
                z[c] = sum[f][c * S::points + j] + (c == 0 ? bias[o] : T(0));
              jet_activation<Activation::tanh, T>(jet, coefficients, z, out);
#pragma unroll
              for (int c = 0; c < Jet::max_channels; ++c)
                out_row[c * S::tile_points + S::point(t, j)] = out[c];
            }
            continue;
          }
        }
#pragma unroll
        for (int c = 0; c < S::C; ++c) {
          const int column = c0 + S::column(t, c);
          if (column < R) out_row[column] = sum[f][c] + (column < m.points ? bias[o] : T(0));
        }
      }
    }
  __syncthreads();
  if (!in_registers<S>(m)) {
    activate_layer<S>(m, jet, coefficients, l);
    __syncthreads();
  }
}

/// The outputs from the features `in` : [inputs][R]. Begins and ends with a barrier.
template <class S>
__device__ void block_forward(const MlpBlock<typename S::T>& m, const typename S::Jet& jet,
                              const typename S::T* coefficients, const typename S::T* in) {
  using T = typename S::T;
  const int R = tile_columns<S>(m, jet);
  __syncthreads();
  for (int l = 0; l < m.depth; ++l) {
    layer_forward<S>(m, jet, coefficients, l, in);
    in = m.y() + l * m.width * R;
  }
  const T* weight = m.parameters + m.weight(m.depth);
  const T* bias = m.parameters + m.bias(m.depth);
  for (int i = thread_of_block(); i < m.outputs * R; i += S::threads) {
    const int q = i / R, r = i % R;
    T sum = r < m.points ? bias[q] : T(0);
    for (int f = 0; f < m.width; ++f) sum += weight[q * m.width + f] * in[f * R + r];
    m.output()[i] = sum;
  }
  __syncthreads();
}

/// z̄ of layer l, of feature o and a point of the tile, into `to` : [width][R] from ȳ in registers.
template <class S>
__device__ void store_tanh_adjoint(const MlpBlock<typename S::T>& m, const typename S::Jet& jet,
                                   const typename S::T* coefficients, int l, int o,
                                   const typename S::T* y_bar, int point, typename S::T* to) {
  using T = typename S::T;
  using Jet = typename S::Jet;
  const int R = tile_columns<S>(m, jet);
  const T* given = m.y() + (l * m.width + o) * R;
  T in[Jet::max_channels], slope[Jet::max_channels], out[Jet::max_channels];
#pragma unroll
  for (int c = 0; c < Jet::max_channels; ++c) in[c] = given[c * S::tile_points + point];
  jet_tanh_slope<T>(jet, coefficients, in, slope);
  jet_transposed_product<T>(jet, coefficients, slope, y_bar, out);
#pragma unroll
  for (int c = 0; c < Jet::max_channels; ++c) to[o * R + (c * S::tile_points + point)] = out[c];
}

/// gradient of layer l's weight += Σ_r in[i][r] bar[o][r], and of its bias. Ends with a barrier.
template <class S>
__device__ void layer_gradient(const MlpBlock<typename S::T>& m, int R, int l, const typename S::T* in,
                               const typename S::T* bar) {
  using T = typename S::T;
  const int fan_in = m.fan_in(l);
  T* to = m.gradient() + m.weight(l);
#pragma unroll 1
  for (int i0 = 0; i0 < fan_in; i0 += S::features)
#pragma unroll 1
    for (int o0 = 0; o0 < m.width; o0 += S::features) {
      T sum[S::gradient_rows][S::gradient_columns];
      block_product_of_rows<S>(m.products, in, i0, fan_in, bar, o0, m.width, R, sum);
      const int t = thread_of_block();
#pragma unroll
      for (int f = 0; f < S::gradient_rows; ++f) {
#pragma unroll
        for (int g = 0; g < S::gradient_columns; ++g) {
          const int i = i0 + S::gradient_row(t, f), o = o0 + S::gradient_column(t, g);
          if (i < fan_in && o < m.width) to[i * m.width + o] += sum[f][g];
        }
      }
    }
  for (int o = thread_of_block(); o < m.width; o += S::threads) {
    T sum = T(0);
    for (int p = 0; p < m.points; ++p) sum += bar[o * R + p];
    m.gradient()[m.bias(l) + o] += sum;
  }
  __syncthreads();
}

/// gradient of the last, linear layer += Σ_r output_bar[q][r] last[i][r], and of its bias.
template <class S>
__device__ void last_layer_gradient(const MlpBlock<typename S::T>& m, int R, const typename S::T* last) {
  using T = typename S::T;
  const int me = thread_of_block();
  for (int i = me; i < m.outputs * m.width; i += S::threads) {
    const T* seed = m.output_bar() + i / m.width * R;
    const T* row = last + i % m.width * R;
    T sum = T(0);
    for (int r = 0; r < R; ++r) sum += seed[r] * row[r];
    m.gradient()[m.weight(m.depth) + i] += sum;
  }
  for (int q = me; q < m.outputs; q += S::threads) {
    T sum = T(0);
    for (int p = 0; p < m.points; ++p) sum += m.output_bar()[q * R + p];
    m.gradient()[m.bias(m.depth) + q] += sum;
  }
}

/// The adjoints of Σ output_bar · output, layer by layer, after block_forward on the same tile: first
/// last(y), y : [width][R] of the last hidden layer, then layer(l, in, z_bar) from the last hidden layer to
/// the first, in : [fan_in][R] and z_bar : [width][R]; both are called by all threads and may use the dynamic
/// shared memory after a barrier of their own; layer() ends with a barrier. input() is where the features
/// are. Begins and ends with a barrier.
template <class S, class Input, class Last, class Layer>
__device__ void block_adjoints(const MlpBlock<typename S::T>& m, const typename S::Jet& jet,
                               const typename S::T* coefficients, const Input& input, Last&& last,
                               Layer&& on_layer) {
  using T = typename S::T;
  using Jet = typename S::Jet;
  const int R = tile_columns<S>(m, jet);
  const int layer = m.width * R;
  __syncthreads();
  last(static_cast<const T*>(m.y() + (m.depth - 1) * layer));
  const T* weight = m.parameters + m.weight(m.depth);
  const auto seed_at = [&](int o, int column) {
    T sum = T(0);
    for (int q = 0; q < m.outputs; ++q) sum += weight[q * m.width + o] * m.output_bar()[q * R + column];
    return sum;
  };
  for (int t = thread_of_block(), o = t / S::side; o < m.width; o += S::side)
    for (int r = t % S::side; r < R; r += S::side) m.bar(0)[o * R + r] = seed_at(o, r);
  __syncthreads();
  activate_layer_adjoint<S>(m, jet, coefficients, m.depth - 1, m.bar(0));
  __syncthreads();
  for (int l = m.depth - 1; l >= 0; --l) {
    const T* from = m.bar((m.depth - 1 - l) % 2);
    T* to = m.bar((m.depth - l) % 2);
    on_layer(l, l == 0 ? input() : static_cast<const T*>(m.y() + (l - 1) * layer), from);
    if (l == 0) break;
    for (int o0 = 0; o0 < m.width; o0 += S::features)
      for (int c0 = 0; c0 < R; c0 += S::columns) {
        T sum[S::F][S::C];
        block_product<S, true>(m.products, m.parameters + m.weight(l), m.width, m.width, m.width, from, R, o0,
                               c0, sum);
        const int t = thread_of_block();
#pragma unroll
        for (int f = 0; f < S::F; ++f) {
          const int o = o0 + S::feature(t, f);
          if (o >= m.width) continue;
          if constexpr (Jet::unrolled) {
            if (in_registers<S>(m)) {
#pragma unroll
              for (int j = 0; j < S::points; ++j) {
                T bar[Jet::max_channels];
#pragma unroll
                for (int c = 0; c < Jet::max_channels; ++c) bar[c] = sum[f][c * S::points + j];
                store_tanh_adjoint<S>(m, jet, coefficients, l - 1, o, bar, S::point(t, j), to);
              }
              continue;
            }
          }
#pragma unroll
          for (int c = 0; c < S::C; ++c) {
            const int column = c0 + S::column(t, c);
            if (column < R) to[o * R + column] = sum[f][c];
          }
        }
      }
    __syncthreads();
    if (!in_registers<S>(m)) {
      activate_layer_adjoint<S>(m, jet, coefficients, l - 1, to);
      __syncthreads();
    }
  }
}

/// The block's gradient += that of Σ output_bar · output, after block_forward on the same tile. Begins and
/// ends with a barrier.
template <class S, class Input>
__device__ void block_backward(const MlpBlock<typename S::T>& m, const typename S::Jet& jet,
                               const typename S::T* coefficients, const Input& input) {
  using T = typename S::T;
  const int R = tile_columns<S>(m, jet);
  block_adjoints<S>(
      m, jet, coefficients, input, [&](const T* last) { last_layer_gradient<S>(m, R, last); },
      [&](int l, const T* in, const T* bar) { layer_gradient<S>(m, R, l, in, bar); });
}

}  // namespace sobolev::SOBOLEV_TARGET
