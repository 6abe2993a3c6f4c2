// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <memory>
#include <vector>

#include "sobolev/core/executor.hpp"
#include "sobolev/core/view.hpp"
#include "sobolev/operators/channel_mix.hpp"

namespace sobolev {

/// How a field x(0) … x(n−1) goes on beyond its ends: by zeros; x(−1) = x(n−1); mirrored at its end points,
/// x(−1) = x(1); by its last value, x(−1) = x(0).
enum class Boundary { zero, periodic, reflect, replicate };
inline constexpr std::array boundaries{"zero", "periodic", "reflect", "replicate"};

/// The same for all axes.
struct ConvolutionOptions {
  std::size_t width = 3;    // taps w, 1 … 8
  std::size_t stride = 1;   // s, 1 … 4
  std::size_t padding = 1;  // p, below w: the points before the first one that are read
  Boundary boundary = Boundary::zero;
  bool transposed = false;
};

/// Points that come out of n: (n + 2 p − w)/s + 1 rounded down; transposed s (n − 1) + w − 2 p. ArgumentError
/// where there are none.
std::size_t convolved_points(std::size_t points, const ConvolutionOptions& options);

namespace detail {
template <class T, class E>
struct ConvolutionPlan;
}

/// A convolution of fields on grids of one to three axes, channels last, of any size. x̃ is x continued beyond
/// its ends, axis by axis.       x : [B, N, C]   W : [w^d, C, O], the last axis' tap fastest   y : [B, N', O]
///   y(q) = σ(b + a(q) + Σ_k x̃(s q + k − p) W_k)
///   transposed: y(q) = σ(b + a(q) + Σ x̃(i) W_k), over i and k for which s i + k − p = q
/// Transposed, without continuation and without σ, b and a, it is the transpose of the convolution with the
/// same options and W. Error: 4 eps (w^d C Σ|x||W| + |b| + |a|) before σ. A plan has memory of its own for
/// one call at a time, and none is taken in a call.
template <class T, class E = Cpu>
class Convolution {
 public:
  /// `output_grid`: of a transposed one, where other than convolved_points, at most s n and at least
  /// s (n − 1) + 1; empty for those. ArgumentError for options and grids that do not fit each other.
  Convolution(const E& executor, const std::vector<std::size_t>& grid, const ConvolutionOptions& options,
              std::size_t inputs, std::size_t outputs, const std::vector<std::size_t>& output_grid = {});
  ~Convolution();
  Convolution(Convolution&&) noexcept;
  Convolution& operator=(Convolution&&) noexcept;

  const std::vector<std::size_t>& output_grid() const;
  /// Numbers in W.
  std::size_t weights() const;

  /// b, a and slope, which gets σ', may be empty; y may be the memory of a.
  void forward(FieldActivation activation, View<const T, 3> x, View<const T, 1> weight, View<const T, 1> bias,
               View<const T, 3> added, View<T, 3> y, View<T, 3> slope);
  /// Its adjoint. ȳ becomes z̄ = ȳ ⊙ slope in place, which is ā as well (slope empty: the identity).
  ///   x̄ (+)= Σ z̄ Wᵀ unless x_bar is empty   W̄ += Σ xᵀ z̄   b̄ += Σ z̄ unless bias_bar is empty
  /// The order of all sums depends on the shapes alone.
  void adjoint(View<const T, 3> x, View<const T, 1> weight, View<const T, 3> slope, View<T, 3> y_bar,
               View<T, 3> x_bar, bool add, View<T, 1> weight_bar, View<T, 1> bias_bar);

 private:
  std::unique_ptr<detail::ConvolutionPlan<T, E>> plan_;
};

}  // namespace sobolev
