// SPDX-License-Identifier: Apache-2.0
#pragma once
// A network with its jets on one tile of points, by one thread block of 16 × 16 threads.
//
// A tile of p points has R = K·p columns, channel · p + point; a slot is a matrix [features][R]. The product
// of a dense layer leaves in a thread's registers all channels of its points (block_product.hpp): tanh and
// its adjoint happen there. The other activations, algebras that the compiler does not know, gates and blends
// go through memory and out of line. Weights are read as they lie in the flat parameters, gradients summed
// into an array of the same order.
#include "kernels/common/cuda.hpp"
#include "kernels/jet/jet_algebra_detail.hpp"
#include "kernels/network/block_product.hpp"
#include "kernels/network/network_plan.hpp"

namespace sobolev::SOBOLEV_TARGET {

using Kind = Instruction::Kind;

/// A NetworkSlot and where a block's slice has it; z_at is y_at where slope_from_output.
struct BlockSlot {
  int y_at, z_at, bar_at;
  unsigned short features;
  bool activated;
  Activation activation;
};
/// A NetworkStep, small: a network is an argument of kernels.
struct BlockStep {
  int weight, bias;
  unsigned short fan_in, fan_out, out;
  unsigned char in[3], adds, completes;
  bool full;  // Gaussians of full covariance
  Kind kind;
};

/// The network and where the blocks keep their tiles of it, all in device memory: a parameter of kernels,
/// which stays in constant memory. A block's addresses are made when they are needed: kept, they would take
/// more registers than the products leave.
template <class T>
struct NetworkBlock {
  int inputs, outputs, points, step_count;  // points: p
  Products products;
  const T* parameters;
  T* memory;  // [blocks][slice]
  std::size_t slice;
  int output_at, output_bar_at, rest_at;  // in a slice
  T* gradients;                           // [blocks][P]
  std::size_t parameter_count;
  BlockStep steps[Network::most_instructions];
  BlockSlot slots[Network::most_instructions + 1];

  __device__ T* of_block(int at) const { return memory + blockIdx.x * slice + at; }
  __device__ T* y(int slot) const { return of_block(slots[slot].y_at); }      // [features][R]
  __device__ T* z(int slot) const { return of_block(slots[slot].z_at); }      // [features][R]
  __device__ T* bar(int slot) const { return of_block(slots[slot].bar_at); }  // [features][R]
  __device__ T* output() const { return of_block(output_at); }                // [outputs][R]
  __device__ T* output_bar() const { return of_block(output_bar_at); }        // [outputs][R]
  __device__ T* rest() const { return of_block(rest_at); }  // what the kernel asked for besides
  __device__ T* gradient() const { return gradients + blockIdx.x * parameter_count; }
  __device__ bool adds(int step, int i) const { return (steps[step].adds >> i & 1) != 0; }
  /// The adjoint of what input i of a step is becomes that of Wx + b after it.
  __device__ bool activates(int step, int i) const {
    return (steps[step].completes >> i & 1) != 0 && slots[steps[step].in[i]].activated;
  }
};

/// R, which the compiler knows as it knows the algebra.
template <class S>
__device__ int tile_columns(const NetworkBlock<typename S::T>& m, const typename S::Jet& jet) {
  if constexpr (S::Jet::unrolled)
    return S::columns;
  else
    return jet.channels() * m.points;
}

/// The values of a slot; input() is where the features are.
template <class T, class Input>
__device__ const T* slot_values(const NetworkBlock<T>& m, int slot, const Input& input) {
  return slot == 0 ? input() : static_cast<const T*>(m.y(slot));
}

/// f(feature, point) for all of them on the tile, shared out to the threads of the block.
template <class S, class F>
__device__ void for_features_and_points(int features, int points, F&& f) {
  const int me = thread_of_block();
#pragma unroll 1
  for (int i = me; i < features * points; i += S::threads) f(i / points, i % points);
}

/// y of a slot from its z in memory.
template <class S>
__device__ SOBOLEV_OUT_OF_LINE void activate_slot(const NetworkBlock<typename S::T>& m,
                                                  const typename S::Jet& jet,
                                                  const typename S::T* coefficients, int slot) {
  using T = typename S::T;
  using Jet = typename S::Jet;
  const int points = m.points, R = tile_columns<S>(m, jet);
  const T* in = m.z(slot);
  T* to = m.y(slot);
  with_activation(m.slots[slot].activation, [&](auto activation) {
    for_features_and_points<S>(m.slots[slot].features, points, [&](int o, int p) {
      T z[Jet::max_channels], out[Jet::max_channels];
      const int at = o * R + p;
      repeat<Jet, Jet::max_channels>(jet.channels(), [&](int c) { z[c] = in[at + c * points]; });
      jet_activation<activation(), T>(jet, coefficients, z, out);
      repeat<Jet, Jet::max_channels>(jet.channels(), [&](int c) { to[at + c * points] = out[c]; });
    });
  });
}

/// A gate or a blend. The inputs' features are at `input`.
template <class S>
__device__ SOBOLEV_OUT_OF_LINE void combine_slots(const NetworkBlock<typename S::T>& m,
                                                  const typename S::Jet& jet,
                                                  const typename S::T* coefficients, int step,
                                                  const typename S::T* input) {
  using T = typename S::T;
  using Jet = typename S::Jet;
  const int R = tile_columns<S>(m, jet), points = m.points;
  const auto in = [&](int i) { return slot_values(m, m.steps[step].in[i], [&] { return input; }); };
  T* to = m.y(m.steps[step].out);
  if (m.steps[step].kind == Kind::blend) {
    const T alpha = m.parameters[m.steps[step].weight];
    const T *z = in(0), *x = in(1);
    const int me = thread_of_block();
    for (int i = me; i < m.steps[step].fan_out * R; i += S::threads)
      to[i] = alpha * z[i] + (T(1) - alpha) * x[i];
    return;
  }
  const T *z = in(0), *a = in(1), *b = in(2);
  for_features_and_points<S>(m.steps[step].fan_out, points, [&](int o, int p) {
    T gate[Jet::max_channels], difference[Jet::max_channels], product[Jet::max_channels];
    const int at = o * R + p;
    repeat<Jet, Jet::max_channels>(jet.channels(), [&](int c) {
      gate[c] = z[at + c * points];
      difference[c] = a[at + c * points] - b[at + c * points];
    });
    jet_product<T>(jet, coefficients, gate, difference, product);
    repeat<Jet, Jet::max_channels>(jet.channels(),
                                   [&](int c) { to[at + c * points] = b[at + c * points] + product[c]; });
  });
}

/// a_kj of Gaussian o.
template <class T>
__device__ T shear_of(const NetworkBlock<T>& m, int step, int k, int j, int o) {
  const BlockStep& of = m.steps[step];
  return m.parameters[of.bias + (of.fan_in + k * (k - 1) / 2 + j) * of.fan_out + o];
}

/// z of input k of Gaussian o at a point of the tile, as network_gaussian_range.hpp has it; the parameters
/// hold 1/σ in the places of log σ (network_factor_device.hpp). input : [inputs][R]
template <class T, class Jet>
__device__ void scaled_offsets(const NetworkBlock<T>& m, const Jet& jet, int R, int step, const T* input,
                               int k, int o, int p, T* z) {
  const int at = k * m.steps[step].fan_out + o;
  const T rho = m.parameters[m.steps[step].bias + at];
  const T* x = input + k * R + p;
  z[0] = rho * (x[0] - m.parameters[m.steps[step].weight + at]);
  repeat<Jet, Jet::max_channels>(jet.channels(), [&](int c) {
    if (c > 0) z[c] = rho * x[c * m.points];
  });
  if (!m.steps[step].full) return;
#pragma unroll 1
  for (int j = 0; j < k; ++j) {
    const T a = rho * shear_of(m, step, k, j, o);
    const T* other = input + j * R + p;
    z[0] += a * (other[0] - m.parameters[m.steps[step].weight + j * m.steps[step].fan_out + o]);
    repeat<Jet, Jet::max_channels>(jet.channels(), [&](int c) {
      if (c > 0) z[c] += a * other[c * m.points];
    });
  }
}

/// Gaussians of the inputs' features at `input`.
template <class S>
__device__ SOBOLEV_OUT_OF_LINE void gaussian_forward(const NetworkBlock<typename S::T>& m,
                                                     const typename S::Jet& jet,
                                                     const typename S::T* coefficients, int step,
                                                     const typename S::T* input) {
  using T = typename S::T;
  using Jet = typename S::Jet;
  const int R = tile_columns<S>(m, jet), points = m.points;
  T* to = m.y(m.steps[step].out);
  for_features_and_points<S>(m.steps[step].fan_out, points, [&](int o, int p) {
    T z[Jet::max_channels], q[Jet::max_channels], out[Jet::max_channels];
    repeat<Jet, Jet::max_channels>(jet.channels(), [&](int c) { q[c] = T(0); });
    for (int k = 0; k < m.steps[step].fan_in; ++k) {
      scaled_offsets(m, jet, R, step, input, k, o, p, z);
      subtract_half_square<T>(jet, coefficients, z, q);
    }
    jet_gaussian<T>(jet, coefficients, q, out);
    repeat<Jet, Jet::max_channels>(jet.channels(), [&](int c) { to[o * R + p + c * points] = out[c]; });
  });
}

/// Whether the activation of a slot happens in registers.
template <class S>
__device__ bool in_registers(const NetworkBlock<typename S::T>& m, int slot) {
  return S::Jet::unrolled && m.slots[slot].activation == Activation::tanh;
}

/// One dense layer. Ends with a barrier.
template <class S, class Input>
__device__ void dense_forward(const NetworkBlock<typename S::T>& m, const typename S::Jet& jet,
                              const typename S::T* coefficients, int step, const Input& input) {
  using T = typename S::T;
  using Jet = typename S::Jet;
  const int R = tile_columns<S>(m, jet), slot = m.steps[step].out, width = m.steps[step].fan_out;
  for (int o0 = 0; o0 < width; o0 += S::features)
    for (int c0 = 0; c0 < R; c0 += S::columns) {
      T sum[S::F][S::C];
      block_product<S, false>(m.products, m.parameters + m.steps[step].weight, m.steps[step].fan_in, width,
                              width, slot_values(m, m.steps[step].in[0], input), R, o0, c0, sum);
      const T* bias = m.parameters + m.steps[step].bias;
      const int t = thread_of_block();
#pragma unroll
      for (int f = 0; f < S::F; ++f) {
        const int o = o0 + S::feature(t, f);
        if (o >= width) continue;
        T* out_row = m.z(slot) + o * R;
        if constexpr (Jet::unrolled) {
          if (in_registers<S>(m, slot)) {
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
  if (!in_registers<S>(m, slot)) {
    activate_slot<S>(m, jet, coefficients, slot);
    __syncthreads();
  }
}

/// Outputs of the network from a slot : [fan_in][R]. Needs a barrier after it.
template <class T>
__device__ void output_forward(const NetworkBlock<T>& m, int R, int step, const T* in) {
  const T* weight = m.parameters + m.steps[step].weight;
  const T* bias = m.parameters + m.steps[step].bias;
  const int width = m.steps[step].fan_in;
  T* to = m.output() + m.steps[step].out * R;
  for (int i = thread_of_block(); i < m.steps[step].fan_out * R; i += int(blockDim.x * blockDim.y)) {
    const int q = i / R, r = i % R;
    T sum = r < m.points ? bias[q] : T(0);
    for (int f = 0; f < width; ++f) sum += weight[q * width + f] * in[f * R + r];
    to[i] = sum;
  }
}

/// The outputs from the features at input() : [inputs][R]. Begins and ends with a barrier.
template <class S, class Input>
__device__ void block_forward(const NetworkBlock<typename S::T>& m, const typename S::Jet& jet,
                              const typename S::T* coefficients, const Input& input) {
  __syncthreads();
#pragma unroll 1
  for (int step = 0; step < m.step_count; ++step) {
    if (m.steps[step].kind == Kind::dense) {
      dense_forward<S>(m, jet, coefficients, step, input);
    } else {
      if (m.steps[step].kind == Kind::output)
        output_forward(m, tile_columns<S>(m, jet), step, slot_values(m, m.steps[step].in[0], input));
      else if (m.steps[step].kind == Kind::gaussian)
        gaussian_forward<S>(m, jet, coefficients, step, input());
      else
        combine_slots<S>(m, jet, coefficients, step, input());
      __syncthreads();
    }
  }
}

}  // namespace sobolev::SOBOLEV_TARGET
