// SPDX-License-Identifier: Apache-2.0
#pragma once
// How far predicted fields are from those they should be.
#include <cstddef>
#include <memory>
#include <vector>

#include "sobolev/core/view.hpp"

namespace sobolev {

/// A grid of points in a box. Along a periodic axis they are length/points apart, along others
/// length/(points − 1): both ends are points.
struct FieldGrid {
  std::vector<std::size_t> points;  // n₁ … n_d
  std::vector<double> lengths;
  std::vector<bool> periodic;
};

/// e = prediction − target; b, c, x: sample, channel, point; B, C, N: how many. Σ without an index is over
/// channels and points of a sample, ⟨·⟩ the mean over the points of a channel of a sample. A quotient with a
/// target of norm 0 is 0 where the error is 0, and else infinite.
struct FieldMetrics {
  /// mean_b √(Σe² / Σt²). Source: Li et al. 2021 (Fourier neural operator), section 5.
  double relative_l2 = 0;
  /// mean_b √(Σ(e² + |∇e|²) / Σ(t² + |∇t|²)). Derivatives are those of the Fourier interpolant along periodic
  /// axes (of an even number of points the highest mode has none), and differences of second order along
  /// others, one-sided at the ends.
  double relative_h1 = 0;
  /// mean_bc √⟨e²⟩.                                        This and the next five: Takamoto et al. 2022
  /// (PDEBench)
  double rmse = 0;
  /// mean_bc √(⟨e²⟩ / ⟨t²⟩)
  double nrmse = 0;
  /// max |e|
  double max_error = 0;
  /// mean_c √(mean_b ⟨e⟩²): of what is conserved.
  double conserved_rmse = 0;
  /// mean_bc of √⟨e²⟩ over the points at an end of some axis.
  double boundary_rmse = 0;
  /// Of bands of the shells κ = 0 … min n/2 (but below that in more than one dimension):
  ///   E_cκ = V/N √(mean_b Σ |ê(k)|²) over 0 ≤ k_i ≤ n_i/2 (below that in more than one dimension), ⌊|k|⌋ = κ
  /// with the unscaled transform ê and the volume V = Π lengths; the mean over c and over the shells of a
  /// band, κ < 4, 4 ≤ κ < 12 and from 12 on. 0 where the grid has none.
  double fourier_low = 0, fourier_middle = 0, fourier_high = 0;
  /// mean_bc √(⟨e²⟩ / (⟨(t − ⟨t⟩)²⟩ + 10⁻⁷)). Source: Ohana et al. 2024 (The Well), section 5.
  double vrmse = 0;
};

/// Sums errors up, sample after sample, so that no more than some of them are in memory.
class FieldErrors {
 public:
  /// ArgumentError unless the grid has 1 to 3 axes of at least 3 points and positive lengths.
  FieldErrors(const FieldGrid& grid, std::size_t channels);
  ~FieldErrors();
  FieldErrors(FieldErrors&&) noexcept;
  FieldErrors& operator=(FieldErrors&&) noexcept;

  /// T is float or double; sums are in double.                      prediction, target : [B, C, N]
  template <class T>
  void add(View<const T, 3> prediction, View<const T, 3> target);
  std::size_t samples() const;
  /// Of all that were added; ArgumentError when none was.
  FieldMetrics metrics() const;

 private:
  struct Sums;
  std::unique_ptr<Sums> sums_;
};

}  // namespace sobolev
