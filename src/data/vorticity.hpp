// SPDX-License-Identifier: Apache-2.0
#pragma once
// Two-dimensional flow on the unit torus by its vorticity: w_t + v·∇w = ν Δw + f, ∇·v = 0,
// f = forcing (sin 2π(x+y) + cos 2π(x+y)).
#include <array>
#include <atomic>
#include <vector>

#include "src/data/exponential_integrator.hpp"
#include "src/data/field_modes.hpp"
#include "src/data/spectral_grid.hpp"

namespace sobolev::detail {

/// Galerkin in the modes below a third of the points, products exact by the 2/3 rule, which keeps energy and
/// enstrophy but for the time stepping; that is ETDRK4, in steps that move nothing by more than `cfl` cells.
class Vorticity {
 public:
  Vorticity(int points, double nu, double forcing);
  ModeRange range() const { return {grid_.highest(0), grid_.highest(1)}; }
  /// False when it was stopped.
  bool advance(std::vector<Complex>& w, double duration, double cfl, const std::atomic<bool>* stop);
  /// The largest |v_x| + |v_y| on the grid.
  double speed(const std::vector<Complex>& w);
  /// Half the mean square of the velocity.
  double energy(const std::vector<Complex>& w) const;
  /// Half the mean square of the vorticity.
  double enstrophy(const std::vector<Complex>& w) const;
  static std::size_t memory(std::size_t points);

 private:
  void rate(const Complex* w, Complex* out);
  std::vector<Complex> linear(double nu) const;
  /// ½ Σ |w_k|² factor_k over all modes, the conjugates too.
  double half_square(const std::vector<Complex>& w, bool of_velocity) const;

  SpectralGrid grid_;
  std::array<std::vector<Complex>, 2> velocity_;  // multipliers from w
  std::vector<double> product_, difference_;      // multipliers of v_x v_y and v_y² − v_x²
  std::vector<double> x_, y_;                     // on the grid
  std::vector<Complex> other_;
  Complex forcing_;
  ExponentialIntegrator integrator_;
};

}  // namespace sobolev::detail
