// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>

#include "sobolev/core/executor.hpp"
#include "sobolev/core/view.hpp"
#include "sobolev/jet/activation.hpp"
#include "sobolev/jet/spec.hpp"

namespace sobolev {

/// A multilayer perceptron: `depth` hidden layers of `width` neurons, then a linear layer.
/// Parameters are one flat array: for each hidden layer its weight [in, out] and bias [out] (the
/// transpose of the [out, in] that files hold), then the last layer's weight [out, in] and bias [out].
struct MlpShape {
  int inputs = 1, outputs = 1, depth = 1, width = 1;
  Activation activation = Activation::tanh;

  int layers() const { return depth + 1; }
  int fan_in(int layer) const { return layer == 0 ? inputs : width; }
  int fan_out(int layer) const { return layer == depth ? outputs : width; }
  /// P.
  std::size_t parameters() const { return bias_offset(depth) + std::size_t(outputs); }
  std::size_t weight_offset(int layer) const;
  std::size_t bias_offset(int layer) const {
    return weight_offset(layer) + std::size_t(fan_in(layer)) * std::size_t(fan_out(layer));
  }
  /// ArgumentError unless 1 ≤ inputs, outputs ≤ 1024, 1 ≤ depth ≤ 32, 1 ≤ width ≤ 4096.
  void validate() const;
};

/// y = the jets of the network's outputs.   x : [K, inputs, N], parameters : [P], y : [K, outputs, N]
/// Channel 0 holds values, channel k Taylor coefficients (JetSpec). Memory O(threads · tile).
/// Error: depth · width · 8 eps relative to the sums' absolute values. docs/jets.md, section 2.
template <class T>
void mlp_forward(const Cpu&, const MlpShape&, const JetSpec&, View<const T, 1> parameters, View<const T, 3> x,
                 View<T, 3> y);
template <class T>
void mlp_forward(const Cuda&, const MlpShape&, const JetSpec&, View<const T, 1> parameters,
                 View<const T, 3> x, View<T, 3> y);

/// The adjoint: gradient = Σ_n Σ_k Σ_q y_bar[k, q, n] ∂y[k, q, n]/∂parameters.      gradient : [P]
/// The forward pass is done anew tile by tile. Summed in an order that does not depend on threads.
template <class T>
void mlp_backward(const Cpu&, const MlpShape&, const JetSpec&, View<const T, 1> parameters,
                  View<const T, 3> x, View<const T, 3> y_bar, View<T, 1> gradient);
template <class T>
void mlp_backward(const Cuda&, const MlpShape&, const JetSpec&, View<const T, 1> parameters,
                  View<const T, 3> x, View<const T, 3> y_bar, View<T, 1> gradient);

}  // namespace sobolev
