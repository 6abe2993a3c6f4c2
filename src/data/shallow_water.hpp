// SPDX-License-Identifier: Apache-2.0
#pragma once
// The shallow-water equations on a square: h_t + ∇·(h v) = 0, (h v)_t + ∇·(h v vᵀ + ½ g h²) = 0.
#include <array>
#include <atomic>
#include <vector>

namespace sobolev::detail {

/// Finite volumes: limited linear reconstruction of h and v (van Leer), HLLC fluxes, two stages of a
/// Runge–Kutta method that keeps total variation, open boundaries. Second order where the flow is smooth,
/// first at shocks. Source: Toro, Shock-capturing methods for free-surface shallow flows (2001), chapters 10
/// and 13.
class ShallowWater {
 public:
  using Cell = std::array<double, 3>;  // h, h v_x, h v_y
  ShallowWater(std::size_t cells, double width, double gravity);
  /// [S, S], x along the first axis. False when it was stopped.
  bool advance(std::vector<Cell>& state, double duration, const std::atomic<bool>* stop);

 private:
  /// change_ ← −∇·flux
  void find_change(const std::vector<Cell>& state);
  /// Fluxes of one line of cells, `stride` apart, with `normal` the component along it: adds to change_.
  void add_line(const std::vector<Cell>& state, std::size_t first, std::size_t stride, std::size_t normal);
  double longest_step(const std::vector<Cell>& state) const;

  std::size_t cells_;
  double width_, gravity_;
  std::vector<Cell> change_, stage_, line_, slope_, flux_;
};

}  // namespace sobolev::detail
