// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <vector>

#include "sobolev/optim/hessian_spectrum.hpp"
#include "sobolev/pinn/solve.hpp"

namespace sobolev {

struct LandscapeOptions {
  int points = 41;   // along each direction
  double range = 1;  // of α and β
  int window = -1;   // −1: the last one that was trained
  HessianSpectrumOptions spectrum;
  unsigned long seed = 0;  // of the directions
};

/// The training loss around a solution: L(θ + α a + β b) for α, β ∈ [−range, range], with two random
/// directions normalised filter by filter, |a_f| = |θ_f| (Li, Xu, Taylor, Studer & Goldstein 2018), where a
/// filter is what goes into one unit, its bias included; and the spectrum of the Hessian at θ. The loss is
/// that of the training: its points, the weights of its start.
struct Landscape {
  std::vector<double> axis;  // α and β: [n]
  std::vector<double> loss;  // [n, n], α first
  double loss_here = 0;
  HessianSpectrum spectrum;
};
/// ArgumentError for a solution without a network, or without that window.
Landscape landscape(const Cpu&, const Solution& solution, const LandscapeOptions& = {});

}  // namespace sobolev
