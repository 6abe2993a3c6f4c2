// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>

#include "sobolev/core/random.hpp"
#include "sobolev/data/darcy_solver.hpp"

namespace sobolev {

/// Covariance σ² (−Δ + τ²)^−α on the unit interval or square: its eigenvalue is σ² (q² + τ²)^−α for a wave
/// with −Δφ = q² φ.
struct FieldCovariance {
  double sigma = 1, tau = 3, alpha = 2;
  double eigenvalue(double q_squared) const;
};

/// Gaussian random fields by their Karhunen–Loève series u = Σ_k √λ_k ξ_k φ_k, ξ_k independent and standard
/// normal, φ_k orthonormal on the unit interval or square. The number ξ_k depends on the random stream and on
/// the mode k, not on the grid: more points add modes to the same function. Source: Lord, Powell & Shardlow,
/// An introduction to computational stochastic PDEs (2014), section 7.
///
/// Periodic: φ are 1, √2 cos(2π k·x), √2 sin(2π k·x), q = 2π|k|, with |k| in each axis at most `modes`.
class PeriodicField {
 public:
  /// dimensions 1 or 2; points x_i = i/S. ArgumentError for others, or a covariance that is none.
  PeriodicField(int dimensions, std::size_t points, std::size_t modes, const FieldCovariance& covariance,
                bool mean = true);
  ~PeriodicField();
  PeriodicField(PeriodicField&&) noexcept;
  /// Without the constant mode where `mean` is false.                             values : [S] or [S, S]
  void sample(const Philox& random, View<double, 1> values);

  struct State;

 private:
  std::unique_ptr<State> state_;
};

/// With normal derivative 0 on the boundary of the unit square: φ are products of 1 and √2 cos(π k x), q =
/// π|k|, k from 0 to S − 1 in each axis; on cells by the cosine transform of second kind, on nodes of the
/// first.
class NeumannField {
 public:
  NeumannField(std::size_t points, GridPoints where, const FieldCovariance& covariance, bool mean = true);
  ~NeumannField();
  NeumannField(NeumannField&&) noexcept;
  void sample(const Philox& random, View<double, 2> values);  // [S, S]

  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace sobolev
