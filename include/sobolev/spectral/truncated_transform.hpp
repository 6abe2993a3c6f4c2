// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <vector>

#include "sobolev/core/executor.hpp"
#include "sobolev/core/view.hpp"
#include "sobolev/spectral/modes.hpp"

namespace sobolev {

namespace detail {
template <class T, class E>
struct TransformPlan;
}

/// The lowest Fourier coefficients of real fields on periodic grids of one to three axes n_1 … n_d of any
/// size, channels last, and fields from coefficients.    x : [B, N, C], N = Π n_a    v : [B, M, 2 (real,
/// imaginary), C]
///   analyse      v(k) = 1/N Σ_n x(n) exp(−2πi Σ_a k_a n_a/n_a),  0 where the grid does not resolve k
///   (modes.hpp) synthesise   x(n) = Re Σ_k s(k) v(k) exp(2πi Σ_a k_a n_a/n_a),  s = 1 for k_d = 0 and 2 k_d
///   = n_d, else 2
/// M counts the frequencies of all axes, the last axis fastest. Synthesis is what the inverse real transform
/// makes of these coefficients and zeros: for k_d = 0 those of −k need not be the conjugates. Error: 4 eps
/// (Σ_a n_a) 1/N Σ|x| per coefficient, 4 eps (Σ_a m_a) Σ s|v| per value, m_a the axis' frequencies. By
/// truncated sums along one axis after the other, in which points that mirror each other are added first: M
/// n/2 multiply-adds an axis and value of the others, which for the few modes of an operator is less work
/// than a fast transform and all of it in the matrix form that vector units like. A plan has memory of its
/// own for one call at a time; the first call with a larger B · C takes more of it. ArgumentError where
/// shapes disagree.
template <class T, class E = Cpu>
class TruncatedTransform {
 public:
  TruncatedTransform(const E& executor, const std::vector<std::size_t>& grid,
                     const std::vector<ModeRange>& modes);
  ~TruncatedTransform();
  TruncatedTransform(TruncatedTransform&&) noexcept;
  TruncatedTransform& operator=(TruncatedTransform&&) noexcept;

  const std::vector<std::size_t>& grid() const;
  const std::vector<ModeRange>& modes() const;
  /// N and M.
  std::size_t points() const;
  std::size_t mode_count() const;

  void analyse(View<const T, 3> x, View<T, 4> v);
  /// With add, x += instead of x =.
  void synthesise(View<const T, 4> v, View<T, 3> x, bool add = false);
  /// Their transposes: x̄ (+)= Aᵀ v̄ and v̄ = Sᵀ x̄.
  void analyse_adjoint(View<const T, 4> v_bar, View<T, 3> x_bar, bool add = false);
  void synthesise_adjoint(View<const T, 3> x_bar, View<T, 4> v_bar);

 private:
  std::unique_ptr<detail::TransformPlan<T, E>> plan_;
};

}  // namespace sobolev
